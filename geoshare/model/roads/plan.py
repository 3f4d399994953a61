"""The plan view of a road: its reference line as lines, arcs, clothoids and cubic curves.

Every piece starts at a place with a heading and says how the line goes on in its own frame, u along
the heading and v to its left (ASAM OpenDRIVE 1.8, chapter 9).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from scipy.special import fresnel

from geoshare.model.roads.cubics import Array

LINE, ARC, SPIRAL, POLY3, PARAM_POLY3 = range(5)
_CELLS: Final = 32  # of a cubic curve, in each of which five Gauss points are exact to rounding
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(5)
_LONG_NODES, _LONG_WEIGHTS = np.polynomial.legendre.leggauss(40)
_STEEP: Final = 1e6  # a clothoid this many metres from its point of inflection is all but an arc


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece of a reference line.

    ``parameters``: none for a line, (curvature) for an arc, (curvature at start, at end) for a
    clothoid, (a, b, c, d) of v(u) for a cubic, (aU, bU, cU, dU, aV, bV, cV, dV) of a parametric cubic
    whose parameter runs from 0 to ``limit``. Metres, radians, 1/metres.
    """

    s: float
    x: float
    y: float
    heading: float
    length: float
    kind: int
    parameters: tuple[float, ...] = ()
    limit: float = 1.0


@dataclass(frozen=True)
class Plan:
    """Pieces in the order of their stations."""

    pieces: tuple[Piece, ...]

    @cached_property
    def starts(self) -> Array:
        """Stations (n,) at which the pieces start."""
        return np.array([piece.s for piece in self.pieces], np.float64)

    @property
    def end(self) -> float:
        """Station at which the last piece ends."""
        return self.pieces[-1].s + self.pieces[-1].length

    @cached_property
    def _curves(self) -> dict[int, _Curve]:
        return {
            number: _Curve(piece)
            for number, piece in enumerate(self.pieces)
            if piece.kind in (POLY3, PARAM_POLY3)
        }

    def at(self, s: Array) -> tuple[Array, Array]:
        """Places (m, 2) in metres and headings (m,) in radians at stations (m,)."""
        place = np.clip(np.searchsorted(self.starts, s, side="right") - 1, 0, None)
        u, v, turn = np.empty(len(s)), np.empty(len(s)), np.empty(len(s))
        frames = np.empty((len(s), 3))
        for number in np.unique(place).tolist():
            rows, piece = place == number, self.pieces[number]
            frames[rows] = (piece.x, piece.y, piece.heading)
            u[rows], v[rows], turn[rows] = self._local(number, s[rows] - piece.s)
        cos, sin = np.cos(frames[:, 2]), np.sin(frames[:, 2])
        xy = np.column_stack([frames[:, 0] + u * cos - v * sin, frames[:, 1] + u * sin + v * cos])
        return xy, frames[:, 2] + turn

    def _local(self, number: int, ds: Array) -> tuple[Array, Array, Array]:
        piece = self.pieces[number]
        if piece.kind == LINE:
            return ds, np.zeros(len(ds)), np.zeros(len(ds))
        if piece.kind == ARC:
            return arc(ds, piece.parameters[0])
        if piece.kind == SPIRAL:
            start, end = piece.parameters
            return clothoid(ds, start, (end - start) / piece.length)
        return self._curves[number].at(ds)

    def curve_length(self, number: int) -> float:
        """Length in metres of a piece as its geometry has it, whatever its record says."""
        piece = self.pieces[number]
        return self._curves[number].length if number in self._curves else piece.length

    def gaps(self) -> Array:
        """Distances (n - 1,) in metres between the end of each piece and the start of the next."""
        found = []
        for number, (piece, after) in enumerate(zip(self.pieces, self.pieces[1:], strict=False)):
            u, v, _ = (float(value[0]) for value in self._local(number, np.array([piece.length])))
            cos, sin = math.cos(piece.heading), math.sin(piece.heading)
            x, y = piece.x + u * cos - v * sin, piece.y + u * sin + v * cos
            found.append(math.hypot(after.x - x, after.y - y))
        return np.array(found, np.float64)


def arc(ds: Array, curvature: float) -> tuple[Array, Array, Array]:
    """u, v and turn of an arc; by its chord, which stays exact however flat the arc is."""
    half = 0.5 * curvature * ds
    chord = ds * np.sinc(half / np.pi)
    return chord * np.cos(half), chord * np.sin(half), 2.0 * half


