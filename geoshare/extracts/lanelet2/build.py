"""A whole Lanelet2 map of rows: lines, lanes, rules, and what these refer to."""

from __future__ import annotations

from typing import Final

import numpy as np
import shapely

from geoshare.extracts.lanelet2.line import Line
from geoshare.extracts.lanelet2.lines import Lines
from geoshare.extracts.lanelet2.model import Member, OutMap
from geoshare.extracts.lanelet2.plane import Plane
from geoshare.extracts.lanelet2.rows import members
from geoshare.extracts.lanelet2.tags import is_kept, is_rule, lane_tags, line_tags, rule_tags
from geoshare.extracts.lanelet2.things import Things, put_line
from geoshare.extracts.road_rows import MapRows, Row

# What a rule cannot do without, as Lanelet2's own classes ask for it.
_NEEDED: Final = {
    "traffic_light": ("refers",),
    "traffic_sign": ("refers",),
    "right_of_way": ("right_of_way",),
    "detection_area": ("refers",),
    "no_stopping_area": ("refers",),
    "no_parking_area": ("refers",),
    "bus_stop_area": ("refers",),
    "crosswalk": ("refers",),
    "road_marking": ("refers",),
    "speed_bump": ("refers",),
}


# Rules that Lanelet2 itself has a class for; it refuses maps with others.
_UPSTREAM: Final = ("traffic_light", "traffic_sign", "speed_limit", "right_of_way", "all_way_stop")


def build(rows: MapRows, plane: Plane, *, autoware: bool) -> OutMap:
    """All elements of the rows; references that lead to nothing are left out and counted."""
    out = OutMap()
    lines = Lines(rows, plane, out.losses)
    _put_lines(out, rows, lines)
    Things(out, rows, plane, lines).write()
    rules = _rules(rows, out, autoware=autoware)
    _put_lanes(out, rows, lines, rules)
    _put_rules(out, rows, rules)
    _finish_areas(out, rows, rules)
    out.kept = sum(is_kept(row) for found in rows.of.values() for row in found.values())
    unknown = sum(not np.isfinite(node.place[2]) for node in out.nodes.values())
    out.losses.dropped["heights that nobody knows"] += unknown
    return out


def _put_lines(out: OutMap, rows: MapRows, lines: Lines) -> None:
    """Lines that bound lanes; those with nodes of their own first, that others find them."""
    ordered = sorted(lines.of.values(), key=lambda line: (not any(line.nodes), line.name))
    for line in ordered:
        row = rows["lane_boundaries"].get(line.feature or line.like or "")
        if row is None:
            put_line(out, line, {"type": "virtual"})
        else:
            wished = row.object("lanelet2").get("id") if line.feature else None
            put_line(out, line, line_tags(row), wished)


def _rules(rows: MapRows, out: OutMap, *, autoware: bool) -> dict[str, Row]:
    """Rules that keep what they need: something to refer to."""
    there = set(out.of_feature)
    there |= {key for key, row in rows["lanes"].items() if row.geometry is not None}
    there |= set(rows["regulatory_elements"])
    found = {}
    for key, row in rows["regulatory_elements"].items():
        if not autoware and is_rule(row) and row.text("subtype") not in _UPSTREAM:
            out.losses.dropped["rules that only Autoware's dialect has"] += 1
            continue
        held = {role for role, ids in members(row).items() if there & {*ids}}
        if set(_NEEDED.get(row.text("subtype") or "", ())) <= held:
            found[key] = row
        else:
            out.losses.dropped["rules without what they refer to"] += 1
    return found


def _put_lanes(out: OutMap, rows: MapRows, lines: Lines, rules: dict[str, Row]) -> None:
    limits = {key: row.number("speed_limit_kmh") for key, row in rules.items()}
    for key, bounds in lines.bounds.items():
        row = rows["lanes"][key]
        own = row.list("regulatory_element_ids")
        said = {limit for rule in own if (limit := limits.get(rule)) is not None}
        ways = [_way_of(out, lines.of[name]) for name in (bounds.left, bounds.right)]
        joined = [Member("way", ways[0], "left"), Member("way", ways[1], "right")]
        tags = lane_tags(row, said)
        out.relation(key, joined, tags, row.object("lanelet2").get("id"))


def _way_of(out: OutMap, line: Line) -> int:
    return out.of_feature[line.feature or line.name][0][1]


def _put_rules(out: OutMap, rows: MapRows, rules: dict[str, Row]) -> None:
    """Rules with their members, and lanes with their rules."""
    for key, row in rules.items():
        out.relation(key, [], rule_tags(row), row.object("lanelet2").get("id"))
    for key, row in rules.items():
        relation = out.relations[out.of_feature[key][0][1]]
        relation.members += _members(out, row)
    for key, row in rows["lanes"].items():
        if key not in out.of_feature:
            continue
        relation = out.relations[out.of_feature[key][0][1]]
        for rule in row.list("regulatory_element_ids"):
            if rule in rules:
                relation.members.append(
                    Member("relation", out.of_feature[rule][0][1], "regulatory_element")
                )
            else:
                out.losses.dropped["references of lanes to rules"] += 1
        relation.members += _members(out, row)


def _finish_areas(out: OutMap, rows: MapRows, rules: dict[str, Row]) -> None:
    """Areas with their rules."""
    for key, row in rows["areas"].items():
        own = [rule for rule in row.roles("roles").get("regulatory_element", []) if rule in rules]
        said = [Member("relation", out.of_feature[rule][0][1], "regulatory_element") for rule in own]
        for kind, number in out.of_feature.get(key, ()):
            if kind == "relation":
                out.relations[number].members += said


def _members(out: OutMap, row: Row) -> list[Member]:
    found = []
    for role, ids in members(row).items():
        for key in ids:
            there = out.of_feature.get(key)
            if there is None:
                out.losses.dropped[f"references to {role}"] += 1
            else:
                found += [Member(kind, number, role) for kind, number in there]
    return found


def bounds_of(rows: MapRows) -> np.ndarray:
    """Box (west, south, east, north) of lanes and boundaries."""
    shapes = [
        row.geometry
        for name in ("lanes", "lane_boundaries")
        for row in rows[name].values()
        if row.geometry is not None
    ]
    found: np.ndarray = shapely.total_bounds(shapes)
    return found
