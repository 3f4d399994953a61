"""Rules about one element alone: what it must hold, how its objects and signals are made up.

The standard's schema files are not ours to pass on. What of the schema decides whether a map can be
read at all is asked here under the schema's rule id: parts that a road must have, and attributes
without which an element says nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lxml import etree

from geoshare.sources.opendrive.rules.facts import OUTSIDE, Fault, RoadFacts, Xy
from geoshare.sources.opendrive.words import truth
from geoshare.sources.opendrive.xml import BrokenError, number, word

SCHEMA: Final = "asam.net:xodr:1.0.0:xml.valid_schema"
HEADER: Final = "asam.net:xodr:1.0.0:xml.fileheader_is_present"
VERSION: Final = "asam.net:xodr:1.0.0:xml.version_is_defined"
CIRCULAR: Final = "asam.net:xodr:1.7.0:road.object.circular_vs_angular"
OUTLINE: Final = "asam.net:xodr:1.7.0:road.object.outline.outline_followed_by_corner"
CORNERS: Final = "asam.net:xodr:1.7.0:road.corner_{}.element_min_amount"
VERTICES: Final = "asam.net:xodr:1.8.0:road.object.skeleton.vertex_{}.element_min_amount"
COMPLETE: Final = "asam.net:xodr:1.7.0:road.object.borders.useCompleteOutline_true"
CHILDREN: Final = "geoshare:opendrive.object.part_of_another_type"
REFERENCES: Final = "geoshare:opendrive.object.border_without_corner_references"
BOARDS: Final = "asam.net:xodr:1.8.0:road.signal.boards.multi_board_have_sub_boards"
DYNAMIC: Final = "asam.net:xodr:1.8.0:road.signal.boards.multi_board_use_dynamic_true"
REQUIRED: Final[dict[str, tuple[str, ...]]] = {
    "geometry": ("s", "x", "y", "hdg", "length"),
    "arc": ("curvature",),
    "spiral": ("curvStart", "curvEnd"),
    "poly3": tuple("abcd"),
    "paramPoly3": ("aU", "bU", "cU", "dU", "aV", "bV", "cV", "dV"),
    "elevation": ("s", *"abcd"),
    "superelevation": ("s", *"abcd"),
    "laneOffset": ("s", *"abcd"),
    "laneSection": ("s",),
    "width": ("sOffset", *"abcd"),
    "border": ("sOffset", *"abcd"),
    "object": ("s", "t"),
    "signal": ("s", "t"),
}
_OF_OBJECTS: Final = "border"  # objects have borders of another kind below ``borders``


def header_faults(header: etree._Element | None) -> Iterator[Fault]:
    """A file has a header, and it says of which version the file is."""
    if header is None:
        yield Fault(HEADER, "error", "header", "The file has no header.", "headerがありません。")
        return
    for name in ("revMajor", "revMinor"):
        if not word(header, name).isdigit() or int(word(header, name)) > 65_535:
            yield Fault(
                VERSION,
                "error",
                "header",
                f"The header's {name} is missing or no whole number.",
                f"headerの{name}がないか、整数ではありません。",
            )


def road_faults(element: etree._Element, road: RoadFacts) -> Iterator[Fault]:
    """What a road element lacks, and what is wrong with its objects and signals."""
    yield from _missing_parts(element, road)
    for item in element.iterfind("objects/object"):
        yield from _object_faults(item, road)
    for item in element.iterfind("signals/signal"):
        yield from _signal_faults(item, road)


def _missing_parts(element: etree._Element, road: RoadFacts) -> Iterator[Fault]:
    start = road.xy(0.0)
    for name in ("id", "length", "junction"):
        if not word(element, name):
            yield _schema(f"road/{road.id}", f"@{name}", start)
    for name in ("planView", "lanes"):
        if element.find(name) is None:
            yield _schema(f"road/{road.id}", f"<{name}>", start)
    for item in element.iter(*REQUIRED):
        parent = item.getparent()
        if item.tag == _OF_OBJECTS and parent is not None and parent.tag != "lane":
            continue
        for name in REQUIRED[str(item.tag)]:
            try:
                number(item, name)
            except BrokenError:
                yield _schema(f"road/{road.id}/{item.tag}", f"@{name}", start)
                break


def _schema(feature: str, what: str, xy: Xy | None) -> Fault:
    return Fault(
        SCHEMA,
        "error",
        feature,
        f"{what} is missing or cannot be read.",
        f"{what}がないか、読めません。",
        xy,
    )


def junction_faults(element: etree._Element) -> Iterator[Fault]:
    """What a junction element lacks."""
    name = f"junction/{word(element, 'id')}"
    if word(element, "id") in OUTSIDE:
        yield _schema(name, "@id", None)
    for item in element.iterfind("connection"):
        if not word(item, "id"):
            yield _schema(f"{name}/connection", "@id", None)


def _place(item: etree._Element, road: RoadFacts) -> Xy | None:
    try:
        return road.xy(number(item, "s"), number(item, "t"))
    except BrokenError:
        return None


def _object_faults(item: etree._Element, road: RoadFacts) -> Iterator[Fault]:
    name, xy = f"road/{road.id}/object/{word(item, 'id')}", _place(item, road)
    if item.get("radius") is not None and (
        item.get("width") is not None or item.get("length") is not None
    ):
        yield Fault(
            CIRCULAR,
            "error",
            name,
            "The object has a radius and a width or length; it is either round or angular.",
            "radiusとwidth・lengthの両方があります。円形か矩形のどちらかにしてください。",
            xy,
        )
    kind = word(item, "type")
    if (kind != "parkingSpace" and item.find("parkingSpace") is not None) or (
        kind == "parkingSpace" and item.find("skeleton") is not None
    ):
        yield Fault(
            CHILDREN,
            "error",
            name,
            f"An object of type {kind or '?'} holds a part that belongs to another type.",
            f"種類{kind or '?'}の物体に、別の種類の要素が含まれています。",
            xy,
        )
    for outline in item.iter("outline"):
        for local in ("cornerRoad", "cornerLocal"):
            count = len(outline.findall(local))
            if count == 1:
                rule = CORNERS.format("local" if local == "cornerLocal" else "road")
                yield _too_few(rule, name, local, "outline", xy)
        if not any(
            outline.find(local) is not None
            for local in ("cornerRoad", "cornerLocal", "cornerLocalParamPoly3", "curveLocal")
        ):
            yield _too_few(OUTLINE, name, "corner", "outline", xy)
    for line in item.iterfind("skeleton/polyline"):
        for vertex in ("vertexRoad", "vertexLocal"):
            if len(line.findall(vertex)) == 1:
                rule = VERTICES.format("local" if vertex == "vertexLocal" else "road")
                yield _too_few(rule, name, vertex, "polyline", xy)
    for border in item.iterfind("borders/border"):
        yield from _border_faults(border, name, xy)


def _border_faults(border: etree._Element, name: str, xy: Xy | None) -> Iterator[Fault]:
    """A border along a part of an outline names the corners at which that part begins and ends."""
    said, corners = word(border, "useCompleteOutline"), len(border.findall("cornerReference"))
    if said and truth(said) and corners:
        yield Fault(
            COMPLETE,
            "error",
            name,
            "The border runs along the whole outline, and yet names corners.",
            "輪郭全体を使う(useCompleteOutline=true)のに、cornerReferenceがあります。",
            xy,
        )
    if not truth(said or ("false" if corners else "true")) and corners < 2:
        yield Fault(
            REFERENCES,
            "error",
            name,
            "The border runs along a part of the outline and does not say from which corner to which.",
            "輪郭の一部を使う(useCompleteOutline=false)のに、cornerReferenceが2個未満です。",
            xy,
        )


def _too_few(rule: str, name: str, what: str, parent: str, xy: Xy | None) -> Fault:
    return Fault(
        rule,
        "error",
        name,
        f"The {parent} has fewer than two {what} elements.",
        f"{parent}の{what}が2個未満です。",
        xy,
    )


def _signal_faults(item: etree._Element, road: RoadFacts) -> Iterator[Fault]:
    """A board of several parts has fixed and changing ones, and is dynamic."""
    if word(item, "type") != "multiBoard":
        return
    name, xy = f"road/{road.id}/signal/{word(item, 'id')}", _place(item, road)
    if item.find("vmsBoard") is None or item.find("staticBoard") is None:
        yield Fault(
            BOARDS,
            "error",
            name,
            "A multi board has at least one static board and one variable message board.",
            "multiBoardには、staticBoardとvmsBoardが1個以上ずつ必要です。",
            xy,
        )
    if word(item, "dynamic") not in ("yes", "true"):
        yield Fault(
            DYNAMIC,
            "error",
            name,
            "A multi board has to be dynamic.",
            "multiBoardはdynamic=yesでなければなりません。",
            xy,
        )
