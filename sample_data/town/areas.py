"""Administrative areas and the names on the map."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
import shapely
from shapely.geometry import LineString, Point
from shapely.ops import split

from sample_data.town import quarters
from sample_data.town.coast import Coast
from sample_data.town.curves import smooth_line
from sample_data.town.frame import TOWN_CODE, TOWN_NAME, VILLAGE_CODE, VILLAGE_NAME
from sample_data.town.network import Streets
from sample_data.town.routes import STATIONS


@dataclass(frozen=True)
class Area:
    """A municipality or a 町丁目."""

    code: str
    name: str
    kana: str
    name_en: str
    level: str
    city: str
    geometry: shapely.Geometry
    style: str = ""


@dataclass(frozen=True)
class Place:
    """A name on the map; rank 1 shows first."""

    name: str
    kana: str
    name_en: str
    kind: str
    rank: int
    xy: tuple[float, float]


def make_areas(coast: Coast, streets: Streets) -> list[Area]:
    """The two municipalities and the town's 町丁目, which tile it without gap or overlap."""
    land = shapely.union_all([coast.island, *(part[3] for part in coast.breakwaters)])
    ridge = smooth_line(quarters.RIDGE, 40)
    halves = split(coast.island, LineString(ridge.coords)).geoms
    north = shapely.union_all([half for half in halves if half.representative_point().y > 2900])
    town = shapely.difference(land, north)
    areas = [
        Area(TOWN_CODE, TOWN_NAME, "シオミチョウ", "Shiomi Town", "city", TOWN_NAME, town),
        Area(
            VILLAGE_CODE, VILLAGE_NAME, "キタシオムラ", "Kitashio Village", "city", VILLAGE_NAME, north
        ),
    ]
    for quarter, geometry in _tiling(streets, town).items():
        areas.append(
            Area(
                TOWN_CODE[:5] + quarter.code,
                quarter.name,
                quarter.kana,
                quarter.name_en,
                "district",
                TOWN_NAME,
                geometry,
                quarter.style,
            )
        )
    return areas


def _tiling(streets: Streets, town: shapely.Geometry) -> dict[quarters.Quarter, shapely.Geometry]:
    """Give every face of the road network to the quarter it borders longest."""
    by_face = {id(streets.faces[quarter.name]): quarter for quarter in quarters.QUARTERS}
    owner: dict[int, quarters.Quarter] = {}
    shapely.prepare(town)
    faces = [face for face in streets.ground if town.contains(face.representative_point())]
    waiting = []
    for number, face in enumerate(faces):
        if id(face) in by_face:
            owner[number] = by_face[id(face)]
        else:
            waiting.append(number)
    tree = shapely.STRtree(faces)
    while waiting:
        best: dict[int, quarters.Quarter] = {}
        for number in waiting:
            shared: dict[quarters.Quarter, float] = defaultdict(float)
            for other in tree.query(faces[number], predicate="intersects"):
                if int(other) in owner:
                    length = shapely.intersection(
                        faces[number].boundary, faces[int(other)].boundary
                    ).length
                    shared[owner[int(other)]] += length
            if shared and max(shared.values()) > 0:
                best[number] = max(shared, key=lambda quarter: (shared[quarter], quarter.code))
        if not best:
            break
        owner.update(best)
        waiting = [number for number in waiting if number not in best]
    parts: dict[quarters.Quarter, list[shapely.Geometry]] = defaultdict(list)
    for number, quarter in owner.items():
        parts[quarter].append(faces[number])
    merged = {
        quarter: shapely.union_all(parts[quarter], grid_size=0.01)
        for quarter in sorted(parts, key=lambda q: q.code)
    }
    return _give_rest(merged, town)


