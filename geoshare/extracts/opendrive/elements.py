"""Fitted roads as XML elements."""

from __future__ import annotations

from typing import Final

from lxml import etree

from geoshare.extracts.opendrive.fitted import Fitted, lane_type
from geoshare.extracts.opendrive.model import Losses, OutLane, OutRoad
from geoshare.extracts.opendrive.xml import add
from geoshare.extracts.road_rows import Row
from geoshare.model.roads import LINE, Cubics, Piece

_MARKS: Final = {
    "solid": "solid",
    "dashed": "broken",
    "solid_solid": "solid solid",
    "solid_dashed": "solid broken",
    "dashed_solid": "broken solid",
    "dashed_dashed": "broken broken",
    "botts_dots": "botts dots",
}
_TURNED: Final = {"solid broken": "broken solid", "broken solid": "solid broken"}
_LINES: Final = {
    "curbstone": "curb",
    "road_border": "edge",
    "guard_rail": "edge",
    "jersey_barrier": "edge",
    "fence": "edge",
    "wall": "edge",
}
_COLOURS: Final = frozenset(["blue", "green", "orange", "red", "white", "yellow", "violet", "black"])
_CHANGES: Final = {"yes": "both", "no": "none", "left": "increase", "right": "decrease"}


def road_element(fitted: Fitted, number: str, losses: Losses) -> OutRoad:
    """A ``road`` element with its lanes; links, signals and objects come later."""
    road = fitted.road
    element = etree.Element(
        "road",
        {
            "name": "",
            "length": repr(road.length),
            "id": number,
            "junction": "-1",
            "rule": "LHT" if road.left_hand else "RHT",
        },
    )
    plan = add(element, "planView")
    for piece in road.plan.pieces:
        _geometry(plan, piece)
    _profile(element, "elevationProfile", "elevation", road.elevation)
    _profile(element, "lateralProfile", "superelevation", road.superelevation)
    lanes = add(element, "lanes")
    _records(lanes, "laneOffset", "s", road.offset)
    section = add(lanes, "laneSection", s=0.0)
    out = OutRoad("", number, element, [0])
    made = {lane.id: lane for lane in (*road.sections[0].left, *road.sections[0].right)}
    side = add(section, "left") if road.left_hand else None
    centre = add(add(section, "center"), "lane", id=0, type="none", level="false")
    _mark(centre, fitted.middle, 0, losses)
    side = add(section, "right") if side is None else side
    for place, (row, lane_id) in enumerate(zip(fitted.lanes, fitted.ids, strict=True)):
        kind = lane_type(row)
        losses.approximated["types of lanes that OpenDRIVE 1.7 does not know"] += kind != (
            row.text("type") or kind
        )
        lane = add(side, "lane", id=lane_id, type=kind, level="false")
        _records(lane, "width", "sOffset", made[lane_id].width)
        _mark(lane, fitted.outer(place), lane_id, losses)
        limit = row.number("speed_limit_kmh")
        if limit is not None:
            add(lane, "speed", sOffset=0.0, max=limit, unit="km/h")
        out.lanes.append(
            OutLane(
                row.id, out, 0, lane_id, 1, lane, row.list("successor_ids"), row.list("predecessor_ids")
            )
        )
    return out


def _geometry(plan: etree._Element, piece: Piece) -> None:
    item = add(
        plan, "geometry", s=piece.s, x=piece.x, y=piece.y, hdg=piece.heading, length=piece.length
    )
    if piece.kind == LINE:
        add(item, "line")
        return
    names = [f"{letter}{axis}" for axis in "UV" for letter in "abcd"]
    add(item, "paramPoly3", **dict(zip(names, piece.parameters, strict=True)), pRange="normalized")


def _profile(road: etree._Element, name: str, record: str, cubics: Cubics) -> None:
    if len(cubics):
        _records(add(road, name), record, "s", cubics)


def _records(parent: etree._Element, name: str, start: str, cubics: Cubics) -> None:
    for s, (a, b, c, d) in zip(cubics.starts.tolist(), cubics.coefficients.tolist(), strict=True):
        add(parent, name, **{start: max(s, 0.0)}, a=a, b=b, c=c, d=d)


def _mark(lane: etree._Element, row: Row | None, number: int, losses: Losses) -> None:
    """The road mark of a boundary; double lines are named from the middle outwards."""
    if row is None:
        return
    kind = row.text("type") or ""
    mark = _LINES.get(kind, "none")
    if kind in ("line_thin", "line_thick"):
        mark = _MARKS.get(row.text("subtype") or "", "solid")
    elif kind not in _LINES and kind not in ("virtual", ""):
        losses.dropped[f"marking {kind}"] += 1
    if number > 0:
        mark = _TURNED.get(mark, mark)
    colour = row.text("color") or ""
    add(
        lane,
        "roadMark",
        sOffset=0.0,
        type=mark,
        weight="bold" if kind == "line_thick" else "standard",
        color=colour if colour in _COLOURS else "standard",
        width=row.number("width_m"),
        laneChange=_CHANGES.get(row.text("lane_change") or ""),
    )
