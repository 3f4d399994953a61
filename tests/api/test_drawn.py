"""Pictures of vectors over HTTP: tiles by every address, WMTS and WMS, and what they do not tell."""

from __future__ import annotations

import io
import json
from typing import Any

import numpy as np
import pytest
import rasterio
from affine import Affine
from numpy.typing import NDArray
from PIL import Image

from tests.api.conftest import Own
from tiles.matrices import MATRIX_SETS

LON, LAT = 139.7, 35.6
Z = 15
SECRET = "buildings"  # not in the open tier


def features(*shapes: dict[str, Any]) -> dict[str, Any]:
    found = [
        {"type": "Feature", "properties": {"id": f"f{n}", "name": f"場所{n}"}, "geometry": shape}
        for n, shape in enumerate(shapes)
    ]
    return {"type": "FeatureCollection", "features": found}


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Own:
    folder = tmp_path_factory.mktemp("drawn")
    own = Own(folder / "data")
    ring = [[LON, LAT], [LON + 2e-3, LAT], [LON + 2e-3, LAT + 2e-3], [LON, LAT + 2e-3], [LON, LAT]]
    street = {"type": "LineString", "coordinates": [[LON - 0.01, LAT], [LON + 0.01, LAT + 0.001]]}
    for name, content in (
        ("segments", features(street)),
        ("places", features({"type": "Point", "coordinates": [LON, LAT]})),
        (SECRET, features({"type": "Polygon", "coordinates": [ring]})),
    ):
        path = folder / f"{name}.geojson"
        path.write_text(json.dumps(content))
        own.contribute(path, collection=name)
    scene = folder / "scene.tif"
    place = {"crs": "EPSG:4326", "transform": Affine(1e-4, 0, LON, 0, -1e-4, LAT + 0.01)}
    with rasterio.open(
        scene, "w", driver="GTiff", dtype="uint8", width=100, height=100, count=3, **place
    ) as file:
        file.write(np.full((3, 100, 100), 90, np.uint8))
    own.contribute(scene, collection="satellite")
    return own


def at(name: str = "WebMercatorQuad", zoom: int = Z) -> tuple[int, int, int]:
    """Matrix, row, column of the town's tile at the scale of a zoom of Web Mercator."""
    matrices = MATRIX_SETS[name]
    z = zoom - matrices.mercator_zoom
    spans = matrices.covering(z, (LON + 1e-4, LAT + 1e-4, LON + 1e-4, LAT + 1e-4))
    assert spans is not None
    return z, spans[1][0], spans[0][0]


def pixels(body: bytes) -> NDArray[np.uint8]:
    return np.asarray(Image.open(io.BytesIO(body)).convert("RGBA"))


def test_one_tile_has_every_address_and_one_picture(town: Own) -> None:
    z, y, x = at()
    plain = town.get(f"/tiles/segments/{z}/{x}/{y}.png", None)
    assert (plain.status_code, plain.content_type) == (200, "image/png")
    assert pixels(plain.data).shape == (256, 256, 4)
    assert pixels(plain.data)[..., 3].any()
    for path in (
        f"/collections/segments/map/tiles/WebMercatorQuad/{z}/{y}/{x}",
        f"/map/tiles/WebMercatorQuad/{z}/{y}/{x}?collections=segments",
    ):
        assert town.get(path, None).data == plain.data
        assert town.get(path + ("&" if "?" in path else "?") + "f=webp", None).mimetype == "image/webp"
    large = town.get(f"/tiles/segments/{z}/{x}/{y}@2x.png", None)
    assert pixels(large.data).shape == (512, 512, 4)
    again = town.client.get(
        f"/tiles/segments/{z}/{x}/{y}.png", headers={"If-None-Match": plain.headers["ETag"]}
    )
    assert again.status_code == 304


def test_an_empty_tile_is_no_content_and_a_map_has_what_its_style_shows(town: Own) -> None:
    assert town.get(f"/tiles/segments/{Z}/0/0.png", None).status_code == 204
    z, y, x = at()
    whole = town.get(f"/map/tiles/WebMercatorQuad/{z}/{y}/{x}")
    few = town.get(f"/map/tiles/WebMercatorQuad/{z}/{y}/{x}", None)
    assert whole.data != few.data  # the operator sees buildings too
    listed = town.get("/map/tiles", None).json["tilesets"]
    assert {item["dataType"] for item in listed} == {"map"}
    told = town.get("/map/tiles/JGD2011Plane9", None).json
    assert [link["type"] for link in told["links"] if link["rel"] == "item"] == [
        "image/png",
        "image/webp",
    ]


@pytest.mark.parametrize(
    "template",
    [
        "/tiles/{}/15/1/1.png",
        "/tiles/{}/15/1/1@2x.webp",
        "/collections/{}/map/tiles",
        "/collections/{}/map/tiles/WebMercatorQuad",
        "/collections/{}/map/tiles/WebMercatorQuad/15/1/1",
        "/map/tiles/WebMercatorQuad/15/1/1?collections={}",
        "/map/tiles/WebMercatorQuad/15/1/1?style={}",
        "/wmts?request=GetTile&layer={}&tilematrixset=WebMercatorQuad&tilematrix=15&tilerow=1&tilecol=1",
        "/wmts/1.0.0/{}/default/WebMercatorQuad/15/1/1.png",
    ],
)
def test_what_is_hidden_answers_as_what_does_not_exist(town: Own, template: str) -> None:
    hidden, missing = (town.get(template.format(name), None) for name in (SECRET, "nothing"))
    assert hidden.status_code in (400, 404)
    assert (hidden.status_code, hidden.data) == (missing.status_code, missing.data)
    assert town.get(template.format(SECRET)).status_code in (200, 204)


@pytest.mark.parametrize(
    ("path", "parameter"),
    [
        ("/tiles/segments/15/1/1.gif", "format"),
        ("/tiles/segments/15/1/1.png?style=pink", "style"),
        ("/tiles/segments/15/1/1.png?datetime=monday", "datetime"),
        ("/tiles/segments/15/1/1.png?language=fr", "language"),
        ("/tiles/segments/25/1/1.png", "z"),
        ("/collections/segments/map/tiles/WebMercatorQuad/15/1/1?f=jpg", "f"),
        ("/map/tiles/WebMercatorQuad/15/1/1?collections=segments&style=hazard-map", "style"),
    ],
)
def test_bad_input_names_its_parameter(town: Own, path: str, parameter: str) -> None:
    answer = town.get(path, None)
    assert answer.status_code == 400
    assert answer.json["parameter"] == parameter
    assert answer.json["allowed"]
