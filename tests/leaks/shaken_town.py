"""Other exact positions that lie in the same cells of a tier's grid as those of ``town``."""

from __future__ import annotations

import json
import random
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from geoshare.access.precision import snap

TRIES = 20
DEGREE_M = 90_000  # of longitude in the town: steps are somewhat longer than half a cell


def features(found: list[dict[str, Any]], size_m: float) -> list[dict[str, Any]]:
    """The same features, each vertex somewhere else within its cell of ``size_m`` metres."""
    rng = random.Random(f"{size_m} {len(found)}")
    return [{**feature, "geometry": shaken(feature["geometry"], rng, size_m)} for feature in found]


def shaken(said: dict[str, Any], rng: random.Random, size_m: float) -> dict[str, Any]:
    """A GeoJSON geometry with each vertex elsewhere in its cell; a polygon keeps its direction."""
    shape = shapely.from_geojson(json.dumps(said))
    for _ in range(TRIES):
        found = shapely.transform(shape, lambda lon_lat: _moved(lon_lat, rng, size_m))
        if found.is_valid and _turns(found) == _turns(shape):
            return json.loads(shapely.to_geojson(found))
    return said


def _turns(shape: BaseGeometry) -> bool:
    return bool(shapely.is_ccw(shapely.get_exterior_ring(shape)))


def _moved(lon_lat: NDArray[np.float64], rng: random.Random, size_m: float) -> NDArray[np.float64]:
    found, far = lon_lat.copy(), 0.5 * size_m / DEGREE_M
    closed = len(lon_lat) > 1 and bool((lon_lat[0] == lon_lat[-1]).all())
    for at in range(len(lon_lat) - closed):
        cell = snap(lon_lat[at : at + 1], size_m)
        for _ in range(TRIES):
            there = np.round(lon_lat[at] + [rng.uniform(-far, far) for _ in "xy"], 9)
            if np.array_equal(snap(there[None], size_m), cell):
                found[at] = there
                break
    found[-1] = found[0] if closed else found[-1]
    return found
