"""The systematic shift between two sets of features, with an exact truth."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from geoshare.merge.shift import estimate

DEGREE_M = 111_319.49


def wkb(
    lines: list[np.ndarray], east_m: float = 0.0, north_m: float = 0.0, up_m: float = 0.0
) -> list[bytes]:
    """Lines in metres around a place, moved, as longitude and latitude."""
    narrow = np.cos(np.radians(35.0))
    out = []
    for line in lines:
        lon = 139.0 + (line[:, 0] + east_m) / DEGREE_M / narrow
        lat = 35.0 + (line[:, 1] + north_m) / DEGREE_M
        places = np.column_stack([lon, lat, np.full(len(line), 10.0 + up_m)])
        shape = shapely.LineString(places) if len(line) > 1 else shapely.Point(places[0])
        out.append(shapely.to_wkb(shape))
    return out


@pytest.fixture
def streets() -> list[np.ndarray]:
    across = [np.array([[0.0, y], [400.0, y + 3.0]]) for y in range(0, 400, 50)]
    up = [np.array([[x, 0.0], [x + 2.0, 400.0]]) for x in range(0, 400, 50)]
    return across + up


@pytest.mark.parametrize("shift", [(0.0, 0.0), (0.8, -0.3), (-2.5, 1.5)])
def test_lines_of_a_town_tell_the_shift(streets: list[np.ndarray], shift: tuple[float, float]) -> None:
    found = estimate(wkb(streets, *shift, 0.4), wkb(streets))
    assert found is not None
    assert (found.east_m, found.north_m) == pytest.approx(shift, abs=0.02)
    assert found.up_m == pytest.approx(0.4, abs=0.01)
    assert not found.across_only


def test_a_fifth_of_other_roads_and_noise_do_not_move_it(streets: list[np.ndarray]) -> None:
    rng = np.random.default_rng(7)
    noisy = [line + rng.normal(0.0, 0.1, line.shape) for line in streets]
    for index in range(0, len(noisy), 5):
        noisy[index] = noisy[index] + 6.0
    found = estimate(wkb(noisy, 0.8, -0.3), wkb(streets))
    assert found is not None
    assert (found.east_m, found.north_m) == pytest.approx((0.8, -0.3), abs=0.12)


def test_one_road_tells_the_shift_across_it_alone(streets: list[np.ndarray]) -> None:
    road = [np.array([[0.0, 0.0], [400.0, 0.0]])]
    found = estimate(wkb(road, 3.0, 0.7), wkb(road))
    assert found is not None
    assert found.across_only
    assert found.north_m == pytest.approx(0.7, abs=0.01)
    assert found.east_m == pytest.approx(0.0, abs=0.01)


def test_points_tell_both_directions() -> None:
    points = [np.array([[x, y]]) for x in range(0, 200, 50) for y in range(0, 200, 50)]
    found = estimate(wkb(points, 1.2, -2.1), wkb(points))
    assert found is not None
    assert (found.east_m, found.north_m) == pytest.approx((1.2, -2.1), abs=0.01)


def test_where_nothing_is_near_nothing_is_said(streets: list[np.ndarray]) -> None:
    assert estimate(wkb(streets, 5_000.0), wkb(streets)) is None
    assert estimate([], wkb(streets)) is None
