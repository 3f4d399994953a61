"""Buildings of an area, counted by class of a hazard and by storeys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from geoshare.derive.figures import LEAST, STEP, counted, guard, unknown
from geoshare.derive.plane import areal, to_plane
from geoshare.derive.reading import Found
from geoshare.derive.weighing import places_in, worst_touched

COLUMNS: Final = ("storeys",)
STOREYS: Final = ("1", "2", "3+", "unknown")
Shapes = NDArray[np.object_]


@dataclass(frozen=True, slots=True)
class Buildings:
    """Counts by class and in total; storeys where they may be told."""

    classes: list[dict[str, Any]]
    total: dict[str, Any]
    storeys: list[dict[str, int]] | None = None
    storeys_total: dict[str, int] | None = None


def nothing_known(classes: int) -> Buildings:
    """Buildings that the caller does not see."""
    return Buildings([unknown() for _ in range(classes)], unknown())


def buildings(found: Found, target: BaseGeometry, zones: list[Shapes]) -> Buildings:
    """Count buildings by the worst class that their footprint touches.

    ``target`` and ``zones`` (worst first) lie on the plane. A building lies in the area if a point of
    its surface does, so that parts of an area add up to it.
    """
    rows, kinds = _placed(found, target, zones)
    classes = len(zones) + 1
    storeys = [dict.fromkeys(STOREYS, 0) for _ in range(classes)]
    for row, kind in zip(rows, kinds, strict=True):
        storeys[kind][_storeys(row.get("storeys"))] += 1
    counts = np.bincount(kinds, minlength=classes)
    total = {name: sum(found[name] for found in storeys) for name in STOREYS}
    return Buildings([counted(int(number)) for number in counts], counted(len(rows)), storeys, total)


def buildings_by_square(found: Found, squares: list[BaseGeometry], zones: list[Shapes]) -> Buildings:
    """Count buildings of squares of a fixed grid, telling nothing of fewer than ten.

    By class they are told in tens of each square: of two scenarios whose zones lie in one another the
    counts would otherwise differ by the few houses between their edges.
    """
    classes = len(zones) + 1
    footprints = areal(to_plane(found.shapes))
    footprints = footprints[~shapely.is_empty(footprints)]
    counts = np.zeros((len(squares), classes))
    house, square = shapely.STRtree(squares).query(
        shapely.point_on_surface(footprints), predicate="intersects"
    )
    house, first = np.unique(house, return_index=True)  # on an edge: of one square alone
    np.add.at(counts, (square[first], worst_touched(footprints[house], zones)), 1)
    totals, few, mixed = guard(counts)
    told = np.where((few | mixed)[:, None], 0.0, counts // STEP * STEP)
    partly = bool((told < counts).any())
    return Buildings(
        [_at_least(number, partly=partly) for number in told.sum(axis=0)],
        _at_least(totals.sum(), partly=bool(few.any())),
    )


def _placed(
    found: Found, target: BaseGeometry, zones: list[Shapes]
) -> tuple[list[dict[str, Any]], NDArray[np.int64]]:
    footprints = areal(to_plane(found.shapes))
    flat = ~shapely.is_empty(footprints)
    inside = np.zeros(len(footprints), dtype=bool)
    inside[flat] = places_in(footprints[flat], target)
    return found.only(inside).rows, worst_touched(footprints[inside], zones)


def _at_least(number: float, *, partly: bool) -> dict[str, Any]:
    if not partly:
        return counted(int(number))
    if number < LEAST:
        return {"value": None, "state": "suppressed"}
    return {"value": int(number), "state": "at_least"}


def _storeys(number: Any) -> str:
    if number is None or number < 1:
        return "unknown"
    return "3+" if number >= 3 else str(int(number))
