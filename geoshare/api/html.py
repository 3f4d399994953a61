"""Plain pages of what else is JSON: quick, bilingual, and of use without scripts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote, unquote, urlencode

from flask import Response, g, render_template, request

from geoshare.api import reply
from geoshare.api.cells import both, named, relation, shape_of, system_of, unit_of, valued
from geoshare.api.context import base_url, check_format, href
from geoshare.api.picture import Drawn, box_of, drawn, stated
from geoshare.api.reply import HTML
from geoshare.model.collections import Property

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

JSON_OR_HTML = ("application/json", "text/html")
Cell = tuple[str, str]  # a text, and where it leads to (empty: nowhere)
ITEMS: Cell = ("地物 / Items", "")


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
    links: Sequence[Mapping[str, Any]] = ()
    drawn: Drawn | None = None


def resource(value: Any, page: Page, wanted: str | None, media: str = "application/json") -> Response:
    """The resource as JSON, or as a page where ``f`` or ``Accept`` asks for one."""
    if check_format(wanted, "json", "html") == "html":
        return shown(page, media)
    g.as_page = lambda: address_of("html")
    return reply.json(value, media)


def shown(page: Page, media: str = "application/json", form: str = "json") -> Response:
    """The page; ``media`` and ``form`` are the type and the name of what programs get instead."""
    return reply.body(drawn_page(page, media, form), HTML)


def drawn_page(page: Page, media: str, form: str = "json") -> bytes:
    """The page as HTML, which leads to the same as programs get it."""
    page = replace(page, links=[{**link, "title": relation(link)} for link in page.links])
    said = {"page": page, "media": media.partition(";")[0], "same": address_of(form)}
    return render_template("resource.html", base=base_url(), **said).encode()


def address_of(form: str) -> str:
    """The address that is asked, in another format."""
    query = [(name, value) for name, value in request.args.items(multi=True) if name != "f"]
    path = quote(request.path, safe="/:,@")
    return f"{base_url()}{path}?{urlencode([*query, ('f', form)])}"


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
            unit_of(str(part.get("x-ogc-unit", ""))),
            str(part.get("x-ogc-role", "")),
        )
        for name, part in schema.get("properties", {}).items()
    ]
    return Table(heads, rows)


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
        ("座標参照系 / Reference systems", [system_of(name) for name in said.get("crs", [])]),
    ]
    rows = [plain(name, ", ".join(texts)) for name, texts in facts if texts]
    title = both(said.get("title_ja"), said["title"])
    crumbs = way(all_collections())
    table = Table(("項目 / Item", "値 / Value"), rows)
    picture = drawn([said["id"]], stated(next(iter(found.get("spatial", {}).get("bbox", [])), None)))
    return Page(title, crumbs, str(said.get("description", "")), [table], said["links"], picture)


def schema_page(said: Mapping[str, Any], collection: str, name: str) -> Page:
    """The properties of a collection, or those one may filter or sort by."""
    crumbs = way(all_collections(), (collection, href("collections", collection)))
    return Page(name, crumbs, both(said.get("x-title-ja"), said.get("title")), [properties(said)])


def feature_page(
    said: Mapping[str, Any], collection: str, properties: Mapping[str, Property] | None = None
) -> Page:
    """One feature: its values, in the words of ``properties``, and where it is."""
    geometry = said.get("geometry") or said.get("place") or {}
    known = properties or {}
    rows: list[tuple[Cell, ...]] = [plain("ID", str(said["id"]), "id")]
    rows.append(plain("形状 / Geometry", shape_of(geometry), "geometry"))
    for name, value in said["properties"].items():
        about = known.get(name)
        for place, cell in enumerate(cells_of(value, about)):
            rows.append((*plain(named(about, name) if place == 0 else ""), cell, *plain(name)))
    here = href("collections", collection)
    crumbs = way(all_collections(), (collection, here), (ITEMS[0], f"{here}/items"))
    table = Table(("名前 / Name", "値 / Value", "項目 / Key"), rows)
    picture = drawn([collection], box_of([said.get("geometry")]))
    return Page(str(said["id"]), crumbs, "", [table], said["links"], picture)


def cells_of(value: Any, about: Property | None = None) -> list[Cell]:
    """A value as cells: one, or one for each feature that it refers to by a link."""
    links = value if isinstance(value, list) else [value]
    if links and all(isinstance(link, dict) and "href" in link for link in links):
        return [(link.get("title") or _id_in(link["href"]), link["href"]) for link in links]
    return [(valued(about, value), "")]


def _id_in(address: str) -> str:
    """The id of a feature in its address."""
    return unquote(address.partition("?")[0].rpartition("/")[2])


def list_page(title: str, head: str, rows: list[tuple[Cell, ...]]) -> Page:
    """A list of one column or more."""
    return Page(title, way(), tables=[Table(tuple(head.split(" | ")), rows)])


def all_collections() -> Cell:
    """A crumb that leads to the list of collections."""
    return "コレクション / Collections", href("collections")


def _self(item: Mapping[str, Any]) -> str:
    return next((str(link["href"]) for link in item["links"] if link["rel"] == "self"), "")
