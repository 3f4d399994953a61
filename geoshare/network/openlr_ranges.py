"""OpenLR references as ranges on the roads of a view.

A reference in OpenLR's binary format says in terms of no particular map where a stretch of road is: a
few positions with bearing, class and distance to the next. White paper: OpenLR 1.5, TomTom 2012.
"""

from __future__ import annotations

import binascii
from dataclasses import dataclass

import openlr
from openlr_dereferencer import Config, decode
from openlr_dereferencer.decoding import LRDecodeError
from openlr_dereferencer.decoding.line_location import LineLocation
from openlr_dereferencer.decoding.point_locations import PointAlongLine

from geoshare.access.view import View
from geoshare.errors import BadRequest, NotFound
from geoshare.model.box import Box
from geoshare.network.openlr_map import Roads
from geoshare.network.plane import Plane

FORMAT = "an OpenLR line or point along a line, binary version 3 as base64, of at most 20 points"
MOST_POINTS = 20
SEARCHED_M = 50.0  # around each point
MARGIN_M = 500.0  # around the reference's points: roads bend


@dataclass(frozen=True)
class Stretch:
    """A range of a segment: fractions of its length along its line, start before end or the same.

    ``against`` tells that the location leads against the line.
    """

    id: str
    start: float
    end: float
    against: bool


def ranges(view: View, reference: str, within_m: float = SEARCHED_M) -> list[Stretch]:
    """The ranges that a reference means, in the order in which it leads along them.

    Each of its points is looked for on the roads within ``within_m`` metres of it.

    Raises
    ------
    BadRequest
        for what is no reference of a kind that lies along roads.
    NotFound
        where it leads along no roads of the view.
    TooLarge
        where there are too many roads around it, or too many ways to try.
    """
    said = _read(reference)
    roads = Roads(view, _around(said))
    try:
        found = decode(said, roads, config=Config(search_radius=within_m))
    except LRDecodeError:
        raise NotFound(
            "The reference leads along no roads that you see",
            message_ja="この参照に合う道路が見つかりません",
            parameter="reference",
        ) from None
    if isinstance(found, LineLocation):
        lines = found.lines
        last = len(lines) - 1
        return [
            _stretch(
                line.line_id,
                found.p_off / line.length if number == 0 else 0.0,
                1 - found.n_off / line.length if number == last else 1.0,
            )
            for number, line in enumerate(lines)
        ]
    if isinstance(found, PointAlongLine):
        at = found.positive_offset / found.line.length
        return [_stretch(found.line.line_id, at, at)]
    raise _unread()


def _stretch(key: tuple[str, bool], start: float, end: float) -> Stretch:
    start, end = (min(1.0, max(0.0, share)) for share in (start, end))
    name, against = key
    return Stretch(name, 1 - end, 1 - start, True) if against else Stretch(name, start, end, False)


def _read(reference: str) -> openlr.LineLocationReference | openlr.PointAlongLineLocationReference:
    try:
        said = openlr.binary_decode(binascii.a2b_base64(reference, strict_mode=True), is_base64=False)
    except Exception:  # whatever the parser stumbles over is not a reference
        raise _unread() from None
    kinds = (openlr.LineLocationReference, openlr.PointAlongLineLocationReference)
    if not isinstance(said, kinds) or not 2 <= len(said.points) <= MOST_POINTS:
        raise _unread()
    return said


def _unread() -> BadRequest:
    return BadRequest(
        "This is no OpenLR reference that lies along roads",
        message_ja="道路に沿うOpenLR参照ではありません",
        parameter="reference",
        allowed=FORMAT,
    )


def _around(said: openlr.LineLocationReference) -> Box:
    """A box that holds the way: no place of it is farther from a point than half of the longest leg."""
    reach = MARGIN_M + max(point.dnp for point in said.points) / 2
    boxes = [Plane(point.lon, min(max(point.lat, -85.0), 85.0)).box(reach) for point in said.points]
    west, south, east, north = zip(*boxes, strict=True)
    return Box(min(west), min(south), max(east), max(north))
