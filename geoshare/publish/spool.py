"""Cutting a collection along the Hilbert curve without holding it in memory.

Two walks through the record: the first reads boxes and finds where to cut, the second deals the rows
out to one file per range. Each range then fits into memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from geoshare.store.rows import FeatureChunk
from tiles.geometry.convert import from_wkb, world_boxes
from tiles.grid import lon_lat_to_world
from tiles.index.hilbert import box_keys

_SCHEMA = pa.schema(
    [
        ("id", pa.utf8()),
        ("geometry", pa.binary()),
        ("valid_from_us", pa.int64()),
        ("valid_to_us", pa.int64()),
        ("properties", pa.utf8()),
        ("release_class", pa.utf8()),  # null in all rows where none is told
    ]
)
_NO_BOX = np.array([1, 1, 0, 0], dtype=np.int32)  # west > east: comes last on the curve


def keys_of_boxes(boxes: NDArray[np.float64]) -> NDArray[np.uint64]:
    """Hilbert keys of boxes (n, 4) in degrees; NaN where a feature has no geometry."""
    missing = np.isnan(boxes[:, 0])
    filled = np.where(missing[:, None], 0.0, boxes)
    world = np.hstack([lon_lat_to_world(filled[:, :2]), lon_lat_to_world(filled[:, 2:])])
    world[missing] = _NO_BOX
    return box_keys(np.ascontiguousarray(world, dtype=np.int32))


def cuts(keys: NDArray[np.uint64], part_rows: int) -> NDArray[np.uint64]:
    """Keys at which the ranges after the first begin, none with more than ``part_rows`` rows.

    Rows that share a key are never parted, so a range of many equal keys may hold more.
    """
    ordered = np.sort(keys)
    return np.unique(ordered[part_rows::part_rows])


class Spool:
    """Rows dealt out to one file per range."""

    def __init__(self, folder: Path, starts: NDArray[np.uint64]) -> None:
        self._starts = starts
        self._paths = [folder / f"range-{number}.arrows" for number in range(len(starts) + 1)]

    def deal(self, chunks: Iterable[FeatureChunk]) -> None:
        """Write every row to the file of its range."""
        writers = [pa.ipc.new_stream(path, _SCHEMA) for path in self._paths]
        try:
            for chunk in chunks:
                batch = _batch(chunk)
                places = np.searchsorted(self._starts, _keys(chunk), side="right")
                for place in np.unique(places).tolist():
                    writers[place].write_batch(batch.take(pa.array(np.flatnonzero(places == place))))
        finally:
            for writer in writers:
                writer.close()

    def ranges(self) -> Iterator[list[FeatureChunk]]:
        """The rows of each range in turn; its file is removed."""
        for path in self._paths:
            with pa.OSFile(str(path)) as file, pa.ipc.open_stream(file) as reader:
                yield [_chunk(batch) for batch in reader]
            path.unlink()


def _keys(chunk: FeatureChunk) -> NDArray[np.uint64]:
    geometry = from_wkb(chunk.geometry)
    return box_keys(world_boxes(geometry, lon_lat_to_world(geometry.lon_lat_z)))


def _batch(chunk: FeatureChunk) -> pa.RecordBatch:
    classes: Sequence[str | None] = chunk.release_classes or [None] * len(chunk)
    columns = (
        chunk.ids,
        chunk.geometry,
        chunk.valid_from_us,
        chunk.valid_to_us,
        chunk.properties,
        classes,
    )
    return pa.record_batch(
        [pa.array(values, field.type) for values, field in zip(columns, _SCHEMA, strict=True)],
        schema=_SCHEMA,
    )


def _chunk(batch: pa.RecordBatch) -> FeatureChunk:
    columns = [column.to_pylist() for column in batch.columns]
    ids, geometry, valid_from, valid_to, properties, classes = columns
    told = classes if batch.columns[-1].null_count == 0 else []
    return FeatureChunk([0] * len(ids), ids, geometry, valid_from, valid_to, properties, told)
