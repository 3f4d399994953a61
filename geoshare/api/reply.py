"""Turning bytes and values into answers: encoding, entity tags, caching and variance."""

from __future__ import annotations

import hashlib
from typing import Any

import orjson
import zstandard
from flask import Response, g, request
from isal import igzip

VARY = "Accept, Accept-Encoding, Authorization, X-API-Key, Cookie"
COMPRESSIBLE = (
    "application/json",
    "application/geo+json",
    "application/vnd.mapbox-vector-tile",
    "text/",
)
MIN_COMPRESSED_BYTES = 600


def encoding() -> str:
    """The best content coding the client takes: zstd, gzip or none."""
    accepted = request.accept_encodings
    for name in ("zstd", "gzip"):
        if accepted.quality(name) > 0:
            return name
    return ""


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
    response.headers["Vary"] = VARY
    response.headers["Cache-Control"] = cache
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def caching() -> str:
    """Anyone's proxy may keep what the open tier sees, and must ask whether it still holds."""
    return "public, no-cache" if getattr(g, "anonymous", False) else "private, no-cache"


def body(content: bytes, content_type: str, *, status: int = 200) -> Response:
    """An answer with an entity tag; 304 where the client has these bytes already."""
    coding = ""
    if len(content) >= MIN_COMPRESSED_BYTES and content_type.startswith(COMPRESSIBLE):
        coding = encoding()
    tag = entity_tag(content, coding)
    if status == 200 and request.method in ("GET", "HEAD") and request.if_none_match.contains_weak(tag):
        response = Response(status=304)
    else:
        payload = compress(content, coding) if coding else content
        response = Response(payload, status, content_type=content_type)
        if coding:
            response.headers["Content-Encoding"] = coding
    response.set_etag(tag)
    return finish(response, cache=caching())


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
