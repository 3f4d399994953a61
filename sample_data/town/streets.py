"""The street network: named routes, local streets of each quarter, noded into links."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

import numpy as np
import shapely
from shapely.geometry import LineString, Point
from shapely.ops import polygonize, substring

from sample_data.town import quarters
from sample_data.town.coast import Coast
from sample_data.town.curves import smooth_line
from sample_data.town.network import Link, Streets, Structure
from sample_data.town.noding import GRID_M, clear_sites, drop_islands, drop_stubs, node_key, node_lines
from sample_data.town.routes import (
    EAST_BANK,
    NORTH_SLOPE,
    PASS_TUNNEL,
    RAIL_TUNNELS,
    RAILWAY,
    ROUTES,
    VALLEY_ROUTE,
    WEST_BANK,
    Route,
)
from sample_data.town.terrain import Terrain

ONE_WAY = {"一番街", "銀座通り", "魚町通り", "紺屋小路"}
BRIDGES = {
    ("国道509号", 0): ("潮見大橋", "シオミオオハシ", "Shiomi Bridge"),
    ("国道509号", 1): ("東大橋", "ヒガシオオハシ", "Higashi Bridge"),
    ("中央通り", 0): ("中橋", "ナカハシ", "Naka Bridge"),
    ("駅北通り", 0): ("北橋", "キタハシ", "Kita Bridge"),
    ("新田農道", 0): ("新田橋", "シンデンバシ", "Shinden Bridge"),
}


def make_streets(coast: Coast, terrain: Terrain) -> Streets:
    """Lay out routes, fill the faces between them with local streets, and node everything."""
    routes = [(_route_line(route), route) for route in ROUTES if not route.tunnel]
    routes += _river_roads(coast)
    routes = _tie_ends(routes)
    tunnels = [(_route_line(route), route) for route in [*ROUTES, PASS_TUNNEL] if route.tunnel]
    rail = smooth_line(RAILWAY, 15)
    skeleton = shapely.union_all(
        [
            *(line for line, _ in routes),
            rail,
            *(smooth_line(edge, 15) for edge in quarters.EDGES),
            smooth_line(quarters.RIDGE, 40),
            coast.island.boundary,
            coast.fresh_water.boundary,
        ],
        grid_size=GRID_M,
    )
    ground = list(polygonize(shapely.get_parts(skeleton)))
    faces = quarters.assign_faces(ground)
    local = [
        (
            line,
            replace(quarters.LOCAL[quarter.style], name=name[0], kana=name[1], name_en=name[2]),
            quarter.name,
        )
        for quarter in quarters.QUARTERS
        if quarter.name in faces
        for line, name in quarters.local_streets(quarter, faces[quarter.name], coast, terrain)
    ]
    sources = [(line, route, "") for line, route in routes] + local
    links = node_lines(sources, coast.fresh_water)
    links = drop_islands(drop_stubs(clear_sites(links)))
    links += [Link("", line, route, tunnel=route.tunnel) for line, route in tunnels]
    links, nodes = _number(links)
    return Streets(links, nodes, _structures(links, coast), _railway(rail), faces, ground)


def _tie_ends(routes: list[tuple[LineString, Route]]) -> list[tuple[LineString, Route]]:
    """Bring each route's ends exactly onto the route they join, at most 30 m away."""
    tied = []
    for number, (line, route) in enumerate(routes):
        xy = shapely.get_coordinates(line)
        others = [other for k, (other, _) in enumerate(routes) if k != number]
        for end in (0, -1):
            distance = shapely.distance(others, Point(xy[end]))
            nearest = others[int(np.argmin(distance))]
            if 0 < distance.min() < 30:
                foot = nearest.interpolate(nearest.project(Point(xy[end])))
                xy[end] = foot.coords[0]
        tied.append((LineString(xy), route))
    return tied


def _route_line(route: Route) -> LineString:
    return LineString(route.points) if route.straight else smooth_line(route.points, 10).simplify(0.04)


