"""Junctions, and the places at which roads meet."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import shapely
from lxml import etree

from geoshare.sources.opendrive.fragments import text_of, without
from geoshare.sources.opendrive.links import END, START
from geoshare.sources.opendrive.map import MapContext
from geoshare.sources.opendrive.parse import Parsed
from geoshare.sources.opendrive.xml import word
from geoshare.sources.records import Record


class Joints:
    """Collects where the ends of roads lie, and makes each meeting place one connector."""

    def __init__(self, context: MapContext) -> None:
        self._map = context
        self._places: dict[str, list[np.ndarray]] = {}

    def take(self, parsed: Parsed) -> None:
        """Note both ends of a road's reference line."""
        ends = parsed.road.reference(np.array([0.0, parsed.road.length]))
        for end, place in zip((START, END), self._map.frame.apply(ends), strict=True):
            self._places.setdefault(self._map.connector(parsed.road.id, end), []).append(place)

    def records(self) -> Iterator[Record]:
        """One connector for each meeting place, in the middle of the ends that meet there."""
        for key, places in self._places.items():
            kind = {1: "end", 2: "change"}.get(len(places), "intersection")
            point = shapely.Point(np.mean(places, axis=0))
            yield Record("connectors", key, point, {"subtype": kind})


def junction_of(
    element: etree._Element, context: MapContext, hulls: list[shapely.Geometry]
) -> Record | None:
    """A junction as the ground that its connecting roads cover; None where it has none.

    Which lanes it joins is said by the lanes, so that a view can leave out what it does not show.
    """
    if not hulls:
        return None
    kind = word(element, "type") or "default"
    without(element, "connection", "priority", "crossPath", "roadSection", "surface")
    without(element, "boundary", "elevationGrid", "planView", "controller")
    properties = {
        "type": kind if kind in ("default", "virtual", "direct", "crossing") else None,
        "name": word(element, "name") or None,
        "opendrive": {"junction": text_of(element)},
    }
    shape = shapely.union_all(hulls).convex_hull
    return Record("junctions", context.id(word(element, "id")), shape, properties)
