"""Random features and small packs for the tests of parts and packs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import shapely
from hypothesis import strategies as st

from tiles.arrays import Kind, Rows
from tiles.geometry.convert import from_shapely
from tiles.pack import Pack, open_part, write_part

KINDS = {
    "text": Kind.STRING,
    "whole": Kind.INT,
    "number": Kind.FLOAT,
    "yes": Kind.BOOL,
    "moment": Kind.TIMESTAMP,
    "day": Kind.DATE,
    "extra": Kind.JSON,
}
ARROW_TYPES = {
    "id": pa.utf8(),
    "text": pa.utf8(),
    "whole": pa.int64(),
    "number": pa.float64(),
    "yes": pa.bool_(),
    "moment": pa.timestamp("us", tz="UTC"),
    "day": pa.date32(),
    "extra": pa.utf8(),
}

lon = st.floats(-180, 180)
lat = st.floats(-90, 90)
height = st.one_of(st.just(float("nan")), st.floats(-100, 4000))
position = st.tuples(lon, lat)
position_z = st.tuples(lon, lat, height)


def _ring(corner: tuple[float, float], width: float, depth: float) -> list[tuple[float, float]]:
    x, y = corner
    return [(x, y), (x + width, y), (x + width, y + depth), (x, y + depth), (x, y)]


@st.composite
def polygons(draw: st.DrawFn) -> shapely.Polygon:
    corner = draw(st.tuples(st.floats(-170, 160), st.floats(-80, 70)))
    shell = _ring(corner, draw(st.floats(0.001, 10)), draw(st.floats(0.001, 10)))
    width, depth = shell[2][0] - corner[0], shell[2][1] - corner[1]
    hole = _ring((corner[0] + width / 4, corner[1] + depth / 4), width / 4, depth / 4)
    return shapely.Polygon(shell, draw(st.sampled_from([[], [hole]])))


lines = st.lists(st.one_of(position, position), min_size=2, max_size=6).map(shapely.LineString)
lines_z = st.lists(position_z, min_size=2, max_size=6).map(shapely.LineString)
points = st.one_of(position.map(shapely.Point), position_z.map(shapely.Point))

geometries = st.one_of(
    st.none(),
    st.just(shapely.Point()),
    points,
    lines,
    lines_z,
    polygons(),
    st.lists(position, min_size=1, max_size=4).map(shapely.MultiPoint),
    st.lists(lines, min_size=1, max_size=3).map(shapely.MultiLineString),
    st.lists(polygons(), min_size=1, max_size=3).map(shapely.MultiPolygon),
)

texts = st.one_of(
    st.just(""), st.text(max_size=8), st.sampled_from(["道路", "a", "é\u0301", "\x00", "🗺"])
)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "text": texts,
    "whole": st.integers(-(2**63), 2**63 - 1),
    "number": st.floats(allow_nan=False, allow_infinity=False),
    "yes": st.booleans(),
    "moment": st.datetimes(datetime(1700, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)),
    "day": st.dates(date(1700, 1, 1), date(2200, 1, 1)),
    "extra": st.sampled_from(["{}", '{"a":"道"}', "[1,2]"]),
}
features = st.fixed_dictionaries(
    {"geometry": geometries, **{name: st.one_of(st.none(), values) for name, values in VALUES.items()}}
)


def table_of(ids: Sequence[str], rows: Sequence[dict[str, Any]]) -> pa.Table:
    """An input table of the writer."""
    columns = {"id": list(ids), **{name: [row.get(name) for row in rows] for name in KINDS}}
    return pa.table({name: pa.array(values, ARROW_TYPES[name]) for name, values in columns.items()})


def write(path: Path, ids: Sequence[str], rows: Sequence[dict[str, Any]], **more: Any) -> Any:
    """A part of these features; what the writer says of it."""
    shapes = np.empty(len(rows), dtype=object)
    shapes[:] = [row.get("geometry") for row in rows]
    return write_part(path, table_of(ids, rows), from_shapely(shapes), KINDS, **more)


def point_rows(positions: Sequence[tuple[float, float]]) -> list[dict[str, Any]]:
    """Features that are points and have the place in the list as ``whole``."""
    return [{"geometry": shapely.Point(xy), "whole": i} for i, xy in enumerate(positions)]


def point_pack(folder: Path, count: int, seed: int = 1, parts: int = 1, name: str = "p") -> Pack:
    """A pack of random points around one city, ids ``{name}{number}`` in no order of place."""
    rng = np.random.default_rng(seed)
    opened = []
    for part in range(parts):
        rows = point_rows(rng.normal([139.7, 35.6], 0.2, (count, 2)))
        path = folder / f"{name}{part}.arrow"
        write(path, [f"{name}{part}-{i}" for i in range(count)], rows)
        opened.append(open_part(path))
    return Pack(opened)


def ids_of(rows: Rows) -> list[str]:
    """The ids of rows, in order."""
    found = []
    for table, numbers in rows.pairs:
        starts, data = table.ids.dictionary_offsets, table.ids.dictionary_bytes
        assert starts is not None
        assert data is not None
        codes = table.ids.values[numbers]
        found += [data[starts[code] : starts[code + 1]].tobytes().decode() for code in codes]
    return found
