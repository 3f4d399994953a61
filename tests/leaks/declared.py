"""What may differ between the twins, and why; everything else must be the same to the byte."""

from __future__ import annotations

import base64
import gzip
import io
import json
import re
import zipfile
from typing import NamedTuple

import zstandard
from werkzeug.test import TestResponse

TIME_OF_DAY = ("date", "expires")  # of the web server and of static files
OF_THE_BYTES = ("etag", "content-length", "content-encoding", "last-modified")  # of what is declared
_HASHED = re.compile(rb'"(sha256|result_sha256|place|size|bytes)": ?("[0-9a-f]{64}"|\d+)')
_HASHED_CELL = re.compile(  # of the page of it, where such numbers are told with others in a cell
    rb"<td[^>]*>[^<]*(?:[0-9a-f]{16}|Size \(bytes\)|place)[^<]*</td>(?:<td[^>]*>[\d,]+</td>)?"
)
_PROOF = "audit.tlog-proof"
_ABOUT = re.compile(rb'(.* id="data-about">)([^<]*)(<.*)', re.S)  # of a page that holds an extract

Seen = tuple[int, list[tuple[str, str]], object]


class Declared(NamedTuple):
    """Addresses whose answers may differ, in ``without``'s eyes only."""

    path: re.Pattern[str]
    reason: str


LOG = "an entry's place in the operator's log tells how many entries there are (docs/audit.md)"
DECLARED = (
    Declared(re.compile(r"/me/audit/[^/]+/proof"), LOG),
    Declared(re.compile(r"/jobs/[^/]+/result"), f"an extract holds the proof of its entry: {LOG}"),
    Declared(re.compile(r"/jobs(/[^/]+)?"), f"a job names the SHA-256 of its extract: {LOG}"),
    Declared(re.compile(r"/me/audit"), f"entries name the SHA-256 of extracts: {LOG}"),
    Declared(re.compile(r"/extracts(/[^/]+/again)?"), f"an extract of at once has the proof: {LOG}"),
)


def declared_of(path: str) -> Declared | None:
    """The declaration for an address, if there is one."""
    return next((found for found in DECLARED if found.path.fullmatch(path)), None)


def seen(path: str, answer: TestResponse) -> Seen:
    """Everything a caller receives, but for the time of day and what is declared."""
    headers = sorted((name.lower(), value) for name, value in answer.headers)
    headers = [pair for pair in headers if pair[0] not in TIME_OF_DAY]
    if declared_of(path) is None or answer.status_code not in (200, 201, 304):
        return answer.status_code, headers, answer.data
    kept = [pair for pair in headers if pair[0] not in OF_THE_BYTES]
    return answer.status_code, kept, _without(path, answer)


def _without(path: str, answer: TestResponse) -> object:
    """A body without hashes of extracts and without proofs, which depend on an entry's place."""
    if answer.mimetype == "application/zip" and answer.data:
        with zipfile.ZipFile(io.BytesIO(answer.data)) as found:
            return {name: found.read(name) for name in found.namelist() if name != _PROOF}
    page = _ABOUT.fullmatch(plain(answer)) if answer.mimetype == "text/html" else None
    if page is not None:
        about = json.loads(gzip.decompress(base64.b64decode(page[2])))
        about["proofs"] = {key: said for key, said in about["proofs"].items() if key != _PROOF}
        return page[1], about, page[3]
    if answer.mimetype == "text/html":
        return _HASHED_CELL.sub(b"", plain(answer))
    if path.endswith("/proof"):
        return plain(answer).split(b"\n")[0]
    return _HASHED.sub(rb'"\1":0', plain(answer))


def plain(answer: TestResponse) -> bytes:
    """The body without its coding."""
    if answer.content_encoding == "zstd":
        return zstandard.ZstdDecompressor().decompressobj().decompress(answer.data)
    return gzip.decompress(answer.data) if answer.content_encoding == "gzip" else answer.data
