"""Opening a part: map the file, check that it is whole, and lay arrays over its buffers."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tiles.arrays import Column, FeatureTable, Geometries, Kind
from tiles.errors import ForeignFile, PartError, PartMissing, TornPart, WrongChecksum
from tiles.index.rtree import level_starts
from tiles.pack.layout import VALID, VALUE_TYPES, VALUES, Header, decode_header, expected_names
from tiles.pack.model import Part, PartInfo
from tiles.pack.seal import check_seal, file_checksum

_NO_STARTS = np.frombuffer(bytes(4), dtype=np.int32)

Number = TypeVar("Number", bound=np.generic)

_row_numbers: NDArray[np.int32] = np.arange(0, dtype=np.int32)


def open_part(path: Path, info: PartInfo | None = None) -> Part:
    """Open a part for reading. Nothing but its header is read; the file is not kept open.

    Checked here: that the file is a part of this version, that every array is in it with the
    length the header asks for, and that offsets begin and end where they must; with ``info`` also
    the size and which rows it holds. ``verify_part`` reads everything.

    Raises
    ------
    PartMissing, ForeignFile, TornPart
    """
    batch, header = _read(path)
    if info is not None and (path.stat().st_size, header.rows_digest) != (info.size, info.rows_digest):
        raise TornPart(f"{path.name} is not the part that the manifest names")
    try:
        return laid_out(path, batch, header)
    except (pa.ArrowException, ValueError, IndexError) as error:
        raise TornPart(f"{path.name} is torn: {error}") from error


def verify_part(path: Path, info: PartInfo) -> None:
    """Read the whole part and compare it with what was written; raises a ``PartError``."""
    try:
        checksum = file_checksum(path)
    except OSError as error:
        raise PartMissing(f"{path.name}: {error.strerror}") from error
    if checksum != info.checksum:
        raise WrongChecksum(f"{path.name} has changed since it was written")
    open_part(path, info)


def _read(path: Path) -> tuple[pa.RecordBatch, Header]:
    try:
        source = pa.memory_map(str(path))
    except FileNotFoundError as error:
        raise PartMissing(f"{path.name} is not there") from error
    except (OSError, pa.ArrowException) as error:
        raise PartError(f"{path.name} cannot be opened: {error}") from error
    try:
        check_seal(source, path.name)
        with pa.ipc.open_file(source) as reader:
            header = decode_header(reader.schema.metadata)
            if header is None:
                raise ForeignFile(f"{path.name} is no part of this version")
            if reader.num_record_batches != 1 or reader.schema.names != expected_names(header):
                raise TornPart(f"{path.name} lacks some of its arrays")
            return reader.get_batch(0), header
    except (pa.ArrowException, OSError, ValueError) as error:
        raise TornPart(f"{path.name} is torn: {error}") from error
    finally:
        # the arrays keep the mapping; the descriptor is not needed for it
        source.close()


def laid_out(path: Path, batch: pa.RecordBatch, header: Header) -> Part:
    """The part whose arrays are the buffers of a record batch."""
    return _Opener(path, batch, header).part()


class _Opener:
    """Lays arrays over the buffers of one record batch."""

    def __init__(self, path: Path, batch: pa.RecordBatch, header: Header) -> None:
        self.path, self.batch, self.header = path, batch, header
        if batch.num_rows != header.rows:
            raise TornPart(f"{path.name} holds {batch.num_rows} rows, not {header.rows}")

    def part(self) -> Part:
        """The part."""
        rows = self.header.rows
        starts = level_starts(rows)
        boxes = self.flat(self._column("box").values, np.int32, rows * 4).reshape(-1, 4)
        order_key = self.flat(self._column("order_key"), np.uint64, rows)
        return Part(
            path=self.path,
            table=FeatureTable(
                ids=self._ids(),
                id_hash=self.flat(self._column("id_hash"), np.uint64, rows),
                geometries=self._geometries(),
                world_xy=self._vertices("world_xy", np.int32, 2),
                columns=tuple(self._property(name, kind) for name, kind in self.header.kinds.items()),
                boxes=boxes,
                order_key=order_key,
                vertex_zooms=self._zooms(),
            ),
            boxes=boxes,
            nodes=self._nodes(int(starts[-1])),
            level_starts=starts,
            order_key=order_key,
            id_order=self.flat(self._column("id_order"), np.int32, rows),
            tombstones=self._tombstones(),
            is_delta=self.header.is_delta,
            rows_digest=self.header.rows_digest,
            sums=self.header.sums,
        )

    def _column(self, name: str) -> pa.Array:
        return self.batch.column(self.batch.schema.names.index(name))

    def flat(self, array: pa.Array, dtype: type[Number], count: int) -> NDArray[Number]:
        """``count`` numbers of a primitive array, where they lie."""
        if array.type != pa.from_numpy_dtype(dtype) or len(array) != count:
            raise TornPart(
                f"{self.path.name} holds {len(array)} {array.type}, not {count} {dtype.__name__}"
            )
        return self._buffer(array.buffers()[1], dtype, count)

    def _buffer(self, buffer: pa.Buffer | None, dtype: type[Number], count: int) -> NDArray[Number]:
        if count == 0:
            # read-only like the others, so that kernels see one type of array
            return np.frombuffer(b"", dtype=dtype)
        if buffer is None or buffer.size < count * np.dtype(dtype).itemsize:
            raise TornPart(f"{self.path.name} is cut short")
        return np.frombuffer(buffer, dtype=dtype, count=count)

    def _starts(self, array: pa.Array, owners: int, members: int) -> NDArray[np.int32]:
        """Offsets of a list or text array, which must span all its members."""
        if len(array) != owners:
            raise TornPart(f"{self.path.name} holds {len(array)} lists, not {owners}")
        if owners == 0:
            return _NO_STARTS
        starts = self._buffer(array.buffers()[1], np.int32, owners + 1)
        if starts[0] != 0 or starts[-1] != members:
            raise TornPart(f"{self.path.name} holds offsets that do not span their members")
        return starts

    def _text(self, array: pa.Array) -> tuple[NDArray[np.int32], NDArray[np.uint8]]:
        if array.type != pa.utf8():
            raise TornPart(f"{self.path.name} holds {array.type}, not text")
        data = array.buffers()[2]
        if len(array) == 0:
            return _NO_STARTS, self._buffer(None, np.uint8, 0)
        starts = self._buffer(array.buffers()[1], np.int32, len(array) + 1)
        if starts[0] != 0 or starts[-1] < 0:
            raise TornPart(f"{self.path.name} holds text offsets that do not begin at its bytes")
        return starts, self._buffer(data, np.uint8, int(starts[-1]))

    def _ids(self) -> Column:
        rows = self.header.rows
        starts, data = self._text(self._column("id"))
        return Column("id", Kind.STRING, row_numbers(rows), None, starts, data)

    def _property(self, name: str, kind: Kind) -> Column:
        rows = self.header.rows
        stored = self._column(VALUES + name)
        if stored.type != VALUE_TYPES[kind]:
            raise TornPart(f"{self.path.name} holds {stored.type} for the property {name!r}")
        valid = None
        if name in self.header.nullable:
            valid = self.flat(self._column(VALID + name), np.uint8, rows)
        if isinstance(stored, pa.DictionaryArray):
            starts, data = self._text(stored.dictionary)
            codes = self.flat(stored.indices, np.int32, rows)
            return Column(name, kind, codes, valid, starts, data)
        return Column(name, kind, self.flat(stored, stored.type.to_pandas_dtype(), rows), valid)

    def _geometries(self) -> Geometries:
        features = self._column("geometry")
        parts = features.values
        rings = parts.values
        return Geometries(
            types=self.flat(self._column("geometry_type"), np.uint8, self.header.rows),
            part_starts=self._starts(features, self.header.rows, len(parts)),
            ring_starts=self._starts(parts, len(parts), len(rings)),
            vertex_starts=self._starts(rings, len(rings), self.header.vertices),
            lon_lat_z=self._vertices("lon_lat_z", np.float64, self.header.axes),
        )

    def _vertices(self, name: str, dtype: type[Number], axes: int) -> NDArray[Number]:
        vertices = self._column("geometry").values.values.values
        flat = vertices.field(vertices.type.get_field_index(name)).values
        return self.flat(flat, dtype, self.header.vertices * axes).reshape(-1, axes)

    def _zooms(self) -> NDArray[np.uint8]:
        vertices = self._column("geometry").values.values.values
        flat = vertices.field(vertices.type.get_field_index("zoom"))
        return self.flat(flat, np.uint8, self.header.vertices)

    def _nodes(self, count: int) -> NDArray[np.int32]:
        flat = self._column("nodes").values.values
        return self.flat(flat, np.int32, count * 4).reshape(-1, 4)

    def _tombstones(self) -> tuple[str, ...]:
        if not self.header.is_delta:
            return ()
        ids = self._column("tombstone").dictionary
        ids.validate(full=True)  # they are read at once, so their offsets are followed here
        return tuple(ids.to_pylist())


def row_numbers(rows: int) -> NDArray[np.int32]:
    """0 to rows - 1, read-only; one array for the whole process."""
    global _row_numbers
    if len(_row_numbers) < rows:
        grown = np.arange(max(rows, 1024), dtype=np.int32)
        grown.setflags(write=False)
        _row_numbers = grown
    return _row_numbers[:rows]
