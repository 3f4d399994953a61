"""Lines between lanes: as their features have them, made where none is shown, joined at their ends."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Final, NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

from geoshare.extracts.lane_bounds import bounding, cut
from geoshare.extracts.lanelet2.groups import End, Groups
from geoshare.extracts.lanelet2.line import Line, line_of
from geoshare.extracts.lanelet2.model import Losses
from geoshare.extracts.lanelet2.plane import Plane
from geoshare.extracts.road_rows import MapRows, Row
from geoshare.model.roads.lanelets import Border, align

Array = NDArray[np.float64]
SAME_M: Final = 0.001
SNAP_M: Final = 0.02  # ends no farther apart than this become one place; others are led to it
JOIN_M: Final = 1.0  # ends farther apart than this are not joined
_TURN: Final = 30.0  # a line turns by 2 degrees to meet another
_TURN_M: Final = 5.0
_WIDTH_M: Final = 3.0  # of a lane whose width nobody says


class Bounds(NamedTuple):
    """The lines of a lane by name, and whether the lane runs against them."""

    left: str
    right: str
    left_turned: bool
    right_turned: bool


class Lines:
    """All lines that bound lanes.

    Lanes that follow each other end and begin at the same places. Those in ``fixed`` stay where they
    are, and the others come to them.
    """

    def __init__(
        self, rows: MapRows, plane: Plane, losses: Losses, fixed: Collection[str] = frozenset()
    ) -> None:
        self.of: dict[str, Line] = {}
        self.bounds: dict[str, Bounds] = {}
        self._rows, self._plane, self._losses = rows, plane, losses
        for key, row in rows["lanes"].items():
            if row.geometry is None or row.geometry.geom_type != "LineString":
                losses.dropped["lanes without a whole line"] += 1
                continue
            self.bounds[key] = self._bounds(row)
        used = {name for bounds in self.bounds.values() for name in (bounds.left, bounds.right)}
        self.of = {name: line for name, line in self.of.items() if name in used}
        self._fixed = {
            name
            for key in fixed
            if key in self.bounds
            for name in (self.bounds[key].left, self.bounds[key].right)
        }
        self._join(fixed)
        self._check()

    def _bounds(self, row: Row) -> Bounds:
        centre = shapely.get_coordinates(row.geometry, include_z=True)
        names = [self._shown(row, side) for side in ("left", "right")]
        for place, side in enumerate(("left", "right")):
            if names[place] is None:
                names[place] = self._made(row, side, centre, names[1 - place])
        left, right = self._as_long(row, centre, [name or "" for name in names])
        turned = [self._runs_against(self.of[name].places, centre) for name in (left, right)]
        return Bounds(left, right, *turned)

    def _shown(self, row: Row, side: str) -> str | None:
        """The line of a boundary that the view shows whole."""
        key = row.text(f"{side}_boundary_id")
        found = self._rows["lane_boundaries"].get(key or "")
        if key is None or found is None or found.geometry is None:
            return None
        if key not in self.of:
            if found.geometry.geom_type != "LineString":
                return None
            self.of[key] = line_of(found)
        return key

    def _as_long(self, row: Row, centre: Array, names: list[str]) -> list[str]:
        """Lines that begin and end with the lane: cut where they run past it, made where elsewhere."""
        middle = self._plane.metres(centre)
        for _ in range(2):  # a line that is made may show that the other is wrong, too
            turned = [self._runs_against(self.of[name].places, centre) for name in names]
            lines = [
                self._plane.metres(self.of[name].places)[:: -1 if against else 1]
                for name, against in zip(names, turned, strict=True)
            ]
            parts = bounding(middle, lines[0], lines[1])
            for place, part in enumerate(parts or ()):
                if part is None:
                    self._losses.approximated["boundaries that lie beside other lanes"] += 1
                    side = ("left", "right")[place]
                    names[place] = self._made(row, side, centre, names[1 - place])
                else:
                    names[place] = self._cut(row, names[place], turned[place], cut(lines[place], part))
        return names

    def _cut(self, row: Row, name: str, against: bool, part: tuple[Array, list[int | None]]) -> str:
        """A stretch of a line, as a line of its own."""
        xyz, vertices = part
        if vertices[0] is not None and vertices[-1] is not None:
            return name
        whole, found = self.of[name], f"{name} along {row.id}"
        places, step = self._plane.places(xyz), -1 if against else 1
        nodes: list[str | None] = [None] * len(places)
        for at, vertex in enumerate(vertices):
            if vertex is not None:
                places[at], nodes[at] = whole.places[::step][vertex], whole.nodes[::step][vertex]
        like = whole.feature or whole.like
        self.of[found] = Line(None, found, places, nodes, whole.tags, like)
        self._losses.approximated["boundaries cut to their lanes"] += 1
        return found

    def _made(self, row: Row, side: str, centre: Array, other: str | None) -> str:
        """A line beside the centre line; lanes that lie side by side share it."""
        beside = row.text(f"{side}_lane_id")
        beside = beside if beside in self._rows["lanes"] else None
        pair = (beside, row.id) if side == "left" else (row.id, beside)
        name = f"between {pair[0] or ''} {pair[1] or ''}"
        if name not in self.of:
            self._losses.approximated["boundaries beside a centre line"] += 1
            aside_m = self._half_width_m(row, centre, other) * (1 if side == "left" else -1)
            places = self._plane.beside(centre, aside_m)
            self.of[name] = Line(None, name, places, [None] * len(places))
        return name

    def _half_width_m(self, row: Row, centre: Array, other: str | None) -> float:
        width_m = row.number("width_m")
        if width_m is not None:
            return width_m / 2
        if other is not None:
            line = shapely.LineString(self._plane.metres(self.of[other].places)[:, :2])
            points = shapely.points(self._plane.metres(centre)[:, :2])
            return float(np.median(shapely.distance(points, line)))
        self._losses.approximated["widths assumed"] += 1
        return _WIDTH_M / 2

    def _runs_against(self, line: Array, centre: Array) -> bool:
        a, b = self._plane.metres(line)[:, :2], self._plane.metres(centre)[:, :2]
        same = np.hypot(*(a[0] - b[0])) + np.hypot(*(a[-1] - b[-1]))
        turned = np.hypot(*(a[-1] - b[0])) + np.hypot(*(a[0] - b[-1]))
        return bool(turned < same)

    # ends

    def _join(self, fixed: Collection[str]) -> None:
        """Let lanes that follow each other end and begin at the same nodes."""
        groups = Groups()
        for one, two in self._followers():
            if one in fixed and two in fixed:
                continue
            for side in ("left", "right"):
                a, b = self._end(one, side, leaving=True), self._end(two, side, leaving=False)
                if self._apart(a, b) > JOIN_M or not groups.join(a, b):
                    self._losses.dropped["ends of lanes too far apart to be joined"] += 1
        for ends in groups.found():
            self._unite(ends)

    def _followers(self) -> Iterator[tuple[str, str]]:
        pairs = set()
        for key in self.bounds:
            row = self._rows["lanes"][key]
            for after in row.list("successor_ids"):
                pairs.add((key, after))
            for before in row.list("predecessor_ids"):
                pairs.add((before, key))
        return (pair for pair in sorted(pairs) if pair[0] in self.bounds and pair[1] in self.bounds)

    def _end(self, lane: str, side: str, *, leaving: bool) -> End:
        bounds = self.bounds[lane]
        name, turned = (
            (bounds.left, bounds.left_turned) if side == "left" else (bounds.right, bounds.right_turned)
        )
        return name, -1 if leaving != turned else 0

    def _place(self, end: End) -> Array:
        place: Array = self.of[end[0]].places[end[1]]
        return place

    def _apart(self, one: End, two: End) -> float:
        both = self._plane.metres(np.vstack([self._place(one), self._place(two)]))
        return float(np.hypot(*(both[0] - both[1])[:2]))

    def _unite(self, ends: list[End]) -> None:
        """Give ends one place: that of the end that is nearest to all of them."""
        xyz = self._plane.metres(np.vstack([self._place(end) for end in ends]))
        away = np.hypot(*(xyz[:, None, :2] - xyz[None, :, :2]).T)
        if away.max() <= SAME_M and len({self.of[name].nodes[at] for name, at in ends}) == 1:
            up = xyz[:, 2]
            if np.isnan(up).all() or np.ptp(up[np.isfinite(up)]) <= SAME_M:
                self._settle(ends, 0)
                return
        free = np.array([name not in self._fixed for name, _ in ends])
        total = away.sum(axis=0) + np.where(free & ~free.all(), np.inf, 0.0)
        self._settle(ends, int(np.argmin(total)))

    def _settle(self, ends: list[End], anchor: int) -> None:
        place = self._place(ends[anchor]).copy()
        node = self.of[ends[anchor][0]].nodes[ends[anchor][1]]
        for end in ends:
            if end[0] in self._fixed:
                continue
            line, (_, at) = self.of[end[0]], end
            mine = line.places[at]
            both = self._plane.metres(np.vstack([place, mine]))
            away, over = float(np.hypot(*(both[0] - both[1])[:2])), abs(float(both[0, 2] - both[1, 2]))
            if away <= (SNAP_M if line.feature is not None else JOIN_M):
                line.places = line.places.copy()
                line.places[at] = place
                line.nodes[at] = node
                self._losses.moved(away, over if np.isfinite(over) else 0.0)
                self._losses.approximated["ends of lines moved to meet"] += away > SAME_M
            else:
                self._lead(line, at, place, node)
                self._losses.moved(away, over if np.isfinite(over) else 0.0)
                self._losses.approximated["ends of lines led on to meet"] += 1

    def _lead(self, line: Line, at: int, place: Array, node: str | None) -> None:
        """Lead a line to a place near its end: its last metres turn by little, the rest stays.

        A vertex more at the end would be a corner, or a fold where the line already reaches past it.
        """
        line.densify()
        step = 1 if at == 0 else -1
        xyz = self._plane.metres(line.places[::step])
        shift = self._plane.metres(place[None])[0] - xyz[0]
        along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(xyz[:, :2], axis=0).T))])
        reach = min(max(_TURN * float(np.hypot(*shift[:2])), _TURN_M), along[-1] / 2)
        turned = int(np.searchsorted(along, reach))
        start = [np.interp(reach, along, xyz[:, axis]) for axis in range(3)]
        share = 1.0 - along[1:turned] / reach
        moved = xyz[1:turned] + share[:, None] * np.nan_to_num(shift)
        nearer = self._plane.places(np.vstack([moved, start]))
        line.places = np.vstack([place[None], nearer, line.places[::step][turned:]])[::step]
        nodes = line.nodes[::step]
        line.nodes = [node, *nodes[1:turned], None, *nodes[turned:]][::step]

    def _check(self) -> None:
        """Count lanes that Lanelet2, which finds the direction by the lines, may read otherwise."""
        for bounds in self.bounds.values():
            left, right = (
                Border(name, False, [], self.of[name].places[:: -1 if turned else 1])
                for name, turned in (
                    (bounds.left, bounds.left_turned),
                    (bounds.right, bounds.right_turned),
                )
            )
            if any(border.reversed for border in align(left, right)):
                self._losses.approximated["lanes that may be read in the other direction"] += 1
