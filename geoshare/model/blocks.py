"""Text files in blocks that are found again where only some lines between them have changed.

A block ends with a line whose checksum says so, so that its borders depend on its own lines alone: what
is put in or taken out elsewhere does not move them. An archive of such files keeps an index of blocks,
by which a reader who has an older version fetches the new blocks and no others.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any, Final

import orjson

from geoshare.errors import BadData

HEAD: Final = 3  # lines that are a block of their own: maps say there when they were made
LEAST: Final = 2_048  # bytes of a block, but for the first and the last one of a file
MOST: Final = 65_536
_ENDS: Final = 0x3F  # of so many lines (and one) one may end a block
_NAME_BYTES: Final = 8
_MARK: Final = b"geoshare blocks "  # begins the comment of an archive, before place and length


def blocks(file: IO[bytes]) -> Iterator[bytes]:
    """The blocks of a file, in order; together they are the file."""
    held: list[bytes] = []
    size = 0
    for number, line in enumerate(file, 1):
        held.append(line)
        size += len(line)
        ends = size >= LEAST and not zlib.crc32(line) & _ENDS
        if ends or size >= MOST or number == HEAD:
            yield b"".join(held)
            held, size = [], 0
    if held:
        yield b"".join(held)


def name_of(block: bytes) -> str:
    """What a block is called: the beginning of its SHA-256, in hexadecimal."""
    return hashlib.sha256(block).hexdigest()[: 2 * _NAME_BYTES]


@dataclass(frozen=True, slots=True)
class Stored:
    """One file of an archive: its name, SHA-256, the byte its content begins at, and its blocks.

    Each block has a name (:func:`name_of`), its length, and its length as it lies in the archive: raw
    deflate that can be read from the beginning of any block on.
    """

    name: str
    sha256: str
    at: int
    blocks: tuple[tuple[str, int, int], ...]


def write_index(files: list[Stored]) -> bytes:
    """The index of an archive's blocks."""
    said = [
        {
            "name": file.name,
            "sha256": file.sha256,
            "at": file.at,
            "blocks": "".join(name for name, _, _ in file.blocks),
            "lengths": [length for _, length, _ in file.blocks],
            "packed": [packed for _, _, packed in file.blocks],
        }
        for file in files
    ]
    return zlib.compress(orjson.dumps(said), 9)


def read_index(content: bytes) -> list[Stored]:
    """What :func:`write_index` wrote. Raises BadData for anything else."""
    try:
        return [_stored(item) for item in orjson.loads(zlib.decompress(content))]
    except (zlib.error, ValueError, KeyError, TypeError) as error:
        raise BadData("The index of the archive's blocks cannot be read") from error


def _stored(item: dict[str, Any]) -> Stored:
    text, step = str(item["blocks"]), 2 * _NAME_BYTES
    names = [text[at : at + step] for at in range(0, len(text), step)]
    lengths = [int(value) for value in item["lengths"]]
    packed = [int(value) for value in item["packed"]]
    found = tuple(zip(names, lengths, packed, strict=True))
    return Stored(str(item["name"]), str(item["sha256"]), int(item["at"]), found)


def write_comment(at: int, length: int) -> bytes:
    """The comment of an archive: where its index lies."""
    return _MARK + f"{at} {length}".encode()


def read_comment(tail: bytes) -> tuple[int, int] | None:
    """Place and length of the index, from the last bytes of an archive; None where it has none."""
    _, mark, said = tail.rpartition(_MARK)
    numbers = said.split()
    if not mark or len(numbers) != 2 or not all(item.isdigit() for item in numbers):
        return None
    return int(numbers[0]), int(numbers[1])
