"""Lines between lanes: as their features have them, made where none is shown, joined at their ends."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

from geoshare.extracts.lanelet2.model import Losses
from geoshare.extracts.lanelet2.plane import Plane
from geoshare.extracts.road_rows import MapRows, Row
from geoshare.model.roads.lanelets import Border, align

Array = NDArray[np.float64]
SAME_M: Final = 0.001
SNAP_M: Final = 0.02  # ends no farther apart than this become one place; others get one more vertex
JOIN_M: Final = 1.0  # ends farther apart than this are not joined
_FEWEST: Final = 5  # vertices of a line that is led on
_WIDTH_M: Final = 3.0  # of a lane whose width nobody says


@dataclass
class Line:
    """One boundary: its feature (None where it was made here), its vertices, the ids of its nodes."""

    feature: str | None
    name: str
    places: Array  # (n, 3) longitude, latitude, height
    nodes: list[str | None]  # as they were called in a Lanelet2 map
    tags: dict[str, dict[str, str]] = field(default_factory=dict)  # of these nodes


class Bounds(NamedTuple):
    """The lines of a lane by name, and whether the lane runs against them."""

    left: str
    right: str
    left_turned: bool
    right_turned: bool


End = tuple[str, int]  # name of a line, 0 or -1


class Lines:
    """All lines that bound lanes."""

    def __init__(self, rows: MapRows, plane: Plane, losses: Losses) -> None:
        self.of: dict[str, Line] = {}
        self.bounds: dict[str, Bounds] = {}
        self._rows, self._plane, self._losses = rows, plane, losses
        for key, row in rows["lanes"].items():
            if row.geometry is None or row.geometry.geom_type != "LineString":
                losses.dropped["lanes without a whole line"] += 1
                continue
            self.bounds[key] = self._bounds(row)
        self._join()
        self._check()

    def _bounds(self, row: Row) -> Bounds:
        centre = shapely.get_coordinates(row.geometry, include_z=True)
        names = [self._shown(row, side) for side in ("left", "right")]
        for place, side in enumerate(("left", "right")):
            if names[place] is None:
                names[place] = self._made(row, side, centre, names[1 - place])
        left, right = (name or "" for name in names)
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

    def _join(self) -> None:
        """Let lanes that follow each other end and begin at the same nodes."""
        groups = _Groups()
        for one, two in self._followers():
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
        self._settle(ends, int(np.argmin(away.sum(axis=0))))

    def _settle(self, ends: list[End], anchor: int) -> None:
        place = self._place(ends[anchor]).copy()
        node = self.of[ends[anchor][0]].nodes[ends[anchor][1]]
        for end in ends:
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
                _densify(line)
                where = 0 if at == 0 else len(line.places)
                line.places = np.insert(line.places, where, place, axis=0)
                line.nodes.insert(where, node)
                self._losses.approximated["ends of lines led on to meet"] += 1

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


def _densify(line: Line) -> None:
    """Give a line of few vertices more: who looks at its middle vertex must find its middle."""
    while len(line.places) < _FEWEST:
        middles = (line.places[:-1] + line.places[1:]) / 2
        line.places = np.insert(line.places, np.arange(1, len(line.places)), middles, axis=0)
        nodes: list[str | None] = [line.nodes[0]]
        for node in line.nodes[1:]:
            nodes += [None, node]
        line.nodes = nodes


def line_of(row: Row) -> Line:
    """The line of a feature, with the names of its nodes where they were kept and still fit."""
    places = shapely.get_coordinates(row.geometry, include_z=True)
    kept = row.object("lanelet2")
    nodes = kept.get("nodes")
    fits = isinstance(nodes, list) and len(nodes) == len(places)
    tags = kept.get("node_tags")
    return Line(
        row.id,
        row.id,
        places,
        [str(node) for node in nodes] if isinstance(nodes, list) and fits else [None] * len(places),
        texts_of_texts(tags) if fits else {},
    )


def texts_of_texts(said: object) -> dict[str, dict[str, str]]:
    """Tags by node, as they were kept."""
    if not isinstance(said, Mapping):
        return {}
    return {str(node): texts(tags) for node, tags in said.items()}


def texts(said: object) -> dict[str, str]:
    """Tags, as they were kept."""
    if not isinstance(said, Mapping):
        return {}
    return {str(key): value for key, value in said.items() if isinstance(value, str)}


class _Groups:
    """Ends of lines that are one place; both ends of one line are never."""

    def __init__(self) -> None:
        self._of: dict[End, list[End]] = {}

    def join(self, one: End, two: End) -> bool:
        """Make two ends one; false where that would close a line."""
        a, b = self._of.setdefault(one, [one]), self._of.setdefault(two, [two])
        if a is b:
            return True
        at: dict[str, set[int]] = defaultdict(set)
        for name, place in (*a, *b):
            at[name].add(place)
        if any(len(places) > 1 for places in at.values()):
            return False
        a.extend(b)
        for end in b:
            self._of[end] = a
        return True

    def found(self) -> Iterator[list[End]]:
        """All groups, once each."""
        seen: set[int] = set()
        for group in self._of.values():
            if id(group) not in seen:
                seen.add(id(group))
                yield sorted(group)
