"""Vector tiles under the plain addresses of map clients, and their TileJSON."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint, Response

from geoshare.access.view import View
from geoshare.api import reply
from geoshare.api.context import base_url, caller, followed, services
from geoshare.api.describe import NoParams, describes
from geoshare.api.params import TimeParams
from geoshare.api.places import check_place, views_of
from geoshare.api.quick import MVT
from geoshare.extracts.terms import attribution
from geoshare.model.times import parse_interval
from geoshare.query import tilesets
from geoshare.query.tiles import Place
from geoshare.services.bodies import Kept
from tiles.matrices import WEB_MERCATOR_QUAD

blueprint = Blueprint("tiles", __name__)

ANSWERS = {200: (MVT, "The tile"), 204: ("", "Nothing there")}


@blueprint.get("/tiles/<collections>/<int:z>/<int:x>/<int:y>.mvt")
@describes(
    "A vector tile of one or several collections (comma-separated)",
    params=TimeParams,
    answers=ANSWERS,
    tags=("tiles",),
)
def tile(params: TimeParams, collections: str, z: int, x: int, y: int) -> Response:
    """Computed from the caller's views; the buffer too."""
    place = check_place(Place(WEB_MERCATOR_QUAD.id, z, x, y))
    return vector_tile(views_of(collections), place, params.datetime)


@blueprint.get("/tiles/<collections>.json")
@describes("TileJSON 3 of one or several collections (comma-separated)", tags=("tiles",))
def tilejson(params: NoParams, collections: str) -> Response:
    """Layers, fields, bounds and what is left out where, as the caller sees them."""
    views = views_of(collections)
    names = ",".join(view.collection.name for view in views)
    address = f"{base_url()}/tiles/{names}/{{z}}/{{x}}/{{y}}.mvt"
    said = attribution(services().policy(caller(), "tile"), views)
    return reply.json(tilesets.tilejson(views, followed(address), said))


def vector_tile(views: Sequence[View], place: Place, when: str | None) -> Response:
    """The kept tile, or a new one; 204 where it is empty."""
    coding = reply.encoding()
    interval = None if when is None else parse_interval(when)

    def finish(content: bytes) -> Kept:
        return reply.encoded(content, MVT, coding)

    return reply.send(services().tiles.answer(views, place, coding, finish, interval), MVT)
