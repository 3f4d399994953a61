"""Vector tiles and their TileJSON."""

from __future__ import annotations

from flask import Blueprint, Response

from geoshare.api import reply
from geoshare.api.context import base_url, caller, services
from geoshare.api.describe import NoParams, describes
from geoshare.api.quick import MVT, tile_key
from geoshare.errors import BadRequest, NotFound
from geoshare.query.tiles import MAX_ZOOM, vector_tile
from geoshare.services.bodies import Kept

blueprint = Blueprint("tiles", __name__)

MAX_LAYERS = 32


@blueprint.get("/tiles/<collections>/<int:z>/<int:x>/<int:y>.mvt")
@describes(
    "A vector tile of one or several collections (comma-separated)",
    answers={200: (MVT, "The tile"), 204: ("", "Nothing there")},
    tags=("tiles",),
)
def tile(params: NoParams, collections: str, z: int, x: int, y: int) -> Response:
    """Computed from the caller's views; the buffer too."""
    check_tile(z, x, y)
    views = [services().view(caller(), name) for name in _names(collections)]
    coding = reply.encoding()

    def make() -> Kept:
        return reply.encoded(vector_tile(views, z, x, y), MVT, coding)

    return reply.send(services().bodies.get_or_make(tile_key(views, z, x, y, coding), make), MVT)


@blueprint.get("/tiles/<collections>.json")
@describes("TileJSON 3 of one or several collections (comma-separated)", tags=("tiles",))
def tilejson(params: NoParams, collections: str) -> Response:
    """Layers, fields and bounds as the caller sees them."""
    found = services()
    names = _names(collections)
    views = [found.view(caller(), name) for name in names]
    boxes = [view.extent for view in views if view.extent is not None]
    document = {
        "tilejson": "3.0.0",
        "name": ", ".join(names),
        "scheme": "xyz",
        "minzoom": 0,
        "maxzoom": MAX_ZOOM,
        "tiles": [f"{base_url()}/tiles/{','.join(names)}/{{z}}/{{x}}/{{y}}.mvt"],
        "vector_layers": [
            {
                "id": view.collection.name,
                "description": view.collection.title,
                "fields": {column.name: str(column.kind) for column in view.columns},
            }
            for view in views
        ],
    }
    if boxes:
        document["bounds"] = [
            min(box.west for box in boxes),
            min(box.south for box in boxes),
            max(box.east for box in boxes),
            max(box.north for box in boxes),
        ]
    return reply.json(document)


def check_tile(z: int, x: int, y: int) -> None:
    """Refuse a tile that is not in the matrix."""
    if z > MAX_ZOOM:
        raise BadRequest("The zoom is too deep", parameter="z", allowed=f"0 to {MAX_ZOOM}")
    for name, value in (("x", x), ("y", y)):
        if value >= 1 << z:
            raise BadRequest(
                "The tile is outside the matrix", parameter=name, allowed=f"0 to {(1 << z) - 1}"
            )


def _names(collections: str) -> list[str]:
    names = collections.split(",")
    if len(names) > MAX_LAYERS or len(set(names)) != len(names):
        raise BadRequest(
            "Too many or repeated collections",
            parameter="collections",
            allowed=f"1 to {MAX_LAYERS} different names",
        )
    for name in names:
        if services().collection(caller(), name).kind != "vector":
            raise NotFound("No such collection")
    return names
