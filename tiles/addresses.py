"""Addresses of the arrays of tables, so that one compiled kernel reads every schema.

A Numba kernel is compiled anew for every combination of argument types. A schema must therefore
never show in the types: kernels get three int64 arrays of addresses and lengths whatever the number
and kinds of the columns, and open what they need with the views below.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic
from numba.np.numpy_support import carray
from numpy.typing import NDArray

from tiles.arrays import Column, FeatureTable, Kind, Rows
from tiles.errors import BadColumn
from tiles.geometry.simplify import vertex_zooms

ID = "id"
"""The name under which a table's identities can be asked for as a column."""

STRING, INT, FLOAT, BOOL, TIMESTAMP, DATE, JSON = range(7)
KIND_CODES = {
    Kind.STRING: STRING,
    Kind.INT: INT,
    Kind.FLOAT: FLOAT,
    Kind.BOOL: BOOL,
    Kind.TIMESTAMP: TIMESTAMP,
    Kind.DATE: DATE,
    Kind.JSON: JSON,
}
_VALUE_TYPES: dict[Kind, type[np.generic]] = {
    Kind.STRING: np.int32,
    Kind.INT: np.int64,
    Kind.FLOAT: np.float64,
    Kind.BOOL: np.uint8,
    Kind.TIMESTAMP: np.int64,
    Kind.DATE: np.int32,
    Kind.JSON: np.int32,
}

# Places in the row of a table.
ROWS, PARTS, RINGS, VERTICES = range(4)
TYPES, PART_STARTS, RING_STARTS, VERTEX_STARTS, WORLD_XY, LON_LAT_Z, ID_HASH, AXES = range(4, 12)
VERTEX_ZOOMS, TABLE_LENGTH = 12, 13
# Places in the row of a column.
KIND, VALUES, VALID, OFFSETS, BYTES, ENTRIES = range(6)


MAX_PLANS = 64
"""Choices of columns remembered of a table."""


class Source(NamedTuple):
    """What a kernel reads: t tables of c columns each, and the n chosen rows.

    ``keep`` holds the arrays behind the addresses alive.
    """

    tables: NDArray[np.int64]  # (t, TABLE_LENGTH) lengths and addresses of geometry and identity
    columns: NDArray[np.int64]  # (t, c, 6) kind, addresses and dictionary length
    starts: NDArray[np.int64]  # (t + 1,) rows of table i: numbers[starts[i]:starts[i + 1]]
    numbers: NDArray[np.int32]  # (n,) row numbers
    keep: Any


class _Addressed(NamedTuple):
    row: NDArray[np.int64]
    keep: tuple[NDArray[Any], ...]


class _Plan(NamedTuple):
    """One table and some of its columns as addresses."""

    table: NDArray[np.int64]  # (TABLE_LENGTH,)
    columns: NDArray[np.int64]  # (c, 6)
    keep: Any


_columns: WeakKeyDictionary[Column, _Addressed] = WeakKeyDictionary()
_tables: WeakKeyDictionary[FeatureTable, _Addressed] = WeakKeyDictionary()
_plans: WeakKeyDictionary[FeatureTable, dict[tuple[str, ...], _Plan]] = WeakKeyDictionary()


