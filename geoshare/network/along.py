"""Linear referencing: from a fraction of a line's geodesic length to the place, and back.

Fractions are those of Overture's linear references: 0 to 1 of the length on the ellipsoid (GRS 80), so
that a place at a fraction is the same in every projection. Between its vertices a line is straight in
longitude and latitude; by how much that differs from a geodesic grows with the square of the piece's
length: 1 mm at 500 m, 2 cm at 2 km.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import Geod

from geoshare.access.view import View
from geoshare.errors import BadRequest, NotFound
from geoshare.network.plane import Plane

Array = NDArray[np.float64]

GEOD = Geod(ellps="GRS80")
MOST_POINTS = 64  # of a geometry, to tell where beside a line it lies
ALIKE_M = 0.5  # another stretch of the line that is nearer than this much farther away may be meant


@dataclass(frozen=True)
class Place:
    """A place on a line.

    ``at`` is its fraction of the line's length and ``m`` its metres from the start; ``lon_lat_z`` are
    degrees and metres (NaN where the line has no height); ``bearing_deg`` is that of the line there,
    clockwise from north.
    """

    at: float
    m: float
    lon_lat_z: tuple[float, float, float]
    bearing_deg: float


@dataclass(frozen=True)
class Nearest:
    """The place nearest to a position, how far away that is, to the left of the line positive.

    ``others`` are the fractions of other stretches that are as near: a line that comes back to itself
    makes the answer ambiguous.
    """

    place: Place
    distance_m: float
    offset_m: float
    others: tuple[float, ...]


class Measured:
    """A line with its lengths.

    Parameters
    ----------
    line
        A LineString or MultiLineString in CRS84(h); the parts of the latter are measured one after the
        other, without the gaps between them.

    Raises
    ------
    BadRequest
        for what has no length.
    """

    def __init__(self, line: shapely.Geometry | None) -> None:
        parts = shapely.get_parts(line)
        if line is None or not all(part.geom_type == "LineString" for part in parts):
            parts = np.array([], object)
        points, part = shapely.get_coordinates(parts, include_z=True, return_index=True)
        firsts = np.flatnonzero(part[:-1] == part[1:])
        start, end = points[firsts], points[firsts + 1]
        bearing, _, length = GEOD.inv(start[:, 0], start[:, 1], end[:, 0], end[:, 1])
        kept = np.asarray(length) > 0
        if not kept.any():
            raise BadRequest(
                "The feature has no length",
                message_ja="この地物には長さがありません",
                parameter="feature_id",
                allowed="a feature whose geometry is a line",
            )
        self.line = line
        self._start, self._end = start[kept], end[kept]
        self._length, self._bearing = np.asarray(length)[kept], np.asarray(bearing)[kept]
        self._before = np.cumsum(self._length) - self._length
        self.length_m = float(self._length.sum())

    def place(self, at: float) -> Place:
        """The place at a fraction from 0 to 1."""
        metres = at * self.length_m
        piece = int(np.searchsorted(self._before, metres, "right")) - 1
        return self._place(piece, min(metres - self._before[piece], self._length[piece]))

    def nearest(self, lon: float, lat: float) -> Nearest:
        """The place nearest to a position in degrees."""
        plane = Plane(lon, lat)
        start, end = plane.metres(self._start), plane.metres(self._end)
        ahead = end - start
        share = np.clip(-(start * ahead).sum(1) / (ahead * ahead).sum(1), 0, 1)
        foot = start + share[:, None] * ahead
        distance = np.hypot(*foot.T)
        best = int(np.argmin(distance))
        place = self._place(best, share[best] * self._length[best])
        side = np.sign(ahead[best, 1] * foot[best, 0] - ahead[best, 0] * foot[best, 1])
        away = GEOD.inv(lon, lat, *place.lon_lat_z[:2])[2]
        return Nearest(
            place, away, float(side) * away, self._others(best, distance, share * self._length)
        )

    def part(self, start: float, end: float) -> shapely.LineString:
        """The stretch between two fractions, start before end; parts are joined."""
        inner = (self._before > start * self.length_m) & (self._before < end * self.length_m)
        first, last = self.place(start).lon_lat_z, self.place(end).lon_lat_z
        points = np.vstack([first, self._start[inner], last])
        if np.isnan(points[:, 2]).any():
            points = points[:, :2]
        return shapely.LineString(points)

    def bounds(self, margin: float) -> tuple[float, float, float, float]:
        """West, south, east, north in degrees, wider by a margin in degrees on each side."""
        points = np.vstack([self._start, self._end])[:, :2]
        (west, south), (east, north) = points.min(0) - margin, points.max(0) + margin
        return max(-180.0, west), max(-90.0, south), min(180.0, east), min(90.0, north)

    def covered(self, shape: shapely.Geometry) -> tuple[float, float]:
        """From where to where, in metres from the start, a geometry lies beside the line."""
        points = shapely.get_coordinates(shape)[:MOST_POINTS]
        metres = [self.nearest(lon, lat).place.m for lon, lat in points]
        return min(metres), max(metres)

    def _place(self, piece: int, metres: float) -> Place:
        share = metres / self._length[piece]
        # between its vertices a line is straight in longitude and latitude, as GeoJSON has it
        lon, lat, height = self._start[piece] * (1 - share) + self._end[piece] * share
        total = float(self._before[piece] + metres)
        at = min(1.0, total / self.length_m)
        bearing = float(self._bearing[piece]) % 360
        return Place(at, total, (float(lon), float(lat), float(height)), bearing)

    def _others(self, best: int, distance: Array, along: Array) -> tuple[float, ...]:
        """Fractions of pieces as near as the best that are not beside it on the line."""
        near = np.flatnonzero(distance <= distance[best] + ALIKE_M)
        metres = self._before[near] + along[near]
        here = self._before[best] + along[best]
        runs = np.split(near, np.flatnonzero(np.diff(near) > 1) + 1)
        found = []
        for run in runs:
            if best in run:
                continue
            nearest = run[np.argmin(distance[run])]
            found.append(float((self._before[nearest] + along[nearest]) / self.length_m))
        apart = np.abs(metres - here).max() > ALIKE_M
        return tuple(found) if apart else ()


def of_feature(view: View, feature: str) -> Measured:
    """The line of a feature as a view shows it.

    Raises
    ------
    NotFound
        for a feature that the view does not show.
    BadRequest
        for one that has no length.
    """
    table = view.materialise(view.lookup([feature]), [])
    if len(table) == 0:
        raise NotFound("No such feature")
    return Measured(shapely.from_wkb(table.column("geometry")[0].as_py()))
