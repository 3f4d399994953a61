"""A small world with a fence through it: raw features, and the documents that say who may have what.

Nothing here is computed by the product. Tile (Z, X, Y) lies within the fence, but its eastern buffer
crosses it; the tile south of it has a hole of the fence in it.
"""

from __future__ import annotations

import json
import math
import random
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import shapely
from shapely.geometry.base import BaseGeometry

NOW_US = 1_780_000_000_000_000  # 2026-05-28T20:26:40Z
Z, X, Y = 15, 29_100, 12_912
TILE_PX, EXTENT, BUFFER = 256, 4096, 64


def tile_box(z: int, x: int, y: int) -> tuple[float, float, float, float]:
    """West, south, east, north of a Web Mercator tile in degrees (the textbook's formula)."""

    def latitude(row: float) -> float:
        return math.degrees(math.atan(math.sinh(math.pi * (1 - 2 * row / 2**z))))

    return x / 2**z * 360 - 180, latitude(y + 1), (x + 1) / 2**z * 360 - 180, latitude(y)


WEST, SOUTH, EAST, NORTH = tile_box(Z, X, Y)
WIDE, HIGH = EAST - WEST, NORTH - SOUTH


def at(east: float, north: float) -> tuple[float, float]:
    """A position, in widths and heights of the tile from its south-west corner."""
    return round(WEST + east * WIDE, 7), round(SOUTH + north * HIGH, 7)


EDGE = 1 + 1 / 128  # the fence's eastern edge: half a buffer beyond the tile
FENCE = shapely.Polygon(
    [at(-1.6, -1.2), at(EDGE, -1.2), at(EDGE, 2.3), at(-0.4, 2.3), at(-1.2, 1.2)],
    [[at(0.3, -0.7), at(0.6, -0.7), at(0.6, -0.3), at(0.3, -0.3)]],
)
SECOND = shapely.box(*at(-0.5, -0.5), *at(2.5, 1.5))
THIRD = shapely.Polygon([at(-2, -1), at(2, -1), at(0, 2)])
TILES = {
    "inside": (Z, X - 1, Y),
    "buffer": (Z, X, Y),
    "across": (Z, X, Y + 1),
    "outside": (Z, X + 2, Y),
}
PLACES = {
    "inside": (*at(-0.9, 0.1), *at(-0.1, 0.9)),
    "across": (*at(0.5, -0.9), *at(1.5, 0.5)),
    "outside": (*at(1.2, -0.9), *at(3.2, 1.9)),
    "everywhere": (*at(-9, -9), *at(9, 9)),
}


@dataclass(frozen=True)
class Feature:
    """A feature as its provider sent it; ``key`` is its name, and there is no other of that name."""

    collection: str
    key: str
    geometry: BaseGeometry
    said: dict[str, Any]
    release_class: str = "open"

    def geojson(self) -> dict[str, Any]:
        geometry = json.loads(shapely.to_geojson(self.geometry))
        properties = {"id": self.key, "name": self.key, **self.said}
        return {"type": "Feature", "id": self.key, "geometry": geometry, "properties": properties}


def _unequal(column: str, value: str) -> dict[str, Any]:
    return {"op": "<>", "args": [{"property": column}, value]}


def _polygon(shape: BaseGeometry) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(shapely.to_geojson(shape))
    return found


