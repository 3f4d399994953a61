"""Property columns on their way into a part: typed, nulls apart, text as dictionaries."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tiles.arrays import Kind
from tiles.errors import BadColumn
from tiles.pack.layout import VALUE_TYPES

_ARROW_TYPES: Mapping[Kind, pa.DataType] = {
    Kind.STRING: pa.utf8(),
    Kind.JSON: pa.utf8(),
    Kind.INT: pa.int64(),
    Kind.FLOAT: pa.float64(),
    Kind.BOOL: pa.bool_(),
    Kind.TIMESTAMP: pa.timestamp("us", tz="UTC"),
    Kind.DATE: pa.date32(),
}


def arrow_type(kind: Kind) -> pa.DataType:
    """The Arrow type in which values of a kind come and go."""
    return _ARROW_TYPES[kind]


def typed(name: str, column: pa.ChunkedArray, kind: Kind) -> pa.Array:
    """The column as one array of its kind's type.

    Numbers that are not finite become null: no format that leaves can hold them. Timestamps
    without a zone are UTC. Raises ``BadColumn`` where a value does not fit.
    """
    try:
        if kind == Kind.FLOAT and not pa.types.is_floating(column.type):
            column = column.cast(pa.float64(), safe=False)
        if kind == Kind.TIMESTAMP and not pa.types.is_integer(column.type):
            column = column.cast(pa.timestamp("us"), safe=False) if _is_naive(column.type) else column
        array = column.cast(arrow_type(kind), safe=kind != Kind.TIMESTAMP).combine_chunks()
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError) as error:
        raise BadColumn(
            f"property {name!r} ({column.type}) does not hold {kind} values: {error}"
        ) from error
    if isinstance(array, pa.ChunkedArray):  # more text than one array's 32-bit offsets count
        raise BadColumn(f"property {name!r} holds more than 2 GiB of text: make smaller parts")
    if kind == Kind.FLOAT:
        array = pc.if_else(pc.is_finite(array), array, pa.scalar(None, pa.float64()))
    return array


def _is_naive(kind: pa.DataType) -> bool:
    return pa.types.is_timestamp(kind) and kind.tz is None


def physical(array: pa.Array, kind: Kind) -> tuple[pa.Array, NDArray[np.uint8] | None]:
    """Values with zeros in null slots, and validity (None where nothing is null)."""
    valid = None
    if array.null_count:
        valid = np.asarray(array.is_valid()).astype(np.uint8)
    if VALUE_TYPES[kind] == VALUE_TYPES[Kind.STRING]:
        return _dictionary(array), valid
    if kind == Kind.BOOL:
        return array.fill_null(False).cast(pa.uint8()), valid
    if kind in (Kind.TIMESTAMP, Kind.DATE):
        array = array.view(VALUE_TYPES[kind])
    return array.fill_null(0), valid


def _dictionary(array: pa.Array) -> pa.DictionaryArray:
    encoded = array.dictionary_encode()
    values = encoded.dictionary
    if len(values) == 0:
        # code 0 of null slots must point at something
        values = pa.array([""], type=pa.utf8())
    return pa.DictionaryArray.from_arrays(encoded.indices.fill_null(0), values)
