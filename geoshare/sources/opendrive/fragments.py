"""Elements as they came, each with its own feature, for a way back without loss.

What refers to other features (links, validities) is taken out: the features say it themselves, and a
view leaves out of that what it does not show.
"""

from __future__ import annotations

import re
from collections import Counter

from lxml import etree

_NAMESPACE = re.compile(r'(?<=[\w"])\sxmlns="[^"]*"')
_NAMES = (
    "road link predecessor successor type speed planView geometry line arc spiral poly3 paramPoly3 "
    "elevationProfile elevation lateralProfile superelevation crossfall shape lanes laneOffset "
    "laneSection left center right lane width border roadMark height objects object repeat outlines "
    "outline cornerRoad cornerLocal bridge tunnel signals signal signalReference validity"
)
_UNDERSTOOD = frozenset(_NAMES.split())
_INSIDE_MARKS = frozenset(["roadMark", "sway", "explicit"])


def text_of(element: etree._Element) -> str:
    """An element as XML text in no namespace, whatever stands behind it left out."""
    text: str = etree.tostring(element, encoding="unicode", with_tail=False)
    return _NAMESPACE.sub("", text, count=1)


def without(element: etree._Element, *names: str) -> etree._Element:
    """The element with its children of these names taken off."""
    for child in [child for child in element if child.tag in names]:
        element.remove(child)
    return element


def lane_fragment(element: etree._Element) -> str:
    """A ``lane`` element without its links."""
    return text_of(without(element, "link"))


def road_fragment(element: etree._Element) -> str:
    """A ``road`` element without links, lanes, objects and signals; sections keep their middle lane."""
    without(element, "link", "objects", "signals")
    for section in element.iterfind("lanes/laneSection"):
        without(section, "left", "right")
    if "junction" in element.attrib:
        del element.attrib["junction"]
    return text_of(element)


def uncommon(element: etree._Element) -> Counter[str]:
    """Elements of a road that nothing but the kept text will tell of, by name."""
    found: Counter[str] = Counter()
    for item in element.iter():
        parent = item.getparent()
        inside = parent is not None and parent.tag in _INSIDE_MARKS
        if item.tag not in _UNDERSTOOD and not inside and (len(item) or len(item.attrib) or item.text):
            found[str(item.tag)] += 1
    return found
