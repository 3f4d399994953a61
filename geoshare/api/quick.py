"""The short way to a tile that is kept: the same checks as every request, without the framework.

Credential, policy, quota and view come first here too; a request that is anything but plain, or whose
answer is not kept, goes the usual way, which makes the answer and keeps it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask

from geoshare.access.credentials import Principal
from geoshare.api import reply
from geoshare.api.admit import Environ, admit, note_read
from geoshare.errors import BadRequest
from geoshare.query.tiles import Place
from geoshare.services import Services
from geoshare.services.bodies import Kept
from tiles.matrices import WEB_MERCATOR_QUAD

TILE = "tiles.tile"  # the endpoint that is answered here
MAX_LAYERS = 32
MVT = "application/vnd.mapbox-vector-tile"
_NOT_PLAIN = ("HTTP_ORIGIN", "HTTP_RANGE")
_PARTS = 6  # of "/tiles/a,b/z/x/y.mvt"

StartResponse = Callable[..., Any]


class QuickTiles:
    """WSGI in front of the application."""

    def __init__(self, app: Flask, services: Services) -> None:
        self._app = app.wsgi_app
        self._services = services

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a kept tile; hand everything else on."""
        found = self._find(environ)
        if found is None:
            return self._app(environ, start_response)
        kept, anonymous = found
        return reply.start(kept, MVT, environ, start_response, anonymous=anonymous)

    def _find(self, environ: Environ) -> tuple[Kept, bool] | None:
        """The kept answer and whether nobody in particular asks for it."""
        path = environ["PATH_INFO"]
        if not path.startswith("/tiles/") or not path.endswith(".mvt"):
            return None
        if environ["REQUEST_METHOD"] != "GET" or environ.get("QUERY_STRING"):
            return None
        if any(name in environ for name in _NOT_PLAIN):
            return None
        place = _place(path)
        if place is None:
            return None
        try:
            return self._kept(admit(self._services, environ), place, environ)
        except Exception:
            return None  # whatever it is, the usual way meets it again and says what may be said

    def _kept(
        self, who: Principal, wanted: tuple[str, Place], environ: Environ
    ) -> tuple[Kept, bool] | None:
        names, place = wanted
        coding = reply.accepted(environ.get("HTTP_ACCEPT_ENCODING", ""))
        views = [self._services.view(who, name, "tile") for name in layer_names(names)]
        kept = self._services.tiles.known(views, place, coding)
        if kept is None:
            return None
        note_read(self._services, who, names, TILE)
        return kept, who.anonymous


def layer_names(collections: str) -> list[str]:
    """Comma-separated names of collections, each once; BadRequest for too many or repeated ones."""
    names = collections.split(",")
    if len(names) > MAX_LAYERS or len(set(names)) != len(names):
        raise BadRequest(
            "Too many or repeated collections",
            parameter="collections",
            allowed=f"1 to {MAX_LAYERS} different names",
        )
    return names


def _place(path: str) -> tuple[str, Place] | None:
    """Names of collections, and the tile."""
    parts = path.split("/")
    if len(parts) != _PARTS:
        return None
    numbers = [*parts[3:5], parts[5].removesuffix(".mvt")]
    if not all(len(number) < 9 and number.isascii() and number.isdecimal() for number in numbers):
        return None
    z, x, y = map(int, numbers)
    return parts[2], Place(WEB_MERCATOR_QUAD.id, z, x, y)
