"""Turning bytes and values into answers: encoding, entity tags, caching and variance."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import Any

import orjson
import zstandard
from flask import Response, g, request
from isal import igzip
from werkzeug.datastructures import Accept
from werkzeug.http import parse_accept_header, parse_etags

from geoshare.services.bodies import Kept

VARY = "Accept, Accept-Encoding, Authorization, X-API-Key, Cookie"
COMPRESSIBLE = (
    "application/json",
    "application/geo+json",
    "application/vnd.mapbox-vector-tile",
    "text/",
)
MIN_COMPRESSED_BYTES = 600
PUBLIC, PRIVATE = "public, no-cache", "private, no-cache"


def encoding() -> str:
    """The best content coding the client takes: zstd, gzip or none."""
    return accepted(request.headers.get("Accept-Encoding", ""))


@lru_cache(maxsize=256)
def accepted(header: str) -> str:
    """The best content coding of an Accept-Encoding header."""
    said = parse_accept_header(header[:200], Accept)
    for name in ("zstd", "gzip"):
        if said.quality(name) > 0:
            return name
    return ""


def has(header: str, tag: str) -> bool:
    """Whether an If-None-Match header names the tag."""
    return bool(header) and parse_etags(header).contains_weak(tag)


def compress(body: bytes, name: str) -> bytes:
    """``body`` in that coding, at the fastest level: tiles and pages are made per request."""
    if name == "zstd":
        return zstandard.ZstdCompressor(level=1).compress(body)
    return igzip.compress(body, compresslevel=1, mtime=0)


def entity_tag(body: bytes, coding: str) -> str:
    """A tag that says nothing but whether the bytes are the same."""
    return hashlib.blake2b(body, digest_size=12, person=coding.encode()[:16]).hexdigest()


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


def encoded(content: bytes, content_type: str, coding: str) -> Kept:
    """Tag and payload of a body for a client that takes the coding."""
    if len(content) < MIN_COMPRESSED_BYTES or not content_type.startswith(COMPRESSIBLE):
        coding = ""
    tag = entity_tag(content, coding)
    return Kept(tag, coding, compress(content, coding) if coding else content)


def send(made: Kept, content_type: str, *, status: int = 200) -> Response:
    """An encoded answer; 304 where the client has these bytes already."""
    known = status == 200 and request.method in ("GET", "HEAD")
    if known and has(request.headers.get("If-None-Match", ""), made.tag):
        response = Response(status=304)
    elif not made.payload and status == 200:
        response = Response(status=204)
    else:
        response = Response(made.payload, status, content_type=content_type)
        if made.coding:
            response.headers["Content-Encoding"] = made.coding
    response.set_etag(made.tag)
    return finish(response, cache=caching())


def body(content: bytes, content_type: str, *, status: int = 200) -> Response:
    """An answer with an entity tag; 304 where the client has these bytes already."""
    return send(encoded(content, content_type, encoding()), content_type, status=status)


def json(value: Any, content_type: str = "application/json", *, status: int = 200) -> Response:
    """A JSON answer."""
    return body(orjson.dumps(value), content_type, status=status)


def empty() -> Response:
    """Nothing there, and nothing said about why."""
    response = Response(status=204)
    response.set_etag(entity_tag(b"", ""))
    return finish(response, cache=caching())


def features(parts: dict[str, Any], encoded: bytes) -> Response:
    """A GeoJSON FeatureCollection from already encoded features and its other members."""
    head = b'{"type":"FeatureCollection","features":['
    tail = orjson.dumps(parts)
    content = head + encoded + b"]," + tail[1:] if parts else head + encoded + b"]}"
    return body(content, "application/geo+json")
