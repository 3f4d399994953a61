"""The seeded data of the benchmark: road lines and building polygons of twelve invented cities.

Streets stand on locally rotated 60 m grids around gamma-weighted neighbourhoods, between 138.9 and
140.6 degrees east and 35.1 and 36.3 degrees north, so that tiles are as uneven as in a real country.
"""

from __future__ import annotations

from pathlib import Path

import geopandas
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

SEED = 20260401
CENTRES, NEIGHBOURHOODS = 12, 3_000
LINE_VERTICES = 8
M_PER_DEGREE = 111_320.0
CLASSES = ["motorway", "trunk", "primary", "secondary", "tertiary", "residential", "service", "footway"]
CLASS_SHARES = [0.005, 0.01, 0.03, 0.06, 0.095, 0.45, 0.25, 0.1]
SURFACES = ["paved", "unpaved", "gravel"]
SPEEDS_KMH = [100, 60, 60, 50, 40, 30, 20, 10]


def roads(count: int) -> geopandas.GeoDataFrame:
    """``count`` lines of eight vertices with an id and nine attributes, in CRS84.

    Columns are named as the collection ``segments`` names them. ``route_number`` repeats the id, so
    that features of all servers can be told apart by an attribute.
    """
    random = np.random.default_rng(SEED)
    start, angle = _places(random, count)
    length_m = random.choice([60.0, 120.0, 180.0, 400.0], count, p=[0.5, 0.3, 0.15, 0.05])
    along = np.linspace(0.0, 1.0, LINE_VERTICES)[None, :] * length_m[:, None]
    across = np.cumsum(random.normal(0.0, 1.5, (count, LINE_VERTICES)), axis=1)
    across -= across[:, :1]
    lon_lat = _to_lon_lat(start, angle, along, across)
    rank = random.choice(len(CLASSES), count, p=CLASS_SHARES)
    number = np.arange(count)
    names = [f"r{value:07d}" for value in number]
    frame = pd.DataFrame(
        {
            "id": names,
            "route_number": names,
            "class": np.array(CLASSES)[rank],
            "level": rank.astype("int64"),
            "name": np.char.add("通り ", (number % 20_000).astype(str)),
            "surface": np.array(SURFACES)[random.choice(3, count, p=[0.8, 0.15, 0.05])],
            "width_m": np.round(random.gamma(4.0, 1.5, count), 1),
            "lane_count": random.integers(1, 5, count),
            "speed_limit_kmh": np.array(SPEEDS_KMH)[rank].astype("float64"),
            "is_bridge": random.random(count) < 0.02,
        }
    )
    lines = shapely.linestrings(lon_lat.reshape(-1, 2), indices=np.repeat(number, LINE_VERTICES))
    return geopandas.GeoDataFrame(frame, geometry=lines, crs="OGC:CRS84")


def buildings(count: int) -> geopandas.GeoDataFrame:
    """``count`` rectangles beside streets with an id and three attributes, in CRS84.

    Columns are named as the collection ``buildings`` names them.
    """
    random = np.random.default_rng(SEED + 1)
    start, angle = _places(random, count)
    width_m, depth_m = random.uniform(6.0, 25.0, (2, count))
    along = np.stack([np.zeros(count), width_m, width_m, np.zeros(count), np.zeros(count)], axis=1)
    across = np.stack([np.zeros(count), np.zeros(count), depth_m, depth_m, np.zeros(count)], axis=1)
    lon_lat = _to_lon_lat(start, angle, along, across + 6.0)
    frame = pd.DataFrame(
        {
            "id": [f"b{value:07d}" for value in range(count)],
            "use": np.array(["residential", "commercial", "industrial"])[
                random.choice(3, count, p=[0.8, 0.15, 0.05])
            ],
            "storeys": random.integers(1, 12, count),
            "height_m": np.round(random.gamma(3.0, 3.0, count), 1),
        }
    )
    rings = shapely.linearrings(lon_lat.reshape(-1, 2), indices=np.repeat(np.arange(count), 5))
    return geopandas.GeoDataFrame(frame, geometry=shapely.polygons(rings), crs="OGC:CRS84")


def write(folder: Path, road_count: int, building_count: int) -> tuple[Path, Path]:
    """Both layers as GeoParquet in ``folder``; what is there already is kept."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = folder / f"roads-{road_count}.parquet", folder / f"buildings-{building_count}.parquet"
    for path, make, count in zip(paths, (roads, buildings), (road_count, building_count), strict=True):
        if not path.exists():
            make(count).to_parquet(path)
    return paths


def _places(random: np.random.Generator, count: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Grid corners as lon, lat (count, 2) and the rotation of each one's neighbourhood in radians."""
    centres = np.stack(
        [random.uniform(139.1, 140.4, CENTRES), random.uniform(35.3, 36.1, CENTRES)], axis=1
    )
    home = random.integers(0, CENTRES, NEIGHBOURHOODS)
    middles = np.clip(
        centres[home] + random.normal(0.0, 0.12, (NEIGHBOURHOODS, 2)), [138.95, 35.15], [140.55, 36.25]
    )
    rotation = random.uniform(0.0, np.pi, NEIGHBOURHOODS)
    weight = random.gamma(0.8, 1.0, NEIGHBOURHOODS)
    chosen = random.choice(NEIGHBOURHOODS, count, p=weight / weight.sum())
    steps_m = np.rint(random.normal(0.0, 8.0, (count, 2))) * 60.0
    quarter = random.integers(0, 2, count) * (np.pi / 2)
    corner = _to_lon_lat(middles[chosen], rotation[chosen], steps_m[:, :1], steps_m[:, 1:])[:, 0, :]
    return corner, rotation[chosen] + quarter


def _to_lon_lat(
    origin: NDArray[np.float64],
    angle: NDArray[np.float64],
    along_m: NDArray[np.float64],
    across_m: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Local metres (n, k) around ``origin``, rotated by ``angle`` (n,), as lon, lat (n, k, 2)."""
    cosine, sine = np.cos(angle)[:, None], np.sin(angle)[:, None]
    east, north = along_m * cosine - across_m * sine, along_m * sine + across_m * cosine
    scale = M_PER_DEGREE * np.cos(np.radians(origin[:, 1:]))
    return np.stack([origin[:, :1] + east / scale, origin[:, 1:] + north / M_PER_DEGREE], axis=2)
