"""Raster tiles of scenes and grids, with their TileJSON, times and legend."""

from __future__ import annotations

from flask import Blueprint, Response

from geoshare.api import reply
from geoshare.api.context import base_url, caller, services
from geoshare.api.describe import NoParams, describes
from geoshare.api.params import RasterParams
from geoshare.api.tiles import check_tile
from geoshare.errors import BadRequest

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
    check_tile(z, x, y)
    content = services().rasters.tile(view, z, x, y, params.datetime, params.style, image_format)
    return reply.body(content, MEDIA[image_format]) if content else reply.empty()


@blueprint.get("/raster/<collection>.json")
@describes("TileJSON of a raster collection, with times, styles and legend", tags=("rasters",))
def tilejson(params: NoParams, collection: str) -> Response:
    """What a map client needs to draw it and to fill a time slider."""
    view = services().raster_view(caller(), collection)
    tiles = [f"{base_url()}/raster/{collection}/{{z}}/{{x}}/{{y}}.png"]
    return reply.json({"tilejson": "3.0.0", "tiles": tiles, **services().rasters.describe(view)})
