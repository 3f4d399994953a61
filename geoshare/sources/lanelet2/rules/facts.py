"""What rules are asked of: lanelets with their borders and neighbours, lines, areas, regulations."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import shapely
from numpy.typing import NDArray

from geoshare.model.findings import Finding, Severity
from geoshare.model.lanelet2 import truth
from geoshare.model.roads.lanelets import Border, Neighbours, align, metres, neighbours
from geoshare.sources.lanelet2.elements import Element, Elements

Array = NDArray[np.float64]
VEHICLES = frozenset(["road", "highway", "play_street", "bus_lane", "private", "road_shoulder", "exit"])


@dataclass(slots=True)
class Lanelet:
    """A lanelet whose borders are there; lines in metres, as the lane runs."""

    id: str
    tags: dict[str, str]
    left: str  # way ids
    right: str
    left_xyz: Array
    right_xyz: Array
    centre: str | None
    rules: list[str]  # regulatory elements it names
    shape: shapely.Polygon = field(default_factory=shapely.Polygon)
    beside: Neighbours = field(default_factory=Neighbours)

    @property
    def subtype(self) -> str:
        """Its subtype; empty where it has none."""
        return self.tags.get("subtype", "")

    @property
    def length_m(self) -> float:
        """Mean length of its borders."""
        return 0.5 * sum(
            float(np.hypot(*np.diff(line[:, :2], axis=0).T).sum())
            for line in (self.left_xyz, self.right_xyz)
        )


class MapFacts:
    """A map as its rules see it.

    ``lon_lat_z`` (n, 3) are the places of nodes for findings; None where the map could not be placed.
    Rules measure in metres around the map's middle, or in its local coordinates where it has no others.
    """

    def __init__(self, elements: Elements, lon_lat_z: Array | None) -> None:
        self.elements = elements
        self._places = lon_lat_z
        self.xyz = _metres(elements)

    # lines and places

    def rows(self, way: Element) -> Array | None:
        """Rows of a way's nodes; None where one is missing."""
        found = [self.elements.node_index.get(node) for node in way.nodes]
        return None if None in found else np.array(found, np.int64)

    def line(self, way_id: str) -> Array | None:
        """Vertices (n, 3) of a way in metres; None where it, or one of its nodes, is missing."""
        way = self.elements.ways.get(way_id)
        rows = None if way is None else self.rows(way)
        if rows is None or not len(rows):
            return None
        found = self.xyz[rows]
        return found if np.isfinite(found[:, :2]).all() else None

    def kind(self, way_id: str) -> str:
        """The type of a way; empty where it has none or is missing."""
        way = self.elements.ways.get(way_id)
        return "" if way is None else way.tags.get("type", "")

    def place(self, kind: str, key: str) -> tuple[float, float] | None:
        """Longitude and latitude of an element: of its middle node, or of one of its members'."""
        elements = self.elements
        if kind == "node":
            row = elements.node_index.get(key)
            return None if row is None else self._lon_lat(row)
        if kind == "way":
            nodes = elements.ways[key].nodes if key in elements.ways else []
            return self.place("node", nodes[len(nodes) // 2]) if nodes else None
        relation = elements.relations.get(key)
        for member in relation.members if relation is not None else ():
            if member.type in ("node", "way"):
                found = self.place(member.type, member.ref)
                if found is not None:
                    return found
        users = self.users.get(key, [])
        return self.place("way", users[0].left) if users else None

    def _lon_lat(self, row: int) -> tuple[float, float] | None:
        if self._places is None or not np.isfinite(self._places[row, :2]).all():
            return None
        lon, lat = self._places[row, :2].tolist()
        return round(lon, 7), round(lat, 7)

    def found(self, rule: str, severity: Severity, kind: str, key: str, en: str, ja: str) -> Finding:
        """A finding about a node, way or relation."""
        name = {"node": "node", "way": "way"}.get(kind, kind)
        return Finding(rule, severity, f"{name}/{key}", en, ja, self.place(kind, key))

    # relations

    @cached_property
    def lanelets(self) -> dict[str, Lanelet]:
        """Lanelets with both borders, aligned, with their neighbours."""
        borders: dict[str, tuple[Border, Border]] = {}
        found: dict[str, Lanelet] = {}
        for item in self.relations("lanelet"):
            sides = [[member.ref for member in item.first(side)] for side in ("left", "right")]
            lines = [self.line(ways[0]) if len(ways) == 1 else None for ways in sides]
            if lines[0] is None or lines[1] is None or min(map(len, lines)) < 2:  # type: ignore[arg-type]
                continue
            ways = [self.elements.ways[names[0]] for names in sides]
            # the side test works in degrees or metres alike: only signs count
            left, right = align(
                Border(ways[0].id, False, ways[0].nodes, _degrees(lines[0], lines[0][0])),
                Border(ways[1].id, False, ways[1].nodes, _degrees(lines[1], lines[0][0])),
            )
            borders[item.id] = left, right
            left_xyz = lines[0][::-1] if left.reversed else lines[0]
            right_xyz = lines[1][::-1] if right.reversed else lines[1]
            centre = [member.ref for member in item.first("centerline")]
            found[item.id] = Lanelet(
                item.id,
                item.tags,
                ways[0].id,
                ways[1].id,
                left_xyz,
                right_xyz,
                centre[0] if centre else None,
                [member.ref for member in item.first("regulatory_element")],
                shapely.Polygon(np.vstack([left_xyz[:, :2], right_xyz[::-1, :2]])),
            )
        for key, beside in neighbours(borders).items():
            found[key].beside = beside
        self.borders = borders
        return found

    def relations(self, kind: str, subtype: str | None = None) -> Iterator[Element]:
        """Relations of a type, and of a subtype where one is asked for."""
        for item in self.elements.relations.values():
            if item.tags.get("type") == kind and subtype in (None, item.tags.get("subtype")):
                yield item

    @cached_property
    def users(self) -> dict[str, list[Lanelet]]:
        """Lanelets that name a regulatory element."""
        found: defaultdict[str, list[Lanelet]] = defaultdict(list)
        for lanelet in self.lanelets.values():
            for rule in lanelet.rules:
                found[rule].append(lanelet)
        return dict(found)

    def regulations(self, lanelet: Lanelet, subtype: str) -> list[Element]:
        """Regulatory elements of a subtype that a lanelet names."""
        items = [self.elements.relations.get(rule) for rule in lanelet.rules]
        return [item for item in items if item is not None and item.tags.get("subtype") == subtype]

    def ways(self, kind: str) -> Iterator[Element]:
        """Ways of a type."""
        return (way for way in self.elements.ways.values() if way.tags.get("type") == kind)

    def area(self, way_id: str) -> shapely.Polygon | None:
        """A closed way as a polygon in metres; None where it makes none."""
        line = self.line(way_id)
        return None if line is None or len(line) < 3 else shapely.Polygon(line[:, :2])

    @cached_property
    def _tree(self) -> tuple[list[Lanelet], shapely.STRtree]:
        listed = list(self.lanelets.values())
        return listed, shapely.STRtree([item.shape for item in listed])

    def near(self, shape: shapely.Geometry) -> list[Lanelet]:
        """Lanelets whose boxes meet a shape's."""
        listed, tree = self._tree
        return [listed[index] for index in sorted(tree.query(shape).tolist())]

    @staticmethod
    def driven(lanelet: Lanelet) -> bool:
        """Whether vehicles use it: by its participants, else by its subtype."""
        said = {key: value for key, value in lanelet.tags.items() if key.startswith("participant:")}
        if said:
            return any(
                truth(value) and key.removeprefix("participant:").startswith("vehicle")
                for key, value in said.items()
            )
        return lanelet.subtype in VEHICLES

    def conflicts(self, lanelet: Lanelet, among: Iterable[Lanelet] | None = None) -> list[Lanelet]:
        """Lanelets that overlap one and neither lie beside it nor follow it or are followed by it."""
        related = {lanelet.id, *lanelet.beside.predecessors, *lanelet.beside.successors}
        related |= {name for name in (lanelet.beside.left, lanelet.beside.right) if name}
        found = []
        for other in self.near(lanelet.shape) if among is None else among:
            if other.id in related or not _overlap(lanelet, other):
                continue
            found.append(other)
        return found


def _overlap(first: Lanelet, second: Lanelet, height_m: float = 2.0) -> bool:
    """Whether the insides of two lanelets meet, at heights between which no vehicle fits."""
    if not first.shape.is_valid or not second.shape.is_valid:
        return False
    if not shapely.relate_pattern(first.shape, second.shape, "T********"):
        return False
    heights = [np.vstack([item.left_xyz, item.right_xyz])[:, 2] for item in (first, second)]
    return not (
        heights[0].min() > heights[1].max() + height_m or heights[1].min() > heights[0].max() + height_m
    )


def _metres(elements: Elements) -> Array:
    """Positions (n, 3) of nodes in metres: around the map's middle, else its local coordinates."""
    height = np.where(np.isfinite(elements.ele_m), elements.ele_m, 0.0)
    lon_lat = elements.lat_lon[:, ::-1]
    placed = np.isfinite(lon_lat).all(axis=1) & (lon_lat != 0.0).any(axis=1)
    if not placed.any():
        return np.column_stack([elements.local_xy, height])
    found = metres(lon_lat, np.median(lon_lat[placed], axis=0))
    found[~placed] = np.nan
    return np.column_stack([found, height])


def _degrees(xyz: Array, origin: Array) -> Array:
    """Metres from an origin as small angles at the equator, where both axes are alike."""
    return np.column_stack([(xyz[:, :2] - origin[:2]) * 1e-6, xyz[:, 2]])
