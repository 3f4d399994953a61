"""Plain conditions asked of whole columns: the same rows as evaluation, at a cost of the rows alone."""

from __future__ import annotations

import math
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from geoshare.errors import TooLarge
from geoshare.filter import Meter, check, evaluate, narrow, parse_text
from tests.filter.test_evaluate import table_of
from tiles.arrays import FeatureTable, Kind
from tiles.passing import Condition, passing

KINDS = {
    "name": Kind.STRING,
    "width": Kind.FLOAT,
    "lanes": Kind.INT,
    "open": Kind.BOOL,
    "day": Kind.DATE,
    "words": Kind.JSON,
}
ROWS = [
    {"name": "a", "width": 1.5, "lanes": 2**53, "open": True, "day": date(2026, 1, 1), "words": "[1]"},
    {"name": "b", "width": math.nan, "lanes": 2**53 + 1, "open": False, "day": None, "words": None},
    {"name": None, "width": -math.inf, "lanes": -3, "open": None, "day": None, "words": "[2]"},
    {"name": "ab", "width": None, "lanes": None, "open": True, "day": date(2026, 2, 1), "words": None},
    {"name": "", "width": math.inf, "lanes": 0, "open": True, "day": None, "words": "[]"},
]


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> FeatureTable:
    return table_of(ROWS, tmp_path_factory.mktemp("narrow"), KINDS)


def _rows(table: FeatureTable) -> np.ndarray:
    return np.arange(len(table), dtype=np.int32)


@pytest.mark.parametrize(
    "text",
    [
        "width > 1.5",
        "width >= 1.5",
        "1.5 > width",
        "width <> 1.5",
        "width IS NULL",
        "width IS NOT NULL",
        "width BETWEEN -1 AND 1.5",
        f"lanes = {2**53 + 1}",
        f"lanes <> {2**53 + 1}",
        "lanes > -2.5",
        "lanes < -2.5",
        "lanes = 2.5",
        "lanes <> 2.5",
        "lanes >= 0.5",
        "lanes BETWEEN -3.5 AND 0.5",
        "0 <= lanes",
        "lanes IS NULL",
        "open IS NULL",
        "open IS NOT NULL",
        "day IS NULL",
        "NOT (day IS NULL)",
        "name IN ('a', 'ab')",
        "name IS NULL",
        "NOT (name = 'a')",
        "name LIKE 'a%' OR name IS NULL",
        "name = ''",
        "casei(name) = casei('AB')",
        "name <> 'a' AND lanes > -5 AND width < 9",
    ],
)
def test_plain_conditions_leave_the_rows_that_evaluation_leaves(table: FeatureTable, text: str) -> None:
    expression = check(parse_text(text), KINDS)
    assert expression.plain
    assert expression.rest is None
    left = narrow(expression, table, _rows(table), Meter())
    assert left.tolist() == np.flatnonzero(evaluate(expression, table)).tolist()


@pytest.mark.parametrize(
    "text",
    [
        "lanes = 1 OR width = 2",
        "lanes + 1 = 2",
        "id = '0001'",
        "open = TRUE",
        "day > DATE('2026-01-15')",
        "words IS NULL",
        "name = 'a' OR lanes = 3",
        "lanes < 1e300",
    ],
)
def test_what_one_column_does_not_tell_alone_is_evaluated(table: FeatureTable, text: str) -> None:
    expression = check(parse_text(text), KINDS)
    assert expression.plain == ()
    assert expression.rest is not None
    assert narrow(expression, table, _rows(table), Meter()) is not None
    both = check(parse_text(f"({text}) AND name IS NOT NULL"), KINDS)
    left = narrow(both, table, _rows(table), Meter())
    assert len(both.plain) == 1
    assert both.rest is not None
    left = left[evaluate(both.rest, table, left)]
    assert left.tolist() == np.flatnonzero(evaluate(both, table)).tolist()


def test_large_dictionaries_are_asked_row_by_row_at_the_same_price(tmp_path: Path) -> None:
    rows = [{"name": f"street {number}"} for number in range(5_000)]
    kinds = {"name": Kind.STRING}
    tables = [table_of(some, tmp_path, kinds) for some in (rows, rows[:10])]
    expression = check(parse_text("name = 'street 7'"), kinds)
    for table in tables:
        exact = 10 * 51
        assert len(narrow(expression, table, _rows(table)[:10], Meter(exact))) <= 1
        with pytest.raises(TooLarge):
            narrow(expression, table, _rows(table)[:10], Meter(exact - 1))
    assert len(narrow(expression, tables[0], _rows(tables[0]), Meter())) == 1


def test_a_condition_of_another_kind_than_its_column_is_refused(table: FeatureTable) -> None:
    for said in (Condition("name"), Condition("lanes", answers=np.ones(1, np.uint8))):
        with pytest.raises(ValueError, match="kind"):
            passing(table, _rows(table), [said])
    with pytest.raises(KeyError):
        passing(table, _rows(table), [Condition("none")])
