"""Rows of the views that a road map is made of, completed so that no road is cut short."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import orjson
import shapely
from shapely.geometry.base import BaseGeometry

from geoshare.errors import BadRequest, TooLarge
from geoshare.extracts.request import ExtractRequest, Plan
from geoshare.extracts.road_maps import COLLECTIONS, LANES, MAX_LANES
from geoshare.model.box import Box
from geoshare.query import View
from tiles.arrays import Rows

Texts = list[str]
_ASIDE_DEG: Final = 0.0005  # some 50 m: lanes lie beside the reference line of their road


@dataclass(frozen=True, slots=True)
class Row:
    """One feature as its view shows it. Geometry in longitude, latitude, height."""

    id: str
    geometry: BaseGeometry | None
    properties: Mapping[str, Any]

    def text(self, name: str) -> str | None:
        """A property that is a text; None where it is not shown or nothing."""
        value = self.properties.get(name)
        return value if isinstance(value, str) and value else None

    def number(self, name: str) -> float | None:
        """A property that is a number."""
        value = self.properties.get(name)
        return float(value) if isinstance(value, int | float) else None

    def list(self, name: str) -> list[str]:
        """A property that is a JSON list of texts."""
        value = self._parsed(name)
        return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []

    def object(self, name: str) -> dict[str, Any]:
        """A property that is a JSON object."""
        value = self._parsed(name)
        return value if isinstance(value, dict) else {}

    def roles(self, name: str) -> dict[str, Texts]:
        """A property that is a JSON object of lists of ids."""
        lists = self.object(name)
        return {
            role: [item for item in items if isinstance(item, str)]
            for role, items in lists.items()
            if isinstance(items, list)
        }

    def _parsed(self, name: str) -> Any:
        text = self.text(name)
        try:
            return None if text is None else orjson.loads(text)
        except orjson.JSONDecodeError:
            return None


@dataclass
class MapRows:
    """Features by collection and id; a collection that is not asked for has none."""

    of: dict[str, dict[str, Row]] = field(default_factory=dict)

    def __getitem__(self, name: str) -> dict[str, Row]:
        return self.of.get(name, {})


def gather(made: Plan) -> MapRows:
    """Lanes of the area, their roads, all lanes of these roads, and what belongs to them.

    Raises
    ------
    TooLarge
        There are more lanes than a single file should hold.
    """
    views = {view.collection.name: view for view in made.views if isinstance(view, View)}
    lanes = views[LANES]
    found = MapRows()
    found.of[LANES] = by_id(lanes, made.select(lanes).rows)
    if "segments" in views:
        wanted = {row.text("segment_id") for row in found[LANES].values()} - {None}
        found.of["segments"] = looked_up(views["segments"], wanted)
        found.of[LANES] |= _of_segments(lanes, found["segments"])
    check_size(found)
    for name, references in (
        ("lane_boundaries", named(found[LANES].values(), "left_boundary_id", "right_boundary_id")),
        ("junctions", named(found["segments"].values(), "junction_id")),
        (
            "regulatory_elements",
            {key for row in found[LANES].values() for key in row.list("regulatory_element_ids")},
        ),
    ):
        if name in views:
            found.of[name] = looked_up(views[name], references)
    if "regulatory_elements" in views:  # a rule may be for no lane
        rules = views["regulatory_elements"]
        found.of["regulatory_elements"] |= by_id(rules, made.select(rules).rows)
    for name in COLLECTIONS:
        if name in views and name not in found.of:
            found.of[name] = by_id(views[name], made.select(views[name]).rows)
            found.of[name] |= _of_segments(views[name], found["segments"])
    return found


def check_size(found: MapRows) -> None:
    """Raise TooLarge for more lanes than a single map should hold."""
    if len(found[LANES]) > MAX_LANES:
        raise TooLarge(
            "The map would hold too many lanes; ask for a smaller area.",
            message_ja="車線が多すぎます。範囲を狭めてください。",
            parameter="bbox",
            allowed=f"{MAX_LANES} lanes",
        )


def check_some(found: MapRows, request: ExtractRequest) -> None:
    """Raise BadRequest for a map without a lane that has a line."""
    if all(row.geometry is None for row in found[LANES].values()):
        raise no_lanes(request)


def no_lanes(request: ExtractRequest) -> BadRequest:
    """What is said where a road map would have no lane, naming how its area was given."""
    given = [name for name in ("bbox", "area", "mesh") if getattr(request, name) is not None]
    return BadRequest(
        "There are no lanes in the area.",
        parameter=given[0] if given else "collections",
        allowed="an area in which you see lanes",
        message_ja="範囲に車線がありません。",
    )


def bounds(found: MapRows) -> list[float]:
    """West, south, east, north of everything that a map was made of, in degrees, a little grown.

    Nothing outside of it belongs to the map, as long as nothing in it changes.
    """
    shapes = [row.geometry for rows in found.of.values() for row in rows.values() if row.geometry]
    aside = 2 * _ASIDE_DEG
    grown = shapely.total_bounds(shapes) + np.array([-aside, -aside, aside, aside])
    return [round(float(value), 6) for value in grown]


def named(rows: Iterable[Row], *names: str) -> set[str | None]:
    """Ids in properties that refer to one feature each."""
    return {row.text(name) for row in rows for name in names} - {None}


def by_id(view: View, rows: Rows) -> dict[str, Row]:
    """Rows of a view by id, with all that the view shows of them."""
    return {row.id: row for row in _rows(view, rows)}


def _rows(view: View, rows: Rows) -> Iterator[Row]:
    table = view.materialise(rows)
    shapes = shapely.from_wkb(table.column("geometry").to_numpy())
    columns = table.drop_columns(["geometry"]).to_pylist()
    for shape, properties in zip(shapes, columns, strict=True):
        yield Row(properties["id"], shape, properties)


def looked_up(view: View, ids: Iterable[str | None]) -> dict[str, Row]:
    """Features of a view that have one of the ids."""
    return by_id(view, view.lookup(sorted(key for key in ids if key)))


def _of_segments(view: View, segments: Mapping[str, Row]) -> dict[str, Row]:
    """Features that name one of the segments as theirs."""
    shapes = [row.geometry for row in segments.values() if row.geometry is not None]
    if not shapes or not view.has_column("segment_id"):
        return {}
    west, south, east, north = shapely.total_bounds(shapes)
    box = Box(west - _ASIDE_DEG, south - _ASIDE_DEG, east + _ASIDE_DEG, north + _ASIDE_DEG)
    return {
        key: row
        for key, row in by_id(view, view.search(box)).items()
        if row.text("segment_id") in segments
    }
