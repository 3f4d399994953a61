"""People and buildings inside an area, by class of a hazard: an estimate, from views alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from geoshare.access.view import View
from geoshare.derive import buildings as of_buildings
from geoshare.derive import hazards
from geoshare.derive import people as of_people
from geoshare.derive.buildings import Buildings, nothing_known
from geoshare.derive.hazards import UNKNOWN, HazardClass, class_of
from geoshare.derive.people import INDICATORS, People, Regions
from geoshare.derive.plane import areal, to_plane
from geoshare.derive.reading import Area, Found, read, too_large
from geoshare.derive.requests import AreaInputs
from geoshare.derive.weighing import Overlay, divide, divide_each
from geoshare.model.box import Box

GRID_DEGREES: Final = (1 / 320, 1 / 480)  # squares of 250 m (JIS X 0410): longitude, latitude
MAX_SQUARES: Final = 4_000
Shapes = NDArray[np.object_]


@dataclass(frozen=True, slots=True)
class Sources:
    """What the caller sees of what is asked for; None: nothing.

    ``*_open``: whether the caller may also read the rows, so that counts tell nothing beyond them.
    """

    hazard_zones: View | None
    statistics: View | None
    statistics_open: bool
    buildings: View | None
    buildings_open: bool


@dataclass(frozen=True, slots=True)
class _Divided:
    """The zones of a hazard in an area, on the plane: classes worst first, and their shapes."""

    classes: list[HazardClass]
    zones: list[Shapes]


def summarise(area: Area, said: AreaInputs, sources: Sources) -> dict[str, Any]:
    """Count people, households and buildings of an area by class of a hazard.

    Raises
    ------
    TooLarge
        for more rows, vertices or squares than one request may ask for.
    """
    target = to_plane(area.shape)
    squares = [] if sources.statistics_open and sources.buildings_open else _squares(area)
    found = read(sources.hazard_zones, _around(area), hazards.COLUMNS)
    divided = _divide(found, said, [target, *squares])
    exact = Regions(divide(target, divided.zones), len(divided.classes), guarded=False)
    counted = _people(area, squares, sources, exact, divided)
    built = _buildings(area, squares, sources, target, divided)
    rows = [
        kind.words()
        | {"km2": _km2(shape)}
        | {"people": {item.indicator: item.classes[number] for item in counted}}
        | {
            "buildings": built.classes[number],
            "storeys": built.storeys[number] if built.storeys else None,
        }
        for number, (kind, shape) in enumerate(zip(divided.classes, exact.shapes, strict=True))
    ]
    return {
        "estimate": True,
        "area": {"kind": area.kind, "names": list(area.names), "km2": _km2(target), "bbox": _box(area)},
        "hazard": {
            "hazard_type": said.hazard_type,
            "scenario": said.scenario,
            "state": "zones" if len(divided.classes) > 1 else "unknown",
        },
        "rows": rows,
        "total": {
            "km2": _km2(target),
            "people": {item.indicator: item.total for item in counted},
            "buildings": built.total,
            "storeys": built.storeys_total,
        },
        "figures": [item.source() for item in counted],
        "fixed_grid": {
            "people": not sources.statistics_open and sources.statistics is not None,
            "buildings": not sources.buildings_open and sources.buildings is not None,
        },
    }


def _divide(found: Found, said: AreaInputs, reach: list[BaseGeometry]) -> _Divided:
    """Zones of the hazard and scenario that meet a reach, by class, and last what lies outside them."""
    tree = shapely.STRtree(reach)
    by_class: dict[HazardClass, list[Any]] = {}
    for row, shape in zip(found.rows, found.shapes, strict=True):
        if row.get("hazard_type") != said.hazard_type:
            continue
        if said.scenario is None or row.get("scenario") == said.scenario:
            by_class.setdefault(class_of(row), []).append(shape)
    classes, zones = [], []
    for kind in sorted(by_class, key=lambda item: -item.rank):
        shapes = areal(to_plane(np.array(by_class[kind], dtype=object)))
        shapes = shapes[shapely.get_dimensions(shapes) == 2]
        if tree.query(shapes, predicate="intersects").size:
            classes.append(kind)
            zones.append(shapes)
    return _Divided([*classes, UNKNOWN], zones)


def _people(
    area: Area, squares: list[BaseGeometry], sources: Sources, exact: Regions, divided: _Divided
) -> list[People]:
    found = read(
        sources.statistics, area.box if sources.statistics_open else _around(area), of_people.COLUMNS
    )
    regions = exact
    if not sources.statistics_open:
        regions = Regions(divide_each(squares, divided.zones), exact.classes, guarded=True)
    laid: dict[Any, Overlay] = {}
    return [of_people.people(found, indicator, regions, laid) for indicator in INDICATORS]


def _buildings(
    area: Area,
    squares: list[BaseGeometry],
    sources: Sources,
    target: BaseGeometry,
    divided: _Divided,
) -> Buildings:
    if sources.buildings is None:
        return nothing_known(len(divided.classes))
    if sources.buildings_open:
        found = read(sources.buildings, area.box, of_buildings.COLUMNS)
        return of_buildings.buildings(found, target, divided.zones)
    found = read(sources.buildings, _around(area), ())
    return of_buildings.buildings_by_square(found, squares, divided.zones)


def _squares(area: Area) -> list[BaseGeometry]:
    """Squares of the fixed grid whose centre lies in an area, on the plane.

    Whoever may not look at single rows is told of whole squares alone: areas that differ by a house
    have the same answer, or answers that differ by squares.
    """
    boxes = list(_grid(area))
    if len(boxes) > MAX_SQUARES:
        raise too_large(f"The area has more than {MAX_SQUARES} squares of 250 m")
    middles = shapely.centroid(boxes)
    shapely.prepare(area.shape)
    inside = shapely.contains(area.shape, middles)
    return list(to_plane(np.array(boxes, dtype=object)[inside]))


def _grid(area: Area) -> Iterator[BaseGeometry]:
    wide, high = GRID_DEGREES
    west, south, east, north = area.shape.bounds
    columns = range(int(np.floor(west / wide)), int(np.floor(east / wide)) + 1)
    rows = range(int(np.floor(south / high)), int(np.floor(north / high)) + 1)
    if len(columns) * len(rows) > 4 * MAX_SQUARES:
        raise too_large(f"The area has more than {MAX_SQUARES} squares of 250 m")
    for row in rows:
        for column in columns:
            yield shapely.box(column * wide, row * high, (column + 1) * wide, (row + 1) * high)


def _around(area: Area) -> Box:
    """The box of an area and of all squares that it may be told by, and what they touch."""
    wide, high = GRID_DEGREES
    west, south, east, north = area.shape.bounds
    return Box(west - 2 * wide, south - 2 * high, east + 2 * wide, north + 2 * high)


def _km2(shape: BaseGeometry) -> float:
    return round(float(shapely.area(shape)) / 1e6, 4)


def _box(area: Area) -> list[float]:
    return [round(side, 7) for side in area.shape.bounds]
