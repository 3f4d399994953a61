"""OGC API Tiles: tile matrix sets, tile sets of vector and map tiles, and their tiles.

Row comes before column here; the plain addresses of map clients have them the other way round.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, g

from geoshare.access.view import View
from geoshare.api import reply
from geoshare.api.context import caller, followed, href, services
from geoshare.api.describe import NoParams, describes
from geoshare.api.landing import OGC_REL
from geoshare.api.params import DatasetParams, DatasetTilesParams, MapTileParams, VectorTileParams
from geoshare.api.places import check_place, matrix_set, views_of
from geoshare.api.quick import MAX_LAYERS, MVT
from geoshare.api.raster import MEDIA, map_tile
from geoshare.api.tiles import ANSWERS, vector_tile
from geoshare.imagery import MAX_ZOOM as MAX_MAP_ZOOM
from geoshare.query import tilesets
from geoshare.query.tiles import MAX_ZOOM, Place
from tiles.matrices import MATRIX_SETS, MatrixSet, definition

blueprint = Blueprint("tilesets", __name__)

TMS_JSON = "application/json"
_NAMES = ("tileMatrix", "tileCol", "tileRow")
_TEMPLATE = "/{tileMatrix}/{tileRow}/{tileCol}"


@blueprint.get("/tileMatrixSets")
@describes("The tile matrix sets that tiles are offered in", tags=("tiles",))
def matrix_sets(params: NoParams) -> Response:
    """The same for everybody."""
    listed = []
    for name in MATRIX_SETS:
        said = definition(MATRIX_SETS[name])
        short = {key: said[key] for key in ("id", "title", "uri", "crs") if key in said}
        listed.append(short | {"links": [_link("self", TMS_JSON, "tileMatrixSets", name)]})
    return reply.json({"tileMatrixSets": listed})


@blueprint.get("/tileMatrixSets/<matrix_set_id>")
@describes("A tile matrix set", tags=("tiles",))
def matrix_set_definition(params: NoParams, matrix_set_id: str) -> Response:
    """Coordinates are in the official order of the axes of its CRS."""
    return reply.json(definition(matrix_set(matrix_set_id)))


@blueprint.get("/collections/<collection>/tiles")
@describes("The vector tile sets of a collection", tags=("tiles",))
def vector_sets(params: NoParams, collection: str) -> Response:
    """One for each tile matrix set."""
    [view] = views_of(collection)
    return reply.json(_listed("vector", view.collection.title, "collections", collection, "tiles"))


@blueprint.get("/collections/<collection>/tiles/<matrix_set_id>")
@describes("A vector tile set of a collection", tags=("tiles",))
def vector_set(params: NoParams, collection: str, matrix_set_id: str) -> Response:
    """Layers, limits and addresses."""
    views = views_of(collection)
    return _vector_set(views, matrix_set(matrix_set_id), "collections", collection, "tiles")


@blueprint.get("/collections/<collection>/tiles/<matrix_set_id>/<int:z>/<int:row>/<int:column>")
@describes("A vector tile", params=VectorTileParams, answers=ANSWERS, tags=("tiles",))
def tile(
    params: VectorTileParams, collection: str, matrix_set_id: str, z: int, row: int, column: int
) -> Response:
    """The same tile as under the plain address, in any of the tile matrix sets."""
    views = views_of(collection)
    place = _place(matrix_set_id, z, row, column, MAX_ZOOM)
    return vector_tile(views, place, params.datetime)


@blueprint.get("/tiles")
@describes("The vector tile sets of all collections together", tags=("tiles",))
def dataset_sets(params: NoParams) -> Response:
    """One for each tile matrix set."""
    return reply.json(_listed("vector", "geoshare", "tiles"))


@blueprint.get("/tiles/<matrix_set_id>")
@describes("A vector tile set of several collections", params=DatasetParams, tags=("tiles",))
def dataset_set(params: DatasetParams, matrix_set_id: str) -> Response:
    """Of the collections named, else of all the caller may know."""
    views = _dataset_views(params)
    found = matrix_set(matrix_set_id)
    return _vector_set(views, found, "tiles", collections=params.collections)


@blueprint.get("/tiles/<matrix_set_id>/<int:z>/<int:row>/<int:column>")
@describes(
    "A vector tile of several collections", params=DatasetTilesParams, answers=ANSWERS, tags=("tiles",)
)
def dataset_tile(
    params: DatasetTilesParams, matrix_set_id: str, z: int, row: int, column: int
) -> Response:
    """One layer for each collection that has anything there."""
    views = _dataset_views(params)
    place = _place(matrix_set_id, z, row, column, MAX_ZOOM)
    return vector_tile(views, place, params.datetime)


@blueprint.get("/collections/<collection>/map/tiles")
@describes("The map tile sets of a raster collection", tags=("rasters",))
def map_sets(params: NoParams, collection: str) -> Response:
    """One for each tile matrix set."""
    view = services().raster_view(caller(), collection)
    path = ("collections", collection, "map", "tiles")
    return reply.json(_listed("map", view.collection.title, *path))


@blueprint.get("/collections/<collection>/map/tiles/<matrix_set_id>")
@describes("A map tile set of a raster collection", tags=("rasters",))
def map_set(params: NoParams, collection: str, matrix_set_id: str) -> Response:
    """Limits and addresses."""
    view = services().raster_view(caller(), collection)
    matrices = matrix_set(matrix_set_id)
    zooms = services().rasters.zooms(view)
    path = ("collections", collection, "map", "tiles")
    links = _set_links("map", matrices, *path)
    return reply.json(tilesets.map_tile_set(view, matrices, zooms, links))


@blueprint.get("/collections/<collection>/map/tiles/<matrix_set_id>/<int:z>/<int:row>/<int:column>")
@describes(
    "A map tile (png, webp or jpg)",
    params=MapTileParams,
    answers={200: ("image/png", "The tile"), 204: ("", "Nothing there")},
    tags=("rasters",),
)
def picture(
    params: MapTileParams, collection: str, matrix_set_id: str, z: int, row: int, column: int
) -> Response:
    """Drawn at no finer resolution than the caller's tier allows."""
    view = services().raster_view(caller(), collection)
    place = _place(matrix_set_id, z, row, column, MAX_MAP_ZOOM)
    return map_tile(view, place, params.datetime, params.style, params.f)


