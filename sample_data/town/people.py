"""Where people live and where they are hour by hour, on JIS meshes."""

from __future__ import annotations

from dataclasses import dataclass

import jismesh.utils
import numpy as np
import shapely

from sample_data.town.buildings import Building
from sample_data.town.facilities import FACILITIES
from sample_data.town.frame import Array, random_numbers, to_lon_lat
from sample_data.town.hazards import Hazards, depth_at
from sample_data.town.terrain import Terrain

LEVELS = {500: 4, 250: 5, 125: 6}  # metres -> level of the jismesh package
LEAST = 10  # counts below are suppressed, as providers do
LEAST_HOUSEHOLDS = 4  # census figures of fewer are withheld
HOME = np.array(
    [
        0.96,
        0.97,
        0.97,
        0.97,
        0.96,
        0.93,
        0.84,
        0.66,
        0.52,
        0.46,
        0.44,
        0.43,
        0.44,
        0.44,
        0.45,
        0.48,
        0.53,
        0.6,
        0.69,
        0.78,
        0.85,
        0.9,
        0.94,
        0.96,
    ]
)
WORK = np.array(
    [
        0.03,
        0.02,
        0.02,
        0.02,
        0.03,
        0.06,
        0.2,
        0.52,
        0.8,
        0.92,
        0.95,
        0.96,
        0.9,
        0.94,
        0.95,
        0.92,
        0.84,
        0.62,
        0.4,
        0.26,
        0.16,
        0.1,
        0.06,
        0.04,
    ]
)
RUSH = np.array(
    [
        0.02,
        0.01,
        0,
        0,
        0.03,
        0.2,
        0.6,
        1,
        0.75,
        0.45,
        0.4,
        0.45,
        0.5,
        0.45,
        0.42,
        0.5,
        0.7,
        0.95,
        0.9,
        0.6,
        0.4,
        0.28,
        0.16,
        0.07,
    ]
)


@dataclass(frozen=True)
class MeshPeople:
    """Residents of one census mesh; ``withheld`` where the figures would tell of single homes."""

    code: str
    population: int
    over_64: int
    households: int
    withheld: bool


@dataclass(frozen=True)
class Flow:
    """People present in one mesh during one hour; None where the count is withheld."""

    code: str
    size_m: int
    hour: int
    count: int | None


def mesh_codes(xy: Array, size_m: int) -> list[str]:
    """The JIS X 0410 mesh codes of local points."""
    lon_lat = to_lon_lat(xy)
    codes = jismesh.utils.to_meshcode(lon_lat[:, 1], lon_lat[:, 0], LEVELS[size_m])
    return [str(code) for code in np.atleast_1d(codes)]


def _residents(buildings: list[Building]) -> Array:
    rng = random_numbers("residents")
    found = []
    for item in buildings:
        area = item.footprint.area
        if item.use in ("住宅", "店舗等併用住宅"):
            found.append(rng.poisson(2.1) if rng.random() > 0.11 else 0)
        elif item.use == "共同住宅":
            found.append(rng.poisson(item.storeys * area / 62))
        else:
            found.append(0)
    return np.array(found, float)


def _workers(buildings: list[Building]) -> Array:
    share = {
        "商業施設": 1 / 28,
        "業務施設": 1 / 22,
        "官公庁施設": 1 / 26,
        "文教厚生施設": 1 / 17,
        "工場": 1 / 45,
        "運輸倉庫施設": 1 / 70,
        "店舗等併用住宅": 1 / 75,
        "宿泊施設": 1 / 24,
    }
    return np.array(
        [share.get(b.use, 0) * b.footprint.area * max(b.storeys, 1) * 0.55 for b in buildings]
    )


def make_population(buildings: list[Building]) -> list[MeshPeople]:
    """The census on 250 m meshes: everyone where they sleep."""
    rng = random_numbers("census")
    residents = _residents(buildings)
    codes = mesh_codes(_centres(buildings), 250)
    totals: dict[str, float] = {}
    for code, number in zip(codes, residents, strict=True):
        totals[code] = totals.get(code, 0) + number
    made = []
    for code in sorted(totals):
        people = int(totals[code])
        if people:
            old = int(rng.binomial(people, rng.uniform(0.28, 0.44)))
            homes = max(1, round(people / rng.uniform(2.0, 2.5)))
            made.append(MeshPeople(code, people, old, homes, homes < LEAST_HOUSEHOLDS))
    return made


