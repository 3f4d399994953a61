"""Reference lines for roads whose lanes end askew.

OpenDRIVE cuts a road at right angles to its reference line. Lanes of other maps end along a line that
is often askew to them, in crossings by 60 degrees. The reference line is free, since lane 0 may lie
beside it (``laneOffset``): one that runs in the middle, and bends near its ends until it meets the cut
at right angles, gives all lines of the road their ends. The roads before and after share the cut, so
their reference lines meet there without a kink.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import product
from typing import Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
_SHARES: Final = (0.5, 0.25, 0.8)  # of the road, along which it bends at an end
_REACHES: Final = (0.3, 0.9)
_BESIDE: Final = (0.5, 0.25, 0.75, 0.0, 1.0)  # how near to the right
_STEP_M: Final = 0.25
_STEEPEST: Final = math.radians(65.0)
_WIDE_M: Final = 0.5  # of a cut that has a direction


def references(left: Array, right: Array) -> Iterator[Array]:
    """Lines (n, 3) to try, for a road between two lines (k, 3) of metres that run as traffic does."""
    length = 0.5 * (_along(left)[-1] + _along(right)[-1])
    shares = np.linspace(0.0, 1.0, max(int(length / _STEP_M), 8) + 1)
    middle = 0.5 * (_at(left, shares) + _at(right, shares))
    yield middle
    for share in _SHARES:
        yield _bent(middle, right[0] - left[0], right[-1] - left[-1], share, share)


def more_references(left: Array, right: Array) -> Iterator[Array]:
    """More lines to try where those of :func:`references` are not good.

    They lie nearer to one side, and bend along more of the road at one end than at the other.
    """
    shares = np.linspace(0.0, 1.0, max(int(_along(left)[-1] / _STEP_M), 8) + 1)
    one, two = _at(left, shares), _at(right, shares)
    for weight in _BESIDE:
        between = (1.0 - weight) * one + weight * two
        for start, end in product(_REACHES, repeat=2):
            yield _bent(between, right[0] - left[0], right[-1] - left[-1], start, end)


def _bent(middle: Array, start: Array, end: Array, share: float, share_end: float) -> Array:
    """The middle, moved sideways by cubics that turn its ends to meet the two cuts at right angles."""
    along = _along(middle)
    ahead = np.gradient(middle[:, :2], axis=0)
    ahead /= np.maximum(np.hypot(ahead[:, 0], ahead[:, 1]), 1e-9)[:, None]
    first, last = middle[1] - middle[0], middle[-1] - middle[-2]
    aside = _slope(first[:2], start[:2]) * _swing(along, share * along[-1])
    aside -= _slope(last[:2], end[:2]) * _swing(along[-1] - along, share_end * along[-1])
    out = middle.copy()
    out[:, 0] -= aside * ahead[:, 1]
    out[:, 1] += aside * ahead[:, 0]
    return out


def _swing(along: Array, reach: float) -> Array:
    """A cubic of slope one at the beginning, which is nothing there and from ``reach`` on."""
    share = np.clip(along / max(reach, 1e-9), 0.0, 1.0)
    return along * (1.0 - share) ** 2


def _slope(direction: Array, cut: Array) -> float:
    """By how much a line turns to the left to cross a cut (from left to right) at right angles."""
    if np.hypot(*cut) < _WIDE_M:
        return 0.0
    wanted = math.atan2(cut[0], -cut[1])  # the cut, turned to the left by a right angle
    turn = (wanted - math.atan2(direction[1], direction[0]) + math.pi) % (2 * math.pi) - math.pi
    return math.tan(float(np.clip(turn, -_STEEPEST, _STEEPEST)))


def _along(line: Array) -> Array:
    steps = np.hypot(*np.diff(line[:, :2], axis=0).T)
    return np.concatenate([[0.0], np.cumsum(steps)])


def _at(line: Array, shares: Array) -> Array:
    along = _along(line)
    at = shares * along[-1]
    return np.column_stack([np.interp(at, along, line[:, axis]) for axis in range(3)])