def source(rows: Rows, columns: Sequence[str] = ()) -> Source:
    """The chosen rows and columns as addresses.

    Parameters
    ----------
    rows
        Tables without chosen rows are left out.
    columns
        Names, in the order in which kernels will see them; ``id`` is the identity.

    Raises
    ------
    KeyError
        A table has no column of that name.
    IndexError
        A row number is outside its table.
    BadColumn
        An array of a table or column has another type or length than it should.
    """
    pairs = [(table, numbers) for table, numbers in rows.pairs if len(numbers)]
    for table, numbers in pairs:
        # as unsigned numbers those below 0 are the largest
        if int(numbers.astype(np.uint64).max()) >= len(table):
            raise IndexError("a row number is outside its table")
    names = tuple(columns)
    plans = [_plan(table, names) for table, _ in pairs]
    starts = np.zeros(len(pairs) + 1, dtype=np.int64)
    starts[1:] = list(accumulate(len(numbers) for _, numbers in pairs))
    return Source(
        tables=np.array([plan.table for plan in plans], dtype=np.int64).reshape(
            len(pairs), TABLE_LENGTH
        ),
        columns=np.array([plan.columns for plan in plans], dtype=np.int64).reshape(
            len(pairs), len(names), 6
        ),
        starts=starts,
        numbers=_joined([numbers for _, numbers in pairs]),
        keep=(rows, plans),
    )


def column_addresses(table: FeatureTable, name: str) -> NDArray[np.int64]:
    """One column as addresses (6,), which hold for as long as the table lives.

    Raises
    ------
    KeyError
        The table has no column of that name.
    """
    row: NDArray[np.int64] = _plan(table, (name,)).columns[0]
    return row


def _plan(table: FeatureTable, names: tuple[str, ...]) -> _Plan:
    known = _plans.setdefault(table, {})
    found = known.get(names)
    if found is None:
        held = _table(table)
        chosen = [
            _column(table.ids if name == ID else table.column(name), len(table)) for name in names
        ]
        addresses = np.array([item.row for item in chosen], dtype=np.int64).reshape(-1, 6)
        if len(known) >= MAX_PLANS:
            known.clear()
        found = known[names] = _Plan(held.row, addresses, (held, chosen))
    return found


def _joined(numbers: list[NDArray[np.int32]]) -> NDArray[np.int32]:
    if len(numbers) == 1:
        # a view of its own, so that kernels see a writable array type whatever the caller has
        return np.array(numbers[0], dtype=np.int32)
    return np.concatenate([np.zeros(0, dtype=np.int32), *numbers], dtype=np.int32)


def _table(table: FeatureTable) -> _Addressed:
    found = _tables.get(table)
    if found is None:
        found = _tables[table] = _table_addresses(table)
    return found


def _table_addresses(table: FeatureTable) -> _Addressed:
    shape, n = table.geometries, len(table)
    axes = 2 if shape.lon_lat_z.shape[1:] == (2,) else 3
    counts = [n, len(shape.ring_starts) - 1, len(shape.vertex_starts) - 1, len(shape.lon_lat_z)]
    keep = (
        _plain(shape.types, np.uint8, (n,)),
        _plain(shape.part_starts, np.int32, (n + 1,)),
        _plain(shape.ring_starts, np.int32, (counts[PARTS] + 1,)),
        _plain(shape.vertex_starts, np.int32, (counts[RINGS] + 1,)),
        _plain(table.world_xy, np.int32, (counts[VERTICES], 2)),
        _plain(shape.lon_lat_z, np.float64, (counts[VERTICES], axes)),
        _plain(table.id_hash, np.uint64, (n,)),
        _plain(_zooms(table), np.uint8, (counts[VERTICES],)),
    )
    addresses = [_address(array) for array in keep]
    row = np.array([*counts, *addresses[:-1], axes, addresses[-1]], dtype=np.int64)
    return _Addressed(row, keep)


def _zooms(table: FeatureTable) -> NDArray[np.uint8]:
    """Zooms of a table's vertices; parts hold them, tables made in memory need not."""
    known = table.vertex_zooms
    return vertex_zooms(table.geometries, table.world_xy) if known is None else known


def _column(column: Column, length: int) -> _Addressed:
    found = _columns.get(column)
    if found is None:
        found = _columns[column] = _column_addresses(column)
    if len(found.keep[0]) != length:
        raise BadColumn(f"column {column.name} has {len(column)} values for {length} rows")
    return found


