"""Valid polygons in the place of those that rounding, simplifying or cutting left suspect."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
import shapely
from numpy.typing import NDArray

from tiles.geometry.mend import mended
from tiles.geometry.nesting import nested
from tiles.geometry.repair import drop_spikes, turn, twice_area

Rings = tuple[NDArray[np.int32], NDArray[np.int32]]
"""Vertices (n, 2) of open rings, and where each ring starts in them (r + 1,)."""


def repaired(xy: NDArray[np.int32], ring_starts: NDArray[np.int32], min_twice_area: int) -> Rings:
    """Make the polygons of one feature valid on the integer grid.

    Parameters
    ----------
    xy, ring_starts
        Open rings; one of a positive area begins a polygon and those of a negative area are holes.
    min_twice_area
        Twice the area that a ring must have to stay.

    Returns
    -------
    Rings in the same form, each hole after its exterior; none where nothing is left.
    """
    bounds = list(pairwise(ring_starts.tolist()))
    is_hole = np.array([twice_area(xy, a, b) < 0 for a, b in bounds], dtype=np.uint8)
    out, starts, done = mended(xy, ring_starts, is_hole)
    if not done:
        # thousands of edges that all cross each other: slow, but it ends
        out, starts = _by_geos([xy[a:b] for a, b in bounds], is_hole)
    rings: Rings = nested(out, starts, min_twice_area)
    return rings


def _by_geos(rings: list[NDArray[np.int32]], is_hole: NDArray[np.uint8]) -> Rings:
    polygons: list[list[NDArray[np.int32]]] = []
    for ring, hole in zip(rings, is_hole, strict=True):
        if hole and polygons:
            polygons[-1].append(ring)
        else:
            polygons.append([ring])
    together = shapely.MultiPolygon([(lines[0], lines[1:]) for lines in polygons])
    valid = shapely.make_valid(together, method="structure", keep_collapsed=False)
    parts = shapely.get_parts(shapely.get_parts(shapely.set_precision(valid, 1.0)))
    parts = parts[shapely.get_type_id(parts) == shapely.GeometryType.POLYGON]
    pieces = [ring for polygon in parts for ring in _oriented(polygon)]
    return np.concatenate([np.zeros((0, 2), np.int32), *pieces]), _starts([len(p) for p in pieces])


def _oriented(polygon: shapely.Polygon) -> list[NDArray[np.int32]]:
    """The rings of a polygon, open, its exterior with a positive area and its holes with a negative."""
    found = []
    for i, line in enumerate(shapely.get_rings(polygon)):
        ring = np.rint(shapely.get_coordinates(line)[:-1]).astype(np.int32)
        ring = ring[: drop_spikes(ring, 0, len(ring))]
        if (twice_area(ring, 0, len(ring)) > 0) != (i == 0):
            turn(ring, 0, len(ring))
        found.append(ring)
    return found


def replace_rings(
    changes: Mapping[int, Rings],
    xy: NDArray[np.int32],
    ring_starts: NDArray[np.int32],
    feature_starts: NDArray[np.int32],
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]:
    """Put other rings in the place of those of some features.

    Parameters
    ----------
    changes
        Number of a feature to its new rings.
    xy, ring_starts, feature_starts
        Vertices, where each ring starts in them and where each feature starts in the rings.

    Returns
    -------
    The three arrays anew.
    """
    lengths, counts = np.diff(ring_starts), np.diff(feature_starts)
    pieces: list[NDArray[np.int32]] = []
    length_pieces: list[NDArray[np.int32]] = []
    done = 0
    for feature, (new_xy, new_starts) in sorted(changes.items()):
        first, last = int(feature_starts[feature]), int(feature_starts[feature + 1])
        pieces += [xy[ring_starts[done] : ring_starts[first]], new_xy]
        length_pieces += [lengths[done:first], np.diff(new_starts)]
        counts[feature] = len(new_starts) - 1
        done = last
    pieces.append(xy[ring_starts[done] : ring_starts[-1]])
    length_pieces.append(lengths[done:])
    return np.concatenate(pieces), _starts(np.concatenate(length_pieces)), _starts(counts)


def _starts(lengths: NDArray[np.int32] | list[int]) -> NDArray[np.int32]:
    starts = np.zeros(len(lengths) + 1, dtype=np.int32)
    np.cumsum(lengths, out=starts[1:])
    return starts
