"""Relations of geometries (DE-9IM: OGC 06-103r4, 6.1.15), asked of no more features than need be.

A feature whose box lies apart from the literal's is decided by that. What meets an area is told by
numbers where these are plain; all others are given to GEOS, with the literal prepared. Coordinates are
longitude and latitude in a plane, as CQL2's tests have them; a literal that reaches beyond 180 degrees
is cut there and its rest moved to the other side.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from geoshare.filter.cost import PER_BOX, PER_NUMBER, PER_PAIR, PER_SHAPE, PER_VERTEX, Meter
from geoshare.filter.literals import is_geometry, read_geometry
from geoshare.filter.values import Mask, Shapes, Truth
from tiles.arrays import FeatureTable, GeometryType
from tiles.geometry.areas import Area, prepare_area
from tiles.geometry.convert import to_shapely
from tiles.geometry.meeting import meeting_area, vertices_in
from tiles.geometry.near import meeting_box
from tiles.grid import lon_lat_box_to_world

GEOMETRY: Final = "geometry"
_RELATE: Final[dict[str, Callable[..., Any]]] = {
    "s_intersects": shapely.intersects,
    "s_within": shapely.within,
    "s_contains": shapely.contains,
    "s_disjoint": shapely.disjoint,
    "s_equals": shapely.equals,
    "s_touches": shapely.touches,
    "s_crosses": shapely.crosses,
    "s_overlaps": shapely.overlaps,
}
SPATIAL: Final = tuple(_RELATE)
_TURNED: Final = {"s_within": "s_contains", "s_contains": "s_within"}
_QUICK: Final = ("s_intersects", "s_disjoint", "s_within", "s_contains")  # prepared: logarithmic
_MOST_BOXES: Final = 16
_BOX_NUMBERS: Final = 4

Boxes = tuple[tuple[int, int, int, int], ...]  # west, south, east, north in world units


def literal_and_turn(arguments: list[Any]) -> tuple[dict[str, Any], bool] | None:
    """The literal beside the feature's own geometry, and whether it is the first operand."""
    for turned, (one, other) in enumerate((arguments, arguments[::-1])):
        if one == {"property": GEOMETRY} and isinstance(other, dict) and is_geometry(other):
            return other, bool(turned)
    return None


def boxes_of(area: BaseGeometry) -> Boxes:
    """World boxes that together hold a geometry: one of each part where these are few."""
    parts = shapely.get_parts(area) if len(area.geoms if hasattr(area, "geoms") else ()) else [area]
    if len(parts) > _MOST_BOXES:
        parts = [area]
    found = [lon_lat_box_to_world(*part.bounds) for part in parts if not part.is_empty]
    return tuple(tuple(int(side) for side in box) for boxes in found for box in boxes)  # type: ignore[misc]


def near(tree: Any) -> Boxes | None:
    """World boxes that hold every feature a checked filter can be true for; None: anywhere."""
    op = tree.get("op") if isinstance(tree, dict) else None
    if op in SPATIAL and op != "s_disjoint":
        found = literal_and_turn(tree["args"])
        return None if found is None else boxes_of(read_geometry(found[0]))
    if op not in ("and", "or"):
        return None
    sides = [near(item) for item in tree["args"]]
    known = [boxes for boxes in sides if boxes is not None]
    if op == "and":
        return min(known, key=extent, default=None)
    if len(known) < len(sides):
        return None
    every = tuple(dict.fromkeys(box for boxes in known for box in boxes))
    return every if len(every) <= _MOST_BOXES else None


def extent(boxes: Boxes) -> float:
    """How much of the world boxes cover, those that overlap counted twice."""
    return float(sum((box[2] - box[0] + 1) * (box[3] - box[1] + 1) for box in boxes))


