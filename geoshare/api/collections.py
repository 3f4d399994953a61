"""Collections and their features, as far as the caller may know."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson
from flask import Blueprint, Response

from geoshare.access.outline import Outline
from geoshare.access.view import RasterView, View
from geoshare.api import catalogue, encodings, html, reply
from geoshare.api.context import base_url, caller, check_format, href, services
from geoshare.api.describe import describes
from geoshare.api.landing import OGC_REL
from geoshare.api.pages import GEOJSON, Made, item_body, page_body
from geoshare.api.params import FormatParams, ItemParams, ItemsParams
from geoshare.api.profiles import REFERENCES
from geoshare.api.schemas import SCHEMA
from geoshare.model.crs import CRS84, offered
from geoshare.query import filters

blueprint = Blueprint("collections", __name__)

ALL_CRS = "#/crs"  # what a collection in a list says of its systems: those of the list


@blueprint.get("/collections")
@describes(
    "The collections you may know",
    params=FormatParams,
    answers={200: (html.JSON_OR_HTML, "The collections")},
    tags=("collections",),
    returns="Collections",
)
def collections(params: FormatParams) -> Response:
    """All of them; there are few."""
    found = services()
    listed = [_metadata(view, [ALL_CRS]) for view in found.listed(caller()).values()]
    links = [
        {"rel": "self", "href": href("collections"), "type": "application/json", "title": "Collections"}
    ]
    listed.append(catalogue.about())
    said = {"links": links, "crs": list(offered()), "collections": listed}
    return html.resource(said, html.collections_page(said), params.f)


@blueprint.get("/collections/<collection>")
@describes(
    "A collection",
    params=FormatParams,
    answers={200: (html.JSON_OR_HTML, "The collection")},
    tags=("collections",),
    returns="Collection",
)
def collection(params: FormatParams, collection: str) -> Response:
    """Its titles, extent and links."""
    said = _metadata(services().any_view(caller(), collection), list(offered()))
    return html.resource(said, html.collection_page(said), params.f)


@blueprint.get("/functions")
@describes(
    "The functions a filter may call besides those of CQL2",
    params=FormatParams,
    answers={200: (html.JSON_OR_HTML, "The functions")},
    tags=("features",),
    returns="Functions",
)
def functions(params: FormatParams) -> Response:
    """The same for everyone: none of them depends on data."""
    found = filters.functions()
    rows = [
        html.plain(item["name"], html.both(item["x-description-ja"], item["description"]))
        for item in found
    ]
    page = html.list_page("関数 / Functions", "名前 / Name | 説明 / Description", rows)
    return html.resource({"functions": found}, page, params.f)


@blueprint.get("/collections/<collection>/items")
@describes(
    "Features of a collection",
    params=ItemsParams,
    answers={
        200: (encodings.MEDIA, "A page of features"),
        410: ("application/problem+json", "It is not known any more what was shown then"),
    },
    tags=("features",),
    returns="FeatureCollection",
)
def items_page(params: ItemsParams, collection: str) -> Response:
    """A page of features, by keyset: stable while the data changes; ``f`` names other formats."""
    form = encodings.wanted(params)
    if form is not None:
        return encodings.answer(params, collection, form)
    return _said(page_body(services(), caller(), base_url(), collection, params))


@blueprint.get("/collections/<collection>/items/<feature_id>")
@describes(
    "One feature",
    params=ItemParams,
    answers={
        200: ((GEOJSON, "text/html"), "The feature"),
        410: ("application/problem+json", "It is not known any more what was shown then"),
    },
    tags=("features",),
    returns="Feature",
)
def item(params: ItemParams, collection: str, feature_id: str) -> Response:
    """One feature by its id."""
    form = check_format("json" if params.f == "geojson" else params.f, "json", "html")
    usual = REFERENCES[2] if form == "html" else REFERENCES[0]
    made = item_body(services(), caller(), base_url(), (collection, feature_id), params, usual)
    if form == "json":
        return _said(made)
    view = services().view_at(caller(), collection, params.as_of)
    known = {column.name: column.property for column in view.columns}
    page = html.feature_page(orjson.loads(made.content), collection, known)
    response = html.shown(page, GEOJSON)
    response.headers.extend(made.headers)
    return response


def _said(made: Made) -> Response:
    kept = reply.encoded(made.content, GEOJSON, reply.encoding(), made.stamp)
    response = reply.send(kept, GEOJSON)
    response.headers.extend(made.headers)
    return response


def _metadata(view: View | RasterView | Outline, crs: list[str]) -> dict[str, Any]:
    about = view.collection
    path = ("collections", about.name)
    links = [
        {"rel": "self", "type": "application/json", "href": href(*path)},
        {"rel": f"{OGC_REL}styles", "type": "application/json", "href": href(*path, "styles")},
    ]
    if about.kind == "vector":
        links += [
            {"rel": "items", "type": "application/geo+json", "href": href(*path, "items")},
            {"rel": "changes", "type": "application/geo+json", "href": href(*path, "changes")},
            {"rel": "describedby", "type": SCHEMA, "href": href(*path, "schema")},
            *(
                {"rel": OGC_REL + name, "type": SCHEMA, "href": href(*path, name)}
                for name in ("schema", "queryables", "sortables")
            ),
            {
                "rel": "tilejson",
                "type": "application/json",
                "href": href("tiles", f"{about.name}.json"),
            },
            {
                "rel": f"{OGC_REL}tilesets-vector",
                "type": "application/json",
                "href": href(*path, "tiles"),
            },
        ]
    else:
        links.append(
            {
                "rel": "tilejson",
                "type": "application/json",
                "href": href("raster", f"{about.name}.json"),
            }
        )
    links.append(
        {
            "rel": f"{OGC_REL}tilesets-map",
            "type": "application/json",
            "href": href(*path, "map", "tiles"),
        }
    )
    found: dict[str, Any] = {
        "id": about.name,
        "title": about.title,
        "title_ja": about.title_ja,
        "description": about.description or about.title,
        "kind": about.kind,
        "itemType": "feature" if about.kind == "vector" else "coverage",
        "geometry": about.geometry,
        "label": about.label if view.has_column(about.label) else "",
        "extent": extent(view),
        "links": links,
    }
    if about.kind == "vector":
        found |= {"crs": crs, "storageCrs": CRS84}
    return found


def extent(view: View | RasterView | Outline) -> dict[str, Any]:
    """The extent of what the caller sees; nothing where there is nothing."""
    found: dict[str, Any] = {}
    if view.extent is not None:
        found["spatial"] = {"bbox": [list(view.extent)], "crs": CRS84}
    if view.time_extent is not None:
        found["temporal"] = {"interval": [[_iso(moment) for moment in view.time_extent]]}
    return found


def _iso(moment_us: int | None) -> str | None:
    if moment_us is None:
        return None
    return datetime.fromtimestamp(moment_us / 1e6, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
