"""A digest over everything in an Arrow file that is not data, so that no damaged header is followed.

Arrow's reader trusts the lengths it finds in the headers of a file; a wrong one can end the
process. So the headers are digested when the file is written, and compared before Arrow sees them.
The digest lies between the last message and the footer, where Arrow's format has room for it:

    spans (begin, end: 2 x uint64 each) · number of spans (uint32) · BLAKE2b-128 · ``SEAL``

The spans are the headers of the messages; the digest covers them, the list of spans and all that
follows the seal. Data between the spans is left to the checksum of the whole file.
"""

from __future__ import annotations

import hashlib
import os
import struct
from pathlib import Path
from typing import Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tiles.errors import ForeignFile, TornPart

_MAGIC = b"ARROW1"
_SEAL = b"SEAL"
_TAIL = struct.Struct("<i6s")  # length of the footer, magic
_STAMP = struct.Struct("<I16s4s")
_SPAN = 16
_FIRST_MESSAGE = 8
_END_OF_STREAM = 8


class Source(Protocol):
    """A file that can be read at a place."""

    def size(self) -> int:
        """Bytes of the file."""
        ...

    def read_at(self, nbytes: int, offset: int) -> bytes:
        """Bytes at a place, fewer at the end of the file."""
        ...


def seal(path: Path) -> None:
    """Put the seal into a finished Arrow file, and see the whole of it to the disk."""
    with pa.memory_map(str(path)) as source:
        tail = source.read_at(_TAIL.size, source.size() - _TAIL.size)
        begin = source.size() - _TAIL.size - _TAIL.unpack(tail)[0]
        rest = source.read_at(source.size() - begin, begin)
        spans = _headers(source, begin)
        text = spans.tobytes()
        digest = _digest(source, spans, text, rest)
    with open(path, "r+b") as file:
        file.seek(begin)
        file.write(text + _STAMP.pack(len(spans), digest, _SEAL) + rest)
        file.flush()
        os.fsync(file.fileno())


def file_checksum(path: Path) -> str:
    """BLAKE2b-256 of a file in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=32)).hexdigest()


def _headers(source: pa.MemoryMappedFile, end: int) -> NDArray[np.uint64]:
    """Where the headers of the messages lie, and what stands between them but data."""
    source.seek(_FIRST_MESSAGE)
    spans, at = [(0, _FIRST_MESSAGE)], _FIRST_MESSAGE
    while at < end - _END_OF_STREAM:
        message = pa.ipc.read_message(source)
        after = source.tell()
        body = message.body.size if message.body is not None else 0
        spans.append((at, after - body))
        at = after
    spans.append((at, end))
    return np.array(spans, dtype="<u8")


def _digest(source: Source, spans: NDArray[np.uint64], text: bytes, rest: bytes) -> bytes:
    digest = hashlib.blake2b(digest_size=16)
    for first, last in spans.tolist():
        digest.update(source.read_at(last - first, first))
    digest.update(text + struct.pack("<I", len(spans)) + rest)
    return digest.digest()


def check_seal(source: Source, name: str) -> None:
    """Compare the headers of a file with what they were when it was sealed.

    Raises
    ------
    ForeignFile
        It is no Arrow file, or a whole one that was never sealed.
    TornPart
        It is cut short, or a header is damaged.
    """
    if source.read_at(len(_MAGIC), 0) != _MAGIC:
        raise ForeignFile(f"{name} is no part of a pack")
    tail = source.read_at(_TAIL.size, max(source.size() - _TAIL.size, 0))
    footer, magic = _TAIL.unpack(tail.rjust(_TAIL.size, b"\0"))
    begin = source.size() - _TAIL.size - footer
    if magic != _MAGIC or footer < 0 or begin < _STAMP.size:
        raise TornPart(f"{name} is cut short")
    count, said, mark = _STAMP.unpack(source.read_at(_STAMP.size, begin - _STAMP.size))
    if mark != _SEAL:
        raise ForeignFile(f"{name} is no part of a pack")
    listed = begin - _STAMP.size - _SPAN * count
    if listed < 0:
        raise TornPart(f"{name} is damaged")
    text = source.read_at(_SPAN * count, listed)
    spans = np.frombuffer(text, dtype="<u8").reshape(-1, 2)
    if (spans[:, 0] > spans[:, 1]).any() or (spans[:, 1] > listed).any():
        raise TornPart(f"{name} is damaged")
    if _digest(source, spans, text, source.read_at(footer + _TAIL.size, begin)) != said:
        raise TornPart(f"{name} is damaged")
