"""Turning bytes and values into answers: encoding, entity tags, caching and variance."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import orjson
import zstandard
from blake3 import blake3
from flask import Response, g, request
from isal import igzip
from werkzeug.datastructures import Accept
from werkzeug.http import parse_accept_header, parse_etags

from geoshare.services.bodies import Kept

VARY = "Accept, Accept-Encoding, Authorization, X-API-Key, Cookie, Origin"
COMPRESSIBLE = (
    "application/json",
    "application/geo+json",
    "application/vnd.mapbox-vector-tile",
    "application/vnd.mapbox.style+json",
    "application/x-protobuf",
    "text/",
)
MIN_COMPRESSED_BYTES = 600
MAX_HEADER = 500  # characters of Accept-Encoding that are read
CODINGS = ("zstd", "gzip")  # the one we like best comes first
HTML = "text/html; charset=utf-8"
WEAK = "W/"  # before a tag that says the same of bodies that mean the same
_STATUS = {200: "200 OK", 204: "204 NO CONTENT", 304: "304 NOT MODIFIED"}
PUBLIC, PRIVATE = "public, no-cache", "private, no-cache"


def encoding() -> str:
    """The best content coding the client takes: zstd, gzip or none."""
    return accepted(request.headers.get("Accept-Encoding", ""))


@lru_cache(maxsize=256)
def accepted(header: str) -> str:
    """The content coding that an Accept-Encoding header prefers (RFC 9110, 12.5.3).

    Of those it likes equally well, the one we make best. No coding at all is liked least where the
    header does not name it, and is what remains where it takes nothing.
    """
    said = parse_accept_header(header[:MAX_HEADER], Accept)
    name = max(CODINGS, key=said.quality)
    plain = max((quality for value, quality in said if value.lower() == "identity"), default=0.0)
    return name if said.quality(name) > 0 and said.quality(name) >= plain else ""


def has(header: str, tag: str) -> bool:
    """Whether an If-None-Match header names the tag."""
    return bool(header) and parse_etags(header).contains_weak(tag.removeprefix(WEAK))


def quoted(tag: str) -> str:
    """The tag as a header has it."""
    return f'{WEAK}"{tag.removeprefix(WEAK)}"' if tag.startswith(WEAK) else f'"{tag}"'


def compress(body: bytes, name: str) -> bytes:
    """``body`` in that coding, at the fastest level: tiles and pages are made per request."""
    if name == "zstd":
        return zstandard.ZstdCompressor(level=1).compress(body)
    return igzip.compress(body, compresslevel=1, mtime=0)


def entity_tag(body: bytes, coding: str) -> str:
    """A tag that says nothing but whether the bytes are the same."""
    digest: str = blake3(body).hexdigest(12)
    return f"{digest}-{coding}" if coding else digest


def finish(response: Response, *, cache: str) -> Response:
    """Headers that every answer has."""
    if response.status_code in (204, 304):
        response.headers.pop("Content-Type", None)
    response.headers["Vary"] = VARY
    response.headers["Cache-Control"] = cache
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def caching() -> str:
    """Anyone's proxy may keep what the open tier sees, and must ask whether it still holds."""
    return PUBLIC if getattr(g, "anonymous", False) else PRIVATE


def encoded(content: bytes, content_type: str, coding: str, stamp: int = 0) -> Kept:
    """Tag and payload of a body for a client that takes the coding.

    The last ``stamp`` bytes tell when the body was made: the tag leaves them out, and is a weak one.
    """
    if len(content) < MIN_COMPRESSED_BYTES or not content_type.startswith(COMPRESSIBLE):
        coding = ""
    tag = WEAK + entity_tag(content[:-stamp], coding) if stamp else entity_tag(content, coding)
    return Kept(tag, coding, compress(content, coding) if coding else content)


def send(made: Kept, content_type: str, *, status: int = 200) -> Response:
    """An encoded answer; 304 where the client has these bytes already."""
    known = request.headers.get("If-None-Match", "") if request.method in ("GET", "HEAD") else ""
    status, lines, payload = _said(made, content_type, status, known, caching())
    response = Response(payload, status, lines)
    return finish(response, cache=caching())


def start(
    made: Kept,
    content_type: str,
    environ: dict[str, Any],
    start_response: Callable[..., Any],
    *,
    anonymous: bool,
    more: Sequence[tuple[str, str]] = (),
) -> list[bytes]:
    """Say an encoded answer to a GET as ``send`` does, without the framework; ``more`` header lines."""
    cache = PUBLIC if anonymous else PRIVATE
    known = environ.get("HTTP_IF_NONE_MATCH", "")
    status, lines, payload = _said(made, content_type, 200, known, cache)
    if payload:
        lines.append(("Content-Length", str(len(payload))))
    lines.extend(more)
    start_response(_STATUS[status], lines)
    return [payload] if payload else []


def _said(
    made: Kept, content_type: str, status: int, known: str, cache: str
) -> tuple[int, list[tuple[str, str]], bytes]:
    """Status, headers and body of an answer; ``known`` are the tags of what the client has."""
    lines = [
        ("ETag", quoted(made.tag)),
        ("Vary", VARY),
        ("Cache-Control", cache),
        ("X-Content-Type-Options", "nosniff"),
    ]
    if status == 200 and has(known, made.tag):
        return 304, lines, b""
    if status == 200 and not made.payload:
        return 204, lines, b""
    lines.append(("Content-Type", content_type))
    if made.coding:
        lines.append(("Content-Encoding", made.coding))
    return status, lines, made.payload


def body(content: bytes, content_type: str, *, status: int = 200) -> Response:
    """An answer with an entity tag; 304 where the client has these bytes already.

    Where a person asks for the page of it (``api.browse``), the page is the answer.
    """
    show = g.get("show")
    if show is not None and status == 200:
        content, content_type = show(content, content_type), HTML
    return send(encoded(content, content_type, encoding()), content_type, status=status)


def json(value: Any, content_type: str = "application/json", *, status: int = 200) -> Response:
    """A JSON answer; one that has links leads to the page of it too, where there is one."""
    as_page = g.get("as_page")
    if as_page is not None and isinstance(value, dict) and isinstance(value.get("links"), list):
        link = {"rel": "alternate", "type": "text/html", "href": as_page()}
        value = {**value, "links": [*value["links"], link]}
    return body(orjson.dumps(value), content_type, status=status)
