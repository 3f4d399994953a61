"""OpenDRIVE's XML as a stream of its top elements; nothing outside the file is fetched."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lxml import etree

from geoshare.model.report import Report
from geoshare.sources import messages
from geoshare.sources.request import Bounds
from geoshare.sources.xml import stream

MAX_ROAD_ELEMENTS = 2_000_000  # below one top element: what is held in memory at a time


class BrokenError(ValueError):
    """An element that says nothing usable; its text names element and attribute."""


def elements(path: Path, bounds: Bounds, report: Report) -> Iterator[etree._Element]:
    """Header, roads, controllers, junctions and whatever else stands at the top, one by one.

    Each is cleared when the next is asked for. Namespaces are taken off the names.

    Raises
    ------
    BadData
        ``xml-broken`` (with the line), ``xml-doctype``, ``too-large``, ``file-broken`` where the root
        is no OpenDRIVE.
    """
    total, inside, depth, root = 0, 0, 0, None
    try:
        with path.open("rb") as file:
            for event, element in stream(file, blank_text=False):
                if root is None:
                    root = element
                    _check_root(root, report)
                depth += 1 if event == "start" else -1
                if event == "start":
                    total, inside = total + 1, inside + 1
                    if total > bounds.xml_elements or inside > MAX_ROAD_ELEMENTS:
                        limit = min(bounds.xml_elements, MAX_ROAD_ELEMENTS)
                        message = messages.too_large("elements", "要素数", limit)
                        raise messages.refuse_and_note(report, message)
                    continue
                element.tag = etree.QName(element).localname
                if depth == 1:
                    yield element
                    inside = 0
                    element.clear()
                    while element.getprevious() is not None:
                        del root[0]
    except etree.XMLSyntaxError as error:
        raise messages.refuse_and_note(report, messages.truncated_xml(error.lineno or 0)) from error


def _check_root(root: etree._Element, report: Report) -> None:
    docinfo: Any = root.getroottree().docinfo
    if docinfo.doctype:
        raise messages.refuse_and_note(report, messages.xml_entities())
    if etree.QName(root).localname != "OpenDRIVE":
        raise messages.refuse_and_note(report, messages.broken("OpenDRIVE", "OpenDRIVE"))


def number(element: etree._Element, name: str, default: float | None = None) -> float:
    """A finite number of an attribute; BrokenError where it is none, or missing without a default."""
    text = element.get(name)
    if text is None or not text.strip():
        if default is None:
            raise BrokenError(f"{element.tag}@{name}")
        return default
    try:
        value = float(text)
    except ValueError as error:
        raise BrokenError(f"{element.tag}@{name}={text[:40]}") from error
    if not math.isfinite(value):
        raise BrokenError(f"{element.tag}@{name}={text[:40]}")
    return value


def attributes(element: etree._Element) -> dict[str, str]:
    """All attributes, for the report of what was refused."""
    return {str(name): str(value) for name, value in element.items()}


def word(element: etree._Element | None, name: str) -> str:
    """The text of an attribute without blanks around it; empty where there is none."""
    return "" if element is None else (element.get(name) or "").strip()
