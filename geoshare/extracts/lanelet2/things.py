"""What stands beside lanes, and areas: as nodes, ways and relations."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray

from geoshare.extracts.lanelet2.line import Line, line_of, texts
from geoshare.extracts.lanelet2.lines import Lines
from geoshare.extracts.lanelet2.model import Member, OutMap
from geoshare.extracts.lanelet2.plane import Plane
from geoshare.extracts.lanelet2.rows import limits_by_sign, referred
from geoshare.extracts.lanelet2.tags import area_tags, is_kept, line_tags, structure_tags, thing_tags
from geoshare.extracts.road_rows import MapRows, Row

Array = NDArray[np.float64]
_GEOD: Final = pyproj.Geod(ellps="WGS84")
_SAME_BORDER_M: Final = 1.0  # from each other, where two makers speak of one
_CLOSELY_DEG: Final = 5e-5
_HALF_SIGN_M: Final = 0.3  # half the width of a sign or signal of which only the place is known
_LINES: Final = frozenset(["traffic_light", "traffic_sign", "stop_line"])  # never single points
# Areas that Autoware has as closed ways; others are relations of the lines around them.
_CLOSED_WAYS: Final = frozenset(
    [
        "detection_area",
        "no_stopping_area",
        "no_parking_area",
        "bus_stop_area",
        "hatched_road_markings",
        "parking_lot",
        "intersection_area",
        "crosswalk_polygon",
        "obstacle_removal_area",
    ]
)


def put_line(out: OutMap, line: Line, tags: dict[str, str], wished: object = None) -> int:
    """A way with its nodes; vertices that lie on each other become one node, named once."""
    nodes = _nodes(out, line)
    return out.way(line.feature or line.name, nodes, tags, wished)


def _nodes(out: OutMap, line: Line) -> list[int]:
    found: list[int] = []
    for place, wished in zip(line.places, line.nodes, strict=True):
        node = out.node(place, wished, line.tags.get(wished or ""))
        if wished is not None or not found or found[-1] != node:
            found.append(node)
    return found


class Things:
    """Writes all that is no lane and no rule."""

    def __init__(self, out: OutMap, rows: MapRows, plane: Plane, lines: Lines) -> None:
        self._out, self._rows, self._plane = out, rows, plane
        bounding = [shapely.LineString(plane.metres(line.places)[:, :2]) for line in lines.of.values()]
        self._bounding = shapely.STRtree(np.asarray(bounding, object))
        names = ("lanes", "regulatory_elements", "areas")
        self._referred = set().union(*(referred(rows[name].values()) for name in names))

    def write(self) -> None:
        """Boundaries of no lane, roadside features, structures, then areas, which are made of them."""
        done = self._out.of_feature
        for row in self._rows["lane_boundaries"].values():
            if row.id in done:
                continue
            if self._bounds_nothing(row):
                self._out.losses.dropped["virtual lines that bound no lane"] += 1
            elif self._stands_for(row):
                self._out.losses.dropped["lines of which another maker's bound the lanes"] += 1
            else:
                self._lines(row, line_tags(row))
        limits = limits_by_sign(self._rows)
        for row in self._rows["roadside_features"].values():
            self._thing(row, thing_tags(row, limits.get(row.id)))
        for row in self._rows["structures"].values():
            self._thing(row, structure_tags(row))
        for row in self._rows["areas"].values():
            self._area(row)

    def _bounds_nothing(self, row: Row) -> bool:
        """Whether a line is nothing that one could see, and no lane's either.

        So are those whose lanes have become one with the lanes of another maker, who draws others.
        """
        return row.text("type") == "virtual" and not is_kept(row) and row.id not in self._referred

    def _stands_for(self, row: Row) -> bool:
        """Whether a line that bounds no lane lies all along one that does.

        Where lanes of two makers have become one, its boundaries are one maker's. The other may say of
        the same border that it is a painted line and no kerb; in one map they would be two.
        """
        if is_kept(row) or row.id in self._referred or row.geometry is None:
            return False
        places = shapely.get_coordinates(row.geometry.segmentize(_CLOSELY_DEG), include_z=True)
        xy = self._plane.metres(places)[:, :2]
        points = shapely.points(xy)
        if len(xy) < 2:
            return False
        near = self._bounding.query(shapely.LineString(xy), "dwithin", _SAME_BORDER_M)
        lines = self._bounding.geometries[near]
        return any(bool(shapely.dwithin(points, line, _SAME_BORDER_M).all()) for line in lines)

    def _thing(self, row: Row, tags: dict[str, str]) -> None:
        if row.geometry is None:
            self._out.losses.dropped["features without a place"] += 1
        elif shapely.get_dimensions(row.geometry) == 2:
            self._closed(row, tags | {"area": tags.get("area", "yes")})
        elif shapely.get_dimensions(row.geometry) == 1:
            self._lines(row, tags)
        else:
            for part in shapely.get_parts(row.geometry):
                self._point(row, shapely.get_coordinates(part, include_z=True), tags)

    def _point(self, row: Row, place: Array, tags: dict[str, str]) -> None:
        kept = row.object("lanelet2")
        if "node" not in kept and tags.get("type") in _LINES:
            self._out.losses.approximated["signs and signals as short lines"] += 1
            ends = self._across(place[0], row.number("orientation_deg") or 0.0)
            put_line(self._out, Line(row.id, row.id, ends, [None, None]), tags)
            return
        node = self._out.node(place[0], kept.get("node"), tags)
        self._out.of_feature.setdefault(row.id, []).append(("node", node))

    def _across(self, place: Array, facing_deg: float) -> Array:
        """The lower edge of a sign: from the left of who looks at it to the right."""
        sides = (facing_deg + 90.0, facing_deg - 90.0)
        ends = [_GEOD.fwd(place[0], place[1], bearing, _HALF_SIGN_M)[:2] for bearing in sides]
        return np.array([[lon, lat, place[2]] for lon, lat in ends])

    def _lines(self, row: Row, tags: dict[str, str]) -> None:
        kept = row.object("lanelet2")
        if row.geometry is None:
            self._out.losses.dropped["features without a place"] += 1
        elif row.geometry.geom_type == "LineString":
            put_line(self._out, line_of(row), tags, kept.get("id"))
        else:
            for part in shapely.get_parts(row.geometry):
                places = shapely.get_coordinates(part, include_z=True)
                put_line(self._out, Line(row.id, row.id, places, [None] * len(places)), tags)

    def _closed(self, row: Row, tags: dict[str, str]) -> None:
        """Rings as closed ways; holes have no place there."""
        kept = row.object("lanelet2")
        for polygon in _polygons(row):
            if polygon.interiors:
                self._out.losses.dropped["holes of areas"] += len(polygon.interiors)
            ring = _ring(row, polygon)
            put_line(self._out, ring, tags, kept.get("id"))

    # areas

    def _area(self, row: Row) -> None:
        tags = area_tags(row)
        if row.geometry is None:
            self._out.losses.dropped["features without a place"] += 1
        elif "nodes" in row.object("lanelet2"):
            self._closed(row, tags)
        elif is_kept(row) and self._of_lines(row, tags):
            return
        elif row.text("subtype") in _CLOSED_WAYS:
            tags["type"] = tags.pop("subtype")
            self._closed(row, {"area": "yes"} | tags)
        else:
            self._around(row, {"type": "multipolygon"} | tags)

    def _of_lines(self, row: Row, tags: dict[str, str]) -> bool:
        """An area of the lines it came in with, where all of them are there."""
        roles = row.roles("roles")
        lines = [key for role in ("outer", "inner") for key in roles.get(role, ())]
        if not roles.get("outer") or any(key not in self._out.of_feature for key in lines):
            return False
        members = [
            Member("way", self._out.of_feature[key][0][1], role)
            for role in ("outer", "inner")
            for key in roles.get(role, ())
        ]
        self._out.relation(row.id, members, tags, row.object("lanelet2").get("id"))
        return True

    def _around(self, row: Row, tags: dict[str, str]) -> None:
        """An area of lines that are made for it."""
        tags["type"] = "multipolygon"
        self._out.losses.approximated["areas with lines of their own"] += 1
        for polygon in _polygons(row):
            members: list[Member] = []
            for role, ring in (("outer", polygon.exterior), *(("inner", r) for r in polygon.interiors)):
                places = shapely.get_coordinates(ring, include_z=True)
                name = f"{row.id} {role} {len(members)}"
                line = Line(None, name, places, [None] * len(places))
                members.append(Member("way", put_line(self._out, line, {"type": "virtual"}), role))
            self._out.relation(row.id, members, tags, row.object("lanelet2").get("id"))


def _polygons(row: Row) -> Iterator[shapely.Polygon]:
    for part in shapely.get_parts(row.geometry):
        if part.geom_type == "Polygon":
            yield part


def _ring(row: Row, polygon: shapely.Polygon) -> Line:
    """The ring of a closed way, open or closed as it came."""
    places = shapely.get_coordinates(polygon.exterior, include_z=True)
    kept = row.object("lanelet2")
    nodes, tags = kept.get("nodes"), kept.get("node_tags")
    if isinstance(nodes, list) and len(nodes) in (len(places), len(places) - 1):
        places = places[: len(nodes)]
        named = {str(node): texts(said) for node, said in tags.items()} if tags else {}
        return Line(row.id, row.id, places, [str(node) for node in nodes], named)
    return Line(row.id, row.id, places[:-1], [None] * (len(places) - 1))
