"""Whatever crosses whatever fence: nothing of it comes out beyond it, and hiding more shows no more.

Shapes and fences lie on one coarse grid, so that they touch, share edges and run along one another;
fences have holes and several parts. Everything is judged by shapely.
"""

from __future__ import annotations

import json
import math
import zipfile
from pathlib import Path
from typing import Any

import mapbox_vector_tile
import numpy as np
import pytest
import shapely
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from shapely.geometry.base import BaseGeometry

from geoshare.access.view import View
from geoshare.extracts import ExtractRequest
from geoshare.extracts.write import write_extract
from geoshare.model.policy import Policy
from geoshare.query.tiles import vector_tile
from tests.access.town import Row, Town, policy
from tiles.grid import Tile

LON, LAT, STEP, SIDE = 139.7, 35.6, 0.002, 8  # the grid in degrees
DEGREE_M = 110_574.0
WRITTEN = 1e-7  # seven decimals
UNITS = 1.25  # of a tile: half of one in each direction by rounding, half of one by simplifying
EXTENT = 4096

SPOT = st.tuples(st.integers(0, SIDE), st.integers(0, SIDE)).map(
    lambda spot: (round(LON + spot[0] * STEP, 6), round(LAT + spot[1] * STEP, 6))
)


def areal(shape: BaseGeometry) -> BaseGeometry:
    """The polygons of what is left of a shape."""
    parts = [part for part in shapely.get_parts(shape) if part.area > 0]
    parts = [piece for part in parts for piece in shapely.get_parts(part) if piece.area > 0]
    return shapely.union_all(parts)


RING = st.lists(SPOT, min_size=3, max_size=7, unique=True).map(
    lambda spots: areal(shapely.make_valid(shapely.Polygon(spots)))
)


@st.composite
def areas(draw: st.DrawFn) -> BaseGeometry:
    """A polygon or several, with or without holes."""
    found = draw(RING)
    if draw(st.booleans()):
        found = areal(shapely.difference(found, draw(RING)))
    if draw(st.booleans()):
        found = areal(shapely.union(found, draw(RING)))
    assume(found.area > 0)
    return found


LINE = st.lists(SPOT, min_size=2, max_size=5, unique=True).map(shapely.LineString)
SHAPE = st.one_of(
    SPOT.map(shapely.Point),
    LINE,
    st.lists(LINE, min_size=2, max_size=2).map(shapely.MultiLineString),
    areas(),
)
SHAPES = st.lists(SHAPE, min_size=1, max_size=6)
MODE = st.sampled_from(["clip", "clip", "whole"])
PRECISION = st.sampled_from([None, None, 20, 150])


def held(fence: BaseGeometry, mode: str, precision_m: float | None) -> Policy:
    said = {
        "collections": ["events"],
        "columns": ["name"],
        "area": json.loads(shapely.to_geojson(fence)),
        "area_mode": mode,
        "precision_m": precision_m,
    }
    return policy({name: value for name, value in said.items() if value is not None})


def rows_of(shapes: list[BaseGeometry]) -> list[Row]:
    return [(f"e{number}", shape, {"name": "x"}) for number, shape in enumerate(shapes)]


def by_items(view: View) -> dict[str, BaseGeometry]:
    """Every feature as pages write it."""
    said = json.loads(b"[" + view.geojson(view.scan()) + b"]")
    return {item["id"]: shapely.from_geojson(json.dumps(item["geometry"])) for item in said}


