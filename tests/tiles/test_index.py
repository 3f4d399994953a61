from __future__ import annotations

import numpy as np
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from tiles.index.hilbert import KEY_MASK, ORDER, box_keys, hilbert_key
from tiles.index.rtree import EMPTY_BOX, FANOUT, build_nodes, level_starts, search_rows

ALL = np.frombuffer(b"", dtype=np.uint8)
LOW, HIGH = -(2**31), 2**31 - 1
side = st.integers(LOW, HIGH)
wide = st.one_of(st.integers(-(2**40), 2**40), side)


def boxes_of(corners):
    given_boxes = np.array(corners, dtype=np.int64).reshape(-1, 4)
    low = np.minimum(given_boxes[:, :2], given_boxes[:, 2:])
    high = np.maximum(given_boxes[:, :2], given_boxes[:, 2:])
    return np.hstack([low, high])


def search(boxes, box, alive=ALL, selected=ALL, stop=None, limit=2**31 - 1, rows=None, zooms=ALL, z=0):
    boxes = np.asarray(boxes, dtype=np.int32).reshape(-1, 4)
    tree = (boxes, build_nodes(boxes), level_starts(len(boxes)), alive, selected)
    rows = np.zeros(0, np.int32) if rows is None else rows
    stop = len(boxes) if stop is None else stop
    return search_rows(*tree, np.array(box), stop, limit, rows, zooms, z)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(side, side, side, side), max_size=80), st.tuples(wide, wide, wide, wide))
def test_a_search_finds_what_shapely_finds(corners, box):
    boxes = boxes_of(corners)
    box = boxes_of([box])[0]
    expected = np.flatnonzero(shapely.intersects(shapely.box(*boxes.T), shapely.box(*box)))
    assert search(boxes, box).tolist() == expected.tolist()


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(side, side, side, side, st.integers(0, 31)), max_size=80),
    st.tuples(wide, wide, wide, wide),
    st.integers(0, 30),
)
def test_a_zoom_leaves_the_rows_that_appear_in_a_whole_tree_and_in_one_of_their_own(rows, box, z):
    boxes = boxes_of([row[:4] for row in rows])
    zooms = np.array([row[4] for row in rows], np.uint8)
    box = boxes_of([box])[0]
    found = search(boxes, box)
    kept = found[zooms[found] <= z].tolist()
    assert search(boxes, box, zooms=zooms, z=z).tolist() == kept
    few = np.flatnonzero(zooms <= z).astype(np.int32)
    if len(few):
        assert search(boxes[few], box, rows=few).tolist() == kept


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 600), st.integers(0, 2**32 - 1), st.integers(0, 700), st.integers(0, 700))
def test_bits_stop_and_limit_only_narrow_a_search(rows, seed, row_stop, limit):
    rng = np.random.default_rng(seed)
    low = rng.integers(-1000, 1000, (rows, 2))
    boxes = np.hstack([low, low + rng.integers(0, 50, (rows, 2))]).astype(np.int32)
    alive, selected = rng.random(rows) < 0.7, rng.random(rows) < 0.7
    box = np.array([-500, -500, 500, 500])
    everything = search(boxes, box)
    expected = [row for row in everything if alive[row] and selected[row] and row < row_stop][:limit]
    bits = [np.packbits(mask, bitorder="little") for mask in (alive, selected)]
    assert search(boxes, box, *bits, stop=min(row_stop, rows), limit=limit).tolist() == expected


def test_an_empty_box_is_never_found():
    assert search([EMPTY_BOX], [-(2**40), -(2**40), 2**40, 2**40]).tolist() == []


def test_a_box_wholly_beyond_the_world_finds_nothing_at_its_edge():
    assert search([[HIGH, 0, HIGH, 0]], [2**31, -1, 2**32, 1]).tolist() == []


def test_every_level_of_the_tree_covers_the_one_below():
    for rows in (1, FANOUT, FANOUT + 1, FANOUT**2, FANOUT**2 + 1, 5000):
        rng = np.random.default_rng(rows)
        low = rng.integers(LOW, HIGH - 100, (rows, 2))
        boxes = np.hstack([low, low + 100]).astype(np.int32)
        nodes, starts = build_nodes(boxes), level_starts(rows)
        assert len(nodes) == starts[-1]
        root = nodes[-1]
        assert root.tolist() == [*boxes[:, :2].min(axis=0), *boxes[:, 2:].max(axis=0)]


def test_the_curve_visits_neighbouring_cells_one_after_the_other():
    size = 32
    first = (1 << (ORDER - 1)) - size // 2
    cells = {hilbert_key(x, y): (x, y) for x in range(size) for y in range(size)}
    assert sorted(cells) == list(range(size * size))
    path = np.array([cells[key] for key in range(size * size)])
    assert (np.abs(np.diff(path, axis=0)).sum(axis=1) == 1).all()
    middle = {hilbert_key(first + x, first + y) for x in range(size) for y in range(size)}
    assert len(middle) == size * size


def test_keys_stay_below_the_bits_of_the_detail_group_and_empty_boxes_come_last():
    corners = [[LOW, LOW, LOW, LOW], [HIGH, HIGH, HIGH, HIGH], [HIGH, LOW, HIGH, LOW], EMPTY_BOX]
    keys = box_keys(np.array(corners, dtype=np.int32))
    assert keys.max() == KEY_MASK == keys[3]


def test_a_key_depends_on_the_own_box_alone():
    rng = np.random.default_rng(5)
    low = rng.integers(LOW, HIGH - 9, (50, 2))
    boxes = np.hstack([low, low + 9]).astype(np.int32)
    far = np.vstack([boxes, [[LOW, LOW, HIGH, HIGH]]]).astype(np.int32)
    assert (box_keys(far)[:50] == box_keys(boxes)).all()
