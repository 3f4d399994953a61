"""Which assets a time means, and what a policy leaves of them."""

from __future__ import annotations

import json

import pytest

from geoshare.model.batch import Band
from geoshare.model.box import Box
from geoshare.model.rasters import (
    EVERYTHING,
    RasterAsset,
    RasterLimits,
    choose_scenes,
    times,
    value_of,
)
from geoshare.model.times import Interval


def scene(name: str, moment: int) -> RasterAsset:
    bands = tuple(Band(word, dtype="uint16") for word in ("blue", "green", "red", "nir"))
    box = Box(139.0, 35.0, 140.0, 36.0)
    return RasterAsset(
        name, "satellite", f"/{name}.tif", "scene", moment, box, "EPSG:4326", 9, 9, 3.0, bands, {"k": 1}
    )


SCENES = [scene("b", 20), scene("a", 20), scene("c", 10), scene("d", 30)]


@pytest.mark.parametrize(
    ("when", "nearest", "expected"),
    [
        (None, False, "dabc"),
        (Interval(20, 20), False, "ab"),
        (Interval(21, 21), False, ""),
        (Interval(24, 24), True, "ab"),
        (Interval(25, 25), True, "ab"),
        (Interval(26, 26), True, "d"),
        (Interval(10, 20), False, "abc"),
        (Interval(None, 19), False, "c"),
        (Interval(21, None), True, "d"),
    ],
)
def test_scenes_come_newest_first_and_of_the_time_asked_for(when, nearest, expected):
    assert "".join(item.id for item in choose_scenes(SCENES, when, nearest=nearest)) == expected


def test_there_is_nothing_to_choose_from_nothing():
    assert choose_scenes([], Interval(1, 1), nearest=True) == []


def test_a_slider_has_every_time_once_and_in_order():
    assert times(SCENES) == [10, 20, 30]


def test_an_asset_survives_a_manifest():
    asset = scene("a", 20)
    assert RasterAsset.from_dict(json.loads(json.dumps(asset.as_dict()))) == asset


def test_bands_are_an_allow_list():
    asset = scene("a", 20)
    assert EVERYTHING.unlimited
    assert EVERYTHING.band_indexes(asset) == (0, 1, 2, 3)
    assert RasterLimits(bands=("red", "infrared", "blue")).band_indexes(asset) == (0, 2)
    assert RasterLimits(bands=()).band_indexes(asset) == ()


@pytest.mark.parametrize(
    ("band", "stored", "expected"),
    [
        (Band("a", dtype="float32"), 0.10000000149011612, 0.1),
        (Band("a", dtype="int16", scale=0.1), 3.0, 0.3),
        (Band("a", dtype="int16", scale=0.1, offset=-5), 50.0, 0.0),
        (Band("a", dtype="float32"), 0.0, 0.0),
        (Band("a", dtype="float32"), float("nan"), None),
    ],
)
def test_a_value_is_said_as_it_was_meant_and_unknown_is_not_zero(band, stored, expected):
    assert value_of(band, stored) == expected
