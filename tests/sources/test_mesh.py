"""Mesh squares against an independent implementation of JIS X 0410."""

from __future__ import annotations

import jismesh.utils as ju
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geoshare.model.mesh import side_m
from geoshare.sources import mesh

LEVELS = {1: 80_000, 2: 10_000, 5000: 5_000, 3: 1_000, 4: 500, 5: 250, 6: 125}


@settings(max_examples=60, deadline=None)
@given(st.floats(24.0, 45.5), st.floats(123.0, 148.0), st.sampled_from(list(LEVELS)))
def test_squares_are_those_of_jismesh(lat: float, lon: float, level: int) -> None:
    code = str(ju.to_meshcode(lat, lon, level))
    south, west = ju.to_meshpoint(int(code), 0, 0)
    north, east = ju.to_meshpoint(int(code), 1, 1)
    square = mesh.squares([code])[0]
    assert shapely.bounds(square) == pytest.approx((west, south, east, north), abs=1e-9)
    assert side_m(code) == LEVELS[level]


@pytest.mark.parametrize("code", ["", "53", "533984", "53394a", "533945479", "５３３９", "53394547150"])
def test_what_is_no_code_has_no_square(code: str) -> None:
    assert mesh.squares([code])[0] is None
    assert side_m(code) is None
