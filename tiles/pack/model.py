"""Parts, packs of parts, and selections of their rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from operator import is_
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from tiles.arrays import Column, FeatureTable, Kind
from tiles.errors import BadColumn, SelectionMismatch
from tiles.index.rtree import EMPTY_BOX
from tiles.pack.identity import find_rows, id_hashes, utf8_arrays
from tiles.pack.sums import Sums

ALL_SET = np.zeros(0, dtype=np.uint8)
ALL_SET.setflags(write=False)


@dataclass(frozen=True, slots=True)
class PartInfo:
    """What a manifest keeps of a part, so that nobody has to open it to know."""

    name: str  # of the file
    rows: int
    vertices: int
    size: int  # bytes of the file
    checksum: str  # BLAKE2b-256 of the file, in hexadecimal
    rows_digest: str
    tombstones: int
    is_delta: bool
    box: (
        tuple[float, float, float, float] | None
    )  # degrees: west, south, east, north; None: no geometry

    def to_json(self) -> dict[str, Any]:
        """Plain values for a manifest."""
        return asdict(self)

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> Self:
        """What ``to_json`` gave."""
        box = said["box"]
        return cls(**{**said, "box": None if box is None else tuple(box)})


@dataclass(frozen=True, slots=True, weakref_slot=True, eq=False)
class Part:
    """One opened part: arrays that lie in the mapped file."""

    path: Path
    table: FeatureTable
    boxes: NDArray[np.int32]  # (n, 4)
    nodes: NDArray[np.int32]  # (m, 4)
    level_starts: NDArray[np.int64]
    order_key: NDArray[np.uint64]  # (n,) ascending
    id_order: NDArray[np.int32]  # (n,)
    tombstones: tuple[str, ...]
    is_delta: bool
    rows_digest: str
    sums: Mapping[str, Sums]  # over all rows, of each property and the geometry

    def __len__(self) -> int:
        return len(self.table)

    @property
    def kinds(self) -> dict[str, Kind]:
        """Kind of each property, in order."""
        return {column.name: column.kind for column in self.table.columns}

    @property
    def extent(self) -> tuple[int, int, int, int]:
        """World box of all rows; west > east where none has a geometry."""
        if not len(self.nodes):
            return EMPTY_BOX
        west, south, east, north = self.nodes[-1].tolist()
        return west, south, east, north

    def rows_of(self, ids: Sequence[str]) -> NDArray[np.int32]:
        """Row number of each id, -1 where the part has none."""
        return self.find(id_hashes(ids), *utf8_arrays(ids))

    def find(
        self,
        wanted_hash: NDArray[np.uint64],
        wanted_starts: NDArray[np.int32],
        wanted_bytes: NDArray[np.uint8],
    ) -> NDArray[np.int32]:
        """Row number of each id given by hash, offsets and bytes; -1 where the part has none."""
        rows: NDArray[np.int32] = find_rows(
            self.table.id_hash,
            self.id_order,
            *text_of(self.table.ids),
            wanted_hash,
            wanted_starts,
            wanted_bytes,
        )
        return rows

    def hidden_by(self, later: Part) -> NDArray[np.int32]:
        """Rows of this part that a later delta replaces or removes; -1 for ids that it has not."""
        replaced = self.find(later.table.id_hash, *text_of(later.table.ids))
        return np.concatenate([replaced, self.rows_of(later.tombstones)])


def text_of(column: Column) -> tuple[NDArray[np.int32], NDArray[np.uint8]]:
    """Offsets and bytes of a text column's dictionary."""
    if column.dictionary_offsets is None or column.dictionary_bytes is None:
        raise BadColumn(f"property {column.name!r} is not text")
    return column.dictionary_offsets, column.dictionary_bytes


