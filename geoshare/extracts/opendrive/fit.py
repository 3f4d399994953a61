"""Reference lines and cross sections fitted to polylines, within a stated distance."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from geoshare.model.roads import LINE, PARAM_POLY3, Cubics, Piece, Plan

Array = NDArray[np.float64]
TOLERANCE_M: Final = 0.01
STRAIGHT_M: Final = 0.002
_WIDTH_M: Final = 0.002
_HEIGHT_M: Final = 0.005
_LONGEST: Final = 64  # vertices that one piece runs past at most
_STEP_M: Final = 0.5
_ASIDE_M: Final = 5.0
_NEARLY: Final = math.cos(math.radians(8.0))
_P: Final = np.linspace(0.0, 1.0, 33)


def fit_plan(xy: Array, across: tuple[Array, Array] | None = None) -> tuple[Plan, float]:
    """Lines and parametric cubics through vertices (n, 2), and the largest kink in degrees.

    Cubics have the tangents of a curve through the vertices (each the weighted mean of both sides), so
    they join smoothly. Where such a curve would leave the polyline by more than the tolerance, as at a
    corner, a straight piece stays, with a kink. ``across`` are the directions (2,) of the lines that
    the road begins and ends with: it meets them at right angles where it nearly does.
    """
    steps = np.diff(xy, axis=0)
    lengths = np.hypot(steps[:, 0], steps[:, 1])
    along = np.concatenate([[0.0], np.cumsum(lengths)])
    tangents = _tangents(steps / lengths[:, None], lengths)
    for place, direction in zip((0, -1), across or (), strict=False):
        tangents[place] = _squared(tangents[place], direction)
    pieces: list[Piece] = []
    s, first = 0.0, 0
    while first < len(xy) - 1:
        last, piece = _longest(xy, along, tangents, first)
        pieces.append(replace(piece, s=s))
        s += piece.length
        first = last
    plan = Plan(tuple(pieces))
    return plan, _kink_deg(plan)


def _tangents(units: Array, lengths: Array) -> Array:
    if len(units) == 1:
        return np.vstack([units, units])
    inner = units[:-1] * lengths[1:, None] + units[1:] * lengths[:-1, None]
    norm = np.hypot(inner[:, 0], inner[:, 1])[:, None]
    inner = np.where(norm > 1e-9, inner / np.maximum(norm, 1e-9), units[1:])
    ends = []
    for unit, beside in ((units[0], inner[0]), (units[-1], inner[-1])):
        mirrored = 2.0 * unit * float(unit @ beside) - beside
        ends.append(mirrored)
    return np.vstack([ends[0], inner, ends[1]])


def _squared(tangent: Array, across: Array) -> Array:
    """The tangent at right angles to a direction, where that turns it by little."""
    length = float(np.hypot(*across))
    if length < 0.5:
        return tangent
    normal = np.array([across[1], -across[0]]) / length
    normal = normal if float(normal @ tangent) > 0 else -normal
    return normal if float(normal @ tangent) > _NEARLY else tangent


def _longest(xy: Array, along: Array, tangents: Array, first: int) -> tuple[int, Piece]:
    """The longest piece from a vertex on that keeps to the polyline, and the vertex it ends at."""
    most = min(len(xy) - 1, first + _LONGEST)
    best: tuple[int, Piece] | None = None
    reach = 1
    low, high = first, most + 1
    while low + 1 < high:  # ever larger steps, then halves
        last = min(first + reach, most) if high > most else (low + high) // 2
        last = last if last > low else (low + high) // 2
        piece = _straight(xy, first, last) or _curve(xy, along, tangents, first, last)
        if piece is None:
            high = last
        else:
            best, low = (last, piece), last
            reach *= 2
    if best is None:
        return first + 1, _line(xy[first], xy[first + 1])
    return best


def _line(start: Array, end: Array) -> Piece:
    step = end - start
    heading = math.atan2(step[1], step[0])
    return Piece(0.0, float(start[0]), float(start[1]), heading, float(np.hypot(*step)), LINE)


def _straight(xy: Array, first: int, last: int) -> Piece | None:
    piece = _line(xy[first], xy[last])
    if piece.length <= 0:
        return None
    away = xy[first : last + 1] - xy[first]
    across = away[:, 1] * math.cos(piece.heading) - away[:, 0] * math.sin(piece.heading)
    return piece if np.abs(across).max() <= STRAIGHT_M else None


def _curve(xy: Array, along: Array, tangents: Array, first: int, last: int) -> Piece | None:
    """A Hermite cubic between two vertices in the frame of the first; None where it strays."""
    heading = math.atan2(tangents[first, 1], tangents[first, 0])
    cos, sin = math.cos(heading), math.sin(heading)
    turn = np.array([[cos, -sin], [sin, cos]])
    points = (xy[first : last + 1] - xy[first]) @ turn
    length = float(along[last] - along[first])
    one, two = np.array([length, 0.0]), tangents[last] @ turn * length
    end = points[-1]
    c, d = 3 * end - 2 * one - two, one + two - 2 * end
    curve = one * _P[:, None] + c * _P[:, None] ** 2 + d * _P[:, None] ** 3
    line = shapely.LineString(points)
    if shapely.distance(shapely.points(curve), line).max() > TOLERANCE_M:
        return None
    if shapely.distance(shapely.points(points), shapely.LineString(curve)).max() > TOLERANCE_M:
        return None
    numbers = (0.0, length, float(c[0]), float(d[0]), 0.0, 0.0, float(c[1]), float(d[1]))
    piece = Piece(0.0, float(xy[first, 0]), float(xy[first, 1]), heading, 1.0, PARAM_POLY3, numbers)
    return replace(piece, length=Plan((piece,)).curve_length(0))


def _kink_deg(plan: Plan) -> float:
    ends = np.array([piece.s + piece.length for piece in plan.pieces[:-1]])
    if not len(ends):
        return 0.0
    _, before = plan.at(ends - 1e-6)
    after = np.array([piece.heading for piece in plan.pieces[1:]])
    change = np.degrees(np.abs((after - before + np.pi) % (2 * np.pi) - np.pi))
    return float(change.max())


@dataclass(frozen=True)
class Alongside:
    """A line beside a reference line: stations (n,), distances to the left (n,), heights (n,)."""

    s: Array
    t: Array
    z: Array


class Ruler:
    """Finds stations and distances from a reference line."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        count = max(int(plan.end / _STEP_M), 1) + 1
        self._s = np.linspace(0.0, plan.end, count)
        self._tree = _tree(plan.at(self._s)[0])

    def measure(self, xyz: Array) -> Alongside:
        """Stations and distances of vertices (n, 3), in the order of the stations."""
        s = self._s[self._tree.nearest(shapely.points(xyz[:, :2]))]
        t = np.zeros(len(s))
        for _ in range(6):
            xy, heading = self._plan.at(s)
            away = xyz[:, :2] - xy
            ahead = away[:, 0] * np.cos(heading) + away[:, 1] * np.sin(heading)
            t = away[:, 1] * np.cos(heading) - away[:, 0] * np.sin(heading)
            s = np.clip(s + ahead, -_ASIDE_M, self._plan.end + _ASIDE_M)
        order = np.argsort(s, kind="stable")
        return Alongside(s[order], t[order], xyz[order, 2])


