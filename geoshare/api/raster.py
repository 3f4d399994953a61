"""Raster tiles of scenes and grids, with their TileJSON, times and legend."""

from __future__ import annotations

from flask import Blueprint, Response

from geoshare.access.view import RasterView
from geoshare.api import reply
from geoshare.api.context import base_url, caller, followed, services
from geoshare.api.describe import NoParams, describes
from geoshare.api.params import RasterParams
from geoshare.api.places import check_place
from geoshare.errors import BadRequest
from geoshare.imagery import MAX_ZOOM
from geoshare.query.tiles import Place
from tiles.matrices import WEB_MERCATOR_QUAD

blueprint = Blueprint("raster", __name__)

MEDIA = {"png": "image/png", "webp": "image/webp", "jpg": "image/jpeg"}


@blueprint.get("/raster/<collection>/<int:z>/<int:x>/<int:y>.<image_format>")
@describes(
    "A raster tile (png, webp or jpg)",
    params=RasterParams,
    answers={200: ("image/png", "The tile"), 204: ("", "Nothing there")},
    tags=("rasters",),
)
def tile(params: RasterParams, collection: str, z: int, x: int, y: int, image_format: str) -> Response:
    """Drawn at no finer resolution than the caller's tier allows."""
    view = services().raster_view(caller(), collection)
    if image_format not in MEDIA:
        raise BadRequest(
            "The image format is not available", parameter="format", allowed=", ".join(MEDIA)
        )
    place = check_place(Place(WEB_MERCATOR_QUAD.id, z, x, y), MAX_ZOOM)
    return map_tile(view, place, params.datetime, params.style, image_format)


@blueprint.get("/raster/<collection>.json")
@describes("TileJSON of a raster collection, with times, styles and legend", tags=("rasters",))
def tilejson(params: NoParams, collection: str) -> Response:
    """What a map client needs to draw it and to fill a time slider."""
    view = services().raster_view(caller(), collection)
    tiles = [followed(f"{base_url()}/raster/{collection}/{{z}}/{{x}}/{{y}}.png")]
    return reply.json({"tilejson": "3.0.0", "tiles": tiles, **services().rasters.describe(view)})


def map_tile(
    view: RasterView, place: Place, when: str | None, style: str | None, image_format: str
) -> Response:
    """A picture, 204 where nothing is."""
    content = services().rasters.tile(view, place, when, style, image_format)
    return reply.body(content or b"", MEDIA[image_format])
