"""Rules about shapes: reference lines, borders, gaps, and what is stated more than once."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import combinations, pairwise
from typing import Final

import numpy as np

from geoshare.model.roads import LINE, PARAM_POLY3, Piece
from geoshare.model.roads.cubics import Array
from geoshare.model.roads.plan import plan_of
from geoshare.sources.opendrive.rules.facts import SIDES, Facts, Fault, LaneFacts, Record, RoadFacts
from geoshare.sources.opendrive.rules.links import lane_name, lane_xy

MATCH: Final = "asam.net:xodr:1.7.0:road.geometry.parampoly3.length_match"
ARC_RANGE: Final = "asam.net:xodr:1.7.0:road.geometry.parampoly3.arclength_range"
UNIT_RANGE: Final = "asam.net:xodr:1.7.0:road.geometry.parampoly3.normalized_range"
PARAMETERS: Final = "asam.net:xodr:1.7.0:road.geometry.paramPoly3.valid_parameters"
ORDER: Final = "asam.net:xodr:1.4.0:road.geometry.elem_asc_order"
CONTACT: Final = "asam.net:xodr:1.7.0:road.geometry.contact_point"
OVERLAP: Final = "asam.net:xodr:1.4.0:road.lane.border.overlap_with_inner_lanes"
OFFSET: Final = "asam.net:xodr:1.4.0:road.lanes.lane_offset.no_offset_if_border_defined"
ACCESS: Final = "asam.net:xodr:1.7.0:road.lane.access.no_mix_of_deny_or_allow"
REDUNDANT: Final = "asam.net:xodr:1.7.0:performance.avoid_redundant_info"
_LENGTH_M: Final = 1e-3
_SAME: Final = 1e-6
_CONTACT_M: Final = 1e-3


def _piece_name(road: RoadFacts, piece: Piece) -> str:
    return f"road/{road.id}/geometry/{piece.s:g}"


def parametric_cubics(facts: Facts) -> Iterator[Fault]:
    """A parametric cubic is as long as its record says, and begins where and as it says."""
    for road in facts.roads.values():
        for piece in road.pieces:
            if piece.kind != PARAM_POLY3:
                continue
            name, xy = _piece_name(road, piece), (piece.x, piece.y)
            length = plan_of([piece]).curve_length(0)
            if abs(length - piece.length) > _LENGTH_M:
                by_arc = piece.limit != 1.0 or piece.length == 1.0
                rules = (
                    [(ARC_RANGE, "error")] if by_arc else [(MATCH, "warning"), (UNIT_RANGE, "error")]
                )
                for rule, severity in rules:
                    yield Fault(
                        rule,
                        "error" if severity == "error" else "warning",
                        name,
                        f"The curve is {length:.3f} m long, its record says {piece.length:.3f} m.",
                        f"曲線の長さは{length:.3f} mですが、lengthは{piece.length:.3f} mです。",
                        xy,
                    )
            a_u, b_u, a_v, b_v = (piece.parameters[i] for i in (0, 1, 4, 5))
            if max(abs(a_u), abs(a_v), abs(b_v)) > _SAME or b_u <= 0.0:
                yield Fault(
                    PARAMETERS,
                    "error",
                    name,
                    "The curve does not begin at the geometry's place and heading "
                    "(aU = aV = bV = 0, bU > 0).",
                    "曲線がgeometryの位置・方位から始まっていません(aU=aV=bV=0、bU>0が必要)。",
                    xy,
                )


def ascending(facts: Facts) -> Iterator[Fault]:
    """Pieces of a reference line stand in the order of their stations."""
    for road in facts.roads.values():
        for before, after in pairwise(road.pieces):
            if after.s < before.s:
                yield Fault(
                    ORDER,
                    "error",
                    _piece_name(road, after),
                    f"The piece at s={after.s:g} stands behind the one at s={before.s:g}.",
                    f"s={after.s:g}のgeometryが、s={before.s:g}のgeometryの後に書かれています。",
                    (after.x, after.y),
                )


def contact_points(facts: Facts) -> Iterator[Fault]:
    """Reference lines of roads that are linked without a junction meet."""
    for road in facts.roads.values():
        if road.in_junction:
            continue
        for side in SIDES:
            link = road.links.get(side)
            other = facts.road(link)
            if other is None or other.in_junction or link is None or link.contact is None:
                continue
            own = road.xy(road.station("start" if side == "predecessor" else "end"))
            theirs = other.xy(other.station(link.contact))
            if own is None or theirs is None:
                continue
            gap = math.hypot(own[0] - theirs[0], own[1] - theirs[1])
            if gap > _CONTACT_M:
                yield Fault(
                    CONTACT,
                    "error",
                    f"road/{road.id}",
                    f"The reference line ends {gap:.3f} m from that of its {side}, road {other.id}.",
                    f"基準線が、接続先({side})の道路{other.id}の基準線から{gap:.3f} m離れています。",
                    own,
                )


def borders(facts: Facts) -> Iterator[Fault]:
    """A border stays outside of those further in; where borders are stated no lane offset is."""
    for road in facts.roads.values():
        if road.offsets and any(
            lane.borders for section in road.sections for lane in section.lanes.values()
        ):
            yield Fault(
                OFFSET,
                "warning",
                f"road/{road.id}",
                "The road states lane offsets and lane borders; with borders no offset counts.",
                "laneOffsetとborderの両方があります。borderを使うときはlaneOffsetを書けません。",
                road.xy(road.offsets[0][0]),
            )
        for section in road.sections:
            for sign in (1, -1):
                for inner, outer in combinations(section.side(sign), 2):
                    if _crosses(outer, inner, section.length, sign):
                        yield Fault(
                            OVERLAP,
                            "error",
                            lane_name(road, section, outer),
                            f"The lane's border crosses that of lane {inner.id} or lies inside of it.",
                            f"この車線の境界が、内側の車線{inner.id}の境界と交差するか、その内側にあります。",
                            lane_xy(road, section, outer.id, section.s + section.length / 2.0),
                        )


def _crosses(outer: LaneFacts, inner: LaneFacts, length: float, sign: int) -> bool:
    """Whether the outer border comes further in than the inner one anywhere in the section."""
    if not outer.borders or not inner.borders:
        return False
    starts = sorted({0.0, *(r[0] for r in outer.borders), *(r[0] for r in inner.borders)})
    for start, end in pairwise([*(s for s in starts if s < length), length]):
        middle = 0.5 * (start + end)
        records = [
            next((r for r in reversed(lane.borders) if r[0] <= middle), None) for lane in (outer, inner)
        ]
        if records[0] is None or records[1] is None:
            continue
        away = np.polynomial.Polynomial(
            sign * (_shifted(records[0], start) - _shifted(records[1], start))
        )
        inside = [
            float(root.real)
            for root in away.deriv().roots().tolist()
            if abs(root.imag) < _SAME and 0.0 < root.real < end - start
        ]
        if float(away(np.array([0.0, end - start, *inside])).min()) < -_SAME:
            return True
    return False


def _shifted(record: Record, start: float) -> Array:
    """Coefficients (4,) of a cubic record, its variable counted from another start."""
    origin, a, b, c, d = record
    by = start - origin
    return np.array(
        [a + by * (b + by * (c + by * d)), b + by * (2 * c + 3 * by * d), c + 3 * by * d, d]
    )


def access(facts: Facts) -> Iterator[Fault]:
    """At one place a lane either allows or denies."""
    for road in facts.roads.values():
        for section in road.sections:
            for lane in section.lanes.values():
                for index, (at, rule) in enumerate(lane.access):
                    clashes = [
                        other
                        for before, other in lane.access[:index]
                        if abs(before - at) <= _SAME and other != rule
                    ]
                    if clashes:
                        yield Fault(
                            ACCESS,
                            "error",
                            lane_name(road, section, lane),
                            f"At sOffset {at:g} the lane both allows and denies.",
                            f"sOffset {at:g}でallowとdenyが混在しています。",
                            lane_xy(road, section, lane.id, section.s + at),
                        )


def redundant(facts: Facts) -> Iterator[Fault]:
    """Records that say what the one before them says are left out."""
    for road in facts.roads.values():
        for what, records in (
            ("elevation", road.elevation),
            ("superelevation", road.superelevation),
            ("laneOffset", road.offsets),
        ):
            for record in _repeated(records):
                yield _redundant(road, f"road/{road.id}", what, record[0], 0.0)
        for before, after in pairwise(road.pieces):
            lines = before.kind == LINE and after.kind == LINE
            if lines and abs(before.heading - after.heading) < _SAME:
                yield _redundant(road, _piece_name(road, after), "line", after.s, 0.0)
        for section in road.sections:
            for lane in section.lanes.values():
                for what, records in (("width", lane.widths), ("border", lane.borders)):
                    for record in _repeated(records):
                        name = lane_name(road, section, lane)
                        yield _redundant(road, name, what, section.s + record[0], 0.0)


def _repeated(records: list[Record]) -> Iterator[Record]:
    for before, after in pairwise(records):
        if (np.abs(_shifted(before, 0.0) - _shifted(after, 0.0)) < _SAME).all():
            yield after


def _redundant(road: RoadFacts, name: str, what: str, s: float, t: float) -> Fault:
    return Fault(
        REDUNDANT,
        "warning",
        name,
        f"The {what} at s={s:g} says what the one before it says.",
        f"s={s:g}の{what}は、直前のものと同じ内容です。",
        road.xy(s, t),
    )
