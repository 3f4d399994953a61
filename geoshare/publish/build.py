"""Parts from the record: all of a collection, or what has changed in it."""

from __future__ import annotations

import gc
import secrets
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from sqlalchemy import Connection

from geoshare.model.collections import RELEASE
from geoshare.publish.schema import properties_table, with_classes
from geoshare.publish.spool import Spool, cuts, keys_of_boxes
from geoshare.store import reading
from geoshare.store.rows import FeatureChunk
from tiles.arrays import FeatureTable, Geometries, Kind, Rows
from tiles.geometry.convert import from_wkb, joined_positions, take, world_boxes
from tiles.grid import lon_lat_to_world
from tiles.index.hilbert import box_keys
from tiles.pack import PartInfo, materialise, write_part

PART_ROWS = 1_000_000


@dataclass(frozen=True, slots=True)
class Built:
    """Parts just written, and the times their features span."""

    parts: tuple[PartInfo, ...]
    time_extent: tuple[int | None, int | None]


class _Times:
    def __init__(self) -> None:
        self.start: int | None = None
        self.end: int | None = None

    def add(self, chunk: FeatureChunk) -> None:
        starts = [item for item in chunk.valid_from_us if item is not None]
        ends = [item for item in chunk.valid_to_us if item is not None]
        if starts:
            self.start = min(starts) if self.start is None else min(self.start, *starts)
        if starts or ends:
            last = max(starts + ends)
            self.end = last if self.end is None else max(self.end, last)


@dataclass(frozen=True, slots=True)
class Piece:
    """Features on their way into a part: ``id`` and properties, and as many geometries."""

    table: pa.Table
    geometry: Geometries

    def __len__(self) -> int:
        return len(self.geometry)


def build_whole(
    connection: Connection,
    collection: str,
    kinds: Mapping[str, Kind],
    folder: Path,
    part_rows: int = PART_ROWS,
) -> Built:
    """Write all features in force as parts of at most ``part_rows`` rows, cut along the curve."""
    times = _Times()
    chunks = _noted(_ahead(reading.scan_features(connection, collection)), times)
    parts = []
    if reading.count_features(connection, collection) <= part_rows:
        parts.append(write_piece(folder, "base", _gathered(chunks, kinds), kinds))
    else:
        with tempfile.TemporaryDirectory(dir=folder, prefix=".spool-") as aside:
            keys = [keys_of_boxes(boxes) for boxes in reading.scan_boxes(connection, collection)]
            spool = Spool(Path(aside), cuts(np.concatenate(keys), part_rows))
            spool.deal(chunks)
            for some in spool.ranges():
                whole = _gathered(some, kinds)
                pieces = cut(whole, part_rows)
                parts += [write_piece(folder, "base", piece, kinds) for piece in pieces]
    return Built(tuple(parts), (times.start, times.end))


def _gathered(chunks: Iterable[FeatureChunk], kinds: Mapping[str, Kind]) -> Piece:
    with _no_collection():
        pieces = [_piece(chunk, kinds) for chunk in chunks]
    return joined(pieces or [_empty(kinds)])


def write_piece(
    folder: Path,
    name: str,
    piece: Piece,
    kinds: Mapping[str, Kind],
    tombstones: Sequence[str] | None = None,
) -> PartInfo:
    """Write a part of a new name that begins with ``name``; with ``tombstones`` it is a delta."""
    path = folder / f"{name}-{secrets.token_hex(8)}.arrow"
    return write_part(path, piece.table, piece.geometry, kinds, tombstones=tombstones)


def build_delta(
    connection: Connection, collection: str, kinds: Mapping[str, Kind], folder: Path, after: int
) -> Built:
    """Write what change sets after ``after`` changed as one delta part."""
    times = _Times()
    chunks = list(_noted(reading.changed_features(connection, collection, after), times))
    piece = joined([_piece(chunk, kinds) for chunk in chunks] or [_empty(kinds)])
    present = {id_ for chunk in chunks for id_ in chunk.ids}
    gone = sorted(reading.ended_ids(connection, collection, after) - present)
    part = write_piece(folder, "delta", piece, kinds, gone)
    return Built((part,), (times.start, times.end))


@contextmanager
def _no_collection() -> Iterator[None]:
    """Keep the garbage collector from walking through millions of rows, none of which is a cycle."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _noted(chunks: Iterable[FeatureChunk], times: _Times) -> Iterable[FeatureChunk]:
    for chunk in chunks:
        times.add(chunk)
        yield chunk


def _ahead(chunks: Iterable[FeatureChunk]) -> Iterator[FeatureChunk]:
    """The same chunks; while one is worked on, the next is read from the database."""
    coming = iter(chunks)
    with ThreadPoolExecutor(1, "read ahead") as reader:
        following = reader.submit(next, coming, None)
        while (chunk := following.result()) is not None:
            following = reader.submit(next, coming, None)
            yield chunk


def piece_of(table: FeatureTable, rows: NDArray[np.int32]) -> Piece:
    """Rows of a part, to be written into another."""
    names = ["id", *(column.name for column in table.columns)]
    geometry, _ = take(table.geometries, table.world_xy, rows)
    return Piece(materialise(Rows((table,), (rows,)), names, geometry=None), geometry)


def _piece(chunk: FeatureChunk, kinds: Mapping[str, Kind]) -> Piece:
    said = {name: kind for name, kind in kinds.items() if name != RELEASE}
    table = properties_table(chunk.properties, said)
    table = with_classes(table, chunk.release_classes, kinds)
    return Piece(table.add_column(0, "id", pa.array(chunk.ids, pa.utf8())), from_wkb(chunk.geometry))


def _empty(kinds: Mapping[str, Kind]) -> Piece:
    return _piece(FeatureChunk([], [], [], [], [], []), kinds)


def joined(pieces: Sequence[Piece]) -> Piece:
    """Several pieces as one, in order."""
    table = pa.concat_tables([piece.table for piece in pieces])
    return Piece(table, join([piece.geometry for piece in pieces]))


def join(parts: Sequence[Geometries]) -> Geometries:
    """Several sets of geometries as one, in order."""

    def starts(name: str) -> NDArray[np.int32]:
        arrays = [getattr(part, name) for part in parts]
        ends = np.cumsum([0, *(int(array[-1]) for array in arrays)])
        if ends[-1] > np.iinfo(np.int32).max:
            raise OverflowError("more members than 32-bit offsets count")
        moved = [array[1:] + end for array, end in zip(arrays, ends[:-1].astype(np.int32), strict=True)]
        return np.concatenate([np.zeros(1, np.int32), *moved]).astype(np.int32)

    return Geometries(
        types=np.concatenate([part.types for part in parts]),
        part_starts=starts("part_starts"),
        ring_starts=starts("ring_starts"),
        vertex_starts=starts("vertex_starts"),
        lon_lat_z=joined_positions([part.lon_lat_z for part in parts]),
    )


def cut(whole: Piece, part_rows: int) -> Iterable[Piece]:
    """Pieces of at most ``part_rows`` rows in the order (Hilbert key, id)."""
    if len(whole) <= part_rows:
        yield whole
        return
    world_xy = lon_lat_to_world(whole.geometry.lon_lat_z)
    ids = np.asarray(whole.table.column("id").to_pylist(), dtype=object)
    order = np.lexsort((ids.astype(str), box_keys(world_boxes(whole.geometry, world_xy))))
    for start in range(0, len(order), part_rows):
        rows = order[start : start + part_rows]
        geometry, _ = take(whole.geometry, world_xy, rows)
        yield Piece(whole.table.take(pa.array(rows)), geometry)
