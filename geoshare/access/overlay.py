"""Overlay parts: the rows of a view that differ from the pack, written as parts of their own."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import orjson
import pyarrow as pa
from numpy.typing import NDArray

from geoshare.access.draft import Draft, PartDraft, Rewrite
from geoshare.access.manifest import write_aside
from geoshare.access.references import Targets, without_dangling
from geoshare.access.transforms import transformed
from geoshare.access.view import restrict
from tiles.arrays import FeatureTable, Rows
from tiles.geometry.convert import from_shapely
from tiles.pack import Part, PartInfo, materialise, open_part, write_part
from tiles.pack.bits import Bits, bits_of, tidy
from tiles.pack.columns import arrow_type
from tiles.pack.model import ALL_SET, text_of, to_bitmap, to_mask

FORMAT = 3
"""Goes up when rewriting gives other rows for the same recipe."""


@dataclass(frozen=True, eq=False)
class Overlay:
    """Rewritten rows of one part as a part of their own; ``row_of`` (n,): their rows in the first."""

    info: PartInfo
    part: Part
    row_of: NDArray[np.int32]
    moved: bool  # for their references alone

    def shown(self, alive: Bits, length: int) -> Bits:
        """Which of its rows are of rows that are alive in the first part, of ``length`` rows."""
        if not len(alive):
            return ALL_SET
        return tidy(to_bitmap(to_mask(alive, length)[self.row_of]), len(self.row_of))


@dataclass(frozen=True, eq=False)
class SettledPart:
    """One part of a view: rows shown as they are, and those that are rewritten."""

    part: Part
    kept: Bits
    overlays: tuple[Overlay, ...]


def reference_columns(draft: Draft) -> list[tuple[str, str]]:
    """Visible columns that refer to features, with the collection they refer to."""
    properties = [draft.collection.property(name) for name in draft.columns]
    return [(item.name, item.reference) for item in properties if item is not None and item.reference]


def write_settled(
    folder: Path,
    draft: Draft,
    part: PartDraft,
    leading_out: NDArray[np.int32],
    nulled: Sequence[str],
    targets: Targets,
) -> SettledPart:
    """Write the rewritten rows of one part; what is there already from before is not made again.

    Rows that are rewritten for their references alone (``leading_out``) lie apart, since other features
    decide on them.
    """
    kept = part.kept
    moved: tuple[Rewrite, ...] = ()
    if len(leading_out):
        mask = to_mask(kept, len(part.part))
        mask[leading_out] = False
        kept = bits_of(np.flatnonzero(mask).astype(np.int32), len(part.part))
        moved = (Rewrite(draft.table(part.part), leading_out, frozenset(draft.columns)),)
    found = [
        _write_overlay(folder, draft, part, rewrites, nulled, targets, rewrites is moved)
        for rewrites in (part.rewrites, moved)
    ]
    return SettledPart(part.part, kept, tuple(overlay for overlay in found if overlay is not None))


def _write_overlay(
    folder: Path,
    draft: Draft,
    part: PartDraft,
    rewrites: Sequence[Rewrite],
    nulled: Sequence[str],
    targets: Targets,
    moved: bool,
) -> Overlay | None:
    rewrites = [rewrite for rewrite in rewrites if len(rewrite.rows)]
    if not rewrites:
        return None
    plain = {name: draft.fields[name] for name in draft.columns} | {
        name: kind for name, kind in part.part.kinds.items() if name in draft.columns
    }
    table = restrict(part.part.table, plain, nulled)
    references = [_references(table, rewrite, draft, nulled, targets) for rewrite in rewrites]
    name = _name(draft, part, rewrites, nulled, references)
    beside = folder / f"{name}.json"
    if beside.exists() and (folder / name).exists():
        info = PartInfo.from_json(orjson.loads(beside.read_bytes()))
    else:
        info = _write(folder / name, draft, table, rewrites, references)
        write_aside(beside, orjson.dumps(info.to_json()))
    opened = open_part(folder / name, info)
    row_of = part.part.find(opened.table.id_hash, *text_of(opened.table.ids))
    return Overlay(info, opened, row_of, moved)


def _write(
    path: Path,
    draft: Draft,
    table: FeatureTable,
    rewrites: Sequence[Rewrite],
    references: Sequence[dict[str, pa.Array]],
) -> PartInfo:
    pieces, shapes = [], []
    for rewrite, settled in zip(rewrites, references, strict=True):
        rows, shape = rewrite.take_shapes()
        pieces.append(_columns(draft, table, rewrite, rows, settled))
        shapes.append(shape)
    path.parent.mkdir(parents=True, exist_ok=True)
    joined = from_shapely(np.concatenate(shapes))
    return write_part(path, pa.concat_tables(pieces), joined, draft.kinds)


def _references(
    table: FeatureTable, rewrite: Rewrite, draft: Draft, nulled: Sequence[str], targets: Targets
) -> dict[str, pa.Array]:
    """Reference columns of all rows of a rewrite, without what leads out of the view."""
    found = {}
    for name, target in reference_columns(draft):
        if name not in nulled and name in rewrite.columns:
            texts = materialise(Rows((table,), (rewrite.rows,)), [name], None).column(name)
            found[name] = without_dangling(texts, table.column(name).kind, targets(target))
    return found


def _columns(
    draft: Draft,
    table: FeatureTable,
    rewrite: Rewrite,
    rows: NDArray[np.int32],
    references: dict[str, pa.Array],
) -> pa.Table:
    """Id and visible columns of the rows; null what is not allowed or depends on the lost shape."""
    found = materialise(Rows((table,), (rows,)), ["id", *draft.columns], None)
    places = pa.array(np.searchsorted(rewrite.rows, rows))
    for at, name in enumerate(draft.columns, start=1):
        item = draft.collection.property(name)
        lost = item is not None and item.measure and rewrite.reshapes
        values = found.column(at)
        if name not in rewrite.columns or lost:
            values = pa.nulls(len(rows), values.type)
        elif name in references:
            values = references[name].take(places)
        found = found.set_column(at, name, _changed(draft, table, rewrite, name, values))
    return found


def _changed(
    draft: Draft, table: FeatureTable, rewrite: Rewrite, name: str, values: pa.Array | pa.ChunkedArray
) -> pa.Array | pa.ChunkedArray:
    """What the rewrite's transform leaves of a column; nothing where its key is not known."""
    transform, kind = rewrite.transforms.get(name), table.column(name).kind
    nothing = pa.nulls(len(values), arrow_type(draft.kinds[name]))
    if transform is None:
        # of a column of hashes these rows have none
        return values if draft.kinds[name] is kind else nothing
    if transform.kind == "null" or (transform.kind == "hash" and name not in draft.hash_keys):
        return nothing
    return transformed(values, transform, kind, draft.hash_keys.get(name, b""))


def _name(
    draft: Draft,
    part: PartDraft,
    rewrites: Sequence[Rewrite],
    nulled: Sequence[str],
    references: Sequence[dict[str, pa.Array]],
) -> str:
    """Name the file after all it is made of: equal names are equal files."""
    kinds = {name: str(kind) for name, kind in draft.kinds.items()}
    keys = {name: hashlib.blake2b(key).hexdigest() for name, key in draft.hash_keys.items()}
    said = repr((FORMAT, part.checksum, draft.collection.name, kinds, tuple(nulled), keys))
    digest = hashlib.blake2b(said.encode(), digest_size=16)
    for rewrite, settled in zip(rewrites, references, strict=True):
        digest.update(rewrite.recipe)
        sink = pa.BufferOutputStream()
        batch = pa.record_batch(list(settled.values()), names=list(settled))
        with pa.ipc.new_stream(sink, batch.schema) as writer:
            writer.write_batch(batch)
        digest.update(sink.getvalue())
    return f"{digest.hexdigest()}.part"
