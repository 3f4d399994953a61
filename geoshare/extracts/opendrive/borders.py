"""The lines between and beside lanes that lie side by side, in metres and as traffic runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from geoshare.extracts.lane_bounds import ASIDE_M, aside, bounding, cut
from geoshare.extracts.opendrive.frame import OutFrame
from geoshare.extracts.road_rows import Row

Array = NDArray[np.float64]
_DEFAULT_WIDTH_M: Final = 3.0


@dataclass
class Borders:
    """Lines (n, 3) from left to right, one more than lanes, with their boundaries."""

    lines: list[Array]
    rows: list[Row | None]
    fit: bool = True  # whether they begin and end beside each lane
    cut: int = 0  # boundaries of which a stretch alone bounds the lane
    drawn: int = 0  # lines beside a lane's own, for want of a boundary
    elsewhere: int = 0  # of these, where the boundary named is none of the lane


def borders_of(
    lanes: tuple[Row, ...], boundaries: Mapping[str, Row], frame: OutFrame
) -> Borders | None:
    """Boundaries of lanes from left to right, or lines beside their middle; None without a line.

    Of a single lane, boundaries that run past it are cut; lanes side by side share theirs, so there
    ``fit`` tells whether that would be needed.
    """
    found = Borders([], [])
    centres = [centre for lane in lanes if (centre := _metres(lane, frame)) is not None]
    if len(centres) < len(lanes):
        return None
    for place in range(len(lanes) + 1):
        lane, centre = lanes[min(place, len(lanes) - 1)], centres[min(place, len(lanes) - 1)]
        side = "left_boundary_id" if place < len(lanes) else "right_boundary_id"
        row = boundaries.get(lane.text(side) or "")
        line = None if row is None else _metres(row, frame)
        if line is None:
            found.drawn += 1
            line = _drawn(lane, centre, left=place < len(lanes))
        elif _runs_against(line, centre):
            line = line[::-1]
        found.lines.append(line)
        found.rows.append(row)
    found.fit = all(
        aside(centre, found.lines[place], found.lines[place + 1]) <= ASIDE_M
        for place, centre in enumerate(centres)
    )
    if len(lanes) == 1 and not found.fit:
        _cut(found, lanes[0], centres[0])
    return found


def _cut(found: Borders, lane: Row, centre: Array) -> None:
    """Cut the two lines of a lane to it; draw those that are elsewhere beside its middle."""
    for _ in range(2):  # one that is drawn may show that the other is wrong, too
        parts = bounding(centre, found.lines[0], found.lines[1])
        for place, part in enumerate(parts or ()):
            if part is None:
                found.lines[place] = _drawn(lane, centre, left=place == 0)
                found.rows[place] = None
                found.drawn += 1
                found.elsewhere += 1
            else:
                line, vertices = cut(found.lines[place], part)
                found.cut += vertices[0] is None or vertices[-1] is None
                found.lines[place] = line


def _drawn(lane: Row, centre: Array, *, left: bool) -> Array:
    half = 0.5 * (lane.number("width_m") or _DEFAULT_WIDTH_M)
    return _beside(centre, half if left else -half)


def _metres(row: Row, frame: OutFrame) -> Array | None:
    if not isinstance(row.geometry, shapely.LineString):
        return None
    xyz = frame.apply(shapely.get_coordinates(row.geometry, include_z=True))
    step = np.hypot(*np.diff(xyz[:, :2], axis=0).T)
    xyz = xyz[np.concatenate([[True], step > 1e-3])]
    return xyz if len(xyz) >= 2 and np.isfinite(xyz[:, :2]).all() else None


def _runs_against(line: Array, centre: Array) -> bool:
    same = np.hypot(*(line[0] - centre[0])[:2]) + np.hypot(*(line[-1] - centre[-1])[:2])
    turned = np.hypot(*(line[-1] - centre[0])[:2]) + np.hypot(*(line[0] - centre[-1])[:2])
    return bool(turned < same)


def _beside(centre: Array, left_m: float) -> Array:
    slope = np.gradient(centre[:, :2], axis=0)
    slope /= np.maximum(np.hypot(slope[:, 0], slope[:, 1]), 1e-9)[:, None]
    out = centre.copy()
    out[:, 0] -= left_m * slope[:, 1]
    out[:, 1] += left_m * slope[:, 0]
    return out
