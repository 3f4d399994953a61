"""The systematic shift between two sets of features: by how much one lies beside the other.

Points are compared with the nearest point; lines at places along them with the nearest place on a line
that runs the same way. A line says nothing of a shift along itself, so what is solved for is the one
translation by which all the distances across come out smallest, by iteratively reweighted least squares
with Tukey's weights: some features that are simply different do not count (Holland and Welsch, 1977).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

Array = NDArray[np.float64]
_DEGREE_M: Final = 111_319.49
_STEP_M: Final = 5.0  # between places along a line
_SAME_WAY: Final = math.cos(math.radians(25.0))
_TUKEY: Final = 4.685
_ROUNDS: Final = 20
_LEAST: Final = 8  # places below which nothing is said
_STEEPEST: Final = 1e3  # condition number beyond which one direction is not known


@dataclass(frozen=True, slots=True)
class Shift:
    """By how many metres the first set lies east, north and above of the second.

    ``spread_m`` is the median distance that is left, ``count`` the places compared. ``across_only``:
    all lines run one way, so only the shift across them is known. ``up_m`` None: no heights.
    """

    east_m: float
    north_m: float
    up_m: float | None
    spread_m: float
    count: int
    across_only: bool


def estimate(first: Sequence[bytes], second: Sequence[bytes], within_m: float = 10.0) -> Shift | None:
    """The shift of one set of features (WKB, longitude, latitude, height) against another.

    None where fewer than ``_LEAST`` places have a counterpart within ``within_m`` metres.
    """
    ours, theirs = _shapes(first), _shapes(second)
    if not len(ours) or not len(theirs):
        return None
    middle = np.nanmedian(shapely.get_coordinates(theirs), axis=0)
    ours, theirs = _local(ours, middle), _local(theirs, middle)
    places, normals, heights = _places(ours)
    target, target_ways, target_heights = _nearest(places, normals, theirs, within_m)
    away = places - target
    found = np.isfinite(away).all(axis=1)
    along = np.abs((normals[found] * target_ways[found]).sum(axis=1))
    lines = np.isfinite(normals[found]).all(axis=1)
    use = np.flatnonzero(found)[~lines | (along >= _SAME_WAY)]
    if len(use) < _LEAST:
        return None
    translation, left, across_only = _solve(away[use], normals[use])
    ups = heights[use] - target_heights[use]
    ups = ups[np.isfinite(ups)]
    return Shift(
        round(float(translation[0]), 3),
        round(float(translation[1]), 3),
        round(float(np.median(ups)), 3) if len(ups) >= _LEAST else None,
        round(float(np.median(np.abs(left))), 3),
        len(use),
        across_only,
    )


def _shapes(wkb: Sequence[bytes]) -> NDArray[np.object_]:
    parts = shapely.get_parts(shapely.from_wkb(np.array(wkb, dtype=object)))
    kinds = shapely.get_type_id(parts)
    rims = shapely.boundary(parts[kinds == shapely.GeometryType.POLYGON])
    plain = parts[np.isin(kinds, (shapely.GeometryType.POINT, shapely.GeometryType.LINESTRING))]
    found: NDArray[np.object_] = np.concatenate([plain, shapely.get_parts(rims)])
    return found[~shapely.is_empty(found)]


def _local(shapes: NDArray[np.object_], middle: Array) -> NDArray[np.object_]:
    """Metres east and north of a place on a sphere, heights as they are."""
    narrow = math.cos(math.radians(float(middle[1])))

    def metres(xyz: Array) -> Array:
        out = xyz.copy()
        out[:, 0] = (xyz[:, 0] - middle[0]) * _DEGREE_M * narrow
        out[:, 1] = (xyz[:, 1] - middle[1]) * _DEGREE_M
        return out

    upright = shapely.has_z(shapes)
    out = shapes.copy()
    for z in (False, True):
        if (upright == z).any():
            out[upright == z] = shapely.transform(shapes[upright == z], metres, include_z=z)
    return out


def _places(shapes: NDArray[np.object_]) -> tuple[Array, Array, Array]:
    """Places (n, 2) on shapes, unit normals (n, 2; NaN of points), and heights (n,)."""
    found: list[Array] = []
    normals: list[Array] = []
    heights: list[Array] = []
    for shape in shapes:
        if shape.geom_type == "Point":
            found.append(np.array([[shape.x, shape.y]]))
            normals.append(np.full((1, 2), np.nan))
            heights.append(np.array([shape.z if shape.has_z else np.nan]))
            continue
        count = max(int(shape.length / _STEP_M), 1)
        at = (np.arange(count) + 0.5) * shape.length / count
        points = shapely.line_interpolate_point(shape, at)
        ahead = shapely.get_coordinates(shapely.line_interpolate_point(shape, at + 0.5))
        behind = shapely.get_coordinates(shapely.line_interpolate_point(shape, np.maximum(at - 0.5, 0)))
        way = ahead - behind
        way /= np.maximum(np.hypot(*way.T), 1e-9)[:, None]
        found.append(shapely.get_coordinates(points))
        normals.append(np.column_stack([-way[:, 1], way[:, 0]]))
        heights.append(shapely.get_coordinates(points, include_z=True)[:, 2])
    return np.vstack(found), np.vstack(normals), np.concatenate(heights)


def _nearest(
    places: Array, normals: Array, shapes: NDArray[np.object_], within_m: float
) -> tuple[Array, Array, Array]:
    """For each place the nearest on a shape of its kind: where, its normal, its height; else NaN."""
    where = np.full(places.shape, np.nan)
    ways, heights = np.full(places.shape, np.nan), np.full(len(places), np.nan)
    points = shapely.get_type_id(shapes) == shapely.GeometryType.POINT
    for mine, pool in (
        (np.isnan(normals[:, 0]), shapes[points]),
        (~np.isnan(normals[:, 0]), shapes[~points]),
    ):
        rows = np.flatnonzero(mine)
        if not len(rows) or not len(pool):
            continue
        pairs = shapely.STRtree(pool).query_nearest(
            shapely.points(places[rows]), max_distance=within_m, all_matches=False
        )
        for row, shape in zip(rows[pairs[0]], pool[pairs[1]], strict=True):
            at = shape.project(shapely.Point(places[row])) if shape.geom_type != "Point" else 0.0
            spot = shape.interpolate(at) if shape.geom_type != "Point" else shape
            where[row] = spot.x, spot.y
            heights[row] = spot.z if spot.has_z else np.nan
            if shape.geom_type != "Point":
                one, two = shape.interpolate(max(at - 0.5, 0.0)), shape.interpolate(at + 0.5)
                way = np.array([two.x - one.x, two.y - one.y])
                way /= max(float(np.hypot(*way)), 1e-9)
                ways[row] = -way[1], way[0]
    return where, ways, heights


def _solve(away: Array, normals: Array) -> tuple[Array, Array, bool]:
    """Translation (2,), what is left of each distance (m,), and whether one direction is unknown."""
    lines = np.isfinite(normals).all(axis=1)
    a = np.vstack([normals[lines], np.tile([[1.0, 0.0], [0.0, 1.0]], ((~lines).sum(), 1))])
    b = np.concatenate([(normals[lines] * away[lines]).sum(axis=1), away[~lines].ravel()])
    weights = np.ones(len(b))
    translation, left = np.zeros(2), b
    for _ in range(_ROUNDS):
        root = np.sqrt(weights)
        translation = np.linalg.lstsq(a * root[:, None], b * root, rcond=1e-3)[0]
        left = b - a @ translation
        scale = max(1.4826 * float(np.median(np.abs(left))), 1e-4)
        share = np.clip(np.abs(left) / (_TUKEY * scale), 0.0, 1.0)
        weights = np.maximum((1.0 - share**2) ** 2, 1e-9)
    return translation, left, bool(np.linalg.cond(a) > _STEEPEST)
