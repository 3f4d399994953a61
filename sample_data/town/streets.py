"""The street network: named routes, local streets of each quarter, noded into links."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace

import numpy as np
import shapely
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree
from shapely.geometry import LineString, Point, Polygon
from shapely.ops import polygonize, substring

from sample_data.town import quarters
from sample_data.town.coast import Coast
from sample_data.town.curves import smooth_line
from sample_data.town.facilities import FACILITIES
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

GRID_M = 0.01
BRIDGES = {
    ("国道509号", 0): ("潮見大橋", "シオミオオハシ", "Shiomi Bridge"),
    ("国道509号", 1): ("東大橋", "ヒガシオオハシ", "Higashi Bridge"),
    ("中央通り", 0): ("中橋", "ナカハシ", "Naka Bridge"),
    ("駅北通り", 0): ("北橋", "キタハシ", "Kita Bridge"),
    ("新田農道", 0): ("新田橋", "シンデンバシ", "Shinden Bridge"),
}


@dataclass(frozen=True)
class Link:
    """One road between two nodes.

    ``line`` runs from ``start`` to ``end``; ``quarter`` names the quarter of a local street.
    """

    id: str
    line: LineString
    route: Route
    start: str = ""
    end: str = ""
    quarter: str = ""
    bridge: str = ""
    tunnel: str = ""
    one_way: str = "no"

    @property
    def half_width_m(self) -> float:
        """From the centre line to the back of the pavement."""
        return (self.route.width_m + self.route.kerb_m) / 2


@dataclass(frozen=True)
class Structure:
    """A bridge, tunnel, breakwater or gate: the line it stands on and what may pass."""

    id: str
    kind: str
    name: str
    kana: str
    name_en: str
    line: LineString
    width_m: float
    clearance_m: float | None = None
    load_t: float | None = None
    link: str = ""


@dataclass(frozen=True)
class Streets:
    """The road network, its nodes by id, structures on it, the railway and the faces between routes."""

    links: list[Link]
    nodes: dict[str, tuple[float, float]]
    structures: list[Structure]
    railway: list[tuple[LineString, str]]
    faces: dict[str, Polygon]
    ground: list[Polygon]

    def named(self, name: str) -> list[Link]:
        """The links of one route."""
        return [link for link in self.links if link.route.name == name]

    @property
    def surface(self) -> shapely.Geometry:
        """All carriageways and pavements above ground as one geometry."""
        open_air = [link for link in self.links if not link.tunnel]
        return shapely.union_all([link.line.buffer(link.half_width_m, quad_segs=4) for link in open_air])


def make_streets(coast: Coast, terrain: Terrain) -> Streets:
    """Lay out routes, fill the faces between them with local streets, and node everything."""
    routes = [(_route_line(route), route) for route in ROUTES if not route.tunnel]
    routes += _river_roads(coast)
    routes = _tie_ends(routes)
    tunnels = [(_route_line(route), route) for route in [*ROUTES, PASS_TUNNEL] if route.tunnel]
    rail = smooth_line(RAILWAY, 15)
    skeleton = shapely.union_all(
        [*(line for line, _ in routes), rail, *(smooth_line(edge, 15) for edge in quarters.EDGES), smooth_line(quarters.RIDGE, 40),
         coast.island.boundary, coast.fresh_water.boundary],
        grid_size=GRID_M,
    )  # fmt: skip
    ground = list(polygonize(shapely.get_parts(skeleton)))
    faces = quarters.assign_faces(ground)
    local = [
        (line, replace(quarters.LOCAL[quarter.style], name=name[0], kana=name[1], name_en=name[2]), quarter.name)
        for quarter in quarters.QUARTERS
        if quarter.name in faces
        for line, name in quarters.local_streets(quarter, faces[quarter.name], coast, terrain)
    ]
    sources = [(line, route, "") for line, route in routes] + local
    links = _node(sources, coast.fresh_water)
    links = _drop_stubs(_clear_sites(links))
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
    return LineString(route.points) if route.straight else smooth_line(route.points, 10)


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


def _node(sources: list[tuple[LineString, Route, str]], water: shapely.Geometry) -> list[Link]:
    """Cut lines where they meet and where a bridge begins; each piece keeps its source's attributes."""
    span = shapely.buffer(water, 7)
    cuts, owners = [], []
    for number, (line, _, _) in enumerate(sources):
        parts = [line.difference(span), line.intersection(span)]
        pieces = [piece for part in parts for piece in shapely.get_parts(part) if piece.length > 0]
        cuts += pieces
        owners += [number] * len(pieces)
    noded = shapely.get_parts(shapely.union_all(cuts, grid_size=GRID_M))
    middles = shapely.line_interpolate_point(noded, 0.5, normalized=True)
    nearest = shapely.STRtree(cuts).query_nearest(middles, all_matches=False)[1]
    over_water = shapely.intersects(water, middles)
    noded = _close_gaps(noded)
    links = []
    for piece, cut, wet in sorted(zip(noded, nearest, over_water, strict=True), key=lambda item: item[1]):
        if piece.is_empty:
            continue
        _, route, quarter = sources[owners[cut]]
        line = _along(piece, cuts[cut])
        links.append(Link("", line, route, quarter=quarter, bridge="bridge" if wet else ""))
    return links


