"""Lays JSON out as a page: facts, tables, a map and the way back, whatever resource it is of.

One rule for all: what has one value is a line of the first table; a list of objects is a table of its
own, and so is an object of objects; deeper things are told in a cell. Names and codes are written in
Japanese and English where the collection's schema or ``words`` has them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, Final
from urllib.parse import quote

from flask import request

from geoshare.api.cells import MOST, both, label, named, shortened, system_of, text_of, valued
from geoshare.api.context import base_url, caller, href, services
from geoshare.api.html import Cell, Page, Table, way
from geoshare.api.picture import Drawn, box_of, drawn, stated
from geoshare.api.words import TITLES
from geoshare.model.collections import Property

Said = dict[str, Any]
IsThere = Callable[[str], bool]
DEFINED: Final = "http://www.opengis.net/def/"
IN_ROWS: Final = 120  # letters of a cell of many rows
FACTS: Final = ("項目 / Item", "値 / Value")
QUIET: Final = ("links", "title_ja", "description_ja")  # told elsewhere on the page
_NOTHING: Final[tuple[Any, ...]] = (None, "", [], {})
_DEEPEST: Final = 2  # an object within an object within the resource: its members are lines still


def told(said: Any, endpoint: str, summary: str, is_there: IsThere) -> Page:
    """The page of what a resource says.

    Parameters
    ----------
    said
        Its JSON, read.
    endpoint, summary
        What it is: the name of the route, and its line in the OpenAPI document.
    is_there
        Whether a path of this server can be read, which crumbs and rows lead to.
    """
    return _Layout(is_there).page(
        said if isinstance(said, dict) else {"items": said}, both(*TITLES.get(endpoint, ("", summary)))
    )


class _Layout:
    """One page as it is laid out."""

    def __init__(self, is_there: IsThere) -> None:
        self._is_there = is_there
        self._parts = [part for part in request.path.split("/") if part]
        self._visible = services().visible(caller())
        at = self._parts.index("collections") + 1 if "collections" in self._parts else 0
        self._collection = self._visible.get(self._parts[at]) if 0 < at < len(self._parts) else None
        self._facts: list[tuple[Cell, ...]] = []
        self._tables: list[Table] = []

    def page(self, said: Said, title: str) -> Page:
        """The page of a resource of that title."""
        own = both(said.get("title_ja"), said.get("title"))
        lead = both(said.get("description_ja"), said.get("description"))
        quiet = (*QUIET, "title", "description")
        self._sort({name: part for name, part in said.items() if name not in quiet}, "", 0)
        first = [Table(FACTS, self._facts)] if self._facts else []
        links = [link for link in said.get("links", ()) if isinstance(link, dict) and "href" in link]
        head = f"{title}: {own}" if own else title
        tables = [replace(table, title="") if table.title == title else table for table in self._tables]
        return Page(head, self._crumbs(), lead, [*first, *tables], links, self._drawn(said))

    def _sort(self, said: Mapping[str, Any], above: str, deep: int) -> None:
        """Divide members into lines of the first table and tables of their own."""
        of_feature = said.get("type") == "Feature"
        for name, part in said.items():
            title = " › ".join(filter(None, (above, self._name(name))))
            if name == "features" and isinstance(part, list):
                self._tables.append(self._table([_flat(item) for item in part], title))
            elif of_feature and name == "properties":
                self._sort(part or {}, "", _DEEPEST)
            elif _is_worded(part):
                self._facts.append(((title, ""), (_worded(part), "")))
            elif isinstance(part, list) and part and all(isinstance(item, dict) for item in part):
                self._tables.append(self._table(part, title))
            elif _is_named_rows(part):
                rows = [{"name": key, **item} for key, item in part.items()]
                self._tables.append(self._table(rows, title))
            elif isinstance(part, dict) and part and deep < _DEEPEST and not _is_one(name, part):
                self._sort(part, title, deep + 1)
            elif part == [] and deep == 0:
                self._tables.append(Table(FACTS, [], title))
            elif not _says_nothing(name, part):
                self._facts.append(((title, ""), self._cell(name, part)))

    def _table(self, rows: list[Said], title: str) -> Table:
        """A table of objects: a column for every member that any has; the first leads to its page."""
        every = dict.fromkeys(name for row in rows for name in row if name not in QUIET)
        filled = [name for name in every if any(row.get(name) not in _NOTHING for row in rows)]
        if not filled:
            return Table(FACTS, [], title)
        lines = []
        for row in rows:
            first, *others = [self._cell(name, _in_both(row, name), IN_ROWS) for name in filled]
            lines.append(((first[0] or "–", self._own(row) or first[1]), *others))
        return Table(tuple(self._name(name) for name in filled), lines, title)

    def _own(self, row: Said) -> str:
        """Where a row has a page of its own; empty where it has none."""
        for link in row.get("links", ()):
            if isinstance(link, dict) and link.get("rel") == "self":
                return str(link.get("href", ""))
        if {"id", "collection"} <= row.keys():
            return href("collections", str(row["collection"]), "items", str(row["id"]))
        below = self._parts[:-1] if self._parts[-1:] == ["changes"] else self._parts
        below = [*below, "items"] if below != self._parts else below
        for key in (row.get("id"), row.get("number"), row.get("name")):
            path = "/" + "/".join(quote(part, safe="") for part in (*below, str(key)))
            if isinstance(key, str | int) and key != "" and self._is_there(path):
                return base_url() + path
        return ""

    def _name(self, name: str) -> str:
        """What the schema of the collection that is shown calls a member, or what all pages call it."""
        about = self._about(name)
        if about is None and name in self._visible:
            return both(self._visible[name].title_ja, self._visible[name].title)
        return label(name) if about is None else named(about, name)

    def _about(self, name: str) -> Property | None:
        return None if self._collection is None else self._collection.property(name)

    def _cell(self, name: str, value: Any, most: int = MOST) -> Cell:
        about = self._about(name)
        if about is not None:
            return valued(about, value), ""
        if isinstance(value, str) and value.startswith(("https://", "http://")):
            text = system_of(value) if value.startswith(DEFINED) else shortened(value)
            return text, "" if "{" in value else value
        if name == "collection" and isinstance(value, str):
            return value, href("collections", value) if value in self._visible else ""
        return shortened(text_of(name, value), most), ""

    def _crumbs(self) -> tuple[Cell, ...]:
        """The way from the landing page to what is shown, which comes last."""
        found: list[Cell] = []
        for end, name in enumerate(self._parts[:-1], 1):
            path = "/" + "/".join(quote(part, safe="") for part in self._parts[:end])
            found.append((label(name), base_url() + path if self._is_there(path) else ""))
        return way(*found, (label(self._parts[-1]), ""))

    def _drawn(self, said: Said) -> Drawn | None:
        """The map of it, where it says where it is and of which collections."""
        boxes: Iterable[Any] = (said.get("extent") or {}).get("spatial", {}).get("bbox", ())
        box = stated(said.get("bounds")) or stated(next(iter(boxes), None)) or _corners(said)
        if box is None and said.get("type") in ("Feature", "FeatureCollection"):
            found = said.get("features", (said,))
            box = box_of(item.get("geometry") for item in found if isinstance(item, dict))
        return drawn(self._collections(said), box)

    def _collections(self, said: Said) -> list[str]:
        """Which collections there are to be drawn."""
        if self._collection is not None:
            return [self._collection.name]
        last = self._parts[-1].removesuffix(".json") if self._parts else ""
        layers = [layer.get("id") for layer in said.get("layers", ()) if isinstance(layer, dict)]
        return [name for name in dict.fromkeys((*last.split(","), *layers)) if name in self._visible]


def _flat(feature: Said) -> Said:
    """A feature as a row."""
    links = feature.get("links", ())
    return {"id": feature.get("id"), **(feature.get("properties") or {}), "links": links}


def _is_named_rows(part: Any) -> bool:
    is_full = isinstance(part, dict) and bool(part)
    return is_full and all(isinstance(item, dict) for item in part.values())


def _is_worded(part: Any) -> bool:
    """Whether it is one text of JSON-LD, in several languages."""
    is_full = isinstance(part, list) and bool(part)
    return is_full and all(isinstance(item, dict) and "@value" in item for item in part)


def _worded(found: list[Said]) -> str:
    return " / ".join(dict.fromkeys(str(item["@value"]) for item in found))


def _says_nothing(name: str, part: Any) -> bool:
    """Whether a line of it would tell people nothing."""
    return part == "" or (name == "type" and part in ("Feature", "FeatureCollection"))


def _is_one(name: str, part: Said) -> bool:
    """Whether an object is one value: a shape, or a text in both languages."""
    return name == "geometry" or set(part) == {"ja", "en"}


def _in_both(row: Said, name: str) -> Any:
    """A member of a row; a title or description in both languages."""
    other = row.get(f"{name}_ja")
    return both(other, row.get(name)) if isinstance(other, str) else row.get(name)


def _corners(said: Said) -> Any:
    """The bounding box of a tile set, where it is in degrees, longitude first."""
    found = said.get("boundingBox")
    if not isinstance(found, dict) or not str(found.get("crs", "")).endswith("CRS84"):
        return None
    return stated([*found.get("lowerLeft", ()), *found.get("upperRight", ())])
