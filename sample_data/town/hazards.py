"""Hazard zones: river flood, tsunami and landslide, and the flood that came on the rain day."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import shapely
from rasterio.features import shapes
from rasterio.transform import Affine
from scipy.ndimage import distance_transform_edt, gaussian_filter, zoom
from shapely.geometry import Point, Polygon, shape

from sample_data.town.coast import Coast
from sample_data.town.curves import fractal_noise, round_corners, smoothstep
from sample_data.town.frame import Array, random_numbers
from sample_data.town.terrain import CELL_M, COLUMNS, NORTH, ROWS, WEST, Terrain, burn, cell_centres

FLOOD_CLASSES = [(1, 0.0, 0.5), (2, 0.5, 3.0), (3, 3.0, 5.0)]
TSUNAMI_CLASSES = [(0.01, 0.3), (0.3, 1.0), (1.0, 2.0), (2.0, 5.0), (5.0, 10.0)]
FINE = 2  # zones are traced on a grid twice as fine as the terrain's


@dataclass(frozen=True)
class Zone:
    """An area of one depth class (metres) or, for landslides, of one phenomenon and category."""

    hazard: str
    depth_min_m: float | None
    depth_max_m: float | None
    rank: int
    name: str
    geometry: shapely.Geometry


@dataclass(frozen=True)
class Hazards:
    """Planned-for zones, and the water of the rain day: its depth grid (m) and its outline."""

    flood: list[Zone]
    tsunami: list[Zone]
    landslide: list[Zone]
    event_depth_m: Array
    event: shapely.Geometry


def make_hazards(coast: Coast, terrain: Terrain) -> Hazards:
    """Flood over the river plain, tsunami along the coast, landslides below steep slopes."""
    flood, event, tsunami = _depths(coast, terrain)
    land = shapely.difference(coast.island, coast.fresh_water)
    flood_zones = [
        Zone("flood", low, high, rank, "潮見川水系潮見川", geometry)
        for (rank, low, high), geometry in zip(
            FLOOD_CLASSES,
            _bands(flood, [low for _, low, _ in FLOOD_CLASSES], land),
            strict=True,
        )
    ]
    tsunami_zones = [
        Zone("tsunami", low, high, rank, "潮見湾沿岸", geometry)
        for rank, ((low, high), geometry) in enumerate(
            zip(
                TSUNAMI_CLASSES,
                _bands(tsunami, [low for low, _ in TSUNAMI_CLASSES], land),
                strict=True,
            ),
            1,
        )
    ]
    outline = _bands(event, [0.12], land)[0]
    return Hazards(flood_zones, tsunami_zones, _landslides(coast, terrain), event, outline)


def _depths(coast: Coast, terrain: Terrain) -> tuple[Array, Array, Array]:
    """Depth grids: the largest assumed flood, the rain day's flood, the tsunami."""
    x, y = cell_centres()
    upstream = np.clip(y + 700, 0, None)
    floor = (
        1.3
        + 1.2 * (1 - np.exp(-terrain.sea_distance_m / 220))
        + 0.0045 * upstream
        + 0.0000013 * upstream**2
    )
    away = terrain.river_distance_m
    rng = random_numbers("flood")
    patchy = fractal_noise(rng, (ROWS, COLUMNS), 12)
    patches = fractal_noise(rng, (ROWS, COLUMNS), 5)
    reach = smoothstep(y, 2300, 1500)
    assumed = 3.75 * np.exp(-((away / 470) ** 1.7)) * reach + floor - terrain.height_m + 0.16 * patchy
    assumed -= 2.2 * smoothstep(away, 560, 980)
    # The east bank broke north of the railway bridge; west of it the water only topped the bank.
    breach = 1.75 * np.exp(-(((x - 620) / 340) ** 2) - ((y - 340) / 300) ** 2)
    upper = 1.15 * np.exp(-(((x - 560) / 260) ** 2) - ((y - 960) / 300) ** 2)
    west = 1.15 * np.exp(-(((x - 215) / 120) ** 2) - ((y - 640) / 260) ** 2)
    lower = 0.95 * np.exp(-(((x - 560) / 190) ** 2) - ((y + 480) / 220) ** 2)
    event = breach + upper + west + lower - 0.42 + 0.16 * patchy + 0.17 * patches
    event += 0.6 * np.exp(-(((away - 10) / 26) ** 2)) * (y < 1500) + 0.45 * (floor - terrain.height_m)
    event = np.where((away > 700) | (terrain.height_m > floor + 1.2), -1.0, event)
    run_up = 6.4 - 0.0105 * terrain.sea_distance_m + 0.5 * patchy
    along_river = 4.2 * np.exp(-((away / 110) ** 2)) - 0.0011 * upstream
    open_coast = _open_to_the_bay(coast)
    tsunami = np.maximum(run_up * open_coast - terrain.height_m, along_river - 0.35 * terrain.height_m)
    tsunami = np.where((terrain.sea_distance_m < 520) | (away < 140), tsunami, -1.0)
    masked = [
        np.where(terrain.land, gaussian_filter(depth, 1.1), -1.0) for depth in (assumed, event, tsunami)
    ]
    return masked[0], masked[1], masked[2]


