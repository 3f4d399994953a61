"""Letters and signs that style documents name: the same for everybody, and of no collection."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

import orjson
from flask import Blueprint, Response

from geoshare.api import reply
from geoshare.api.context import services
from geoshare.api.describe import NoParams, describes
from geoshare.errors import BadRequest, NotFound
from geoshare.extracts.maps.glyphs import LAST, RANGE, font_of
from geoshare.extracts.maps.sprite import sprite
from geoshare.services.bodies import Kept
from geoshare.services.lettering import Lettering

blueprint = Blueprint("lettering", __name__)

PBF: Final = "application/x-protobuf"
A_DAY: Final = "public, max-age=86400"
_KEPT: Final = 128  # ranges, of 60 to 200 KB
_RANGE: Final = re.compile(r"(\d{1,5})-(\d{1,5})", re.ASCII)
_SPRITE: Final = re.compile(r"map(@2x)?\.(json|png)")


@blueprint.get("/fonts/<fontstack>/<span>.pbf")
@describes(
    "Letters of a font as signed distance fields, 256 characters at a time",
    answers={200: (PBF, "The letters")},
    tags=("styles",),
)
def letters(params: NoParams, fontstack: str, span: str) -> Response:
    """Of the first font of a comma-separated list that is here."""
    found = _RANGE.fullmatch(span)
    first, last = (int(found[1]), int(found[2])) if found else (1, 0)
    if first % RANGE or last != first + RANGE - 1 or last > LAST:
        raise BadRequest(
            "There is no such range",
            parameter="range",
            allowed="0-255, 256-511 ... 65280-65535",
        )
    return _lasting(_letters(services().lettering, font_of(fontstack), first, reply.encoding()), PBF)


@blueprint.get("/sprites/<name>")
@describes(
    "The signs of the map: map.png and map@2x.png, and where each is in map.json and map@2x.json",
    answers={200: (("image/png", "application/json"), "The signs")},
    tags=("styles",),
)
def signs(params: NoParams, name: str) -> Response:
    """Drawn once in a process."""
    found = _SPRITE.fullmatch(name)
    if found is None:
        raise NotFound("No such file")
    media = "image/png" if found[2] == "png" else "application/json"
    return _lasting(_signs(2 if found[1] else 1, media, reply.encoding()), media)


@lru_cache(maxsize=_KEPT)
def _letters(lettering: Lettering, font: str, first: int, coding: str) -> Kept:
    return reply.encoded(lettering.letters(font, first), PBF, coding)


@lru_cache(maxsize=16)
def _signs(ratio: int, media: str, coding: str) -> Kept:
    made = sprite(ratio)
    content = made.picture if media == "image/png" else orjson.dumps(made.places)
    return reply.encoded(content, media, coding)


def _lasting(kept: Kept, media: str) -> Response:
    """An answer that clients need not ask for again the same day."""
    response = reply.send(kept, media)
    response.headers["Cache-Control"] = A_DAY
    return response