def apart(points: Array, line: Array) -> tuple[Array, Array]:
    """Distances on the ground (n,) of points (n, 3) from a line of short steps, and heights over it."""
    vertex = _tree(line[:, :2]).nearest(shapely.points(points[:, :2]))
    best, over = np.full(len(points), np.inf), np.zeros(len(points))
    for first in (np.maximum(vertex - 1, 0), np.minimum(vertex, len(line) - 2)):
        start, step = line[first], line[first + 1] - line[first]
        length2 = np.maximum((step[:, :2] ** 2).sum(axis=1), 1e-18)
        share = ((points[:, :2] - start[:, :2]) * step[:, :2]).sum(axis=1) / length2
        at = start + np.clip(share, 0.0, 1.0)[:, None] * step
        away = np.hypot(points[:, 0] - at[:, 0], points[:, 1] - at[:, 1])
        over = np.where(away < best, points[:, 2] - at[:, 2], over)
        best = np.minimum(best, away)
    return best, over


def _tree(xy: Array) -> shapely.STRtree:
    """Places (n, 2), to find the nearest of."""
    return shapely.STRtree(np.asarray(shapely.points(xy), object))


def densified(xyz: Array) -> Array:
    """The same line with a vertex at least every half metre."""
    steps = np.hypot(*np.diff(xyz[:, :2], axis=0).T)
    at = np.concatenate([[0.0], np.cumsum(steps)])
    count = np.maximum(np.ceil(steps / _STEP_M).astype(int), 1)
    shares = np.concatenate(
        [a + (b - a) * np.arange(n) / n for a, b, n in zip(at[:-1], at[1:], count, strict=True)]
        + [at[-1:]]
    )
    return np.column_stack([np.interp(shares, at, xyz[:, axis]) for axis in range(3)])


def simplified(s: Array, values: Array, tolerance: float) -> Cubics:
    """Straight records between as few of the values as keep the others within a tolerance."""
    keep = np.concatenate([[True], np.diff(s) > 1e-6])
    s, values = s[keep], values[keep]
    if len(s) < 2:
        return Cubics.constant(float(values[0]) if len(values) else 0.0)
    line = shapely.LineString(np.column_stack([s, values])).simplify(tolerance)
    points = shapely.get_coordinates(line)
    return Cubics.through(points[:, 0], points[:, 1])


def heights(s: Array, z: Array) -> Cubics:
    """Heights along a road."""
    return simplified(s, z, _HEIGHT_M)


def widths(s: Array, width: Array) -> Cubics:
    """Widths of a lane."""
    return simplified(s, width, _WIDTH_M)
