"""People and households of regions, from statistics by mesh or administrative area."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from geoshare.derive.figures import estimated, guarded, unknown
from geoshare.derive.plane import areal, to_plane
from geoshare.derive.reading import Found
from geoshare.derive.weighing import Overlay, Weighed, overlay, weigh
from geoshare.model.mesh import south_west

COLUMNS: Final = ("mesh_code", "mesh_size_m", "area_code", "indicator", "year", "value", "suppressed")
INDICATORS: Final = ("population", "population_65", "households")
_FINER: Final = 0.95  # finer cells are taken if they know this much of what the best cells know
Level = tuple[str, float]  # "mesh" and its side in metres, or "area" and the length of its codes


@dataclass(frozen=True, slots=True)
class Regions:
    """Regions that tile an area, squares x classes, and how many classes there are.

    There is one square, the area itself, unless figures are told of a fixed grid alone.
    """

    shapes: list[BaseGeometry]
    classes: int
    guarded: bool

    @property
    def squares(self) -> int:
        """How many squares there are."""
        return len(self.shapes) // self.classes


@dataclass(frozen=True, slots=True)
class People:
    """One indicator by class and in total, and which cells it rests on; no level: on none."""

    indicator: str
    classes: list[dict[str, Any]]
    total: dict[str, Any]
    level: Level | None = None
    year: int | None = None
    known_share: float = 0.0

    def source(self) -> dict[str, Any]:
        """What the figures rest on, as it is told."""
        kind, size = self.level or ("", 0.0)
        return {
            "indicator": self.indicator,
            "year": self.year,
            "mesh_size_m": size if kind == "mesh" else None,
            "cells": kind or None,
            "known_share": round(self.known_share, 4),
        }


def people(found: Found, indicator: str, regions: Regions, laid: dict[Any, Overlay]) -> People:
    """Estimate one indicator; the newest year, and the finest cells that know nearly all there is.

    ``laid`` keeps overlays of mesh squares for other indicators of the same regions.
    """
    rows = [
        row.get("indicator") == indicator and "value" in row and _level(row) is not None
        for row in found.rows
    ]
    chosen = found.only(np.array(rows, dtype=bool))
    years = [row["year"] for row in chosen.rows if row.get("year") is not None]
    if years:
        newest = max(years)
        chosen = chosen.only(np.array([row.get("year") == newest for row in chosen.rows], dtype=bool))
    by_level = {
        level: _weigh(chosen, level, regions, laid)
        for level in {_level(row) for row in chosen.rows}
        if level
    }
    if not by_level or not regions.shapes:
        nothing = [unknown() for _ in range(regions.classes)]
        return People(indicator, nothing, unknown())
    # On a fixed grid all answers rest on the same cells.
    least = 0.0 if regions.guarded else _FINER * max(item.known_m2.sum() for item in by_level.values())
    level = next(
        level for level in sorted(by_level, key=_fineness) if by_level[level].known_m2.sum() >= least
    )
    weighed = by_level[level]
    by_class, total = (
        guarded(weighed, regions.squares, regions.classes)
        if regions.guarded
        else (weighed, _all(weighed))
    )
    area = weighed.area_m2.sum()
    return People(
        indicator,
        _told(by_class),
        _told(total)[0],
        level,
        max(years) if years else None,
        float(total.known_m2[0] / area) if area else 0.0,
    )


def _weigh(found: Found, level: Level, regions: Regions, laid: dict[Any, Overlay]) -> Weighed:
    at = [number for number, row in enumerate(found.rows) if _level(row) == level]
    at.sort(key=lambda number: found.rows[number].get("mesh_code") or "")
    rows, shapes = [found.rows[number] for number in at], found.shapes[at]
    codes = tuple(row.get("mesh_code") or str(number) for number, row in zip(at, rows, strict=True))
    full = np.array([_full_m2(row.get("mesh_code")) or np.nan for row in rows])
    if (level, codes) not in laid or not np.isfinite(full).all():
        cells = areal(to_plane(shapes))
        full = np.where(np.isfinite(full), full, shapely.area(cells))
        laid[level, codes] = overlay(cells, regions.shapes)
    values = np.array(
        [np.nan if row["value"] is None else float(row["value"]) for row in rows], dtype=np.float64
    )
    withheld = np.array([row.get("suppressed") is True for row in rows], dtype=bool)
    return weigh(laid[level, codes], full, values, withheld)


def _all(weighed: Weighed) -> Weighed:
    return Weighed(
        weighed.sums.sum(keepdims=True),
        weighed.known_m2.sum(keepdims=True),
        weighed.withheld_m2.sum(keepdims=True),
        weighed.area_m2.sum(keepdims=True),
    )


def _told(weighed: Weighed) -> list[dict[str, Any]]:
    columns: Sequence[Any] = (weighed.sums, weighed.known_m2, weighed.withheld_m2, weighed.area_m2)
    return [estimated(*(float(number) for number in row)) for row in zip(*columns, strict=True)]


def _level(row: dict[str, Any]) -> Level | None:
    """Cells of one level do not overlap."""
    if row.get("mesh_size_m"):
        return "mesh", float(row["mesh_size_m"])
    if row.get("mesh_code"):
        return "mesh", -float(len(row["mesh_code"]))
    return ("area", float(len(row["area_code"]))) if row.get("area_code") else None


def _fineness(level: Level) -> tuple[int, float]:
    """Meshes before areas; of each the finest first."""
    kind, size = level
    return (0, size) if kind == "mesh" else (1, -size)


@cache
def _full_m2(code: str | None) -> float | None:
    """Area of a whole mesh square, also where only a part of it is shown."""
    square = south_west(code) if code else None
    if square is None:
        return None
    west, south, width, height = square
    return float(shapely.area(to_plane(shapely.box(west, south, west + width, south + height))))
