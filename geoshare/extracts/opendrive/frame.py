"""The metres a map is written in: those of its kept roads, else a projection about its middle."""

from __future__ import annotations

import math
import warnings
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyproj
from numpy.typing import NDArray

from geoshare.extracts.opendrive.xml import parsed
from geoshare.extracts.road_rows import Row
from geoshare.model.roads.reference import read_geo_reference

Array = NDArray[np.float64]


@dataclass(frozen=True)
class OutFrame:
    """A CRS as a PROJ string (WKT where there is none), and the map's origin in it."""

    reference: str
    offset: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)  # metres, heading in radians

    @cached_property
    def _transformer(self) -> pyproj.Transformer:
        usable = read_geo_reference(self.reference).crs
        return pyproj.Transformer.from_crs("EPSG:4326", usable, always_xy=True)

    def apply(self, lon_lat_z: Array) -> Array:
        """The map's own metres (n, 3) of longitude, latitude and height; NaN heights stay."""
        x, y = self._transformer.transform(lon_lat_z[:, 0], lon_lat_z[:, 1])
        east, north, up, heading = self.offset
        cos, sin = math.cos(heading), math.sin(heading)
        x, y = x - east, y - north
        return np.column_stack([x * cos + y * sin, y * cos - x * sin, lon_lat_z[:, 2] - up])


def frame_of_segment(row: Row) -> OutFrame | None:
    """The frame that a kept road counts in; None where the row has none."""
    from_file = row.object("opendrive")
    header = _header(from_file)
    if header is None:
        return None
    reference, offset = header
    if isinstance(from_file.get("crs"), str):
        reference = as_proj(from_file["crs"])
    said = from_file.get("offset")
    if isinstance(said, list) and len(said) == 4:
        offset = (float(said[0]), float(said[1]), float(said[2]), float(said[3]))
    return OutFrame(reference, offset) if reference else None


def _header(source: dict[str, object]) -> tuple[str, tuple[float, float, float, float]] | None:
    element = parsed(source.get("header") or "<header/>")
    if element is None or not isinstance(source.get("road"), str):
        return None
    item = element.find("offset")
    try:
        x, y, z, heading = (
            0.0 if item is None else float(item.get(name) or 0.0) for name in ("x", "y", "z", "hdg")
        )
    except ValueError:
        return None
    return (element.findtext("geoReference") or "").strip(), (x, y, z, heading)


def as_proj(crs: str) -> str:
    """A CRS as the PROJ string that OpenDRIVE asks for; datums that these cannot name are left out."""
    if crs.lstrip().startswith("+"):
        return crs
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that PROJ strings say less is known here
        return str(pyproj.CRS(crs).to_proj4()).replace(" +type=crs", "")


def choose(frames: Iterable[OutFrame], lon_lat: tuple[float, float]) -> OutFrame:
    """The frame that most kept roads share; else transverse Mercator about a place."""
    counted = Counter(frames)
    if counted:
        return max(counted, key=lambda frame: (counted[frame], frame.reference))
    lon, lat = (round(value, 3) for value in lon_lat)
    return OutFrame(
        f"+proj=tmerc +lat_0={lat} +lon_0={lon} +k=1 +x_0=0 +y_0=0 +datum=WGS84 +units=m +no_defs"
    )
