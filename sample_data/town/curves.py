"""Curves and smooth noise: the pencils the town is drawn with."""

from __future__ import annotations

import numpy as np
import shapely
from scipy.ndimage import gaussian_filter, zoom
from shapely.geometry import LineString, Polygon

from sample_data.town.frame import Array


def smooth_line(points: list[tuple[float, float]] | Array, step_m: float = 12.0) -> LineString:
    """A centripetal Catmull-Rom curve through ``points``, resampled every ``step_m`` metres."""
    return LineString(_spline(np.asarray(points, float), step_m, closed=False))


def smooth_ring(points: list[tuple[float, float]], step_m: float = 20.0) -> Array:
    """A closed Catmull-Rom curve through ``points`` as (n, 2), first point not repeated."""
    return _spline(np.asarray(points, float), step_m, closed=True)


def _spline(points: Array, step_m: float, closed: bool) -> Array:
    if closed:
        control = np.vstack([points[-1], points, points[0], points[1]])
    else:
        control = np.vstack([2 * points[0] - points[1], points, 2 * points[-1] - points[-2]])
    pieces = []
    for p0, p1, p2, p3 in zip(control[:-3], control[1:-2], control[2:-1], control[3:], strict=True):
        pieces.append(_catmull_rom(p0, p1, p2, p3))
    dense = np.vstack([*pieces, control[-2][None, :]])
    line = LineString(dense)
    count = max(2, round(line.length / step_m))
    at = np.linspace(0, line.length, count + 1)
    sampled = shapely.get_coordinates(shapely.line_interpolate_point(line, at))
    return sampled[:-1] if closed else sampled


def _catmull_rom(p0: Array, p1: Array, p2: Array, p3: Array, count: int = 24) -> Array:
    """The centripetal form (Barry and Goldman 1988): no loops and no overshoot at sharp turns."""

    def knot(t: float, a: Array, b: Array) -> float:
        return t + max(float(np.hypot(*(b - a))), 1e-6) ** 0.5

    t0 = 0.0
    t1 = knot(t0, p0, p1)
    t2 = knot(t1, p1, p2)
    t3 = knot(t2, p2, p3)
    t = np.linspace(t1, t2, count, endpoint=False)[:, None]
    a1 = (t1 - t) / (t1 - t0) * p0 + (t - t0) / (t1 - t0) * p1
    a2 = (t2 - t) / (t2 - t1) * p1 + (t - t1) / (t2 - t1) * p2
    a3 = (t3 - t) / (t3 - t2) * p2 + (t - t2) / (t3 - t2) * p3
    b1 = (t2 - t) / (t2 - t0) * a1 + (t - t0) / (t2 - t0) * a2
    b2 = (t3 - t) / (t3 - t1) * a2 + (t - t1) / (t3 - t1) * a3
    return (t2 - t) / (t2 - t1) * b1 + (t - t1) / (t2 - t1) * b2


def round_corners(polygon: shapely.Geometry, times: int = 2) -> shapely.Geometry:
    """Chaikin's corner cutting on every ring of a polygon or multipolygon."""
    parts = []
    for part in shapely.get_parts(polygon):
        rings = [part.exterior, *part.interiors]
        cut = [_chaikin_ring(shapely.get_coordinates(ring)[:-1], times) for ring in rings]
        parts.append(Polygon(cut[0], [ring for ring in cut[1:] if len(ring) >= 4]))
    return shapely.make_valid(shapely.union_all(parts))


def _chaikin_ring(ring: Array, times: int) -> Array:
    for _ in range(times):
        following = np.roll(ring, -1, axis=0)
        ring = np.stack([0.75 * ring + 0.25 * following, 0.25 * ring + 0.75 * following], 1).reshape(
            -1, 2
        )
    return ring


def tapered(line: LineString, widths_m: list[tuple[float, float]]) -> shapely.Geometry:
    """A band along a line whose width changes with the fraction of its length.

    ``widths_m`` lists (fraction, width); widths between are interpolated.
    """
    count = max(8, int(line.length / 8))
    at = np.linspace(0, 1, count)
    fraction, width = np.array(widths_m).T
    half = np.interp(at, fraction, width) / 2
    centre = shapely.get_coordinates(shapely.line_interpolate_point(line, at, normalized=True))
    along = np.gradient(centre, axis=0)
    along /= np.hypot(*along.T)[:, None]
    normal = np.column_stack([-along[:, 1], along[:, 0]]) * half[:, None]
    left, right = centre + normal, centre - normal
    quads = [
        Polygon([left[i], left[i + 1], right[i + 1], right[i]]).buffer(0) for i in range(count - 1)
    ]
    discs = shapely.buffer(shapely.points(centre), half, quad_segs=6)
    return shapely.union_all([*quads, *discs])


def offset_polyline(xy: Array, distance_m: float | Array) -> Array:
    """Each vertex moved to the left of its direction by ``distance_m`` (scalar or (n,)).

    Keeps the number of vertices, so the two sides of a lane stay paired.
    """
    segment = np.diff(xy, axis=0)
    segment /= np.hypot(*segment.T)[:, None]
    normal = np.column_stack([-segment[:, 1], segment[:, 0]])
    mitre = np.vstack([normal[:1], normal[:-1] + normal[1:], normal[-1:]])
    mitre /= np.hypot(*mitre.T)[:, None]
    cosine = np.concatenate([[1.0], np.sum(mitre[1:-1] * normal[1:], axis=1), [1.0]])
    return xy + mitre * (np.asarray(distance_m) / cosine)[..., None]


def smooth_noise(rng: np.random.Generator, shape: tuple[int, int], sigma_px: float) -> Array:
    """Gaussian noise blurred by ``sigma_px`` pixels, with unit variance."""
    coarse = int(sigma_px // 4)
    if coarse >= 2:  # a wide blur is as smooth when drawn small and enlarged
        small = smooth_noise(rng, (shape[0] // coarse + 2, shape[1] // coarse + 2), sigma_px / coarse)
        return zoom(small, coarse, order=1)[: shape[0], : shape[1]]
    field = gaussian_filter(rng.standard_normal(shape), sigma_px, mode="wrap")
    return field / field.std()


def fractal_noise(rng: np.random.Generator, shape: tuple[int, int], sigma_px: float) -> Array:
    """Four octaves of smooth noise, the coarsest of ``sigma_px``, with unit variance."""
    field = sum(smooth_noise(rng, shape, sigma_px / 2**k) * 0.55**k for k in range(4))
    return field / np.std(field)


def smoothstep(value: Array, low: float, high: float) -> Array:
    """0 below ``low``, 1 above ``high``, and a smooth S between."""
    t = np.clip((value - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)
