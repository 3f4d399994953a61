"""Cursors: where the next page of a request starts, in a text that only this server can have made."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import struct
from typing import Any

import orjson

_MARK_BYTES = 16
_KEY = struct.Struct(">Q")
_TO_STANDARD = str.maketrans("-_", "+/")


class Cursors:
    """Seals places under a secret; safe to use from several threads.

    The mark covers the fingerprint of the request, which is not in the text: a cursor is worth nothing
    for another request, another collection or another policy.
    """

    def __init__(self, secret: bytes) -> None:
        self._secret = hashlib.blake2b(secret, digest_size=32, person=b"cursors").digest()

    def seal(self, request: str, key: int, last_id: str) -> str:
        """Say which row was the last one of a page: its key along the curve, and its id."""
        return self._sealed(request, _KEY.pack(key) + last_id.encode())

    def open(self, request: str, text: str) -> tuple[int, str]:
        """Return key and id; ValueError for a text that was not sealed for this request."""
        said = self._opened(request, text)
        return _KEY.unpack_from(said)[0], said[_KEY.size :].decode()

    def seal_values(self, request: str, values: list[Any]) -> str:
        """Say which row was the last one of a sorted page: what it was sorted by."""
        return self._sealed(request, orjson.dumps(values))

    def open_values(self, request: str, text: str) -> list[Any]:
        """Return what a row was sorted by; ValueError for a text not sealed for this request."""
        found: list[Any] = orjson.loads(self._opened(request, text))
        return found

    def _sealed(self, request: str, said: bytes) -> str:
        return base64.urlsafe_b64encode(self._mark(request, said) + said).rstrip(b"=").decode()

    def _opened(self, request: str, text: str) -> bytes:
        try:
            padded = text.translate(_TO_STANDARD) + "=" * (-len(text) % 4)
            content = binascii.a2b_base64(padded, strict_mode=True)
        except (binascii.Error, ValueError) as error:
            raise ValueError("this is no cursor") from error
        mark, said = content[:_MARK_BYTES], content[_MARK_BYTES:]
        if not hmac.compare_digest(mark, self._mark(request, said)):
            raise ValueError("this cursor is of another request")
        return said

    def _mark(self, request: str, said: bytes) -> bytes:
        asked = request.encode()
        text = len(asked).to_bytes(4, "big") + asked + said
        return hashlib.blake2b(text, key=self._secret, digest_size=_MARK_BYTES).digest()
