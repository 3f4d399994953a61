"""Writes a PMTiles archive, version 3: tiles in order in, one file out, whole or not at all.

https://github.com/protomaps/PMTiles/blob/main/spec/v3/spec.md
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import secrets
import struct
from collections import OrderedDict
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryFile
from types import TracebackType
from typing import Any, BinaryIO, NamedTuple, Self

from isal import igzip

from tiles.archive.directory import Directories, Entries

HEADER_BYTES = 127
ROOT_END = 16_384
"""Header and root directory end before this byte, so that one request reads both."""

KNOWN_CONTENTS = 1 << 17
"""Contents that are remembered, in order to be written once. One asked for after so many others is
written again: the file is longer then, and says the same."""

_HEADER = struct.Struct("<7sB11QBBBBBBiiiiBii")
_GZIP, _MVT = 2, 1
_BLOCK = 1 << 20


class Box(NamedTuple):
    """Degrees."""

    west: float
    south: float
    east: float
    north: float


WORLD = Box(-180.0, -85.0511287, 180.0, 85.0511287)


class Summary(NamedTuple):
    """What was written: SHA-256 of the file and its bytes; tiles, and contents that differ."""

    sha256: str
    size: int
    tiles: int
    contents: int


def compressed(tile: bytes) -> bytes:
    """A tile as an archive holds it; may be called from any thread, and lets others run."""
    packed: bytes = igzip.compress(tile, compresslevel=3, mtime=0)
    return packed


class ArchiveWriter:
    """Vector tiles into one file, in bounded memory.

    Tiles come in ascending order of their ids. Until :meth:`finish` they stand in files without a
    name beside the target, which vanish with the process, however it ends. Use it as a context.

    Parameters
    ----------
    path
        Where the archive is to stand. What stands there now stays until the archive is whole.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._tiles: BinaryIO = TemporaryFile(dir=path.parent)  # noqa: SIM115 - closed on exit
        self._entries = Entries(path.parent)
        self._known: OrderedDict[bytes, tuple[int, int]] = OrderedDict()
        self._last_id = -1
        self._length = self._addressed = self._contents = 0

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give back the disk."""
        self._tiles.close()
        self._entries.close()

    @property
    def size(self) -> int:
        """Bytes of tiles so far."""
        return self._length

    def add(self, tile_id: int, packed: bytes) -> None:
        """Add a tile that :func:`compressed` has made.

        Raises
        ------
        ValueError
            The id is not above the last one.
        OSError
            The disk is full.
        """
        if tile_id <= self._last_id:
            raise ValueError(f"tile {tile_id} comes after tile {self._last_id}")
        digest = hashlib.blake2b(packed, digest_size=16).digest()
        place = self._known.get(digest)
        if place is None:
            place = self._write(packed)
            self._known[digest] = place
            if len(self._known) > KNOWN_CONTENTS:
                self._known.popitem(last=False)
        else:
            self._known.move_to_end(digest)
        self._entries.add(tile_id, *place)
        self._last_id = tile_id
        self._addressed += 1

    def finish(
        self,
        metadata: Mapping[str, Any],
        zooms: tuple[int, int],
        bounds: tuple[float, float, float, float] = WORLD,
        check: Callable[[], None] = lambda: None,
        before: Callable[[Summary], None] = lambda summary: None,
    ) -> Summary:
        """Put the file together and into its place.

        Parameters
        ----------
        metadata
            What the file says of itself, as JSON; ``vector_layers`` as TileJSON 3 describes them.
        zooms
            The first and the last.
        bounds
            West, south, east, north in degrees of what the tiles show.
        check
            Called between blocks; may raise to stop.
        before
            Called when the file is whole and on the disk, before it takes its place; may raise to stop.

        Raises
        ------
        OSError
            The disk is full, or may not be written to. As after any other error, what stood in the
            file's place stands there still.
        """
        if not self._addressed:  # a directory has at least one entry: a tile in which nothing is
            self.add(((1 << 2 * zooms[0]) - 1) // 3, compressed(b""))
        said = gzip.compress(json.dumps(metadata, ensure_ascii=False).encode(), mtime=0)
        directories = self._entries.directories(ROOT_END - HEADER_BYTES - 1)
        header = self._header(directories, len(said), zooms, Box(*bounds))
        aside = self._path.with_name(f".{self._path.name}.{secrets.token_hex(4)}.part")
        try:
            sha256 = hashlib.sha256()
            with aside.open("xb") as file:
                for piece in (header, directories.root, said, directories.leaves):
                    file.write(piece)
                    sha256.update(piece)
                self._tiles.seek(0)
                while block := self._tiles.read(_BLOCK):
                    check()
                    file.write(block)
                    sha256.update(block)
                file.flush()
                os.fsync(file.fileno())
                size = file.tell()
            summary = Summary(sha256.hexdigest(), size, self._addressed, self._contents)
            before(summary)
            aside.replace(self._path)
        finally:
            aside.unlink(missing_ok=True)
        return summary

    def _write(self, packed: bytes) -> tuple[int, int]:
        offset = self._length
        self._tiles.write(packed)
        self._length += len(packed)
        self._contents += 1
        return offset, len(packed)

    def _header(
        self, directories: Directories, metadata: int, zooms: tuple[int, int], bounds: Box
    ) -> bytes:
        root, leaves = len(directories.root), len(directories.leaves)
        said_at = HEADER_BYTES + root
        middle = (_middle(bounds.west, bounds.east), _middle(bounds.south, bounds.north))
        return _HEADER.pack(
            b"PMTiles",
            3,
            HEADER_BYTES,
            root,
            said_at,
            metadata,
            said_at + metadata,
            leaves,
            said_at + metadata + leaves,
            self._length,
            self._addressed,
            len(self._entries),
            self._contents,
            1,  # in order of ids
            _GZIP,
            _GZIP,
            _MVT,
            *zooms,
            *(_e7(value) for value in bounds),
            (zooms[0] + zooms[1]) // 2,
            *(_e7(value) for value in middle),
        )


def _middle(low: float, high: float) -> float:
    return (low + high) / 2


def _e7(degrees: float) -> int:
    return round(degrees * 10_000_000)
