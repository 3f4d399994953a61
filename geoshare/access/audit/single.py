"""A map in one page, taken apart: the files that its manifest lists are parts of one HTML file.

Each part stands in a script element of its own, as base64. What is left when these are taken out is the
page itself. ``about`` is told without the manifest and its proofs, which stand in it.
"""

from __future__ import annotations

import base64
import gzip
import io
import re
from typing import IO, Any, Final

import orjson

from geoshare.access.audit.seal import MANIFEST
from geoshare.errors import BadData

PLACE: Final = "<!-- data -->"  # in the page, where the parts go
ABOUT, PAGE = "about", "page"
_PART: Final = re.compile(rb'<script type="text/plain" id="data-(\w+)">([^<]*)</script>')
_MOST: Final = 400_000_000  # bytes of a part that is unpacked


def part(name: str, content: bytes) -> bytes:
    """A part as it stands in the page."""
    opening = f'<script type="text/plain" id="data-{name}">'
    return opening.encode() + base64.b64encode(content) + b"</script>"


def stated(about: dict[str, Any]) -> bytes:
    """What the manifest lists of ``about``."""
    left = {name: value for name, value in about.items() if name not in ("manifest", "proofs")}
    return orjson.dumps(left)


class Single:
    """The files of a page."""

    def __init__(self, content: bytes) -> None:
        self._files = _files(content)

    def names(self) -> set[str]:
        """All of them, with the manifest and its proofs."""
        return set(self._files)

    def open(self, name: str) -> IO[bytes]:
        """One of them."""
        return io.BytesIO(self._files[name])

    def small(self, name: str) -> bytes | None:
        """One of them whole; None where there is none."""
        return self._files.get(name)


def _files(content: bytes) -> dict[str, bytes]:
    found = list(_PART.finditer(content))
    if not found:
        return {}
    try:
        parts = {item[1].decode(): base64.b64decode(item[2], validate=True) for item in found}
        if len(parts) < len(found):
            raise BadData("A part of the page stands there twice")
        packed = gzip.GzipFile(fileobj=io.BytesIO(parts.pop(ABOUT))).read(_MOST)
        about = orjson.loads(packed)
        proofs = {name: base64.b64decode(said) for name, said in about["proofs"].items()}
        manifest = base64.b64decode(about["manifest"])
    except (KeyError, ValueError, TypeError, AttributeError, OSError, EOFError) as error:
        raise BadData("The page cannot be read") from error
    first, last = found[0].start(), found[-1].end()
    between = _PART.sub(b"", content[first:last])
    page = content[:first] + PLACE.encode() + between + content[last:]
    return {**parts, **proofs, MANIFEST: manifest, ABOUT: stated(about), PAGE: page}
