from __future__ import annotations

import math
from bisect import bisect_right
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geoshare.access.transforms import (
    delay_cutoff,
    described,
    fits,
    result_kind,
    transformed,
    window_start,
    within_times,
)
from geoshare.model.policy import (
    KEEP,
    NULL,
    Bucket,
    Grant,
    KeyedHash,
    Round,
    common,
    finest,
    gives,
)
from tiles.arrays import Kind

KEY, OTHER = b"k" * 32, b"o" * 32
NUMBERS = st.lists(st.none() | st.floats(-1e6, 1e6), max_size=30)


def one(value, transform, kind, key=KEY):
    arrow = pa.array([value])
    if kind in (Kind.TIMESTAMP, Kind.DATE):
        arrow = pa.array([value], pa.date32() if kind is Kind.DATE else pa.timestamp("us", "UTC"))
    return transformed(arrow, transform, kind, key).to_pylist()[0]


@settings(max_examples=50, deadline=None)
@given(NUMBERS, st.sampled_from([0.1, 0.25, 1.0, 5.0, 7.5, 1000.0]))
def test_rounding_goes_to_the_nearest_multiple_and_leaves_nulls(values, step):
    found = transformed(pa.array(values, pa.float64()), Round(step=step), Kind.FLOAT).to_pylist()
    for value, rounded in zip(values, found, strict=True):
        assert (value is None) == (rounded is None)
        if value is not None:
            assert abs(rounded - value) <= step / 2 * (1 + 1e-6)
            assert math.isclose(rounded / step, round(rounded / step), abs_tol=1e-6)


@pytest.mark.parametrize(
    ("value", "step", "rounded"),
    [(12, 10, 10), (15, 10, 20), (-12, 10, -10), (-15, 10, -10), (7, 1, 7)],
)
def test_whole_numbers_stay_whole(value, step, rounded):
    found = transformed(pa.array([value, None], pa.int64()), Round(step=step), Kind.INT)
    assert found.type == pa.int64()
    assert found.to_pylist() == [rounded, None]


def test_a_rounded_number_has_no_stray_digits():
    assert one(0.31, Round(step=0.1), Kind.FLOAT) == 0.3


def test_times_are_rounded_down_so_that_nothing_seems_to_lie_ahead():
    moment = datetime(2026, 3, 4, 5, 59, 59, 999_999, tzinfo=UTC)
    assert one(moment, Round(step=3600), Kind.TIMESTAMP) == datetime(2026, 3, 4, 5, tzinfo=UTC)
    early = datetime(1969, 12, 31, 23, 59, tzinfo=UTC)
    assert one(early, Round(step=86_400), Kind.TIMESTAMP) == datetime(1969, 12, 31, tzinfo=UTC)
    day = datetime(1970, 1, 13, tzinfo=UTC).date()
    assert one(day, Round(step=7), Kind.DATE) == datetime(1970, 1, 8, tzinfo=UTC).date()


@settings(max_examples=50, deadline=None)
@given(NUMBERS, st.lists(st.integers(-1000, 1000), min_size=1, max_size=9, unique=True).map(sorted))
def test_a_bucket_is_the_last_edge_not_above_the_value(values, edges):
    found = transformed(pa.array(values, pa.float64()), Bucket(edges=edges), Kind.FLOAT).to_pylist()
    for value, shown in zip(values, found, strict=True):
        place = 0 if value is None else bisect_right(edges, value)
        assert shown == (edges[place - 1] if place else None)


def test_buckets_of_whole_numbers_are_whole():
    assert transformed(pa.array([1, 60]), Bucket(edges=(0, 50)), Kind.INT).type == pa.int64()


VALUES = {
    Kind.STRING: "潮見町",
    Kind.JSON: '["a"]',
    Kind.INT: 7,
    Kind.FLOAT: 7.0,
    Kind.BOOL: True,
    Kind.TIMESTAMP: datetime(2026, 1, 1, tzinfo=UTC),
    Kind.DATE: datetime(2026, 1, 1, tzinfo=UTC).date(),
}


@pytest.mark.parametrize("kind", VALUES)
def test_a_hash_is_a_stable_text_of_one_agreement_and_of_any_kind(kind):
    first, again = (one(VALUES[kind], KeyedHash(), kind) for _ in range(2))
    assert isinstance(first, str)
    assert first == again
    assert first != one(VALUES[kind], KeyedHash(), kind, OTHER)
    assert str(VALUES[kind]) not in first
    assert result_kind(KeyedHash(), kind) is Kind.STRING
    empty = pa.nulls(2, pa.array([VALUES[kind]]).type)
    assert transformed(empty, KeyedHash(), kind, KEY).to_pylist() == [None, None]


