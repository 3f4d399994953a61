"""Leaving out vertices that move a line by less than a tolerance (Douglas and Peucker, 1973).

The method looks at n log n vertices of usual lines but at n squared of hostile ones (spirals), so
its work is bounded: where the bound is reached, the vertices not yet decided on stay.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

WORK_PER_VERTEX = 100


@njit(nogil=True, cache=True)
def _farthest_from(xy: NDArray[np.int32], first: int, last: int) -> Any:
    """Like ``_farthest`` where both ends are one position."""
    where, most = first, -1.0
    for i in range(first + 1, last):
        px, py = float(xy[i, 0] - xy[first, 0]), float(xy[i, 1] - xy[first, 1])
        if px * px + py * py > most:
            where, most = i, px * px + py * py
    return where, most


@njit(nogil=True, cache=True, inline="always")
def _farthest(xy: NDArray[np.int32], first: int, last: int) -> Any:
    """The vertex between ``first`` and ``last`` farthest from the segment that joins them.

    Returns
    -------
    (its index, its squared distance).
    """
    x0, y0 = float(xy[first, 0]), float(xy[first, 1])
    dx, dy = xy[last, 0] - x0, xy[last, 1] - y0
    length2 = dx * dx + dy * dy
    where, most = first, -1.0  # distances are squared, and times length2 so that nothing is divided
    for i in range(first + 1, last):
        px, py = xy[i, 0] - x0, xy[i, 1] - y0
        along = px * dx + py * dy
        if along <= 0.0:
            distance2 = (px * px + py * py) * length2
        elif along >= length2:
            distance2 = ((px - dx) ** 2 + (py - dy) ** 2) * length2
        else:
            distance2 = (px * dy - py * dx) ** 2
        if distance2 > most:
            where, most = i, distance2
    if length2 > 0.0:
        return where, most / length2
    return _farthest_from(xy, first, last)


@njit(nogil=True, cache=True)
def _mark(
    xy: NDArray[np.int32],
    first: int,
    last: int,
    tolerance: float,
    keep: NDArray[np.uint8],
    stack: NDArray[np.int64],
) -> None:
    """Mark in ``keep[first:last + 1]`` what stays of the line from ``first`` to ``last``."""
    keep[first] = 1
    keep[last] = 1
    depth, work = 1, WORK_PER_VERTEX * (last - first)
    stack[0, 0] = first
    stack[0, 1] = last
    while depth > 0:
        depth -= 1
        low, high = stack[depth, 0], stack[depth, 1]
        if high - low < 2:
            continue
        work -= high - low
        if work < 0:
            keep[low:high] = 1
            continue
        where, distance2 = _farthest(xy, low, high)
        if distance2 > tolerance * tolerance:
            keep[where] = 1
            stack[depth, 0] = low
            stack[depth, 1] = where
            stack[depth + 1, 0] = where
            stack[depth + 1, 1] = high
            depth += 2


@njit(nogil=True, cache=True)
def _compact(xy: NDArray[np.int32], first: int, last: int, keep: NDArray[np.uint8]) -> int:
    end = first
    for i in range(first, last):
        if keep[i] != 0:
            xy[end, 0] = xy[i, 0]
            xy[end, 1] = xy[i, 1]
            end += 1
    return end


@njit(nogil=True, cache=True)
def simplify_line(
    xy: NDArray[np.int32],
    first: int,
    last: int,
    tolerance: float,
    keep: NDArray[np.uint8],
    stack: NDArray[np.int64],
) -> int:
    """Simplify the line ``xy[first:last]`` in place; both its ends stay.

    Parameters
    ----------
    xy
        (>= last, 2).
    tolerance
        No vertex left out is farther than this from the line that remains.
    keep, stack
        (> last,) and (> last - first, 2) arrays to work in.

    Returns
    -------
    The end of the simplified line in ``xy``.
    """
    if last - first < 3:
        return last
    keep[first:last] = 0
    _mark(xy, first, last - 1, tolerance, keep, stack)
    return _compact(xy, first, last, keep)


@njit(nogil=True, cache=True)
def simplify_ring(
    xy: NDArray[np.int32],
    first: int,
    last: int,
    tolerance: float,
    rim: tuple[float, float],
    keep: NDArray[np.uint8],
    stack: NDArray[np.int64],
) -> int:
    """Simplify the open ring ``xy[first:last]`` in place, as lines between vertices that stay.

    These are the first, the one farthest from it, and all on the rim of the box, where pieces of a
    cut ring hang together by edges that must go on lying on each other. ``rim`` is the lowest and
    the highest x and y. ``xy`` needs room for one more vertex; else as ``simplify_line``.
    """
    if last - first < 4:
        return last
    xy[last, 0] = xy[first, 0]
    xy[last, 1] = xy[first, 1]
    far, _ = _farthest(xy, first, last)
    for i in range(first, last + 1):
        x, y = xy[i, 0], xy[i, 1]
        on_rim = x <= rim[0] or x >= rim[1] or y <= rim[0] or y >= rim[1]
        keep[i] = on_rim or i in (far, last)
    start = first
    for i in range(first + 1, last + 1):
        if keep[i] != 0:
            _mark(xy, start, i, tolerance, keep, stack)
            start = i
    return _compact(xy, first, last, keep)
