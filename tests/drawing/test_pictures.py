"""What is drawn lies where it is, goes on in the next tile, and shows nothing but the view."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from numpy.typing import NDArray
from pyproj import Transformer

from geoshare.access.view import View
from geoshare.drawing import Frame, draw, rows_shown, tile_frame, understood
from geoshare.drawing.labels import labels_of, placed
from geoshare.drawing.shapes import Drawable
from geoshare.query.styles import style_layers
from geoshare.query.tiles import Place
from tests.access.town import Row, Town, policy
from tiles.matrices import MATRIX_SETS

LON, LAT = 139.7, 35.6
RED = {"id": "a", "type": "circle", "source-layer": "shelters"}
RED |= {"paint": {"circle-color": "#ff0000", "circle-radius": 4}}
NAMES = {"id": "n", "type": "symbol", "source-layer": "shelters"}
NAMES |= {"layout": {"text-field": ["get", "name"], "text-size": 12}}
ALL = policy({"collections": ["segments", "shelters", "hazard_zones"], "columns": ["name", "class"]})


def names_near(count: int) -> list[Row]:
    rng = np.random.default_rng(3)
    places = rng.uniform((LON - 0.02, LAT - 0.012), (LON + 0.02, LAT + 0.012), (count, 2))
    return [
        (f"p{n}", shapely.Point(*at), {"name": f"第{n}避難所小学校"}) for n, at in enumerate(places)
    ]


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Town:
    town = Town(tmp_path_factory.mktemp("drawn"))
    rng = np.random.default_rng(5)
    starts = rng.uniform((LON - 0.02, LAT - 0.015), (LON + 0.02, LAT + 0.015), (150, 2))
    town.packs.publish(
        "segments",
        [
            (
                f"s{n}",
                shapely.LineString(at + np.array([(0, 0), (0.006, 0.001), (0.007, 0.006)])),
                {"class": ("primary", "residential")[n % 2], "name": f"海岸通り{n % 7}丁目"},
            )
            for n, at in enumerate(starts)
        ],
    )
    town.packs.publish("shelters", names_near(60))
    area = shapely.Point(LON, LAT).buffer(0.008).difference(shapely.Point(LON, LAT).buffer(0.003))
    town.packs.publish("hazard_zones", [("z", area, {})])
    return town


def picture(frame: Frame, layers: list[dict[str, Any]], *views: View) -> NDArray[np.uint8]:
    known = understood(layers)
    shown = {view.collection.name: (view, rows_shown(view, frame, known)) for view in views}
    return draw(frame, known, shown)


def around(name: str, zoom: int, columns: int = 1, rows: int = 1) -> tuple[Place, Frame]:
    """A tile of a set at the scale of a zoom, and the frame of so many tiles from it on."""
    matrices = MATRIX_SETS[name]
    z = zoom - matrices.mercator_zoom
    spans = matrices.covering(z, (LON, LAT, LON, LAT))
    assert spans is not None
    place = Place(name, z, spans[0][0], spans[1][0])
    west, _, _, north = matrices.box(z, place.x, place.y)
    _, south, east, _ = matrices.box(z, place.x + columns - 1, place.y + rows - 1)
    return place, Frame(name, (west, south, east, north), 256 * columns, 256 * rows)


@pytest.mark.parametrize("name", ["WebMercatorQuad", "WorldCRS84Quad", "JGD2011Plane9"])
def test_a_place_is_drawn_at_its_coordinates(tmp_path: Path, name: str) -> None:
    own = Town(tmp_path)
    own.packs.publish("shelters", [("p", shapely.Point(LON, LAT), {})])
    _, frame = around(name, 14)
    found = picture(frame, [RED], own.view(ALL, "shelters"))
    alpha = found[..., 3].astype(float)
    y, x = np.indices(alpha.shape)
    at = ((x + 0.5) * alpha).sum() / alpha.sum(), ((y + 0.5) * alpha).sum() / alpha.sum()
    easting, northing = Transformer.from_crs(
        "OGC:CRS84", frame.matrices.crs, always_xy=True, allow_ballpark=False
    ).transform(LON, LAT)
    west, south, east, north = frame.box
    expected = (
        (easting - west) / (east - west) * frame.width,
        (north - northing) / (north - south) * frame.height,
    )
    assert at == pytest.approx(expected, abs=0.05)


@pytest.mark.parametrize(("name", "zoom"), [("WebMercatorQuad", 15), ("JGD2011Plane9", 14)])
def test_tiles_side_by_side_are_one_picture(town: Town, name: str, zoom: int) -> None:
    views = [town.view(ALL, each) for each in ("segments", "shelters", "hazard_zones")]
    layers = [*style_layers(views), NAMES]
    place, whole = around(name, zoom, 2, 2)
    expected = picture(whole, layers, *views)
    for column in (0, 1):
        for row in (0, 1):
            tile = tile_frame(place._replace(x=place.x + column, y=place.y + row))
            found = picture(tile, layers, *views)
            cut = expected[256 * row : 256 * row + 256, 256 * column : 256 * column + 256]
            differing = np.abs(found.astype(int) - cut).max(axis=2) > 2
            assert differing.mean() < 0.001, (column, row)
    assert (expected[..., 3] > 0).mean() > 0.1


def test_names_do_not_lie_over_each_other(town: Town) -> None:
    view = town.view(ALL, "shelters")
    _, frame = around("WebMercatorQuad", 14, 3, 3)
    layers = understood([NAMES])
    rows = rows_shown(view, frame, layers).names
    assert rows is not None
    drawable = Drawable(view, rows, frame)
    every = [
        label
        for above, layer in enumerate(layers)
        if layer.kind == "symbol" and layer.is_shown(frame.zoom)
        for label in labels_of(layer, above, drawable, frame.zoom, 1.0)
    ]
    kept = placed(every)
    boxes = [
        shapely.box(x.x - x.half[0], x.y - x.half[1], x.x + x.half[0], x.y + x.half[1]) for x in kept
    ]
    assert 10 < len(kept) < len(every)
    for n, box in enumerate(boxes):
        assert all(box.intersection(other).area == 0 for other in boxes[:n])


def test_a_hidden_column_does_not_decide_how_a_feature_looks(town: Town) -> None:
    blind = policy({"collections": ["segments"], "columns": ["name"]})
    paint = {"line-color": ["match", ["get", "class"], "primary", "#ff0000", "#0000ff"]}
    layer = {"id": "a", "type": "line", "source-layer": "segments", "paint": paint}
    _, frame = around("WebMercatorQuad", 15)
    seeing = picture(frame, [layer], town.view(ALL, "segments"))
    hidden = picture(frame, [layer], town.view(blind, "segments"))
    assert (seeing[..., 0] > 200).any()
    assert not hidden[..., 0].any()
    assert (hidden[..., 2] > 200).any()


def test_a_picture_for_small_pixels_is_the_same_one_twice_as_fine(town: Town) -> None:
    view = town.view(ALL, "hazard_zones")
    layer = {"id": "a", "type": "fill", "source-layer": "hazard_zones", "paint": {"fill-color": "#f00"}}
    place, frame = around("WebMercatorQuad", 14)
    fine = tile_frame(place, ratio=2.0)
    assert fine.zoom == pytest.approx(frame.zoom)
    once, twice = picture(frame, [layer], view), picture(fine, [layer], view)
    halved = twice[..., 3].reshape(256, 2, 256, 2).mean(axis=(1, 3))
    assert np.abs(halved - once[..., 3]).max() <= 2


def test_the_zoom_is_that_of_style_documents(town: Town) -> None:
    for name in ("WebMercatorQuad", "WorldCRS84Quad", "JGD2011Plane9"):
        for zoom in (8, 14, 17):
            place, _ = around(name, zoom)
            frame = tile_frame(place)
            assert frame.zoom == pytest.approx(zoom - 1)
            assert frame.detail_zoom == zoom - 1
