"""Relations of time against Allen's thirteen, drawn by hand on a line of days and of hours."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from geoshare.errors import BadRequest
from geoshare.filter import check, evaluate, parse_text
from geoshare.filter.temporal import OF_INSTANTS, TEMPORAL
from tests.filter.test_evaluate import table_of
from tiles.arrays import Kind

KINDS = {"start": Kind.TIMESTAMP, "end": Kind.TIMESTAMP, "first": Kind.DATE, "last": Kind.DATE}
# a is 3 to 6; how b lies to it, and every T_ function that is true of (a, b)
ALLEN: dict[tuple[int, int], set[str]] = {
    (7, 9): {"t_before", "t_disjoint"},
    (6, 9): {"t_meets", "t_intersects"},
    (5, 9): {"t_overlaps", "t_intersects"},
    (3, 9): {"t_starts", "t_intersects"},
    (1, 9): {"t_during", "t_intersects"},
    (1, 6): {"t_finishes", "t_intersects"},
    (3, 6): {"t_equals", "t_intersects"},
    (4, 6): {"t_finishedby", "t_intersects"},
    (4, 5): {"t_contains", "t_intersects"},
    (3, 5): {"t_startedby", "t_intersects"},
    (1, 4): {"t_overlappedby", "t_intersects"},
    (1, 3): {"t_metby", "t_intersects"},
    (1, 2): {"t_after", "t_disjoint"},
}


def hour(number: int) -> datetime:
    return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=number)


@pytest.fixture
def table(tmp_path):
    """One row for each b, then one whose interval ends before it begins, one without end, one null."""
    rows = [
        {"start": hour(b), "end": hour(e), "first": date(2026, 1, b), "last": date(2026, 1, e)}
        for b, e in ALLEN
    ]
    rows += [
        {"start": hour(6), "end": hour(3), "first": date(2026, 1, 6), "last": date(2026, 1, 3)},
        {"start": hour(3), "end": None, "first": date(2026, 1, 3), "last": None},
        {},
    ]
    full = [{**dict.fromkeys(KINDS), **row} for row in rows]
    return table_of(full, tmp_path, KINDS)


def asked(table, text: str) -> list[bool]:
    found = evaluate(check(parse_text(text), KINDS), table)
    return [bool(hit) for _, hit in sorted(zip(table.ids.values, found, strict=True))]


GRAINS = {
    "times": ("INTERVAL('2026-01-01T03:00:00Z', '2026-01-01T06:00:00Z')", 'INTERVAL("start", "end")'),
    "days": ("INTERVAL('2026-01-03', '2026-01-06')", 'INTERVAL("first", "last")'),
}


@pytest.mark.parametrize("grain", GRAINS)
@pytest.mark.parametrize("op", TEMPORAL)
def test_a_relation_is_true_of_what_allen_drew_and_of_nothing_else(table, grain, op):
    a, b = GRAINS[grain]
    expected = [op in true for true in ALLEN.values()]
    unknown = [False] * 3
    assert asked(table, f"{op}({a}, {b})") == expected + unknown
    # what ends before it begins, or has a null end, is unknown and so is its negation
    assert asked(table, f"NOT ({op}({a}, {b}))") == [not hit for hit in expected] + unknown


@pytest.mark.parametrize("op", OF_INSTANTS)
def test_an_instant_is_an_interval_that_ends_where_it_begins(table, op):
    instant = "TIMESTAMP('2026-01-01T06:00:00Z')"
    same = "INTERVAL('2026-01-01T06:00:00Z', '2026-01-01T06:00:00Z')"
    for other in ('INTERVAL("start", "end")', '"start"', "INTERVAL('..', '2026-01-01T06:00:00Z')"):
        assert asked(table, f"{op}({instant}, {other})") == asked(table, f"{op}({same}, {other})")


@pytest.mark.parametrize("op", [op for op in TEMPORAL if op not in OF_INSTANTS])
def test_relations_of_intervals_refuse_instants_and_say_so(op):
    for operand in ('"start"', "DATE('2026-01-01')"):
        with pytest.raises(BadRequest) as caught:
            check(parse_text(f"{op}({operand}, INTERVAL('2026-01-01', '..'))"), KINDS)
        assert caught.value.allowed == "interval"
        assert f"operand 1 of {op}" in caught.value.message


def test_open_ends_reach_as_far_as_any(table):
    every = [True] * len(ALLEN) + [False] * 3
    assert asked(table, "T_INTERSECTS(INTERVAL(\"start\", \"end\"), INTERVAL('..', '..'))") == every
    assert asked(table, "T_DURING(INTERVAL(\"start\", \"end\"), INTERVAL('..', '..'))") == every
    late = asked(table, "T_AFTER(\"start\", INTERVAL('..', '2026-01-01T05:00:00Z'))")
    assert late == [b > 5 for b, _ in ALLEN] + [True, False, False]


def test_a_date_beside_a_timestamp_is_all_of_its_day(table):
    day = "DATE('2026-01-01')"
    rows = [True] * (len(ALLEN) + 2) + [False]
    assert asked(table, f'T_INTERSECTS("start", {day})') == rows
    assert asked(table, f'"start" = {day}') == rows
    assert not any(asked(table, f'T_AFTER("start", {day}) OR T_BEFORE("start", {day})'))


@pytest.mark.parametrize(
    "literal",
    [
        "INTERVAL('2026-02-01', '2026-01-01')",
        "INTERVAL('2026-02-30', '..')",
        "INTERVAL('yesterday', '..')",
    ],
)
def test_an_interval_that_is_none_is_refused(literal):
    with pytest.raises(BadRequest):
        check(parse_text(f'T_INTERSECTS("start", {literal})'), KINDS)
