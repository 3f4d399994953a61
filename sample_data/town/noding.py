"""Noding: lines that cross become links that meet."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import shapely
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree
from shapely.geometry import LineString, Point

from sample_data.town.facilities import FACILITIES
from sample_data.town.network import Link
from sample_data.town.routes import Route

GRID_M = 0.01


def node_lines(sources: list[tuple[LineString, Route, str]], water: shapely.Geometry) -> list[Link]:
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
    for piece, cut, wet in sorted(
        zip(noded, nearest, over_water, strict=True), key=lambda item: item[1]
    ):
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


def clear_sites(links: list[Link]) -> list[Link]:
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
        link
        for link in links
        if not link.quarter or (not ground.intersects(link.line) and not _doubles(link.line, beside))
    ]


def _doubles(line: LineString, beside: shapely.Geometry) -> bool:
    """A local street that runs right beside a named one is not built."""
    return line.length > 34 and line.intersection(beside).length > 0.72 * line.length


def drop_stubs(links: list[Link]) -> list[Link]:
    """Remove short dead ends that clipping leaves, twice, because removing one may bare another."""
    for _ in range(2):
        degree: dict[tuple[float, float], int] = defaultdict(int)
        for link in links:
            for end in (link.line.coords[0], link.line.coords[-1]):
                degree[node_key(end)] += 1
        links = [
            link
            for link in links
            if not link.quarter
            or link.line.length > 28
            or min(degree[node_key(link.line.coords[0])], degree[node_key(link.line.coords[-1])]) > 1
        ]
    return links


def drop_islands(links: list[Link]) -> list[Link]:
    """Remove local streets that no named road reaches."""
    ends = [(node_key(link.line.coords[0]), node_key(link.line.coords[-1])) for link in links]
    index = {
        point: number for number, point in enumerate(dict.fromkeys(p for pair in ends for p in pair))
    }
    pairs = np.array([(index[a], index[b]) for a, b in ends])
    graph = coo_matrix((np.ones(len(pairs)), pairs.T), shape=(len(index),) * 2)
    _, part = connected_components(graph, directed=False)
    reached = {int(part[a]) for (a, _), link in zip(pairs, links, strict=True) if not link.quarter}
    return [link for (a, _), link in zip(pairs, links, strict=True) if int(part[a]) in reached]


def node_key(point: tuple[float, ...]) -> tuple[float, float]:
    """A line end as the node it is: rounded to the grid."""
    return (round(point[0], 2), round(point[1], 2))
