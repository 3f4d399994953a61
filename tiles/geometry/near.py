"""Whether geometries meet a box, as far as that is plain from their vertices alone.

What a vertex inside or a side that all vertices lie beyond decides is decided exactly; the rest is
left to whoever does geometry.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from tiles.arrays import Geometries

APART, MEETS, UNSURE = 0, 1, 2


@njit(nogil=True, cache=True)
def _relation(
    lon_lat_z: NDArray[np.float64], first: int, last: int, box: tuple[float, float, float, float]
) -> int:
    west, south, east, north = box
    beyond_west, beyond_south, beyond_east, beyond_north = True, True, True, True
    for i in range(first, last):
        lon, lat = lon_lat_z[i, 0], lon_lat_z[i, 1]
        if lon >= west and lon <= east and lat >= south and lat <= north:
            return MEETS
        beyond_west = beyond_west and lon < west
        beyond_south = beyond_south and lat < south
        beyond_east = beyond_east and lon > east
        beyond_north = beyond_north and lat > north
    if beyond_west or beyond_south or beyond_east or beyond_north:
        return APART
    return UNSURE


@njit(nogil=True, cache=True)
def _relations(
    part_starts: NDArray[np.int32],
    ring_starts: NDArray[np.int32],
    vertex_starts: NDArray[np.int32],
    lon_lat_z: NDArray[np.float64],
    rows: NDArray[np.int32],
    box: tuple[float, float, float, float],
) -> NDArray[np.uint8]:
    out = np.empty(rows.shape[0], dtype=np.uint8)
    for i in range(rows.shape[0]):
        row = rows[i]
        first = vertex_starts[ring_starts[part_starts[row]]]
        last = vertex_starts[ring_starts[part_starts[row + 1]]]
        out[i] = _relation(lon_lat_z, first, last, box)
    return out


def box_relations(
    geometries: Geometries, rows: NDArray[np.int32], box: tuple[float, float, float, float]
) -> NDArray[np.uint8]:
    """APART, MEETS or UNSURE for each of these rows (n,) and a box, edges included.

    Parameters
    ----------
    box
        West, south, east, north in degrees, west not above east.

    Returns
    -------
    (n,) APART where all vertices lie beyond one side, or there are none; MEETS where a vertex is
    inside; UNSURE for the rest, also for positions that are not finite.
    """
    found: NDArray[np.uint8] = _relations(
        geometries.part_starts,
        geometries.ring_starts,
        geometries.vertex_starts,
        geometries.lon_lat_z,
        np.ascontiguousarray(rows, dtype=np.int32),
        (float(box[0]), float(box[1]), float(box[2]), float(box[3])),
    )
    return found
