"""Pictures of vectors over HTTP: tiles by every address, WMTS and WMS, and what they do not tell."""

from __future__ import annotations

import io
from urllib.parse import urlencode

import numpy as np
import pytest
from lxml import etree
from numpy.typing import NDArray
from owslib.wmts import WebMapTileService
from PIL import Image

from tests.api.conftest import Own
from tests.api.drawn_town import LAT, LON, SECRET, make
from tiles.matrices import MATRIX_SETS

Z = 15


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Own:
    return make(tmp_path_factory.mktemp("drawn"))


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
        "image/jpeg",
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
        ("/collections/segments/map/tiles/WebMercatorQuad/15/1/1?f=gif", "f"),
        ("/map/tiles/WebMercatorQuad/15/1/1?collections=segments&style=hazard-map", "style"),
    ],
)
def test_bad_input_names_its_parameter(town: Own, path: str, parameter: str) -> None:
    answer = town.get(path, None)
    assert answer.status_code == 400
    assert answer.json["parameter"] == parameter
    assert answer.json["allowed"]


# WMTS

OWS = "{http://www.opengis.net/ows/1.1}"


def test_owslib_finds_layers_and_takes_the_tile_that_lies_there(town: Own) -> None:
    answer = town.get("/wmts?SERVICE=WMTS&REQUEST=GetCapabilities", None)
    assert answer.mimetype == "text/xml"
    rest = town.get("/wmts/1.0.0/WMTSCapabilities.xml", None)
    assert rest.data == answer.data
    service = WebMapTileService("http://localhost/wmts", xml=answer.data)
    assert {"segments", "places", "satellite", "default-map"} <= set(service.contents)
    assert SECRET not in answer.text
    layer = service["segments"]
    assert layer.boundingBoxWGS84 == pytest.approx((LON - 0.01, LAT, LON + 0.01, LAT + 0.001), abs=6e-5)
    assert set(layer.formats) == {"image/png", "image/webp", "image/jpeg"}
    assert {"WebMercatorQuad", "WorldCRS84Quad", "JGD2011Plane9"} < set(layer.tilematrixsetlinks)
    for name in ("WebMercatorQuad", "WorldCRS84Quad", "JGD2011Plane9"):
        z, y, x = at(name)
        matrix = service.tilematrixsets[name].tilematrix[str(z)]
        matrices = MATRIX_SETS[name]
        # a pixel is 0.28 mm of the scale (OGC 07-057r7, 6.1), a degree 111319.49 m
        metres = 111319.49079327358 if name == "WorldCRS84Quad" else 1.0
        side = matrix.scaledenominator * 0.00028 / metres * matrix.tilewidth
        assert side == pytest.approx(matrices.side / matrices.columns(z), rel=1e-9)
        corner = (matrices.north, matrices.west) if "Plane" in name else (matrices.west, matrices.north)
        assert matrix.topleftcorner == pytest.approx(corner)
        path = service.buildTileRequest(
            layer="segments", style="default", format="image/png",
            tilematrixset=name, tilematrix=str(z), row=y, column=x,
        )  # fmt: skip
        asked = town.get(f"/wmts?{path}", None)
        drawn = town.get(f"/collections/segments/map/tiles/{name}/{z}/{y}/{x}", None)
        assert asked.data == drawn.data
        assert town.get(f"/wmts/1.0.0/segments/default/{name}/{z}/{y}/{x}.png", None).data == drawn.data


def test_wmts_gives_rasters_and_pictures_of_nothing(town: Own) -> None:
    z, y, x = at()
    scene = town.get(f"/wmts/1.0.0/satellite/default/WebMercatorQuad/{z}/{y}/{x}.jpg", None)
    assert scene.mimetype == "image/jpeg"
    assert scene.data == town.get(f"/raster/satellite/{z}/{x}/{y}.jpg", None).data
    empty = town.get(f"/wmts/1.0.0/segments/default/WebMercatorQuad/{z}/0/0.png", None)
    assert empty.status_code == 200
    assert not pixels(empty.data).any()


@pytest.mark.parametrize(
    ("change", "code", "locator"),
    [
        ({"layer": "nothing"}, "InvalidParameterValue", None),
        ({"layer": None}, "MissingParameterValue", "LAYER"),
        ({"style": "pink"}, "InvalidParameterValue", "STYLE"),
        ({"format": "image/gif"}, "InvalidParameterValue", "FORMAT"),
        ({"tilematrixset": "Mars"}, "InvalidParameterValue", "TILEMATRIXSET"),
        ({"tilematrix": "99"}, "InvalidParameterValue", "TILEMATRIX"),
        ({"TILECOL": "-1"}, "TileOutOfRange", "TILECOL"),
        ({"tilerow": "99999999"}, "TileOutOfRange", "TILEROW"),
        ({"request": "GetEverything"}, "InvalidParameterValue", "request"),
    ],
)
def test_wmts_says_what_is_wrong_as_xml(
    town: Own, change: dict[str, str | None], code: str, locator: str | None
) -> None:
    z, y, x = at()
    said = {"request": "GetTile", "layer": "segments", "tilematrixset": "WebMercatorQuad"}
    said |= {"tilematrix": str(z), "tilerow": str(y), "tilecol": str(x), "DPI": "96"}
    assert town.get("/wmts?" + urlencode(said), None).status_code == 200
    lower = {name.lower(): value for name, value in change.items()}
    wrong = {name: value for name, value in (said | lower).items() if value is not None}
    answer = town.get("/wmts?" + urlencode(wrong), None)
    assert answer.status_code == 400
    [found] = etree.fromstring(answer.data).findall(f"{OWS}Exception")
    assert (found.get("exceptionCode"), found.get("locator")) == (code, locator)
