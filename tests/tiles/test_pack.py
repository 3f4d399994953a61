from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.tiles.packs import features, ids_of, point_pack, point_rows, write
from tiles.errors import BadColumn, SelectionMismatch
from tiles.generalise import DetailRule, appearance
from tiles.geometry.convert import from_shapely
from tiles.grid import Tile, lon_lat_box_to_world, lon_lat_to_world
from tiles.index.rtree import search_rows
from tiles.pack import Pack, Selection, count, lookup, open_part, scan, search, write_part

once = settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
WORLD = Tile(0, 0, 0).world_box()


@once
@given(
    rows=st.lists(features, max_size=15),
    corner=st.tuples(st.floats(-180, 180), st.floats(-80, 80)),
    size=st.tuples(st.floats(0, 180), st.floats(0, 90)),
    hidden=st.integers(0, 2**15 - 1),
)
def test_a_search_finds_what_a_look_at_every_row_finds(tmp_path, rows, corner, size, hidden):
    ids = [f"i{i}" for i in range(len(rows))]
    write(tmp_path / "part", ids, rows)
    pack = Pack([open_part(tmp_path / "part")])
    names = ids_of(scan(pack, None))
    selection = Selection.of_masks(
        pack, [np.array([not hidden >> int(name[1:]) & 1 for name in names], bool)]
    )
    box = lon_lat_box_to_world(corner[0], corner[1], min(180, corner[0] + size[0]), corner[1] + size[1])
    expected = [
        name
        for name in names
        if not hidden >> int(name[1:]) & 1 and _meets(rows[int(name[1:])], box[0])
    ]
    assert ids_of(search(pack, selection, box)) == expected


def _meets(row, box):
    shape = row["geometry"]
    if shape is None or shape.is_empty:
        return False
    world = lon_lat_to_world(shapely.get_coordinates(shape)).astype(float)
    own = shapely.box(*world.min(axis=0), *world.max(axis=0))
    return shapely.intersects(own, shapely.box(*box))


def test_boxes_may_lie_beyond_the_world_and_overlap(tmp_path):
    pack = point_pack(tmp_path, 300, parts=2)
    whole = scan(pack, None)
    far = [-(2**50), -(2**50), 2**50, 2**50]
    assert ids_of(search(pack, None, far)) == ids_of(whole)
    assert ids_of(search(pack, None, [far, WORLD.tolist(), far])) == ids_of(whole)
    assert ids_of(search(pack, None, [2**33, 0, 2**34, 1])) == []
    assert ids_of(search(pack, None, np.zeros((0, 4), dtype=np.int64))) == []


def test_a_limit_takes_the_first_rows_across_parts(tmp_path):
    pack = point_pack(tmp_path, 50, parts=3)
    everything = ids_of(scan(pack, None))
    for limit in (0, 1, 49, 50, 51, 149, 500):
        assert ids_of(search(pack, None, WORLD, limit)) == everything[:limit]
        assert ids_of(search(pack, None, [WORLD, WORLD], limit)) == everything[:limit]
        assert ids_of(scan(pack, None, limit)) == everything[:limit]


def test_rows_of_later_detail_groups_can_be_left_out(tmp_path):
    rows = point_rows([(i / 10, 0) for i in range(60)])
    groups = np.arange(60) % 3
    write(tmp_path / "part", [f"{i:02}" for i in range(60)], rows, detail_group=groups)
    pack = Pack([open_part(tmp_path / "part")])
    for group in range(3):
        found = ids_of(search(pack, None, WORLD, max_group=group))
        assert sorted(found) == [f"{i:02}" for i in range(60) if i % 3 <= group]


