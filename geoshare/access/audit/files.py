"""The log as files: C2SP tlog-tiles, laid out so that any static server can publish the folder.

``checkpoint`` is the signed tree head, ``tile/L/N[.p/W]`` hashes, ``tile/entries/N[.p/W]`` entries, and
``vkey`` the public key. Files are written aside, flushed to the disk and renamed: nobody sees a part of
one. Only ``checkpoint`` is ever replaced.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from geoshare.access.audit.tree import HASH_BYTES, fold, leaf_hash
from geoshare.errors import BadData

WIDTH: Final = 256  # hashes of a full tile, entries of a full bundle
HEIGHT: Final = 8
CHECKPOINT: Final = "checkpoint"
VKEY: Final = "vkey"
ENTRIES: Final = "entries"
LENGTH_BYTES: Final = 2
_PATH: Final = re.compile(
    r"tile/(entries|0|[1-9][0-9]?)/((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?"
)


def tile_name(level: int | str, number: int, width: int = WIDTH) -> str:
    """Path of a tile (or bundle, with level ``entries``) under the log's prefix."""
    digits = f"{number:d}"
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    name = "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]])
    return f"tile/{level}/{name}" + ("" if width == WIDTH else f".p/{width}")


def parse_name(name: str) -> tuple[str, int, int] | None:
    """Level, number and width of a tile's path; None for a path that is none."""
    match = _PATH.fullmatch(name)
    if match is None:
        return None
    number = int(match[2].replace("x", "").replace("/", ""))
    width = int(match[3]) if match[3] else WIDTH
    if tile_name(match[1], number, width) != name or (match[3] and width >= WIDTH):
        return None
    return match[1], number, width


def bundle(entries: Sequence[bytes]) -> bytes:
    """Entries one after the other, each behind its length as a big-endian uint16."""
    return b"".join(len(entry).to_bytes(LENGTH_BYTES, "big") + entry for entry in entries)


def unbundle(content: bytes) -> list[bytes]:
    """Entries of a bundle. Raises BadData where the lengths do not add up."""
    found, at = [], 0
    while at < len(content):
        end = at + LENGTH_BYTES + int.from_bytes(content[at : at + LENGTH_BYTES], "big")
        if at + LENGTH_BYTES > len(content) or end > len(content):
            raise BadData("A bundle of entries is torn")
        found.append(content[at + LENGTH_BYTES : end])
        at = end
    return found


def width_at(size: int, level: int, number: int) -> int:
    """How many hashes tile ``number`` of a level has in a tree of ``size`` entries; 0 to 256."""
    return max(0, min(WIDTH, (size >> (HEIGHT * level)) - number * WIDTH))


