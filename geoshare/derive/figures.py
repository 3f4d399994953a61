"""Figures as they are told: rounded, and never more certain than what they rest on."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from geoshare.derive.weighing import Weighed

LEAST: Final = 10  # people or buildings; fewer are told as "fewer than ten"
STEP: Final = 10
_WHOLE: Final = 0.999  # of a region; what is missing beyond is slivers between shapes
_NONE: Final = 1e-6  # people; fewer are none, and come of slivers
_SLACK: Final = 0.01  # of a sum of parts that should be whole
Floats = NDArray[np.float64]


def estimated(total: float, known_m2: float, withheld_m2: float, area_m2: float) -> dict[str, Any]:
    """An estimate with its state.

    ``estimated``: rests on figures for all of the area, rounded to tens. ``below``: the same, fewer
    than ten. ``at_least``: part of the area has no figure or a withheld one; rounded down to tens.
    ``suppressed``: nothing but withheld figures. ``unknown``: no figures.
    """
    if area_m2 <= 1.0:
        return _figure(0, "estimated")
    complete = known_m2 >= area_m2 * _WHOLE
    if complete:
        if total < _NONE:
            return _figure(0, "estimated")
        return _figure(None, "below") if total < LEAST else _figure(_tens(total), "estimated")
    if known_m2 > 1.0 and total >= LEAST:
        return _figure(int((total + _SLACK) // STEP * STEP), "at_least")
    return _figure(None, "suppressed" if withheld_m2 > 1.0 else "unknown")


def counted(number: int) -> dict[str, Any]:
    """A count of what the caller may look at one by one."""
    return _figure(number, "counted")


def unknown() -> dict[str, Any]:
    """Nothing is known, which is not zero."""
    return _figure(None, "unknown")


def guard(sums: Floats) -> tuple[Floats, NDArray[np.bool_], NDArray[np.bool_]]:
    """What may be told of squares of a fixed grid, so that no sum of answers tells of few.

    Parameters
    ----------
    sums
        (m, c) figures of m squares by class.

    Returns
    -------
    The totals of the squares, (m,), zero where withheld; which squares are withheld, (m,): those with
    a total of more than nothing and fewer than ten; and which of the others are told in total alone,
    (m,): those where a class has more than nothing and fewer than ten.
    """
    totals = sums.sum(axis=1)
    few = (totals >= _NONE) & (totals < LEAST)
    mixed = ((sums >= _NONE) & (sums < LEAST)).any(axis=1) & ~few
    return np.where(few, 0.0, totals), few, mixed


def guarded(weighed: Weighed, squares: int, classes: int) -> tuple[Weighed, Weighed]:
    """Figures by class, and in total, of regions (squares x classes) after :func:`guard`."""
    shape = squares, classes
    sums, known = weighed.sums.reshape(shape), weighed.known_m2.reshape(shape)
    withheld, area = weighed.withheld_m2.reshape(shape), weighed.area_m2.reshape(shape)
    totals, few, mixed = guard(sums)
    hidden = (few | mixed)[:, None]
    by_class = Weighed(
        np.where(hidden, 0.0, sums).sum(axis=0),
        np.where(hidden, 0.0, known).sum(axis=0),
        np.where(hidden, area, withheld).sum(axis=0),
        area.sum(axis=0),
    )
    in_total = Weighed(
        np.array([totals.sum()]),
        np.array([known[~few].sum()]),
        np.array([withheld[~few].sum() + area[few].sum()]),
        np.array([area.sum()]),
    )
    return by_class, in_total


def _tens(number: float) -> int:
    return int((number + STEP / 2) // STEP * STEP)


def _figure(value: int | None, state: str) -> dict[str, Any]:
    return {"value": value, "state": state}
