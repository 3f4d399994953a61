"""What lies ahead of a place on a lane: the lanes that can be reached, and what belongs to them."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import orjson
import shapely
from numpy.typing import NDArray

from geoshare.access.view import View
from geoshare.errors import BadRequest, NotFound
from geoshare.network.along import Measured
from tiles.grid import lon_lat_box_to_world

MOST_LANES = 2_000
FARTHEST_M = 20_000.0
MARGIN_DEG = 0.0005  # about 50 m: beside a lane
NEIGHBOURS = ("left_lane_id", "right_lane_id")
BOUNDARIES = ("left_boundary_id", "right_boundary_id")
ELEMENTS = "regulatory_element_ids"
AHEAD = "successor_ids"


@dataclass(frozen=True)
class Ahead:
    """A lane ahead.

    ``from_m`` and ``to_m`` are where it begins and ends, in metres from the place that was asked for;
    the first begins behind it. ``previous`` is the lane one comes from on the shortest way; a neighbour
    beside a lane has ``beside`` in its place.
    """

    id: str
    from_m: float
    to_m: float
    previous: str = ""
    beside: str = ""


@dataclass
class Horizon:
    """Lanes ahead in the order in which they are reached, and what else belongs to them.

    ``along`` gives for each collection the ids with the lane they belong to and the range on it, in
    metres from the place that was asked for. ``whole`` tells whether all that lies ahead is in it.
    """

    lanes: list[Ahead] = field(default_factory=list)
    along: dict[str, dict[str, Ahead]] = field(default_factory=dict)
    whole: bool = True


class _Lanes:
    """Lanes of a view, fetched once, several at a time."""

    def __init__(self, view: View) -> None:
        wanted = (AHEAD, *NEIGHBOURS, *BOUNDARIES, ELEMENTS, "segment_id")
        if not view.has_column(AHEAD):
            raise BadRequest(
                "Your view of the collection does not tell which lanes follow one another",
                message_ja="このビューでは車線のつながりが分かりません",
                parameter="collection",
                allowed=f"a collection whose {AHEAD} you see",
            )
        self.view = view
        self._columns = [name for name in wanted if view.has_column(name)]
        self._found: dict[str, dict[str, Any]] = {}
        self._asked: set[str] = set()

    def fetch(self, ids: Iterable[str]) -> None:
        """Read those of the lanes that have not been asked for."""
        wanted = sorted(set(ids) - self._asked)
        self._asked.update(wanted)
        if not wanted:
            return
        table = self.view.materialise(self.view.lookup(wanted), self._columns)
        for row in table.to_pylist():
            for name in (AHEAD, ELEMENTS):
                row[name] = _listed(row.get(name))
            row["line"] = _measured(row.pop("geometry"))
            row["length_m"] = row["line"].length_m if row["line"] else 0.0
            self._found[row["id"]] = row

    def get(self, lane: str) -> dict[str, Any] | None:
        """What was read of a lane; None for one that the view does not show."""
        return self._found.get(lane)


def horizon(
    view_of: Callable[[str], View | None],
    collection: str,
    start: str,
    at: float,
    distance_m: float,
    beside: Sequence[str],
) -> Horizon:
    """What lies within a distance ahead of a place on a lane.

    Parameters
    ----------
    view_of
        The caller's view of a collection; None for one they may not know.
    collection
        That of the lanes.
    start, at
        A lane and the fraction of its length from which to look.
    distance_m
        How far, along the lanes.
    beside
        What else to tell: ``neighbours``, and names of collections among ``lane_boundaries``,
        ``regulatory_elements``, ``structures`` and ``events``.

    Raises
    ------
    NotFound
        for a lane that the view does not show.
    BadRequest
        where the view does not tell which lanes follow one another.
    """
    view = view_of(collection)
    if view is None:
        raise NotFound("No such collection")
    lanes = _Lanes(view)
    found = Horizon()
    _follow(lanes, found, start, at, distance_m)
    if "neighbours" in beside:
        _add_neighbours(lanes, found)
    if "lane_boundaries" in beside:
        found.along["lane_boundaries"] = _named(lanes, found.lanes, BOUNDARIES)
    if "regulatory_elements" in beside:
        found.along["regulatory_elements"] = _named(lanes, found.lanes, (ELEMENTS,))
    for name in ("structures", "events"):
        shown = view_of(name) if name in beside else None
        if shown is not None:
            found.along[name] = _on_segments(lanes, found.lanes, shown)
    return found


def _follow(lanes: _Lanes, found: Horizon, start: str, at: float, distance_m: float) -> None:
    """Dijkstra along successors, nearest first."""
    lanes.fetch([start])
    first = lanes.get(start)
    if first is None:
        raise NotFound("No such lane")
    queue = [(-at * first["length_m"], start, "")]
    done: set[str] = set()
    while queue:
        begins, lane, previous = heapq.heappop(queue)
        if lane in done or begins >= distance_m:
            continue
        if len(found.lanes) >= MOST_LANES:
            found.whole = False
            return
        lanes.fetch([lane, *(waiting for _, waiting, _ in queue)])
        said = lanes.get(lane)
        if said is None:
            continue
        done.add(lane)
        ends = begins + said["length_m"]
        found.lanes.append(Ahead(lane, begins, ends, previous))
        for following in said[AHEAD]:
            heapq.heappush(queue, (ends, following, lane))


def _add_neighbours(lanes: _Lanes, found: Horizon) -> None:
    """Add lanes beside those ahead that are not ahead themselves."""
    ahead = list(found.lanes)
    known = {lane.id for lane in ahead}
    pairs = [(lanes.get(lane.id), lane, name) for lane in ahead for name in NEIGHBOURS]
    wanted = [said[name] for said, _, name in pairs if said and said.get(name)]
    lanes.fetch(wanted)
    for said, lane, name in pairs:
        other = said.get(name) if said else None
        if other and other not in known and lanes.get(other) is not None:
            known.add(other)
            found.lanes.append(Ahead(other, lane.from_m, lane.to_m, beside=lane.id))


def _named(lanes: _Lanes, ahead: Sequence[Ahead], columns: Sequence[str]) -> dict[str, Ahead]:
    """Ids that lanes name in some columns, each with the first lane that does."""
    found: dict[str, Ahead] = {}
    for lane in ahead:
        said = lanes.get(lane.id) or {}
        for column in columns:
            value = said.get(column)
            for name in value if isinstance(value, list) else [value]:
                if name:
                    found.setdefault(name, lane)
    return found


def _on_segments(lanes: _Lanes, ahead: Sequence[Ahead], view: View) -> dict[str, Ahead]:
    """Features that say they are on the segments of the lanes."""
    by_segment: dict[str, Ahead] = {}
    for lane in ahead:
        segment = (lanes.get(lane.id) or {}).get("segment_id")
        if segment:
            by_segment.setdefault(segment, lane)
    column = next((name for name in ("segment_id", "segment_ids") if view.has_column(name)), None)
    if column is None or not by_segment:
        return {}
    found: dict[str, Ahead] = {}
    for row in view.materialise(view.search(_around(lanes, ahead)), [column]).to_pylist():
        said = _listed(row[column]) if column == "segment_ids" else [row[column]]
        on = next((by_segment[segment] for segment in said if segment in by_segment), None)
        if on is not None:
            found[row["id"]] = _narrowed(lanes, on, row["geometry"])
    return found


def _around(lanes: _Lanes, ahead: Sequence[Ahead]) -> NDArray[np.int64]:
    """World boxes of the lanes; what is on their segments but far away is not ahead."""
    lines = [(lanes.get(lane.id) or {}).get("line") for lane in ahead]
    boxes = [lon_lat_box_to_world(*line.bounds(MARGIN_DEG)) for line in lines if line is not None]
    return np.concatenate(boxes) if boxes else np.zeros((0, 4), np.int64)


def _narrowed(lanes: _Lanes, lane: Ahead, wkb: bytes | None) -> Ahead:
    """The lane with the range on it that a feature lies beside."""
    line = (lanes.get(lane.id) or {}).get("line")
    shape = None if wkb is None else shapely.from_wkb(wkb)
    if line is None or shape is None or shape.is_empty:
        return lane
    start, end = line.covered(shape)
    return replace(lane, from_m=lane.from_m + start, to_m=lane.from_m + end)


def _listed(text: str | None) -> list[str]:
    """Ids of a JSON array."""
    value = orjson.loads(text) if text else []
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _measured(wkb: bytes | None) -> Measured | None:
    """A lane as it is shown; None for one without a line."""
    try:
        return Measured(shapely.from_wkb(wkb))
    except BadRequest:
        return None
