"""Tiles drawn from vectors, under the plain addresses of map clients; what all drawn tiles share."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint, Response, g

from geoshare.access.view import View
from geoshare.api import reply
from geoshare.api.context import caller, services
from geoshare.api.describe import Answers, describes
from geoshare.api.params import DrawnParams
from geoshare.api.places import check_place, views_of
from geoshare.api.quick import MAX_LAYERS
from geoshare.drawing import tile_frame
from geoshare.errors import BadRequest
from geoshare.model.times import parse_interval
from geoshare.query.styles import style_of
from geoshare.query.tiles import Place
from geoshare.services.bodies import Kept
from geoshare.services.pictures import picture_of
from tiles.image import MEDIA_TYPES
from tiles.matrices import WEB_MERCATOR_QUAD

blueprint = Blueprint("drawn", __name__)

FORMATS = tuple(MEDIA_TYPES)
ANSWERS: Answers = {200: (tuple(MEDIA_TYPES.values()), "The tile"), 204: ("", "Nothing there")}
DEFAULT = "default"


@blueprint.get("/tiles/<collections>/<int:z>/<int:x>/<int:y>.<image_format>")
@describes(
    "A picture tile drawn from one or several vector collections (comma-separated)",
    params=DrawnParams,
    answers=ANSWERS,
    tags=("tiles",),
)
def tile(params: DrawnParams, collections: str, z: int, x: int, y: int, image_format: str) -> Response:
    """256 pixels to a side, drawn from the caller's views."""
    return _plain(params, collections, (z, x, y), image_format, 1.0)


@blueprint.get("/tiles/<collections>/<int:z>/<int:x>/<int:y>@2x.<image_format>")
@describes(
    "The same tile for screens of small pixels",
    params=DrawnParams,
    answers=ANSWERS,
    tags=("tiles",),
)
def large_tile(
    params: DrawnParams, collections: str, z: int, x: int, y: int, image_format: str
) -> Response:
    """512 pixels to a side."""
    return _plain(params, collections, (z, x, y), image_format, 2.0)


def _plain(
    params: DrawnParams,
    collections: str,
    tile: tuple[int, int, int],
    image_format: str,
    ratio: float,
) -> Response:
    views = views_of(collections)
    if image_format not in FORMATS:
        raise BadRequest(
            "The image format is not available", parameter="format", allowed=", ".join(FORMATS)
        )
    place = check_place(Place(WEB_MERCATOR_QUAD.id, *tile))
    return drawn_tile(views, place, params, image_format, ratio=ratio)


def drawn_tile(
    views: Sequence[View],
    place: Place,
    params: DrawnParams,
    image_format: str,
    *,
    ratio: float = 1.0,
) -> Response:
    """The kept picture, or a new one; 204 where it is empty."""
    made, media = kept_tile(views, place, params, image_format, ratio=ratio)
    return reply.send(made, media)


def kept_tile(
    views: Sequence[View],
    place: Place,
    params: DrawnParams,
    image_format: str,
    *,
    ratio: float = 1.0,
) -> tuple[Kept, str]:
    """The picture as it is kept, and its media type; no bytes where it is empty."""
    interval = parse_interval(params.datetime) if params.datetime else None
    check_style(views, params.style)
    picture = picture_of(
        tile_frame(place, ratio=ratio),
        views,
        image_format=image_format,
        language=params.language,
    )
    media = MEDIA_TYPES[image_format]

    def finish(content: bytes) -> Kept:
        return reply.encoded(content, media, "")

    return services().pictures.answer(views, picture, image_format, finish, interval), media


def check_style(views: Sequence[View], style: str | None) -> None:
    """Raise BadRequest for a style that these collections are not drawn in."""
    names = [DEFAULT, *([views[0].collection.name] if len(views) == 1 else [])]
    if style is not None and style not in names:
        raise BadRequest("No such style", parameter="style", allowed=", ".join(names))


def known_views() -> list[View]:
    """Views of all vector collections that the caller may see as tiles."""
    return [view for view in services().drawable(caller()) if isinstance(view, View)]


def styled_views(style: str) -> list[View]:
    """What a map of several collections shows: those that its style does not leave to be switched on.

    Raises
    ------
    NotFound
        where there is no such style, as far as the caller may know.
    """
    views = known_views()
    found = style_of(style, views)
    shown = {view.collection.name for view in found.views} - found.hidden
    chosen = [view for view in views if view.collection.name in shown][:MAX_LAYERS]
    g.named = ",".join(view.collection.name for view in chosen)
    return chosen
