"""Roads of one map as records: reference lines, lanes and their boundaries."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np
import pyproj
import shapely
from lxml import etree
from numpy.typing import NDArray

from geoshare.model.report import Report
from geoshare.model.roads import Band, Lane, Sampled, sample
from geoshare.sources import messages
from geoshare.sources.opendrive import words
from geoshare.sources.opendrive.fragments import lane_fragment, road_fragment, uncommon
from geoshare.sources.opendrive.junctions import Joints
from geoshare.sources.opendrive.lanes import Marks, lane_tags, raised_m, turn
from geoshare.sources.opendrive.links import END, NO_JUNCTION, START, LaneKey
from geoshare.sources.opendrive.map import MapContext
from geoshare.sources.opendrive.parse import Parsed, parse_road
from geoshare.sources.opendrive.things import things_of
from geoshare.sources.opendrive.xml import BrokenError, attributes, word
from geoshare.sources.records import Record

Array = NDArray[np.float64]
_GEOD = pyproj.Geod(ellps="WGS84")
_SAME_M = 1e-6


class RoadBuilder:
    """Turns the ``road`` elements of one map into records, and keeps count of what it changed."""

    def __init__(self, context: MapContext, report: Report) -> None:
        self._map, self._report = context, report
        self._error_m = 0.0
        self._raised_m = 0.0
        self._marks = Marks()
        self._crossing: list[str] = []
        self._gaps: list[float] = []
        self._curves: list[float] = []
        self._raw: Counter[str] = Counter()
        self._seen: set[str] = set()
        self._joints = Joints(context)
        self.hulls: dict[str, list[shapely.Geometry]] = {}  # by junction

    def road(self, element: etree._Element) -> Iterator[Record]:
        """All records of one road; a road that cannot be built is refused."""
        key = word(element, "id")
        if not key or key in self._seen:
            self._report.rows_read += 1
            self._report.refuse(key or "?", messages.road_twice(), attributes(element))
            return
        try:
            parsed = parse_road(element, self._report)
        except BrokenError as error:
            self._report.rows_read += 1
            self._report.refuse(key, messages.road_broken(str(error)[:80]), attributes(element))
            return
        self._seen.add(key)
        self._check(parsed)
        self._joints.take(parsed)
        self._raw += uncommon(element)
        yield from things_of(parsed, self._map, self._report)
        speeds = self._speeds(parsed)
        for band in parsed.road.bands():
            yield from self._band(parsed, band, speeds)
        yield self._segment(parsed, speeds)

    def connectors(self) -> Iterator[Record]:
        """The places at which the roads meet, after all of them."""
        return self._joints.records()

    def finish(self) -> None:
        """Say what was approximated, repaired and kept aside, once for the file."""
        report = self._report
        report.note(messages.largest_error(self._error_m, self._map.chord_m))
        if self._gaps:
            report.note(messages.plan_gaps(max(self._gaps), len(self._gaps)))
        if self._curves:
            report.note(messages.curve_lengths(max(self._curves), len(self._curves)))
        if self._crossing:
            report.note(messages.self_crossing(len(self._crossing), ", ".join(self._crossing[:3])))
        if self._raised_m:
            report.note(messages.lane_heights(self._raised_m))
        if self._marks.joined:
            report.note(messages.marks_joined(self._marks.joined))
        if self._raw:
            report.note(messages.not_taken(dict(self._raw)))

    def _check(self, parsed: Parsed) -> None:
        plan = parsed.road.plan
        gaps = plan.gaps()
        self._gaps += gaps[gaps > 0.01].tolist()
        for number, piece in enumerate(plan.pieces):
            apart = abs(plan.curve_length(number) - piece.length)
            if apart > max(0.01, 1e-4 * piece.length):
                self._curves.append(apart)

    def _sampled(self, parsed: Parsed, band: Band | None) -> Sampled:
        found = sample(parsed.road, band, self._map.chord_m)
        self._error_m = max(self._error_m, found.error_m)
        return found

    def _speeds(self, parsed: Parsed) -> list[tuple[float, str, float | None]]:
        """(station, type, limit in km/h) of the road's type records."""
        found = []
        for item in parsed.element.iterfind("type"):
            speed = item.find("speed")
            limit = None if speed is None else words.speed_kmh(speed)
            try:
                found.append((float(word(item, "s") or 0.0), word(item, "type"), limit))
            except ValueError:
                continue
        return sorted(found, key=lambda row: row[0])

    # the reference line

    def _segment(self, parsed: Parsed, speeds: list[tuple[float, str, float | None]]) -> Record:
        road, key = parsed.road, parsed.road.id
        links = self._map.network.roads[key]
        sampled = self._sampled(parsed, None)
        line = self._map.frame.apply(_distinct(sampled.lines[0]))
        if not shapely.LineString(sampled.lines[0][:, :2]).is_simple:
            self._crossing.append(key)
        kinds = Counter({kind: 0 for _, kind, _ in speeds})
        driven, travels = 0, set()
        for section in road.sections:
            here = [lane for lane in (*section.left, *section.right) if lane.type in words.DRIVEN]
            driven = max(driven, len(here))
            for lane in here:
                travels.add(self._travel(LaneKey(key, section.index, lane.id)))
        kind = next(iter(kinds), "")
        in_junction = links.junction not in NO_JUNCTION
        properties = {
            "subtype": "road",
            "class": words.ROAD_CLASSES.get(kind),
            "subclass": "link" if in_junction else None,
            "name": word(parsed.element, "name") or None,
            "lane_count": driven or None,
            "speed_limit_kmh": speeds[0][2] if speeds else None,
            "one_way": _one_way(travels),
            "start_connector_id": self._map.connector(key, START),
            "end_connector_id": self._map.connector(key, END),
            "junction_id": self._map.id(links.junction) if in_junction else None,
            "length_m": round(float(_GEOD.line_length(line[:, 0], line[:, 1])), 3),
            "opendrive": self._map.source() | {"road": road_fragment(parsed.element)},
        }
        return Record("segments", self._map.id(key), shapely.LineString(line), properties)

    # lanes and boundaries

    def _band(
        self, parsed: Parsed, band: Band, speeds: list[tuple[float, str, float | None]]
    ) -> Iterator[Record]:
        sampled = self._sampled(parsed, band)
        lines = sampled.lines
        count = lines.shape[1]
        placed = self._map.frame.apply(lines.reshape(-1, 3)).reshape(lines.shape)
        key = (parsed.road.id, band.section.index)
        junction = self._map.network.roads[parsed.road.id].junction
        if junction not in NO_JUNCTION:
            flat = placed[..., :2].reshape(-1, 2)
            hull = shapely.MultiPoint(flat).convex_hull
            self.hulls.setdefault(junction, []).append(hull)
        for place, number in enumerate(band.borders):
            shape = shapely.LineString(placed[place][_kept(lines[place])])
            lane = parsed.lanes.get((key[1], number))
            if lane is None:
                lane = parsed.element.find(f"lanes/laneSection[{key[1] + 1}]/center/lane")
            tags = self._marks.tags(lane, number, band.end - band.start)
            yield Record("lane_boundaries", self._map.id(*key, number), shape, tags)
        places = {number: place for place, number in enumerate(band.borders)}
        for rank, item in enumerate(band.lanes):
            at = (places[item.id], places[item.id] + (1 if item.id > 0 else -1))
            element = parsed.lanes[key[1], item.id]
            middle = 0.5 * (lines[at[0]] + lines[at[1]])
            raised = raised_m(element, sampled.s - band.section.s)
            if raised is not None:
                self._raised_m = max(self._raised_m, float(np.abs(raised).max()))
                middle = middle + np.column_stack([np.zeros((count, 2)), raised])
            width = np.hypot(*(lines[at[0]] - lines[at[1]])[:, :2].T)
            yield self._lane(parsed, band, rank, _distinct(middle), float(np.median(width)), speeds)

    def _lane(
        self,
        parsed: Parsed,
        band: Band,
        rank: int,
        middle: Array,
        width_m: float,
        speeds: list[tuple[float, str, float | None]],
    ) -> Record:
        item, section = band.lanes[rank], band.section
        key = LaneKey(parsed.road.id, section.index, item.id)
        element, travel = parsed.lanes[section.index, item.id], self._travel(key)
        line = self._map.frame.apply(middle)
        if travel < 0:
            line = line[::-1]
        sides = [self._beside(key, band, rank, step) for step in (-1, 1)]
        borders = _borders(band, item)
        if travel < 0:
            sides, borders = sides[::-1], borders[::-1]
        in_force = [limit for s, _, limit in speeds if s <= section.s]
        links = self._map.network.roads[key.road]
        properties = lane_tags(element, travel, in_force[-1] if in_force else None) | {
            "turn_direction": None
            if links.junction in NO_JUNCTION or item.type not in words.DRIVEN
            else turn(parsed.road, travel),
            "width_m": round(width_m, 3),
            "length_m": round(float(_GEOD.line_length(line[:, 0], line[:, 1])), 3),
            "left_boundary_id": self._map.id(key.road, section.index, borders[0]),
            "right_boundary_id": self._map.id(key.road, section.index, borders[1]),
            "left_lane_id": sides[0],
            "right_lane_id": sides[1],
            "segment_id": self._map.id(key.road),
            "predecessor_ids": [self._map.id(*lane) for lane in self._map.before.get(key, ())] or None,
            "successor_ids": [self._map.id(*lane) for lane in self._map.after.get(key, ())] or None,
            "regulatory_element_ids": self._map.rules.get(key) or None,
            "opendrive": {"section": section.index, "lane": lane_fragment(element)},
        }
        return Record("lanes", self._map.id(*key), shapely.LineString(line), properties)

    def _beside(self, key: LaneKey, band: Band, rank: int, step: int) -> str | None:
        """The lane beside one (-1 left, 1 right along the road) where traffic runs the same way."""
        if not 0 <= rank + step < len(band.lanes):
            return None
        other = key._replace(lane=band.lanes[rank + step].id)
        return self._map.id(*other) if self._travel(other) == self._travel(key) else None

    def _travel(self, key: LaneKey) -> int:
        found = self._map.network.roads[key.road].lane(key)
        return 1 if found is None else found.travel


def _borders(band: Band, lane: Lane) -> list[int]:
    """Lines left and right of a lane along the road."""
    place = band.borders.index(lane.id)
    inner = band.borders[place + (1 if lane.id > 0 else -1)]
    return [lane.id, inner] if lane.id > 0 else [inner, lane.id]


def _one_way(travels: set[int]) -> str | None:
    if not travels:
        return None
    return {frozenset([1]): "forward", frozenset([-1]): "backward"}.get(frozenset(travels), "no")


def _kept(line: Array) -> NDArray[np.bool_]:
    """Vertices (m,) without those that lie where the one before lies; both ends stay."""
    step = np.sqrt((np.diff(line, axis=0) ** 2).sum(axis=1))
    keep = np.concatenate([[True], step > _SAME_M])
    if not keep[-1] and keep.sum() > 1:
        keep[np.flatnonzero(keep)[-1]], keep[-1] = False, True
        keep[0] = True
    return keep


def _distinct(line: Array) -> Array:
    return line[_kept(line)]