def _close_gaps(pieces: list[LineString]) -> list[LineString]:
    """Ends less than half a metre apart become one node; a piece that vanishes is left empty.

    Rounding to the grid leaves a hair between a street's end and the road it meets.
    """
    ends = np.array([piece.coords[k] for piece in pieces for k in (0, -1)])
    places, which = np.unique(ends, axis=0, return_inverse=True)
    pairs = cKDTree(places).query_pairs(0.5, output_type="ndarray")
    graph = coo_matrix((np.ones(len(pairs)), pairs.T), shape=(len(places),) * 2)
    _, cluster = connected_components(graph, directed=False)
    first = np.full(cluster.max() + 1, -1)
    first[cluster[::-1]] = np.arange(len(places))[::-1]
    moved = places[first[cluster[which.ravel()]]].reshape(-1, 2, 2)
    closed = []
    for piece, (start, end) in zip(pieces, moved, strict=True):
        if piece.length < 1.2 and (start == end).all():
            closed.append(LineString())
        else:
            closed.append(LineString([tuple(start), *piece.coords[1:-1], tuple(end)]))
    return closed


def _along(piece: LineString, source: LineString) -> LineString:
    """The piece in its source's direction (noding may turn it)."""
    first, last = (source.project(Point(piece.coords[k])) for k in (0, -1))
    return piece if first <= last else shapely.reverse(piece)


def _clear_sites(links: list[Link]) -> list[Link]:
    """No local street runs through a school, a market or a park: their blocks stay whole."""
    sites = [
        Point(item.xy).buffer(40 if item.size_m is None else 0.42 * item.size_m[0] + 4)
        for item in FACILITIES
        if item.size_m is None or item.size_m[0] >= 50
    ]
    ground = shapely.union_all(sites)
    beside = shapely.union_all([link.line.buffer(13) for link in links if not link.quarter])
    shapely.prepare(beside)
    return [
        link for link in links
        if not link.quarter
        or (not ground.intersects(link.line) and not _doubles(link.line, beside))
    ]  # fmt: skip


def _doubles(line: LineString, beside: shapely.Geometry) -> bool:
    """A local street that runs right beside a named one is not built."""
    return line.length > 34 and line.intersection(beside).length > 0.72 * line.length


def _drop_stubs(links: list[Link]) -> list[Link]:
    """Remove short dead ends that clipping leaves, twice, because removing one may bare another."""
    for _ in range(2):
        degree: dict[tuple[float, float], int] = defaultdict(int)
        for link in links:
            for end in (link.line.coords[0], link.line.coords[-1]):
                degree[_key(end)] += 1
        links = [
            link
            for link in links
            if not link.quarter
            or link.line.length > 28
            or min(degree[_key(link.line.coords[0])], degree[_key(link.line.coords[-1])]) > 1
        ]
    return links


def _key(point: tuple[float, ...]) -> tuple[float, float]:
    return (round(point[0], 2), round(point[1], 2))


def _number(links: list[Link]) -> tuple[list[Link], dict[str, tuple[float, float]]]:
    """Give links and nodes their ids, from north-west to south-east."""
    order = sorted(links, key=lambda link: (round(-link.line.centroid.y, -2), link.line.centroid.x))
    points = sorted(
        {_key(link.line.coords[k]) for link in links for k in (0, -1)}, key=lambda p: (round(-p[1], -2), p[0])
    )
    ids = {point: f"N{number:05d}" for number, point in enumerate(points, 1)}
    numbered = [
        replace(link, id=f"R{number:05d}", start=ids[_key(link.line.coords[0])], end=ids[_key(link.line.coords[-1])])
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
            made.append(Structure("", "bridge", link.bridge, kana, english, link.line, link.route.width_m + 3, None, load, link.id))
        if link.tunnel:
            kana, english, clearance = tunnels[link.tunnel]
            made.append(Structure("", "tunnel", link.tunnel, kana, english, link.line, link.route.width_m + 2, clearance, None, link.id))
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
    return [(substring(rail, a, b), name) for a, b, name in zip(marks[:-1], marks[1:], names, strict=True)]