def _river_roads(coast: Coast) -> list[tuple[LineString, Route]]:
    """The bank roads keep their distance to the river, so they meander with it."""
    west = shapely.reverse(coast.river.offset_curve(-60))
    west = LineString([point for point in west.coords if point[1] < 3290])
    west = LineString([*west.coords, PASS_TUNNEL.points[0]])
    at = {y: west.project(_crossing(west, y)) for y in (-490, -262, 1240)}
    east = shapely.reverse(coast.river.offset_curve(58))
    low, high = (east.project(_crossing(east, y)) for y in (78, 1290))
    return [
        (substring(west, at[-490], at[1240]).simplify(0.05), WEST_BANK),
        (substring(west, at[1240], west.length).simplify(0.05), VALLEY_ROUTE),
        (_route_line(NORTH_SLOPE), NORTH_SLOPE),
        (substring(east, low, high).simplify(0.05), EAST_BANK),
    ]


def _crossing(line: LineString, y: float) -> Point:
    """The point of a line nearest to the height ``y`` on the map."""
    points = shapely.get_coordinates(line)
    return Point(points[int(np.argmin(abs(points[:, 1] - y)))])


def _number(links: list[Link]) -> tuple[list[Link], dict[str, tuple[float, float]]]:
    """Give links and nodes their ids, from north-west to south-east."""
    order = sorted(links, key=lambda link: (round(-link.line.centroid.y, -2), link.line.centroid.x))
    points = sorted(
        {node_key(link.line.coords[k]) for link in links for k in (0, -1)},
        key=lambda p: (round(-p[1], -2), p[0]),
    )
    ids = {point: f"N{number:05d}" for number, point in enumerate(points, 1)}
    numbered = [
        replace(
            link,
            one_way="yes" if link.route.name in ONE_WAY else "no",
            id=f"R{number:05d}",
            start=ids[node_key(link.line.coords[0])],
            end=ids[node_key(link.line.coords[-1])],
        )
        for number, link in enumerate(order, 1)
    ]
    return _name_bridges(numbered), {ids[point]: point for point in points}


def _name_bridges(links: list[Link]) -> list[Link]:
    """Bridges of one road are told apart by their order from west to east."""
    by_route: dict[str, list[Link]] = defaultdict(list)
    for link in links:
        if link.bridge:
            by_route[link.route.name].append(link)
    names = {}
    for route, bridges in by_route.items():
        for number, link in enumerate(sorted(bridges, key=lambda link: link.line.centroid.x)):
            names[link.id] = BRIDGES.get((route, number), ("無名橋", "", ""))[0]
    return [replace(link, bridge=names.get(link.id, "")) for link in links]


def _structures(links: list[Link], coast: Coast) -> list[Structure]:
    readings = {name: (kana, english) for name, kana, english in BRIDGES.values()}
    tunnels = {
        "潮見トンネル": ("シオミトンネル", "Shiomi Tunnel", 4.5),
        "北潮トンネル": ("キタシオトンネル", "Kitashio Tunnel", 4.1),
    }
    made = []
    for link in links:
        if link.bridge:
            kana, english = readings.get(link.bridge, ("", ""))
            load = 25.0 if link.route.lanes > 1 else 14.0
            made.append(
                Structure(
                    "",
                    "bridge",
                    link.bridge,
                    kana,
                    english,
                    link.line,
                    link.route.width_m + 3,
                    None,
                    load,
                    link.id,
                )
            )
        if link.tunnel:
            kana, english, clearance = tunnels[link.tunnel]
            made.append(
                Structure(
                    "",
                    "tunnel",
                    link.tunnel,
                    kana,
                    english,
                    link.line,
                    link.route.width_m + 2,
                    clearance,
                    None,
                    link.id,
                )
            )
    for name, english, line, _ in coast.breakwaters:
        made.append(Structure("", "breakwater", name, "", english, line, 16.0))
    return [replace(item, id=f"S{number:03d}") for number, item in enumerate(made, 1)]


def _railway(rail: LineString) -> list[tuple[LineString, str]]:
    """The single track cut into open stretches and tunnels, (line, tunnel name or nothing)."""
    marks = [0.0]
    for west, east, _ in RAIL_TUNNELS:
        xs = shapely.get_coordinates(rail)[:, 0]
        marks += [rail.project(Point(rail.coords[int(np.argmin(abs(xs - x)))])) for x in (west, east)]
    marks.append(rail.length)
    names = ["", RAIL_TUNNELS[0][2], "", RAIL_TUNNELS[1][2], ""]
    return [
        (substring(rail, a, b), name) for a, b, name in zip(marks[:-1], marks[1:], names, strict=True)
    ]