def _open_to_the_bay(coast: Coast) -> Array:
    """1 on the south coast, less behind the breakwaters and on the far side of the island."""
    _, y = cell_centres()
    shelter = burn(shapely.union_all([part[3].buffer(30) for part in coast.breakwaters[:3]]))
    lee = np.exp(-distance_transform_edt(~shelter, sampling=CELL_M) / 330)
    return (1 - 0.22 * lee) * (0.62 + 0.38 * smoothstep(-y, -900, 300))


def _bands(depth: Array, thresholds: list[float], within: shapely.Geometry) -> list[shapely.Geometry]:
    """Areas between successive thresholds: traced, rounded, and cut so that they tile."""
    fine = zoom(depth, FINE, order=1, grid_mode=True, mode="nearest")
    above = [_trace(fine > low) for low in thresholds]
    for number in range(1, len(above)):
        above[number] = shapely.intersection(above[number], above[number - 1])
    above = [shapely.intersection(area, within) for area in above]
    above.append(Polygon())
    bands = [shapely.difference(low, high, grid_size=0.05) for low, high in pairwise(above)]
    return [_only_polygons(band) for band in bands]


def _trace(mask: Array) -> shapely.Geometry:
    """The outline of a mask with the stairs of its cells smoothed away."""
    transform = Affine(CELL_M / FINE, 0, WEST, 0, -CELL_M / FINE, NORTH)
    found = shapes(mask.astype("uint8"), mask=mask, connectivity=4, transform=transform)
    parts = [shape(geometry) for geometry, _ in found]
    parts = [part for part in parts if part.area > 600]
    if not parts:
        return Polygon()
    area = shapely.union_all([shapely.simplify(part, 5.5) for part in parts])
    area = round_corners(area)
    filled = [
        Polygon(part.exterior, [ring for ring in part.interiors if Polygon(ring).area > 500])
        for part in shapely.get_parts(area)
    ]
    return shapely.simplify(shapely.union_all(filled), 1.3)


def _only_polygons(geometry: shapely.Geometry) -> shapely.Geometry:
    parts = [
        part for part in shapely.get_parts(geometry) if part.geom_type == "Polygon" and part.area > 30
    ]
    return shapely.union_all(parts)


SLIDES = [
    ("山手一丁目A", 1, (-1150, 330), 70, 34),
    ("山手一丁目B", 1, (-1160, 190), 60, 30),
    ("山手二丁目", 1, (-1150, 640), 85, 36),
    ("山手北", 1, (-1060, 850), 70, 30),
    ("城山西", 1, (-1020, -60), 62, 28),
    ("城山東", 1, (-800, -40), 55, 26),
    ("岬口", 1, (-1215, -640), 95, 34),
    ("鏡ヶ池沢", 2, (-1000, 1010), 190, 52),
    ("西山沢", 2, (-1230, 480), 210, 48),
    ("日の出", 1, (1420, 520), 80, 34),
    ("東谷沢", 2, (1440, 760), 220, 56),
    ("北谷沢", 2, (-420, 1560), 230, 50),
    ("沢田地すべり", 3, (1560, 1560), 210, 120),
]


def _landslides(coast: Coast, terrain: Terrain) -> list[Zone]:
    """Warning areas laid along the fall of the slope, each steep one with its special area inside."""
    south, east = np.gradient(gaussian_filter(terrain.height_m, 6), CELL_M)
    zones = []
    for number, (name, kind, xy, length, width) in enumerate(SLIDES):
        rng = random_numbers(f"slide {number}")
        at = np.array([xy], float)
        fall = np.array([-terrain.sample(east, at)[0], terrain.sample(south, at)[0]])
        fall = fall / max(float(np.hypot(*fall)), 1e-9)
        across = np.array([-fall[1], fall[0]])
        if kind == 1:  # a slope failure area is wide and short
            length, width = width * 2, length * 1.4
        for category, scale in ((1, 1.0), (2, 0.52)):
            if category == 2 and kind == 3:
                continue
            angle = np.linspace(0, 2 * np.pi, 18, endpoint=False)
            wobble = 1 + 0.13 * rng.standard_normal(18)
            u, v = (
                np.cos(angle) * length / 2 * scale * wobble,
                np.sin(angle) * width / 2 * scale * wobble,
            )
            fan = 1 + 0.35 * np.cos(angle) * (kind == 2)
            ring = np.array(xy) + u[:, None] * fall + (v * fan)[:, None] * across
            area = shapely.intersection(round_corners(Polygon(ring), 2), coast.island)
            zones.append(Zone("landslide", None, None, kind * 10 + category, name, area))
    return zones


def depth_at(hazards: Hazards, terrain: Terrain, points: list[Point]) -> Array:
    """Depth of the rain day's water at points, in metres, 0 where dry."""
    xy = shapely.get_coordinates(points)
    return np.clip(terrain.sample(hazards.event_depth_m, xy), 0, None)