def by_tile(view: View, z: int, lon: float, lat: float) -> tuple[dict[str, BaseGeometry], Tile]:
    """Every feature of the tile at a place, buffer included, in degrees."""
    count = 1 << z
    y = int((1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2 * count)
    tile = Tile(z, int((lon + 180) / 360 * count), y)
    west, south, east, north = tile.lon_lat_box()
    top, bottom = (math.asinh(math.tan(math.radians(side))) for side in (north, south))

    def degrees(units: np.ndarray) -> np.ndarray:
        lat = np.degrees(np.arctan(np.sinh(bottom + units[:, 1] / EXTENT * (top - bottom))))
        return np.column_stack([west + units[:, 0] / EXTENT * (east - west), lat])

    layers: Any = mapbox_vector_tile.decode(vector_tile([view], *tile))
    return {
        item["properties"]["id"]: shapely.transform(
            shapely.from_geojson(json.dumps(item["geometry"])), degrees
        )
        for layer in layers.values()
        for item in layer["features"]
    }, tile


def check_within(
    found: dict[str, BaseGeometry], allowed: dict[str, BaseGeometry], slack: float
) -> None:
    for key, shape in found.items():
        beyond = shape.difference(allowed[key].buffer(slack))
        assert beyond.is_empty, (key, beyond)


@settings(max_examples=25, deadline=None)
@given(shapes=SHAPES, fence=areas(), mode=MODE, precision_m=PRECISION, spot=SPOT)
def test_nothing_that_comes_out_lies_beyond_the_fence(
    tmp_path_factory: pytest.TempPathFactory,
    shapes: list[BaseGeometry],
    fence: BaseGeometry,
    mode: str,
    precision_m: float | None,
    spot: tuple[float, float],
) -> None:
    town = Town(tmp_path_factory.mktemp("town"))
    town.packs.publish("events", rows_of(shapes))
    holds = held(fence, mode, precision_m)
    view = town.view(holds, "events")
    moved = 0.0 if precision_m is None else 2 * precision_m / DEGREE_M
    allowed = {f"e{number}": shape for number, shape in enumerate(shapes)}
    allowed = {key: shape for key, shape in allowed.items() if fence.intersects(shape)}
    if mode == "clip":
        allowed = {key: shapely.intersection(shape, fence) for key, shape in allowed.items()}
    found = by_items(view)
    assert set(found) <= set(allowed)
    check_within(found, allowed, moved + WRITTEN)
    assert view.count == len(found)
    check_bounds(view, found)
    for z in (12, 14, 16):
        tiled, tile = by_tile(view, z, *spot)
        west, _, east, _ = tile.lon_lat_box()
        assert set(tiled) <= set(found)
        check_within(tiled, allowed, moved + UNITS * (east - west) / EXTENT)
    check_extract(town, holds, allowed, moved, tmp_path_factory.mktemp("extract"))


def check_bounds(view: View, found: dict[str, BaseGeometry]) -> None:
    """The bounds that are told are those of what is shown."""
    if not found:
        assert view.extent is None
        return
    assert view.extent is not None
    bounds = shapely.total_bounds(list(found.values()))
    assert np.abs(np.array(view.extent) - bounds).max() < 3 * WRITTEN


def check_extract(
    town: Town, holds: Policy, allowed: dict[str, BaseGeometry], moved: float, folder: Path
) -> None:
    """A file, cut at an area of the consumer's own."""
    cut = shapely.box(LON + STEP, LAT + STEP, LON + 5 * STEP, LAT + 6 * STEP)
    for mode in ("clip", "whole"):
        request = ExtractRequest(
            collections=("events",),
            format="geojson",
            mode=mode,
            area=json.loads(shapely.to_geojson(cut)),
        )
        write_extract(request, holds, town.views, folder / mode, now_us=0, work_dir=folder)
        with zipfile.ZipFile(folder / mode) as archive:
            said = json.loads(archive.read("events.geojson"))["features"]
        taken = {item["id"]: shapely.from_geojson(json.dumps(item["geometry"])) for item in said}
        check_within(taken, allowed, moved + WRITTEN)
        if mode == "clip":
            check_within(taken, dict.fromkeys(taken, cut), WRITTEN)


@settings(max_examples=25, deadline=None)
@given(shapes=SHAPES, fence=areas(), other=areas(), mode=MODE, precision_m=PRECISION)
def test_hiding_more_never_shows_more(
    tmp_path_factory: pytest.TempPathFactory,
    shapes: list[BaseGeometry],
    fence: BaseGeometry,
    other: BaseGeometry,
    mode: str,
    precision_m: float | None,
) -> None:
    narrow = areal(shapely.intersection(fence, other))
    assume(narrow.area > 0)
    town = Town(tmp_path_factory.mktemp("town"))
    town.packs.publish("events", rows_of(shapes))
    wide = by_items(town.view(held(fence, mode, precision_m), "events"))
    less = by_items(town.view(held(narrow, mode, precision_m), "events"))
    assert set(less) <= set(wide)
    check_within(less, wide, WRITTEN)
    exact = by_items(town.view(held(fence, mode, None), "events"))
    assert set(wide) <= set(exact)


@settings(max_examples=20, deadline=None)
@given(shapes=SHAPES, fences=st.lists(areas(), min_size=2, max_size=2), mode=MODE)
def test_two_fences_together_show_what_lies_in_one_of_them_and_no_more(
    tmp_path_factory: pytest.TempPathFactory,
    shapes: list[BaseGeometry],
    fences: list[BaseGeometry],
    mode: str,
) -> None:
    town = Town(tmp_path_factory.mktemp("town"))
    town.packs.publish("events", rows_of(shapes))
    grants = [grant for fence in fences for grant in held(fence, mode, None).grants]
    together = by_items(town.view(Policy(tuple(grants)), "events"))
    apart = [by_items(town.view(held(fence, mode, None), "events")) for fence in fences]
    assert set(together) <= set(apart[0]) | set(apart[1])
    either = shapely.union_all(fences)
    if mode == "clip":
        check_within(together, dict.fromkeys(together, either), WRITTEN)
    # what runs along an edge of a fence lies in it or not by a last digit
    for fence, found in zip(fences, apart, strict=True):
        for key, shape in found.items():
            inner = shapely.intersection(shape, fence.buffer(-10 * WRITTEN))
            assert inner.is_empty or inner.difference(together[key].buffer(2 * WRITTEN)).is_empty