Grant = dict[str, Any]
TIERS: dict[str, list[Grant]] = {
    "open": [
        {"collections": ["places"], "columns": ["name", "class"], "rows": _unequal("class", "secret")}
    ],
    "alpha": [
        {
            "collections": ["segments"],
            "columns": ["name", "class", "width_m", "length_m", "start_connector_id"],
            "rows": _unequal("class", "private"),
            "area": _polygon(FENCE),
        },
        {
            "collections": ["segments"],
            "columns": ["name", "surface"],
            "rows": _unequal("class", "private"),
            "area": _polygon(SECOND),
        },
        {
            "collections": ["connectors"],
            "columns": ["name"],
            "rows": _unequal("subtype", "secret"),
            "area": _polygon(FENCE),
        },
        {
            "collections": ["buildings"],
            "columns": ["name", "storeys"],
            "area": _polygon(FENCE),
            "area_mode": "whole",
            "formats": ["geojson", "parquet"],
        },
        {
            "collections": ["events"],
            "columns": ["name", "kind", "valid_from"],
            "area": _polygon(FENCE),
            "actions": ["discover", "read", "contribute"],
        },
        {
            "collections": ["evacuation_areas"],
            "columns": ["name", "kind", "level", "hazard_type", "notes", "area_codes", "valid_from"],
            "area": _polygon(FENCE),
            "actions": ["discover", "read", "contribute"],
        },
        {
            "collections": ["warnings"],
            "columns": ["name", "hazard", "level", "state"],
            "area": _polygon(FENCE),
            "actions": ["discover", "read"],
        },
        {
            "collections": ["satellite"],
            "columns": ["datetime"],
            "bands": ["B01", "B02"],
            "finest_resolution_m": 20,
            "area": _polygon(FENCE),
        },
    ],
    "beta": [
        {
            "collections": ["segments"],
            "columns": ["name", "class", "width_m", "surface"],
            "transforms": {"width_m": {"kind": "bucket", "edges": [0, 4, 100]}},
            "rows": {"op": ">=", "args": [{"property": "width_m"}, 4]},
            "precision_m": 30,
        },
        {
            "collections": ["buildings"],
            "columns": ["name", "use"],
            "area": _polygon(SECOND),
            "actions": ["discover", "read"],
        },
        {
            "collections": ["events"],
            "columns": ["name", "kind", "valid_from"],
            "delay": "P1D",
            "actions": ["discover", "read", "tile", "download", "stream"],
        },
        {"collections": ["connectors"], "columns": ["name"], "actions": ["discover"]},
        {
            "collections": ["segments"],
            "columns": ["name", "length_m"],
            "area": _polygon(THIRD),
            "release_classes": ["partners"],
        },
        {
            "collections": ["places"],
            "columns": ["name", "name_en"],
            "release_classes": ["partners", "open"],
            "transforms": {"name_en": {"kind": "null"}},
            "formats": ["parquet"],
        },
        {
            "collections": ["satellite"],
            "columns": ["datetime", "platform"],
            "bands": ["B03"],
            "finest_resolution_m": 40,
        },
    ],
    "operator": [{"collections": "all", "columns": "all", "bands": "all", "release_classes": "all"}],
}
USUAL = ("discover", "read", "tile", "download")  # what a grant that names no actions allows
FORMATS = ("gpkg", "geojson", "parquet", "fgb", "pmtiles")


def tiers_toml() -> str:
    """The tiers as an operator writes them down."""
    lines = []
    for name, grants in TIERS.items():
        role = "operator" if name == "operator" else "consumer"
        said = {"title": name, "title_ja": name, "role": role, "requests_per_minute": 1_000_000}
        lines.append(f"[{name}]")
        lines += [f"{key} = {_toml(value)}" for key, value in (said | {"grants": grants}).items()]
    lines += ["[release_classes.partners]", 'title = "Partners"', 'title_ja = "協力企業"']
    return "\n".join(lines)


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_toml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value)


def features() -> list[Feature]:
    """All features, the same every time."""
    rng = random.Random(5)
    made = [*_segments(rng), *_connectors(rng), *_places(rng), *_buildings(rng), *_events(rng)]
    made += _warnings()
    made += [Feature("harbour_plans", f"h{n}", shapely.Point(at(n / 2, 0.5)), {}) for n in range(3)]
    return made + _released(made)


def _released(made: list[Feature]) -> list[Feature]:
    """Some of them once more under other names, contributed under another release class."""
    return [
        replace(
            feature,
            key=f"partners-{feature.key}",
            said={
                name: f"partners-{value}" if name == "start_connector_id" and value else value
                for name, value in feature.said.items()
            },
            release_class="partners",
        )
        for feature in made
        if feature.collection in ("segments", "places", "events", "connectors")
        and int(feature.key[1:]) % 4 == 0
    ]


def _somewhere(rng: random.Random) -> tuple[float, float]:
    return rng.uniform(-2.5, 3.5), rng.uniform(-1.8, 2.8)


def _line(*places: tuple[float, float]) -> BaseGeometry:
    return shapely.LineString([at(*place) for place in places])


