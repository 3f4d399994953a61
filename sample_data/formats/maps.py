"""The map company's and the town office's vector files."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import shapely
from shapely.geometry import LineString, Point, box

from sample_data.formats.files import write_geojson, write_layers, write_shapefile
from sample_data.town.frame import (
    PLANE_EPSG,
    RAIN_DAY,
    TOWN_CODE,
    TOWN_NAME,
    geometry_to_lon_lat,
    geometry_to_plane,
    random_numbers,
)
from sample_data.town.streets import Link
from sample_data.town.town import Town

SURFACE = {"track": "gravel"}


def write_road_network(town: Town, path: Path) -> None:
    """Roads, nodes, structures and roadside features in EPSG:6677."""
    lengths = {link.id: link.line.length for link in town.streets.links}
    roads = [
        {
            "link_id": link.id, "road_class": link.route.road_class, "name": link.route.name or None,
            "name_kana": link.route.kana or None, "name_en": link.route.name_en or None,
            "route_number": link.route.number or None, "lanes": link.route.lanes, "width_m": link.route.width_m,
            "speed_limit": link.route.speed_kmh, "oneway": link.one_way,
            "surface": SURFACE.get(link.route.road_class, "paved"), "is_bridge": bool(link.bridge),
            "is_tunnel": bool(link.tunnel), "level": 1 if link.bridge else -1 if link.tunnel else 0,
            "from_node": link.start, "to_node": link.end, "length_m": round(lengths[link.id], 2),
            "geometry": geometry_to_plane(link.line),
        }
        for link in town.streets.links
    ]  # fmt: skip
    degree: dict[str, int] = {}
    for link in town.streets.links:
        for node in (link.start, link.end):
            degree[node] = degree.get(node, 0) + 1
    names = junction_names(town.streets.links)
    nodes = [
        {
            "node_id": node, "node_type": "行き止まり" if degree[node] == 1 else "属性変化点" if degree[node] == 2 else "交差点",
            "name": names.get(node, ("", ""))[0] or None, "name_en": names.get(node, ("", ""))[1] or None,
            "geometry": geometry_to_plane(Point(xy)),
        }
        for node, xy in town.streets.nodes.items()
    ]  # fmt: skip
    structures = [
        {
            "structure_id": item.id, "kind": item.kind, "name": item.name, "name_kana": item.kana or None,
            "name_en": item.name_en or None, "clearance_height_m": item.clearance_m, "width_m": item.width_m,
            "load_limit_t": item.load_t, "segment_id": item.link or None, "geometry": geometry_to_plane(item.line),
        }
        for item in town.streets.structures
    ]  # fmt: skip
    layers = {"roads": roads, "road_nodes": nodes, "structures": structures, "roadside_features": _roadside(town)}
    write_layers(path, {name: pd.DataFrame(rows) for name, rows in layers.items()}, PLANE_EPSG)


def junction_names(links: list[Link]) -> dict[str, tuple[str, str]]:
    """Names of nodes where two named roads meet: (Japanese, English)."""
    meeting: dict[str, dict[str, str]] = {}
    for link in links:
        if link.route.name and link.route.road_class in ("trunk", "primary", "secondary", "tertiary"):
            for node in (link.start, link.end):
                meeting.setdefault(node, {})[link.route.name] = link.route.name_en
    short = {"国道509号": "R509"}
    return {
        node: (
            "・".join(short.get(name, name).removesuffix("通り") for name in sorted(roads)) + "交差点",
            " / ".join(roads[name] for name in sorted(roads)),
        )
        for node, roads in meeting.items()
        if len(roads) > 1
    }


def _roadside(town: Town) -> list[dict[str, Any]]:
    """Street lamps, trees and signs along the main roads, each on its side of a link."""
    rng = random_numbers("roadside")
    rows = []
    for link in town.streets.links:
        if link.tunnel or link.quarter or link.line.centroid.distance(Point(100, 100)) > 1500:
            continue
        lined = link.route.name in ("駅前通り", "並木通り", "中央通り", "松並通り")
        spacing = 17.0 if link.route.name in ("並木通り", "松並通り") else 26.0
        at = np.arange(10.0, link.line.length - 8, spacing if lined else 48.0)
        for number, s in enumerate(at):
            side = "left" if number % 2 else "right"
            tree = lined and number % 3 != 2
            rows.append(_beside(link, float(s), side, "tree" if tree else "streetLamp",
                                "ginkgo" if tree and "駅前" in link.route.name else "pine" if tree else "led",
                                round(float(rng.normal(7.5, 1.1) if tree else 8.0), 1)))  # fmt: skip
        if link.line.length > 60 and link.route.road_class in ("trunk", "primary", "secondary"):
            rows.append(_beside(link, 22.0, "left", "sign", "jp323", 2.5))
            rows.append(_beside(link, link.line.length - 22.0, "right", "sign", "jp323", 2.5))
    return [{"feature_id": f"F{number:05d}", **row} for number, row in enumerate(rows, 1)]


def _beside(link: Link, s: float, side: str, kind: str, subtype: str, height_m: float) -> dict[str, Any]:
    a, b = link.line.interpolate(s), link.line.interpolate(min(s + 1, link.line.length))
    along = np.array([b.x - a.x, b.y - a.y])
    along /= max(float(np.hypot(*along)), 1e-9)
    sign = 1 if side == "left" else -1
    place = np.array([a.x, a.y]) + sign * (link.route.width_m / 2 + 0.8) * np.array([-along[1], along[0]])
    # A sign looks at the driver: left of the road at traffic along the line, right at the other.
    bearing = float(np.degrees(np.arctan2(along[0], along[1]))) + (180 if side == "left" else 0)
    return {"class": kind, "subtype": subtype, "orientation_deg": round(bearing % 360, 1), "height_m": height_m,
            "segment_id": link.id, "side": side, "geometry": geometry_to_plane(Point(place))}  # fmt: skip


def write_background(town: Town, path: Path) -> None:
    """Water and the railway, what a plain background map needs."""
    sea = shapely.simplify(town.coast.sea, 0.3)
    water = [{"class": "sea", "name": None, "name_en": None, "geometry": geometry_to_plane(sea)}]
    bay = shapely.Polygon([(-1480, -2000), (-1500, -400), (1800, -400), (1850, -1850)]).intersection(sea)
    water.append({"class": "bay", "name": "潮見湾", "name_en": "Shiomi Bay", "geometry": geometry_to_plane(bay)})
    for name, name_en, geometry in town.coast.rivers:
        shape = geometry_to_plane(shapely.simplify(geometry, 0.2))
        water.append({"class": "river", "name": name, "name_en": name_en, "geometry": shape})
    for name, name_en, geometry in town.coast.ponds:
        water.append({"class": "lake", "name": name, "name_en": name_en, "geometry": geometry_to_plane(geometry)})
    rows = [{**row, "geometry": shapely.multipolygons(shapely.get_parts(row["geometry"]))} for row in water]
    write_layers(path, {"water": pd.DataFrame(rows)}, PLANE_EPSG)


def write_railway(town: Town, path: Path) -> None:
    """The single-track line, cut where tunnels begin."""
    features = [
        (
            {"rail_id": f"T{number}", "subtype": "rail", "class": "standard_gauge", "name": "潮見線", "name_en": "Shiomi Line",
             "is_tunnel": bool(tunnel), "is_bridge": False, "level": -1 if tunnel else 0},
            line,
        )
        for number, (line, tunnel) in enumerate(town.streets.railway, 1)
    ]  # fmt: skip
    write_geojson(path, "railway", features)


def write_municipalities(town: Town, path: Path) -> None:
    """Municipal areas with the columns of the national land numerical information N03."""
    features = [
        ({"N03_001": None, "N03_002": None, "N03_003": None, "N03_004": area.name, "N03_005": None,
          "N03_007": area.code[:5]}, area.geometry)
        for area in town.areas if area.level == "city"
    ]  # fmt: skip
    write_geojson(path, "N03-20260101_99", features)


def write_town_blocks(town: Town, path: Path) -> None:
    """町丁目 with the columns of the census boundary files, cp932."""
    rows = [
        {"KEY_CODE": area.code, "PREF_NAME": "", "CITY_NAME": TOWN_NAME, "S_NAME": area.name, "S_KANA": area.kana,
         "name_en": area.name_en, "AREA": round(area.geometry.area, 1), "geometry": _many(geometry_to_lon_lat(area.geometry))}
        for area in town.areas if area.level == "district"
    ]  # fmt: skip
    write_shapefile(path, "r2ka" + TOWN_CODE[:5], pd.DataFrame(rows))


def write_places(town: Town, path: Path) -> None:
    """Names on the map."""
    features = [
        ({"place_id": f"P{number:03d}", "name": place.name, "name_kana": place.kana, "name_en": place.name_en,
          "class": place.kind, "rank": place.rank}, Point(place.xy))
        for number, place in enumerate(town.places, 1)
    ]  # fmt: skip
    write_geojson(path, "places", features)


def write_buildings(town: Town, path: Path) -> None:
    """Footprints in cp932 with Japanese column names, all shorter than a Shapefile allows."""
    rows = [
        {"建物ID": item.id, "名称": item.name, "用途": item.use, "地上階数": item.storeys, "高さ": item.height_m,
         "geometry": geometry_to_lon_lat(item.footprint)}
        for item in town.buildings
    ]  # fmt: skip
    write_shapefile(path, "tatemono", pd.DataFrame(rows))


def write_flood_zones(town: Town, path: Path) -> None:
    """River flooding with the columns of A31a, the largest conceivable flood."""
    features = [
        ({"A31a_201": "8399010001", "A31a_202": zone.name, "A31a_203": "99", "A31a_204": "潮見町", "A31a_205": zone.rank}, part)
        for zone in town.hazards.flood for part in shapely.get_parts(zone.geometry)
    ]  # fmt: skip
    write_geojson(path, "A31a-20-26_99", features)


def write_tsunami_zones(town: Town, path: Path) -> None:
    """Tsunami inundation with the columns of A40: depth classes in words."""
    rows = []
    for zone in town.hazards.tsunami:
        low, high = zone.depth_min_m or 0, zone.depth_max_m or 0
        words = f"{high:g}m未満" if low < 0.1 else f"{low:g}m以上 ～ {high:g}m未満"
        for part in shapely.get_parts(zone.geometry):
            rows.append({"A40_001": TOWN_NAME, "A40_002": "08", "A40_003": words, "geometry": geometry_to_lon_lat(part)})
    write_shapefile(path, "A40-26_99", pd.DataFrame(rows))


def write_landslide_zones(town: Town, path: Path) -> None:
    """Landslide warning areas with the columns of A33."""
    rows = [
        {"A33_001": zone.rank // 10, "A33_002": zone.rank % 10, "A33_003": "08", "A33_004": f"99-{number // 2 + 1:03d}",
         "A33_005": zone.name, "A33_006": TOWN_NAME, "geometry": geometry_to_lon_lat(zone.geometry)}
        for number, zone in enumerate(town.hazards.landslide)
    ]  # fmt: skip
    write_shapefile(path, "A33-26_99", pd.DataFrame(rows))


def closed_links(town: Town) -> list[tuple[str, list[Link]]]:
    """The two closures of the day: the flooded bank road, and the bridge beside the breach."""
    bank = box(-200, 560, 420, 860)
    flooded = [
        link for link in town.streets.named("川端通り")
        if bank.contains(link.line) and link.line.intersection(town.hazards.event).length > 0.3 * link.line.length
    ]  # fmt: skip
    bridge = [link for link in town.streets.links if link.bridge == "北橋"]
    return [("川端通り", flooded), ("北橋", bridge)]


def write_closures(town: Town, path: Path) -> None:
    """Two closures as lines along the links they close."""
    hour = timedelta(hours=1)
    details = [
        ("冠水のため", RAIN_DAY + 13 * hour + timedelta(minutes=20), None, "川端通り（県道12号）若宮町～上川原"),
        ("橋脚洗掘のおそれ", RAIN_DAY + 14 * hour + timedelta(minutes=5), RAIN_DAY + timedelta(days=14), "駅北通り 北橋"),
    ]
    features = []
    for number, ((_, links), (reason, start, end, name)) in enumerate(zip(closed_links(town), details, strict=True), 1):
        line = shapely.line_merge(shapely.multilinestrings([link.line for link in links]))
        parts = shapely.get_parts(line)
        geometry = parts[0] if len(parts) == 1 else shapely.MultiLineString([LineString(part) for part in parts])
        properties = {
            "規制ID": f"2026-{number:03d}", "路線名": name, "規制内容": "全面通行止め", "規制区分": "通行止め(気象)",
            "規制理由": reason, "状態": "規制中", "規制開始日時": start.isoformat(),
            "規制終了日時": end.isoformat() if end else None, "対象リンク": ";".join(link.id for link in links),
        }  # fmt: skip
        features.append((properties, geometry))
    write_geojson(path, "closures", features)


def _many(geometry: shapely.Geometry) -> shapely.Geometry:
    return shapely.multipolygons(shapely.get_parts(geometry))
