"""Counts of houses for who may not look at them one by one."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geoshare.derive.buildings import buildings_by_square
from geoshare.derive.plane import to_plane
from geoshare.derive.reading import Found

WEST, SOUTH, WIDE = 140.88, 36.24, 0.0001
ROW = 60  # houses from west to east, of which a square holds the first


def box(first: float, last: float) -> Any:
    return shapely.box(WEST + first * WIDE, SOUTH, WEST + last * WIDE, SOUTH + 10 * WIDE)


def told(houses: int, flooded: int) -> list[int | None]:
    """Buildings in the zone, outside it and in all, of a square that holds all houses."""
    shapes = np.array([box(n + 0.2, n + 0.8) for n in range(houses)], dtype=object)
    found = Found([{} for _ in shapes], shapes)
    zones = [to_plane(np.array([box(0, flooded)], dtype=object))]
    counted = buildings_by_square(found, [to_plane(box(0, ROW))], zones)
    return [figure["value"] for figure in (*counted.classes, counted.total)]


@settings(max_examples=40, deadline=None)
@given(houses=st.integers(1, ROW), one=st.integers(1, ROW), other=st.integers(1, ROW))
def test_scenarios_whose_zones_lie_in_one_another_never_differ_by_few(
    houses: int, one: int, other: int
) -> None:
    first, second = told(houses, one), told(houses, other)
    assert first[2] == second[2]
    for before, after in zip(first[:2], second[:2], strict=True):
        assert abs((before or 0) - (after or 0)) in {0, *range(10, ROW + 1)}


def test_houses_of_a_square_are_told_in_tens_by_class_and_as_many_as_there_are_in_all() -> None:
    assert told(48, 25) == [20, 20, 48]
    assert told(48, 44) == [None, None, 48]  # four are outside
    assert told(9, 9) == [None, None, None]
