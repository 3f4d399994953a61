"""Colours of numbers: classes begin where they say, ramps are even, nothing is drawn of nothing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tiles import render

ALL = np.ones((1, 1), np.uint8)


def colour_of(value: float, palette: render.Palette) -> tuple[int, ...]:
    pixel = render.colour_by_value(np.full((1, 1), value, np.float32), ALL, palette)
    return tuple(int(channel) for channel in pixel[0, 0])


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.0, (0, 0, 0, 0)),
        (0.09, (0, 0, 0, 0)),
        (0.1, (242, 242, 255, 255)),
        (0.99, (242, 242, 255, 255)),
        (1, (160, 210, 255, 255)),
        (5, (33, 140, 255, 255)),
        (10, (0, 65, 255, 255)),
        (19.9, (0, 65, 255, 255)),
        (20, (250, 245, 0, 255)),
        (30, (255, 153, 0, 255)),
        (50, (255, 40, 0, 255)),
        (80, (180, 0, 104, 255)),
        (400, (180, 0, 104, 255)),
    ],
)
def test_rain_has_the_colours_of_the_meteorological_agency(value, expected):
    assert colour_of(value, render.RAIN) == expected


@pytest.mark.parametrize("palette", [*render.PALETTES.values(), render.ramp_palette("grey", 0, 9)])
def test_unknown_is_transparent_whatever_number_stands_there(palette):
    values = np.array([[0, 5, 50, np.nan, np.inf, -9999]], np.float32)
    assert not render.colour_by_value(values, np.zeros((1, 6), np.uint8), palette).any()


@pytest.mark.parametrize("palette", render.PALETTES.values())
def test_a_legend_says_which_colour_stands_for_what_in_both_languages(palette):
    for entry, stop in zip(render.legend(palette), palette.stops, strict=True):
        red, green, blue, _ = colour_of(stop.value, palette)
        assert entry.colour == f"#{red:02x}{green:02x}{blue:02x}"
        assert entry.label
        assert entry.label_ja
        assert f"{stop.value:g}" in entry.label


def test_a_colour_that_is_not_opaque_shows_its_alpha():
    assert render.hex_colour((1, 2, 255, 128)) == "#0102ff80"


@pytest.mark.parametrize("name", render.RAMPS)
def test_a_ramp_runs_from_its_first_colour_to_its_last_and_stays_there(name):
    palette = render.ramp_palette(name, -5, 20, "m")
    colours = render.RAMPS[name]
    assert colour_of(-5, palette)[:3] == colour_of(-99, palette)[:3] == colours[0]
    assert colour_of(20, palette)[:3] == colour_of(99, palette)[:3] == colours[-1]
    assert palette.stops[0].label == "-5 m"


def test_grey_is_even():
    found = [colour_of(value, render.ramp_palette("grey", 0, 255))[0] for value in range(256)]
    assert found == list(range(256))


def test_a_ramp_over_a_single_value_is_not_divided_by_zero():
    assert colour_of(3, render.ramp_palette("grey", 3, 3)) == (0, 0, 0, 255)


@settings(max_examples=50, deadline=None)
@given(
    data=hnp.arrays(np.float32, (3, 4, 3), elements=st.floats(-100, 5000, width=32)),
    valid=hnp.arrays(np.uint8, (3, 4, 3), elements=st.integers(0, 1)),
)
def test_three_bands_are_stretched_each_by_its_own_ends(data, valid):
    low, high = np.array([0, 100, 200], np.float32), np.array([1000, 1100, 4000], np.float32)
    found = render.compose(data, valid, low, high)
    expected = np.clip((data - low) / (high - low), 0, 1) * 255 * valid
    assert (np.abs(found[..., :3] - expected) <= 0.57).all()  # to the nearest of 256 steps
    np.testing.assert_array_equal(found[..., 3] > 0, valid.any(axis=-1))


def test_eight_bits_stretched_from_0_to_255_are_themselves():
    data = np.arange(256, dtype=np.float32).repeat(3).reshape(16, 16, 3)
    ends = np.zeros(3, np.float32), np.full(3, 255, np.float32)
    found = render.compose(data, np.ones(data.shape, np.uint8), *ends)
    np.testing.assert_array_equal(found[..., :3], data.astype(np.uint8))


def test_gamma_brightens_the_middle_and_leaves_the_ends():
    data = np.array([[[0.0] * 3, [50.0] * 3, [100.0] * 3]], np.float32)
    ends = np.zeros(3, np.float32), np.full(3, 100, np.float32)
    found = render.compose(data, np.ones(data.shape, np.uint8), *ends, 1.25)
    assert found[0, :, 0].tolist() == [0, round(0.5 ** (1 / 1.25) * 255), 255]


def test_decibels_are_twenty_times_the_logarithm():
    found = render.decibels(np.array([1, 10, 1000, 0], np.float32), -83.0)
    np.testing.assert_allclose(found, [-83, -63, -23, -83], atol=1e-4)


def test_what_lies_under_shows_only_where_the_top_is_empty():
    top, bottom = np.zeros((1, 2, 4), np.uint8), np.full((1, 2, 4), 9, np.uint8)
    top[0, 0] = (1, 2, 3, 255)
    render.lay_under(top, bottom)
    assert top[0].tolist() == [[1, 2, 3, 255], [9, 9, 9, 9]]