def relate_rows(
    op: str,
    table: FeatureTable,
    rows: NDArray[np.int32],
    literal: dict[str, Any],
    meter: Meter,
    *,
    turned: bool,
) -> Truth:
    """One relation of the rows' geometries with a literal, which is the first operand if ``turned``."""
    known: Mask = table.geometries.types[rows] != GeometryType.NONE
    meter.charge(len(rows) * PER_BOX)
    true = np.full(len(rows), op == "s_disjoint")
    area = read_geometry(literal)
    plain_box, meeting = _is_plain_box(literal), op in ("s_intersects", "s_disjoint")
    ready = prepare_area(area) if meeting and not plain_box else None
    if ready is not None:
        met = _meets(area, ready, table, rows, meter)
        return Truth.of(met if op == "s_intersects" else ~met, known)
    close = np.flatnonzero(_near(table, rows, boxes_of(area)) & known)
    true[close] = False
    asked = rows[close]
    if meeting and plain_box:
        kept, unsure = meeting_box(table, asked, literal["bbox"])
        met = np.ones(len(kept), bool)
        met[unsure] = _relate("s_intersects", area, table, kept[unsure], meter)
        hit = np.zeros(len(table), bool)
        hit[kept[met]] = True
        true[close] = hit[asked] if op == "s_intersects" else ~hit[asked]
    else:
        word = op if turned else _TURNED.get(op, op)
        true[close] = _relate(word, area, table, asked, meter)
    return Truth.of(true, known)


def relate(op: str, left: Shapes, right: Shapes, meter: Meter) -> Truth:
    """One relation of two geometries of each row."""
    known = left.valid & right.valid
    vertices = shapely.get_num_coordinates(left.values) + shapely.get_num_coordinates(right.values)
    meter.charge(len(known) * PER_SHAPE + int(vertices.sum()) * PER_VERTEX)
    return Truth.of(_safely(op, left.values, right.values), known)


def _near(table: FeatureTable, rows: NDArray[np.int32], boxes: Boxes) -> Mask:
    if table.boxes is None:
        return np.ones(len(rows), bool)
    own = table.boxes[rows]
    found = np.zeros(len(rows), bool)
    for west, south, east, north in boxes:
        found |= (own[:, 0] <= east) & (own[:, 2] >= west) & (own[:, 1] <= north) & (own[:, 3] >= south)
    return found


def _is_plain_box(literal: dict[str, Any]) -> bool:
    """Whether a literal is a box within the world, without heights."""
    numbers = literal.get("bbox", ())
    return len(numbers) == _BOX_NUMBERS and abs(numbers[0]) <= 180 and abs(numbers[2]) <= 180


def _relate(
    op: str, area: BaseGeometry, table: FeatureTable, rows: NDArray[np.int32], meter: Meter
) -> Mask:
    """The literal, prepared, related to the rows."""
    shapes = table.geometries
    first = shapes.vertex_starts[shapes.ring_starts[shapes.part_starts[rows]]]
    last = shapes.vertex_starts[shapes.ring_starts[shapes.part_starts[rows + 1]]]
    pairs = 0 if op in _QUICK else len(rows) * int(shapely.get_num_coordinates(area))
    vertices = int((last - first).sum())
    meter.charge(len(rows) * PER_SHAPE + vertices * PER_VERTEX + pairs * PER_PAIR)
    return _safely(op, area, to_shapely(shapes, rows))


def _meets(
    area: BaseGeometry, ready: Area, table: FeatureTable, rows: NDArray[np.int32], meter: Meter
) -> Mask:
    """Which rows meet an area: by numbers as far as these are plain, the rest by geometry."""
    meter.charge(vertices_in(table, rows) * PER_NUMBER)
    met, unsure = meeting_area(table, rows, ready)
    if len(unsure):
        met[unsure] = _relate("s_intersects", area, table, rows[unsure], meter)
    return met


def _safely(op: str, left: Any, right: Any) -> Mask:
    """The relation; of geometries that GEOS cannot take as they are, made valid."""
    try:
        answer: Mask = _RELATE[op](left, right)
    except shapely.GEOSException:
        answer = _RELATE[op](shapely.make_valid(left), shapely.make_valid(right))
    return answer