@once
@given(
    history=st.lists(
        st.tuples(st.sets(st.integers(0, 9), max_size=5), st.sets(st.integers(0, 9), max_size=5)),
        min_size=1,
        max_size=5,
    )
)
def test_deltas_hide_what_they_replace_or_remove(tmp_path, history):
    """Against a dictionary that is updated in the same order."""
    parts, expected, previous = [], {}, None
    for at, (written, removed) in enumerate(history):
        if at == 0:
            expected = dict.fromkeys(written, 0)
        else:
            for number in removed:
                expected.pop(number, None)
            expected.update(dict.fromkeys(written, at))
        ids = [f"i{number}" for number in sorted(written)]
        rows = [{"geometry": shapely.Point(number, at), "whole": at} for number in sorted(written)]
        tombstones = None if at == 0 else [f"i{number}" for number in removed]
        write(tmp_path / f"part{at}", ids, rows, tombstones=tombstones)
        parts.append(open_part(tmp_path / f"part{at}"))
        previous = Pack(parts, previous=previous)
    pack = Pack(parts)
    for left, right in zip(pack.alive, previous.alive, strict=True):
        assert left.tolist() == right.tolist()
    for rows in (
        scan(pack, None),
        search(pack, None, WORLD),
        lookup(pack, None, [f"i{i}" for i in range(10)]),
    ):
        versions = [table.column("whole").values[numbers] for table, numbers in rows.pairs]
        got = dict(zip(ids_of(rows), np.concatenate(versions).tolist(), strict=True))
        assert got == {f"i{number}": at for number, at in expected.items()}
        assert len(rows) == len(pack) == count(pack, None) == len(expected)


def test_a_part_that_is_no_delta_hides_nothing(tmp_path):
    write(tmp_path / "one", ["a"], point_rows([(1, 1)]))
    write(tmp_path / "two", ["a"], point_rows([(2, 2)]))
    pack = Pack([open_part(tmp_path / "one"), open_part(tmp_path / "two")])
    assert len(pack) == 2


def test_ids_can_be_hidden_in_every_part(tmp_path):
    pack = point_pack(tmp_path, 20, parts=2)
    gone = Pack(pack.parts, tombstones=["p0-3", "p1-4", "unknown"])
    assert set(ids_of(scan(pack, None))) - set(ids_of(scan(gone, None))) == {"p0-3", "p1-4"}
    assert ids_of(lookup(gone, None, ["p0-3", "p0-4"])) == ["p0-4"]


def test_the_three_ways_and_the_count_agree_under_a_selection(tmp_path):
    pack = point_pack(tmp_path, 200, parts=2)
    gone = Pack(pack.parts, tombstones=[f"p0-{i}" for i in range(0, 200, 3)])
    rng = np.random.default_rng(2)
    mask = rng.random(200) < 0.5
    for masks in (
        [mask, None],
        [None, mask],
        [mask, ~mask],
        [np.zeros(200, bool), np.zeros(200, bool)],
    ):
        selection = Selection.of_masks(gone, masks)
        scanned = ids_of(scan(gone, selection))
        assert ids_of(search(gone, selection, WORLD)) == scanned
        everyone = [f"p{part}-{i}" for part in range(2) for i in range(200)]
        assert sorted(ids_of(lookup(gone, selection, everyone))) == sorted(scanned)
        assert count(gone, selection) == len(scanned)
    assert count(gone, Selection.nothing(gone)) == 0
    assert count(gone, Selection.everything(gone)) == len(gone) == 400 - 67


def test_hidden_and_unknown_ids_are_the_same(tmp_path):
    pack = point_pack(tmp_path, 10)
    nothing = Selection.nothing(pack)
    hidden, unknown = lookup(pack, nothing, ["p0-1"]), lookup(pack, nothing, ["no such id"])
    assert (
        [len(numbers) for numbers in hidden.numbers]
        == [len(numbers) for numbers in unknown.numbers]
        == [0]
    )
    assert hidden.tables == unknown.tables


def test_a_selection_is_refused_by_other_rows(tmp_path):
    pack = point_pack(tmp_path, 10, name="p")
    other = point_pack(tmp_path, 10, name="q", seed=2)
    selection = Selection.everything(pack)
    for ask in (lambda: scan(other, selection), lambda: search(other, selection, WORLD)):
        with pytest.raises(SelectionMismatch):
            ask()
    with pytest.raises(SelectionMismatch):
        lookup(other, selection, ["q0-1"])
    with pytest.raises(SelectionMismatch):
        count(Pack([*pack.parts, *other.parts]), selection)


