"""A small town in two records: the same for whoever is asked, but for what that tier hides.

Everything is drawn from seeded random numbers. ``layers(tier, full=False)`` are the files of the
plain record, ``layers(tier, full=True)`` those of the full one: hidden rows lie among the visible
ones, hidden columns hold something, transformed columns hold other values that come out the same,
what lies outside a fence is different, and where places are told coarsely the exact ones differ.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray

from geoshare.model.collections import known
from tests.leaks import claim_town, class_town, desk_town, lane_town, shaken_town

WEST, SOUTH = 139.70, 35.60
FENCE = shapely.Polygon(
    [(139.703, 35.603), (139.722, 35.604), (139.724, 35.618), (139.712, 35.6125), (139.704, 35.62)]
)
SCENE_PX, SCENE_M, SCENE_WEST, SCENE_NORTH = 256, 10, 382_200, 3_942_300  # EPSG:32654
COLLECTIONS = (
    *("segments", "connectors", "places", "events", "buildings", "satellite"),
    *lane_town.COLLECTIONS,
)
HIDDEN_LAYER = "harbour_plans"
PRECISION_M, FINEST_UNIT_M = 20, 40_075_016.685578488 / 2**13 / 4096
TIERS = ("rows", "fenced", "coarse", "late")
COLUMNS = {
    "segments": ["class", "name", "width_m", "start_connector_id", "length_m"],
    "connectors": ["name"],
    "places": ["name", "name_kana", "class"],
    "events": ["kind", "name", "valid_from", "valid_to", "segment_ids"],
    "buildings": ["use", "storeys"],
    **lane_town.COLUMNS,
}
HIDDEN_COLUMNS = {
    "segments": ["surface", "route_number"],
    "places": ["name_en"],
    "events": ["reason"],
    "buildings": ["name", "height_m"],
    **lane_town.HIDDEN_COLUMNS,
}
ACTIONS = ("discover", "read", "tile", "download", "stream", "aggregate", "route", "process")
KNOWN_ONLY = (("rows", "buildings"), ("coarse", "connectors"), ("late", "satellite"))
STATED = {"accuracy_m": claim_town.ACCURACY_M}
LATE = tuple(
    (number, {"kind": "flood", "name": "隠れた通行止め", "valid_from": when})
    for number, when in enumerate(
        ("2026-05-28T00:00:00Z", "2026-06-03T00:00:00Z", "2026-01-09T00:00:00Z")
    )
)
NAMES = ("本通り", "港通り", "Station Road", "坂の道", "潮見橋")


@dataclass(frozen=True)
class Layer:
    """A file that a provider sends."""

    collection: str
    provider: str
    features: list[dict[str, Any]] = field(default_factory=list)
    pixels: NDArray[np.uint16] | None = None  # bands, rows, columns
    declared: dict[str, Any] = field(default_factory=dict)

    def geojson(self) -> dict[str, Any]:
        return {"type": "FeatureCollection", "features": self.features}


def tiers_toml() -> str:
    """Tiers that hide rows, columns, places, values and precision; ``open`` holds nothing."""
    text = [_tier("open", [], "")]
    for tier in TIERS:
        every = (*COLLECTIONS, *desk_town.COLLECTIONS)
        grants = [*(_grant(tier, name) for name in every), claim_town.grant()]
        text.append(_tier(tier, grants, ""))
    everything = (
        '[[operator.grants]]\ncollections = "all"\ncolumns = "all"\nbands = "all"\n'
        'actions = ["discover", "read", "tile", "stream"]\n'
    )
    text.append(_tier("operator", [], 'role = "operator"', decided=False) + everything)
    text.append(f'[release_classes.{class_town.CLASS}]\ntitle = "Partners"\ntitle_ja = "協力企業"\n')
    return "\n".join(text)


def _tier(name: str, grants: list[str], extra: str, decided: bool = True) -> str:
    given = [] if not grants else [*COLLECTIONS, *desk_town.COLLECTIONS, "claims"]
    withheld = [other for other in known() if other not in given] if decided else []
    lines = [
        f"[{name}]",
        f'title = "{name}"',
        f'title_ja = "{name}"',
        'description = "A tier of the test."',
        f"actions = {json.dumps(ACTIONS)}",
        f"withheld = {json.dumps(withheld)}",
        "requests_per_minute = 1000000",
        "cost_per_minute = 900000000",
        "requests_per_month = 1000000",
        "cost_per_month = 900000000",
        extra,
    ]
    return "\n".join([*lines, *(f"[[{name}.grants]]\n{grant}" for grant in grants), ""])


def _grant(tier: str, collection: str) -> str:
    said: list[str] = [f'collections = ["{collection}"]']
    if collection == "satellite":
        said += ['columns = ["datetime"]', 'bands = ["B01", "B02"]', "finest_resolution_m = 20"]
    else:
        said.append(f"columns = {json.dumps((COLUMNS | desk_town.COLUMNS)[collection])}")
        said.append(f"rows = {_rows(collection)}")
    if (tier, collection) in KNOWN_ONLY:
        said.append('actions = ["discover"]')
    if collection in desk_town.EDITED:
        said.append(f"actions = {json.dumps([*ACTIONS, 'contribute'])}")
    if tier == "late" and collection == "events":
        said.append('delay = "P1D"\nwindow = "P60D"')
    if tier == "late" and collection == "places":
        said.append('transforms = {name_kana = {kind = "hash"}}')
    if tier == "fenced":
        corners = [list(corner) for corner in FENCE.exterior.coords]
        said.append(f'area = {{type = "Polygon", coordinates = [{json.dumps(corners)}]}}')
        said.append('area_mode = "whole"' if collection == "places" else 'area_mode = "clip"')
    if tier == "coarse" and collection not in ("satellite", *desk_town.COLLECTIONS):
        said.append("finest_zoom = 13" if collection == "places" else f"precision_m = {PRECISION_M}")
        if collection == "segments":
            said.append('transforms = {width_m = {kind = "bucket", edges = [0, 4, 8, 100]}}')
        if collection == "buildings":
            said.append('transforms = {use = {kind = "null"}}')
    return "\n".join(said)


def _rows(collection: str) -> str:
    marks = {
        "segments": ("class", "service"),
        "connectors": ("name", "hidden"),
        "places": ("class", "site"),
        "events": ("kind", "roadwork"),
        "buildings": ("use", "military"),
        **lane_town.MARKS,
        **desk_town.MARKS,
    }
    column, value = marks[collection]
    different = f'{{op = "<>", args = [{{property = "{column}"}}, "{value}"]}}'
    unknown = f'{{op = "isNull", args = [{{property = "{column}"}}]}}'
    return f'{{op = "or", args = [{different}, {unknown}]}}'


def layers(tier: str, *, full: bool) -> list[Layer]:
    """The files of one record."""
    rng, hidden = random.Random(7), random.Random(11)
    made = [
        Layer("connectors", "mapco", _connectors(rng, hidden, tier, full)),
        Layer("segments", "mapco", _segments(rng, hidden, tier, full), declared=STATED),
        Layer("places", "city", _places(rng, hidden, tier, full), declared=STATED),
        Layer("events", "city", _events(rng, hidden, tier, full)),
        Layer("buildings", "city", _buildings(rng, hidden, tier, full)),
        Layer("satellite", "orbit", pixels=_scene(tier, full), declared={}),
    ]
    for name in lane_town.COLLECTIONS:
        made.append(Layer(name, "mapco", lane_town.features(name, rng, hidden, full=full)))
    for name in desk_town.COLLECTIONS:
        made.append(Layer(name, "city", desk_town.features(name, rng, hidden, full=full)))
    surveyed = [layer for layer in made if layer.collection in claim_town.ON]
    if tier == "coarse":  # whose exact lines differ by more than the accuracy of claims on one thing
        surveyed = [layer for layer in surveyed if layer.collection != "segments"]
    for first in surveyed:
        said = claim_town.features(first.collection, first.features, hidden, full=full)
        layer = Layer(first.collection, "surveyor", said, declared=claim_town.declared(full=full))
        made.append(layer)
    if full:
        secret = [_feature("p1", shapely.Point(139.71, 35.61), {"plan": "pier"})]
        made.append(Layer(HIDDEN_LAYER, "city", secret))
        made += [_closed(layer, hidden) for layer in made if layer.collection in class_town.ON]
    return [_shaken(layer, tier) for layer in made] if full else made


def changed(tier: str, step: int, *, full: bool) -> list[Layer]:
    """Later files: visible things change in both records, hidden ones in the full one alone."""
    rng, hidden = random.Random(100 + step), random.Random(200 + step)
    made: list[Layer] = []
    if step % 2:
        at = _place(rng)
        said = {"class": "primary", "name": NAMES[step % len(NAMES)], "width_m": 5.0}
        line = _feature(f"s{step}", _line(at, rng), said)
        made.append(Layer("segments", "mapco", [line], declared=STATED))
    if full:
        more = [
            _feature(
                f"h{step}-{n}", _line(_place(hidden), hidden), {"class": "service", "name": "secret"}
            )
            for n in range(3)
        ]
        made.append(Layer("segments", "mapco", more))
        made += [_closed(layer, hidden) for layer in made]
        if step % 3 == 0:
            made.append(
                Layer(HIDDEN_LAYER, "city", [_feature(f"p{step}", shapely.Point(139.7, 35.6), {})])
            )
    return [_shaken(layer, tier) for layer in made] if full else made


def _closed(layer: Layer, hidden: random.Random) -> Layer:
    """The same records once more, under a release class that no tier under test reads."""
    declared = layer.declared | {"release_class": class_town.CLASS}
    if layer.pixels is not None:
        return replace(layer, pixels=layer.pixels[:, ::-1], declared=declared)
    return replace(layer, features=class_town.features(layer.features, hidden), declared=declared)


def _shaken(layer: Layer, tier: str) -> Layer:
    """Where a tier tells places coarsely, other exact places, of which it tells the same."""
    if tier != "coarse" or layer.collection not in COLLECTIONS or layer.pixels is not None:
        return layer
    size_m = FINEST_UNIT_M if layer.collection == "places" else PRECISION_M
    return replace(layer, features=shaken_town.features(layer.features, size_m))


def _segments(rng: random.Random, hidden: random.Random, tier: str, full: bool) -> list[dict[str, Any]]:
    rows = []
    for number in range(60):
        line = _line(_place(rng), rng)
        width = rng.choice([3.0, 5.5, 12.0, None])
        said = {
            "class": rng.choice(["primary", "residential", "footway", None]),
            "name": rng.choice([*NAMES, None]),
            "width_m": width,
            "start_connector_id": rng.choice(["c0", "c1", "c2", "x0", None]),
        }
        if full:
            said |= {"surface": hidden.choice(["paved", "gravel"]), "route_number": str(number)}
            line = _bent(line, hidden, tier)
            if tier == "coarse" and width is not None:
                said["width_m"] = width + 0.5
        rows.append(_feature(f"s{number}", line, said))
    return _mixed(rows, hidden, full, {"class": "service", "name": "秘密の道"}, tier, _line)


def _connectors(
    rng: random.Random, hidden: random.Random, tier: str, full: bool
) -> list[dict[str, Any]]:
    rows = [_feature(f"c{n}", shapely.Point(_inside(rng)), {"name": f"crossing {n}"}) for n in range(3)]
    if full:
        rows += [
            _feature(f"x{n}", shapely.Point(_inside(hidden)), {"name": "hidden"}) for n in range(2)
        ]
    return rows


def _places(rng: random.Random, hidden: random.Random, tier: str, full: bool) -> list[dict[str, Any]]:
    rows = []
    for number in range(40):
        said = {
            "name": f"{rng.choice(NAMES)} {number}",
            "name_kana": rng.choice(["シオミ", "ミナト", None]),
            "class": rng.choice(["town", "village", None]),
        }
        if full:
            said["name_en"] = hidden.choice(["Hidden Name", "Other"])
        rows.append(_feature(f"p{number}", shapely.Point(_place(rng)), said))
    said = {"class": "site", "name": "秘密 Station Road"}
    return _mixed(rows, hidden, full, said, tier, lambda at, _: shapely.Point(at))


def _events(rng: random.Random, hidden: random.Random, tier: str, full: bool) -> list[dict[str, Any]]:
    rows = []
    for number in range(20):
        day = rng.randint(1, 9)
        said = {
            "kind": rng.choice(["closure", "flood", None]),
            "name": rng.choice(NAMES),
            "valid_from": f"2026-05-0{day}T00:00:00Z",
            "valid_to": rng.choice([None, f"2026-06-0{day}T00:00:00Z"]),
        }
        if full:
            said["reason"] = hidden.choice(["a", "b"])
        rows.append(_feature(f"e{number}", shapely.Point(_place(rng)), said))
    said = {
        "kind": "roadwork",
        "valid_from": "2020-01-01T00:00:00Z",
        "valid_to": "2030-01-01T00:00:00Z",
    }
    if full and tier == "late":  # the clock stands at 2026-05-28: seen too lately, or too long ago
        rows = [*rows, *(_feature(f"l{n}", shapely.Point(_place(hidden)), late) for n, late in LATE)]
    return _mixed(rows, hidden, full, said, tier, lambda at, _: shapely.Point(at))


def _buildings(
    rng: random.Random, hidden: random.Random, tier: str, full: bool
) -> list[dict[str, Any]]:
    rows = []
    for number in range(40):
        said: dict[str, Any] = {"use": rng.choice(["house", "shop"]), "storeys": rng.randint(1, 9)}
        if full:
            said |= {"name": "hidden name", "height_m": hidden.uniform(3, 40)}
            if tier == "coarse":
                said["use"] = hidden.choice(["house", "shop", "school"])
        rows.append(_feature(f"b{number}", _house(_place(rng), rng), said))
    return _mixed(rows, hidden, full, {"use": "military"}, tier, _house)


def _mixed(
    rows: list[dict[str, Any]],
    hidden: random.Random,
    full: bool,
    said: dict[str, Any],
    tier: str,
    shape: Any,
) -> list[dict[str, Any]]:
    """Put hidden rows among the visible ones, before, between and behind them."""
    if not full:
        return rows
    more = [_feature(f"{'amz'[n % 3]}{n}", shape(_place(hidden), hidden), said) for n in range(25)]
    if tier == "fenced":
        open_said = {key: value for key, value in rows[0]["properties"].items() if key != "id"}
        outside = [_feature(f"o{n}", shape(_outside(hidden), hidden), open_said) for n in range(25)]
        more += [
            row
            for row in outside
            if not shapely.from_geojson(json.dumps(row["geometry"])).intersects(FENCE)
        ]
    mixed = [*rows, *more]
    hidden.shuffle(mixed)
    return mixed


def _bent(line: shapely.LineString, hidden: random.Random, tier: str) -> shapely.LineString:
    """Under a fence, a line that leaves it goes on somewhere else."""
    last = shapely.Point(line.coords[-1])
    if tier != "fenced" or not shapely.crosses(line, FENCE) or FENCE.intersects(last):
        return line
    west, south = line.coords[-1]
    for _ in range(50):
        there = (west + hidden.uniform(-0.004, 0.004), south + hidden.uniform(-0.004, 0.004))
        if not shapely.LineString([line.coords[-1], there]).intersects(FENCE.buffer(1e-6)):
            return shapely.LineString([*line.coords, there])
    return line


def _scene(tier: str, full: bool) -> NDArray[np.uint16]:
    """Four bands of pixels of 10 m; the full record's hidden bands and outside differ."""
    rng = np.random.default_rng(3)
    pixels = rng.integers(1, 3000, (4, SCENE_PX, SCENE_PX), dtype=np.uint16)
    if full:
        if tier == "fenced":
            other = np.random.default_rng(9).integers(1, 60000, pixels.shape, dtype=np.uint16)
            pixels = np.where(_beyond_fence(), other, pixels)
        pixels[2:] = np.random.default_rng(5).integers(1, 3000, pixels[2:].shape, dtype=np.uint16)
    return pixels


