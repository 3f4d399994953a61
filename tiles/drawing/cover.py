"""How much of each pixel shapes cover: exact areas, summed along rows.

The method is that of font-rs (R. Levien, "Inside the fastest font renderer in the world", 2016): each
edge adds to a pixel the change of coverage against the pixel to its left, so that one running sum along
a row gives the share of every pixel that lies inside. Pieces that share an edge add up to one without a
seam; where pieces overlap the sum is cut at one.

Positions are pixels of a canvas, x to the right and y downwards, 0, 0 its upper left corner. A cover is
(height, width + 2) float32 of such changes, ``span`` the first row touched and the one after the last.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

Doubles = NDArray[np.float64]
Floats = NDArray[np.float32]
Numbers = NDArray[np.int64]

BUTT, ROUND_CAP, SQUARE = 0, 1, 2
_NEAR_PX = 0.2  # of two vertices no further apart one is left out
_MARGIN_PX = 2.0


@njit(nogil=True, cache=True)
def _inside(cover: Floats, y: int, x0: float, x1: float, change: float) -> None:
    """Add one row's piece of an edge, from left to right, all of it on the canvas."""
    first = math.floor(x0)
    last = math.ceil(x1)
    if last <= first + 1:
        right = 0.5 * (x0 + x1) - first
        cover[y, first] += change * (1.0 - right)
        cover[y, first + 1] += change * right
        return
    slope = 1.0 / (x1 - x0)
    begin = first + 1 - x0
    before = 0.5 * slope * begin * begin  # share of a pixel that lies right of the edge
    cover[y, first] += change * before
    for x in range(first + 1, last - 1):
        share = slope * (x + 0.5 - x0)
        cover[y, x] += change * (share - before)
        before = share
    end = x1 - (last - 1)
    share = 1.0 - 0.5 * slope * end * end
    cover[y, last - 1] += change * (share - before)
    cover[y, last] += change * (1.0 - share)


@njit(nogil=True, cache=True)
def _piece(cover: Floats, y: int, x0: float, x1: float, change: float) -> None:
    """Add one row's piece of an edge; what lies left or right of the canvas counts at its side."""
    width = cover.shape[1] - 2
    if x0 > x1:
        x0, x1 = x1, x0
    if x1 <= 0.0:
        cover[y, 0] += change
        return
    if x0 >= width:
        return
    whole = x1 - x0
    if x0 < 0.0:
        share = -x0 / whole
        cover[y, 0] += change * share
        change -= change * share
        whole, x0 = x1, 0.0
    if x1 > width:
        change *= (width - x0) / whole
        x1 = float(width)
    _inside(cover, y, x0, x1, change)


@njit(nogil=True, cache=True)
def _edge(
    cover: Floats, span: Numbers, x0: float, y0: float, x1: float, y1: float, sign: float
) -> None:
    """Add one edge of a shape."""
    if y0 == y1:
        return
    if y0 > y1:
        x0, y0, x1, y1 = x1, y1, x0, y0
        sign = -sign
    height = cover.shape[0]
    if y1 <= 0.0 or y0 >= height:
        return
    lean = (x1 - x0) / (y1 - y0)
    x = x0
    if y0 < 0.0:
        x -= y0 * lean
        y0 = 0.0
    first = int(y0)
    last = min(height, math.ceil(y1))
    span[0] = min(span[0], first)
    span[1] = max(span[1], last)
    for y in range(first, last):
        down = min(float(y + 1), y1) - max(float(y), y0)
        following = x + lean * down
        _piece(cover, y, x, following, sign * down)
        x = following


@njit(nogil=True, cache=True)
def add_areas(
    cover: Floats, span: Numbers, xy: Doubles, starts: Numbers, outer: NDArray[np.uint8]
) -> None:
    """Add rings: those that ``outer`` marks are filled, whichever way round, the others are holes.

    ``starts`` (r + 1,) are the rings' vertices in ``xy`` (v, 2); a ring needs not repeat its first.
    """
    for ring in range(len(starts) - 1):
        first, end = starts[ring], starts[ring + 1]
        twice = 0.0
        low, high = np.inf, -np.inf
        for i in range(first, end):
            k = i + 1 if i + 1 < end else first
            twice += (xy[i, 0] - xy[first, 0]) * (xy[k, 1] - xy[first, 1])
            twice -= (xy[k, 0] - xy[first, 0]) * (xy[i, 1] - xy[first, 1])
            low, high = min(low, xy[i, 1]), max(high, xy[i, 1])
        if not (high > 0.0 and low < cover.shape[0]):
            continue
        sign = 1.0 if (twice < 0.0) == (outer[ring] != 0) else -1.0
        for i in range(first, end):
            k = i + 1 if i + 1 < end else first
            _edge(cover, span, xy[i, 0], xy[i, 1], xy[k, 0], xy[k, 1], sign)


