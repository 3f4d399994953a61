"""Polygons from lines that meet end to end, whichever way each of them runs."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray

Line = NDArray[np.float64]  # (n, 3) longitude, latitude, height


def rings(lines: list[Line]) -> list[Line] | None:
    """Closed rings made of the lines, each used once; None where some line belongs to none."""
    left = [line for line in lines if len(line) >= 2]
    out = []
    while left:
        ring = left.pop(0)
        while not _same(ring[0], ring[-1]):
            found = _next(ring[-1], left)
            if found is None:
                if len(lines) == 1 and len(ring) >= 3:  # an open way that stands for an area
                    ring = np.vstack([ring, ring[:1]])
                    break
                return None
            ring = np.vstack([ring, found[1:]])
        if len(ring) < 4:
            return None
        out.append(ring)
    return out


def _next(end: Line, left: list[Line]) -> Line | None:
    for index, line in enumerate(left):
        if _same(line[0], end):
            return left.pop(index)
        if _same(line[-1], end):
            return left.pop(index)[::-1]
    return None


def _same(first: Line, second: Line) -> bool:
    return bool((first[:2] == second[:2]).all())


def polygon(outer: list[Line], inner: list[Line]) -> shapely.Geometry | None:
    """Polygon or multipolygon of outer and inner lines; None where they do not close."""
    shells, holes = rings(outer), rings(inner)
    if not shells or holes is None:
        return None
    upright = all(np.isfinite(ring[:, 2]).all() for ring in [*shells, *holes])
    width = 3 if upright else 2
    hulls = [shapely.Polygon(shell[:, :width]) for shell in shells]
    of_shell: list[list[Line]] = [[] for _ in shells]
    for hole in holes:
        point = shapely.Polygon(hole[:, :2]).representative_point()
        inside = [index for index, hull in enumerate(hulls) if hull.contains(point)]
        of_shell[inside[0] if inside else 0].append(hole[:, :width])
    parts = [
        shapely.Polygon(shell[:, :width], inside)
        for shell, inside in zip(shells, of_shell, strict=True)
    ]
    return parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)
