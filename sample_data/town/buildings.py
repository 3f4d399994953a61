"""Buildings: lots along the streets, each house turned to its street."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import shapely
from shapely import affinity
from shapely.geometry import Point, Polygon, box

from sample_data.town.areas import Area
from sample_data.town.coast import Coast
from sample_data.town.facilities import FACILITIES, Facility
from sample_data.town.frame import random_numbers
from sample_data.town.network import Link, Streets
from sample_data.town.terrain import Terrain


@dataclass(frozen=True)
class Building:
    """A footprint with its use (都市計画基礎調査 terms), storeys and height."""

    id: str
    footprint: Polygon
    use: str
    storeys: int
    height_m: float
    name: str = ""
    quarter: str = ""


@dataclass(frozen=True)
class Habit:
    """How a quarter is built: lot frontage and depth ranges, share of built lots, storeys by share."""

    frontage_m: tuple[float, float]
    depth_m: tuple[float, float]
    built: float
    storeys: tuple[float, ...]
    setback_m: tuple[float, float]
    gap_m: float


HABITS = {
    "centre": Habit(
        (13, 23), (12, 19), 0.88, (0.06, 0.34, 0.26, 0.14, 0.1, 0.05, 0.03, 0.02), (0.6, 2.0), 1.2
    ),
    "house": Habit((13, 19), (9, 12.5), 0.6, (0.14, 0.79, 0.07), (1.6, 4.0), 2.6),
    "old": Habit((8.5, 14), (9.5, 15), 0.86, (0.22, 0.74, 0.04), (0.3, 0.9), 0.5),
    "hill": Habit((15, 22), (9.5, 12.5), 0.55, (0.1, 0.86, 0.04), (2.0, 4.5), 3.0),
    "port": Habit((18, 30), (12, 18), 0.5, (0.8, 0.2), (2.0, 4.0), 3.0),
    "farm": Habit((20, 32), (10, 14), 0.13, (0.3, 0.7), (3.0, 7.0), 6.0),
    "wild": Habit((20, 40), (9, 12), 0.05, (0.4, 0.6), (3.0, 6.0), 6.0),
}


def make_buildings(
    coast: Coast, terrain: Terrain, streets: Streets, areas: list[Area]
) -> list[Building]:
    """Public buildings first, then one house per lot where nothing else stands."""
    rail = shapely.union_all([line.buffer(6) for line, tunnel in streets.railway if not tunnel])
    blocked = shapely.union_all(
        [
            streets.surface,
            shapely.buffer(coast.fresh_water, 6),
            rail,
            coast.sea.intersection(box(-2500, -2500, 2500, 2500)).buffer(3),
        ]
    )
    shapely.prepare(blocked)
    public = place_public(streets, blocked)
    candidates = _lots(streets, areas, terrain)
    candidates = [
        item
        for item, hit in zip(
            candidates,
            shapely.intersects(blocked, [item.footprint for item in candidates]),
            strict=True,
        )
        if not hit
    ]
    candidates = _on_gentle_ground(candidates, terrain)
    parks = [Point(item.xy).buffer(52) for item in FACILITIES if item.size_m is None]
    yards = [
        item.footprint.buffer(26 if item.use == "文教厚生施設" and item.storeys > 2 else 4)
        for item in public
    ]
    kept = _without_overlap(candidates, shapely.union_all([*parks, *yards]))
    ordered = [*public, *kept]
    return [replace(item, id=f"B{number:05d}") for number, item in enumerate(ordered, 1)]


def place_public(streets: Streets, blocked: shapely.Geometry) -> list[Building]:
    """Each public building near its stated place, turned to the nearest street, clear of everything."""
    links = [link for link in streets.links if not link.tunnel and not link.bridge]
    tree = shapely.STRtree([link.line for link in links])
    placed: list[Building] = []
    for facility in FACILITIES:
        if facility.size_m is not None:
            footprint = _free_place(facility, links, tree, blocked, placed)
            height = _height(facility.storeys, 3.7)
            placed.append(
                Building("", footprint, facility.use, facility.storeys, height, facility.name)
            )
    return placed


def _free_place(
    facility: Facility,
    links: list[Link],
    tree: shapely.STRtree,
    blocked: shapely.Geometry,
    placed: list[Building],
) -> Polygon:
    assert facility.size_m is not None
    centre = Point(facility.xy)
    link = links[int(tree.nearest(centre))]
    at = link.line.project(centre)
    a, b = link.line.interpolate(max(at - 5, 0)), link.line.interpolate(min(at + 5, link.line.length))
    angle = np.degrees(np.arctan2(b.y - a.y, b.x - a.x))
    length, depth = facility.size_m
    for radius in range(0, 160, 5):
        for turn in range(0, 360, 30) if radius else [0]:
            x = facility.xy[0] + radius * np.cos(np.radians(turn))
            y = facility.xy[1] + radius * np.sin(np.radians(turn))
            for size in ((length, depth), (depth, length)):
                shape = affinity.rotate(
                    box(x - size[0] / 2, y - size[1] / 2, x + size[0] / 2, y + size[1] / 2), angle
                )
                if not blocked.intersects(shape) and all(
                    item.footprint.distance(shape) > 8 for item in placed
                ):
                    return shape
    raise ValueError(f"no free place for {facility.name}")


def _lots(streets: Streets, areas: list[Area], terrain: Terrain) -> list[Building]:
    """Walk both sides of every street and cut lots; wide streets first, they get the better corner."""
    districts = [area for area in areas if area.level == "district"]
    tree = shapely.STRtree([area.geometry for area in districts])
    rng = random_numbers("lots")
    links = [link for link in streets.links if not link.tunnel and not link.bridge]
    links.sort(key=lambda link: (-link.route.width_m, link.id))
    found = []
    for link in links:
        hits = tree.query(link.line.interpolate(0.5, normalized=True), predicate="intersects")
        if len(hits) == 0:
            continue
        district = districts[int(hits[0])]
        habit = HABITS[district.style]
        if link.route.road_class == "track":
            continue
        for side in (1.0, -1.0):
            found.extend(_frontage(link, side, habit, district, rng))
    return found


def _frontage(
    link: Link, side: float, habit: Habit, district: Area, rng: np.random.Generator
) -> list[Building]:
    lots = []
    at = rng.uniform(2, 7)
    while at < link.line.length - 5:
        front = rng.uniform(*habit.frontage_m)
        depth = rng.uniform(*habit.depth_m)
        setback = rng.uniform(*habit.setback_m)
        built, roll, bend = rng.random(), rng.random(), rng.random()
        a, b = link.line.interpolate(at), link.line.interpolate(min(at + front, link.line.length))
        at += front + habit.gap_m * rng.uniform(0.2, 1)
        heading = np.arctan2(b.y - a.y, b.x - a.x)
        if built > habit.built or a.distance(b) < 5:
            continue
        storeys = 1 + int(np.searchsorted(np.cumsum(habit.storeys), roll * 0.999))
        width = a.distance(b) - habit.gap_m * 0.6
        near = side * (link.half_width_m + setback)
        shape = _house(width, depth * side, near, bend, district.style)
        shape = affinity.rotate(shape, heading, origin=(0, 0), use_radians=True)
        shape = affinity.translate(shape, (a.x + b.x) / 2, (a.y + b.y) / 2)
        use = _use(district.style, link, storeys, float(rng.random()))
        lots.append(
            Building("", shape, use, storeys, _height(storeys, 3.0 + 0.25 * roll), "", district.name)
        )
    return lots


def _house(width: float, depth: float, near: float, bend: float, style: str) -> Polygon:
    """A rectangle, or an L for some detached houses, its street front along x at ``near``."""
    far = near + depth
    if style in ("house", "hill", "farm") and bend < 0.42:
        notch = width * (0.35 + 0.25 * bend) * (1 if bend < 0.21 else -1)
        step = near + depth * 0.45
        half = width / 2
        if notch > 0:
            points = [
                (-half, near),
                (half, near),
                (half, far),
                (half - notch, far),
                (half - notch, step),
                (-half, step),
            ]
        else:
            points = [
                (half, near),
                (-half, near),
                (-half, far),
                (-half - notch, far),
                (-half - notch, step),
                (half, step),
            ]
        return shapely.normalize(Polygon(points))
    return box(-width / 2, min(near, far), width / 2, max(near, far))


def _use(style: str, link: Link, storeys: int, roll: float) -> str:
    busy = link.route.road_class in ("trunk", "primary", "secondary") or (
        style == "centre" and roll < 0.6
    )
    if style == "port":
        return "運輸倉庫施設" if roll < 0.6 else "工場"
    if style in ("farm", "wild"):
        return "住宅" if roll < 0.7 else "農林漁業用施設"
    if busy and style != "hill":
        if storeys >= 5:
            return "業務施設" if roll < 0.35 else "共同住宅"
        return "商業施設" if roll < 0.4 else "店舗等併用住宅"
    if storeys >= 3:
        return "共同住宅"
    if style == "old":
        return "店舗等併用住宅" if roll < 0.22 else "住宅"
    return "共同住宅" if roll > 0.93 else "住宅"


def _height(storeys: int, storey_m: float) -> float:
    return round(storeys * storey_m + 1.1, 1)


def _on_gentle_ground(candidates: list[Building], terrain: Terrain) -> list[Building]:
    centres = shapely.get_coordinates(shapely.centroid([item.footprint for item in candidates]))
    steep = terrain.sample(terrain.slope(), centres)
    return [item for item, slope in zip(candidates, steep, strict=True) if slope < 0.28]


def _without_overlap(candidates: list[Building], reserved: shapely.Geometry) -> list[Building]:
    """The first of overlapping candidates stands, in the order given."""
    shapes = [item.footprint for item in candidates]
    shapely.prepare(reserved)
    alive = ~shapely.intersects(reserved, shapes)
    tree = shapely.STRtree(shapes)
    first, second = tree.query(
        shapely.buffer(shapes, 0.3, cap_style="square", join_style="mitre"), predicate="intersects"
    )
    rivals: dict[int, list[int]] = {}
    for a, b in zip(first, second, strict=True):
        if b < a:
            rivals.setdefault(int(a), []).append(int(b))
    for number in range(len(candidates)):
        if alive[number] and any(alive[other] for other in rivals.get(number, ())):
            alive[number] = False
    return [item for item, stands in zip(candidates, alive, strict=True) if stands]
