"""The arrays every kernel reads: geometry, columns and the tables made of both.

Coordinates are always longitude, latitude, height (CRS84h); heights are metres, NaN where unknown.
World coordinates are Web Mercator scaled to the full range of a signed 32-bit integer, x to the
east and y to the north, so that one unit is about 9 mm at the equator.

Tables, columns and geometries are equal only to themselves, so that what is worked out about one
(the addresses of its arrays) can be remembered for as long as it lives.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum

import numpy as np
from numpy.typing import NDArray


class GeometryType(IntEnum):
    """Simple-feature types, numbered as in WKB."""

    NONE = 0
    POINT = 1
    LINESTRING = 2
    POLYGON = 3
    MULTIPOINT = 4
    MULTILINESTRING = 5
    MULTIPOLYGON = 6


class Kind(StrEnum):
    """The types a column can have, whatever the schema calls it."""

    STRING = "string"
    INT = "int"
    FLOAT = "float"
    BOOL = "bool"
    TIMESTAMP = "timestamp"  # int64 microseconds since 1970-01-01T00:00:00Z
    DATE = "date"  # int32 days since 1970-01-01
    JSON = "json"  # a UTF-8 JSON text, dictionary-encoded like a string


@dataclass(frozen=True, slots=True, weakref_slot=True, eq=False)
class Geometries:
    """Flat geometry of n features, p parts, r rings and v vertices.

    Every type has the same depth: feature, part, ring, vertex. A point is one part of one ring of
    one vertex; a line is one part of one ring; each part of a multi-geometry is a part; a polygon's
    first ring is its exterior. Rings of polygons are closed (last vertex repeats the first).
    """

    types: NDArray[np.uint8]  # (n,) GeometryType
    part_starts: NDArray[np.int32]  # (n + 1,) parts of feature i: part_starts[i]:part_starts[i + 1]
    ring_starts: NDArray[np.int32]  # (p + 1,)
    vertex_starts: NDArray[np.int32]  # (r + 1,)
    lon_lat_z: NDArray[np.float64]  # (v, 3), or (v, 2) where no vertex has a height

    def __len__(self) -> int:
        return len(self.types)


@dataclass(frozen=True, slots=True, weakref_slot=True, eq=False)
class Column:
    """One nullable column of n values.

    ``values`` holds int64 (INT, TIMESTAMP), int32 (DATE), float64 (FLOAT), uint8 0/1 (BOOL) or
    int32 codes into the dictionary (STRING, JSON). Slots of null values hold zero.
    """

    name: str
    kind: Kind
    values: NDArray[np.generic]  # (n,)
    valid: NDArray[np.uint8] | None  # (n,) 1 = present; None: no nulls
    dictionary_offsets: NDArray[np.int32] | None = None  # (d + 1,) into dictionary_bytes
    dictionary_bytes: NDArray[np.uint8] | None = None  # UTF-8

    def __len__(self) -> int:
        return len(self.values)


@dataclass(frozen=True, slots=True, weakref_slot=True, eq=False)
class FeatureTable:
    """Features of one part: identity, geometry and columns, all of n rows in the same order."""

    ids: Column  # STRING, never null
    id_hash: NDArray[np.uint64]  # (n,) first 8 bytes (little endian) of BLAKE2b of the id
    geometries: Geometries
    world_xy: NDArray[np.int32]  # (v, 2) world coordinates of geometries.lon_lat_z
    columns: tuple[Column, ...]
    boxes: NDArray[np.int32] | None = None  # (n, 4) world west, south, east, north; empty: west > east
    order_key: NDArray[np.uint64] | None = None  # (n,) detail group << 56 | Hilbert key
    vertex_zooms: NDArray[np.uint8] | None = None  # (v,) ``tiles.geometry.simplify``, of world_xy

    def __len__(self) -> int:
        return len(self.id_hash)

    def column(self, name: str) -> Column:
        """The column of that name; KeyError where there is none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)


@dataclass(frozen=True, slots=True)
class Rows:
    """Chosen rows of several tables, in the order they are to be read.

    ``numbers[i]`` are row numbers of ``tables[i]``; all tables share one set of columns.
    """

    tables: tuple[FeatureTable, ...]
    numbers: tuple[NDArray[np.int32], ...]

    def __len__(self) -> int:
        return sum(len(numbers) for numbers in self.numbers)

    def first(self, count: int) -> Rows:
        """The first rows, at most ``count`` of them."""
        numbers, left = [], max(count, 0)
        for chosen in self.numbers:
            numbers.append(chosen[:left])
            left -= len(numbers[-1])
        return Rows(self.tables, tuple(numbers))

    @property
    def pairs(self) -> Sequence[tuple[FeatureTable, NDArray[np.int32]]]:
        """Each table with its row numbers."""
        return list(zip(self.tables, self.numbers, strict=True))