def clothoid(ds: Array, curvature: float, rate: float) -> tuple[Array, Array, Array]:
    """u, v and turn of a curve whose curvature is ``curvature + rate ds``.

    By Fresnel integrals about the clothoid's point of inflection (Abramowitz and Stegun 7.3), scaled
    by sqrt(pi / |rate|); where that point is very far, by Gauss-Legendre quadrature instead.
    """
    turn = ds * (curvature + 0.5 * rate * ds)
    if abs(curvature) >= _STEEP * abs(rate):
        along = 0.5 * ds[:, None] * (_LONG_NODES + 1.0)
        angle = along * (curvature + 0.5 * rate * along)
        weight = 0.5 * ds[:, None] * _LONG_WEIGHTS
        return (np.cos(angle) * weight).sum(axis=1), (np.sin(angle) * weight).sum(axis=1), turn
    scale, sign = math.sqrt(math.pi / abs(rate)), math.copysign(1.0, rate)
    first = curvature / rate
    sines, cosines = fresnel((first + np.append(ds, 0.0)) / scale)
    across, along = sign * scale * (sines[:-1] - sines[-1]), scale * (cosines[:-1] - cosines[-1])
    start = -0.5 * curvature * first  # heading at ds = 0 is 0, at the inflection it is this
    cos, sin = math.cos(start), math.sin(start)
    return along * cos - across * sin, along * sin + across * cos, turn


class _Curve:
    """A cubic or parametric cubic by its arc length, which has to be found numerically.

    Stations are spread over the curve so that the record's length ends where the curve ends, also
    where the two lengths differ a little.
    """

    def __init__(self, piece: Piece) -> None:
        numbers = piece.parameters
        if piece.kind == POLY3:
            self._u, self._v = np.array([0.0, 1.0, 0.0, 0.0]), np.array(numbers)
            limit = _reach(self._v, piece.length)
        else:
            self._u, self._v, limit = np.array(numbers[:4]), np.array(numbers[4:]), piece.limit
        self._edges = np.linspace(0.0, limit, _CELLS + 1)
        self._arc = np.concatenate([[0.0], np.cumsum(self._between(self._edges[:-1], self._edges[1:]))])
        self._ratio = self.length / piece.length

    @property
    def length(self) -> float:
        return float(self._arc[-1])

    def at(self, ds: Array) -> tuple[Array, Array, Array]:
        p = self._parameter(ds * self._ratio)
        slope_u, slope_v = self._slopes(p)
        return _value(self._u, p), _value(self._v, p), np.arctan2(slope_v, slope_u)

    def _parameter(self, along: Array) -> Array:
        cell = np.clip(np.searchsorted(self._arc, along, side="right") - 1, 0, _CELLS - 1)
        p: Array = np.interp(along, self._arc, self._edges)
        start, base = self._edges[cell], self._arc[cell]
        for _ in range(4):
            speed = np.hypot(*self._slopes(p))
            missing = along - base - self._between(start, p)
            p = p + np.divide(missing, speed, out=np.zeros_like(p), where=speed > 1e-12)
        return p

    def _slopes(self, p: Array) -> tuple[Array, Array]:
        return _slope(self._u, p), _slope(self._v, p)

    def _between(self, start: Array, end: Array) -> Array:
        """Arc lengths (m,) between parameters (m,) and (m,)."""
        half = 0.5 * (end - start)
        p = start[:, None] + half[:, None] * (_NODES + 1.0)
        total: Array = (np.hypot(*self._slopes(p)) * _WEIGHTS).sum(axis=1) * half
        return total


def _value(c: Array, p: Array) -> Array:
    value: Array = c[0] + p * (c[1] + p * (c[2] + p * c[3]))
    return value


def _slope(c: Array, p: Array) -> Array:
    slope: Array = c[1] + p * (2.0 * c[2] + 3.0 * c[3] * p)
    return slope


def _reach(v: Array, length: float) -> float:
    """The u at which the cubic v(u) has run a length: it is longer than its u is wide."""
    edges = np.linspace(0.0, length, 8 * _CELLS + 1)
    half = 0.5 * np.diff(edges)
    p = edges[:-1, None] + half[:, None] * (_NODES + 1.0)
    arcs = np.cumsum((np.hypot(1.0, _slope(v, p)) * _WEIGHTS).sum(axis=1) * half)
    u = float(np.interp(length, np.concatenate([[0.0], arcs]), edges))
    for _ in range(4):
        cell = min(int(np.searchsorted(edges, u, side="right")) - 1, len(half) - 1)
        base = float(arcs[cell - 1]) if cell else 0.0
        span = 0.5 * (u - edges[cell])
        p = edges[cell] + span * (_NODES + 1.0)
        run = base + float((np.hypot(1.0, _slope(v, p)) * _WEIGHTS).sum() * span)
        u += (length - run) / math.hypot(1.0, float(_slope(v, np.array(u))))
    return u


def plan_of(pieces: Sequence[Piece]) -> Plan:
    """A plan of pieces in any order."""
    return Plan(tuple(sorted(pieces, key=lambda piece: piece.s)))
