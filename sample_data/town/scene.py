"""What a satellite sees: the town rendered in four bands, before and after the flood."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely
from pyproj import Transformer
from rasterio.features import rasterize
from rasterio.transform import Affine
from scipy.ndimage import gaussian_filter

from sample_data.town import paint
from sample_data.town.frame import ORIGIN_PLANE, PLANE_EPSG, Array, random_numbers
from sample_data.town.terrain import Terrain

if TYPE_CHECKING:
    from sample_data.town.town import Town

SCENE_EPSG = 32654  # WGS 84 / UTM 54N
PIXEL_M = 5.0
SIZE = 640
OVERSAMPLE = 2
STEPS = np.array([25, 25, 25, 90])  # of 10,000, per band: finer is only noise, and twice the file
WEST_XY, NORTH_XY = -1680.0, 1780.0
_to_scene = Transformer.from_crs(PLANE_EPSG, SCENE_EPSG, always_xy=True)


@dataclass(frozen=True)
class Canvas:
    """The fine grid that is painted on: its transform and the local metres of its pixels."""

    transform: Affine
    x: Array
    y: Array

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the fine grid."""
        return self.x.shape

    def on_grid(self, terrain: Terrain, grid: Array) -> Array:
        """One of the terrain's grids on the pixels of the canvas."""
        return terrain.sample(grid, np.column_stack([self.x.ravel(), self.y.ravel()])).reshape(
            self.shape
        )

    def mask(self, geometry: shapely.Geometry) -> Array:
        """True in the pixels of a local geometry."""
        moved = shapely.transform(geometry, to_scene)
        if moved.is_empty:
            return np.zeros(self.shape, bool)
        return rasterize([moved], self.shape, transform=self.transform, dtype="uint8").astype(bool)

    def label(self, geometries: list[shapely.Geometry], all_touched: bool = False) -> Array:
        """The number (from 1) of the geometry in each pixel, 0 where none is."""
        moved = [(shapely.transform(item, to_scene), k) for k, item in enumerate(geometries, 1)]
        return rasterize(
            moved, self.shape, transform=self.transform, dtype="int32", all_touched=all_touched
        )


def to_scene(xy: Array) -> Array:
    """Local metres (n, 2) to the scene's CRS."""
    plane = np.asarray(xy, float) + np.array(ORIGIN_PLANE)
    return np.column_stack(_to_scene.transform(plane[:, 0], plane[:, 1]))


def scene_transform() -> Affine:
    """The geotransform of the finished scene; its corner lies on whole pixels."""
    east, north = to_scene(np.array([[WEST_XY, NORTH_XY]]))[0]
    west, top = np.floor(east / PIXEL_M) * PIXEL_M, np.ceil(north / PIXEL_M) * PIXEL_M
    return Affine(PIXEL_M, 0, west, 0, -PIXEL_M, top)


def make_canvas() -> Canvas:
    """The fine grid of the scene."""
    coarse = scene_transform()
    cell = PIXEL_M / OVERSAMPLE
    transform = Affine(cell, 0, coarse.c, 0, -cell, coarse.f)
    at = (np.arange(SIZE * OVERSAMPLE) + 0.5) * cell
    east, north = np.meshgrid(coarse.c + at, coarse.f - at)
    plane = _to_scene.transform(east.ravel(), north.ravel(), direction="INVERSE")
    x, y = (
        np.reshape(value, east.shape) - origin
        for value, origin in zip(plane, ORIGIN_PLANE, strict=True)
    )
    return Canvas(transform, x, y)


def render(town: Town, after: bool) -> Array:
    """The scene as uint16 (4, SIZE, SIZE): blue, green, red, near infrared reflectance times 10000."""
    canvas = make_canvas()
    ground = paint.paint_ground(canvas, town)
    if after:
        paint.flood(ground, canvas, town)
    paint.paint_roofs(ground, canvas, town, after)
    paint.shade(ground, canvas, town, sun_elevation_deg=47 if after else 51)
    paint.haze(ground, canvas, after)
    return _develop(ground, after)


def _develop(ground: Array, after: bool) -> Array:
    """Average to the scene's pixels, blur by the sensor's optics, add its noise, and count in steps."""
    rows = SIZE
    coarse = ground.reshape(4, rows, OVERSAMPLE, rows, OVERSAMPLE).mean(axis=(2, 4))
    coarse = gaussian_filter(coarse, (0, 0.42, 0.42))
    rng = random_numbers(f"sensor {after}")
    coarse += rng.standard_normal(coarse.shape) * np.array([5, 6, 6, 10])[:, None, None] / 10_000
    steps = STEPS[:, None, None]
    counts = np.clip(np.round(coarse * 10_000 / steps) * steps, steps, 12_000)
    return counts.astype("uint16")
