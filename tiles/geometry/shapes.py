"""The geometry of a table as compiled code is handed it."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from tiles.addresses import borrowed
from tiles.arrays import FeatureTable, GeometryType

LINE: Final = int(GeometryType.LINESTRING)
MULTILINE: Final = int(GeometryType.MULTILINESTRING)
POLYGON: Final = int(GeometryType.POLYGON)
MULTIPOLYGON: Final = int(GeometryType.MULTIPOLYGON)
_NO_BOXES = np.zeros((0, 4), np.int32)


class Shapes(NamedTuple):
    """Arrays of ``FeatureTable``; ``boxes`` (n, 4) is empty where the table has none."""

    boxes: NDArray[np.int32]
    types: NDArray[np.uint8]
    part_starts: NDArray[np.int32]
    ring_starts: NDArray[np.int32]
    vertex_starts: NDArray[np.int32]
    lon_lat_z: NDArray[np.float64]


def shapes_of(table: FeatureTable) -> Shapes:
    """The geometry of all rows of a table."""
    found = table.geometries
    return Shapes(
        _NO_BOXES if table.boxes is None else table.boxes,
        found.types,
        found.part_starts,
        found.ring_starts,
        found.vertex_starts,
        found.lon_lat_z,
    )


@njit(nogil=True, cache=True, forceinline=True)
def lent(shapes: Shapes) -> Shapes:
    """The same arrays without owners, which are not counted with every call they are handed to."""
    return Shapes(
        borrowed(shapes.boxes),
        borrowed(shapes.types),
        borrowed(shapes.part_starts),
        borrowed(shapes.ring_starts),
        borrowed(shapes.vertex_starts),
        borrowed(shapes.lon_lat_z),
    )
