"""The town office's vector files."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pandas as pd
import shapely
from shapely.geometry import LineString, Point, box

from sample_data.formats.files import write_geojson, write_shapefile
from sample_data.town.frame import RAIN_DAY, TOWN_CODE, TOWN_NAME, geometry_to_lon_lat
from sample_data.town.network import Link
from sample_data.town.town import Town


def write_municipalities(town: Town, path: Path) -> None:
    """Municipal areas with the columns of the national land numerical information N03."""
    features = [
        (
            {
                "N03_001": None,
                "N03_002": None,
                "N03_003": None,
                "N03_004": area.name,
                "N03_005": None,
                "N03_007": area.code[:5],
            },
            area.geometry,
        )
        for area in town.areas
        if area.level == "city"
    ]
    write_geojson(path, "N03-20260101_99", features, decimals=6)


def write_town_blocks(town: Town, path: Path) -> None:
    """町丁目 with the columns of the census boundary files, cp932."""
    rows = [
        {
            "KEY_CODE": area.code,
            "PREF_NAME": "",
            "CITY_NAME": TOWN_NAME,
            "S_NAME": area.name,
            "S_KANA": area.kana,
            "name_en": area.name_en,
            "AREA": round(area.geometry.area, 1),
            "geometry": _many(geometry_to_lon_lat(area.geometry)),
        }
        for area in town.areas
        if area.level == "district"
    ]
    write_shapefile(path, "r2ka" + TOWN_CODE[:5], pd.DataFrame(rows))


def write_places(town: Town, path: Path) -> None:
    """Names on the map."""
    features = [
        (
            {
                "place_id": f"P{number:03d}",
                "name": place.name,
                "name_kana": place.kana,
                "name_en": place.name_en,
                "class": place.kind,
                "rank": place.rank,
            },
            Point(place.xy),
        )
        for number, place in enumerate(town.places, 1)
    ]
    write_geojson(path, "places", features)


def write_buildings(town: Town, path: Path) -> None:
    """Footprints in cp932 with Japanese column names, all shorter than a Shapefile allows."""
    rows = [
        {
            "建物ID": item.id,
            "名称": item.name,
            "用途": item.use,
            "地上階数": item.storeys,
            "高さ": item.height_m,
            "geometry": geometry_to_lon_lat(item.footprint),
        }
        for item in town.buildings
    ]
    write_shapefile(path, "tatemono", pd.DataFrame(rows))


def write_flood_zones(town: Town, path: Path) -> None:
    """River flooding with the columns of A31a, the largest conceivable flood."""
    features = [
        (
            {
                "A31a_201": "8399010001",
                "A31a_202": zone.name,
                "A31a_203": "99",
                "A31a_204": "潮見町",
                "A31a_205": zone.rank,
            },
            part,
        )
        for zone in town.hazards.flood
        for part in shapely.get_parts(zone.geometry)
    ]
    write_geojson(path, "A31a-20-26_99", features)


def write_tsunami_zones(town: Town, path: Path) -> None:
    """Tsunami inundation with the columns of A40: depth classes in words."""
    rows = []
    for zone in town.hazards.tsunami:
        low, high = zone.depth_min_m or 0, zone.depth_max_m or 0
        words = f"{high:g}m未満" if low < 0.1 else f"{low:g}m以上 ～ {high:g}m未満"
        for part in shapely.get_parts(zone.geometry):
            rows.append(
                {
                    "A40_001": TOWN_NAME,
                    "A40_002": "08",
                    "A40_003": words,
                    "geometry": geometry_to_lon_lat(part),
                }
            )
    write_shapefile(path, "A40-26_99", pd.DataFrame(rows))


def write_landslide_zones(town: Town, path: Path) -> None:
    """Landslide warning areas with the columns of A33."""
    rows = [
        {
            "A33_001": zone.rank // 10,
            "A33_002": zone.rank % 10,
            "A33_003": "08",
            "A33_004": f"99-{number // 2 + 1:03d}",
            "A33_005": zone.name,
            "A33_006": TOWN_NAME,
            "geometry": geometry_to_lon_lat(zone.geometry),
        }
        for number, zone in enumerate(town.hazards.landslide)
    ]
    write_shapefile(path, "A33-26_99", pd.DataFrame(rows))


def closed_links(town: Town) -> list[tuple[str, list[Link]]]:
    """The two closures of the day: the flooded bank road, and the bridge beside the breach."""
    bank = box(-200, 560, 420, 860)
    flooded = [
        link
        for link in town.streets.named("川端通り")
        if bank.contains(link.line)
        and link.line.intersection(town.hazards.event).length > 0.3 * link.line.length
    ]
    bridge = [link for link in town.streets.links if link.bridge == "北橋"]
    return [("川端通り", flooded), ("北橋", bridge)]


def write_closures(town: Town, path: Path) -> None:
    """Two closures as lines along the links they close."""
    hour = timedelta(hours=1)
    details = [
        (
            "冠水のため",
            RAIN_DAY + 13 * hour + timedelta(minutes=20),
            None,
            "川端通り（県道12号）若宮町～上川原",
        ),
        (
            "橋脚洗掘のおそれ",
            RAIN_DAY + 14 * hour + timedelta(minutes=5),
            RAIN_DAY + timedelta(days=14),
            "駅北通り 北橋",
        ),
    ]
    features = []
    for number, ((_, links), (reason, start, end, name)) in enumerate(
        zip(closed_links(town), details, strict=True), 1
    ):
        line = shapely.line_merge(shapely.multilinestrings([link.line for link in links]))
        parts = shapely.get_parts(line)
        geometry = (
            parts[0]
            if len(parts) == 1
            else shapely.MultiLineString([LineString(part) for part in parts])
        )
        properties = {
            "規制ID": f"2026-{number:03d}",
            "路線名": name,
            "規制内容": "全面通行止め",
            "規制区分": "通行止め(気象)",
            "規制理由": reason,
            "状態": "規制中",
            "規制開始日時": start.isoformat(),
            "規制終了日時": end.isoformat() if end else None,
            "対象リンク": ";".join(link.id for link in links),
        }
        features.append((properties, geometry))
    write_geojson(path, "closures", features)


def _many(geometry: shapely.Geometry) -> shapely.Geometry:
    return shapely.multipolygons(shapely.get_parts(geometry))
