"""Plain pages of what else is JSON: quick, bilingual, and of use without scripts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

import orjson
from flask import Response, render_template

from geoshare.api import reply
from geoshare.api.context import base_url, check_format, href

__all__ = [
    "HTML",
    "JSON_OR_HTML",
    "Page",
    "Table",
    "base_url",
    "both",
    "cells_of",
    "plain",
    "resource",
    "way",
]

HTML = "text/html; charset=utf-8"
JSON_OR_HTML = ("application/json", "text/html")
Cell = tuple[str, str]  # a text, and where it leads to (empty: nowhere)


@dataclass(frozen=True)
class Table:
    """Rows under headings; every heading is Japanese and English."""

    heads: tuple[str, ...]
    rows: list[tuple[Cell, ...]]
    title: str = ""


@dataclass(frozen=True)
class Page:
    """What a resource shows to people: its title, the way to it, its words and its tables."""

    title: str
    crumbs: tuple[Cell, ...] = ()
    lead: str = ""
    tables: list[Table] = field(default_factory=list)
    links: list[Mapping[str, Any]] = field(default_factory=list)


def resource(value: Any, page: Page, wanted: str | None, media: str = "application/json") -> Response:
    """The resource as JSON, or as a page where ``f`` or ``Accept`` asks for one."""
    if check_format(wanted, "json", "html") == "json":
        return reply.json(value, media)
    return shown(page)


def shown(page: Page) -> Response:
    """The page."""
    text = render_template("resource.html", page=page, base=base_url())
    return reply.body(text.encode(), HTML)


def plain(*texts: str) -> tuple[Cell, ...]:
    """Cells that lead nowhere."""
    return tuple((text, "") for text in texts)


def way(*parts: Cell) -> tuple[Cell, ...]:
    """Breadcrumbs from the landing page on."""
    return (("geoshare", f"{base_url()}/"), *parts)


def properties(schema: Mapping[str, Any]) -> Table:
    """The properties of a schema."""
    heads = ("名前 / Name", "項目名 / Title", "型 / Type", "単位 / Unit", "役割 / Role")
    rows = [
        plain(
            name,
            both(part.get("x-title-ja"), part.get("title")),
            _kind(part),
            str(part.get("x-ogc-unit", "")),
            str(part.get("x-ogc-role", "")),
        )
        for name, part in schema.get("properties", {}).items()
    ]
    return Table(heads, rows)


def both(japanese: object, english: object) -> str:
    """A text in both languages, once where they agree."""
    return " / ".join(dict.fromkeys(str(text) for text in (japanese, english) if text))


def _kind(part: Mapping[str, Any]) -> str:
    said = part.get("type", "")
    names: Iterable[str] = [said] if isinstance(said, str) else said
    text = ", ".join(name for name in names if name not in ("", "null"))
    return " ".join(word for word in (text, str(part.get("format", ""))) if word)


def collections_page(said: Mapping[str, Any]) -> Page:
    """The list of collections."""
    rows: list[tuple[Cell, ...]] = [
        (
            (both(item.get("title_ja"), item["title"]), _self(item)),
            (item["id"], ""),
            (str(item.get("kind", "")), ""),
            (str(item.get("description", "")), ""),
        )
        for item in said["collections"]
    ]
    heads = ("コレクション / Collection", "ID", "種類 / Kind", "説明 / Description")
    return Page("コレクション / Collections", way(), tables=[Table(heads, rows)], links=said["links"])


def collection_page(said: Mapping[str, Any]) -> Page:
    """One collection: where and when it is, and what leads on from it."""
    found = said.get("extent", {})
    boxes = [", ".join(map(str, box)) for box in found.get("spatial", {}).get("bbox", [])]
    times = [
        " – ".join(end or "…" for end in ends) for ends in found.get("temporal", {}).get("interval", [])
    ]
    facts = [
        ("ID", [said["id"]]),
        ("範囲 / Extent", boxes),
        ("期間 / Time", times),
        ("座標参照系 / Reference systems", [_short(name) for name in said.get("crs", [])]),
    ]
    rows = [plain(name, ", ".join(texts)) for name, texts in facts if texts]
    title = both(said.get("title_ja"), said["title"])
    crumbs = way(_all())
    table = Table(("項目 / Item", "値 / Value"), rows)
    return Page(title, crumbs, str(said.get("description", "")), [table], said["links"])


def schema_page(said: Mapping[str, Any], collection: str, name: str) -> Page:
    """The properties of a collection, or those one may filter or sort by."""
    crumbs = way(_all(), (collection, href("collections", collection)))
    return Page(name, crumbs, both(said.get("x-title-ja"), said.get("title")), [properties(said)])


def feature_page(said: Mapping[str, Any], collection: str) -> Page:
    """One feature: its values, and what kind of geometry it has."""
    kind = (said.get("geometry") or said.get("place") or {}).get("type", "–")
    rows = [plain("id", str(said["id"])), plain("geometry", kind)]
    for name, value in said["properties"].items():
        cells = cells_of(value)
        rows += [(plain(name if place == 0 else "")[0], cell) for place, cell in enumerate(cells)]
    crumbs = way(_all(), (collection, href("collections", collection)))
    table = Table(("名前 / Name", "値 / Value"), rows)
    return Page(str(said["id"]), crumbs, tables=[table], links=said["links"])


def cells_of(value: Any) -> list[Cell]:
    """A value as cells: one, or one for each feature that it refers to by a link."""
    links = value if isinstance(value, list) else [value]
    if links and all(isinstance(link, dict) and "href" in link for link in links):
        return [(link.get("title") or _id_in(link["href"]), link["href"]) for link in links]
    return [(_text(value), "")]


def _id_in(address: str) -> str:
    """The id of a feature in its address."""
    return unquote(address.partition("?")[0].rpartition("/")[2])


def _text(value: Any) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    return orjson.dumps(value).decode()


def list_page(title: str, head: str, rows: list[tuple[Cell, ...]]) -> Page:
    """A list of one column or more."""
    return Page(title, way(), tables=[Table(tuple(head.split(" | ")), rows)])


def _all() -> Cell:
    return "コレクション / Collections", href("collections")


def _short(crs: str) -> str:
    """The name of a reference system without its address."""
    parts = crs.rsplit("/", 3)
    return f"EPSG:{parts[-1]}" if parts[1:2] == ["EPSG"] else parts[-1]


def _self(item: Mapping[str, Any]) -> str:
    return next((str(link["href"]) for link in item["links"] if link["rel"] == "self"), "")
