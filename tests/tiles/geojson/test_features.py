"""GeoJSON features, read back with the standard library and shapely."""

from __future__ import annotations

import json
import math
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from tiles.arrays import Kind, Rows
from tiles.geojson import write_features

POINT = shapely.Point(139.7, 35.7)


def read(text: bytes) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(b"[" + text + b"]")
    return found


def values(make_table: Any, all_rows: Any, kind: Kind, given_values: list[Any]) -> list[Any]:
    table = make_table([POINT] * len(given_values), {"v": (kind, given_values)})
    return [f["properties"]["v"] for f in read(write_features(all_rows(table), columns=["v"]))]


@given(st.lists(st.one_of(st.none(), st.text()), min_size=1, max_size=20))
@settings(max_examples=50, deadline=None)
def test_texts_come_back(make_table, all_rows, texts):
    assert values(make_table, all_rows, Kind.STRING, texts) == texts


@given(st.lists(st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1)), min_size=1, max_size=20))
@settings(max_examples=50, deadline=None)
def test_integers_come_back(make_table, all_rows, numbers):
    assert values(make_table, all_rows, Kind.INT, numbers) == numbers


@given(st.lists(st.one_of(st.none(), st.floats()), min_size=1, max_size=50))
@settings(max_examples=50, deadline=None)
def test_doubles_come_back_to_the_last_bit_and_what_is_not_finite_is_null(
    make_table, all_rows, numbers
):
    found = values(make_table, all_rows, Kind.FLOAT, numbers)
    expected = [None if x is None or not math.isfinite(x) else x for x in numbers]
    assert [repr(x) for x in found] == [repr(x) for x in expected]


def test_doubles_are_written_as_short_as_they_can_be(make_table, all_rows):
    numbers = [0.1, 100.0, 12.5, 1e22, 123456.789, 0.00025, 5e-324]
    text = write_features(
        all_rows(make_table([POINT] * 7, {"v": (Kind.FLOAT, numbers)})), columns=["v"]
    ).decode()
    for shortest in ("0.1}", "100.0}", "12.5}", "1e22}", "123456.789}", "0.00025}", "5e-324}"):
        assert '"v":' + shortest in text


@given(
    st.lists(
        st.decimals(-(10**8), 10**8, places=9, allow_nan=False)
        | st.decimals(-10, 10, places=4, allow_nan=False),
        min_size=1,
        max_size=50,
    )
)
@settings(max_examples=50, deadline=None)
def test_measures_are_written_as_short_as_they_can_be(make_table, all_rows, decimals):
    numbers = [float(number) for number in decimals if abs(number) >= 1e-4]
    text = write_features(
        all_rows(make_table([POINT] * len(numbers), {"v": (Kind.FLOAT, numbers)})), columns=["v"]
    ).decode()
    written = [part.partition("}")[0] for part in text.split('"v":')[1:]]
    assert [float(number) for number in written] == numbers
    for number, shortest in zip(written, map(repr, numbers), strict=True):
        assert len(number) <= len(shortest) or len(shortest) > 16


def test_integers_of_every_length_come_back(make_table, all_rows):
    numbers = [sign * (10**n + add) for n in range(19) for add in (-1, 0, 7) for sign in (1, -1)]
    assert values(make_table, all_rows, Kind.INT, numbers) == numbers


@pytest.mark.parametrize("byte", [*range(32), 34, 92, 127])
def test_what_must_be_escaped_is_escaped_wherever_it_stands(make_table, all_rows, byte):
    texts = ["a" * place + chr(byte) + "道" * (20 - place) for place in range(20)]
    assert values(make_table, all_rows, Kind.STRING, texts) == texts


@given(st.lists(st.one_of(st.none(), st.dates()), min_size=1, max_size=20))
@settings(max_examples=30, deadline=None)
def test_dates_are_iso_dates(make_table, all_rows, dates):
    days = [None if day is None else (day - date(1970, 1, 1)).days for day in dates]
    found = values(make_table, all_rows, Kind.DATE, days)
    assert found == [None if day is None else day.isoformat() for day in dates]


