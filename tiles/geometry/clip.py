"""Clipping lines and rings to a square box.

Lines are cut segment by segment (Liang and Barsky, 1984), which leaves the runs that lie within.
Rings are cut by one side after the other (Sutherland and Hodgman, 1974), which leaves one ring that
covers exactly what the ring covered within the box; where a concave ring is cut into several
pieces, they hang together along the side of the box (see ``repair``).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(nogil=True, cache=True)
def _within(start: float, step: float, low: float, high: float, t0: float, t1: float) -> Any:
    """The part of ``t0..t1`` in which ``start + t * step`` is within ``low..high``."""
    if step == 0.0:
        if start < low or start > high:
            return 1.0, 0.0
        return t0, t1
    enters, leaves = (low - start) / step, (high - start) / step
    if enters > leaves:
        enters, leaves = leaves, enters
    return max(t0, enters), min(t1, leaves)


@njit(nogil=True, cache=True)
def _at(start: float, end: float, t: float, low: float, high: float) -> float:
    """The coordinate at ``t``, exact at both ends and never outside the box."""
    if t <= 0.0:
        return start
    if t >= 1.0:
        return end
    return min(max(start + t * (end - start), low), high)


@njit(nogil=True, cache=True)
def clip_line(
    path: NDArray[np.float64],
    n: int,
    low: float,
    high: float,
    out: NDArray[np.float64],
    run_ends: NDArray[np.int64],
) -> int:
    """Cut the line ``path[:n]`` into its runs within the box.

    Parameters
    ----------
    path
        (>= n, 2).
    low, high
        Bounds of x and of y, both belonging to the box.
    out
        (>= 2 n, 2) gets the vertices of all runs, one after the other.
    run_ends
        (>= n,) gets the end of each run in ``out``.

    Returns
    -------
    The number of runs.
    """
    runs, used, is_open = 0, 0, False
    for i in range(n - 1):
        x0, y0, x1, y1 = path[i, 0], path[i, 1], path[i + 1, 0], path[i + 1, 1]
        t0, t1 = _within(x0, x1 - x0, low, high, 0.0, 1.0)
        t0, t1 = _within(y0, y1 - y0, low, high, t0, t1)
        if t0 > t1:
            is_open = False
            continue
        if not (is_open and t0 <= 0.0):
            out[used, 0] = _at(x0, x1, t0, low, high)
            out[used, 1] = _at(y0, y1, t0, low, high)
            used += 1
            runs += 1
        out[used, 0] = _at(x0, x1, t1, low, high)
        out[used, 1] = _at(y0, y1, t1, low, high)
        used += 1
        run_ends[runs - 1] = used
        is_open = t1 >= 1.0
    return runs


@njit(nogil=True, cache=True)
def _clip_side(
    path: NDArray[np.float64], n: int, axis: int, bound: float, sign: float, out: NDArray[np.float64]
) -> int:
    """Keep what has ``sign * coordinate >= sign * bound`` of the ring ``path[:n]``."""
    if n == 0:
        return 0
    other, used = 1 - axis, 0
    before, before_other = path[n - 1, axis], path[n - 1, other]
    before_kept = sign * before >= sign * bound
    for i in range(n):
        here, here_other = path[i, axis], path[i, other]
        kept = sign * here >= sign * bound
        if kept != before_kept:
            # always from the kept end, so that an edge shared by two rings is cut alike in both
            if kept:
                t = (bound - here) / (before - here)
                cut = here_other + t * (before_other - here_other)
            else:
                t = (bound - before) / (here - before)
                cut = before_other + t * (here_other - before_other)
            out[used, axis] = bound
            out[used, other] = cut
            used += 1
        if kept:
            out[used, axis] = here
            out[used, other] = here_other
            used += 1
        before, before_other, before_kept = here, here_other, kept
    return used


@njit(nogil=True, cache=True)
def clip_ring(
    path: NDArray[np.float64], n: int, low: float, high: float, spare: NDArray[np.float64]
) -> int:
    """Cut the open ring ``path[:n]`` to the box, in place.

    Parameters
    ----------
    path, spare
        (>= 5.07 n + 9, 2) each: a side leaves at most half as many vertices again, and one. The
        last vertex of the ring is joined to its first.
    low, high
        Bounds of x and of y, both belonging to the box.

    Returns
    -------
    The number of vertices left, 0 when there is nothing in the box.
    """
    n = _clip_side(path, n, 0, low, 1.0, spare)
    n = _clip_side(spare, n, 1, low, 1.0, path)
    n = _clip_side(path, n, 0, high, -1.0, spare)
    return _clip_side(spare, n, 1, high, -1.0, path)
