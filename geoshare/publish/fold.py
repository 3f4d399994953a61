"""Folding: deltas into fewer and larger ones, and those into the parts of the base they touch.

A delta says what it changes by id, so neighbouring deltas can be joined without looking at the
record, and what they hold can be dealt out to the parts of the base by its place on the curve. Parts
are only ever read here, and new ones written aside: :func:`run` may be done by any process, at its
leisure, and its result is put in place later if the parts it was made of are still there
(:meth:`Fold.rebased`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from geoshare.publish.build import PART_ROWS, Piece, cut, joined, piece_of, write_piece
from geoshare.publish.manifest import Manifest
from tiles.arrays import Kind
from tiles.pack import Pack, Part, PartInfo, open_part
from tiles.pack.model import text_of, to_mask

MOST_DELTAS = 8  # more are folded
BASE_SHARE = 0.10  # deltas of so much of the base go into it
LEVEL = 4  # a delta this many times as large as all after it together stays out of their way


@dataclass(frozen=True, slots=True)
class Fold:
    """What is to be folded: neighbouring parts of one version.

    Either deltas alone, which become one, or all parts of the version: then no delta stays.
    """

    collection: str
    kinds: Mapping[str, Kind]
    taken: tuple[PartInfo, ...]
    sequence: int  # of the version

    @property
    def into_base(self) -> bool:
        """Whether no delta stays."""
        return not self.taken[0].is_delta

    def rebased(self, infos: Sequence[PartInfo], folded: Folded) -> tuple[PartInfo, ...] | None:
        """The parts of a later version with the result in place; None where it no longer fits."""
        names, mine = [info.name for info in infos], [info.name for info in self.taken]
        at = names.index(mine[0]) if mine[0] in names else len(names)
        if names[at : at + len(mine)] != mine:
            return None
        kept = [info for info in self.taken if info.name in folded.kept]
        if not self.into_base:
            return (*infos[:at], *folded.parts, *infos[at + len(mine) :])
        order = {name: place for place, name in enumerate(folded.order)}
        base = sorted([*kept, *folded.parts], key=lambda info: order[info.name])
        return (*base, *infos[len(mine) :])


@dataclass(frozen=True, slots=True)
class Folded:
    """New parts, written aside, and the names of those taken that stay as they are."""

    folder: Path
    parts: tuple[PartInfo, ...]
    kept: frozenset[str] = frozenset()
    order: tuple[str, ...] = ()  # names of all parts of the new base


def plan(
    manifest: Manifest,
    without: Sequence[PartInfo] = (),
    most: int = MOST_DELTAS,
    *,
    into_base: bool = True,
) -> Fold | None:
    """What to fold of a version; None where nothing needs it.

    Parameters
    ----------
    without
        Parts that another fold has in hand: only deltas after them are looked at.
    most
        So many deltas may stay.
    into_base
        Whether all may be folded into the base, which takes as long as its parts are large.
    """
    busy = {info.name for info in without}
    places = [at for at, info in enumerate(manifest.parts) if info.name in busy]
    deltas = [info for info in manifest.parts[max(places, default=-1) + 1 :] if info.is_delta]
    weights = np.array([1 + info.rows + info.tombstones for info in deltas], dtype=np.int64)
    base_rows = sum(info.rows for info in manifest.parts if not info.is_delta)
    if into_base and not busy and deltas and weights.sum() >= BASE_SHARE * base_rows:
        return Fold(manifest.collection, manifest.kinds, manifest.parts, manifest.sequence)
    if len(deltas) <= most or len(deltas) < 2:
        return None
    after = weights.sum() - np.cumsum(weights)
    light = np.flatnonzero(weights[:-1] < LEVEL * after[:-1])
    first = int(light[0]) if len(light) else len(deltas) - 2
    return Fold(manifest.collection, manifest.kinds, tuple(deltas[first:]), manifest.sequence)


def run(fold: Fold, folder: Path, aside: Path, part_rows: int = PART_ROWS) -> Folded:
    """Read the parts from ``folder`` and write what becomes of them to ``aside``.

    Raises a ``TileError`` where a part cannot be read or written.
    """
    aside.mkdir(parents=True, exist_ok=True)
    pack = Pack([open_part(folder / info.name, info) for info in fold.taken])
    masks = [to_mask(bits, len(part)) for part, bits in zip(pack.parts, pack.alive, strict=True)]
    if fold.into_base:
        return _into_base(fold, pack, masks, aside, part_rows)
    pieces = [_alive(part, mask) for part, mask in zip(pack.parts, masks, strict=True)]
    whole = joined(pieces)
    alive = set(whole.table.column("id").to_pylist())
    gone = {id_ for part in pack.parts for id_ in part.tombstones} - alive
    part = write_piece(aside, "middle", whole, fold.kinds, tombstones=sorted(gone))
    return Folded(aside, (part,))


def _into_base(
    fold: Fold, pack: Pack, masks: Sequence[NDArray[np.bool_]], aside: Path, part_rows: int
) -> Folded:
    base = [at for at, part in enumerate(pack.parts) if not part.is_delta]
    later = [at for at, part in enumerate(pack.parts) if part.is_delta]
    owners = {at: _owners(pack.parts[at], [pack.parts[to] for to in base]) for at in later}
    parts, order, kept = [], [], set()
    for place, at in enumerate(base):
        info = fold.taken[at]
        coming = {to: masks[to] & (owners[to] == place) for to in later}
        if masks[at].all() and not any(mask.any() for mask in coming.values()):
            kept.add(info.name)
            order.append(info.name)
            continue
        pieces = [_alive(pack.parts[at], masks[at])]
        pieces += [_alive(pack.parts[to], mask) for to, mask in coming.items()]
        whole = joined(pieces)
        if len(whole):
            new = [write_piece(aside, "base", some, fold.kinds) for some in cut(whole, part_rows)]
            parts += new
            order += [info.name for info in new]
    if not order:
        empty = write_piece(aside, "base", joined([_alive(pack.parts[0], masks[0])]), fold.kinds)
        parts, order = [empty], [empty.name]
    return Folded(aside, tuple(parts), frozenset(kept), tuple(order))


def _owners(delta: Part, base: Sequence[Part]) -> NDArray[np.int64]:
    """Place of the part of the base to whose stretch of the curve each row of a delta belongs.

    Stretches begin with the first (key, id) of a part; what lies before the first belongs to it.
    """
    firsts = [(int(part.order_key[0]), _id(part, 0)) if len(part) else None for part in base]
    owners = np.zeros(len(delta), dtype=np.int64)
    for place, first in enumerate(firsts[1:], start=1):
        if first is None:
            continue
        key, first_id = first
        owners[delta.order_key > key] = place
        for row in np.flatnonzero(delta.order_key == key):
            if _id(delta, int(row)) >= first_id:
                owners[row] = place
    return owners


def _id(part: Part, row: int) -> bytes:
    starts, text = text_of(part.table.ids)
    return text[starts[row] : starts[row + 1]].tobytes()


def _alive(part: Part, mask: NDArray[np.bool_]) -> Piece:
    return piece_of(part.table, np.flatnonzero(mask).astype(np.int32))
