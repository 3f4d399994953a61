"""Figures of cells given to regions by area, and buildings counted by the worst class they touch.

Areal weighting supposes that people live evenly over a cell; so what comes out is an estimate. What is
withheld, or not there, is never taken for zero: how much of a region such cells cover is told with it.
All shapes lie on one equal-area plane (``plane.to_plane``), in metres.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from geoshare.derive.plane import areal, pieces

Shapes = NDArray[np.object_]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Weighed:
    """What r regions hold of the cells' figures.

    ``sums`` are sums of known figures by area; ``known_m2``, ``withheld_m2`` and ``area_m2`` say how
    much of each region has cells with a figure, has cells whose figure is withheld, and is there.
    """

    sums: Floats  # (r,)
    known_m2: Floats  # (r,)
    withheld_m2: Floats  # (r,)
    area_m2: Floats  # (r,)


def divide(target: BaseGeometry, zones: Sequence[Shapes]) -> list[BaseGeometry]:
    """Cut an area into one region for each class of zones, worst first, and the rest.

    Where classes overlap the worse one counts. The regions tile the area without overlap.
    """
    regions, rest = [], target
    for shapes in zones:
        met = shapes[shapely.intersects(shapes, rest)]
        whole = shapely.union_all(shapely.intersection(met, rest)) if len(met) else None
        if whole is None or whole.is_empty:
            regions.append(shapely.Polygon())
            continue
        inside, outside = areal([rest.intersection(whole), rest.difference(whole)])
        regions.append(inside)
        rest = outside
    return [*regions, rest]


def divide_each(targets: Sequence[BaseGeometry], zones: Sequence[Shapes]) -> list[BaseGeometry]:
    """Cut many small areas as :func:`divide` does, looking only at what is near each."""
    cut = [_pieces(list(shapes))[0] for shapes in zones]
    trees = [shapely.STRtree(parts) for parts in cut]
    return [
        region
        for target in targets
        for region in divide(
            target, [parts[tree.query(target)] for parts, tree in zip(cut, trees, strict=True)]
        )
    ]


@dataclass(frozen=True, slots=True)
class Overlay:
    """Where cells and r regions meet: m pairs of them, and the area that they share."""

    region: NDArray[np.int64]  # (m,)
    cell: NDArray[np.int64]  # (m,)
    shared_m2: Floats  # (m,)
    area_m2: Floats  # (r,) of the regions


def overlay(cells: Shapes, regions: Sequence[BaseGeometry]) -> Overlay:
    """Lay cells that do not overlap, n polygons, over regions."""
    parts, of = _pieces(regions)
    part, cell = shapely.STRtree(cells).query(parts, predicate="intersects")
    shared = shapely.area(shapely.intersection(parts[part], cells[cell]))
    return Overlay(of[part], cell, shared, _sums(of, shapely.area(parts), len(regions)))


def weigh(laid: Overlay, full_m2: Floats, values: Floats, withheld: NDArray[np.bool_]) -> Weighed:
    """Give the figures of n cells to regions, each by the share of its full area that lies in them.

    Parameters
    ----------
    laid
        Where the cells meet the regions.
    full_m2
        (n,) areas of the whole cells, which are larger than the cells where these are cut.
    values
        (n,) figures; NaN where there is none.
    withheld
        (n,) whether a figure exists and is withheld.
    """
    cell, shared, size = laid.cell, laid.shared_m2, len(laid.area_m2)
    known = np.isfinite(values[cell])
    share = np.divide(shared, full_m2[cell], out=np.zeros_like(shared), where=full_m2[cell] > 0)
    sums = np.where(known, share * np.where(known, values[cell], 0.0), 0.0)
    return Weighed(
        _sums(laid.region, sums, size),
        _sums(laid.region, np.where(known, shared, 0.0), size),
        _sums(laid.region, np.where(withheld[cell] & ~known, shared, 0.0), size),
        laid.area_m2,
    )


def places_in(footprints: Shapes, target: BaseGeometry) -> NDArray[np.bool_]:
    """Which footprints lie in an area: those with a point of their surface in it, so each in one."""
    points = shapely.point_on_surface(footprints)
    shapely.prepare(target)
    found: NDArray[np.bool_] = shapely.contains_xy(target, shapely.get_x(points), shapely.get_y(points))
    return found


def worst_touched(footprints: Shapes, zones: Sequence[Shapes]) -> NDArray[np.int64]:
    """Number of the first class, worst first, that a footprint touches; len(zones) if none."""
    found = np.full(len(footprints), len(zones), np.int64)
    if not len(footprints):
        return found
    tree = shapely.STRtree(footprints)
    for number in range(len(zones) - 1, -1, -1):
        parts = [piece for shape in zones[number] for piece in pieces(shape)]
        if parts:
            found[np.unique(tree.query(parts, predicate="intersects")[1])] = number
    return found


def _sums(of: NDArray[np.int64], numbers: Floats, size: int) -> Floats:
    return np.bincount(of, numbers, size).astype(np.float64)


def _pieces(regions: Sequence[BaseGeometry]) -> tuple[Shapes, NDArray[np.int64]]:
    """All regions in pieces of few vertices, and the region that each is of."""
    cut = [pieces(region) for region in regions]
    of = np.repeat(np.arange(len(cut)), [len(parts) for parts in cut])
    flat = np.empty(len(of), dtype=object)
    flat[:] = [piece for parts in cut for piece in parts]
    return flat, of
