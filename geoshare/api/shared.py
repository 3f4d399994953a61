"""Shared maps for anybody who has the link: the page, what it shows, its tiles and its picture.

These answers are the same for everybody, whoever they are logged in as, so credentials are not looked
at. What is kept is answered without the framework and is not counted: thousands behind one address of
a phone company open the same link at once. What has to be made counts against the asker's address.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, request

from geoshare import web
from geoshare.access.credentials import ANONYMOUS
from geoshare.api import errors, reply
from geoshare.api.address import base_url
from geoshare.api.admit import Environ
from geoshare.api.context import services
from geoshare.api.describe import NoParams, describes
from geoshare.api.quick import MVT
from geoshare.errors import GeoshareError, NotFound
from geoshare.services import Services
from geoshare.services.bodies import Kept
from geoshare.services.quotas import ONE
from geoshare.services.share_pictures import code, picture
from geoshare.services.shared import Shown

blueprint = Blueprint("shared", __name__)

PREFIX = "/s/"
CACHE = "public, max-age=5, stale-while-revalidate=15"
VARY = "Accept-Encoding"
HTML, JSON, PNG, SVG = "text/html; charset=utf-8", "application/json", "image/png", "image/svg+xml"
PAGE, DATA, PREVIEW, CODE = "", "data.json", "preview.png", "code.svg"
TYPES = {PAGE: HTML, DATA: JSON, PREVIEW: PNG, CODE: SVG}
_NOT_PLAIN = ("HTTP_RANGE",)
_TILE_PARTS = 4  # of "tiles/z/x/y.mvt"
_STATUS = {200: "200 OK", 204: "204 NO CONTENT", 304: "304 NOT MODIFIED"}

StartResponse = Callable[..., Any]
Wsgi = Callable[[Environ, StartResponse], Iterable[bytes]]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A part of a share: its name, or a tile."""

    share: str
    part: str
    tile: tuple[int, int, int] | None = None

    @property
    def content_type(self) -> str:
        """Media type of the answer."""
        return TYPES.get(self.part, MVT)


class QuickShares:
    """WSGI in front of the application: what is kept of shares is answered here."""

    def __init__(self, app: Wsgi, found: Services) -> None:
        self._app = app
        self._services = found

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer what is kept; hand everything else on."""
        if not environ["PATH_INFO"].startswith(PREFIX):
            return self._app(environ, start_response)
        found = self._find(environ)
        if found is None:
            return self._app(environ, start_response)
        kept, kind = found
        status, lines, payload = said(kept, kind, environ.get("HTTP_IF_NONE_MATCH", ""))
        if payload:
            lines.append(("Content-Length", str(len(payload))))
        start_response(_STATUS[status], lines)
        return [payload] if payload else []

    def _find(self, environ: Environ) -> tuple[Kept, str] | None:
        if environ["REQUEST_METHOD"] != "GET" or environ.get("QUERY_STRING"):
            return None
        if any(name in environ for name in _NOT_PLAIN):
            return None
        wanted = _wanted(environ["PATH_INFO"])
        if wanted is None:
            return None
        try:
            shown = self._services.shared.open(wanted.share)
            coding = reply.accepted(environ.get("HTTP_ACCEPT_ENCODING", ""))
            kept = _kept(self._services, shown, wanted, coding, environ)
            if kept is None:
                return None
            note(self._services, shown, wanted)
            return kept, wanted.content_type
        except Exception:
            return None  # whatever it is, the usual way meets it again and says what may be said


@blueprint.get("/s/<share>")
@describes(
    "A shared map",
    answers={200: ("text/html", "The page"), 404: ("text/html", "It is over, or never was")},
    tags=("share",),
)
def page(params: NoParams, share: str) -> Response:
    """For anybody who has the link. Unknown, revoked and over are one answer."""
    try:
        return _answer(Wanted(share, PAGE))
    except NotFound:
        response = Response(web.gone_page(), 404, content_type=HTML)
        for name, value in web.shared_headers():
            response.headers[name] = value
        response.headers["Vary"] = VARY
        response.headers["Cache-Control"] = "no-store"
        return response


@blueprint.get("/s/<share>/data.json")
@describes("What a shared map shows", tags=("share",), for_people=False)
def data(params: NoParams, share: str) -> Response:
    """Its shelters, closures, evacuation areas and warnings as lists, until when, and from where."""
    return _answer(Wanted(share, DATA))


@blueprint.get("/s/<share>/preview.png")
@describes("A picture of a shared map", answers={200: (PNG, "1200 by 630 pixels")}, tags=("share",))
def preview(params: NoParams, share: str) -> Response:
    """What messengers show beside the link."""
    return _answer(Wanted(share, PREVIEW))


@blueprint.get("/s/<share>/code.svg")
@describes("The QR code of a shared map", answers={200: (SVG, "The code")}, tags=("share",))
def qr_code(params: NoParams, share: str) -> Response:
    """For paper and for the phone beside."""
    return _answer(Wanted(share, CODE))


@blueprint.get("/s/<share>/tiles/<int:z>/<int:x>/<int:y>.mvt")
@describes(
    "A vector tile of a shared map",
    answers={200: (MVT, "The tile"), 204: ("", "Nothing there")},
    tags=("share",),
)
def tile(params: NoParams, share: str, z: int, x: int, y: int) -> Response:
    """Of the share's layers and what they lie on, in its box and a margin around it."""
    return _answer(Wanted(share, "tile", (z, x, y)))


