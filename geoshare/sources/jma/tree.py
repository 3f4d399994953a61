"""Elements of a telegram: by local name, below those whose namespace is known."""

from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

REPORT = "http://xml.kishou.go.jp/jmaxml1/"
HEAD = "http://xml.kishou.go.jp/jmaxml1/informationBasis1/"
BODIES = (
    "http://xml.kishou.go.jp/jmaxml1/body/meteorology1/",
    "http://xml.kishou.go.jp/jmaxml1/body/seismology1/",
)


def child(parent: etree._Element, namespace: str, name: str) -> etree._Element | None:
    """The first child of that name and namespace."""
    return next(iter(parent.iterchildren(f"{{{namespace}}}{name}")), None)


def children(parent: etree._Element | None, *path: str) -> Iterator[etree._Element]:
    """All elements under a path of local names, in order."""
    if parent is None:
        return
    if not path:
        yield parent
        return
    for item in parent.iterchildren(f"{{*}}{path[0]}"):
        yield from children(item, *path[1:])


def text_of(parent: etree._Element | None, *path: str) -> str:
    """The text of the first element under a path; empty where there is none."""
    found = next(children(parent, *path), None)
    return (found.text or "").strip() if found is not None else ""
