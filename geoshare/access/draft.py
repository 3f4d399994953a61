"""The first pass over a collection: which rows a policy shows as they are, and which it rewrites."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
import shapely
from numpy.typing import NDArray

from geoshare.access.compile import Treatment, treatments, visible_columns
from geoshare.access.precision import coarsen, cut
from geoshare.access.references import VisibleIds
from geoshare.filter import fields_of
from geoshare.model.collections import Collection
from geoshare.model.policy import Grant
from tiles.arrays import FeatureTable, Kind
from tiles.geometry.convert import to_shapely
from tiles.pack import Pack, Part, PartInfo

Mask = NDArray[np.bool_]
Shapes = NDArray[np.object_]


class Source(Protocol):
    """A collection's current pack."""

    @property
    def version(self) -> str:
        """The version, for the inside only."""
        ...

    @property
    def pack(self) -> Pack:
        """The opened parts."""
        ...

    @property
    def infos(self) -> Sequence[PartInfo]:
        """What the manifest says of each part."""
        ...

    @property
    def paths(self) -> Sequence[str]:
        """Paths of the parts, under the packs folder."""
        ...


@dataclass(frozen=True)
class Rewrite:
    """Rows of one part that come out with other columns or another geometry."""

    rows: NDArray[np.int32]
    columns: frozenset[str]
    shapes: Shapes | None  # None: the part's own geometry


@dataclass(frozen=True)
class PartDraft:
    """One part: rows shown as they are, and rows to be rewritten."""

    part: Part
    kept: NDArray[np.int32]
    rewrites: tuple[Rewrite, ...]


class Draft:
    """What a policy leaves of one collection before references are looked at."""

    def __init__(self, collection: Collection, grants: Sequence[Grant], source: Source | None) -> None:
        self.collection = collection
        self.source = source
        self.columns = visible_columns(grants, collection)
        self.parts: list[PartDraft] = []
        if source is not None:
            for part, bits in zip(source.pack.parts, source.pack.alive, strict=True):
                alive = _mask(bits, len(part))
                found = treatments(grants, collection, part.table, alive)
                self.parts.append(_draft_part(part, found, frozenset(self.columns)))

    @cached_property
    def kinds(self) -> dict[str, Kind]:
        """Kind of each visible column: the pack's, or the schema's where the pack has none."""
        held: Mapping[str, Kind] = self.source.pack.kinds if self.source is not None else {}
        plain = fields_of(self.collection)
        return {name: held.get(name, plain[name]) for name in self.columns}

    @cached_property
    def visible_ids(self) -> VisibleIds:
        """Ids of all rows shown."""
        hashes = [
            draft.part.table.id_hash[rows]
            for draft in self.parts
            for rows in (draft.kept, *(rewrite.rows for rewrite in draft.rewrites))
        ]
        return VisibleIds(np.unique(np.concatenate([np.zeros(0, np.uint64), *hashes])))


def _draft_part(part: Part, found: Sequence[Treatment], columns: frozenset[str]) -> PartDraft:
    kept = [np.zeros(0, np.int32)]
    rewrites = []
    for treatment in found:
        if treatment.columns >= columns and not treatment.reshapes:
            kept.append(treatment.rows)
        else:
            rewrites.append(_rewrite(part.table, treatment))
    return PartDraft(part, np.sort(np.concatenate(kept)), tuple(rewrites))


def _rewrite(table: FeatureTable, treatment: Treatment) -> Rewrite:
    """Coarser and cut geometry; rows of which nothing is left are not shown."""
    if not treatment.reshapes:
        return Rewrite(treatment.rows, treatment.columns, None)
    shapes = to_shapely(table.geometries, treatment.rows)
    bare = shapely.is_missing(shapes)
    if treatment.snap_m > 0:
        shapes = coarsen(shapes, treatment.snap_m)
    if treatment.area is not None:
        # after snapping: the edge of the fence is known to the consumer, the geometry is not
        shapes = cut(shapes, treatment.area)
    # rows that never had a geometry have nothing to lose
    left = bare & (treatment.area is None) | ~shapely.is_missing(shapes)
    return Rewrite(treatment.rows[left], treatment.columns, shapes[left])


def _mask(bits: NDArray[np.uint8], rows: int) -> Mask:
    """Read a bitmap as a mask; no bytes mean all rows."""
    if not len(bits):
        return np.ones(rows, bool)
    return np.unpackbits(bits, count=rows, bitorder="little").astype(bool)
