"""What a view says of itself: count, extents and schema, from visible rows and columns alone."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geoshare.access.view import View
from geoshare.model.box import Box
from geoshare.model.collections import Collection
from tiles.arrays import Rows
from tiles.grid import world_to_lon_lat

DECIMALS = 7
_INSIDE = ("required", "examples", "x-geoshare-observed")
_NAMES_PROPERTY = ("x-geoshare-identity", "x-geoshare-label")


def summarise(view: View, rows: Rows) -> dict[str, Any]:
    """Count, extent and time extent as a manifest keeps them."""
    return {"count": len(rows), "extent": extent(rows), "time_extent": time_extent(view, rows)}


def extent(rows: Rows) -> Box | None:
    """Box in degrees that holds every geometry; None where there is none."""
    found = [table.boxes[numbers] for table, numbers in rows.pairs if table.boxes is not None]
    boxes = np.concatenate([np.zeros((0, 4), np.int32), *found])
    boxes = boxes[boxes[:, 0] <= boxes[:, 2]]
    if not len(boxes):
        return None
    low = boxes[:, :2].min(axis=0).astype(np.int64)
    high = boxes[:, 2:].max(axis=0).astype(np.int64) + 1  # a world unit's far corner
    (west, south), (east, north) = world_to_lon_lat(np.array([low, high]))
    return Box(_down(west), _down(south), _up(east), _up(north))


def time_extent(view: View, rows: Rows) -> tuple[int | None, int | None] | None:
    """First and last instant in microseconds; None in it for an open end; None where there is none."""
    times = [name for name in view.collection.time if view.has_column(name)]
    if not times or len(times) != len(view.collection.time) or not len(rows):
        return None
    starts, starts_known = _instants(rows, times[0])
    ends, ends_known = _instants(rows, times[-1])
    if len(times) == 1:
        return (
            (int(starts[starts_known].min()), int(starts[starts_known].max()))
            if starts_known.any()
            else None
        )
    first = int(starts.min()) if starts_known.all() else None
    last = int(ends.max()) if ends_known.all() else None
    return first, last


def visible_schema(collection: Collection, columns: tuple[str, ...]) -> dict[str, Any]:
    """Make the schema of the visible properties, without any mention of the others."""
    schema = {key: value for key, value in collection.schema.items() if key not in _INSIDE}
    schema.setdefault("title", collection.title)
    schema.setdefault("x-geoshare-kind", collection.kind)
    for key in _NAMES_PROPERTY:
        if schema.get(key) not in columns:
            schema.pop(key, None)
    times = collection.time
    if times and not set(times) <= set(columns):
        schema.pop("x-geoshare-time", None)
    properties = schema.get("properties", {})
    return schema | {"properties": {name: properties[name] for name in columns}}


def _instants(rows: Rows, name: str) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    values, known = [np.zeros(0, np.int64)], [np.zeros(0, bool)]
    for table, numbers in rows.pairs:
        column = table.column(name)
        values.append(column.values[numbers].astype(np.int64))
        valid = (
            np.ones(len(numbers), bool) if column.valid is None else column.valid[numbers].astype(bool)
        )
        known.append(valid)
    return np.concatenate(values), np.concatenate(known)


def _down(value: float) -> float:
    return float(math.floor(value * 10**DECIMALS) / 10**DECIMALS)


def _up(value: float) -> float:
    return float(math.ceil(value * 10**DECIMALS) / 10**DECIMALS)
