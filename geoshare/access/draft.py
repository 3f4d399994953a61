"""The first pass over a collection: which rows a policy shows as they are, and which it rewrites."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

import numpy as np
import orjson
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from geoshare.access.compile import (
    Treatment,
    hashed_columns,
    observed_times,
    treatments,
    visible_columns,
)
from geoshare.access.memory import Memory
from geoshare.access.precision import coarsen, cut
from geoshare.access.references import ShownPart, VisibleIds
from geoshare.access.view import restrict
from geoshare.filter import fields_of
from geoshare.model.collections import Collection
from geoshare.model.policy import Grant, Transform, canonical_json
from tiles.arrays import FeatureTable, Kind
from tiles.geometry.convert import to_shapely
from tiles.pack import Pack, Part, PartInfo
from tiles.pack.bits import Bits, bits_of, both, either

Shapes = NDArray[np.object_]
HashKey = Callable[[str], bytes]
"""The secret of an agreement, for the hashes of its columns."""


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


def rights_of(grants: Sequence[Grant]) -> bytes:
    """What some grants come to, as far as they decide data, in one canonical form."""
    return b"\n".join(sorted(canonical_json(grant.data()) for grant in grants))


@dataclass(frozen=True, eq=False)
class Rewrite:
    """Rows of one part that come out with other columns, other values or another geometry."""

    table: FeatureTable
    rows: NDArray[np.int32]
    columns: frozenset[str]
    snap_m: float = 0.0
    area: BaseGeometry | None = None
    transforms: Mapping[str, Transform] = field(default_factory=dict)

    @property
    def reshapes(self) -> bool:
        """Whether the geometry changes."""
        return self.snap_m > 0 or self.area is not None

    @cached_property
    def _coarse(self) -> tuple[NDArray[np.int32], Shapes]:
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

    def take_shapes(self) -> tuple[NDArray[np.int32], Shapes]:
        """The rows that are shown, and their geometry; rows of which nothing is left are not.

        They are made once and forgotten when they are taken.
        """
        if not self.reshapes:
            return self.rows, to_shapely(self.table.geometries, self.rows)
        found, _ = self._coarse, self.shown
        del self.__dict__["_coarse"]
        return found

    @cached_property
    def shown(self) -> NDArray[np.int32]:
        """The rows that are shown."""
        return self._coarse[0] if self.reshapes else self.rows

    @cached_property
    def recipe(self) -> bytes:
        """Everything besides the part itself that decides what comes out."""
        digest = hashlib.blake2b(self.rows.tobytes(), digest_size=16)
        area = b"" if self.area is None else shapely.to_wkb(self.area)
        changes = {name: said.model_dump(mode="json") for name, said in self.transforms.items()}
        digest.update(repr((sorted(self.columns), self.snap_m, area)).encode())
        digest.update(canonical_json(changes))
        return digest.digest()


@dataclass(frozen=True, eq=False)
class PartDraft:
    """One part: rows shown as they are, and rows to be rewritten.

    Both also hold rows that a later part hides, so that what is made of them outlives a change. Where
    there are rules on time it holds from one tick until before another.
    """

    part: Part
    checksum: str
    kept: Bits
    rewrites: tuple[Rewrite, ...]
    from_us: int | None = None
    until_us: int | None = None

    def holds(self, tick_us: int | None) -> bool:
        """Whether the same would come out at that tick."""
        if tick_us is None or self.from_us is None:
            return tick_us == self.from_us
        return self.from_us <= tick_us and (self.until_us is None or tick_us < self.until_us)

    @cached_property
    def shown(self) -> Bits:
        """All rows that are shown, one way or the other."""
        bits = self.kept
        for rewrite in self.rewrites:
            bits = either(bits, bits_of(rewrite.shown, len(self.part)))
        return bits


class Draft:
    """What a policy leaves of one collection before references are looked at.

    ``rights`` are bytes that differ where the grants differ (see :func:`rights_of`).
    """

    def __init__(
        self,
        collection: Collection,
        grants: Sequence[Grant],
        source: Source | None,
        memory: Memory,
        rights: bytes,
        tick_us: int | None = None,
        hash_key: HashKey | None = None,
    ) -> None:
        self.collection = collection
        self.grants = tuple(grants)
        self.source = source
        self.columns = visible_columns(grants, collection)
        self.fields = fields_of(collection)
        self._memory = memory
        self._rights = rights
        timed = any(grant.delay is not None or grant.window is not None for grant in grants)
        self._tick_us = tick_us if timed else None
        self._hash_key = hash_key
        self.parts: list[PartDraft] = []
        self.alive: tuple[Bits, ...] = () if source is None else source.pack.alive
        if source is not None:
            pairs = zip(source.pack.parts, source.infos, strict=True)
            self.parts = [self._part(part, info.checksum) for part, info in pairs]

    @cached_property
    def key(self) -> str:
        """All that decides what is drafted of a part besides the part and the time."""
        said = orjson.dumps((self.collection.name, self.collection.schema))
        return hashlib.blake2b(said + self._rights, digest_size=16).hexdigest()

    @cached_property
    def kinds(self) -> dict[str, Kind]:
        """Kind of each visible column: the pack's, or the schema's where the pack has none."""
        held: Mapping[str, Kind] = self.source.pack.kinds if self.source is not None else {}
        hashed = hashed_columns(self.grants, self.collection)
        return {
            name: Kind.STRING if name in hashed else held.get(name, self.fields[name])
            for name in self.columns
        }

    @cached_property
    def hash_keys(self) -> dict[str, bytes]:
        """Keys of hashed columns; none, and nothing is shown, where it is not clear which."""
        found = {}
        for name in self.columns:
            agreements = {item.agreement for item in self.grants if item.transform(name).kind == "hash"}
            if len(agreements) == 1 and "" not in agreements and self._hash_key is not None:
                found[name] = self._hash_key(agreements.pop())
        return found

    @cached_property
    def visible_ids(self) -> VisibleIds:
        """Ids of all rows shown."""
        pairs = zip(self.parts, self.alive, strict=True)
        return VisibleIds(
            tuple(ShownPart(item.checksum, item.part, both(item.shown, alive)) for item, alive in pairs)
        )

    def table(self, part: Part) -> FeatureTable:
        """A part's table; columns that came into the schema after it are null in every row."""
        if self.fields.keys() <= part.kinds.keys():
            return part.table
        return restrict(part.table, self.fields | part.kinds, ())

    def _part(self, part: Part, checksum: str) -> PartDraft:
        key = ("draft", self.key, checksum)
        held: PartDraft | None = self._memory.get(key)
        if held is not None and held.holds(self._tick_us):
            return held
        table = self.table(part)
        alive = np.ones(len(part), bool)
        found = treatments(self.grants, self.collection, table, alive, self._tick_us)
        kept, rewrites = self._split(part, table, found)
        until = None if self._tick_us is None else self._next_change_us(table, self._tick_us)
        made = PartDraft(part, checksum, kept, rewrites, self._tick_us, until)
        return self._memory.put(
            key,
            made,
            made.kept.nbytes + 2 * sum(rewrite.rows.nbytes for rewrite in rewrites),
            checksum,
        )

    def _split(
        self, part: Part, table: FeatureTable, found: Sequence[Treatment]
    ) -> tuple[Bits, tuple[Rewrite, ...]]:
        kept, rewrites = [np.zeros(0, np.int32)], []
        for item in found:
            if item.columns >= set(self.columns) and not item.reshapes and not item.transforms:
                kept.append(item.rows)
            else:
                rewrites.append(
                    Rewrite(table, item.rows, item.columns, item.snap_m, item.area, item.transforms)
                )
        return bits_of(np.concatenate(kept), len(part)), tuple(rewrites)

    def _next_change_us(self, table: FeatureTable, tick_us: int) -> int | None:
        """The first moment after a tick at which a rule on time shows or hides another row."""
        times_us, known = observed_times(self.collection, table, np.arange(len(table), dtype=np.int32))
        moments = [np.zeros(0, np.int64)]
        for grant in self.grants:
            if grant.delay is not None:
                moments.append(times_us[known] + grant.delay_us)
            if grant.window_us is not None:
                moments.append(times_us[known] + grant.window_us + 1)
        coming = np.concatenate(moments)
        coming = coming[coming > tick_us]
        return int(coming.min()) if len(coming) else None