def _segments(rng: random.Random) -> list[Feature]:
    lines = [
        _line((0.8, 0.5), (1.012, 0.5)),  # over the fence and out of it, all in one tile with buffer
        _line((1.01, 0.2), (1.014, 0.6)),  # beyond the fence, within the buffer
        _line((1.001, 0.1), (1.006, 0.4)),  # beyond the tile, within the fence and the buffer
        _line((EDGE, 0.7), (1.5, 0.7)),  # touches the fence from outside
        _line((EDGE, 0.1), (EDGE, 0.9)),  # along its edge
        _line((0.1, -0.5), (0.9, -0.5)),  # through the hole
        _line((0.35, -0.6), (0.5, -0.4)),  # in the hole
        _line((-3, 0.4), (3, 0.6)),  # all the way
    ]
    for _ in range(45):
        east, north = _somewhere(rng)
        turns = [(east, north)]
        for _ in range(rng.randint(1, 3)):
            east, north = east + rng.uniform(-0.5, 0.5), north + rng.uniform(-0.5, 0.5)
            turns.append((east, north))
        lines.append(_line(*turns))
    made = []
    for number, line in enumerate(lines):
        said = {
            "subtype": "road",
            "class": ("primary", "residential", "primary", "private")[number % 4],
            "width_m": rng.choice((3.0, 4.5, 8.0, None)) if number > 8 else (5.0, 3.0)[number % 2],
            "surface": rng.choice(("paved", "gravel")),
            "length_m": float(number) + 0.5,
            "start_connector_id": rng.choice((*(f"c{n}" for n in range(20)), None)),
        }
        made.append(Feature("segments", f"s{number}", line, said))
    return made


def _connectors(rng: random.Random) -> list[Feature]:
    spots = [(1.004, 0.3), (1.012, 0.3), (EDGE, 0.5), (0.45, -0.5), (-0.5, 0.5), (0.5, 0.5)]
    spots += [_somewhere(rng) for _ in range(24)]
    return [
        Feature(
            "connectors", f"c{n}", shapely.Point(at(*spot)), {"subtype": ("a", "secret", "b")[n % 3]}
        )
        for n, spot in enumerate(spots)
    ]


def _places(rng: random.Random) -> list[Feature]:
    return [
        Feature(
            "places",
            f"p{number}",
            shapely.Point(at(*_somewhere(rng))),
            {"class": ("town", "village", "secret", None)[number % 4], "name_en": f"hidden {number}"},
        )
        for number in range(24)
    ]


def _buildings(rng: random.Random) -> list[Feature]:
    boxes = [
        shapely.box(*at(0.9, 0.2), *at(1.05, 0.4)),  # over the eastern edge
        shapely.box(*at(EDGE, 0.5), *at(1.2, 0.7)),  # shares an edge with the fence
        shapely.box(*at(1.01, 0.8), *at(1.014, 0.9)),  # beyond the fence, within the buffer
        shapely.box(*at(0.35, -0.6), *at(0.5, -0.4)),  # in the hole
        shapely.box(*at(0.2, -0.8), *at(0.7, -0.2)),  # around the hole
        shapely.box(*at(-0.7, 0.3), *at(-0.5, 0.5)),
    ]
    for _ in range(24):
        east, north = _somewhere(rng)
        size = rng.uniform(0.05, 0.4)
        boxes.append(shapely.box(*at(east, north), *at(east + size, north + size)))
    return [
        Feature(
            "buildings",
            f"b{number}",
            shape,
            {"use": ("house", "shop", "military")[number % 3], "storeys": number % 9 + 1},
        )
        for number, shape in enumerate(boxes)
    ]


def _events(rng: random.Random) -> list[Feature]:
    made = []
    for number in range(16):
        hours_ago = rng.choice((1, 20, 23, 25, 40, 200))
        said: dict[str, Any] = {"kind": ("closure", "flood")[number % 2], "reason": "hidden"}
        if number % 5:
            said["valid_from"] = _instant(NOW_US // 1_000_000 - hours_ago * 3600)
        made.append(Feature("events", f"e{number}", shapely.Point(at(*_somewhere(rng))), said))
    return made


def _warnings() -> list[Feature]:
    """In force, over and of no level; inside the fence and beyond it."""
    made = []
    for number, (state, level) in enumerate((("in_force", 4), ("lifted", 4), ("in_force", 2)) * 2):
        east = -0.9 if number < 3 else 2.0
        shape = shapely.box(*at(east, 0.1), *at(east + 0.5, 0.6))
        said = {"hazard": "landslide", "level": level, "state": state}
        made.append(Feature("warnings", f"w{number}", shape, said))
    return made


def _instant(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
