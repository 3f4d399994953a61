"""Sums of what rows say add up over rows and columns, and follow what is said, not how it is kept."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tiles.packs import KINDS, features, table_of
from tiles.geometry.convert import from_shapely
from tiles.pack import Part, open_part, write_part
from tiles.pack.sums import GEOMETRY, row_hashes, sums_of

NAMES = list(KINDS)


def part_of(folder, rows: list[dict], ids: list[str] | None = None) -> Part:
    path = folder / f"{len(list(folder.iterdir()))}.part"
    shapes = [row.get("geometry") for row in rows]
    ids = ids or [f"f{number}" for number in range(len(rows))]
    info = write_part(path, table_of(ids, rows), from_shapely(shapes), KINDS)
    return open_part(path, info)


def every(part: Part) -> np.ndarray:
    return np.arange(len(part), dtype=np.int32)


def added(*sums: dict[str, tuple[int, int]]) -> dict[str, tuple[int, int]]:
    return {
        name: tuple(sum(one[name][side] for one in sums) % 2**64 for side in (0, 1)) for name in sums[0]
    }


@settings(max_examples=30, deadline=None)
@given(rows=st.lists(features, min_size=1, max_size=12), data=st.data())
def test_a_part_keeps_the_sums_of_its_rows_and_rows_left_out_can_be_subtracted(
    tmp_path_factory, rows, data
):
    folder = tmp_path_factory.mktemp("sums")
    part = part_of(folder, rows)
    assert dict(part.sums) == sums_of(part.table, NAMES, every(part))
    chosen = np.array(data.draw(st.lists(st.booleans(), min_size=len(rows), max_size=len(rows))))
    halves = [np.flatnonzero(mask).astype(np.int32) for mask in (chosen, ~chosen)]
    assert added(*(sums_of(part.table, NAMES, half) for half in halves)) == dict(part.sums)
    # the same rows over two files, in another order
    cut = data.draw(st.integers(0, len(rows)))
    ids = [f"f{number}" for number in range(len(rows))]
    pieces = [part_of(folder, rows[cut:], ids[cut:]), part_of(folder, rows[:cut], ids[:cut])]
    assert added(*(piece.sums for piece in pieces)) == dict(part.sums)


@pytest.mark.parametrize(
    ("name", "one", "other"),
    [
        ("text", "a", "b"),
        ("text", "", None),
        ("text", "a", None),
        ("whole", 0, None),
        ("whole", 1, -1),
        ("number", 0.0, 1e-300),
        ("yes", False, None),
        ("extra", "[1]", "[1,2]"),
        ("geometry", shapely.Point(1, 2), shapely.Point(2, 1)),
        ("geometry", shapely.Point(1, 2), shapely.Point(1, 2, 3)),
        ("geometry", shapely.Point(1, 2, 0), shapely.Point(1, 2, 3)),
        ("geometry", shapely.Point(1, 2), None),
        ("geometry", shapely.LineString([(1, 2), (3, 4)]), shapely.MultiPoint([(1, 2), (3, 4)])),
        ("geometry", shapely.box(0, 0, 1, 1), shapely.MultiPolygon([shapely.box(0, 0, 1, 1)])),
    ],
)
def test_another_value_moves_the_sum_of_its_own_column_alone(tmp_path, name, one, other):
    parts = [part_of(tmp_path, [{"geometry": None, name: value}]) for value in (one, other)]
    own = GEOMETRY if name == "geometry" else name
    moved = {key for key in parts[0].sums if parts[0].sums[key] != parts[1].sums[key]}
    assert moved == {own}
    hashes = [row_hashes(part.table, NAMES, every(part))[0] for part in parts]
    assert hashes[0] != hashes[1]


def test_values_that_change_places_move_the_sums(tmp_path):
    rows = [{"geometry": shapely.Point(x, 0), "text": text} for x, text in ((1, "a"), (2, "b"))]
    swapped = [rows[0] | {"text": "b"}, rows[1] | {"text": "a"}]
    one, other, columns = (
        part_of(tmp_path, rows),
        part_of(tmp_path, swapped),
        part_of(tmp_path, [{"geometry": None, "text": "b", "extra": "a"}]),
    )
    assert one.sums["text"] != other.sums["text"]
    crossed = part_of(tmp_path, [{"geometry": None, "text": "a", "extra": "b"}])
    assert added({"": crossed.sums["text"]}, {"": crossed.sums["extra"]}) != added(
        {"": columns.sums["text"]}, {"": columns.sums["extra"]}
    )


def test_a_part_without_heights_stores_two_axes_and_says_the_same(tmp_path):
    flat = shapely.LineString([(1, 2), (3, 4)])
    low = part_of(tmp_path, [{"geometry": flat}])
    high = part_of(tmp_path, [{"geometry": flat}, {"geometry": shapely.Point(5, 6, 7)}])
    assert low.table.geometries.lon_lat_z.shape == (2, 2)
    assert high.table.geometries.lon_lat_z.shape == (3, 3)
    row = high.rows_of(["f0"]).astype(np.int32)
    assert sums_of(high.table, [], row)[GEOMETRY] == low.sums[GEOMETRY]