def _give_rest(
    merged: dict[quarters.Quarter, shapely.Geometry], town: shapely.Geometry
) -> dict[quarters.Quarter, shapely.Geometry]:
    """Islets and breakwaters go to the nearest quarter."""
    rest = shapely.difference(town, shapely.union_all(list(merged.values())))
    for part in shapely.get_parts(rest):
        if part.area < 50:
            continue
        nearest = min(merged, key=lambda quarter: (merged[quarter].distance(part), quarter.code))
        merged[nearest] = shapely.union_all([merged[nearest], part], grid_size=0.01)
    return merged


def make_places(areas: list[Area], coast: Coast) -> list[Place]:
    """Names to show on the map and to search for."""
    town, village = areas[0], areas[1]
    places = [
        Place(town.name, town.kana, town.name_en, "town", 1, (-220, 120)),
        Place(village.name, village.kana, village.name_en, "village", 1, (-700, 4330)),
        Place("潮見島", "シオミジマ", "Shiomi Island", "island", 1, (700, 1900)),
        Place("潮見湾", "シオミワン", "Shiomi Bay", "bay", 2, (250, -1180)),
        Place("潮見港", "シオミコウ", "Shiomi Port", "harbour", 3, (-420, -850)),
        Place("岬", "ミサキ", "Misaki Cape", "cape", 3, (-1450, -1860)),
        Place(
            "潮見埼灯台",
            "シオミサキトウダイ",
            "Shiomi Cape Lighthouse",
            "lighthouse",
            4,
            (-1455, -1840),
        ),
        Place("東ノ鼻", "ヒガシノハナ", "Higashi-no-hana", "cape", 3, (2330, -1800)),
        Place("城山", "シロヤマ", "Mt. Shiroyama", "peak", 3, (-905, -60)),
        Place("西山", "ニシヤマ", "Mt. Nishiyama", "peak", 3, (-1560, 700)),
        Place("潮見岳", "シオミダケ", "Mt. Shiomi", "peak", 2, (-2300, 2300)),
        Place("東山", "ヒガシヤマ", "Mt. Higashiyama", "peak", 2, (3300, 700)),
        Place("白浜海岸", "シラハマカイガン", "Shirahama Beach", "beach", 3, (1150, -560)),
        Place("鏡ヶ池", "カガミガイケ", "Kagami Pond", "water", 4, (-1010, 1130)),
        Place("沖ノ島", "オキノシマ", "Oki-no-shima", "island", 3, (785, -1380)),
        Place("潮見川", "シオミガワ", "Shiomi River", "river", 3, (385, 540)),
        Place("城山公園", "シロヤマコウエン", "Shiroyama Park", "park", 4, (-905, -35)),
        Place("潮見神社", "シオミジンジャ", "Shiomi Shrine", "shrine", 4, (-1010, 250)),
        Place("光明寺", "コウミョウジ", "Komyoji Temple", "temple", 4, (-560, -405)),
        Place(
            "道の駅しおみ",
            "ミチノエキシオミ",
            "Roadside Station Shiomi",
            "roadside_station",
            4,
            (1340, -470),
        ),
    ]
    places += [Place(name, kana, english, "station", 3, xy) for name, kana, english, xy in STATIONS]
    for area in areas[2:]:
        if area.style == "wild":
            xy = next(quarter.seed for quarter in quarters.QUARTERS if quarter.name == area.name)
        else:
            dry = shapely.difference(area.geometry, coast.fresh_water)
            largest = max(shapely.get_parts(dry), key=lambda part: part.area)
            xy = _middle(largest)
        places.append(
            Place(area.name, area.kana, area.name_en, "quarter", 4, (round(xy[0], 1), round(xy[1], 1)))
        )
    return places


def _middle(polygon: shapely.Geometry) -> tuple[float, float]:
    """The centroid where it lies inside, else the centre of the largest circle inside."""
    centre = polygon.centroid
    if polygon.buffer(-15).contains(centre):
        return centre.x, centre.y
    point = Point(shapely.maximum_inscribed_circle(polygon, 5.0).coords[0])
    return float(np.round(point.x, 1)), float(np.round(point.y, 1))