@given(st.lists(st.datetimes(), min_size=1, max_size=20))
@settings(max_examples=30, deadline=None)
def test_times_are_rfc_3339_in_utc(make_table, all_rows, times):
    microsecond = timedelta(microseconds=1)
    stamps = [(time - datetime(1970, 1, 1)) // microsecond for time in times]
    found = values(make_table, all_rows, Kind.TIMESTAMP, stamps)
    assert all(text.endswith("Z") for text in found)
    assert [datetime.fromisoformat(text) for text in found] == [t.replace(tzinfo=UTC) for t in times]


def test_times_without_a_year_of_four_digits_are_null(make_table, all_rows):
    assert values(make_table, all_rows, Kind.DATE, [-719_529, 2_932_897]) == [None, None]
    assert values(make_table, all_rows, Kind.TIMESTAMP, [-(2**63), 2**63 - 1]) == [None, None]


def test_truth_values_and_json_are_themselves(make_table, all_rows):
    assert values(make_table, all_rows, Kind.BOOL, [True, False, None]) == [True, False, None]
    assert values(make_table, all_rows, Kind.JSON, ['{"a":[1,"ä"]}', "null", None, ""]) == [
        {"a": [1, "ä"]},
        None,
        None,
        None,
    ]


def test_names_and_identities_are_escaped(make_table, all_rows):
    table = make_table([POINT], {'a"\n日': (Kind.INT, [1])}, ids=['"\\\x1f'])
    (feature,) = read(write_features(all_rows(table), columns=['a"\n日', "id"]))
    assert feature["id"] == '"\\\x1f'
    assert feature["properties"] == {'a"\n日': 1}
    assert list(feature) == ["type", "id", "geometry", "properties"]


GEOMETRIES = [
    POINT,
    shapely.LineString([(-179.99999999, -89.9999999), (180, 90)]),
    shapely.box(0, 0, 1, 1, ccw=False),
    shapely.Point(5, 5).buffer(2).difference(shapely.Point(5, 5).buffer(1)),
    shapely.MultiPoint([(1, 2), (3, 4)]),
    shapely.MultiLineString([[(1, 2), (3, 4)], [(5, 6), (7, 8)]]),
    shapely.MultiPolygon(
        [shapely.box(0, 0, 1, 1), shapely.box(2, 2, 9, 9).difference(shapely.box(3, 3, 4, 4))]
    ),
    shapely.LineString([(1, 2, 3.0006), (3, 4, -5)]),
    None,
]


@pytest.mark.parametrize("geometry", GEOMETRIES, ids=str)
@pytest.mark.parametrize("decimals", [0, 7, 9])
def test_geometry_is_the_rounded_geometry(make_table, all_rows, geometry, decimals):
    (feature,) = read(write_features(all_rows(make_table([geometry])), columns=[], decimals=decimals))
    if geometry is None:
        assert feature["geometry"] is None
        return
    found = shapely.geometry.shape(feature["geometry"])
    assert found.geom_type == geometry.geom_type
    assert found.has_z == geometry.has_z
    expected, ours = shapely.normalize(geometry), shapely.normalize(found)
    if decimals:
        xy = np.abs(shapely.get_coordinates(expected) - shapely.get_coordinates(ours))
        assert xy.max() <= 0.5000001 * 10**-decimals
    for part in shapely.get_parts(found):
        if part.geom_type == "Polygon":
            assert part.exterior.is_ccw
            assert not any(hole.is_ccw for hole in part.interiors)


@given(st.floats(-180, 180), st.floats(-90, 90), st.integers(0, 9))
@settings(max_examples=100, deadline=None)
def test_coordinates_are_the_nearest_with_so_many_decimals(make_table, all_rows, lon, lat, decimals):
    text = write_features(
        all_rows(make_table([shapely.Point(lon, lat)])), columns=[], decimals=decimals
    )
    found = read(text)[0]["geometry"]["coordinates"]
    assert np.abs(np.subtract(found, [lon, lat])).max() <= 0.5 * 10**-decimals + 1e-13
    assert b"-0," not in text
    assert b"-0]" not in text


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, 1e300, 1e7])
def test_a_position_that_is_none_makes_the_geometry_null(make_table, all_rows, bad):
    table = make_table([shapely.LineString([(0, 0), (1, 1)]), POINT])
    table.geometries.lon_lat_z[1, 0] = bad
    first, second = read(write_features(all_rows(table), columns=[]))
    assert first["geometry"] is None
    assert second["geometry"]["type"] == "Point"


def test_a_feature_with_one_unknown_height_is_flat(make_table, all_rows):
    table = make_table([shapely.LineString([(0, 0, 1), (1, 1, math.nan)])])
    (feature,) = read(write_features(all_rows(table), columns=[]))
    assert feature["geometry"]["coordinates"] == [[0, 0], [1, 1]]


def test_long_features_among_short_ones_fit(make_table, all_rows):
    long = "\x01" * 300_000
    table = make_table(
        [POINT, shapely.Point(0, 0).buffer(1, 10_000), POINT], {"v": (Kind.STRING, ["a", long, None])}
    )
    features = read(write_features(all_rows(table, table), columns=["v"]))
    assert [len(f["properties"]["v"] or "") for f in features] == [1, 300_000, 0] * 2
    assert len(features[1]["geometry"]["coordinates"][0]) == 40_001


def test_only_chosen_rows_and_columns_are_there(make_table):
    table = make_table(
        [POINT] * 3,
        {"a": (Kind.STRING, ["seen", "hidden", "also"]), "b": (Kind.STRING, ["secret"] * 3)},
    )
    text = write_features(Rows((table,), (np.array([2, 0], np.int32),)), columns=["a"])
    assert [f["properties"] for f in read(text)] == [{"a": "also"}, {"a": "seen"}]
    assert b"hidden" not in text
    assert b"secret" not in text


def test_no_rows_are_no_bytes(make_table):
    assert write_features(Rows((), ()), columns=["a"]) == b""
    assert write_features(Rows((make_table([POINT]),), (np.zeros(0, np.int32),)), columns=[]) == b""


@pytest.mark.parametrize("decimals", [-1, 10])
def test_decimals_out_of_range_are_refused(make_table, all_rows, decimals):
    with pytest.raises(ValueError, match="0 to 9"):
        write_features(all_rows(make_table([POINT])), columns=[], decimals=decimals)
