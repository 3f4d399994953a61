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
from geoshare.errors import GeoshareError
from geoshare.services import Services
from geoshare.services.bodies import Kept

TILE = "tiles.tile"  # the endpoint that is answered here
COUNTED = "geoshare.counted"  # the caller, where the request has already been counted
MVT = "application/vnd.mapbox-vector-tile"
_NOT_PLAIN = ("HTTP_AUTHORIZATION", "HTTP_ORIGIN", "HTTP_RANGE")
_PARTS = 6  # of "/tiles/a,b/z/x/y.mvt"

Environ = dict[str, Any]
StartResponse = Callable[..., Any]


class QuickTiles:
    """WSGI in front of the application."""

    def __init__(self, app: Flask, services: Services) -> None:
        self._app = app.wsgi_app
        self._services = services

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a kept tile; hand everything else on."""
        found = self._find(environ)
        if found is None or not self._noted(environ):
            return self._app(environ, start_response)
        kept, anonymous = found
        return _send(kept, anonymous, environ, start_response)

    def _noted(self, environ: Environ) -> bool:
        """Count the read, as ``noting`` does; False where the usual way must refuse."""
        try:
            for name in environ["PATH_INFO"].split("/")[2].split(","):
                self._services.trail.reads.count(environ[COUNTED], name, TILE)
        except GeoshareError:
            return False
        return True

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
            who = self._services.principal(environ.get("HTTP_X_API_KEY") or None)
            self._services.count_request(who, environ.get("REMOTE_ADDR", ""))
            environ[COUNTED] = who
            return self._kept(who, place, environ)
        except GeoshareError:
            return None  # the usual way says what is wrong

    def _kept(
        self, who: Principal, place: tuple[str, int, int, int], environ: Environ
    ) -> tuple[Kept, bool] | None:
        names, z, x, y = place
        coding = reply.accepted(environ.get("HTTP_ACCEPT_ENCODING", ""))
        views = []
        for name in names.split(","):
            self._services.collection(who, name)
            views.append(self._services.view(who, name))
        kept = self._services.bodies.get(tile_key(views, z, x, y, coding))
        return None if kept is None else (kept, who.anonymous)


def tile_key(views: Iterable[Any], z: int, x: int, y: int, coding: str) -> tuple[Any, ...]:
    """Name of a tile among the kept answers."""
    shown = tuple((view.policy_hash, view.collection.name, view.token) for view in views)
    return (shown, z, x, y, coding)


def _place(path: str) -> tuple[str, int, int, int] | None:
    parts = path.split("/")
    if len(parts) != _PARTS:
        return None
    numbers = [*parts[3:5], parts[5].removesuffix(".mvt")]
    if not all(len(number) < 9 and number.isascii() and number.isdecimal() for number in numbers):
        return None
    z, x, y = map(int, numbers)
    return parts[2], z, x, y


def _send(
    kept: Kept, anonymous: bool, environ: Environ, start_response: StartResponse
) -> Iterable[bytes]:
    """Say it as ``reply`` says it."""
    headers = [
        ("ETag", f'"{kept.tag}"'),
        ("Vary", reply.VARY),
        ("Cache-Control", reply.PUBLIC if anonymous else reply.PRIVATE),
        ("X-Content-Type-Options", "nosniff"),
    ]
    if reply.has(environ.get("HTTP_IF_NONE_MATCH", ""), kept.tag):
        start_response("304 NOT MODIFIED", headers)
        return []
    if not kept.payload:
        start_response("204 NO CONTENT", headers)
        return []
    headers += [("Content-Type", MVT), ("Content-Length", str(len(kept.payload)))]
    if kept.coding:
        headers.append(("Content-Encoding", kept.coding))
    start_response("200 OK", headers)
    return [kept.payload]
