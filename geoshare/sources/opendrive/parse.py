"""One ``road`` element as a parametric road; what it lacks or contradicts is repaired or refused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from lxml import etree

from geoshare.model.report import Report
from geoshare.model.roads import (
    ARC,
    LINE,
    PARAM_POLY3,
    POLY3,
    SPIRAL,
    Cubics,
    Lane,
    Piece,
    Road,
    Section,
)
from geoshare.model.roads.plan import plan_of
from geoshare.sources import messages
from geoshare.sources.opendrive.words import truth
from geoshare.sources.opendrive.xml import BrokenError, number, word

_SAME_M = 1e-6
_LENGTH_M = 0.01  # by how much lengths may differ without a word
MAX_LENGTH_M = 1_000_000.0


@dataclass
class Parsed:
    """A road, its element, and the elements of its lanes by section and id."""

    road: Road
    element: etree._Element
    lanes: dict[tuple[int, int], etree._Element] = field(default_factory=dict)


def is_left_hand(element: etree._Element) -> bool:
    """Whether traffic keeps to the left; legal from 1.7 on, written by some into older files."""
    return word(element, "rule").upper() == "LHT"


def parse_road(element: etree._Element, report: Report) -> Parsed:
    """The road of an element.

    Raises
    ------
    BrokenError
        Where it has no usable reference line or no lanes; the text names what is broken.
    """
    plan = plan_of(list(_pieces(element, report)))
    if not plan.pieces:
        raise BrokenError("planView")
    length = plan.end
    stated = number(element, "length", length)
    if abs(stated - length) > max(_LENGTH_M, 1e-6 * length):
        report.repaired(messages.road_length(), f"{word(element, 'id')}: {stated:g} m, {length:g} m")
    parsed = Parsed(Road(word(element, "id"), length, plan), element)
    sections = _sections(parsed, length, report)
    lateral = element.find("lateralProfile")
    parsed.road = Road(
        word(element, "id"),
        length,
        plan,
        is_left_hand(element),
        _cubics(element, "elevationProfile/elevation"),
        _cubics(element, "lateralProfile/superelevation"),
        _crossfall(lateral),
        _shapes(lateral),
        _cubics(element, "lanes/laneOffset"),
        sections,
    )
    return parsed


def _pieces(element: etree._Element, report: Report) -> Iterator[Piece]:
    end: float | None = None
    for item in element.iterfind("planView/geometry"):
        s, length = number(item, "s"), number(item, "length")
        if length <= _SAME_M:
            report.repaired(messages.geometry_without_length(), f"{word(element, 'id')}: s={s:g}")
            continue
        if length > MAX_LENGTH_M:
            raise BrokenError(f"geometry@length={length:g}")
        if end is not None and abs(s - end) > _LENGTH_M:
            report.repaired(messages.stations_apart(), f"{word(element, 'id')}: s={s:g}, {end:g}")
        s = s if end is None else end  # stations follow from the lengths
        end = s + length
        place = (s, number(item, "x"), number(item, "y"), number(item, "hdg"), length)
        yield Piece(*place, *shape_of(item, length))


def shape_of(item: etree._Element, length: float) -> tuple[int, tuple[float, ...], float]:
    """Kind, parameters and limit of the parameter of a ``geometry``; BrokenError where it has none."""
    for child in item:
        if child.tag == "line":
            return LINE, (), 1.0
        if child.tag == "arc":
            return ARC, (number(child, "curvature"),), 1.0
        if child.tag == "spiral":
            return SPIRAL, (number(child, "curvStart"), number(child, "curvEnd")), 1.0
        if child.tag == "poly3":
            return POLY3, tuple(number(child, name) for name in "abcd"), 1.0
        if child.tag == "paramPoly3":
            names = [f"{letter}{axis}" for axis in "UV" for letter in "abcd"]
            numbers = tuple(number(child, name) for name in names)
            if not any(numbers[1:4]) and not any(numbers[5:]):
                raise BrokenError("paramPoly3")
            return PARAM_POLY3, numbers, length if word(child, "pRange") == "arcLength" else 1.0
    raise BrokenError("geometry")


def _record(item: etree._Element, start: str) -> tuple[float, ...]:
    return (number(item, start, 0.0), *(number(item, name, 0.0) for name in "abcd"))


def _cubics(element: etree._Element | None, path: str, start: str = "s") -> Cubics:
    found = [] if element is None else [_record(item, start) for item in element.iterfind(path)]
    return Cubics.of(found)


def _crossfall(lateral: etree._Element | None) -> tuple[Cubics, Cubics]:
    sides: dict[str, list[tuple[float, ...]]] = {"left": [], "right": []}
    for item in () if lateral is None else lateral.iterfind("crossfall"):
        for side in sides:
            if word(item, "side") in (side, "both", ""):
                sides[side].append(_record(item, "s"))
    return Cubics.of(sides["left"]), Cubics.of(sides["right"])


def _shapes(lateral: etree._Element | None) -> tuple[tuple[float, Cubics], ...]:
    by_station: dict[float, list[tuple[float, ...]]] = {}
    for item in () if lateral is None else lateral.iterfind("shape"):
        by_station.setdefault(number(item, "s"), []).append(_record(item, "t"))
    return tuple((s, Cubics.of(rows)) for s, rows in sorted(by_station.items()))


def _sections(parsed: Parsed, length: float, report: Report) -> tuple[Section, ...]:
    road, found = parsed.road.id, []
    taken: set[tuple[float, int]] = set()
    for index, item in enumerate(parsed.element.iterfind("lanes/laneSection")):
        s = number(item, "s")
        sides = {side: _lanes(parsed, item, index, side, report) for side in ("left", "right")}
        section = Section(index, s, sides["left"], sides["right"], truth(word(item, "singleSide")))
        if not -_SAME_M <= s < length or any((s, side) in taken for side in section.sides):
            report.refuse(f"{road}/{index}", messages.section_overlaps(), {"s": s, "length": length})
            for lane in (*section.left, *section.right):
                del parsed.lanes[index, lane.id]
            continue
        taken |= {(s, side) for side in section.sides}
        found.append(section)
    if not found:
        raise BrokenError("laneSection")
    ordered = sorted(found, key=lambda section: section.s)
    if ordered != found:
        report.repaired(messages.sections_sorted(), road)
    return tuple(ordered)


def _lanes(
    parsed: Parsed, section: etree._Element, index: int, side: str, report: Report
) -> tuple[Lane, ...]:
    """Lanes of one side, from the middle outwards."""
    sign, found = (1 if side == "left" else -1), {}
    for item in section.iterfind(f"{side}/lane"):
        number_text, key = word(item, "id"), f"{parsed.road.id}/{index}/{word(item, 'id')}"
        try:
            lane = int(number_text)
            if lane * sign <= 0 or lane in found:
                raise BrokenError(f"lane@id={number_text[:20]}")
            width, border = _cubics(item, "width", "sOffset"), _cubics(item, "border", "sOffset")
        except ValueError as error:
            report.rows_read += 1
            report.refuse(key, messages.lane_broken(str(error)[:60]), {"lane": number_text[:40]})
            continue
        if not len(width) and not len(border):
            report.repaired(messages.width_missing(), key)
        elif min(float(part.starts[0]) for part in (width, border) if len(part)) > _SAME_M:
            report.repaired(messages.width_begins_late(), key)
        found[lane] = Lane(lane, word(item, "type"), truth(word(item, "level")), width, border)
        parsed.lanes[index, lane] = item
    ordered = tuple(found[lane] for lane in sorted(found, key=abs))
    if ordered and abs(ordered[-1].id) != len(ordered):
        report.repaired(messages.lanes_not_consecutive(), f"{parsed.road.id}/{index}")
    return ordered
