"""The first pass over a collection: which rows a policy shows as they are, and which it rewrites."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from geoshare.access.compile import Treatment, treatments, visible_columns
from geoshare.access.precision import coarsen, cut
from geoshare.access.references import VisibleIds
from geoshare.access.view import restrict
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

    table: FeatureTable
    rows: NDArray[np.int32]
    columns: frozenset[str]
    snap_m: float = 0.0
    area: BaseGeometry | None = None

    @property
    def reshapes(self) -> bool:
        """Whether the geometry changes."""
        return self.snap_m > 0 or self.area is not None

    @cached_property
    def shaped(self) -> tuple[NDArray[np.int32], Shapes]:
        """The rows that are shown, and their geometry; rows of which nothing is left are not."""
        shapes = to_shapely(self.table.geometries, self.rows)
        bare = shapely.is_missing(shapes)
        if self.snap_m > 0:
            shapes = coarsen(shapes, self.snap_m)
        if self.area is not None:
            # after snapping: the edge of the fence is known to the consumer, the geometry is not
            shapes = cut(shapes, self.area)
        # rows that never had a geometry have nothing to lose
        left = bare & (self.area is None) | ~shapely.is_missing(shapes)
        return self.rows[left], shapes[left]

    def recipe(self) -> bytes:
        """Everything besides the part itself that decides what comes out."""
        digest = hashlib.blake2b(self.rows.tobytes(), digest_size=16)
        area = b"" if self.area is None else shapely.to_wkb(self.area)
        digest.update(repr((sorted(self.columns), self.snap_m, area)).encode())
        return digest.digest()


@dataclass(frozen=True)
class PartDraft:
    """One part: rows shown as they are, and rows to be rewritten.

    Both also hold rows that a later part hides, so that what is made of them outlives a change;
    ``alive`` tells which rows count.
    """

    part: Part
    checksum: str
    alive: Mask
    kept: NDArray[np.int32]
    rewrites: tuple[Rewrite, ...]
    moved: tuple[Rewrite, ...] = ()  # for their references alone


class Draft:
    """What a policy leaves of one collection before references are looked at."""

    def __init__(self, collection: Collection, grants: Sequence[Grant], source: Source | None) -> None:
        self.collection = collection
        self.source = source
        self.columns = visible_columns(grants, collection)
        self.parts: list[PartDraft] = []
        if source is not None:
            columns, fields = frozenset(self.columns), fields_of(collection)
            for part, bits, info in zip(
                source.pack.parts, source.pack.alive, source.infos, strict=True
            ):
                # a part from before a column came into the schema has it null in every row
                table = part.table
                if not fields.keys() <= part.kinds.keys():
                    table = restrict(table, fields | part.kinds, ())
                found = treatments(grants, collection, table, np.ones(len(part), bool))
                alive = _mask(bits, len(part))
                self.parts.append(_draft_part(part, info.checksum, alive, found, columns))

    @cached_property
    def kinds(self) -> dict[str, Kind]:
        """Kind of each visible column: the pack's, or the schema's where the pack has none."""
        held: Mapping[str, Kind] = self.source.pack.kinds if self.source is not None else {}
        plain = fields_of(self.collection)
        return {name: held.get(name, plain[name]) for name in self.columns}

    @cached_property
    def visible_ids(self) -> VisibleIds:
        """Ids of all rows shown."""
        hashes = [np.zeros(0, np.uint64)]
        for draft in self.parts:
            shown = [draft.kept, *(_shown(rewrite) for rewrite in draft.rewrites)]
            hashes += [draft.part.table.id_hash[rows[draft.alive[rows]]] for rows in shown]
        return VisibleIds(np.unique(np.concatenate(hashes)))


def _shown(rewrite: Rewrite) -> NDArray[np.int32]:
    return rewrite.shaped[0] if rewrite.reshapes else rewrite.rows


def _draft_part(
    part: Part, checksum: str, alive: Mask, found: Sequence[Treatment], columns: frozenset[str]
) -> PartDraft:
    kept = [np.zeros(0, np.int32)]
    rewrites = []
    for treatment in found:
        if treatment.columns >= columns and not treatment.reshapes:
            kept.append(treatment.rows)
        else:
            rewrites.append(
                Rewrite(part.table, treatment.rows, treatment.columns, treatment.snap_m, treatment.area)
            )
    return PartDraft(part, checksum, alive, np.sort(np.concatenate(kept)), tuple(rewrites))


def _mask(bits: NDArray[np.uint8], rows: int) -> Mask:
    """Read a bitmap as a mask; no bytes mean all rows."""
    if not len(bits):
        return np.ones(rows, bool)
    return np.unpackbits(bits, count=rows, bitorder="little").astype(bool)
