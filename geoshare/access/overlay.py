"""Overlay parts: the rows of a view that differ from the pack, written as parts of their own."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import orjson
import pyarrow as pa
from numpy.typing import NDArray

from geoshare.access.draft import Draft, PartDraft, Rewrite
from geoshare.access.manifest import write_aside
from geoshare.access.references import Targets, dangling, without_dangling
from geoshare.access.view import restrict
from geoshare.filter.values import dictionary_words
from tiles.arrays import FeatureTable, Rows
from tiles.geometry.convert import from_shapely, to_shapely
from tiles.pack import PartInfo, materialise, open_part, write_part

Mask = NDArray[np.bool_]

FORMAT = 1
"""Goes up when rewriting gives other rows for the same recipe."""


def settle(draft: Draft, part: PartDraft, nulled: Sequence[str], targets: Targets) -> PartDraft:
    """Move rows with references that lead out of the view to the rewritten ones."""
    leading_out = np.zeros(len(part.kept), bool)
    own = {column.name for column in part.part.table.columns}
    for name, target in reference_columns(draft):
        if name not in nulled and name in own:
            leading_out |= dangling(part.part.table, name, part.kept, targets(target))
    if not leading_out.any():
        return part
    moved = Rewrite(part.part.table, part.kept[leading_out], frozenset(draft.columns))
    return replace(part, kept=part.kept[~leading_out], moved=(moved,))


def reference_columns(draft: Draft) -> list[tuple[str, str]]:
    """Visible columns that refer to features, with the collection they refer to."""
    properties = [draft.collection.property(name) for name in draft.columns]
    return [(item.name, item.reference) for item in properties if item is not None and item.reference]


def write_overlays(
    folder: Path, draft: Draft, part: PartDraft, nulled: Sequence[str], targets: Targets
) -> list[tuple[PartInfo, Mask | None]]:
    """Write the rewritten rows of one part; what is there already from before is not made again.

    Rows that are rewritten for their references alone lie apart, since other features decide on them.

    Returns
    -------
    What the manifest keeps of each overlay, and which of its rows count (None: all).
    """
    found = []
    for rewrites in (part.rewrites, part.moved):
        info = _write_overlay(folder, draft, part, rewrites, nulled, targets)
        if info is not None:
            found.append((info, _alive(folder / info.name, info, part)))
    return found


def _write_overlay(
    folder: Path,
    draft: Draft,
    part: PartDraft,
    rewrites: Sequence[Rewrite],
    nulled: Sequence[str],
    targets: Targets,
) -> PartInfo | None:
    rewrites = [rewrite for rewrite in rewrites if len(rewrite.rows)]
    if not rewrites:
        return None
    table = restrict(part.part.table, draft.kinds, nulled)
    references = [_references(table, rewrite, draft, nulled, targets) for rewrite in rewrites]
    name = _name(draft, part, rewrites, nulled, references)
    beside = folder / f"{name}.json"
    if beside.exists() and (folder / name).exists():
        return PartInfo.from_json(orjson.loads(beside.read_bytes()))
    pieces, shapes = [], []
    for rewrite, settled in zip(rewrites, references, strict=True):
        rows, shape = _shaped(table, rewrite)
        pieces.append(_columns(draft, table, rewrite, rows, settled))
        shapes.append(shape)
    folder.mkdir(parents=True, exist_ok=True)
    joined = from_shapely(np.concatenate(shapes))
    info = write_part(folder / name, pa.concat_tables(pieces), joined, draft.kinds)
    write_aside(beside, orjson.dumps(info.to_json()))
    return info


def _shaped(table: FeatureTable, rewrite: Rewrite) -> tuple[NDArray[np.int32], NDArray[np.object_]]:
    if rewrite.reshapes:
        return rewrite.shaped
    return rewrite.rows, to_shapely(table.geometries, rewrite.rows)


def _references(
    table: FeatureTable, rewrite: Rewrite, draft: Draft, nulled: Sequence[str], targets: Targets
) -> dict[str, pa.Array]:
    """Reference columns of all rows of a rewrite, without what leads out of the view."""
    found = {}
    for name, target in reference_columns(draft):
        if name not in nulled and name in rewrite.columns:
            texts = materialise(Rows((table,), (rewrite.rows,)), [name], None).column(name)
            found[name] = without_dangling(texts, draft.kinds[name], targets(target))
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
        if name not in rewrite.columns or lost:
            found = found.set_column(at, name, pa.nulls(len(rows), found.schema.types[at]))
        elif name in references:
            found = found.set_column(at, name, references[name].take(places))
    return found


def _name(
    draft: Draft,
    part: PartDraft,
    rewrites: Sequence[Rewrite],
    nulled: Sequence[str],
    references: Sequence[dict[str, pa.Array]],
) -> str:
    """Name the file after all it is made of: equal names are equal files."""
    kinds = {name: str(kind) for name, kind in draft.kinds.items()}
    said = repr((FORMAT, part.checksum, draft.collection.name, kinds, tuple(nulled)))
    digest = hashlib.blake2b(said.encode(), digest_size=16)
    for rewrite, settled in zip(rewrites, references, strict=True):
        digest.update(rewrite.recipe())
        sink = pa.BufferOutputStream()
        batch = pa.record_batch(list(settled.values()), names=list(settled))
        with pa.ipc.new_stream(sink, batch.schema) as writer:
            writer.write_batch(batch)
        digest.update(sink.getvalue())
    return f"{digest.hexdigest()}.part"


def _alive(path: Path, info: PartInfo, part: PartDraft) -> Mask | None:
    """Which rows of an overlay are of rows that no later part hides."""
    dead = np.flatnonzero(~part.alive)
    if not len(dead):
        return None
    rows = open_part(path, info).rows_of(
        dictionary_words(part.part.table.ids, part.part.table.ids.values[dead].astype(np.int64))
    )
    mask = np.ones(info.rows, bool)
    mask[rows[rows >= 0]] = False
    return mask
