"""OGC API Tiles: tile matrix sets, tile sets of vector and map tiles, and their tiles.

Row comes before column here; the plain addresses of map clients have them the other way round.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, g

from geoshare.access.view import RasterView, View
from geoshare.api import reply
from geoshare.api.context import caller, followed, href, services
from geoshare.api.describe import NoParams, describes
from geoshare.api.drawn import ANSWERS as DRAWN
from geoshare.api.drawn import drawn_tile, known_views, styled_views
from geoshare.api.landing import OGC_REL
from geoshare.api.params import (
    DatasetMapParams,
    DatasetMapTileParams,
    DatasetParams,
    DatasetTilesParams,
    MapTileParams,
    VectorTileParams,
)
from geoshare.api.places import check_place, matrix_set, views_of
from geoshare.api.quick import MAX_LAYERS, MVT
from geoshare.api.raster import MEDIA, map_tile
from geoshare.api.tiles import ANSWERS, vector_tile
from geoshare.errors import BadRequest
from geoshare.imagery import MAX_ZOOM as MAX_MAP_ZOOM
from geoshare.query import tilesets
from geoshare.query.styles import DEFAULT_MAP
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
@describes("The map tile sets of a collection", tags=("rasters",))
def map_sets(params: NoParams, collection: str) -> Response:
    """One for each tile matrix set."""
    view = _drawn_view(collection)
    path = ("collections", collection, "map", "tiles")
    return reply.json(_listed("map", view.collection.title, *path))


@blueprint.get("/collections/<collection>/map/tiles/<matrix_set_id>")
@describes("A map tile set of a collection", tags=("rasters",))
def map_set(params: NoParams, collection: str, matrix_set_id: str) -> Response:
    """Limits and addresses."""
    view = _drawn_view(collection)
    matrices = matrix_set(matrix_set_id)
    links = _set_links("map", matrices, "collections", collection, "map", "tiles")
    if isinstance(view, View):
        return reply.json(tilesets.drawn_tile_set([view], matrices, links))
    zooms = services().rasters.zooms(view)
    return reply.json(tilesets.map_tile_set(view, matrices, zooms, links))


@blueprint.get("/collections/<collection>/map/tiles/<matrix_set_id>/<int:z>/<int:row>/<int:column>")
@describes(
    "A map tile (png, webp or jpg)",
    params=MapTileParams,
    answers={200: (tuple(MEDIA.values()), "The tile"), 204: ("", "Nothing there")},
    tags=("rasters",),
)
def picture(
    params: MapTileParams, collection: str, matrix_set_id: str, z: int, row: int, column: int
) -> Response:
    """Drawn from the caller's view: vectors in their style, rasters at the resolution allowed."""
    view = _drawn_view(collection)
    if isinstance(view, RasterView):
        place = _place(matrix_set_id, z, row, column, MAX_MAP_ZOOM)
        return map_tile(view, place, params.datetime, params.style, params.f)
    place = _place(matrix_set_id, z, row, column, MAX_ZOOM)
    return drawn_tile([view], place, params, params.f)


@blueprint.get("/map/tiles")
@describes("The map tile sets of all vector collections together", tags=("tiles",))
def dataset_map_sets(params: NoParams) -> Response:
    """One for each tile matrix set."""
    return reply.json(_listed("map", "geoshare", "map", "tiles"))


@blueprint.get("/map/tiles/<matrix_set_id>")
@describes("A map tile set of several vector collections", params=DatasetMapParams, tags=("tiles",))
def dataset_map_set(params: DatasetMapParams, matrix_set_id: str) -> Response:
    """Of the collections named, else of those of the style."""
    matrices = matrix_set(matrix_set_id)
    views = _map_views(params)
    links = _set_links("map", matrices, "map", "tiles", collections=params.collections)
    return reply.json(tilesets.drawn_tile_set(views, matrices, links))


@blueprint.get("/map/tiles/<matrix_set_id>/<int:z>/<int:row>/<int:column>")
@describes(
    "A map tile of several vector collections",
    params=DatasetMapTileParams,
    answers=DRAWN,
    tags=("tiles",),
)
def dataset_picture(
    params: DatasetMapTileParams, matrix_set_id: str, z: int, row: int, column: int
) -> Response:
    """Drawn over each other in the style's order."""
    views = _map_views(params)
    place = _place(matrix_set_id, z, row, column, MAX_ZOOM)
    plain = params.model_copy(update={"style": None})
    return drawn_tile(views, place, plain, params.f)


def _map_views(params: DatasetMapParams) -> list[View]:
    if params.collections is None:
        return styled_views(params.style or DEFAULT_MAP)
    if params.style is not None:
        raise BadRequest(
            "Give collections or a style", parameter="style", allowed="nothing beside collections"
        )
    g.named = _names(params.collections)
    return views_of(g.named)


def _drawn_view(collection: str) -> View | RasterView:
    """What the caller sees of a collection of any kind, as tiles."""
    about = services().visible(caller()).get(collection)
    if about is not None and about.kind == "vector":
        return services().view(caller(), collection, "tile")
    return services().raster_view(caller(), collection)


def _place(matrix_set_id: str, z: int, row: int, column: int, deepest: int) -> Place:
    return check_place(Place(matrix_set(matrix_set_id).id, z, column, row), deepest, _NAMES)


def _dataset_views(params: DatasetParams) -> list[View]:
    if params.collections:
        g.named = _names(params.collections)
        return views_of(g.named)
    views = known_views()[:MAX_LAYERS]
    g.named = ",".join(view.collection.name for view in views)
    return views


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
    here, base = href(*path, matrices.id), path[:2] if path[0] == "collections" else ()
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
        _link(OGC_REL + "styles", "application/json", *base, "styles"),
        *items,
    ]


def _link(rel: str, media: str, *path: str) -> dict[str, str]:
    return {"rel": rel, "type": media, "href": href(*path)}
