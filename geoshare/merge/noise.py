"""What is no change: the same feature, measured once more.

A provider that states how accurate its positions are says with every new measurement that the feature
lies within so many metres of where it was. As long as what stands lies within them too, and nothing
else is said, the feature that stands stays: readers are not told of a change that is none. It is
compared with what stands and not with the measurement before, so that small steps add up.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import shapely

_DEGREE_M: Final = 111_319.49  # of longitude at the equator, and, nearly, of latitude


def is_noise(
    before: tuple[bytes | None, str], after: tuple[bytes | None, str], accuracy_m: float
) -> bool:
    """Whether a feature has only moved, and by no more than the stated accuracy.

    Parameters
    ----------
    before, after
        Geometry (WKB, longitude and latitude in degrees, height in metres) and properties (canonical
        JSON) of the feature that stands and of the new claim.
    accuracy_m
        Metres within which positions are stated to be right.

    Returns
    -------
    False also where a geometry is missing, or has another type, or other parts or vertices (another
    topology); otherwise each vertex counts, by its distance in space where both heights are known.
    """
    if before[1] != after[1] or before[0] is None or after[0] is None:
        return False
    one, other = shapely.from_wkb(before[0]), shapely.from_wkb(after[0])
    if _structure(one) != _structure(other):
        return False
    first, second = (shapely.get_coordinates(shape, include_z=True) for shape in (one, other))
    moved = second - first
    moved[:, 0] *= np.cos(np.radians(first[:, 1])) * _DEGREE_M
    moved[:, 1] *= _DEGREE_M
    known = ~np.isnan(first[:, 2])
    if (known != ~np.isnan(second[:, 2])).any():
        return False  # a height has come or gone
    moved[~known, 2] = 0.0
    return bool((np.linalg.norm(moved, axis=1) <= accuracy_m).all())


def _structure(shape: shapely.Geometry) -> list[tuple[int, int, list[int]]]:
    """Type of each part, its rings and their vertices."""
    parts = shapely.get_parts(shape)
    found = []
    for part in parts:
        rings = shapely.get_rings(part) if part.geom_type == "Polygon" else [part]
        counts = [int(shapely.get_num_coordinates(ring)) for ring in rings]
        found.append((int(shapely.get_type_id(part)), int(shapely.get_type_id(shape)), counts))
    return found
