"""Evaluation on columns against a slow one, row by row, in three-valued logic."""

from __future__ import annotations

import operator
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geoshare.filter import Meter, check, evaluate, narrow, parse_text
from tiles.arrays import FeatureTable, Kind
from tiles.geometry.convert import from_shapely
from tiles.pack import open_part, write_part

KINDS = {"name": Kind.STRING, "width": Kind.FLOAT, "lanes": Kind.INT, "open": Kind.BOOL}
COMPARE = {
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}
ROW = st.fixed_dictionaries(
    {
        "name": st.none() | st.sampled_from(["a", "b", "ab", "B", "é", "が"]),
        "width": st.none() | st.sampled_from([0.0, 1.5, -2.0, 4.0]),
        "lanes": st.none() | st.integers(-1, 3),
        "open": st.none() | st.booleans(),
    }
)
LEAF = st.one_of(
    st.tuples(st.sampled_from(list(COMPARE)), st.just("name"), st.sampled_from(["a", "b", "ab"])),
    st.tuples(st.sampled_from(list(COMPARE)), st.just("width"), st.sampled_from([0, 1.5, 4])),
    st.tuples(st.sampled_from(list(COMPARE)), st.just("lanes"), st.integers(-1, 3)),
    st.tuples(st.just("null"), st.sampled_from(list(KINDS)), st.none()),
    st.tuples(st.just("in"), st.just("lanes"), st.lists(st.integers(-1, 3), min_size=1, max_size=3)),
    st.tuples(st.just("between"), st.just("width"), st.tuples(st.integers(-3, 1), st.integers(0, 4))),
)
TREE = st.recursive(
    LEAF,
    lambda inner: (
        st.tuples(st.sampled_from(["and", "or"]), inner, inner) | st.tuples(st.just("not"), inner)
    ),
    max_leaves=6,
)


def table_of(rows: list[dict[str, Any]], folder: Any, kinds: dict[str, Kind] = KINDS) -> FeatureTable:
    path = folder / f"{len(list(folder.iterdir()))}.part"
    columns = {name: pa.array([row.get(name) for row in rows]) for name in kinds}
    ids = pa.array([f"{number:04d}" for number in range(len(rows))])
    shapes = np.array([row.get("geometry") for row in rows] + [None], object)[:-1]
    write_part(path, pa.table({"id": ids, **columns}), from_shapely(shapes), kinds)
    return open_part(path).table


def text_of(tree: Any) -> str:
    if tree[0] in ("and", "or"):
        return f"({text_of(tree[1])} {tree[0].upper()} {text_of(tree[2])})"
    if tree[0] == "not":
        return f"NOT ({text_of(tree[1])})"
    op, name, value = tree
    if op == "null":
        return f"{name} IS NULL"
    if op == "in":
        return f"{name} IN ({', '.join(map(str, value))})"
    if op == "between":
        return f"{name} BETWEEN {value[0]} AND {value[1]}"
    return f"{name} {op} " + (f"'{value}'" if isinstance(value, str) else str(value))


def truth(tree: Any, row: dict[str, Any]) -> bool | None:
    if tree[0] == "not":
        inner = truth(tree[1], row)
        return None if inner is None else not inner
    if tree[0] in ("and", "or"):
        sides = [truth(tree[1], row), truth(tree[2], row)]
        decisive = tree[0] == "or"
        if decisive in sides:
            return decisive
        return None if None in sides else not decisive
    op, name, value = tree
    if op == "null":
        return row[name] is None
    if row[name] is None:
        return None
    if op == "in":
        return row[name] in value
    if op == "between":
        return value[0] <= row[name] <= value[1]
    return COMPARE[op](row[name], value)


@settings(max_examples=50, deadline=None)
@given(rows=st.lists(ROW, max_size=8), tree=TREE)
def test_columns_and_rows_agree_in_three_valued_logic(tmp_path_factory, rows, tree):
    table = table_of(rows, tmp_path_factory.getbasetemp())
    expression = check(parse_text(text_of(tree)), KINDS)
    found = evaluate(expression, table)
    by_id = dict(zip(table.ids.values, found, strict=True))  # parts keep ids in the order of rows here
    assert [bool(by_id[number]) for number in range(len(rows))] == [
        truth(tree, row) is True for row in rows
    ]
    left = narrow(expression, table, np.arange(len(table), dtype=np.int32), Meter())
    if expression.rest is not None:
        left = left[evaluate(expression.rest, table, left)]
    assert left.tolist() == np.flatnonzero(found).tolist()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("name LIKE 'a%'", ["apple", "a_b"]),
        ("name LIKE '_pple'", ["apple"]),
        ("name LIKE 'a\\_b'", ["a_b"]),
        ("casei(name) = casei('ÉCOLE')", ["École"]),
        ("accenti(casei(name)) = 'ecole'", ["École"]),
        ("accenti(name) = accenti('か')", []),
        ("number / 0 = 1 OR number = 1", ["apple"]),
        ("NOT (number / 0 = 1)", []),
        ("number * 2 + 1 = 5", ["a_b"]),
        ("number % 2 = 1", ["apple", "École"]),
        ("at > TIMESTAMP('2026-01-02T00:00:00Z')", ["École"]),
        ("at = DATE('2026-01-01')", ["apple"]),
        ("T_INTERSECTS(at, INTERVAL('2025-12-31', '2026-01-01T12:00:00Z'))", ["apple"]),
        ("day >= DATE('2026-02-01')", ["a_b"]),
        ("a_contains(tags, ('x', 'y'))", ["apple"]),
        ("a_overlaps(tags, ('y', 'q'))", ["apple", "a_b"]),
        ("S_INTERSECTS(geometry, BBOX(0.5, -1, 2.5, 1))", ["a_b", "École"]),
        ("S_INTERSECTS(geometry, BBOX(179, -1, -179, 1))", ["が"]),
        ("number IS NULL", ["が"]),
        ("name IN ('apple', 'none')", ["apple"]),
    ],
)
def test_functions_do_what_the_standard_says(tmp_path, text, expected):
    kinds = {
        "name": Kind.STRING,
        "number": Kind.INT,
        "at": Kind.TIMESTAMP,
        "day": Kind.DATE,
        "tags": Kind.JSON,
    }
    first, second = datetime(2026, 1, 1, 6, tzinfo=UTC), datetime(2026, 1, 3, tzinfo=UTC)
    rows = [
        {"name": "apple", "number": 1, "at": first, "day": None, "tags": '["x","y","z"]', "x": 0},
        {
            "name": "a_b",
            "number": 2,
            "at": None,
            "day": date(2026, 2, 1),
            "tags": '["q"]',
            "x": 1,
        },
        {"name": "École", "number": 3, "at": second, "day": None, "tags": None, "x": 2},
        {"name": "が", "number": None, "at": None, "day": None, "tags": None, "x": 179.5},
    ]
    table = table_of([row | {"geometry": shapely.Point(row["x"], 0)} for row in rows], tmp_path, kinds)
    found = evaluate(check(parse_text(text), kinds), table)
    names = [rows[int(number)]["name"] for number in _ids(table, np.flatnonzero(found))]
    assert sorted(names) == sorted(expected)


def _ids(table: FeatureTable, rows: Any) -> list[str]:
    starts, data = table.ids.dictionary_offsets, table.ids.dictionary_bytes.tobytes()
    return [data[starts[code] : starts[code + 1]].decode() for code in table.ids.values[rows]]