def _place(matrix_set_id: str, z: int, row: int, column: int, deepest: int) -> Place:
    return check_place(Place(matrix_set(matrix_set_id).id, z, column, row), deepest, _NAMES)


def _dataset_views(params: DatasetParams) -> list[View]:
    if params.collections:
        g.named = _names(params.collections)
        return views_of(g.named)
    policy = services().policy(caller(), "tile")
    known = services().visible(caller()).items()
    names = [name for name, about in known if about.kind == "vector" and policy.allows(name)]
    g.named = ",".join(names[:MAX_LAYERS])
    return views_of(g.named) if names else []


def _names(said: str) -> str:
    """Names of collections; one may also be said by its address (OGC 20-057, collections-selection)."""
    here = href("collections") + "/"
    return ",".join(name.removeprefix(here) for name in said.split(","))


def _listed(kind: str, title: str, *path: str) -> dict[str, Any]:
    found = []
    for matrices in MATRIX_SETS.values():
        links = _set_links(kind, matrices, *path)
        found.append(tilesets.tile_set_item([title], kind, matrices, links))
    return {"links": [_link("self", "application/json", *path)], "tilesets": found}


def _vector_set(
    views: list[View], matrices: MatrixSet, *path: str, collections: str | None = None
) -> Response:
    links = _set_links("vector", matrices, *path, collections=collections)
    return reply.json(tilesets.tile_set(views, matrices, links))


def _set_links(
    kind: str, matrices: MatrixSet, *path: str, collections: str | None = None
) -> list[dict[str, Any]]:
    """Of a tile set: itself, its tiles and the definition of its matrices."""
    here = href(*path, matrices.id)
    chosen = href(collections=collections).rpartition("/")[2]
    formats = {MVT: "mvt"} if kind == "vector" else {media: name for name, media in MEDIA.items()}
    items = [
        {
            "rel": "item",
            "type": media,
            "href": followed(f"{here}{_TEMPLATE}{chosen}{'&' if chosen else '?'}f={name}"),
            "templated": True,
        }
        for media, name in formats.items()
    ]
    return [
        {"rel": "self", "type": "application/json", "href": here + chosen},
        _link(OGC_REL + "tiling-scheme", TMS_JSON, "tileMatrixSets", matrices.id),
        *items,
    ]


def _link(rel: str, media: str, *path: str) -> dict[str, str]:
    return {"rel": rel, "type": media, "href": href(*path)}
