"""Lanes of towns for the benchmark: grids of streets, and the lanes across each crossing. Seeded.

Traffic keeps to the left. A street has one or two lanes each way; at a crossing a lane leads from each
arm to each of the three others, so that there, as in real maps, many lanes lie over one another.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

SEED = 20_261_123
CROSSINGS = 24  # along each side of a town
BLOCK_M, HALF_CROSSING_M = 90.0, 12.0
VERTICES = 8
M_PER_DEGREE = 111_320.0
ALONG = np.linspace(0.0, 1.0, VERTICES)
ARMS = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, -1.0]])

Array = NDArray[np.float64]


def write(folder: Path, count: int) -> Path:
    """``count`` lanes as GeoParquet in a folder; what is there already is kept."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"lanes-{count}.parquet"
    if not path.exists():
        lanes(count).to_parquet(path)
    return path


def lanes(count: int) -> geopandas.GeoDataFrame:
    """``count`` lanes with an id and some attributes, in CRS84 with heights in metres."""
    random = np.random.default_rng(SEED)
    parts: list[tuple[Array, dict[str, Any]]] = []
    have, town = 0, 0
    while have < count:
        lon_lat_z, said = _town(random, town)
        parts.append((lon_lat_z, said))
        have, town = have + len(lon_lat_z), town + 1
    points = np.concatenate([found for found, _ in parts])[:count]
    said = {
        name: np.concatenate([columns[name] for _, columns in parts])[:count] for name in parts[0][1]
    }
    ids = [f"l{number:07d}" for number in range(count)]
    lines = shapely.linestrings(points.reshape(-1, 3), indices=np.repeat(np.arange(count), VERTICES))
    frame = pd.DataFrame({"id": ids, "subtype": "road", "one_way": True, **said})
    return geopandas.GeoDataFrame(frame, geometry=lines, crs="OGC:CRS84")


def questions(path: Path, count: int, seed: int) -> list[tuple[float, float, float, float, Array]]:
    """Where vehicles may be: lon, lat, height, heading (degrees) and covariance (east, north; m2).

    Each is on a lane, and says of its place and heading what a receiver would: wrongly by as much as
    its covariance says (0.3 to 4 m, longer one way than the other) and by 5 degrees.
    """
    random = np.random.default_rng(seed)
    lines = geopandas.read_parquet(path, columns=["geometry"]).geometry.to_numpy()
    points = shapely.get_coordinates(
        lines[random.choice(len(lines), count, replace=False)], include_z=True
    ).reshape(count, VERTICES, 3)
    found = []
    for line in points:
        at = int(random.integers(VERTICES - 1))
        lon, lat, height = line[at] + random.random() * (line[at + 1] - line[at])
        east_m = M_PER_DEGREE * np.cos(np.radians(lat))
        way = (line[at + 1] - line[at])[:2] * (east_m, M_PER_DEGREE)
        turn, sides = random.uniform(0, np.pi), np.exp(random.uniform(np.log(0.3), np.log(4.0), 2))
        axes = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) * sides
        off = axes @ random.normal(size=2)
        heading = (np.degrees(np.arctan2(way[0], way[1])) + random.normal(0, 5)) % 360
        found.append(
            (lon + off[0] / east_m, lat + off[1] / M_PER_DEGREE, height, heading, axes @ axes.T)
        )
    return found


