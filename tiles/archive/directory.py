"""Directories of PMTiles, version 3: where each tile of an archive lies.

Entries are kept as they come, in a file without a name, so that a national map needs no memory.
"""

from __future__ import annotations

import gzip
from pathlib import Path
from tempfile import TemporaryFile
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

ENTRY = np.dtype([("id", "<u8"), ("offset", "<u8"), ("length", "<u4"), ("run", "<u4")])
"""A run of 0 means that offset and length are those of a leaf directory."""

FIRST_LEAF = 4096  # entries
_HELD = 1 << 15  # entries that wait in memory
_VARINT_BYTES = 10


class Directories(NamedTuple):
    """Both levels of an archive, as its file holds them; no leaves where all entries fit the root."""

    root: bytes
    leaves: bytes


class Entries:
    """Entries in ascending order of their ids, each run of identical tiles being one."""

    def __init__(self, folder: Path) -> None:
        self._file = TemporaryFile(dir=folder)  # noqa: SIM115 - closed by close()
        self._held = np.zeros(_HELD, ENTRY)
        self._used = 0
        self._spilled = 0

    def __len__(self) -> int:
        return self._spilled + self._used

    def add(self, tile_id: int, offset: int, length: int) -> None:
        """Add a tile whose bytes stand there; the id is larger than all before it."""
        if self._used:
            last = self._held[self._used - 1]
            if tile_id == last["id"] + last["run"] and offset == last["offset"]:
                last["run"] += 1
                return
        if self._used == _HELD:
            # the last one stays: the next tile may prolong its run
            self._spill(_HELD - 1)
            self._held[0] = self._held[_HELD - 1]
            self._used = 1
        self._held[self._used] = (tile_id, offset, length, 1)
        self._used += 1

    def directories(self, root_bytes: int) -> Directories:
        """Make a root of at most so many bytes, and the leaves it names if there must be any."""
        self._spill(self._used)
        self._used = 0
        if self._spilled <= FIRST_LEAF:
            root = directory(self._read(0, self._spilled))
            if len(root) <= root_bytes:
                return Directories(root, b"")
        leaf = FIRST_LEAF
        while True:
            found = self._in_leaves(leaf)
            if len(found.root) <= root_bytes:
                return found
            leaf *= 2

    def close(self) -> None:
        """Forget everything."""
        self._file.close()

    def _spill(self, count: int) -> None:
        self._file.write(self._held[:count].tobytes())
        self._spilled += count

    def _read(self, first: int, count: int) -> NDArray[np.void]:
        self._file.seek(first * ENTRY.itemsize)
        return np.frombuffer(self._file.read(count * ENTRY.itemsize), ENTRY)

    def _in_leaves(self, size: int) -> Directories:
        leaves = bytearray()
        firsts = range(0, self._spilled, size)
        root = np.zeros(len(firsts), ENTRY)
        for number, first in enumerate(firsts):
            entries = self._read(first, size)
            leaf = directory(entries)
            root[number] = (entries["id"][0], len(leaves), len(leaf), 0)
            leaves += leaf
        return Directories(directory(root), bytes(leaves))


def directory(entries: NDArray[np.void]) -> bytes:
    """Encode entries of ``ENTRY``, at least one, in ascending order of ids."""
    ids, offsets = entries["id"], entries["offset"]
    ends = offsets + entries["length"]
    places = offsets + np.uint64(1)
    places[1:][offsets[1:] == ends[:-1]] = 0  # right after the one before it
    values = [
        np.array([len(entries)], np.uint64),
        np.diff(ids, prepend=np.uint64(0)),
        entries["run"].astype(np.uint64),
        entries["length"].astype(np.uint64),
        places,
    ]
    return gzip.compress(varints(np.concatenate(values)), compresslevel=9, mtime=0)


def varints(values: NDArray[np.uint64]) -> bytes:
    """Numbers (n,) in seven bits a byte, the lowest first, each but the last with its high bit set."""
    sizes = np.ones(len(values), np.int64)
    for length in range(1, _VARINT_BYTES):
        sizes += values >> np.uint64(7 * length) > 0
    starts = np.cumsum(sizes) - sizes
    out = np.zeros(int(sizes.sum()), np.uint8)
    for byte in range(_VARINT_BYTES):
        there = sizes > byte
        if not there.any():
            break
        low = (values[there] >> np.uint64(7 * byte) & np.uint64(127)).astype(np.uint8)
        more = (sizes[there] > byte + 1).astype(np.uint8) << 7
        out[starts[there] + byte] = low | more
    return out.tobytes()