def test_hashes_keep_equal_values_equal_and_others_apart():
    words = pa.array(["a", "b", None, "a", ""]).dictionary_encode()
    found = transformed(words, KeyedHash(), Kind.STRING, KEY).to_pylist()
    assert found[0] == found[3]
    assert len({found[0], found[1], found[4]}) == 3
    assert found[2] is None
    assert one("1", KeyedHash(), Kind.STRING) != one(1, KeyedHash(), Kind.INT)


@pytest.mark.parametrize("key", [b"", b"short", b"k" * 65])
def test_a_hash_without_a_proper_key_is_never_made(key):
    with pytest.raises(ValueError, match="key"):
        one("a", KeyedHash(), Kind.STRING, key)


@pytest.mark.parametrize("kind", VALUES)
@pytest.mark.parametrize("transform", [KEEP, NULL])
def test_keeping_and_nulling_suit_every_kind_and_leave_its_type(kind, transform):
    values = pa.array([VALUES[kind], None])
    found = transformed(values, transform, kind)
    assert found.type == transformed(values, KEEP, kind).type
    assert found.to_pylist() == ([VALUES[kind], None] if transform is KEEP else [None, None])
    assert result_kind(transform, kind) is kind


@pytest.mark.parametrize(
    ("transform", "kind"),
    [
        (Round(step=1), Kind.STRING),
        (Round(step=1), Kind.BOOL),
        (Round(step=0.5), Kind.INT),
        (Round(step=0.5), Kind.DATE),
        (Bucket(edges=(1,)), Kind.STRING),
        (Bucket(edges=(0.5,)), Kind.INT),
        (Bucket(edges=(1,)), Kind.TIMESTAMP),
    ],
)
def test_what_does_not_fit_a_kind_is_refused_and_shows_nothing(transform, kind):
    assert not fits(transform, kind)
    with pytest.raises(ValueError, match="cannot have the transform"):
        one(VALUES[kind], transform, kind)


def test_empty_columns_stay_empty():
    empty = pa.chunked_array([], pa.float64())
    for transform in (KEEP, NULL, Round(step=1), Bucket(edges=(1,)), KeyedHash()):
        assert len(transformed(empty, transform, Kind.FLOAT, KEY)) == 0


SOME = [
    KEEP,
    NULL,
    Round(step=1),
    Round(step=10),
    Bucket(edges=(0, 5)),
    Bucket(edges=(0,)),
    KeyedHash(),
]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.sampled_from(SOME), min_size=1, max_size=4))
def test_of_several_transforms_the_finest_is_one_of_them_and_the_common_one_is_given_by_all(offered):
    assert finest(offered) in offered
    assert not any(gives(other, finest(offered)) and other != finest(offered) for other in offered)
    assert all(gives(other, common(offered)) for other in offered)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(-100, 100), max_size=20), st.sampled_from(SOME), st.sampled_from(SOME))
def test_what_gives_another_value_lets_it_be_computed(values, fine, coarse):
    if not gives(fine, coarse):
        return
    first = transformed(pa.array(values, pa.float64()), fine, Kind.FLOAT, KEY).to_pylist()
    second = transformed(pa.array(values, pa.float64()), coarse, Kind.FLOAT, KEY).to_pylist()
    seen: dict = {}
    for a, b in zip(first, second, strict=True):
        assert seen.setdefault(a, b) == b


def grant(**said):
    return Grant(collections=("events",), columns=("kind",), **said)


HOUR_US = 3_600_000_000


def test_a_delay_hides_what_is_new_and_a_window_what_is_old():
    delayed = grant(delay=timedelta(hours=6), window=timedelta(hours=48))
    tick = 100 * HOUR_US
    assert delay_cutoff(delayed, tick) == 94 * HOUR_US
    assert window_start(delayed, tick) == 52 * HOUR_US
    times = np.array([52, 51, 94, 95, 60]) * HOUR_US
    known = np.array([True, True, True, True, False])
    assert within_times(delayed, tick, times, known).tolist() == [True, False, True, False, False]


def test_without_a_rule_on_time_every_row_is_shown_and_without_a_tick_no_delayed_one():
    times, known = np.array([1, 2]), np.array([True, False])
    assert delay_cutoff(grant(), 5) is None
    assert window_start(grant(), 5) is None
    assert within_times(grant(), None, times, known).all()
    assert not within_times(grant(window=timedelta(days=1)), None, times, known).any()


def test_the_schema_of_a_changed_column_says_nothing_of_the_values_before():
    schema = {
        "title": "Kind",
        "type": ["number", "null"],
        "enum": [1, 2],
        "minimum": 1,
        "x-ogc-unit": "m",
    }
    assert described(schema, [KEEP, KEEP], hashed=False) == schema
    assert described(schema, [KEEP, Round(step=2)], hashed=False) == {
        "title": "Kind",
        "type": ["number", "null"],
        "x-ogc-unit": "m",
    }
    assert described(schema, [KeyedHash()], hashed=True) == {
        "title": "Kind",
        "type": ["string", "null"],
    }
