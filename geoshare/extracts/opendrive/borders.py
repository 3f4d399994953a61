"""The lines between and beside lanes that lie side by side, in metres and as traffic runs."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from geoshare.extracts.lane_bounds import ASIDE_M, aside
from geoshare.extracts.lanelet2.lines import Lines
from geoshare.extracts.lanelet2.model import Losses as LineLosses
from geoshare.extracts.lanelet2.plane import choose
from geoshare.extracts.opendrive.frame import OutFrame
from geoshare.extracts.opendrive.model import Losses
from geoshare.extracts.road_rows import MapRows, Row

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Borders:
    """Lines (n, 3) from left to right, one more than lanes, with their boundaries."""

    lines: list[Array]
    rows: tuple[Row | None, ...]
    fit: bool  # whether they begin and end beside each lane


class Ground:
    """The lines of all lanes of a map, those of kept roads as they are, others led to meet them.

    The same lines as in a Lanelet2 map (:mod:`geoshare.extracts.lanelet2.lines`): as long as their
    lanes, beside the middle where no boundary is shown, and joined where lanes follow each other.
    """

    def __init__(
        self, rows: MapRows, wanted: Mapping[str, Row], frame: OutFrame, losses: Losses
    ) -> None:
        self._boundaries, self._frame = rows["lane_boundaries"], frame
        beside = _followed(rows["lanes"], wanted)
        lanes = {key: row for key, row in rows["lanes"].items() if key in wanted or key in beside}
        shapes = [row.geometry for row in lanes.values() if row.geometry is not None]
        told = LineLosses()
        plane = choose(shapely.total_bounds(shapes))
        some = MapRows({"lanes": lanes, "lane_boundaries": self._boundaries})
        self._lines = Lines(some, plane, told, fixed=beside)
        losses.approximated += told.approximated
        losses.dropped += told.dropped
        losses.moved(told.horizontal_m, told.vertical_m)

    def borders(self, lanes: tuple[Row, ...]) -> Borders | None:
        """The lines of lanes that lie side by side, from left to right; None where one has no line."""
        centres = [centre for lane in lanes if (centre := self._metres(lane.geometry)) is not None]
        bounds = [self._lines.bounds[lane.id] for lane in lanes if lane.id in self._lines.bounds]
        if len(centres) < len(lanes) or len(bounds) < len(lanes):
            return None
        named = [(one.left, one.left_turned) for one in bounds]
        named.append((bounds[-1].right, bounds[-1].right_turned))
        lines = []
        for name, turned in named:
            line = self._metres(shapely.LineString(self._lines.of[name].places[:: -1 if turned else 1]))
            if line is None:
                return None
            lines.append(line)
        beside = [aside(centre, lines[place], lines[place + 1]) for place, centre in enumerate(centres)]
        features = [self._lines.of[name] for name, _ in named]
        rows = tuple(self._boundaries.get(line.feature or line.like or "") for line in features)
        return Borders(lines, rows, max(beside) <= ASIDE_M)

    def _metres(self, shape: object) -> Array | None:
        if not isinstance(shape, shapely.LineString):
            return None
        xyz = self._frame.apply(shapely.get_coordinates(shape, include_z=True))
        step = np.hypot(*np.diff(xyz[:, :2], axis=0).T)
        xyz = xyz[np.concatenate([[True], step > 1e-3])]
        return xyz if len(xyz) >= 2 and np.isfinite(xyz[:, :2]).all() else None


def _followed(lanes: Mapping[str, Row], wanted: Collection[str]) -> set[str]:
    """Lanes of kept roads that follow one of the wanted, or that one of these follows."""
    found: set[str] = set()
    for key, row in lanes.items():
        ways = {*row.list("successor_ids"), *row.list("predecessor_ids")}
        if key in wanted:
            found |= ways
        elif not ways.isdisjoint(wanted):
            found.add(key)
    return (found & lanes.keys()) - {*wanted}
