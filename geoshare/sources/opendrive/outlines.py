"""Outlines of objects, in their own frame or along the road."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from lxml import etree
from numpy.typing import NDArray

from geoshare.model.roads import Road
from geoshare.sources.opendrive.places import Frame
from geoshare.sources.opendrive.words import truth
from geoshare.sources.opendrive.xml import number, word

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Local:
    """An object's own frame: its place (x, y, z) in the map's metres, and its heading in radians."""

    place: Array
    heading: float

    def apply(self, uvz: Array) -> Array:
        """Points (n, 3) of the frame in the map's metres."""
        cos, sin = np.cos(self.heading), np.sin(self.heading)
        out = np.empty_like(uvz)
        out[:, 0] = self.place[0] + uvz[:, 0] * cos - uvz[:, 1] * sin
        out[:, 1] = self.place[1] + uvz[:, 0] * sin + uvz[:, 1] * cos
        out[:, 2] = self.place[2] + uvz[:, 2]
        return out

    def box(self, length: float, width: float, frame: Frame) -> shapely.Polygon | None:
        """The ground that an object of this size stands on; None where it has none."""
        if length <= 0 or width <= 0:
            return None
        u, v = length / 2, width / 2
        corners = np.array([(-u, -v, 0), (u, -v, 0), (u, v, 0), (-u, v, 0)], np.float64)
        return shapely.Polygon(frame.apply(self.apply(corners)))


def outline_of(road: Road, item: etree._Element, local: Local, frame: Frame) -> shapely.Geometry | None:
    """An object's outer outlines as polygons, or as lines where they are open; None without any."""
    found: list[Any] = []
    for outline in [*item.iterfind("outlines/outline"), *item.iterfind("outline")]:
        if word(outline, "outer") == "false":
            continue
        corners = _corners(road, outline, local)
        if len(corners) < 2:
            continue
        points = frame.apply(corners)
        closed = len(corners) >= 3 and truth(word(outline, "closed") or "true")
        found.append(shapely.Polygon(points) if closed else shapely.LineString(points))
    kinds = {shape.geom_type for shape in found}
    if len(kinds) != 1 or len(found) == 1:
        first: shapely.Geometry | None = found[0] if found else None
        return first
    return shapely.MultiPolygon(found) if kinds == {"Polygon"} else shapely.MultiLineString(found)


def _corners(road: Road, outline: etree._Element, local: Local) -> Array:
    along = [
        [number(corner, "s"), number(corner, "t"), number(corner, "dz", 0.0)]
        for corner in outline.iterfind("cornerRoad")
    ]
    if along:
        s, t, up = np.array(along).T
        found, _ = road.place(s, t)
        found[:, 2] += up
        return found
    own = [
        [number(corner, "u"), number(corner, "v"), number(corner, "z", 0.0)]
        for corner in outline.iterfind("cornerLocal")
    ]
    return local.apply(np.array(own)) if own else np.empty((0, 3))