class Pack:
    """One collection at one version: parts in order, the later ones changing the earlier.

    Parts that are deltas hide the rows of earlier parts that carry an id they have, as a row or as
    a tombstone. ``tombstones`` are ids that are hidden in every part. At least one part is needed,
    and all have the same properties of the same kinds; an empty collection is one part of no rows.
    """

    def __init__(
        self, parts: Sequence[Part], tombstones: Sequence[str] = (), previous: Pack | None = None
    ) -> None:
        """Put parts together; ``previous`` spares work where its parts are the first of these."""
        if not parts:
            raise BadColumn("a pack without parts has no columns: write one part of no rows")
        for part in parts[1:]:
            if part.kinds != parts[0].kinds:
                raise BadColumn(f"{part.path.name} has other properties than {parts[0].path.name}")
        self.parts = tuple(parts)
        self.tombstones = tuple(tombstones)
        self.extents = np.array([part.extent for part in self.parts], dtype=np.int64)  # (parts, 4)
        known = previous.alive if previous is not None and self._continues(previous) else ()
        self.alive: tuple[NDArray[np.uint8], ...] = tuple(
            self._alive(at, known) for at in range(len(self.parts))
        )

    def _continues(self, previous: Pack) -> bool:
        """Whether this pack is the other one and more parts."""
        first = self.parts[: len(previous.parts)]
        same_parts = len(first) == len(previous.parts) and all(map(is_, first, previous.parts))
        return same_parts and self.tombstones == previous.tombstones

    def _alive(self, at: int, known: Sequence[NDArray[np.uint8]]) -> NDArray[np.uint8]:
        """Bitmap of a part's rows that nothing hides; no bytes where nothing is hidden.

        ``known`` are the bitmaps of the first parts as far as those parts alone determine them.
        """
        part = self.parts[at]
        if at < len(known):
            before, later = known[at], self.parts[len(known) :]
            hidden = []
        else:
            before, later = ALL_SET, self.parts[at + 1 :]
            hidden = [part.rows_of(self.tombstones)] if self.tombstones else []
        hidden += [part.hidden_by(delta) for delta in later if delta.is_delta]
        rows = np.concatenate([np.zeros(0, dtype=np.int32), *hidden])
        rows = rows[rows >= 0]
        if not len(rows):
            return before
        mask = to_mask(before, len(part))
        mask[rows] = False
        return to_bitmap(mask)

    @property
    def kinds(self) -> dict[str, Kind]:
        """Kind of each property, in order."""
        return self.parts[0].kinds

    def __len__(self) -> int:
        """Rows that are alive."""
        return sum(
            count_set(bits, len(part)) for part, bits in zip(self.parts, self.alive, strict=True)
        )


def to_bitmap(mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """A mask of n rows as bits, row 0 in the lowest bit of the first byte; read-only."""
    bits = np.packbits(mask, bitorder="little")
    bits.setflags(write=False)
    return bits


def to_mask(bitmap: NDArray[np.uint8], rows: int) -> NDArray[np.bool_]:
    """The mask of a bitmap over that many rows; no bytes: all are set."""
    if not len(bitmap):
        return np.ones(rows, dtype=bool)
    return np.unpackbits(bitmap, count=rows, bitorder="little").astype(bool)


def count_set(bitmap: NDArray[np.uint8], rows: int) -> int:
    """Number of set bits of a bitmap over that many rows; no bytes: all are set."""
    if not len(bitmap):
        return rows
    return int(np.bitwise_count(bitmap).sum(dtype=np.int64))


@dataclass(frozen=True, slots=True)
class Selection:
    """Which rows of a pack one consumer may know: a bitmap for each part, None for all rows.

    It is bound to the rows it was made for, and refused with any others.
    """

    digests: tuple[str, ...]
    bitmaps: tuple[NDArray[np.uint8] | None, ...]

    @classmethod
    def of_masks(cls, pack: Pack, masks: Sequence[NDArray[np.bool_] | None]) -> Self:
        """A selection from one mask of n rows for each part, None for all of its rows."""
        if len(masks) != len(pack.parts):
            raise SelectionMismatch(f"{len(masks)} masks for {len(pack.parts)} parts")
        for part, mask in zip(pack.parts, masks, strict=True):
            if mask is not None and (mask.shape != (len(part),) or mask.dtype != np.bool_):
                raise SelectionMismatch(f"a mask of {mask.shape} for {len(part)} rows")
        return cls(
            digests=tuple(part.rows_digest for part in pack.parts),
            bitmaps=tuple(None if mask is None else to_bitmap(mask) for mask in masks),
        )

    @classmethod
    def everything(cls, pack: Pack) -> Self:
        """All rows of the pack."""
        return cls.of_masks(pack, [None] * len(pack.parts))

    @classmethod
    def nothing(cls, pack: Pack) -> Self:
        """No row of the pack."""
        return cls.of_masks(pack, [np.zeros(len(part), dtype=bool) for part in pack.parts])

    def __post_init__(self) -> None:
        # read-only whoever made them, so that nobody widens them and kernels see one type of array
        kept = tuple(None if bitmap is None else _read_only(bitmap) for bitmap in self.bitmaps)
        object.__setattr__(self, "bitmaps", kept)

    def bits(self, pack: Pack) -> tuple[NDArray[np.uint8], ...]:
        """The bitmaps for the pack's parts; ``SelectionMismatch`` where they are of other rows."""
        if self.digests != tuple(part.rows_digest for part in pack.parts):
            raise SelectionMismatch("the selection was made for other parts than the pack's")
        return tuple(
            _fitting(bitmap, part) for bitmap, part in zip(self.bitmaps, pack.parts, strict=True)
        )


def _read_only(bitmap: NDArray[np.uint8]) -> NDArray[np.uint8]:
    view = bitmap.view()
    view.setflags(write=False)
    return view


def _fitting(bitmap: NDArray[np.uint8] | None, part: Part) -> NDArray[np.uint8]:
    """A bitmap as kernels take it; its length is looked at because no bytes stand for all rows."""
    if bitmap is None:
        return ALL_SET
    if bitmap.dtype != np.uint8 or bitmap.shape != ((len(part) + 7) // 8,):
        raise SelectionMismatch(f"a bitmap of {bitmap.shape} {bitmap.dtype} for {len(part)} rows")
    return bitmap
