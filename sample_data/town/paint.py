"""The colours of the town: reflectance of sea, fields, woods, streets and roofs in four bands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely
from scipy.ndimage import distance_transform_edt, gaussian_filter
from shapely.affinity import rotate, translate
from shapely.geometry import Point, Polygon

from sample_data.town.coast import QUAYS
from sample_data.town.curves import fractal_noise, smooth_noise, smoothstep
from sample_data.town.facilities import FACILITIES
from sample_data.town.frame import Array, random_numbers

if TYPE_CHECKING:
    from sample_data.town.scene import Canvas
    from sample_data.town.town import Town

# Reflectance in blue, green, red, near infrared.
DEEP_SEA = (0.042, 0.040, 0.022, 0.010)
SHALLOW = (0.088, 0.118, 0.072, 0.022)
RIVER = (0.060, 0.078, 0.058, 0.028)
SAND = (0.160, 0.205, 0.240, 0.300)
CONCRETE = (0.160, 0.177, 0.190, 0.215)
YARD = (0.088, 0.108, 0.112, 0.225)
MEADOW = (0.055, 0.086, 0.068, 0.310)
PAVED = (0.125, 0.137, 0.145, 0.172)
ASPHALT = (0.092, 0.099, 0.104, 0.125)
TRACK = (0.120, 0.145, 0.165, 0.235)
BALLAST = (0.105, 0.112, 0.118, 0.140)
FOREST = (0.034, 0.060, 0.041, 0.330)
PINE = (0.029, 0.048, 0.034, 0.245)
GRASS = (0.045, 0.078, 0.052, 0.370)
PLAYGROUND = (0.150, 0.185, 0.215, 0.270)
MUD = (0.102, 0.138, 0.168, 0.088)
MUD_DEEP = (0.088, 0.122, 0.148, 0.060)
SCAR = (0.115, 0.150, 0.190, 0.235)
FIELDS = [  # ripe rice, green rice, cut stubble, vegetables, bare soil, greenhouse film, fallow
    (0.058, 0.098, 0.096, 0.360),
    (0.038, 0.076, 0.048, 0.410),
    (0.098, 0.125, 0.142, 0.270),
    (0.046, 0.082, 0.056, 0.385),
    (0.088, 0.108, 0.128, 0.195),
    (0.200, 0.214, 0.218, 0.270),
    (0.060, 0.088, 0.078, 0.300),
]
FIELD_SHARE = [0.40, 0.22, 0.12, 0.09, 0.07, 0.02, 0.08]
ROOFS = [  # grey and dark tile, blue steel, brown tile, white flat, red steel, concrete
    (0.108, 0.116, 0.120, 0.145),
    (0.062, 0.066, 0.068, 0.088),
    (0.150, 0.138, 0.112, 0.160),
    (0.082, 0.098, 0.128, 0.175),
    (0.265, 0.278, 0.282, 0.300),
    (0.078, 0.088, 0.165, 0.215),
    (0.178, 0.190, 0.196, 0.215),
]
ROOF_SHARE = {
    "old": [0.42, 0.3, 0.04, 0.18, 0.02, 0.03, 0.01],
    "flat": [0.2, 0.07, 0.12, 0.05, 0.15, 0.04, 0.37],
    "house": [0.3, 0.24, 0.13, 0.17, 0.06, 0.06, 0.04],
}


def _fill(
    ground: Array, mask: Array, colour: tuple[float, ...], variation: Array | float = 1.0
) -> None:
    value = np.asarray(variation)
    for band in range(4):
        ground[band][mask] = colour[band] * (value[mask] if value.ndim else value)


def _blend(ground: Array, weight: Array, colour: tuple[float, ...]) -> None:
    for band in range(4):
        ground[band] += weight * (colour[band] - ground[band])


def paint_ground(canvas: Canvas, town: Town) -> Array:
    """Everything but roofs, on a dry day: (4, rows, columns)."""
    rng = random_numbers("paint")
    broad = fractal_noise(rng, canvas.shape, 90)
    medium = fractal_noise(rng, canvas.shape, 14)
    fine = smooth_noise(rng, canvas.shape, 1.1)
    ground = np.zeros((4, *canvas.shape))
    land = canvas.mask(town.coast.island)
    _paint_sea(ground, canvas, town, land, broad, medium, fine)
    _paint_vegetation(ground, canvas, town, land, medium, fine, broad)
    _paint_fields(ground, canvas, town, fine)
    _paint_settled(ground, canvas, town, medium, fine)
    _paint_shore(ground, canvas, town, land, fine)
    river = canvas.mask(town.coast.fresh_water)
    _fill(ground, river, RIVER, 1 + 0.05 * medium)
    rocks = canvas.label([part[3] for part in town.coast.breakwaters]) > 0
    _fill(ground, rocks, CONCRETE, 1 + 0.12 * fine)
    return ground


def _paint_sea(
    ground: Array, canvas: Canvas, town: Town, land: Array, broad: Array, medium: Array, fine: Array
) -> None:
    offshore = distance_transform_edt(~land, sampling=2.5)
    shallow = np.exp(-offshore / (120 + 25 * broad.clip(-2, 2))) * smoothstep(canvas.x, -1250, -150)
    shallow = np.clip(shallow * 0.75 + 0.25 * np.exp(-offshore / 40) + 0.018 * medium, 0, 1)
    swell = np.sin((canvas.y * 0.94 + canvas.x * 0.34 + 26 * broad) / 8.5) * smoothstep(
        offshore, 60, 500
    )
    for band in range(4):
        ground[band] = DEEP_SEA[band] + shallow * (SHALLOW[band] - DEEP_SEA[band])
        ground[band] *= 1 + 0.035 * swell + 0.03 * fine + 0.05 * broad
    surf = np.exp(-(((offshore - 11 - 4 * medium) / 5.5) ** 2)) * (canvas.x > 250) * (fine > -0.4)
    surf += (
        np.exp(-((offshore / 7) ** 2))
        * (canvas.on_grid(town.terrain, town.terrain.slope()) > 0.25)
        * (fine > 0.2)
    )
    _blend(ground, np.clip(surf, 0, 1) * ~land * 0.5, (0.3, 0.31, 0.3, 0.24))


def _paint_vegetation(
    ground: Array, canvas: Canvas, town: Town, land: Array, medium: Array, fine: Array, broad: Array
) -> None:
    woods = 0.75 + 0.14 * fine + 0.16 * medium
    _fill(ground, land, FOREST, woods)
    conifers = land & (medium + 0.7 * broad > 0.75)
    _fill(ground, conifers, PINE, 0.9 + 0.12 * fine)


def _paint_fields(ground: Array, canvas: Canvas, town: Town, fine: Array) -> None:
    """Parcels of 30 by 100 m that follow the farm tracks of their quarter."""
    rng = random_numbers("fields")
    for area, quarter in town.farm_quarters():
        inside = canvas.mask(shapely.intersection(area.geometry, shapely.box(-1800, 560, 1800, 1990)))
        angle = np.radians(quarter.angle_deg)
        u = canvas.x * np.cos(angle) + canvas.y * np.sin(angle)
        v = -canvas.x * np.sin(angle) + canvas.y * np.cos(angle)
        column = np.floor(u / 31).astype(int) % 997
        row = np.floor((v + 11 * (column % 3)) / (quarter.block_m[1] * 0.5)).astype(int) % 991
        kind = rng.choice(len(FIELDS), (997, 991), p=FIELD_SHARE)[column, row]
        tone = (1 + 0.13 * rng.standard_normal((997, 991)))[column, row]
        rows_of_crop = 1 + 0.05 * np.sin(v * 1.3) + 0.06 * fine
        for number, colour in enumerate(FIELDS):
            chosen = inside & (kind == number)
            _fill(ground, chosen, colour, tone * rows_of_crop)
        edge = inside & (
            (np.abs((u / 31) % 1 - 0.5) > 0.46)
            | (np.abs((v / (quarter.block_m[1] * 0.5)) % 1 - 0.5) > 0.475)
        )
        _blend(ground, edge * 0.6, GRASS)


def _paint_settled(ground: Array, canvas: Canvas, town: Town, medium: Array, fine: Array) -> None:
    """Gardens and yards around houses, paved ground in the centre and port, then streets and tracks."""
    lots = [area for style in ("centre", "house", "old", "hill") for area in town.quarter_areas(style)]
    slope = canvas.on_grid(town.terrain, gaussian_filter(town.terrain.slope(), 1.5))
    flat = 1 - smoothstep(slope + 0.05 * medium + 0.02 * fine, 0.15, 0.2)
    _blend(
        ground,
        (canvas.label([area.geometry for area in lots]) > 0)
        * flat
        * (0.74 + 0.22 * np.tanh(2 * medium)),
        MEADOW,
    )
    near = gaussian_filter((canvas.label([b.footprint for b in town.buildings]) > 0).astype(float), 7)
    settled = smoothstep(near, 0.035, 0.12) * canvas.mask(town.coast.island)
    _blend(ground, settled, YARD)
    garden = settled * (medium + 0.8 * fine > 0.55)
    _blend(ground, garden * 0.8, GRASS)
    for style in ("centre", "port"):
        for area in town.quarter_areas(style):
            paved = canvas.mask(area.geometry) * (0.75 if style == "centre" else 0.95)
            _blend(
                ground, paved * (0.85 + 0.1 * np.tanh(fine)), PAVED if style == "centre" else CONCRETE
            )
    quays = canvas.label([Polygon(points) for points in QUAYS]) > 0
    _blend(ground, quays * (0.9 + 0.08 * np.tanh(fine)), CONCRETE)
    for facility in FACILITIES:
        if facility.size_m is None:
            lawn = shapely.box(-46, -34, 46, 34).buffer(8)
            lawn = translate(rotate(lawn, 3 * len(facility.name)), *facility.xy)
            _blend(ground, canvas.mask(lawn) * (0.85 + 0.1 * np.tanh(medium)), GRASS)
    for item in town.buildings:
        if "学校" in item.name or "分校" in item.name:
            _blend(ground, canvas.mask(_schoolyard(item.footprint)) * 0.92, PLAYGROUND)
    open_air = [link for link in town.streets.links if not link.tunnel]
    for colour, chosen in (
        (TRACK, [link for link in open_air if link.route.road_class == "track"]),
        (ASPHALT, [link for link in open_air if link.route.road_class != "track"]),
    ):
        verges = [link.line.buffer(link.half_width_m, cap_style="flat") for link in chosen]
        _blend(ground, (canvas.label(verges) > 0) * (0.6 if colour is ASPHALT else 0.3), PAVED)
        lanes = [link.line.buffer(max(link.route.width_m, 3.2) / 2) for link in chosen]
        _blend(ground, (canvas.label(lanes) > 0) * 0.95, colour)
    for line, tunnel in town.streets.railway:
        if not tunnel:
            _blend(ground, canvas.mask(line.buffer(3.2)) * 0.9, BALLAST)
    yard_of_station = shapely.LineString([(-420, 342), (-90, 338)]).buffer(9)
    _blend(ground, canvas.mask(yard_of_station) * 0.85, BALLAST)
    _blend(ground, canvas.mask(shapely.box(-292, 282, -206, 322)) * 0.9, PAVED)


def _schoolyard(school: Polygon) -> Polygon:
    """The ground before a school: as long as the building, on its southern side."""
    corners = sorted(school.exterior.coords[:4], key=lambda point: point[1])
    a, b = np.array(corners[0]), np.array(corners[1])
    if np.hypot(*(b - a)) < 30:
        b = np.array(corners[2])
    along = (b - a) / np.hypot(*(b - a))
    south = np.array([along[1], -along[0]]) * (1 if along[0] > 0 else -1)
    return Polygon(
        [a - 4 * along, b + 4 * along, b + 4 * along + 46 * south, a - 4 * along + 46 * south]
    )


def _paint_shore(ground: Array, canvas: Canvas, town: Town, land: Array, fine: Array) -> None:
    inland = distance_transform_edt(land, sampling=2.5)
    beach = land & (inland < 24 + 5 * fine) & (canvas.x > 150) & (canvas.x < 1720) & (canvas.y < -430)
    _fill(ground, beach, SAND, 1 + 0.07 * fine)
    rock = land & (inland < 9) & ~beach & (canvas.y < -700)
    _fill(ground, rock, (0.11, 0.12, 0.125, 0.15), 1 + 0.25 * fine)


def paint_roofs(ground: Array, canvas: Canvas, town: Town, after: bool) -> None:
    """Roofs in the mix of their quarter; each casts a short shadow to the north-west."""
    rng = random_numbers("roofs")
    styles = {area.name: area.style for area in town.areas}
    colours = np.zeros((len(town.buildings) + 1, 4))
    for number, item in enumerate(town.buildings, 1):
        flat = item.storeys >= 3 or item.footprint.area > 350
        share = ROOF_SHARE["flat" if flat else "old" if styles.get(item.quarter) == "old" else "house"]
        colours[number] = np.array(ROOFS[rng.choice(len(ROOFS), p=share)]) * rng.normal(1, 0.1)
    shapes = [item.footprint for item in town.buildings]
    tall = [item for item in town.buildings if item.height_m > 5]
    cast = [translate(item.footprint, -0.34 * item.height_m, 0.66 * item.height_m) for item in tall]
    shadow = canvas.label(cast) > 0
    ground *= 1 - 0.38 * shadow
    roof = canvas.label(shapes)
    covered = roof > 0
    for band in range(4):
        ground[band][covered] = colours[roof[covered], band]
    _boats(ground, canvas, after)


def _boats(ground: Array, canvas: Canvas, after: bool) -> None:
    rng = random_numbers(f"boats {after}")
    boats = []
    for x in np.arange(-820, -340, 7.5):
        if rng.random() < 0.62 and not -565 < x < -505:
            boats.append(
                Point(x, -652 if x > -700 else -683).buffer(1.0).envelope.buffer(rng.uniform(0.4, 1.6))
            )
    for _ in range(7):
        boats.append(Point(rng.uniform(-900, 900), rng.uniform(-1250, -880)).buffer(rng.uniform(2, 4)))
    _blend(ground, canvas.mask(shapely.union_all(boats)) * 0.85, (0.36, 0.36, 0.35, 0.33))


def flood(ground: Array, canvas: Canvas, town: Town) -> None:
    """Muddy water over the streets, a plume in the bay, and bare earth where the slope slid."""
    rng = random_numbers("mud")
    depth = canvas.on_grid(town.terrain, town.hazards.event_depth_m)
    streaks = fractal_noise(rng, canvas.shape, 16)
    wet = canvas.mask(town.hazards.event).astype(float)
    wet = gaussian_filter(wet, 1.2) * smoothstep(depth, 0.0, 0.22)
    silt = gaussian_filter(wet, 9) * (1 - wet)
    _blend(ground, silt * 0.35, SCAR)
    deep = smoothstep(depth + 0.08 * streaks, 0.5, 1.6)
    tint = 1 + 0.055 * streaks
    mixed = [m + deep * (d - m) for m, d in zip(MUD, MUD_DEEP, strict=True)]
    for band in range(4):
        ground[band] += 0.93 * wet * (mixed[band] * tint - ground[band])
    river = canvas.mask(shapely.union_all([part[2] for part in town.coast.rivers]))
    for band in range(4):
        ground[band][river] = (0.96 * MUD[band] * tint)[river]
    land = canvas.mask(town.coast.island)
    plume = np.zeros(canvas.shape)
    for x, y, reach in ((440, -720, 520), (810, -690, 400)):
        away = np.hypot((canvas.x - x + 0.55 * (canvas.y - y)) / 1.25, (canvas.y - y) * 0.9)
        plume = np.maximum(plume, np.exp(-((away / (reach * (1 + 0.2 * streaks))) ** 2)))
    swirl = fractal_noise(rng, canvas.shape, 44)
    rocks = canvas.label([part[3] for part in town.coast.breakwaters]) > 0
    plume = np.clip(plume * (1 + 0.35 * swirl), 0, 1) * ~land * ~rocks
    _blend(ground, 0.92 * plume, (0.098, 0.128, 0.132, 0.048))
    for zone in town.hazards.landslide:
        if zone.name in ("西山沢", "東谷沢") and zone.rank % 10 == 2:
            _blend(ground, gaussian_filter(canvas.mask(zone.geometry).astype(float), 1.5) * 0.92, SCAR)


def shade(ground: Array, canvas: Canvas, town: Town, sun_elevation_deg: float) -> None:
    """Light from the south-east on the hills."""
    height = canvas.on_grid(town.terrain, gaussian_filter(town.terrain.height_m, 0.8))
    down, right = np.gradient(np.maximum(height, 0), 2.5)
    sun = np.radians(sun_elevation_deg)
    azimuth = np.radians(142)
    light = (np.sin(sun) + np.cos(sun) * (np.sin(azimuth) * -right + np.cos(azimuth) * down)) / np.sqrt(
        1 + right**2 + down**2
    )
    ground *= np.clip(0.35 + 0.65 * light / np.sin(sun), 0.3, 1.5)


def haze(ground: Array, canvas: Canvas, after: bool) -> None:
    """A veil of air, and after the storm a few torn clouds with their shadows over hills and sea."""
    air = (0.012, 0.008, 0.005, 0.003) if after else (0.008, 0.005, 0.003, 0.002)
    ground += np.array(air)[:, None, None]
    rng = random_numbers("clouds")
    torn = fractal_noise(rng, canvas.shape, 64) - 1.2
    edge = smoothstep(
        np.maximum(-canvas.y - 900, np.maximum(canvas.y - 1180, -canvas.x - 1080)), 0, 330
    )
    amount = smoothstep(torn, 0.25, 1.3) * edge * (0.9 if after else 0.0)
    shadow = np.roll(amount, (-70, -52), axis=(0, 1))
    ground *= 1 - 0.45 * shadow
    _blend(ground, amount, (0.62, 0.62, 0.62, 0.64))
