"""Roads put together again from the elements that their features have kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from lxml import etree

from geoshare.extracts.opendrive.frame import OutFrame, frame_of_segment
from geoshare.extracts.opendrive.model import Numbers, OutLane, OutRoad
from geoshare.extracts.opendrive.xml import parsed, put_after, put_first
from geoshare.extracts.road_rows import Row

Whole = tuple[OutFrame, etree._Element, list[tuple[int, etree._Element, Row]]]


def whole(segment: Row, lanes: list[Row]) -> Whole | None:
    """The parts of a road, where all of them were kept and the lanes leave none out.

    A lane lies where the lanes between it and the middle put it: with one of these hidden, or without
    its own element, the road has to be fitted.
    """
    frame = frame_of_segment(segment)
    shell = parsed(segment.object("opendrive").get("road"))
    if frame is None or shell is None or shell.find("planView") is None:
        return None
    sections = len(shell.findall("lanes/laneSection"))
    parts: list[tuple[int, etree._Element, Row]] = []
    ids: dict[int, set[int]] = {number: set() for number in range(sections)}
    for row in lanes:
        source = row.object("opendrive")
        element, section = parsed(source.get("lane")), source.get("section")
        if element is None or not isinstance(section, int) or section not in ids:
            return None
        try:
            number = int(element.get("id") or 0)
        except ValueError:
            return None
        if number == 0 or number in ids[section]:
            return None
        ids[section].add(number)
        parts.append((section, element, row))
    for found in ids.values():
        left, right = sum(number > 0 for number in found), sum(number < 0 for number in found)
        if found != {*range(1, left + 1), *range(-right, 0)}:
            return None
    return frame, shell, parts


def build(segment: Row, parts: Whole, numbers: Numbers) -> OutRoad:
    """A road with its lanes, without links, signals and objects."""
    _, shell, lanes = parts
    elements = shell.findall("lanes/laneSection")
    road = OutRoad(
        segment.id,
        numbers.give(shell.get("id") or ""),
        shell,
        sorted(range(len(elements)), key=lambda index: float(elements[index].get("s") or 0.0)),
        connectors=(segment.text("start_connector_id"), segment.text("end_connector_id")),
        junction=segment.text("junction_id"),
    )
    shell.set("id", road.id)
    forward = -1 if (shell.get("rule") or "").upper() == "LHT" else 1
    for section, element, row in sorted(lanes, key=lambda part: -int(part[1].get("id") or 0)):
        number = int(element.get("id") or 0)
        side = _side(elements[section], "left" if number > 0 else "right")
        side.append(element)
        road.lanes.append(
            OutLane(
                row.id,
                road,
                section,
                number,
                travel_of(element, forward * (1 if number < 0 else -1)),
                element,
                row.list("successor_ids"),
                row.list("predecessor_ids"),
            )
        )
    return road


def _side(section: etree._Element, name: str) -> etree._Element:
    found = section.find(name)
    if found is not None:
        return found
    if name == "left":
        return put_first(section, name)
    return put_after(section, "center", name)


def travel_of(element: etree._Element, standard: int) -> int:
    """Way of travel along the road: 1.8 may turn a lane or open it both ways."""
    direction = element.get("direction") or ""
    if direction == "both" or element.get("type") == "bidirectional":
        return 0
    return -standard if direction == "reversed" else standard


def by_segment(lanes: Mapping[str, Row]) -> dict[str, list[Row]]:
    """Lanes of each segment; those of none are left out."""
    found: dict[str, list[Row]] = {}
    for row in lanes.values():
        segment = row.text("segment_id")
        if segment:
            found.setdefault(segment, []).append(row)
    return found


def frames(segments: Mapping[str, Row], lanes: Mapping[str, list[Row]]) -> Iterator[tuple[str, Whole]]:
    """Segments that can be put together again, with their parts."""
    for key, row in segments.items():
        parts = whole(row, lanes.get(key, []))
        if parts is not None and parts[2]:
            yield key, parts