def tiles_of(size: int) -> Iterator[tuple[int, int, int]]:
    """Level, number and width of every tile of a tree of that size."""
    level = 0
    while count := size >> (HEIGHT * level):
        for number in range(-(-count // WIDTH)):
            yield level, number, width_at(size, level, number)
        level += 1


class LogFolder:
    """Reads and writes the files of one log."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def read(self, name: str) -> bytes | None:
        """Bytes of a file; None where there is none."""
        try:
            return (self.folder / name).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None

    def tile(self, level: int | str, number: int, width: int) -> bytes:
        """Return a tile or bundle of at least that width: partial ones go when the full one is there.

        Raises
        ------
        BadData
            where it is missing.
        """
        for name in (tile_name(level, number, width), tile_name(level, number)):
            if (found := self.read(name)) is not None:
                return found
        raise BadData(f"{tile_name(level, number, width)} is missing")

    def entries(self, first: int, size: int) -> list[bytes]:
        """Entries of the bundle that begins with ``first``, as far as a tree of ``size`` has them."""
        number = first // WIDTH
        width = width_at(size, 0, number)
        found = unbundle(self.tile(ENTRIES, number, width))
        if len(found) < width:
            raise BadData(f"{tile_name(ENTRIES, number, width)} is too short")
        return found[:width]

    def write(self, name: str, content: bytes) -> None:
        """Put a file in its place, on the disk when this returns.

        Raises BadData where another one is there already: what was published is never changed.
        """
        path = self.folder / name
        if name != CHECKPOINT and (there := self.read(name)) is not None:
            if there != content:
                raise BadData(f"{name} is there already and says something else")
            return
        _make_folders(path.parent, self.folder)
        aside = self.folder / f".{secrets.token_hex(8)}"
        try:
            with aside.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            aside.replace(path)
        finally:
            aside.unlink(missing_ok=True)
        _flush_folder(path.parent)

    def drop_partial(self, level: int | str, number: int) -> None:
        """Remove partial copies of a tile that is now full."""
        shutil.rmtree(self.folder / f"{tile_name(level, number)}.p", ignore_errors=True)

    def names(self) -> Iterator[str]:
        """Paths of all files, without those that a killed writer has left aside."""
        for path in sorted(self.folder.rglob("*")):
            if path.is_file() and not path.name.startswith("."):
                yield path.relative_to(self.folder).as_posix()


class StoredNodes:
    """Hashes of subtrees from the tiles of a tree of ``size`` entries; few tiles stay in memory."""

    def __init__(self, folder: LogFolder, size: int) -> None:
        self._folder, self._size = folder, size
        self._tiles: dict[tuple[int, int], bytes] = {}

    def node(self, level: int, index: int) -> bytes:
        """MTH of a complete subtree."""
        tile_level, within = divmod(level, HEIGHT)
        first = index << within
        content = self._tile(tile_level, first // WIDTH)
        at = first % WIDTH
        hashes = [
            content[place * HASH_BYTES : (place + 1) * HASH_BYTES]
            for place in range(at, at + (1 << within))
        ]
        if len(hashes[-1]) != HASH_BYTES:
            raise BadData(f"{tile_name(tile_level, first // WIDTH)} is too short")
        return fold(hashes)

    def _tile(self, level: int, number: int) -> bytes:
        key = level, number
        if key not in self._tiles:
            if len(self._tiles) > WIDTH:
                self._tiles.clear()
            self._tiles[key] = self._folder.tile(level, number, width_at(self._size, level, number))
        return self._tiles[key]


class GrowingNodes:
    """A stored tree and entries behind it that are not stored yet."""

    def __init__(self, folder: LogFolder, size: int) -> None:
        self._stored = StoredNodes(folder, size)
        self._folder = folder
        self.old_size = self.size = size
        self._new: dict[tuple[int, int], bytearray] = {}  # changed tiles, whole
        self._entries: dict[int, list[bytes]] = {}

    def append(self, entry: bytes) -> None:
        """Add one entry."""
        number = self.size // WIDTH
        if number not in self._entries:
            self._entries[number] = self._stored_entries(number)
        self._entries[number].append(entry)
        found, index = leaf_hash(entry), self.size
        self.size += 1
        level = 0
        while True:
            tile = self._tile(level, index // WIDTH)
            tile += found
            if len(tile) < WIDTH * HASH_BYTES:
                return
            found = fold([bytes(tile[at : at + HASH_BYTES]) for at in range(0, len(tile), HASH_BYTES)])
            level, index = level + 1, index // WIDTH

    def node(self, level: int, index: int) -> bytes:
        """MTH of a complete subtree."""
        tile_level, within = divmod(level, HEIGHT)
        first = index << within
        tile = self._new.get((tile_level, first // WIDTH))
        if tile is None:
            return self._stored.node(level, index)
        start = first % WIDTH * HASH_BYTES
        content = bytes(tile[start : start + (HASH_BYTES << within)])
        return fold([content[at : at + HASH_BYTES] for at in range(0, len(content), HASH_BYTES)])

    def store(self) -> None:
        """Write every file that a tree of the new size needs."""
        full: list[tuple[int | str, int]] = []
        for number, entries in self._entries.items():
            self._folder.write(tile_name(ENTRIES, number, len(entries)), bundle(entries))
            full += [(ENTRIES, number)] if len(entries) == WIDTH else []
        for (level, number), tile in self._new.items():
            width = len(tile) // HASH_BYTES
            self._folder.write(tile_name(level, number, width), bytes(tile))
            full += [(level, number)] if width == WIDTH else []
        for found in full:
            self._folder.drop_partial(*found)

    def _stored_entries(self, number: int) -> list[bytes]:
        """Entries of the last bundle, which go into the next one: so they must be what is signed."""
        first = number * WIDTH
        if self.size == first:
            return []
        found = self._folder.entries(first, self.size)
        if b"".join(map(leaf_hash, found)) != self._tile(0, number):
            raise BadData(f"{tile_name(ENTRIES, number, len(found))} is not what its hashes say")
        return found

    def _tile(self, level: int, number: int) -> bytearray:
        key = level, number
        if key not in self._new:
            width = width_at(self.old_size, level, number)
            stored = self._folder.tile(level, number, width) if width else b""
            self._new[key] = bytearray(stored[: width * HASH_BYTES])
        return self._new[key]


def _make_folders(folder: Path, top: Path) -> None:
    """Make a folder and those above it, each known to the one above when this returns."""
    if folder.is_dir():
        return
    if folder != top:
        _make_folders(folder.parent, top)
    folder.mkdir(parents=True, exist_ok=True)
    _flush_folder(folder.parent)


def _flush_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
