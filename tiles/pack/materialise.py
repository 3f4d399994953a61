"""The one door through which columns leave as columns.

What leaves is made of the chosen rows alone: values are copied, text is copied value by value (so
no dictionary holds a value of another row), and slots of nulls hold zero.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numba import njit
from numpy.typing import NDArray

from tiles.arrays import Column, FeatureTable, Kind, Rows
from tiles.errors import BadColumn
from tiles.geometry.wkb import write_wkb
from tiles.pack.columns import arrow_type
from tiles.pack.model import text_of

_MAX_BYTES = 2**31 - 1


def materialise(rows: Rows, columns: Sequence[str], geometry: str | None = "wkb") -> pa.Table:
    """The chosen rows as a table of their own, in the order of ``rows``.

    Parameters
    ----------
    rows
        Of at least one table.
    columns
        Names in the order they are to have; ``id`` is one of them.
    geometry
        ``wkb`` adds a column ``geometry`` of ISO WKB, CRS84h; None adds none.

    Returns
    -------
    Plain Arrow columns: utf8 (also for JSON), int64, float64, bool, timestamp[us, UTC], date32.

    Raises
    ------
    KeyError
        A column that is not there.
    BadColumn
        More than 2 GiB of text or geometry in one column: take fewer rows at a time.
    """
    names = [*columns, "geometry"] if geometry is not None else list(columns)
    batches = []
    for table, numbers in rows.pairs:
        chosen = np.ascontiguousarray(numbers, dtype=np.int32)
        arrays = [_values(_column(table, name), chosen) for name in columns]
        if geometry is not None:
            arrays.append(_wkb(table, chosen))
        batches.append(pa.record_batch(arrays, names=names))
    return pa.Table.from_batches(batches)


def _column(table: FeatureTable, name: str) -> Column:
    return table.ids if name == "id" else table.column(name)


def _values(column: Column, rows: NDArray[np.int32]) -> pa.Array:
    valid = None if column.valid is None else column.valid[rows]
    if column.kind in (Kind.STRING, Kind.JSON):
        return _text(column, rows, valid)
    values = column.values[rows]
    missing = None
    if valid is not None:
        missing = valid == 0
        values[missing] = 0
    if column.kind == Kind.BOOL:
        values = values != 0
    stored = pa.array(values, mask=missing)
    return stored if column.kind == Kind.BOOL else stored.view(arrow_type(column.kind))


def _text(column: Column, rows: NDArray[np.int32], valid: NDArray[np.uint8] | None) -> pa.Array:
    starts, dictionary = text_of(column)
    present = np.ones(len(rows), dtype=np.uint8) if valid is None else valid
    codes = column.values[rows].astype(np.int32, copy=False)
    offsets = _text_offsets(starts, codes, present)
    if offsets[-1] > _MAX_BYTES:
        raise BadColumn(f"property {column.name!r} of {len(rows)} rows is more than 2 GiB")
    data = np.empty(int(offsets[-1]), dtype=np.uint8)
    _copy_text(starts, dictionary, codes, present, data)
    return pa.Array.from_buffers(
        pa.utf8(),
        len(rows),
        [_bitmap(valid), pa.py_buffer(offsets.astype(np.int32)), pa.py_buffer(data)],
    )


def _wkb(table: FeatureTable, rows: NDArray[np.int32]) -> pa.Array:
    offsets, data = write_wkb(table.geometries, rows)
    if offsets[-1] > _MAX_BYTES:
        raise BadColumn(f"geometry of {len(rows)} rows is more than 2 GiB")
    valid = (np.diff(offsets) > 0).astype(np.uint8)
    return pa.Array.from_buffers(
        pa.binary(),
        len(rows),
        [_bitmap(valid), pa.py_buffer(offsets.astype(np.int32)), pa.py_buffer(data)],
    )


def _bitmap(valid: NDArray[np.uint8] | None) -> pa.Buffer | None:
    return None if valid is None else pa.py_buffer(np.packbits(valid != 0, bitorder="little"))


@njit(nogil=True, cache=True)
def _text_offsets(
    starts: NDArray[np.int32], codes: NDArray[np.int32], present: NDArray[np.uint8]
) -> NDArray[np.int64]:
    offsets = np.zeros(codes.shape[0] + 1, dtype=np.int64)
    for i in range(codes.shape[0]):
        length = starts[codes[i] + 1] - starts[codes[i]] if present[i] else 0
        offsets[i + 1] = offsets[i] + length
    return offsets


@njit(nogil=True, cache=True)
def _copy_text(
    starts: NDArray[np.int32],
    data: NDArray[np.uint8],
    codes: NDArray[np.int32],
    present: NDArray[np.uint8],
    out: NDArray[np.uint8],
) -> None:
    at = 0
    for i in range(codes.shape[0]):
        if present[i]:
            for byte in range(starts[codes[i]], starts[codes[i] + 1]):
                out[at] = data[byte]
                at += 1
