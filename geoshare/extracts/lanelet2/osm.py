"""OSM XML of a map, in Lanelet2's own dialect and in Autoware's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

import numpy as np
from lxml import etree

from geoshare.extracts.lanelet2.model import Node, OutMap, Relation, Way
from geoshare.extracts.lanelet2.plane import Plane

_DEGREE_DIGITS: Final = 11  # as JOSM and the Vector Map Builder write them
_METRE_DIGITS: Final = 4
_CODE_M: Final = 100  # Autoware's mgrs_code counts squares of 100 m
_PLACE: Final = frozenset(["ele", "local_x", "local_y", "mgrs_code"])


def write_osm(
    path: Path,
    out: OutMap,
    plane: Plane,
    *,
    version: str | None = None,
    relations: Iterable[int] | None = None,
    ways: Iterable[int] | None = None,
    nodes: Iterable[int] | None = None,
) -> None:
    """Write all elements, or those named; ``version`` makes it Autoware's dialect."""
    chosen = sorted(out.nodes if nodes is None else nodes)
    places = np.array([out.nodes[key].place for key in chosen]).reshape(-1, 3)
    metres = plane.metres(places)
    with open(path, "wb") as file, etree.xmlfile(file, encoding="UTF-8") as document:
        document.write_declaration()
        with document.element("osm", {"version": "0.6", "generator": "geoshare"}):
            document.write("\n")
            if version is not None:
                _write(document, etree.Element("MetaInfo", format_version="1", map_version=version))
            for key, xyz in zip(chosen, metres, strict=True):
                _write(document, _node(out.nodes[key], xyz, plane, autoware=version is not None))
            for key in sorted(out.ways if ways is None else ways):
                _write(document, _way(out.ways[key]))
            for key in sorted(out.relations if relations is None else relations):
                _write(document, _relation(out.relations[key]))


def _write(document: etree._IncrementalFileWriter, element: etree._Element) -> None:
    document.write(element, pretty_print=True)


def _element(kind: str, number: int) -> etree._Element:
    return etree.Element(kind, {"id": str(number), "visible": "true", "version": "1"})


def _tag(parent: etree._Element, tags: Mapping[str, str]) -> None:
    for key, value in tags.items():
        etree.SubElement(parent, "tag", {"k": key, "v": value})


def _node(node: Node, xyz: np.ndarray, plane: Plane, *, autoware: bool) -> etree._Element:
    element = _element("node", node.id)
    lon, lat, up = node.place
    element.set("lat", f"{lat:.{_DEGREE_DIGITS}f}")
    element.set("lon", f"{lon:.{_DEGREE_DIGITS}f}")
    if np.isfinite(up):
        _tag(element, {"ele": f"{up:.{_METRE_DIGITS}f}"})
    x, y = (f"{value:.{_METRE_DIGITS}f}" for value in xyz[:2])
    _tag(element, {"local_x": x, "local_y": y})
    if autoware and plane.square is not None:
        east, north = (int(value // _CODE_M) for value in xyz[:2])
        _tag(element, {"mgrs_code": f"{plane.square}{east:03d}{north:03d}"})
    _tag(element, {key: value for key, value in node.tags.items() if key not in _PLACE})
    return element


def _way(way: Way) -> etree._Element:
    element = _element("way", way.id)
    for node in way.nodes:
        etree.SubElement(element, "nd", {"ref": str(node)})
    _tag(element, way.tags)
    return element


def _relation(relation: Relation) -> etree._Element:
    element = _element("relation", relation.id)
    for member in relation.members:
        said = {"type": member.type, "ref": str(member.ref), "role": member.role}
        etree.SubElement(element, "member", said)
    _tag(element, relation.tags)
    return element