def _town(random: np.random.Generator, town: int) -> tuple[Array, dict[str, Any]]:
    """(n, VERTICES, 3) degrees and metres of a town's lanes, and their attributes."""
    east, north = np.meshgrid(np.arange(CROSSINGS) * BLOCK_M, np.arange(CROSSINGS) * BLOCK_M)
    corners = np.column_stack([east.ravel(), north.ravel()])
    pieces, width, turns = [], [], []
    for arm, way in enumerate(ARMS):
        far = corners + way * BLOCK_M
        inside = ((far > -1) & (far < CROSSINGS * BLOCK_M - 1)).all(1)
        pair = np.minimum(corners, far)  # both directions of a street are as wide
        wide = np.floor(pair.sum(1) / BLOCK_M * 7.3 + pair[:, 0] * 0.31) % 5 < 2
        for lane in (0, 1):
            chosen = inside if lane == 0 else inside & wide
            lane_m = 3.0 + 0.25 * (np.floor(pair[chosen, 1] / BLOCK_M) % 3)
            pieces.append(_street(corners[chosen], far[chosen], way, (lane + 0.5) * lane_m))
            width.append(lane_m)
            turns.append(np.full(chosen.sum(), None, dtype=object))
        for other, name in ((0, "straight"), (1, "left"), (3, "right")):
            pieces.append(_across(corners, way, ARMS[(arm + other) % 4]))
            width.append(np.full(len(corners), 3.0))
            turns.append(np.full(len(corners), name, dtype=object))
    metres = np.concatenate(pieces)
    turn = random.uniform(0, np.pi / 2)
    rotated = metres @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    lon0, lat0 = 139.0 + 0.045 * (town % 12), 35.2 + 0.036 * (town // 12)
    lat = lat0 + rotated[..., 1] / M_PER_DEGREE
    lon = lon0 + rotated[..., 0] / (M_PER_DEGREE * np.cos(np.radians(lat0)))
    height = 20.0 + 4.0 * np.sin(metres[..., 0] / 300.0) + 3.0 * np.cos(metres[..., 1] / 200.0)
    said = {"width_m": np.concatenate(width), "turn_direction": np.concatenate(turns)}
    return np.stack([lon, lat, height], axis=2), said


def _street(start: Array, end: Array, way: Array, beside_m: Array) -> Array:
    """Lanes between crossings, to the left of the middle, a little bent."""
    left = np.array([-way[1], way[0]])
    first, last = start + way * HALF_CROSSING_M, end - way * HALF_CROSSING_M
    line = first[:, None] + ALONG[None, :, None] * (last - first)[:, None]
    bend = 0.6 * np.sin(np.pi * ALONG)[None, :, None] * left
    found: Array = line + bend + beside_m[:, None, None] * left
    return found


def _across(middle: Array, way: Array, out: Array) -> Array:
    """Lanes over crossings, from where one comes ``way`` to where one leaves ``out``."""
    left, left_out = np.array([-way[1], way[0]]), np.array([-out[1], out[0]])
    first = middle - way * HALF_CROSSING_M + 1.5 * left
    last = middle + out * HALF_CROSSING_M + 1.5 * left_out
    bend = middle + 1.5 * (left + left_out) * (0.5 if (way == out).all() else 1.0)
    t = ALONG[None, :, None]
    found: Array = (
        (1 - t) ** 2 * first[:, None] + 2 * t * (1 - t) * bend[:, None] + t**2 * last[:, None]
    )
    return found


def write_osm(path: Path, count: int) -> None:
    """``count`` lanes and their two boundaries each as a Lanelet2 map (``.osm``)."""
    frame = lanes(count)
    points = shapely.get_coordinates(frame.geometry.to_numpy(), include_z=True).reshape(
        count, VERTICES, 3
    )
    scale = np.array([M_PER_DEGREE * np.cos(np.radians(points[0, 0, 1])), M_PER_DEGREE])
    way = np.gradient(points[..., :2] * scale, axis=1)
    way /= np.linalg.norm(way, axis=2, keepdims=True)
    half = (
        frame["width_m"].to_numpy()[:, None, None] / 2 * np.stack([-way[..., 1], way[..., 0]], axis=2)
    )
    with path.open("w") as file:
        file.write('<osm version="0.6" generator="bench">\n')
        sides = [points[..., :2] + half / scale, points[..., :2] - half / scale]
        for lane in range(count):
            for side, line in enumerate(sides):
                first = (2 * lane + side) * VERTICES + 1
                for at, (lon, lat) in enumerate(line[lane].tolist()):
                    file.write(
                        f'<node id="{first + at}" lat="{lat:.9f}" lon="{lon:.9f}">'
                        f'<tag k="ele" v="{points[lane, at, 2]:.3f}"/></node>\n'
                    )
        ways = 2 * count * VERTICES + 1
        for number in range(2 * count):
            nodes = "".join(f'<nd ref="{number * VERTICES + 1 + at}"/>' for at in range(VERTICES))
            tags = '<tag k="type" v="line_thin"/><tag k="subtype" v="solid"/>'
            file.write(f'<way id="{ways + number}">{nodes}{tags}</way>\n')
        for lane in range(count):
            left, right = ways + 2 * lane, ways + 2 * lane + 1
            file.write(
                f'<relation id="{ways + 2 * count + lane}">'
                f'<member type="way" role="left" ref="{left}"/>'
                f'<member type="way" role="right" ref="{right}"/><tag k="type" v="lanelet"/>'
                '<tag k="subtype" v="road"/><tag k="location" v="urban"/><tag k="one_way" v="yes"/>'
                "</relation>\n"
            )
        file.write("</osm>\n")
