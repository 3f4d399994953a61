"""Squares of 100 km of the military grid reference system, as Autoware's maps name them."""

from __future__ import annotations

import math
import re

import pyproj

_COLUMNS = ("ABCDEFGH", "JKLMNPQR", "STUVWXYZ")  # by (zone - 1) mod 3
_ROWS = "ABCDEFGHJKLMNPQRSTUV"
_BANDS = "CDEFGHJKLMNPQRSTUVWX"  # 8 degrees each from 80 S
_SQUARE = re.compile(r"(\d{1,2})([C-HJ-NP-X])([A-HJ-NP-Z])([A-HJ-NP-V])")
_METRES_PER_DEGREE = 110_574.0
_BAND_DEG, _BAND_SOUTH_DEG = 8, -80  # the northernmost band, X, is 12 degrees high
_MOST_DEG = 84.0
_SQUARE_M = 100_000.0


def mgrs_origin(square: str) -> tuple[str, float, float] | None:
    """UTM zone as EPSG code and easting, northing (metres) of a 100 km square such as ``54SUE``.

    Military grid reference system: column letters repeat every three zones, row letters every
    2,000 km and start at F in even zones; the latitude band tells which repetition is meant.
    """
    found = _SQUARE.fullmatch(square.strip().upper())
    if not found or not 1 <= int(found.group(1)) <= 60:
        return None
    zone, band, column, row = int(found.group(1)), *found.groups()[1:]
    columns = _COLUMNS[(zone - 1) % 3]
    if column not in columns:
        return None
    easting = (columns.index(column) + 1) * 100_000.0
    row_number = (_ROWS.index(row) - (5 if zone % 2 == 0 else 0)) % 20
    south_deg = _BANDS.index(band) * 8 - 80
    northern = south_deg >= 0
    lowest = south_deg * _METRES_PER_DEGREE + (0.0 if northern else 10_000_000.0)
    northing = row_number * 100_000.0
    while northing + 100_000.0 <= lowest - 50_000.0:  # a square may begin a little below its band
        northing += 2_000_000.0
    return f"EPSG:{(32600 if northern else 32700) + zone}", easting, northing


def mgrs_square(lon: float, lat: float) -> str | None:
    """The square that a place lies in, such as ``54SUE``; None beyond 80 S and 84 N.

    Zones are six degrees wide but for those about Norway and Svalbard.
    """
    if not _BAND_SOUTH_DEG <= lat <= _MOST_DEG or not -180.0 <= lon <= 180.0:
        return None
    band = _BANDS[min(int((lat - _BAND_SOUTH_DEG) // _BAND_DEG), len(_BANDS) - 1)]
    zone = _zone(lon, band)
    crs = f"EPSG:{(32600 if lat >= 0 else 32700) + zone}"
    east, north = pyproj.Transformer.from_crs("EPSG:4326", crs, always_xy=True).transform(lon, lat)
    column = _COLUMNS[(zone - 1) % 3][int(east // _SQUARE_M) - 1]
    row = _ROWS[(int(north // _SQUARE_M) + (5 if zone % 2 == 0 else 0)) % 20]
    return f"{zone}{band}{column}{row}"


def _zone(lon: float, band: str) -> int:
    """Zone of a longitude in a band."""
    zone = min(math.floor((lon + 180.0) / 6.0) + 1, 60)
    if band == "V" and 3.0 <= lon < 12.0:
        return 32
    if band == "X" and 0.0 <= lon < 42.0:
        return 31 + 2 * int((lon + 3.0) // 12.0)
    return zone