def note(found: Services, shown: Shown, wanted: Wanted) -> None:
    """Count for the audit log what is read, in the name of the organisation that shares."""
    names = [view.collection.name for view in shown.drawn] if wanted.tile else shown.views
    for name in names:
        found.trail.reads.count(shown.reader, name, "shared." + (wanted.part or "page"))


def said(kept: Kept, kind: str, known: str) -> tuple[int, list[tuple[str, str]], bytes]:
    """Status, headers and body of an answer; ``known`` are the tags of what the client has."""
    lines = [("ETag", f'"{kept.tag}"'), ("Vary", VARY), ("Cache-Control", CACHE)]
    lines += web.shared_headers()
    if reply.has(known, kept.tag):
        return 304, lines, b""
    if not kept.payload:
        return 204, lines, b""
    lines.append(("Content-Type", kind))
    if kept.coding:
        lines.append(("Content-Encoding", kept.coding))
    return 200, lines, kept.payload


def _answer(wanted: Wanted) -> Response:
    """Make or find an answer the usual way; it counts, found or not."""
    found, environ = services(), request.environ
    # without the headers that tell a caller what is left: the answer is everybody's
    found.quotas.counting(ANONYMOUS, environ.get("REMOTE_ADDR", ""), ONE).count()
    shown = found.shared.open(wanted.share)
    coding = reply.encoding()
    kept = _kept(found, shown, wanted, coding, environ) or _made(found, shown, wanted, coding, environ)
    try:
        note(found, shown, wanted)
    except GeoshareError as error:
        return errors.answer(error)
    status, lines, payload = said(kept, wanted.content_type, request.headers.get("If-None-Match", ""))
    return Response(payload, status, lines)


def _key(found: Services, shown: Shown, wanted: Wanted, coding: str, environ: Environ) -> Any:
    place = base_url(found.settings, environ) if wanted.part in (PAGE, CODE) else ""
    return wanted.share, wanted.part, coding, place, shown.mark


def _kept(found: Services, shown: Shown, wanted: Wanted, coding: str, environ: Environ) -> Kept | None:
    """The answer, where it is kept."""
    if wanted.tile is not None:
        place = found.shared.place(shown, *wanted.tile)
        return found.tiles.known(shown.drawn, place, coding)
    return found.shared.bodies.get(_key(found, shown, wanted, coding, environ))


def _made(found: Services, shown: Shown, wanted: Wanted, coding: str, environ: Environ) -> Kept:
    """A new answer, kept from now on."""
    if wanted.tile is not None:
        place = found.shared.place(shown, *wanted.tile)
        return found.tiles.answer(
            shown.drawn, place, coding, lambda content: reply.encoded(content, MVT, coding)
        )
    kind = wanted.content_type
    base = base_url(found.settings, environ)
    makers: dict[str, Callable[[], bytes]] = {
        PAGE: lambda: web.shared_page(
            shown.share, f"{base}{PREFIX}{shown.share.id}", found.shared.content(shown)
        ),
        DATA: lambda: found.shared.content(shown),
        PREVIEW: lambda: picture(found, shown),
        CODE: lambda: code(f"{base}{PREFIX}{shown.share.id}"),
    }
    return found.shared.bodies.get_or_make(
        _key(found, shown, wanted, coding, environ),
        lambda: reply.encoded(makers[wanted.part](), kind, coding),
    )


def _wanted(path: str) -> Wanted | None:
    """What a path asks for."""
    share, _, part = path.removeprefix(PREFIX).partition("/")
    if not share or (path.endswith("/") and not part):
        return None
    if part in TYPES:
        return Wanted(share, part)
    parts = part.split("/")
    if len(parts) != _TILE_PARTS or parts[0] != "tiles" or not parts[3].endswith(".mvt"):
        return None
    numbers = [*parts[1:3], parts[3].removesuffix(".mvt")]
    if not all(len(number) < 9 and number.isascii() and number.isdecimal() for number in numbers):
        return None
    z, x, y = map(int, numbers)
    return Wanted(share, "tile", (z, x, y))
