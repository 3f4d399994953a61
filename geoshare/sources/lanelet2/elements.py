"""OSM XML as nodes, ways and relations, read as a stream; nothing outside the file is fetched."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from lxml import etree
from numpy.typing import NDArray

from geoshare.model.report import Report
from geoshare.sources import messages
from geoshare.sources.request import Bounds
from geoshare.sources.xml import stream

PLACE_TAGS = frozenset(["ele", "local_x", "local_y", "mgrs_code", "lat", "lon"])


class Member(NamedTuple):
    """One member of a relation."""

    type: str  # node, way, relation
    ref: str
    role: str


@dataclass(slots=True)
class Element:
    """A way (``nodes``) or a relation (``members``) with its tags."""

    id: str
    tags: dict[str, str]
    nodes: list[str] = field(default_factory=list)
    members: list[Member] = field(default_factory=list)

    def first(self, *roles: str) -> list[Member]:
        """Members in one of these roles."""
        return [member for member in self.members if member.role in roles]


@dataclass(slots=True)
class Elements:
    """Everything in one map file. Node positions are arrays in the order of ``node_index``."""

    node_index: dict[str, int]
    lat_lon: NDArray[np.float64]  # (n, 2), NaN where the file gives none
    local_xy: NDArray[np.float64]  # (n, 2) metres, NaN where the file gives none
    ele_m: NDArray[np.float64]  # (n,), NaN where the file gives none
    mgrs: dict[str, int]  # 100 km square -> number of nodes that name it
    node_tags: dict[str, dict[str, str]]  # of nodes with more tags than their place
    ways: dict[str, Element]
    relations: dict[str, Element]
    meta: dict[str, str]
    twice: list[tuple[str, str]] = field(default_factory=list)  # kind and id of what comes again


def read_elements(path: Path, bounds: Bounds, report: Report) -> Elements:
    """Nodes, ways and relations of an OSM XML file; deleted ones of an editor's file are left out.

    Raises
    ------
    BadData
        ``xml-broken`` (with the line), ``xml-doctype``, ``too-large``.
    """
    out = _Collector()
    count = 0
    try:
        with path.open("rb") as file:
            root = None
            for event, element in stream(file):
                if root is None:
                    root = element
                    docinfo: Any = element.getroottree().docinfo
                    if docinfo.doctype:
                        raise messages.refuse_and_note(report, messages.xml_entities())
                if event == "start" or element.getparent() is not root:
                    continue
                count += 1
                if count > bounds.xml_elements:
                    raise messages.refuse_and_note(
                        report, messages.too_large("elements", "要素数", bounds.xml_elements)
                    )
                out.take(element)
                element.clear()
                while element.getprevious() is not None:
                    del root[0]
    except etree.XMLSyntaxError as error:
        raise messages.refuse_and_note(report, messages.truncated_xml(error.lineno or 0)) from error
    return out.elements()


def _tags(element: etree._Element) -> dict[str, str]:
    return {
        str(tag.get("k")): str(tag.get("v", ""))
        for tag in element.iterchildren("tag")
        if tag.get("k") is not None
    }


def _float(text: str | None) -> float:
    try:
        return float(text) if text else np.nan
    except ValueError:
        return np.nan


class _Collector:
    """Gathers elements one by one."""

    def __init__(self) -> None:
        self._index: dict[str, int] = {}
        self._places: list[tuple[float, float, float, float, float]] = []
        self._mgrs: dict[str, int] = {}
        self._node_tags: dict[str, dict[str, str]] = {}
        self._ways: dict[str, Element] = {}
        self._relations: dict[str, Element] = {}
        self._meta: dict[str, str] = {}
        self._twice: list[tuple[str, str]] = []

    def take(self, element: etree._Element) -> None:
        if element.get("action") == "delete" or element.get("visible") == "false":
            return
        key = str(element.get("id", ""))
        known: dict[str, Container[str]] = {
            "node": self._index,
            "way": self._ways,
            "relation": self._relations,
        }
        if key in known.get(str(element.tag), ()):
            self._twice.append((str(element.tag), key))
        if element.tag == "node":
            self._node(key, element)
        elif element.tag == "way":
            nodes = [str(child.get("ref")) for child in element.iterchildren("nd")]
            self._ways[key] = Element(key, _tags(element), nodes=nodes)
        elif element.tag == "relation":
            members = [
                Member(str(child.get("type", "")), str(child.get("ref")), str(child.get("role", "")))
                for child in element.iterchildren("member")
            ]
            self._relations[key] = Element(key, _tags(element), members=members)
        elif element.tag == "MetaInfo":
            self._meta = {str(name): str(value) for name, value in element.items()}

    def _node(self, key: str, element: etree._Element) -> None:
        tags = _tags(element)
        self._index[key] = len(self._places)
        self._places.append(
            (
                _float(element.get("lat")),
                _float(element.get("lon")),
                _float(tags.get("local_x")),
                _float(tags.get("local_y")),
                _float(tags.get("ele")),
            )
        )
        square = tags.get("mgrs_code", "")[:5]
        if square:
            self._mgrs[square] = self._mgrs.get(square, 0) + 1
        more = {name: value for name, value in tags.items() if name not in PLACE_TAGS and value}
        if more:
            self._node_tags[key] = more

    def elements(self) -> Elements:
        places = np.array(self._places, dtype=np.float64).reshape(-1, 5)
        return Elements(
            self._index,
            places[:, 0:2].copy(),
            places[:, 2:4].copy(),
            places[:, 4].copy(),
            self._mgrs,
            self._node_tags,
            self._ways,
            self._relations,
            self._meta,
            self._twice,
        )
