"""Overlay parts: the rows of a view that differ from the pack, written as parts of their own."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import orjson
import pyarrow as pa
import shapely
from numpy.typing import NDArray

from geoshare.access.draft import Draft, PartDraft, Rewrite
from geoshare.access.manifest import write_aside
from geoshare.access.references import Targets, dangling, without_dangling
from geoshare.access.view import restrict
from tiles.arrays import FeatureTable, Rows
from tiles.geometry.convert import from_shapely, to_shapely
from tiles.pack import PartInfo, materialise, write_part


def settle(draft: Draft, part: PartDraft, nulled: Sequence[str], targets: Targets) -> PartDraft:
    """Move rows with references that lead out of the view to the rewritten ones."""
    leading_out = np.zeros(len(part.kept), bool)
    own = {column.name for column in part.part.table.columns}
    for name, target in reference_columns(draft):
        if name not in nulled and name in own:
            leading_out |= dangling(part.part.table, name, part.kept, targets(target))
    if not leading_out.any():
        return part
    moved = Rewrite(part.kept[leading_out], frozenset(draft.columns), None)
    return PartDraft(part.part, part.kept[~leading_out], (*part.rewrites, moved))


def reference_columns(draft: Draft) -> list[tuple[str, str]]:
    """Visible columns that refer to features, with the collection they refer to."""
    properties = [draft.collection.property(name) for name in draft.columns]
    return [(item.name, item.reference) for item in properties if item is not None and item.reference]


def write_overlay(
    folder: Path, draft: Draft, part: PartDraft, nulled: Sequence[str], targets: Targets
) -> PartInfo | None:
    """Write the rewritten rows of one part; an equal overlay that is already there is kept.

    Returns
    -------
    What the manifest keeps of the overlay, or None where nothing is rewritten.
    """
    rewrites = [rewrite for rewrite in part.rewrites if len(rewrite.rows)]
    if not rewrites:
        return None
    table = restrict(part.part.table, draft.kinds, nulled)
    rows = pa.concat_tables([_columns(draft, table, rewrite) for rewrite in rewrites])
    for name, target in reference_columns(draft):
        if name not in nulled:
            settled = without_dangling(rows.column(name), draft.kinds[name], targets(target))
            rows = rows.set_column(rows.schema.get_field_index(name), name, settled)
    shapes = np.concatenate([_shapes(table, rewrite) for rewrite in rewrites])
    name = _content_name(rows, shapes)
    beside = folder / f"{name}.json"
    if beside.exists() and (folder / name).exists():
        return PartInfo.from_json(orjson.loads(beside.read_bytes()))
    folder.mkdir(parents=True, exist_ok=True)
    info = write_part(folder / name, rows, from_shapely(shapes), draft.kinds)
    write_aside(beside, orjson.dumps(info.to_json()))
    return info


def _columns(draft: Draft, table: FeatureTable, rewrite: Rewrite) -> pa.Table:
    """Id and visible columns of the rows; null what is not allowed or depends on the lost shape."""
    rows = materialise(Rows((table,), (rewrite.rows,)), ["id", *draft.columns], None)
    for at, name in enumerate(draft.columns, start=1):
        item = draft.collection.property(name)
        lost = item is not None and item.measure and rewrite.shapes is not None
        if name not in rewrite.columns or lost:
            rows = rows.set_column(at, name, pa.nulls(len(rewrite.rows), rows.schema.types[at]))
    return rows


def _shapes(table: FeatureTable, rewrite: Rewrite) -> NDArray[np.object_]:
    return to_shapely(table.geometries, rewrite.rows) if rewrite.shapes is None else rewrite.shapes


def _content_name(rows: pa.Table, shapes: NDArray[np.object_]) -> str:
    """Name the file after what is in it, so that an unchanged overlay is not written again."""
    digest = hashlib.blake2b(digest_size=16)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, rows.schema) as writer:
        writer.write_table(rows)
    digest.update(sink.getvalue())
    for wkb in shapely.to_wkb(shapes):
        digest.update(wkb or b"\0")
    return f"{digest.hexdigest()}.part"
