"""What appears from which zoom."""

from __future__ import annotations

import dataclasses
from itertools import pairwise

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from tiles.arrays import Kind, Rows
from tiles.generalise import DetailRule, appearance, visible_at
from tiles.geometry.convert import world_boxes

LINE = shapely.LineString([(139, 35), (140, 36)])
CLASSES = DetailRule(min_zoom_by_value={"class": {"motorway": 5, "street": 13}}, min_zoom_default=10)


def ids(rows: Rows) -> list[int]:
    return [int(number) for numbers in rows.numbers for number in numbers]


def test_features_appear_from_the_zoom_of_their_value(make_table, all_rows):
    classes = ["street", "motorway", None, "other", "motorway"]
    rows = all_rows(make_table([LINE] * 5, {"class": (Kind.STRING, classes)}))
    found = {z: ids(visible_at(rows, z, CLASSES)) for z in (4, 5, 9, 10, 12, 13)}
    assert found == {
        4: [],
        5: [1, 4],
        9: [1, 4],
        10: [1, 2, 3, 4],
        12: [1, 2, 3, 4],
        13: [0, 1, 2, 3, 4],
    }


def test_with_several_columns_one_value_is_enough(make_table, all_rows):
    rule = DetailRule(
        min_zoom_by_value={"class": {"street": 13}, "lanes": {6: 7}, "bridge": {True: 9}},
        min_zoom_default=14,
    )
    rows = all_rows(
        make_table(
            [LINE] * 4,
            {
                "class": (Kind.STRING, ["street", "street", "street", "x"]),
                "lanes": (Kind.INT, [6, 1, 2, 1]),
                "bridge": (Kind.BOOL, [False, True, None, False]),
            },
        )
    )
    assert [ids(visible_at(rows, z, rule)) for z in (6, 7, 9, 13, 14)] == [
        [],
        [0],
        [0, 1],
        [0, 1, 2],
        [0, 1, 2, 3],
    ]


def test_a_column_that_is_not_given_is_not_read(make_table, all_rows):
    rows = all_rows(make_table([LINE] * 2, {"class": (Kind.STRING, ["street", "motorway"])}))
    assert ids(visible_at(rows, 5, CLASSES, columns=["name"])) == [0, 1]
    assert ids(visible_at(rows, 5, CLASSES, columns=["class"])) == [1]
    assert ids(visible_at(all_rows(make_table([LINE])), 0, CLASSES)) == [0]


def test_a_value_written_in_another_part_under_another_code_counts_the_same(make_table, all_rows):
    one = make_table([LINE] * 2, {"class": (Kind.STRING, ["street", "motorway"])})
    two = make_table([LINE] * 2, {"class": (Kind.STRING, ["motorway", "street"])})
    assert ids(visible_at(all_rows(one, two), 5, CLASSES)) == [1, 0]


def test_small_lines_and_polygons_wait_and_points_do_not(make_table, all_rows):
    metre = 1e-5
    table = make_table(
        [
            shapely.LineString([(139, 35), (139 + 100 * metre, 35)]),
            shapely.box(139, 35, 139 + 10 * metre, 35 + metre),
            shapely.Point(139, 35),
            shapely.MultiPoint([(139, 35), (139, 35)]),
        ]
    )
    rows = all_rows(table)
    assert ids(visible_at(rows, 6, DetailRule())) == [2, 3]
    assert ids(visible_at(rows, 10, DetailRule())) == [0, 2, 3]
    assert ids(visible_at(rows, 20, DetailRule())) == [0, 1, 2, 3]
    assert ids(visible_at(rows, 0, DetailRule(by_size=False))) == [0, 1, 2, 3]


@given(st.lists(st.floats(1e-7, 300), min_size=1, max_size=20), st.integers(0, 30), st.floats(0.5, 64))
@settings(max_examples=50, deadline=None)
def test_lines_appear_from_the_zoom_at_which_they_are_long_enough(
    make_table, all_rows, widths, z, units
):
    table = make_table([shapely.LineString([(-179, 0), (-179 + width, 0)]) for width in widths])
    boxes = world_boxes(table.geometries, table.world_xy).astype(np.int64)
    rule = DetailRule(min_units=units)
    visible = set(ids(visible_at(all_rows(table), z, rule)))
    assert visible == set(np.flatnonzero(boxes[:, 2] - boxes[:, 0] >= units * 2.0 ** (20 - z)).tolist())


def test_thinned_points_are_nested_from_zoom_to_zoom_and_lines_stay(make_table, all_rows):
    table = make_table([shapely.Point(139, 35)] * 4000 + [LINE])
    rule = DetailRule(thin_points_below=10)
    sets = [set(ids(visible_at(all_rows(table), z, rule))) for z in range(11)]
    assert all(lower <= higher for lower, higher in pairwise(sets))
    assert all(4000 in visible for visible in sets)
    assert len(sets[10]) == 4001
    assert len(sets[9]) - 1 == pytest.approx(1000, rel=0.15)


def test_views_of_a_part_share_what_is_worked_out_and_those_without_a_column_do_not(make_table):
    table = make_table([LINE] * 2, {"class": (Kind.STRING, ["street", "motorway"])})
    same = dataclasses.replace(table, id_hash=table.id_hash.copy())
    bare = dataclasses.replace(table, columns=())
    empty = [make_table([LINE] * 2, {"class": (Kind.STRING, [None] * 2)}).columns for _ in range(2)]
    nulls = [dataclasses.replace(table, columns=columns) for columns in empty]
    found = [appearance(each, CLASSES).zooms for each in (table, same, bare, *nulls)]
    assert found[0] is found[1]
    assert found[3] is found[4]
    assert [zooms.tolist() for zooms in found[1:4]] == [[13, 5], [0, 0], [10, 10]]


def test_few_rows_have_an_index_of_their_own_that_keeps_their_order(make_table):
    classes = ["motorway" if row % 20 == 3 else "street" for row in range(200)]
    table = make_table([LINE] * 200, {"class": (Kind.STRING, classes)})
    found = appearance(table, CLASSES)
    few = found.few(5)
    assert few.rows.tolist() == list(range(3, 200, 20))
    assert found.few(12) is few
    assert found.few(4).rows.tolist() == []
    assert found.few(13) is None


def test_the_choice_for_a_row_does_not_depend_on_other_rows(make_table):
    table = make_table([shapely.Point(139, 35)] * 200)
    rule = DetailRule(thin_points_below=10)
    everything = ids(visible_at(Rows((table,), (np.arange(200, dtype=np.int32),)), 9, rule))
    odd = Rows((table,), (np.arange(1, 200, 2, dtype=np.int32),))
    assert ids(visible_at(odd, 9, rule)) == [row for row in everything if row % 2]


def test_foreign_row_numbers_are_refused(make_table):
    table = make_table([LINE])
    for foreign in (-1, 1):
        with pytest.raises(IndexError):
            visible_at(Rows((table,), (np.array([foreign], dtype=np.int32),)), 5, DetailRule())