@njit(nogil=True, cache=True)
def _fan(
    cover: Floats, span: Numbers, x: float, y: float, radius: float, begin: float, turn: float
) -> None:
    """Add a slice of a disc: from an angle on, turned by another (negative: to the left)."""
    steps = max(1, math.ceil(abs(turn) * math.sqrt(radius + 0.5) * 1.3))
    ax, ay = x + radius * math.cos(begin), y + radius * math.sin(begin)
    _edge(cover, span, x, y, ax, ay, 1.0)
    for step in range(1, steps + 1):
        angle = begin + turn * step / steps
        bx, by = x + radius * math.cos(angle), y + radius * math.sin(angle)
        _edge(cover, span, ax, ay, bx, by, 1.0)
        ax, ay = bx, by
    _edge(cover, span, ax, ay, x, y, 1.0)


@njit(nogil=True, cache=True)
def _quad(
    cover: Floats, span: Numbers, ax: float, ay: float, bx: float, by: float, nx: float, ny: float
) -> None:
    """Add a straight piece of a line; n leads from its middle to its right side."""
    _edge(cover, span, ax + nx, ay + ny, bx + nx, by + ny, 1.0)
    _edge(cover, span, bx + nx, by + ny, bx - nx, by - ny, 1.0)
    _edge(cover, span, bx - nx, by - ny, ax - nx, ay - ny, 1.0)
    _edge(cover, span, ax - nx, ay - ny, ax + nx, ay + ny, 1.0)


@njit(nogil=True, cache=True)
def _join(
    cover: Floats, span: Numbers, x: float, y: float, half: float, before: float, after: float
) -> None:
    """Round off the outer side of a bend, between the directions (radians) of two pieces."""
    turn = after - before
    if turn > math.pi:
        turn -= 2 * math.pi
    elif turn < -math.pi:
        turn += 2 * math.pi
    if abs(turn) * half < 0.05:
        return
    if turn > 0.0:  # to the right: the left side is the outer one
        _fan(cover, span, x, y, half, after - math.pi / 2, -turn)
    else:
        _fan(cover, span, x, y, half, before + math.pi / 2, turn)


@njit(nogil=True, cache=True)
def _cap(
    cover: Floats, span: Numbers, x: float, y: float, half: float, outward: float, cap: int
) -> None:
    """Finish an end that points in a direction."""
    if cap == ROUND_CAP:
        _fan(cover, span, x, y, half, outward + math.pi / 2, -math.pi)
    elif cap == SQUARE:
        dx, dy = math.cos(outward) * half, math.sin(outward) * half
        _quad(cover, span, x, y, x + dx, y + dy, -dy, dx)


@njit(nogil=True, cache=True)
def _near(
    cover: Floats, ax: float, ay: float, bx: float, by: float, reach: float
) -> tuple[float, float]:
    """The part of a piece, as shares of its length, that can touch the canvas; 1, 0 where none can."""
    low, high = 0.0, 1.0
    width, height = cover.shape[1] - 2, cover.shape[0]
    for axis in range(2):
        start = ax if axis == 0 else ay
        move = (bx - ax) if axis == 0 else (by - ay)
        most = (width if axis == 0 else height) + reach
        if move == 0.0:
            if start < -reach or start > most:
                return 1.0, 0.0
            continue
        one, other = (-reach - start) / move, (most - start) / move
        low = max(low, min(one, other))
        high = min(high, max(one, other))
    return low, high


