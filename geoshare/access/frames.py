"""Files that grow by frames: a length, a checksum, and bytes.

What a crash tears at the end is not read, and is written over by the next frame.
"""

from __future__ import annotations

import hashlib
import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_HEAD = struct.Struct("<I8s")


class Found(NamedTuple):
    """A whole frame of a file: what it holds, and the bytes at which it begins and ends."""

    content: memoryview
    begin: int
    end: int


def framed(content: bytes) -> bytes:
    """A frame that holds these bytes."""
    return _HEAD.pack(len(content), _sum(content)) + content


def whole_frames(content: bytes) -> Iterator[Found]:
    """The frames of a file's bytes, up to the first that is torn."""
    said, at = memoryview(content), 0
    while at + _HEAD.size <= len(said):
        length, mark = _HEAD.unpack_from(said, at)
        begin, end = at, at + _HEAD.size + length
        held = said[at + _HEAD.size : end]
        if len(held) != length or _sum(held) != mark:
            return
        at = end
        yield Found(held, begin, end)


def write_after(path: Path, end: int, frame: bytes) -> os.stat_result:
    """Write a frame after the last whole one, which ends there; what the file is then.

    Raises
    ------
    OSError
        where there is no such file, or no room.
    """
    with open(path, "r+b", buffering=0) as file:
        file.truncate(end)
        file.seek(end)
        file.write(frame)
        return os.fstat(file.fileno())


def _sum(content: bytes | memoryview) -> bytes:
    return hashlib.blake2b(content, digest_size=8).digest()