def coarser_population(quarters: list[MeshPeople]) -> list[MeshPeople]:
    """The census on 500 m meshes: the sums of their 250 m meshes, withheld ones among them.

    A sum is withheld when it is small itself, and when taking the published quarters from it would
    leave a small number: otherwise the difference would tell what the finer table withholds.
    """
    within: dict[str, list[MeshPeople]] = {}
    for quarter in quarters:
        within.setdefault(quarter.code[:-1], []).append(quarter)  # the last digit names the quarter
    made = []
    for code, parts in sorted(within.items()):
        homes = sum(part.households for part in parts)
        unpublished = sum(part.households for part in parts if part.withheld)
        withheld = homes < LEAST_HOUSEHOLDS or 0 < unpublished < LEAST_HOUSEHOLDS
        people = sum(part.population for part in parts)
        made.append(MeshPeople(code, people, sum(part.over_64 for part in parts), homes, withheld))
    return made


def make_flow(buildings: list[Building], hazards: Hazards, terrain: Terrain) -> list[Flow]:
    """Hourly presence on the rain day: 500 m everywhere, finer in the centre.

    A working day begins, trains stop at noon, and from two in the afternoon people leave the
    flooded streets, and some from the zones in danger, for the evacuation sites.
    """
    centres = _centres(buildings)
    residents, workers = _residents(buildings), _workers(buildings)
    points_of_houses = shapely.points(centres)
    wet = depth_at(hazards, terrain, list(points_of_houses)) > 0.1
    warned = np.zeros(len(centres), bool)
    for zone in hazards.flood[1:]:
        shapely.prepare(zone.geometry)
        warned |= shapely.covers(zone.geometry, points_of_houses)
    leaving = np.where(wet, 0.9, np.where(warned, 0.45, 0.0))
    hours = np.arange(24)
    flight = np.clip((hours - 13) / 4, 0, 1) * np.where(hours > 20, 0.85, 1.0)
    early = np.where(hours > 12, np.clip(1 - (hours - 12) / 5, 0.2, 1), 1.0)  # work ends early
    present = residents[:, None] * (HOME + (1 - HOME) * (1 - early)) + workers[:, None] * WORK * early
    left = present * leaving[:, None] * flight
    present -= left
    points, series = [centres], [present]
    sites = [item for item in FACILITIES if item.safe_from[:1] == "1" and abs(item.xy[0]) < 2000]
    size = np.array([item.stand for item in sites], float)
    points.append(np.array([item.xy for item in sites], float))
    series.append(size[:, None] / size.sum() * left.sum(axis=0) * 0.7)
    trains = np.where(hours > 12, 0.08, 1.0)
    points.append(np.array([[-250.0, 330.0], [990.0, 340.0]]))
    series.append(np.array([[620.0], [140.0]]) * RUSH * trains)
    where, counts = np.vstack(points), np.vstack(series)
    flows = _cells(where, counts, 500, None)
    middle = np.hypot(where[:, 0] + 100, where[:, 1] - 60) < 900
    flows += _cells(where, counts, 250, middle)
    station = np.hypot(where[:, 0] + 250, where[:, 1] - 250) < 320
    return flows + _cells(where, counts, 125, station)


def _cells(where: Array, counts: Array, size_m: int, chosen: Array | None) -> list[Flow]:
    rng = random_numbers(f"flow {size_m}")
    codes = mesh_codes(where, size_m)
    wanted = sorted(
        set(codes) if chosen is None else {c for c, keep in zip(codes, chosen, strict=True) if keep}
    )
    row = {code: number for number, code in enumerate(wanted)}
    totals = np.zeros((len(wanted), 24))
    for code, series in zip(codes, counts, strict=True):
        if code in row:
            totals[row[code]] += series
    seen = rng.poisson(totals)
    return [
        Flow(
            code,
            size_m,
            hour,
            int(seen[k, hour]) if seen[k, hour] >= LEAST or seen[k, hour] == 0 else None,
        )
        for k, code in enumerate(wanted)
        if totals[k].max() >= 1
        for hour in range(24)
    ]


def _centres(buildings: list[Building]) -> Array:
    return shapely.get_coordinates(shapely.centroid([item.footprint for item in buildings]))
