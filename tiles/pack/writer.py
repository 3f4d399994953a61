"""Writing a part: sort, index, lay out, and put the finished file in its place."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tiles.arrays import Geometries, Kind
from tiles.errors import BadColumn, BadGeometry, PartError
from tiles.geometry.convert import lon_lat_extent, take, world_boxes
from tiles.geometry.simplify import vertex_zooms
from tiles.grid import lon_lat_to_world
from tiles.index.hilbert import GROUP_SHIFT, box_keys
from tiles.index.rtree import build_nodes
from tiles.pack.columns import physical, typed
from tiles.pack.identity import rows_digest, text_hashes
from tiles.pack.layout import BOX, MAX_GROUP, MAX_ROWS, VALID, VALUES, Header, vertex_type
from tiles.pack.model import PartInfo
from tiles.pack.reader import laid_out, row_numbers
from tiles.pack.seal import file_checksum, seal
from tiles.pack.sums import sums_of


def write_part(
    path: Path,
    table: pa.Table,
    geometry: Geometries,
    kinds: Mapping[str, Kind],
    detail_group: NDArray[np.integer] | None = None,
    tombstones: Sequence[str] | None = None,
) -> PartInfo:
    """Write features as one part; the file appears at ``path`` whole or not at all.

    Parameters
    ----------
    path
        Where the part is to lie; its folder exists.
    table
        ``id`` (text, unique, never null) and any of the properties in ``kinds``; a property that
        is missing is null in every row.
    geometry
        As many as the table has rows; CRS84h.
    kinds
        The properties of the part, in order. All parts of a pack have the same.
    detail_group
        (n,) 0 to 255: rows of a lower group come first. None: all in group 0.
    tombstones
        Not None makes the part a delta: it hides rows of earlier parts that have one of these ids,
        or an id of its own rows.

    Raises
    ------
    BadColumn
        Ids that are missing or repeated, values that do not fit their kind, too many rows.
    BadGeometry
        Positions that are not finite.
    """
    ids = _ids(table)
    _check(table, geometry, kinds, detail_group)
    world_xy = lon_lat_to_world(geometry.lon_lat_z)
    boxes = world_boxes(geometry, world_xy)
    keys = _keys(boxes, detail_group)
    order = _order(keys, ids)
    names, arrays, nullable = _property_arrays(table, kinds, order)
    ids = ids.take(pa.array(order))
    hashes = text_hashes(ids)
    header = Header(
        rows=len(ids),
        vertices=len(geometry.lon_lat_z),
        kinds=dict(kinds),
        nullable=nullable,
        is_delta=tombstones is not None,
        rows_digest=rows_digest(hashes),
        axes=2 if np.isnan(geometry.lon_lat_z[:, 2:]).all() else 3,
        sums={},
    )
    id_order = np.argsort(hashes, kind="stable").astype(np.int32)
    _refuse_repeated(ids, hashes, id_order)
    ordered, ordered_xy = take(geometry, world_xy, order)
    ordered_boxes = boxes[order]
    columns: dict[str, pa.Array] = {
        "id": ids,
        "id_hash": pa.array(hashes),
        "id_order": pa.array(id_order),
        "order_key": pa.array(keys[order]),
        "box": pa.FixedSizeListArray.from_arrays(pa.array(ordered_boxes.ravel()), type=BOX),
        "nodes": _nodes(ordered_boxes),
        "geometry_type": pa.array(ordered.types),
        "geometry": _geometry(ordered, ordered_xy, header.axes),
    }
    if tombstones is not None:
        columns["tombstone"] = _tombstones(tombstones, len(ids))
    columns.update(zip(names, arrays, strict=True))
    size, checksum = _write(path, _batch(path, columns, header))
    return PartInfo(
        name=path.name,
        rows=header.rows,
        vertices=header.vertices,
        size=size,
        checksum=checksum,
        rows_digest=header.rows_digest,
        tombstones=len(tombstones or ()),
        is_delta=header.is_delta,
        box=_lon_lat_box(geometry),
    )


def _ids(table: pa.Table) -> pa.Array:
    ids = typed("id", table.column("id"), Kind.STRING)
    if ids.null_count:
        raise BadColumn("property 'id' is null in some row")
    return ids


def _check(
    table: pa.Table,
    geometry: Geometries,
    kinds: Mapping[str, Kind],
    detail_group: NDArray[np.integer] | None,
) -> None:
    rows = table.num_rows
    if rows > MAX_ROWS:
        raise BadColumn(f"{rows} rows: a part has at most {MAX_ROWS}")
    if len(geometry) != rows:
        raise BadColumn(f"{len(geometry)} geometries for {rows} rows")
    unknown = sorted(set(table.column_names) - set(kinds) - {"id"})
    if unknown or "id" in kinds:
        raise BadColumn(f"properties without a kind: {', '.join(unknown) or 'id'}")
    if not np.isfinite(geometry.lon_lat_z[:, :2]).all():
        raise BadGeometry("a position is not a finite number of degrees")
    if detail_group is not None:
        groups = np.asarray(detail_group)
        if len(groups) != rows:
            raise BadColumn(f"{len(groups)} detail groups for {rows} rows")
        if rows and (groups.min() < 0 or groups.max() > MAX_GROUP):
            raise BadColumn(f"detail groups are 0 to {MAX_GROUP}")


def row_order(
    table: pa.Table, geometry: Geometries, detail_group: NDArray[np.integer] | None = None
) -> NDArray[np.int64]:
    """Rows in the order in which parts hold them, to cut more rows than one part takes."""
    boxes = world_boxes(geometry, lon_lat_to_world(geometry.lon_lat_z))
    return _order(_keys(boxes, detail_group), _ids(table))


def _keys(boxes: NDArray[np.int32], detail_group: NDArray[np.integer] | None) -> NDArray[np.uint64]:
    keys = box_keys(boxes)
    if detail_group is not None:
        keys |= np.asarray(detail_group).astype(np.uint64) << np.uint64(GROUP_SHIFT)
    return keys


def _refuse_repeated(ids: pa.Array, hashes: NDArray[np.uint64], id_order: NDArray[np.int32]) -> None:
    arranged = hashes[id_order]
    same = np.flatnonzero(arranged[1:] == arranged[:-1])
    for left, right in zip(id_order[same], id_order[same + 1], strict=True):
        if ids[int(left)] == ids[int(right)]:
            raise BadColumn(f"property 'id' holds {ids[int(left)].as_py()!r} twice")


def _order(keys: NDArray[np.uint64], ids: pa.Array) -> NDArray[np.int64]:
    """Rows by (key, id): only rows that share a key are compared by id."""
    order = np.argsort(keys, kind="stable")
    arranged = keys[order]
    same = arranged[1:] == arranged[:-1]
    tied = np.zeros(len(keys), dtype=bool)
    tied[1:] |= same
    tied[:-1] |= same
    if tied.any():
        rows = order[tied]
        by_id = np.asarray(pc.sort_indices(ids.take(pa.array(rows))))
        rows = rows[by_id]
        order[tied] = rows[np.argsort(keys[rows], kind="stable")]
    return order.astype(np.int64)


def _property_arrays(
    table: pa.Table, kinds: Mapping[str, Kind], order: NDArray[np.int64]
) -> tuple[list[str], list[pa.Array], tuple[str, ...]]:
    names: list[str] = []
    arrays: list[pa.Array] = []
    nullable: list[str] = []
    present = set(table.column_names)
    for name, kind in kinds.items():
        source = table.column(name) if name in present else pa.chunked_array([pa.nulls(table.num_rows)])
        values, valid = physical(typed(name, source, kind).take(pa.array(order)), kind)
        names.append(VALUES + name)
        arrays.append(values)
        if valid is not None:
            nullable.append(name)
            names.append(VALID + name)
            arrays.append(pa.array(valid))
    return names, arrays, tuple(nullable)


def _nodes(boxes: NDArray[np.int32]) -> pa.ListArray:
    nodes = pa.FixedSizeListArray.from_arrays(pa.array(build_nodes(boxes).ravel()), type=BOX)
    starts = np.full(len(boxes) + 1, len(nodes), dtype=np.int32)
    starts[0] = 0
    return pa.ListArray.from_arrays(pa.array(starts), nodes)


def _geometry(geometry: Geometries, vertices_xy: NDArray[np.int32], axes: int) -> pa.ListArray:
    vertex = vertex_type(axes)
    lon_lat_z = pa.FixedSizeListArray.from_arrays(
        pa.array(geometry.lon_lat_z[:, :axes].ravel()), type=vertex.field("lon_lat_z").type
    )
    world_xy = pa.FixedSizeListArray.from_arrays(
        pa.array(vertices_xy.ravel()), type=vertex.field("world_xy").type
    )
    zooms = pa.array(vertex_zooms(geometry, vertices_xy))
    nested: pa.Array = pa.StructArray.from_arrays([lon_lat_z, world_xy, zooms], fields=list(vertex))
    for starts in (geometry.vertex_starts, geometry.ring_starts, geometry.part_starts):
        nested = pa.ListArray.from_arrays(pa.array(starts), nested)
    return nested


def _tombstones(tombstones: Sequence[str], rows: int) -> pa.DictionaryArray:
    values = pa.array(sorted(set(tombstones)), type=pa.utf8())
    return pa.DictionaryArray.from_arrays(pa.nulls(rows, pa.int32()), values)


def _lon_lat_box(geometry: Geometries) -> tuple[float, float, float, float] | None:
    if not len(geometry.lon_lat_z):
        return None
    west, south, east, north = lon_lat_extent(geometry.lon_lat_z)
    return west, south, east, north


def _batch(path: Path, columns: Mapping[str, pa.Array], header: Header) -> pa.RecordBatch:
    """All there is to write, summed up in its header."""
    batch = pa.record_batch(list(columns.values()), names=list(columns))
    table = laid_out(path, batch, header).table
    sums = sums_of(table, header.kinds, row_numbers(header.rows))
    return batch.replace_schema_metadata(replace(header, sums=sums).encoded())


def _write(path: Path, batch: pa.RecordBatch) -> tuple[int, str]:
    """Write aside, flush to the disk, rename; size and checksum of the file.

    The name is not waited for: a part whose name a power cut has taken is missing, not torn.
    """
    aside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with open(aside, "xb") as file, pa.ipc.new_file(file, batch.schema) as sink:
            sink.write_batch(batch)
        seal(aside)
        checksum = file_checksum(aside)
        size = aside.stat().st_size
        aside.rename(path)
    except OSError as error:
        raise PartError(f"{path.name} cannot be written: {error.strerror}") from error
    finally:
        aside.unlink(missing_ok=True)
    return size, checksum
