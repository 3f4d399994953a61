"""What a municipality says and is told of the present, in the two records of ``town``.

Who holds a tier under test edits some of it at the desk. Other providers say things there, too; those
that the tier hides are in the full record alone.
"""

from __future__ import annotations

import json
import random
from typing import Any

import shapely

EDITED = ("events", "evacuation_areas", "damage_reports")  # at the desk, by holders of every tier
COLUMNS = {
    "evacuation_areas": [
        "kind", "level", "hazard_type", "name", "status", "area_codes", "notes", "valid_from",
    ],
    "damage_reports": ["name", "kind", "severity", "status", "photo"],
    "warnings": [
        "name", "hazard", "severity", "level", "state", "status", "area_name", "municipality_codes",
        "valid_from",
    ],
    "admin_areas": ["code", "name", "level"],
}  # fmt: skip
HIDDEN_COLUMNS = {
    "evacuation_areas": ["population", "households"],
    "damage_reports": ["description"],
    "warnings": ["headline", "office"],
    "admin_areas": ["name_en"],
}
COLLECTIONS = tuple(COLUMNS)
MARKS = {  # rows of this value are hidden
    "evacuation_areas": ("status", "test"),
    "damage_reports": ("severity", "severe"),
    "warnings": ("state", "test"),
    "admin_areas": ("level", "county"),
}
CODES = tuple(f"08999100{number}" for number in range(4))
WEST, SOUTH, SIDE = 139.702, 35.602, 0.009


def features(
    collection: str, rng: random.Random, hidden: random.Random, *, full: bool
) -> list[dict[str, Any]]:
    """The rows of one collection: the visible ones, and in the full record hidden ones among them."""
    rows = [_row(collection, number, rng) for number in range(4 if collection == "admin_areas" else 8)]
    if not full:
        return rows
    column, value = MARKS[collection]
    for row in rows:
        row["properties"] |= {name: _secret(name, hidden) for name in HIDDEN_COLUMNS[collection]}
    more = [_row(collection, 90 + number, hidden) for number in range(6)]
    for row in more:
        row["properties"] |= {column: value, "name": "秘密"}
    mixed = [*rows, *more]
    hidden.shuffle(mixed)
    return mixed


def _secret(name: str, hidden: random.Random) -> Any:
    return (
        hidden.randint(1, 500)
        if name in ("households", "population")
        else f"hidden {hidden.randint(1, 99)}"
    )


def _row(collection: str, number: int, rng: random.Random) -> dict[str, Any]:
    said: dict[str, dict[str, Any]] = {
        "evacuation_areas": {
            "kind": "evacuate", "level": rng.choice((3, 4, 5)), "name": f"区域 {number}",
            "status": rng.choice(("active", "lifted")), "valid_from": "2026-05-20T00:00:00Z",
        },
        "damage_reports": {
            "name": f"被害 {number}", "kind": rng.choice(("road", "tree")),
            "severity": rng.choice(("minor", None)), "status": "reported",
        },
        "warnings": {
            "name": f"警報 {number}", "hazard": "landslide", "severity": "warning",
            "level": rng.choice((2, 4, 5)), "state": rng.choice(("in_force", "in_force", "lifted")),
            "status": "normal", "area_name": "潮見市", "valid_from": "2026-05-28T00:00:00Z",
            "municipality_codes": [CODES[number % 4], CODES[(number + 1) % 4]],
        },
        "admin_areas": {"code": f"08999100{number}", "name": f"{number}丁目", "level": "district"},
    }  # fmt: skip
    return {
        "type": "Feature",
        "id": f"{collection[0]}{number}",
        "properties": {"id": f"{collection[0]}{number}", **said[collection]},
        "geometry": json.loads(shapely.to_geojson(_shape(collection, number, rng))),
    }


def _shape(collection: str, number: int, rng: random.Random) -> shapely.Geometry:
    if collection == "admin_areas":
        west, south = WEST + SIDE * (number % 2), SOUTH + SIDE * (number // 2 % 2)
        return shapely.box(west, south, west + SIDE, south + SIDE)
    west, south = WEST + rng.uniform(0, 0.018), SOUTH + rng.uniform(0, 0.016)
    if collection == "damage_reports":
        return shapely.Point(west, south)
    return shapely.box(west, south, west + rng.uniform(1e-3, 4e-3), south + rng.uniform(1e-3, 4e-3))
