"""Heights above Tokyo Peil: plain, valley and hills on a 10 m grid over the island."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from rasterio.features import rasterize
from rasterio.transform import Affine
from scipy.ndimage import distance_transform_edt, gaussian_filter, map_coordinates

from sample_data.town.coast import Coast
from sample_data.town.curves import fractal_noise, smoothstep
from sample_data.town.frame import Array, random_numbers

CELL_M = 10.0
WEST, NORTH = -6000.0, 5600.0
COLUMNS, ROWS = 1200, 830

# x, y, height, radius east-west, radius north-south
HILLS = [
    (-1560, 700, 150, 420, 560), (-1420, -1350, 74, 150, 420), (-2300, -600, 190, 560, 420),
    (-900, -60, 46, 125, 120), (-2300, 2300, 430, 900, 900), (-900, 3700, 330, 900, 700),
    (1900, 2900, 380, 900, 700), (1750, 700, 118, 330, 480), (2250, -1250, 105, 260, 420),
    (3300, 700, 300, 800, 900), (-3450, 1450, 260, 700, 700), (3900, 2100, 240, 800, 600),
    (-700, 1500, 120, 260, 420), (760, 2150, 170, 330, 420), (2500, -300, 90, 380, 260),
]  # fmt: skip


@dataclass(frozen=True)
class Terrain:
    """Grids of (ROWS, COLUMNS), north up: height, distance to the sea, distance to the river (m)."""

    height_m: Array
    sea_distance_m: Array
    river_distance_m: Array
    land: Array

    def sample(self, grid: Array, xy: Array) -> Array:
        """Values of one of the grids at local metres (n, 2), bilinear."""
        xy = np.asarray(xy, float)
        row = (NORTH - xy[:, 1]) / CELL_M - 0.5
        column = (xy[:, 0] - WEST) / CELL_M - 0.5
        return map_coordinates(grid, [row, column], order=1, mode="nearest")

    def height(self, xy: Array) -> Array:
        """Height in metres above Tokyo Peil at local metres (n, 2)."""
        return self.sample(self.height_m, xy)

    def slope(self) -> Array:
        """Steepness (m per m) on the grid."""
        south, east = np.gradient(self.height_m, CELL_M)
        return np.hypot(south, east)


def cell_centres() -> tuple[Array, Array]:
    """Columns x and rows y of the grid's cells, each (ROWS, COLUMNS)."""
    x = WEST + (np.arange(COLUMNS) + 0.5) * CELL_M
    y = NORTH - (np.arange(ROWS) + 0.5) * CELL_M
    return tuple(np.meshgrid(x, y))


def burn(geometry: shapely.Geometry) -> Array:
    """1 where a cell's centre lies in the geometry, else 0."""
    transform = Affine(CELL_M, 0, WEST, 0, -CELL_M, NORTH)
    return rasterize([geometry], (ROWS, COLUMNS), transform=transform, dtype="uint8").astype(bool)


def make_terrain(coast: Coast) -> Terrain:
    """Raise the land: a plain that rises gently inland, hills that keep clear of the river."""
    x, y = cell_centres()
    land = burn(coast.island)
    sea_distance = distance_transform_edt(land, sampling=CELL_M)
    river = burn(shapely.union_all([coast.river.buffer(9), coast.branch.buffer(9)]))
    river_distance = distance_transform_edt(~river, sampling=CELL_M)
    stream = burn(coast.tributary.buffer(7))
    stream_distance = distance_transform_edt(~stream, sampling=CELL_M)
    upstream = np.clip(y + 700, 0, None)
    floor = 1.3 + 1.2 * (1 - np.exp(-sea_distance / 220)) + 0.0045 * upstream + 0.0000013 * upstream**2
    hills = sum(h * np.exp(-(((x - a) / rx) ** 2 + ((y - b) / ry) ** 2)) for a, b, h, rx, ry in HILLS)
    noise = fractal_noise(random_numbers("terrain"), (ROWS, COLUMNS), 34)
    hills = hills * (1 + 0.24 * noise) + 6 * np.clip(noise, 0, None) * smoothstep(
        sea_distance, 200, 900
    )
    valley = smoothstep(river_distance, 130, 620 + 0.06 * upstream)
    valley *= 0.25 + 0.75 * smoothstep(stream_distance, 60, 380)
    coast_ramp = smoothstep(sea_distance, 0, 190)
    height = floor + hills * valley * coast_ramp
    # Levees: the banks stand half a metre above the plain behind them.
    height += 0.55 * np.exp(-(((river_distance - 48) / 24) ** 2)) * (y < 1500)
    height = gaussian_filter(height, 1.2)
    bed = 0.2 + 0.0038 * upstream
    height = np.where(river_distance < 12, np.minimum(height, bed), height)
    height = np.where(
        land, np.maximum(height, 0.9), -2.0 - 0.02 * distance_transform_edt(~land, sampling=CELL_M)
    )
    return Terrain(height, sea_distance, np.minimum(river_distance, stream_distance + 60), land)
