"""Collections and their features, as far as the caller may know."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, Response

from geoshare.access.outline import Outline
from geoshare.access.view import RasterView, View
from geoshare.api import reply
from geoshare.api.context import base_url, caller, href, services
from geoshare.api.describe import NoParams, describes
from geoshare.api.landing import OGC_REL
from geoshare.api.pages import GEOJSON, page_body
from geoshare.api.params import ItemsParams
from geoshare.errors import NotFound
from geoshare.query import filters

blueprint = Blueprint("collections", __name__)

CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"


@blueprint.get("/collections")
@describes("The collections you may know", tags=("collections",))
def collections(params: NoParams) -> Response:
    """All of them; there are few."""
    found = services()
    listed = [_metadata(view) for view in found.outlines(caller()).values()]
    links = [
        {"rel": "self", "href": href("collections"), "type": "application/json", "title": "Collections"}
    ]
    return reply.json({"links": links, "collections": listed})


@blueprint.get("/collections/<collection>")
@describes("A collection", tags=("collections",))
def collection(params: NoParams, collection: str) -> Response:
    """Its titles, extent and links."""
    return reply.json(_metadata(services().any_view(caller(), collection)))


@blueprint.get("/collections/<collection>/schema")
@describes("The JSON Schema of a collection's features", tags=("collections",))
def schema(params: NoParams, collection: str) -> Response:
    """Only the properties the caller may see."""
    return reply.json(services().any_view(caller(), collection).schema(), "application/schema+json")


@blueprint.get("/collections/<collection>/queryables")
@describes("What a filter may name", tags=("collections",))
def queryables(params: NoParams, collection: str) -> Response:
    """The visible properties again: every one of them can be filtered on."""
    view = services().any_view(caller(), collection)
    address = href("collections", collection, "queryables")
    if isinstance(view, View):
        found = filters.queryables(view.schema(), view.collection.geometry, address)
    else:
        found = {**view.schema(), "$id": address}
    return reply.json(found, "application/schema+json")


@blueprint.get("/functions")
@describes("The functions a filter may call besides those of CQL2", tags=("features",))
def functions(params: NoParams) -> Response:
    """The same for everyone: none of them depends on data."""
    return reply.json({"functions": filters.functions()})


@blueprint.get("/collections/<collection>/items")
@describes(
    "Features of a collection",
    params=ItemsParams,
    answers={200: (GEOJSON, "A page of features")},
    tags=("features",),
)
def items_page(params: ItemsParams, collection: str) -> Response:
    """A page of features, by keyset: stable while the data changes."""
    content = page_body(services(), caller(), base_url(), collection, params)
    return reply.body(content, GEOJSON)


@blueprint.get("/collections/<collection>/items/<feature_id>")
@describes("One feature", answers={200: (GEOJSON, "The feature")}, tags=("features",))
def item(params: NoParams, collection: str, feature_id: str) -> Response:
    """One feature by its id."""
    view = services().view(caller(), collection)
    rows = view.lookup([feature_id])
    if len(rows) == 0:
        raise NotFound("No such feature")
    return reply.body(view.geojson(rows), GEOJSON)


def _metadata(view: View | RasterView | Outline) -> dict[str, Any]:
    about = view.collection
    path = ("collections", about.name)
    links = [{"rel": "self", "type": "application/json", "href": href(*path)}]
    if about.kind == "vector":
        links += [
            {"rel": "items", "type": "application/geo+json", "href": href(*path, "items")},
            {"rel": "changes", "type": "application/geo+json", "href": href(*path, "changes")},
            {"rel": "describedby", "type": "application/schema+json", "href": href(*path, "schema")},
            {
                "rel": f"{OGC_REL}queryables",
                "type": "application/schema+json",
                "href": href(*path, "queryables"),
            },
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
    return {
        "id": about.name,
        "title": about.title,
        "title_ja": about.title_ja,
        "description": about.description or about.title,
        "kind": about.kind,
        "itemType": "feature",
        "geometry": about.geometry,
        "label": about.label if view.has_column(about.label) else "",
        "crs": [CRS84],
        "extent": extent(view),
        "links": links,
    }


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
