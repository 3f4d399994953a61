"""Shapes that cross the antimeridian, cut there so that nobody draws them round the world.

RFC 7946, 3.1.9: what crosses the antimeridian is to be cut in two, such that neither part crosses it.
Files seldom do so: from one vertex to the next their longitude leaps from near 180 to near -180. The
shorter way is meant, so a step of more than 180 degrees is one across the antimeridian.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any, cast

import numpy as np
import shapely
from numpy.typing import NDArray

HALF, WHOLE = 180.0, 360.0
MOST_WORLDS = 3  # a polygon that goes round further is left as it is
_LINE, _RING, _POLYGON = 1, 2, 3
Xyz = NDArray[np.float64]  # (n, 2) or (n, 3): longitude and latitude in degrees, height in metres


def split(geometry: NDArray[np.object_], among: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Cut lines and polygons at 180 degrees, in place.

    Parameters
    ----------
    geometry
        (n,) geometries in CRS84; those that do not cross stay as they are, and so do those that
        leap and have no extent along the shorter way (the whole equator as two points), and rings
        around a pole.
    among
        (n,) which ones to look at: with finite coordinates in the world.

    Returns
    -------
    (n,) which ones were cut.
    """
    bounds = shapely.bounds(geometry)
    with np.errstate(invalid="ignore"):
        wide = among & (bounds[:, 2] - bounds[:, 0] > HALF)
    cut = np.zeros(len(geometry), dtype=bool)
    for row in np.flatnonzero(wide).tolist():
        parts = shapely.get_parts(geometry[row]).tolist()
        pieces = [_pieces(part) for part in parts]
        if any(found is not None for found in pieces):
            kept = [found or [part] for found, part in zip(pieces, parts, strict=True)]
            geometry[row] = _joined(list(itertools.chain.from_iterable(kept)))
            cut[row] = True
    return cut


def _pieces(part: shapely.Geometry) -> list[shapely.Geometry] | None:
    """A line or polygon in pieces; None where it does not cross."""
    kind = shapely.get_type_id(part)
    if kind == _LINE:
        return _line(_vertices(part))
    if kind == _POLYGON:
        return _polygon(part)
    return None


def _vertices(part: shapely.Geometry) -> Xyz:
    found: Xyz = shapely.get_coordinates(part, include_z=bool(shapely.has_z(part)))
    return found


def _unrolled(xyz: Xyz) -> Xyz | None:
    """The same vertices with longitudes that go on beyond 180; None where none leaps."""
    steps = np.diff(xyz[:, 0])
    leaps = np.abs(steps) > HALF
    if not leaps.any():
        return None
    turns = np.concatenate([[0.0], np.cumsum(np.where(leaps, -np.sign(steps), 0.0))])
    out = xyz.copy()
    out[:, 0] += turns * WHOLE
    return out


def _line(xyz: Xyz) -> list[shapely.Geometry] | None:
    unrolled = _unrolled(xyz)
    if unrolled is None or not np.ptp(unrolled[:, :2], axis=0).any():
        return None
    whole = _with_crossings(unrolled)
    middles = (whole[1:, 0] + whole[:-1, 0]) / 2
    worlds = np.floor((middles + HALF) / WHOLE)
    ends = np.flatnonzero(np.diff(worlds)) + 1
    pieces: list[shapely.Geometry] = []
    for first, last in itertools.pairwise([0, *ends.tolist(), len(worlds)]):
        piece = whole[first : last + 1].copy()
        piece[:, 0] -= worlds[first] * WHOLE
        if np.ptp(piece[:, :2], axis=0).any():
            pieces.append(shapely.LineString(piece))
    return pieces


def _with_crossings(xyz: Xyz) -> Xyz:
    """A vertex more on every step that crosses the antimeridian between its ends."""
    worlds = (xyz[:, 0] + HALF) / WHOLE
    edges = np.where(worlds[1:] > worlds[:-1], np.floor(worlds[1:]), np.floor(worlds[:-1]))
    low, high = np.minimum(worlds[1:], worlds[:-1]), np.maximum(worlds[1:], worlds[:-1])
    at = np.flatnonzero((low < edges) & (edges < high))
    share = (edges[at] - worlds[at]) / (worlds[at + 1] - worlds[at])
    between = xyz[at] + share[:, None] * (xyz[at + 1] - xyz[at])
    between[:, 0] = edges[at] * WHOLE - HALF
    return np.insert(xyz, at + 1, between, axis=0)


def _polygon(part: shapely.Geometry) -> list[shapely.Geometry] | None:
    rings = [_vertices(ring) for ring in shapely.get_rings(part).tolist()]
    unrolled = [_unrolled(ring) for ring in rings]
    if all(ring is None for ring in unrolled):
        return None
    if any(ring is not None and ring[0, 0] != ring[-1, 0] for ring in unrolled):
        return None  # once round a pole
    shell, *holes = [
        ring if found is None else found for ring, found in zip(rings, unrolled, strict=True)
    ]
    flat: shapely.Geometry = shapely.Polygon(shell, [_beside(hole, shell) for hole in holes])
    if not shapely.is_valid(flat):
        flat = shapely.make_valid(flat, method="structure", keep_collapsed=False)
    if shapely.area(flat) == 0:
        return None
    pieces: list[shapely.Geometry] = []
    west, _, east, _ = shapely.bounds(flat).tolist()
    first, last = int(np.floor((west + HALF) / WHOLE)), int(np.ceil((east + HALF) / WHOLE))
    if last - first > MOST_WORLDS:
        return None
    for world in range(first, last):
        left = world * WHOLE - HALF
        piece = shapely.intersection(flat, shapely.box(left, -90.0, left + WHOLE, 90.0))
        pieces += [
            _moved(item, -world * WHOLE)
            for item in shapely.get_parts(piece).tolist()
            if shapely.get_type_id(item) == _POLYGON
        ]
    return pieces


def _beside(hole: Xyz, shell: Xyz) -> Xyz:
    """A hole in the world that its shell lies in."""
    out = hole.copy()
    while out[:, 0].min() < shell[:, 0].min():
        out[:, 0] += WHOLE
    while out[:, 0].max() > shell[:, 0].max():
        out[:, 0] -= WHOLE
    return out


def _moved(part: shapely.Geometry, degrees: float) -> shapely.Geometry:
    def move(xyz: Xyz) -> Xyz:
        out = xyz.copy()
        out[:, 0] = np.clip(out[:, 0] + degrees, -HALF, HALF)
        return out

    return shapely.transform(part, move, include_z=bool(shapely.has_z(part)))


def _joined(parts: Iterable[shapely.Geometry]) -> shapely.Geometry:
    """The parts as one geometry; of several dimensions as a collection."""
    found: list[Any] = list(parts)
    if len(found) == 1:
        return cast("shapely.Geometry", found[0])
    kinds = {int(shapely.get_type_id(part)) for part in found}
    if kinds == {_LINE}:
        return shapely.MultiLineString(found)
    if kinds == {_POLYGON}:
        return shapely.MultiPolygon(found)
    return shapely.GeometryCollection(found)
