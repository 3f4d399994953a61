"""The map company's vector files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import shapely
from shapely.geometry import Point, Polygon

from sample_data.formats.files import write_geojson, write_layers
from sample_data.town.frame import (
    PLANE_EPSG,
    geometry_to_plane,
    random_numbers,
)
from sample_data.town.network import Link
from sample_data.town.town import Town

SURFACE = {"track": "gravel"}


def write_road_network(town: Town, path: Path) -> None:
    """Roads, nodes, structures and roadside features in EPSG:6677."""
    lengths = {link.id: link.line.length for link in town.streets.links}
    roads = [
        {
            "link_id": link.id,
            "road_class": link.route.road_class,
            "name": link.route.name or None,
            "name_kana": link.route.kana or None,
            "name_en": link.route.name_en or None,
            "route_number": link.route.number or None,
            "lanes": link.route.lanes,
            "width_m": link.route.width_m,
            "speed_limit": link.route.speed_kmh,
            "oneway": link.one_way,
            "surface": SURFACE.get(link.route.road_class, "paved"),
            "is_bridge": bool(link.bridge),
            "is_tunnel": bool(link.tunnel),
            "level": 1 if link.bridge else -1 if link.tunnel else 0,
            "from_node": link.start,
            "to_node": link.end,
            "length_m": round(lengths[link.id], 2),
            "geometry": geometry_to_plane(link.line),
        }
        for link in town.streets.links
    ]
    degree: dict[str, int] = {}
    for link in town.streets.links:
        for node in (link.start, link.end):
            degree[node] = degree.get(node, 0) + 1
    names = junction_names(town.streets.links)
    nodes = [
        {
            "node_id": node,
            "node_type": "行き止まり"
            if degree[node] == 1
            else "属性変化点"
            if degree[node] == 2
            else "交差点",
            "name": names.get(node, ("", ""))[0] or None,
            "name_en": names.get(node, ("", ""))[1] or None,
            "geometry": geometry_to_plane(Point(xy)),
        }
        for node, xy in town.streets.nodes.items()
    ]
    structures = [
        {
            "structure_id": item.id,
            "kind": item.kind,
            "name": item.name,
            "name_kana": item.kana or None,
            "name_en": item.name_en or None,
            "clearance_height_m": item.clearance_m,
            "width_m": item.width_m,
            "load_limit_t": item.load_t,
            "segment_id": item.link or None,
            "geometry": geometry_to_plane(item.line),
        }
        for item in town.streets.structures
    ]
    layers = {
        "roads": roads,
        "road_nodes": nodes,
        "structures": structures,
        "roadside_features": roadside(town),
    }
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


def roadside(town: Town) -> list[dict[str, Any]]:
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
            rows.append(
                _beside(
                    link,
                    float(s),
                    side,
                    "tree" if tree else "streetLamp",
                    "ginkgo" if tree and "駅前" in link.route.name else "pine" if tree else "led",
                    round(float(rng.normal(7.5, 1.1) if tree else 8.0), 1),
                )
            )
        if link.line.length > 60 and link.route.road_class in ("trunk", "primary", "secondary"):
            rows.append(_beside(link, 22.0, "left", "sign", "jp323", 2.5))
            rows.append(_beside(link, link.line.length - 22.0, "right", "sign", "jp323", 2.5))
    return [{"feature_id": f"F{number:05d}", **row} for number, row in enumerate(rows, 1)]


def _beside(
    link: Link, s: float, side: str, kind: str, subtype: str, height_m: float
) -> dict[str, Any]:
    a, b = link.line.interpolate(s), link.line.interpolate(min(s + 1, link.line.length))
    along = np.array([b.x - a.x, b.y - a.y])
    along /= max(float(np.hypot(*along)), 1e-9)
    sign = 1 if side == "left" else -1
    place = np.array([a.x, a.y]) + sign * (link.route.width_m / 2 + 0.8) * np.array(
        [-along[1], along[0]]
    )
    # A sign looks at the driver: left of the road at traffic along the line, right at the other.
    bearing = float(np.degrees(np.arctan2(along[0], along[1]))) + (180 if side == "left" else 0)
    return {
        "class": kind,
        "subtype": subtype,
        "orientation_deg": round(bearing % 360, 1),
        "height_m": height_m,
        "segment_id": link.id,
        "side": side,
        "geometry": geometry_to_plane(Point(place)),
    }


def write_background(town: Town, path: Path) -> None:
    """Water and the railway, what a plain background map needs."""
    sea = shapely.simplify(town.coast.sea, 0.3)
    water = [{"class": "sea", "name": None, "name_en": None, "geometry": geometry_to_plane(sea)}]
    for name, name_en, geometry in town.coast.rivers:
        # Where a branch joins, rounding folds slivers and pinholes that are no shapes any more.
        placed = shapely.make_valid(geometry_to_plane(shapely.simplify(geometry, 0.2)))
        parts = [
            Polygon(part.exterior, [ring for ring in part.interiors if Polygon(ring).area > 1])
            for part in shapely.get_parts(placed)
            if part.geom_type == "Polygon" and part.area > 1
        ]
        shape = shapely.multipolygons(parts)
        water.append({"class": "river", "name": name, "name_en": name_en, "geometry": shape})
    for name, name_en, geometry in town.coast.ponds:
        water.append(
            {"class": "lake", "name": name, "name_en": name_en, "geometry": geometry_to_plane(geometry)}
        )
    rows = [
        {**row, "geometry": shapely.multipolygons(shapely.get_parts(row["geometry"]))} for row in water
    ]
    write_layers(path, {"water": pd.DataFrame(rows)}, PLANE_EPSG)


def write_railway(town: Town, path: Path) -> None:
    """The single-track line, cut where tunnels begin."""
    features = [
        (
            {
                "rail_id": f"T{number}",
                "subtype": "rail",
                "class": "standard_gauge",
                "name": "潮見線",
                "name_en": "Shiomi Line",
                "is_tunnel": bool(tunnel),
                "is_bridge": False,
                "level": -1 if tunnel else 0,
            },
            line,
        )
        for number, (line, tunnel) in enumerate(town.streets.railway, 1)
    ]
    write_geojson(path, "railway", features)