def _beyond_fence() -> NDArray[np.bool_]:
    """Which pixels of the scene do not lie wholly inside the fence: straight in its own CRS or not."""
    change = pyproj.Transformer.from_crs("EPSG:32654", "OGC:CRS84", always_xy=True)
    row, column = np.mgrid[0:SCENE_PX, 0:SCENE_PX]
    x, y = SCENE_WEST + SCENE_M * column, SCENE_NORTH - SCENE_M * row
    steps = [(0, 0), (SCENE_M, 0), (SCENE_M, -SCENE_M), (0, -SCENE_M)]
    corners = np.stack([np.dstack(change.transform(x + dx, y + dy)) for dx, dy in steps], axis=2)
    found: NDArray[np.bool_] = ~shapely.covers(FENCE, shapely.polygons(corners))
    return found


def _feature(key: str, shape: Any, said: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "Feature",
        "id": key,
        "properties": {"id": key, **said},
        "geometry": json.loads(shapely.to_geojson(shape)),
    }


def _place(rng: random.Random) -> tuple[float, float]:
    return round(WEST + rng.random() * 0.025, 6), round(SOUTH + rng.random() * 0.022, 6)


def _inside(rng: random.Random) -> tuple[float, float]:
    while True:
        at = _place(rng)
        if FENCE.contains(shapely.Point(at)):
            return at


def _outside(rng: random.Random) -> tuple[float, float]:
    while True:
        at = _place(rng)
        if not FENCE.intersects(shapely.Point(at)):
            return at


def _line(at: tuple[float, float], rng: random.Random) -> shapely.LineString:
    points = [at]
    for _ in range(rng.randint(1, 4)):
        west, south = points[-1]
        points.append(
            (round(west + rng.uniform(-0.003, 0.003), 6), round(south + rng.uniform(-0.003, 0.003), 6))
        )
    return shapely.LineString(points)


def _house(at: tuple[float, float], rng: random.Random) -> shapely.Polygon:
    west, south = at
    return shapely.box(west, south, west + rng.uniform(1e-4, 4e-4), south + rng.uniform(1e-4, 4e-4))
