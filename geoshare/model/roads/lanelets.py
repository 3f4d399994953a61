"""Lanes from their two boundaries: which way these run, the centre line, and the neighbours."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

EARTH_RADIUS_M = 6_371_008.8
_SAME = 1e-9  # parameters closer than this are one


@dataclass(slots=True)
class Border:
    """One side of a lane: the way, whether the lane runs against it, its vertices as the lane runs."""

    way: str
    reversed: bool
    nodes: list[str]
    lon_lat_z: NDArray[np.float64]  # (n, 3)


@dataclass(slots=True)
class Neighbours:
    """Lanes that a lane touches, by record id."""

    predecessors: list[str] = field(default_factory=list)
    successors: list[str] = field(default_factory=list)
    left: str | None = None
    right: str | None = None


def metres(lon_lat_z: NDArray[np.float64], origin: NDArray[np.float64]) -> NDArray[np.float64]:
    """East and north of an origin (lon, lat) in metres on a sphere; good to 0.5 % within kilometres."""
    east = np.radians(lon_lat_z[:, 0] - origin[0]) * EARTH_RADIUS_M * np.cos(np.radians(origin[1]))
    north = np.radians(lon_lat_z[:, 1] - origin[1]) * EARTH_RADIUS_M
    return np.column_stack([east, north])


def align(left: Border, right: Border) -> tuple[Border, Border]:
    """Both borders in the lane's direction, as Lanelet2 finds it.

    The file stores no direction: a border runs backwards where the other one's middle lies on its
    wrong side (lanelet2_core, geometry::align).
    """
    origin = left.lon_lat_z[0, :2]
    left_xy, right_xy = metres(left.lon_lat_z, origin), metres(right.lon_lat_z, origin)
    if side(left_xy, _middle(right_xy)) > 0:
        left = _turned(left)
        left_xy = left_xy[::-1]
    if side(right_xy, _middle(left_xy)) < 0:
        right = _turned(right)
    return left, right


def _turned(border: Border) -> Border:
    return Border(border.way, not border.reversed, border.nodes[::-1], border.lon_lat_z[::-1])


def _middle(xy: NDArray[np.float64]) -> NDArray[np.float64]:
    middle: NDArray[np.float64] = xy[len(xy) // 2] if len(xy) > 2 else xy.mean(axis=0)
    return middle


def side(line: NDArray[np.float64], point: NDArray[np.float64]) -> float:
    """Positive where the point is left of the line (n, 2), negative right, zero on it.

    Beside a vertex the bisector of its two segments decides, so that a point outside a sharp bend
    is judged by both.
    """
    start, along = line[:-1], np.diff(line, axis=0)
    length2 = (along**2).sum(axis=1)
    use = length2 > 0
    if not use.any():
        return 0.0
    start, along, length2 = start[use], along[use], length2[use]
    t = np.clip(((point - start) * along).sum(axis=1) / length2, 0.0, 1.0)
    away = point - (start + t[:, None] * along)
    distance2 = (away**2).sum(axis=1)
    near = np.flatnonzero(distance2 <= distance2.min() * (1 + 1e-12))
    unit = along[near] / np.sqrt(length2[near])[:, None]
    direction = unit.sum(axis=0)
    offset = away[near[0]]
    return float(direction[0] * offset[1] - direction[1] * offset[0])


def centre_line(left: Border, right: Border) -> tuple[NDArray[np.float64], float]:
    """Centre line (n, 3) in longitude, latitude, height, and the median width in metres.

    Both borders are cut at the shares of length at which either has a vertex; the middles of the
    cut pairs are the centre line.
    """
    origin = left.lon_lat_z[0, :2]
    shares = [_shares(metres(border.lon_lat_z, origin)) for border in (left, right)]
    cuts = np.unique(np.concatenate(shares))
    cuts = cuts[np.concatenate([[True], np.diff(cuts) > _SAME])]
    cut = [
        np.column_stack([np.interp(cuts, share, border.lon_lat_z[:, axis]) for axis in range(3)])
        for share, border in zip(shares, (left, right), strict=True)
    ]
    across = metres(cut[0], origin) - metres(cut[1], origin)
    return (cut[0] + cut[1]) / 2.0, float(np.median(np.hypot(across[:, 0], across[:, 1])))


def _shares(xy: NDArray[np.float64]) -> NDArray[np.float64]:
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(xy, axis=0).T))])
    total = along[-1]
    return along / total if total > 0 else np.linspace(0.0, 1.0, len(along))


def neighbours(lanes: dict[str, tuple[Border, Border]]) -> dict[str, Neighbours]:
    """What each lane follows, what follows it, and what runs beside it in the same direction.

    A lane follows another where both its borders begin at the nodes at which the other's end; two
    lanes lie side by side where one's left way is the other's right way, run the same way.
    """
    starts: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    by_left: dict[tuple[str, bool], str] = {}
    by_right: dict[tuple[str, bool], str] = {}
    for lane, (left, right) in lanes.items():
        starts[left.nodes[0], right.nodes[0]].append(lane)
        by_left.setdefault((left.way, left.reversed), lane)
        by_right.setdefault((right.way, right.reversed), lane)
    out = {lane: Neighbours() for lane in lanes}
    for lane, (left, right) in lanes.items():
        for after in starts.get((left.nodes[-1], right.nodes[-1]), []):
            if after != lane:
                out[lane].successors.append(after)
                out[after].predecessors.append(lane)
        out[lane].left = by_right.get((left.way, left.reversed))
        out[lane].right = by_left.get((right.way, right.reversed))
    return out
