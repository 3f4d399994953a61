"""What is known of one road besides its hazards: closures on it, and its structures."""

from __future__ import annotations

from typing import Any, Final

import orjson
import shapely
from shapely.geometry.base import BaseGeometry

from geoshare.access.view import View
from geoshare.derive.exposure import box_around, hazards_of, length_m, runs_along
from geoshare.derive.hazards import COLUMNS
from geoshare.derive.reading import NOTHING, Found, read

EVENT_COLUMNS: Final = (
    "kind", "regulation_category", "status", "name", "reason", "valid_from", "valid_to", "segment_ids",
)  # fmt: skip
STRUCTURE_COLUMNS: Final = (
    "kind",
    "name",
    "clearance_height_m",
    "width_m",
    "load_limit_t",
    "segment_id",
)
ROAD_COLUMNS: Final = ("name", "name_en", "class", "is_bridge", "is_tunnel")
FLAGS: Final = {"is_bridge": "bridge", "is_tunnel": "tunnel"}
OVER: Final = ("ended", "cancelled")


def find_road(view: View | None, segment: str) -> Found:
    """The road of an id; nothing where none is visible."""
    rows = None if view is None else view.lookup([segment])
    if view is None or rows is None or not len(rows):
        return NOTHING
    table = view.materialise(rows, [name for name in ROAD_COLUMNS if view.has_column(name)], "wkb")
    shape = shapely.from_wkb(table.column("geometry").to_numpy(zero_copy_only=False))
    return Found(table.drop_columns(["geometry"]).to_pylist(), shape)


def hazards(road: Found, view: View | None) -> list[dict[str, Any]]:
    """Exposure of the road to the zones that the caller sees."""
    line = road.shapes[0]
    return hazards_of(line, read(view, box_around(line), COLUMNS))


def about(road: Found, segment: str) -> dict[str, Any]:
    """Which road it is."""
    row = road.rows[0]
    names = {name: row.get(name) for name in ("name", "name_en", "class")}
    return {"id": segment, **names, "length_m": round(length_m(road.shapes[0]), 1)}


def closures(road: Found, segment: str, view: View | None) -> dict[str, Any]:
    """Closures on the road that are not over, drills among them as drills."""
    if view is None:
        return {"state": "unknown", "items": []}
    line = road.shapes[0]
    found = read(view, box_around(line), EVENT_COLUMNS)
    items = [
        _plain(row, ("segment_ids",))
        for row, shape in zip(found.rows, found.shapes, strict=True)
        if row.get("status") not in OVER and _is_on(row, shape, line, segment)
    ]
    return {"state": "reported" if items else "none_reported", "items": items}


def structures(road: Found, segment: str, view: View | None) -> dict[str, Any]:
    """Bridges, tunnels and underpasses: the road's own marks, and structures that name it."""
    row, line = road.rows[0], road.shapes[0]
    marks = {kind: row[name] for name, kind in FLAGS.items() if name in row}
    items: list[dict[str, Any]] = [{"kind": kind, "id": None} for kind, told in marks.items() if told]
    named = view is not None and view.has_column("segment_id")
    if named:
        found = read(view, box_around(line), STRUCTURE_COLUMNS)
        items += [
            _plain(item, ("segment_id",)) for item in found.rows if item.get("segment_id") == segment
        ]
    listed = {item["id"]: item for item in items if item["id"] is not None}
    kinds = {item.get("kind") for item in listed.values()}
    items = [item for item in items if item["id"] is not None or item["kind"] not in kinds]
    known = named or (len(marks) == len(FLAGS) and None not in marks.values())
    return {"state": "reported" if items else "none_reported" if known else "unknown", "items": items}


def _is_on(row: dict[str, Any], shape: BaseGeometry, line: BaseGeometry, segment: str) -> bool:
    """Whether a closure names the road, or lies on it where it names none."""
    names = orjson.loads(row.get("segment_ids") or b"null")
    return segment in names if names else runs_along(line, shape)


def _plain(row: dict[str, Any], without: tuple[str, ...]) -> dict[str, Any]:
    """Values that JSON can hold."""
    return {
        name: value.isoformat().replace("+00:00", "Z") if hasattr(value, "isoformat") else value
        for name, value in row.items()
        if name not in without
    }