def _column_addresses(column: Column) -> _Addressed:
    row = np.zeros(6, dtype=np.int64)
    row[KIND] = KIND_CODES[column.kind]
    keep = [_plain(column.values, _VALUE_TYPES[column.kind], (len(column),))]
    row[VALUES] = _address(keep[0])
    if column.valid is not None:
        keep.append(_plain(column.valid, np.uint8, (len(column),)))
        row[VALID] = _address(keep[-1])
    if column.dictionary_offsets is not None and column.dictionary_bytes is not None:
        offsets = _plain(column.dictionary_offsets, np.int32, column.dictionary_offsets.shape)
        text = _plain(column.dictionary_bytes, np.uint8, column.dictionary_bytes.shape)
        row[OFFSETS], row[BYTES] = _address(offsets), _address(text)
        row[ENTRIES] = max(len(offsets) - 1, 0)
        keep += [offsets, text]
    return _Addressed(row, tuple(keep))


def _plain(array: NDArray[Any], dtype: type[np.generic], shape: tuple[int, ...]) -> NDArray[Any]:
    if array.dtype != dtype or array.shape != shape:
        raise BadColumn(f"expected {np.dtype(dtype)} {shape}, got {array.dtype} {array.shape}")
    return np.require(array, requirements=("C", "A"))


def _address(array: NDArray[Any]) -> int:
    return int(array.__array_interface__["data"][0])


def _pointer_code(typing_context: Any, address: Any) -> Any:
    """An address as a pointer; ``carray`` gives it a shape and a type."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], cgutils.voidptr_t)

    return types.voidptr(types.int64), generate


_pointer: Any = intrinsic(_pointer_code)


@njit(nogil=True, cache=True)
def uint8_view(address: int, length: int) -> NDArray[np.uint8]:
    """The uint8 array at an address."""
    return carray(_pointer(address), (length,), np.uint8)


@njit(nogil=True, cache=True)
def int32_view(address: int, length: int) -> NDArray[np.int32]:
    """The int32 array at an address."""
    return carray(_pointer(address), (length,), np.int32)


@njit(nogil=True, cache=True)
def int64_view(address: int, length: int) -> NDArray[np.int64]:
    """The int64 array at an address."""
    return carray(_pointer(address), (length,), np.int64)


@njit(nogil=True, cache=True)
def uint64_view(address: int, length: int) -> NDArray[np.uint64]:
    """The uint64 array at an address."""
    return carray(_pointer(address), (length,), np.uint64)


@njit(nogil=True, cache=True)
def float64_view(address: int, length: int) -> NDArray[np.float64]:
    """The float64 array at an address."""
    return carray(_pointer(address), (length,), np.float64)


@njit(nogil=True, cache=True)
def int32_pairs_view(address: int, length: int) -> NDArray[np.int32]:
    """The (length, 2) int32 array at an address."""
    return carray(_pointer(address), (length, 2), np.int32)


@njit(nogil=True, cache=True)
def int64_pairs_view(address: int, length: int) -> NDArray[np.int64]:
    """The (length, 2) int64 array at an address."""
    return carray(_pointer(address), (length, 2), np.int64)


@njit(nogil=True, cache=True)
def float64_pairs_view(address: int, length: int) -> NDArray[np.float64]:
    """The (length, 2) float64 array at an address."""
    return carray(_pointer(address), (length, 2), np.float64)


@njit(nogil=True, cache=True)
def lon_lat_z_view(address: int, length: int, axes: int) -> NDArray[np.float64]:
    """The (length, axes) coordinates at an address."""
    return carray(_pointer(address), (length, axes), np.float64)


@njit(nogil=True, cache=True)
def borrowed(array: NDArray[Any]) -> NDArray[Any]:
    """Return the same memory as an array that owns nothing; the caller keeps the owner alive.

    Kernels that hand owning arrays from function to function spend most of their time counting
    references.
    """
    return carray(_pointer(array.ctypes.data), array.shape, array.dtype)
