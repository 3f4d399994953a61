"""Elements of a Lanelet2 map as records of the foundation's collections."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray

from geoshare.model import lanelet2 as words
from geoshare.model.report import Report
from geoshare.model.roads.lanelets import Border, Neighbours, align, centre_line, neighbours
from geoshare.sources import messages
from geoshare.sources.lanelet2.elements import Element, Elements
from geoshare.sources.lanelet2.kept import (
    OF_RELATIONS,
    Naming,
    collection_of_way,
    kept_node,
    kept_relation,
    kept_way,
)
from geoshare.sources.lanelet2.parts import area_tags, extra, facing_deg, linestring, sign_speed_kmh
from geoshare.sources.lanelet2.rings import polygon
from geoshare.sources.records import Record

_GEOD = pyproj.Geod(ellps="WGS84")
_RULE = ("regulatory_element", "")


class MapBuilder:
    """Turns the elements of one map into records; what refers to missing elements is refused."""

    def __init__(self, elements: Elements, lon_lat_z: NDArray[np.float64], report: Report) -> None:
        self._elements, self._places, self._report = elements, lon_lat_z, report
        self._lines: dict[str, NDArray[np.float64] | None] = {}
        self._lane_of_rule: dict[str, list[str]] = {}
        self._centre: dict[str, shapely.LineString] = {}
        self._bounding: set[str] = set()
        self._naming = Naming(elements, self._bounding)

    def records(self) -> Iterator[Record]:
        """All records of the map, collection by collection."""
        relations = self._elements.relations.values()
        kinds = {relation.id: relation.tags.get("type", "") for relation in relations}
        lanelets = [item for item in relations if kinds[item.id] == "lanelet"]
        borders = self._borders(lanelets)
        self._bounding |= {border.way for pair in borders.values() for border in pair}
        yield from self._lanes(borders)
        for way in self._elements.ways.values():
            record = self._way(way)
            if record is not None:
                yield record
        for relation in relations:
            if kinds[relation.id] == "multipolygon":
                yield from self._area(relation)
            elif kinds[relation.id] != "lanelet":
                yield self._rule(relation)  # or what else joins elements
        yield from self._points()
        self._count_others(kinds)

    def _count_others(self, kinds: dict[str, str]) -> None:
        known = {*OF_RELATIONS, *_RULE}
        others = sorted({kind or "?" for kind in kinds.values()} - known)
        if others:
            count = sum(kind not in known for kind in kinds.values())
            self._report.note(messages.relations_kept(count, ", ".join(others)[:200]))

    def _line(self, way: Element) -> NDArray[np.float64] | None:
        """Vertices of a way without repeated ones, or None where nodes are missing or placeless."""
        if way.id not in self._lines:
            index = [self._elements.node_index.get(node) for node in way.nodes]
            found: NDArray[np.float64] | None = None
            if index and None not in index:
                found = self._places[np.array(index, dtype=np.int64)]
                if not np.isfinite(found[:, :2]).all():
                    found = None
            self._lines[way.id] = found
        return self._lines[way.id]

    # lanes

    def _borders(self, lanelets: list[Element]) -> dict[str, tuple[Border, Border]]:
        out = {}
        for lanelet in lanelets:
            left, right = self._border(lanelet, "left"), self._border(lanelet, "right")
            if left is None or right is None:
                self._report.rows_read += 1
                self._report.refuse(
                    lanelet.id, messages.member_missing("lanelet", "レーンレット"), dict(lanelet.tags)
                )
            else:
                out[lanelet.id] = align(left, right)
        return out

    def _border(self, lanelet: Element, role: str) -> Border | None:
        ways = [self._elements.ways.get(member.ref) for member in lanelet.first(role)]
        if len(ways) != 1 or ways[0] is None:
            return None
        line = self._line(ways[0])
        if line is None or len(line) < 2 or (line[:, :2] == line[0, :2]).all():
            return None
        return Border(ways[0].id, False, ways[0].nodes, line)

    def _lanes(self, borders: dict[str, tuple[Border, Border]]) -> Iterator[Record]:
        beside = neighbours(borders)
        for key, (left, right) in borders.items():
            lanelet = self._elements.relations[key]
            line, width_m = centre_line(left, right)
            geometry = linestring(line)
            self._centre[key] = geometry
            for member in lanelet.first("regulatory_element"):
                self._lane_of_rule.setdefault(member.ref, []).append(key)
            properties = self._lane_tags(lanelet, left, right, beside[key])
            properties["lanelet2"] = kept_relation(lanelet)
            properties["roles"] = self._naming.roles_of_lane(lanelet)
            properties["width_m"] = round(width_m, 3)
            properties["length_m"] = round(float(_GEOD.line_length(line[:, 0], line[:, 1])), 3)
            yield Record("lanes", key, geometry, properties)

    def _lane_tags(
        self, lanelet: Element, left: Border, right: Border, beside: Neighbours
    ) -> dict[str, Any]:
        tags = dict(lanelet.tags)
        rules = [member.ref for member in lanelet.first("regulatory_element")]
        subtype = tags.pop("subtype", None)
        turn = tags.get("turn_direction")
        out: dict[str, Any] = {
            "subtype": subtype,
            "type": words.lane_type(lanelet.tags),
            "turn_direction": turn if turn in ("left", "right", "straight") else None,
            "speed_limit_kmh": words.speed_kmh(tags.get("speed_limit")) or self._limit_of(rules),
            "one_way": words.truth(tags.get("one_way")),
            "location": tags.pop("location", None),
            "participants": words.participants(tags),
            "left_boundary_id": left.way,
            "right_boundary_id": right.way,
            "predecessor_ids": beside.predecessors or None,
            "successor_ids": beside.successors or None,
            "left_lane_id": beside.left,
            "right_lane_id": beside.right,
            "regulatory_element_ids": rules or None,
        }
        if out["turn_direction"]:
            del tags["turn_direction"]
        if words.speed_kmh(tags.get("speed_limit")) is not None:
            del tags["speed_limit"]
        if out["one_way"] is not None:
            del tags["one_way"]
        if left.reversed or right.reversed:
            tags["reversed"] = " ".join(
                name for name, border in (("left", left), ("right", right)) if border.reversed
            )
        tags.pop(words.LANE_TYPE, None)
        return out | extra(tags, "type", *(key for key in tags if key.startswith("participant:")))

    def _limit_of(self, rules: list[str]) -> float | None:
        for rule in rules:
            element = self._elements.relations.get(rule)
            if element is not None and element.tags.get("subtype") == "speed_limit":
                limit = words.speed_kmh(element.tags.get("speed_limit")) or sign_speed_kmh(element)
                if limit is not None:
                    return limit
        return None

    # ways

    def _way(self, way: Element) -> Record | None:
        """A way as the record it is; every way becomes exactly one."""
        record = self._record_of_way(way)
        if record is not None:
            record.properties["lanelet2"] = kept_way(way, self._elements)
        return record

    def _record_of_way(self, way: Element) -> Record | None:
        tags = dict(way.tags)
        kind = tags.get("type", "")
        line = self._line(way)
        usable = line is not None and len(line) >= 2 and not (line[:, :2] == line[0, :2]).all()
        if line is None or not usable:
            self._report.rows_read += 1
            self._report.refuse(way.id, messages.member_missing("way", "線"), tags)
            return None
        nodes = {
            node: self._elements.node_tags[node]
            for node in way.nodes
            if node in self._elements.node_tags
        }
        if kind in words.ROADSIDE and nodes:
            tags["node_tags"] = nodes  # type: ignore[assignment]
        collection = collection_of_way(way, self._bounding)
        if collection == "areas":
            return self._closed_way(way, line, tags)
        if collection == "roadside_features":
            return self._roadside(way.id, linestring(line), tags)
        if collection == "structures":
            return self._structure(way.id, linestring(line), tags)
        properties = {
            "type": tags.get("type") or None,
            "subtype": tags.get("subtype") or None,
            "color": tags.get("color") or None,
            "width_m": words.number(tags.get("width")),
            "height_m": words.number(tags.get("height")),
            "lane_change": words.lane_change(tags),
        }
        used = ("type", "subtype", "color", "lane_change", "lane_change:left", "lane_change:right")
        measured = [name for name in ("width", "height") if properties[f"{name}_m"] is not None]
        return Record(
            "lane_boundaries", way.id, linestring(line), properties | extra(tags, *used, *measured)
        )

    def _closed_way(
        self, way: Element, line: NDArray[np.float64], tags: dict[str, str]
    ) -> Record | None:
        shape = polygon([line], [])
        if shape is None:
            self._report.rows_read += 1
            self._report.refuse(way.id, messages.geometry_unusable(), tags)
            return None
        return Record("areas", way.id, shape, area_tags(tags))

    def _roadside(self, key: str, geometry: shapely.Geometry, tags: dict[str, str]) -> Record:
        name = words.ROADSIDE.get(tags.get("type", "")) or tags.get("type") or words.BARE
        height_m = words.number(tags.get("height"))
        properties = {
            "class": name,
            "subtype": tags.pop(words.SIGN_CODE, "") or tags.get("subtype") or None,
            "height_m": height_m,
            "orientation_deg": facing_deg(geometry) if name in words.FACING else None,
        }
        used = ["type", "subtype"] + (["height"] if height_m is not None else [])
        return Record("roadside_features", key, geometry, properties | extra(tags, *used))

    def _structure(self, key: str, geometry: shapely.Geometry, tags: dict[str, str]) -> Record:
        clearance = words.number(tags.get("clearance_height") or tags.get("maxheight"))
        properties = {
            "kind": words.STRUCTURES[tags["type"]],
            "name": tags.get("name"),
            "clearance_height_m": clearance,
            "width_m": words.number(tags.get("width")),
            "load_limit_t": words.number(tags.get("load_limit") or tags.get("maxweight")),
        }
        return Record("structures", key, geometry, properties | extra(tags, "type", "name"))

    def _points(self) -> Iterator[Record]:
        """Nodes that are things of their own: poles, lamps, trees, and points of no line."""
        inside = {node for way in self._elements.ways.values() for node in way.nodes}
        inside -= self._naming.nodes_of_relations()
        for node, row in self._elements.node_index.items():
            place = self._places[row]
            if node in inside or not np.isfinite(place[:2]).all():
                continue
            tags = self._elements.node_tags.get(node, {})
            point = shapely.Point(place if np.isfinite(place[2]) else place[:2])
            record = self._roadside(f"node/{node}", point, dict(tags))
            record.properties["lanelet2"] = kept_node(node, tags)
            yield record

    # relations

    def _area(self, relation: Element) -> Iterator[Record]:
        rings = []
        for role in ("outer", "inner"):
            ways = [self._elements.ways.get(member.ref) for member in relation.first(role)]
            rings.append([None if way is None else self._line(way) for way in ways])
        outer = [line for line in rings[0] if line is not None]
        inner = [line for line in rings[1] if line is not None]
        if len(outer) < len(rings[0]) or len(inner) < len(rings[1]):
            shape, reason = None, messages.member_missing("area", "領域")
        else:
            shape, reason = polygon(outer, inner), messages.geometry_unusable()
        if shape is None:
            self._report.rows_read += 1
            self._report.refuse(relation.id, reason, dict(relation.tags))
            return
        properties = area_tags(dict(relation.tags))
        properties["roles"] = self._naming.roles(relation.members)
        properties["lanelet2"] = kept_relation(relation)
        yield Record("areas", relation.id, shape, properties)

    def _rule(self, relation: Element) -> Record:
        tags = dict(relation.tags)
        roles = self._naming.roles(relation.members) or {}
        lanes = list(
            dict.fromkeys(self._lane_of_rule.get(relation.id, []) + self._member_lanes(relation))
        )
        limit = words.speed_kmh(tags.get("speed_limit")) or sign_speed_kmh(relation)
        kind = tags.get("type", "")
        properties = {
            "subtype": tags.get("subtype") or (None if kind in _RULE else kind),
            "lane_ids": lanes or None,
            "refers_ids": roles.get("refers"),
            "ref_line_ids": roles.get("ref_line"),
            "roles": roles or None,
            "speed_limit_kmh": limit,
            "fallback": words.truth(tags.get("fallback")),
            "dynamic": words.truth(tags.get("dynamic")),
            "lanelet2": kept_relation(relation),
        }
        used = [name for name in ("fallback", "dynamic") if properties[name] is not None]
        shape = self._rule_shape(relation, lanes)
        return Record(
            "regulatory_elements",
            relation.id,
            shape,
            properties | extra(tags, "type", "subtype", *used),
        )

    def _member_lanes(self, relation: Element) -> list[str]:
        return [
            member.ref
            for member in relation.members
            if member.type == "relation" and member.ref in self._centre
        ]

    def _rule_shape(self, relation: Element, lanes: list[str]) -> shapely.Geometry | None:
        """Lines of the ways it refers to; else the centre lines of its lanes."""
        lines = []
        for member in relation.members:
            way = self._elements.ways.get(member.ref) if member.type == "way" else None
            line = self._line(way) if way is not None else None
            if line is not None and len(line) >= 2:
                lines.append(linestring(line))
        lines = lines or [self._centre[lane] for lane in lanes if lane in self._centre]
        if not lines:
            return None
        return lines[0] if len(lines) == 1 else shapely.multilinestrings(lines)
