"""Tables for kernels, built from shapely geometries and Python values."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pytest
import shapely

from tiles.arrays import Column, FeatureTable, Kind, Rows
from tiles.geometry.convert import from_shapely
from tiles.grid import lon_lat_to_world

VALUE_TYPES = {Kind.INT: "i8", Kind.TIMESTAMP: "i8", Kind.DATE: "i4", Kind.FLOAT: "f8", Kind.BOOL: "u1"}


def column_of(name: str, kind: Kind, values: Sequence[Any]) -> Column:
    """A column of Python values, None for null; texts get a dictionary of their distinct values."""
    valid = np.array([value is not None for value in values], dtype=np.uint8)
    if kind not in (Kind.STRING, Kind.JSON):
        filled = np.array([0 if value is None else value for value in values], dtype=VALUE_TYPES[kind])
        return Column(name, kind, filled, None if valid.all() else valid)
    entries = list(dict.fromkeys(value for value in values if value is not None))
    encoded = [entry.encode() for entry in entries]
    codes = [0 if value is None else entries.index(value) for value in values]
    offsets = np.zeros(len(entries) + 1, dtype=np.int32)
    np.cumsum([len(text) for text in encoded], out=offsets[1:])
    text = np.frombuffer(b"".join(encoded), dtype=np.uint8)
    return Column(
        name, kind, np.array(codes, dtype=np.int32), None if valid.all() else valid, offsets, text
    )


def table_of(
    geometries: Sequence[shapely.Geometry | None],
    columns: Mapping[str, tuple[Kind, Sequence[Any]]] | None = None,
    ids: Sequence[str] | None = None,
) -> FeatureTable:
    """A table of geometries in degrees and columns as {name: (kind, values)}."""
    names = list(ids) if ids is not None else [f"f{i}" for i in range(len(geometries))]
    hashes = [int.from_bytes(hashlib.blake2b(name.encode()).digest()[:8], "little") for name in names]
    shapes = from_shapely(np.array(geometries, dtype=object))
    return FeatureTable(
        ids=column_of("id", Kind.STRING, names),
        id_hash=np.array(hashes, dtype=np.uint64),
        geometries=shapes,
        world_xy=lon_lat_to_world(shapes.lon_lat_z),
        columns=tuple(column_of(name, *given) for name, given in (columns or {}).items()),
    )


def rows_of(*tables: FeatureTable) -> Rows:
    """All rows of tables."""
    return Rows(tables, tuple(np.arange(len(table), dtype=np.int32) for table in tables))


@pytest.fixture(scope="session")
def make_table() -> Callable[..., FeatureTable]:
    return table_of


@pytest.fixture(scope="session")
def all_rows() -> Callable[..., Rows]:
    return rows_of