@pytest.mark.parametrize("masks", [[], [np.ones(9, bool)], [np.ones(10, np.uint8)], [None, None]])
def test_masks_must_be_of_the_parts_rows(tmp_path, masks):
    with pytest.raises(SelectionMismatch):
        Selection.of_masks(point_pack(tmp_path, 10), masks)


def test_a_bitmap_of_another_length_is_refused_and_not_taken_for_all_rows(tmp_path):
    pack = point_pack(tmp_path, 10)
    digests = Selection.everything(pack).digests
    for bitmap in (np.zeros(0, np.uint8), np.ones(1, np.uint8), np.ones(3, np.uint8), np.ones(2, bool)):
        with pytest.raises(SelectionMismatch):
            scan(pack, Selection(digests, (bitmap,)))
    assert len(scan(pack, Selection(digests, (np.array([3, 1], np.uint8),)))) == 3


def test_a_selection_cannot_be_widened(tmp_path):
    pack = point_pack(tmp_path, 10)
    selection = Selection(Selection.everything(pack).digests, (np.zeros(2, np.uint8),))
    with pytest.raises(ValueError, match="read-only"):
        selection.bitmaps[0][0] = 255


def test_a_pack_needs_a_part_and_parts_need_the_same_properties(tmp_path):
    with pytest.raises(BadColumn, match="without parts"):
        Pack([])
    pack = point_pack(tmp_path, 3)
    bare = pack.parts[0].table
    write_part(tmp_path / "bare", _bare_table(), from_shapely([None]), {})
    with pytest.raises(BadColumn, match="other properties"):
        Pack([*pack.parts, open_part(tmp_path / "bare")])
    assert len(bare) == 3


def _bare_table():
    import pyarrow as pa

    return pa.table({"id": ["x"]})


def test_another_schema_compiles_nothing_new(tmp_path):
    pack = point_pack(tmp_path, 40)
    search(pack, Selection.everything(pack), WORLD)
    before = len(search_rows.signatures)
    write_part(tmp_path / "bare", _bare_table(), from_shapely([shapely.Point(1, 1)]), {})
    bare = Pack([open_part(tmp_path / "bare")])
    assert ids_of(search(bare, Selection.everything(bare), WORLD.tolist())) == ["x"]
    assert len(search_rows.signatures) == before


@pytest.mark.parametrize("large_every", [3, 40], ids=["many are large", "few are"])
@pytest.mark.parametrize("limit", [None, 5])
def test_a_zoom_leaves_out_small_lines_whether_many_or_few_are_large(tmp_path, large_every, limit):
    rng = np.random.default_rng(3)
    start = rng.uniform(-40, 40, (4000, 2))
    width = np.where(np.arange(4000) % large_every == 0, 5.0, 0.01)
    lines = shapely.linestrings(np.stack([start, start + width[:, None]], axis=1)).astype(object)
    lines[::50] = shapely.points(start[::50])
    ids = pa.table({"id": [f"f{row}" for row in range(4000)]})
    info = write_part(tmp_path / "part", ids, from_shapely(lines), {})
    pack = Pack([open_part(tmp_path / "part", info)])
    shown = Selection.of_masks(pack, [np.arange(4000) % 5 != 0])
    boxes = np.concatenate([lon_lat_box_to_world(-30, -30, 0, 10), lon_lat_box_to_world(-5, 0, 20, 30)])
    rule, z = DetailRule(min_units=1e6 * 2.0**-12), 8  # a side of a million world units
    every = search(pack, shown, boxes)
    table, numbers = every.pairs[0]
    sides = (table.boxes[numbers, 2:].astype(np.int64) - table.boxes[numbers, :2]).max(axis=1)
    expected = numbers[(sides >= 1e6) | (table.geometries.types[numbers] == 1)]
    assert 5 < len(expected) < len(numbers)
    assert (appearance(table, rule).few(z) is None) == (large_every == 3)
    for _ in range(2):
        appearing = (lambda table: appearance(table, rule), z)
        found = search(pack, shown, boxes, limit=limit, appearing=appearing)
        assert found.numbers[0].tolist() == expected[:limit].tolist()
