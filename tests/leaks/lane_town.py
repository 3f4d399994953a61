"""Lanes through the middle of the town, in the two records of ``town``: two rows side by side.

In the full record hidden lanes leave the visible ones and lie beside them, and visible ones name them.
"""

from __future__ import annotations

import json
import random
from typing import Any

import shapely

COLUMNS = {
    "lanes": [
        "type", "speed_limit_kmh", "width_m", "left_boundary_id", "right_boundary_id", "segment_id",
        "predecessor_ids", "successor_ids", "left_lane_id", "right_lane_id", "length_m",
    ],
    "lane_boundaries": ["type", "lane_change", "width_m"],
}  # fmt: skip
HIDDEN_COLUMNS = {"lanes": ["location", "subtype"], "lane_boundaries": ["color"]}
COLLECTIONS = tuple(COLUMNS)
MARKS = {"lanes": ("type", "restricted"), "lane_boundaries": ("subtype", "hidden")}
WEST, SOUTH = 139.703, 35.609
LONG, WIDE = 0.0035, 0.00004  # degrees of a lane
ROWS, LANES = 2, 6


def features(
    collection: str, rng: random.Random, hidden: random.Random, *, full: bool
) -> list[dict[str, Any]]:
    """Features of one collection: visible ones, and in the full record hidden ones among them."""
    if collection == "lane_boundaries":
        rows = [_boundary(row, at) for row in range(ROWS + 1) for at in range(LANES)]
        more = [_line(f"hb{at}", at, 4 + at, {"subtype": "hidden"}) for at in range(LANES)]
    else:
        rows = [_lane(row, at, rng) for row in range(ROWS) for at in range(LANES)]
        more = [_hidden_lane(at, hidden) for at in range(LANES)]
    if not full:
        return rows
    for feature in rows:
        said = feature["properties"]
        said |= {name: hidden.choice(("urban", "x")) for name in HIDDEN_COLUMNS[collection]}
        if collection == "lanes":
            _name_hidden(said, hidden)
    mixed = [*rows, *more]
    hidden.shuffle(mixed)
    return mixed


def _lane(row: int, at: int, rng: random.Random) -> dict[str, Any]:
    said = {
        "type": rng.choice(("driving", "biking")),
        "speed_limit_kmh": rng.choice((30, 50, None)),
        "width_m": rng.choice((3.25, None)),
        "left_boundary_id": f"b{row + 1}-{at}",
        "right_boundary_id": f"b{row}-{at}",
        "segment_id": rng.choice(("s1", "s2")) if at % 2 else None,
        "predecessor_ids": [f"n{row}-{at - 1}"] if at else None,
        "successor_ids": [f"n{row}-{at + 1}"] if at + 1 < LANES else None,
        "left_lane_id": f"n{row + 1}-{at}" if row + 1 < ROWS else None,
        "right_lane_id": f"n{row - 1}-{at}" if row else None,
    }
    return _line(f"n{row}-{at}", at, row + 0.5, said)


def _name_hidden(said: dict[str, Any], hidden: random.Random) -> None:
    """Let a lane name hidden ones where the plain record has nothing, or something else beside them."""
    other = f"h{hidden.randrange(LANES)}"
    if said["successor_ids"]:
        said["successor_ids"] = hidden.choice(([other, *said["successor_ids"]], said["successor_ids"]))
    said["left_lane_id"] = said["left_lane_id"] or other
    said["segment_id"] = said["segment_id"] or "a0"


def _hidden_lane(at: int, hidden: random.Random) -> dict[str, Any]:
    said = {
        "type": "restricted",
        "width_m": hidden.uniform(2, 4),
        "predecessor_ids": [f"n0-{at}"],
        "successor_ids": [f"n1-{(at + 2) % LANES}"],
        "left_boundary_id": f"hb{at}",
    }
    return _line(f"h{at}", at, -0.5, said)


def _boundary(row: int, at: int) -> dict[str, Any]:
    said = {"type": "line_thin", "subtype": "solid", "lane_change": "no", "width_m": 0.15}
    return _line(f"b{row}-{at}", at, row, said)


def _line(key: str, at: int, row: float, said: dict[str, Any]) -> dict[str, Any]:
    west, south = WEST + at * LONG, SOUTH + row * WIDE
    middle = west + LONG / 2, south + WIDE / 9
    line = shapely.LineString([(west, south), middle, (west + LONG, south)])
    return {
        "type": "Feature",
        "id": key,
        "properties": {"id": key, **said},
        "geometry": json.loads(shapely.to_geojson(line)),
    }
