"""Correction grids as the Geospatial Information Authority of Japan hands them out, and what they say.

Three text formats are read: ``.par`` (SemiDynaEXE: shifts of latitude, longitude and height at corners
of every fifth standard mesh), ``.isg`` (ISG 2.0: JPGEO2024, Hrefconv2024), ``.asc`` (GSIGEO2011).
Values between nodes are bilinear, as in the authority's own programs. Files are the operator's; none is
fetched.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from geoshare.errors import BadData

Array = NDArray[np.float64]
_PAR_HEADER: Final = 16  # lines before the nodes of a SemiDynaEXE file
_PAR_PER_DEG: Final = (24.0, 16.0)  # nodes a degree of latitude and of longitude: every fifth mesh
_ASC_NODATA: Final = 999.0
_ISG_SAYS: Final = {
    "data format": ("grid",),
    "data units": ("meters", "metres", "m"),
    "coord type": ("geodetic",),
    "coord units": ("dms", "deg"),
}
_MAX_BYTES: Final = 400_000_000
_KEY = re.compile(r"^\s*([A-Za-z ]+?)\s*[:=]\s*(.*?)\s*$")
_DMS = re.compile(r"\s*(-?)(\d+)\s*°\s*(\d+)\s*['′]\s*([\d.]+)\s*[\"″]?\s*")


@dataclass(frozen=True)
class Grid:
    """Values (rows, columns, k) at nodes from the south-west corner on, northwards and eastwards.

    ``south``, ``west`` in degrees; ``rows_per_deg``, ``columns_per_deg`` are nodes a degree.
    """

    name: str
    south: float
    west: float
    rows_per_deg: float
    columns_per_deg: float
    values: Array

    def at(self, lon_lat: Array) -> Array:
        """Values (n, k) at longitudes and latitudes (n, 2); NaN outside or beside a missing node."""
        y = (lon_lat[:, 1] - self.south) * self.rows_per_deg
        x = (lon_lat[:, 0] - self.west) * self.columns_per_deg
        rows, columns, depth = self.values.shape
        with np.errstate(invalid="ignore"):
            inside = (y >= 0) & (x >= 0) & (y <= rows - 1) & (x <= columns - 1)
        out = np.full((len(lon_lat), depth), np.nan)
        row = np.clip(y[inside].astype(np.int64), 0, max(rows - 2, 0))
        column = np.clip(x[inside].astype(np.int64), 0, max(columns - 2, 0))
        up, along = (y[inside] - row)[:, None], (x[inside] - column)[:, None]
        below = self.values[row, column] * (1 - along) + self.values[row, column + 1] * along
        above = self.values[row + 1, column] * (1 - along) + self.values[row + 1, column + 1] * along
        out[inside] = below * (1 - up) + above * up
        return out


def find(folder: Path | None, *names: str) -> Path | None:
    """The first file in a folder whose name, in any case, matches one of the patterns."""
    if folder is None or not folder.is_dir():
        return None
    files = sorted(folder.iterdir())
    for name in names:
        pattern = re.compile(name, re.IGNORECASE)
        for file in files:
            if pattern.fullmatch(file.name) and file.is_file():
                return file
    return None


def load(path: Path) -> Grid:
    """A grid from its file; BadData ``grid-broken`` names the file where it cannot be read."""
    stat = path.stat()
    return _load(path, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=8)
def _load(path: Path, changed_ns: int, size: int) -> Grid:
    try:
        if size > _MAX_BYTES:
            raise ValueError("too large")
        text = path.read_bytes().decode("utf-8", "replace")
        reader = {".par": _read_par, ".isg": _read_isg}.get(path.suffix.lower(), _read_asc)
        return reader(path.name, text)
    except (ValueError, IndexError, KeyError, OSError) as error:
        raise BadData(
            f"The grid {path.name} cannot be read: {str(error)[:100] or 'its form is unknown'}.",
            code="grid-broken",
            parameter="grids",
            allowed="a .par, .isg or .asc file as the Geospatial Information Authority hands it out",
            message_ja=f"格子ファイル {path.name} を読めません。",
        ) from error


def _read_par(name: str, text: str) -> Grid:
    """SemiDynaEXE: mesh code, seconds of latitude, seconds of longitude, metres, in fixed columns."""
    lines = [line for line in text.splitlines()[_PAR_HEADER:] if line.strip()]
    codes = np.array([int(line[0:8]) for line in lines], np.int64)
    shifts = np.array([[float(line[a : a + 9]) for a in (9, 19, 29)] for line in lines])
    if not len(codes):
        raise ValueError("it holds no nodes")
    digits = [codes // 10 ** (7 - place) % 10 for place in range(8)]
    lat = (digits[0] * 10 + digits[1]) / 1.5 + digits[4] / 12 + digits[6] / 120
    lon = 100 + digits[2] * 10 + digits[3] + digits[5] / 8 + digits[7] / 80
    rows = np.rint(lat * _PAR_PER_DEG[0]).astype(np.int64)
    columns = np.rint(lon * _PAR_PER_DEG[1]).astype(np.int64)
    values = np.full((np.ptp(rows) + 2, np.ptp(columns) + 2, 3), np.nan)
    values[rows - rows.min(), columns - columns.min()] = shifts
    south, west = rows.min() / _PAR_PER_DEG[0], columns.min() / _PAR_PER_DEG[1]
    return Grid(name, float(south), float(west), *_PAR_PER_DEG, values)


def _read_isg(name: str, text: str) -> Grid:
    """ISG 2.0: keys between ``begin_of_head`` and ``end_of_head``, then rows from the north.

    What stands before the head is comment. Grids of metres in degrees are read, and no others.
    """
    head, _, body = text.partition("end_of_head")
    matched = (_KEY.match(line) for line in head.rpartition("begin_of_head")[2].splitlines())
    said = {found[1].strip().lower(): found[2] for found in matched if found}
    for key, allowed in _ISG_SAYS.items():
        if said.get(key, allowed[0]).lower() not in allowed:
            raise ValueError(f"its {key} is {said[key][:30]}, not {allowed[0]}")
    rows, columns = int(said["nrows"]), int(said["ncols"])
    values = np.array(body.partition("\n")[2].split(), np.float64)
    if values.size != rows * columns:
        raise ValueError(f"{values.size} values instead of {rows * columns}")
    missing = said.get("nodata", "")
    if missing not in ("", "---"):
        values[values == float(missing)] = np.nan
    if said.get("data ordering", "N-to-S, W-to-E").replace(" ", "").upper() != "N-TO-S,W-TO-E":
        raise ValueError(f"its data ordering is {said['data ordering']}")
    south, north = _degrees(said["lat min"]), _degrees(said["lat max"])
    west, east = _degrees(said["lon min"]), _degrees(said["lon max"])
    per_lat, per_lon = 1 / _degrees(said["delta lat"]), 1 / _degrees(said["delta lon"])
    # bounds are those of cells in some files and of nodes in others
    if round((north - south) * per_lat) == rows:
        south += 0.5 / per_lat
    if round((east - west) * per_lon) == columns:
        west += 0.5 / per_lon
    grid = values.reshape(rows, columns)[::-1, :, None]
    return Grid(name, south, west, per_lat, per_lon, np.ascontiguousarray(grid))


def _read_asc(name: str, text: str) -> Grid:
    """GSIGEO2011: south, west, steps in degrees (rounded), rows, columns, then rows from the south."""
    first, _, body = text.lstrip().partition("\n")
    said = first.split()
    south, west = float(said[0]), float(said[1])
    per_lat, per_lon = (float(round(1 / float(step))) for step in said[2:4])
    rows, columns = int(said[4]), int(said[5])
    values = np.array(body.split(), np.float64)
    if values.size != rows * columns:
        raise ValueError(f"{values.size} values instead of {rows * columns}")
    values[values >= _ASC_NODATA] = np.nan
    return Grid(name, south, west, per_lat, per_lon, values.reshape(rows, columns, 1))


def _degrees(text: str) -> float:
    found = _DMS.fullmatch(text)
    if not found:
        return float(text)
    value = int(found[2]) + int(found[3]) / 60 + float(found[4]) / 3600
    return -value if found[1] else value
