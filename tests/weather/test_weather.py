"""Steps of a forecast: the one that was meant, and what is known at a place."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import shapely
from affine import Affine

from geoshare.errors import BadRequest, TooLarge, Unavailable
from geoshare.model.rasters import RasterLimits
from geoshare.model.times import Interval, iso, parse_interval
from geoshare.weather import Steps, position
from geoshare.weather import values as module
from tiles.raster import Pool

HOUR = 3_600_000_000
START = 1_789_574_400_000_000
GRID = ("EPSG:4326", Affine(0.05, 0, 139.0, 0, -0.05, 36.0))


@pytest.fixture
def forecast(make_asset):
    """Six hours: in hour h it rains h mm/h in the west, not in the middle; the east is unknown."""
    steps = []
    for hour in range(6):
        rain = np.full((1, 20, 30), float(hour), np.float32)
        rain[:, :, 10:20] = 0
        rain[:, :, 20:] = -9999
        steps.append(
            make_asset(
                rain, ["rain"], f"h{hour}", placed=GRID, nodata=-9999, unit="mm/h", kind="step",
                datetime_us=START + hour * HOUR, collection="rain",
            )
        )  # fmt: skip
    return steps


def test_a_slider_has_the_hours_in_order_whatever_the_order_they_came_in(forecast):
    steps = Steps(reversed(forecast))
    assert len(steps) == 6
    assert steps.times == [iso(START + hour * HOUR) for hour in range(6)]
    assert steps.times_us[0] == START
    assert [asset.id for asset in steps.assets] == [f"h{hour}" for hour in range(6)]


@pytest.mark.parametrize(
    ("when", "nearest", "expected"),
    [
        (None, False, "h0"),
        (Interval(START + HOUR, START + HOUR), False, "h1"),
        (Interval(START + HOUR + 1, START + HOUR + 1), False, None),
        (Interval(START + HOUR + 1, START + HOUR + 1), True, "h1"),
        (Interval(START + HOUR * 3 // 2, START + HOUR * 3 // 2), True, "h1"),
        (Interval(START + HOUR * 3 // 2 + 1, START + HOUR * 3 // 2 + 1), True, "h2"),
        (Interval(0, 0), True, "h0"),
        (Interval(START * 2, START * 2), True, "h5"),
        (Interval(START + HOUR, START + 3 * HOUR), False, "h3"),
        (Interval(None, START + 2 * HOUR), False, "h2"),
        (Interval(START + 4 * HOUR, None), False, "h5"),
        (Interval(START + 9 * HOUR, None), False, None),
    ],
)
def test_a_time_means_one_step_and_never_another_one_in_its_place(forecast, when, nearest, expected):
    found = Steps(forecast).choose(when, nearest=nearest)
    assert (found.id if found else None) == expected


def test_a_step_that_is_listed_can_be_asked_for(forecast):
    steps = Steps(forecast)
    for text, asset in zip(steps.times, forecast, strict=True):
        assert steps.choose(parse_interval(text)) is asset


def test_there_is_no_step_of_no_forecast():
    assert Steps([]).choose() is None
    assert Steps([]).choose(Interval(1, 1), nearest=True) is None


def test_the_later_run_of_a_forecast_counts(make_asset):
    runs = [
        make_asset(
            np.ones((1, 8, 8), np.float32), ["rain"], name, placed=GRID, nodata=-1, datetime_us=START,
            properties={"reference_time": run},
        )
        for name, run in (
            ("b", "2026-09-16T12:00:00Z"), ("c", "2026-09-16T15:00:00Z"), ("a", "2026-09-16T09:00:00Z"),
        )
    ]  # fmt: skip
    assert [asset.id for asset in Steps(runs).assets] == ["c"]


def test_unknown_rain_is_not_zero_rain(forecast):
    pool = Pool()
    rain, dry, unknown, outside = (
        [item.value for item in position(pool, forecast, (lon, 35.5))]
        for lon in (139.2, 139.7, 140.2, 141.0)
    )
    assert rain == [0, 1, 2, 3, 4, 5]
    assert dry == [0] * 6
    assert unknown == [None] * 6
    assert outside == [None] * 6


def test_a_value_says_its_time_its_band_and_its_unit(forecast):
    found = position(Pool(), forecast[2:3], (139.2, 35.5))[0]
    assert (found.datetime_us, found.band, found.unit) == (START + 2 * HOUR, "rain", "mm/h")


def test_the_map_shows_the_value_that_the_place_has(forecast, pixels, tile_of, decoded):
    """No interpolation: the colour of every pixel is that of the cell under it."""
    found = decoded(pixels.tile([forecast[5]], *tile_of(forecast[5], 7)))
    colours = {tuple(colour) for colour in found.reshape(-1, 4)}
    assert colours == {(0, 0, 0, 0), (33, 140, 255, 255)}  # 5 mm/h and nothing else, also at edges
    assert pixels.styles(forecast)[0]["name"] == "rain"
    assert pixels.legend(forecast)[2]["value"] == 5


def test_no_rain_and_unknown_rain_are_both_clear(forecast, pixels, tile_of):
    assert pixels.tile([forecast[0]], *tile_of(forecast[0], 9)) is None


def test_packed_numbers_are_unpacked_for_value_and_colour(make_asset, pixels, tile_of, decoded):
    packed = np.full((1, 20, 30), 200, np.int16)
    asset = make_asset(packed, ["rain"], placed=GRID, nodata=-1, unit="mm/h", scale=0.1)
    assert position(Pool(), [asset], (139.5, 35.5))[0].value == 20.0
    found = decoded(pixels.tile([asset], *tile_of(asset, 10)))
    assert {tuple(colour) for colour in found.reshape(-1, 4)} == {(250, 245, 0, 255)}


def test_limits_hold_for_values_as_for_pictures(forecast):
    pool = Pool()
    west = shapely.to_wkb(shapely.box(139.0, 35.0, 139.3, 36.0))
    fenced = RasterLimits(area_wkb=west)
    assert position(pool, forecast[3:4], (139.2, 35.5), fenced)[0].value == 3
    assert position(pool, forecast[3:4], (139.4, 35.5), fenced)[0].value is None
    assert position(pool, forecast[3:4], (139.2, 35.5), RasterLimits(bands=("wind",))) == []
    coarse = RasterLimits(finest_m=9000)  # two cells by two: half of them rain at the edge
    assert position(pool, forecast[4:5], (139.2, 35.5), coarse)[0].value == 4


def test_a_step_that_cannot_be_read_is_an_error_and_not_a_dry_hour(forecast):
    Path(forecast[1].path).write_bytes(b"torn")
    with pytest.raises(Unavailable):
        position(Pool(), forecast, (139.2, 35.5))


@pytest.mark.parametrize("place", [(181, 0), (0, 91), (float("nan"), 0), (0, float("inf"))])
def test_a_place_off_the_globe_is_refused(forecast, place):
    with pytest.raises(BadRequest) as error:
        position(Pool(), forecast, place)
    assert error.value.parameter == "coords"


def test_too_many_steps_are_refused(forecast, monkeypatch):
    monkeypatch.setattr(module, "MAX_STEPS", 5)
    with pytest.raises(TooLarge):
        position(Pool(), forecast, (139.2, 35.5))