@njit(nogil=True, cache=True)
def add_lines(
    cover: Floats,
    span: Numbers,
    xy: Doubles,
    starts: Numbers,
    width: float,
    dash: Doubles,
    cap: int,
) -> None:
    """Add lines of a width, with round joins.

    Parameters
    ----------
    cover, span
        Where to add.
    xy, starts
        Vertices (v, 2), and each line's first one in them (n + 1,).
    width
        Pixels.
    dash
        Lengths of strokes and gaps in turns, pixels, an even number of them; (0,) for none. They are
        counted from the beginning of a line, wherever the canvas lies.
    cap
        How ends look: BUTT, ROUND_CAP or SQUARE.
    """
    for line in range(len(starts) - 1):
        if starts[line + 1] - starts[line] > 1:
            _add_line(cover, span, xy[starts[line] : starts[line + 1]], width / 2, dash, cap)


@njit(nogil=True, cache=True)
def _add_line(cover: Floats, span: Numbers, xy: Doubles, half: float, dash: Doubles, cap: int) -> None:
    """Add one line of half a width to each side."""
    period = dash.sum()
    end = len(xy)
    is_ring = end > 3 and xy[0, 0] == xy[end - 1, 0] and xy[0, 1] == xy[end - 1, 1]
    ax, ay = xy[0, 0], xy[0, 1]
    heading, begun, along, ring_heading = 0.0, False, 0.0, 0.0
    for i in range(1, end):
        bx, by = xy[i, 0], xy[i, 1]
        length = math.hypot(bx - ax, by - ay)
        if not length < np.inf:
            ax, ay, begun = bx, by, False
            continue
        if length < _NEAR_PX and (i < end - 1 or length == 0.0):
            continue
        angle = math.atan2(by - ay, bx - ax)
        low, high = _near(cover, ax, ay, bx, by, half + _MARGIN_PX)
        if low <= high:
            if period > 0.0:
                course = (length, along, angle)
                _dashes(cover, span, (ax, ay), course, half, dash, cap, (low, high))
            else:
                dx, dy = math.cos(angle) * half, math.sin(angle) * half
                _quad(cover, span, ax, ay, bx, by, -dy, dx)
            if not begun and not is_ring and period == 0.0:
                _cap(cover, span, ax, ay, half, angle + math.pi, cap)
            elif begun and (period == 0.0 or _is_on(along, dash, period)):
                _join(cover, span, ax, ay, half, heading, angle)
        if not begun:
            ring_heading = angle
        begun, heading = True, angle
        along += length
        ax, ay = bx, by
    if begun and period == 0.0:
        if is_ring:
            _join(cover, span, ax, ay, half, heading, ring_heading)
        else:
            _cap(cover, span, ax, ay, half, heading, cap)


@njit(nogil=True, cache=True)
def _is_on(along: float, dash: Doubles, period: float) -> bool:
    """Whether a stroke and no gap is at a distance from the beginning."""
    rest = along % period
    for k in range(len(dash)):
        if rest < dash[k]:
            return k % 2 == 0
        rest -= dash[k]
    return False


@njit(nogil=True, cache=True)
def _dashes(
    cover: Floats,
    span: Numbers,
    begin: tuple[float, float],
    course: tuple[float, float, float],
    half: float,
    dash: Doubles,
    cap: int,
    shares: tuple[float, float],
) -> None:
    """Add the strokes of one piece of a line, of the part between two shares of its length."""
    ax, ay = begin
    low, high = shares
    length, along, angle = course
    ux, uy = math.cos(angle), math.sin(angle)
    period = dash.sum()
    at = max(0.0, low * length - period)
    stop = min(length, high * length + period)
    rest = (along + at) % period
    k = 0
    while rest >= dash[k]:
        rest -= dash[k]
        k = (k + 1) % len(dash)
    while at < stop:
        until = min(at + dash[k] - rest, length)
        if k % 2 == 0 and until > at:
            x0, y0, x1, y1 = ax + ux * at, ay + uy * at, ax + ux * until, ay + uy * until
            _quad(cover, span, x0, y0, x1, y1, -uy * half, ux * half)
            if rest == 0.0:
                _cap(cover, span, x0, y0, half, angle + math.pi, cap)
            if until < length:
                _cap(cover, span, x1, y1, half, angle, cap)
        at, rest, k = until, 0.0, (k + 1) % len(dash)
