"""OGC API Styles (20-009, a draft): the styles there are for what a caller is shown, as documents.

A style of a collection that is hidden is a style that does not exist. A document names only tiles that
its caller may have, and signs and letters that this server has.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, Response, g

from geoshare.api import html, reply
from geoshare.api.context import base_url, caller, check_format, followed, href, services
from geoshare.api.describe import describes
from geoshare.api.params import FormatParams, StyleParams
from geoshare.api.quick import MAX_LAYERS
from geoshare.extracts.terms import attribution
from geoshare.query.styles import (
    DEFAULT_MAP,
    Addresses,
    Style,
    every_style,
    is_collection_style,
    style_document,
    style_metadata,
    style_of,
)

blueprint = Blueprint("styles", __name__)

MAPBOX = "application/vnd.mapbox.style+json"
STYLE_ANSWER = {200: ((MAPBOX, "text/html"), "A MapLibre style document, version 8")}


@blueprint.get("/styles")
@describes(
    "The styles of what you may see",
    params=FormatParams,
    answers={200: (html.JSON_OR_HTML, "The styles")},
    tags=("styles",),
    returns="Styles",
)
def styles(params: FormatParams) -> Response:
    """Maps of many collections, and one style for each of them."""
    found = every_style(services().drawable(caller()))
    return _listed(found, DEFAULT_MAP, params.f)


@blueprint.get("/styles/<style_id>")
@describes("A style as a MapLibre document", params=StyleParams, answers=STYLE_ANSWER, tags=("styles",))
def style(params: StyleParams, style_id: str) -> Response:
    """Its sources are tiles of this server alone."""
    return _document(_style(style_id), params, "styles", style_id)


@blueprint.get("/styles/<style_id>/metadata")
@describes(
    "What a style is for and what it draws",
    params=FormatParams,
    answers={200: (html.JSON_OR_HTML, "The style's metadata")},
    tags=("styles",),
    returns="StyleMetadata",
)
def metadata(params: FormatParams, style_id: str) -> Response:
    """Of the collections that the caller is shown."""
    return _metadata(_style(style_id), params, "styles", style_id)


@blueprint.get("/collections/<collection>/styles")
@describes(
    "The styles of a collection",
    params=FormatParams,
    answers={200: (html.JSON_OR_HTML, "The styles")},
    tags=("styles",),
    returns="Styles",
)
def of_collection(params: FormatParams, collection: str) -> Response:
    """The one that draws it alone."""
    view = services().withholding.get(caller(), collection, "tile")
    found = [item for item in every_style([view]) if item.id == collection]
    default = found[0].id if found else None
    return _listed(found, default, params.f, "collections", collection)


@blueprint.get("/collections/<collection>/styles/<style_id>")
@describes(
    "A style of a collection as a MapLibre document",
    params=StyleParams,
    answers=STYLE_ANSWER,
    tags=("styles",),
)
def style_of_collection(params: StyleParams, collection: str, style_id: str) -> Response:
    """The same as under its plain address."""
    path = ("collections", collection, "styles", style_id)
    return _document(_style(style_id, collection), params, *path)


@blueprint.get("/collections/<collection>/styles/<style_id>/metadata")
@describes(
    "What a style of a collection draws",
    params=FormatParams,
    answers={200: (html.JSON_OR_HTML, "The style's metadata")},
    tags=("styles",),
    returns="StyleMetadata",
)
def metadata_of_collection(params: FormatParams, collection: str, style_id: str) -> Response:
    """The same as under its plain address."""
    path = ("collections", collection, "styles", style_id)
    return _metadata(_style(style_id, collection), params, *path)


def _style(style_id: str, collection: str | None = None) -> Style:
    """The style, for the caller; NotFound, or Withheld where only its tiles are not held."""
    if collection is not None or is_collection_style(style_id):
        view = services().withholding.get(caller(), collection or style_id, "tile")
        found = [item for item in every_style([view]) if item.id == view.collection.name]
        if found and style_id == found[0].id:
            g.named = style_id
            return found[0]
        return style_of(style_id, [])
    found_views = services().drawable(caller())
    made = style_of(style_id, found_views)
    g.named = ",".join(view.collection.name for view in made.views)
    return made


def _document(style: Style, params: StyleParams, *path: str) -> Response:
    if check_format(params.f, "mapbox", "html") == "html":
        return html.shown(_page(style, *path), MAPBOX, "mapbox")
    policy = services().policy(caller(), "tile")
    said = attribution(policy, style.views) if style.views else ""
    made = style_document(style, _addresses(), language=params.language, attribution=said)
    response = reply.json(made, MAPBOX)
    response.headers["Content-Language"] = params.language
    return response


def _addresses() -> Addresses:
    """Addresses that a client follows, with its signed link where it came by one."""
    base = base_url()

    def tiles(names: Sequence[str]) -> str:
        return followed(f"{base}/tiles/{','.join(names)}/{{z}}/{{x}}/{{y}}.mvt")

    def raster(name: str) -> str:
        return followed(f"{base}/raster/{name}.json")

    return Addresses(
        tiles, raster, f"{base}/fonts/{{fontstack}}/{{range}}.pbf", f"{base}/sprites/map", MAX_LAYERS
    )


def _metadata(style: Style, params: FormatParams, *path: str) -> Response:
    links: list[Mapping[str, Any]] = [
        {"rel": "self", "type": "application/json", "href": href(*path, "metadata")},
        {"rel": "stylesheet", "type": MAPBOX, "href": followed(href(*path, f="mapbox"))},
    ]
    made = style_metadata(style, links, _sample)
    rows = [
        html.plain(layer["id"], layer["dataType"], ", ".join(layer.get("propertiesSchema", {})))
        for layer in made["layers"]
    ]
    heads = ("レイヤー / Layer", "種類 / Kind", "使う項目 / Columns used")
    crumbs = html.way(("スタイル / Styles", href("styles")))
    title = html.both(style.title_ja, style.title)
    page = html.Page(title, crumbs, style.description, [html.Table(heads, rows)], links)
    return html.resource(made, page, params.f)


def _sample(collection: str) -> dict[str, str]:
    return {
        "rel": "collection",
        "type": "application/json",
        "href": href("collections", collection),
    }


def _page(style: Style, *path: str) -> html.Page:
    rows: list[tuple[html.Cell, ...]] = [
        (
            (html.both(view.collection.title_ja, view.collection.title), ""),
            (view.collection.name, href("collections", view.collection.name)),
        )
        for view in style.views
    ]
    links: list[Mapping[str, Any]] = [
        {"rel": "stylesheet", "type": MAPBOX, "href": href(*path, f="mapbox"), "title": "MapLibre"},
        {"rel": "describedby", "type": "application/json", "href": href(*path, "metadata", f="json")},
    ]
    heads = ("コレクション / Collection", "ID")
    crumbs = html.way(("スタイル / Styles", href("styles")))
    title = html.both(style.title_ja, style.title)
    return html.Page(title, crumbs, style.description, [html.Table(heads, rows)], links)


def _listed(found: Sequence[Style], default: str | None, wanted: str | None, *base: str) -> Response:
    listed = [
        {
            "id": item.id,
            "title": item.title,
            "title_ja": item.title_ja,
            "description": item.description,
            "links": _links(item, *base),
        }
        for item in found
    ]
    here = {"rel": "self", "type": "application/json", "href": href(*base, "styles")}
    links: list[Mapping[str, Any]] = [here]
    said: dict[str, Any] = {"styles": listed, "links": links}
    if default is not None:
        said["default"] = default
    rows: list[tuple[html.Cell, ...]] = [
        (
            (html.both(item.title_ja, item.title), href(*base, "styles", item.id, f="html")),
            (item.id, ""),
            (item.description, ""),
        )
        for item in found
    ]
    heads = ("スタイル / Style", "ID", "説明 / Description")
    crumbs = html.way(*((base[-1], href(*base)),) if base else ())
    page = html.Page("スタイル / Styles", crumbs, tables=[html.Table(heads, rows)], links=links)
    return html.resource(said, page, wanted)


def _links(item: Style, *base: str) -> list[dict[str, str]]:
    path = (*base, "styles", item.id)
    return [
        {
            "rel": "stylesheet",
            "type": MAPBOX,
            "title": item.title,
            "href": followed(href(*path, f="mapbox")),
        },
        {"rel": "describedby", "type": "application/json", "href": href(*path, "metadata")},
    ]
