"""Nodes, ways and relations of a map in OSM XML as things that can be compared."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import shapely
from numpy.typing import NDArray

from geoshare.model.report import Report
from geoshare.model.things import Member, Thing
from geoshare.sources.lanelet2.elements import Element, Elements, read_elements
from geoshare.sources.lanelet2.places import locate
from geoshare.sources.request import ReadRequest


def read_primitives(path: Path, request: ReadRequest, report: Report) -> Iterator[Thing]:
    """Everything in a map file, as the file says it; nodes first, then ways, then relations.

    Raises
    ------
    BadData
        as the reader of Lanelet2 maps does.
    """
    elements = read_elements(path, request.bounds, report)
    places = locate(elements, request, report)
    yield from _nodes(elements, places)
    lines = {key: _line(way, elements, places) for key, way in elements.ways.items()}
    for key, way in elements.ways.items():
        members = tuple(Member("node", node, "") for node in way.nodes)
        yield Thing("way", key, lines[key], False, way.tags.get("type", ""), way.tags, members)
    for key, relation in elements.relations.items():
        members = tuple(Member(item.type, item.ref, item.role) for item in relation.members)
        shape = _together(relation, lines)
        yield Thing(
            "relation", key, shape, False, relation.tags.get("type", ""), relation.tags, members
        )


def _nodes(elements: Elements, places: NDArray[np.float64]) -> Iterator[Thing]:
    good = np.atleast_1d(np.isfinite(places[:, :2]).all(axis=1))
    for key, at in elements.node_index.items():
        place = places[at]
        shape = None
        if good[at]:
            shape = shapely.Point(place if np.isfinite(place[2]) else place[:2])
        yield Thing("node", key, shape, attributes=elements.node_tags.get(key, {}))


def _line(way: Element, elements: Elements, places: NDArray[np.float64]) -> shapely.LineString | None:
    index = [elements.node_index[node] for node in way.nodes if node in elements.node_index]
    line = places[np.array(index, np.int64)] if index else places[:0]
    line = line[np.isfinite(line[:, :2]).all(axis=1)]
    return shapely.LineString(line[:, :2]) if len(line) >= 2 else None


def _together(
    relation: Element, lines: dict[str, shapely.LineString | None]
) -> shapely.Geometry | None:
    parts = [lines.get(item.ref) for item in relation.members if item.type == "way"]
    kept = [part for part in parts if part is not None]
    return shapely.multilinestrings(kept) if kept else None
