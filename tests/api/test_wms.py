"""WMS: places in every reference system, both versions, what a pixel says, keys of old clients."""

from __future__ import annotations

import base64
import io
import json
from typing import Any
from urllib.parse import urlencode

import numpy as np
import pytest
from lxml import etree
from owslib.wms import WebMapService
from PIL import Image
from pyproj import Transformer

from tests.api.conftest import Own
from tests.api.drawn_town import LAT, LON, SECRET, make

SIZE = 200
SYSTEMS = ("CRS:84", "EPSG:4326", "EPSG:3857", "EPSG:6668", "EPSG:6697", "EPSG:6677", "EPSG:6675")


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Own:
    return make(tmp_path_factory.mktemp("drawn"))


def ask(own: Own, key: str | None = None, **said: Any) -> Any:
    return own.get("/wms?" + urlencode({"SERVICE": "WMS", **said}), key)


def box(crs: str, reach: float = 400.0) -> tuple[float, float, float, float]:
    """West, south, east, north around a place a little off the town's, in a system, x to the east."""
    name = {"CRS:84": "OGC:CRS84", "EPSG:6697": "EPSG:6668"}.get(crs, crs)
    way = Transformer.from_crs("OGC:CRS84", name, always_xy=True, allow_ballpark=False)
    x, y = way.transform(LON, LAT)
    unit = 1.0 if abs(x) > 360 or "667" in crs else 1 / 111_000
    return x - 0.75 * reach * unit, y - 0.6 * reach * unit, x + reach * unit, y + reach * unit


def map_of(crs: str, version: str = "1.3.0", **said: Any) -> dict[str, Any]:
    west, south, east, north = box(crs)
    is_north_first = version == "1.3.0" and crs not in ("CRS:84", "EPSG:3857")
    sides = (south, west, north, east) if is_north_first else (west, south, east, north)
    return {
        "REQUEST": "GetMap",
        "VERSION": version,
        "LAYERS": "places",
        "STYLES": "",
        "CRS" if version == "1.3.0" else "SRS": crs,
        "BBOX": ",".join(map(repr, sides)),
        "WIDTH": SIZE,
        "HEIGHT": SIZE,
        "FORMAT": "image/png",
        "TRANSPARENT": "TRUE",
        "DPI": 96,
    } | said


def pixels(body: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(body)).convert("RGBA"))


@pytest.mark.parametrize("crs", SYSTEMS)
@pytest.mark.parametrize("version", ["1.3.0", "1.1.1"])
def test_a_house_is_drawn_at_its_corners_in_every_system(town: Own, crs: str, version: str) -> None:
    said = map_of(crs, version, LAYERS=SECRET)
    answer = ask(town, "operator", **said)
    assert (answer.status_code, answer.mimetype) == (200, "image/png"), answer.text
    rows, columns = np.nonzero(pixels(answer.data)[..., 3] > 128)
    name = {"CRS:84": "OGC:CRS84", "EPSG:6697": "EPSG:6668"}.get(crs, crs)
    way = Transformer.from_crs("OGC:CRS84", name, always_xy=True, allow_ballpark=False)
    west, south, east, north = box(crs)
    x, y = way.transform([LON, LON + 2e-3, LON], [LAT, LAT, LAT + 2e-3])  # corners but one
    left, bottom = min(x), min(y)
    expected = (left - west) / (east - west) * SIZE, (north - bottom) / (north - south) * SIZE
    assert (columns.min(), rows.max() + 1) == pytest.approx(expected, abs=1.5)


def test_owslib_reads_both_versions(town: Own) -> None:
    for version in ("1.3.0", "1.1.1"):
        answer = ask(town, VERSION=version, REQUEST="GetCapabilities")
        service = WebMapService("http://localhost/wms", version=version, xml=answer.data)
        assert {"segments", "places", "satellite", "default-map"} <= set(service.contents)
        assert SECRET not in answer.text
        layer = service["segments"]
        assert layer.boundingBoxWGS84 == pytest.approx(
            (LON - 0.01, LAT, LON + 0.01, LAT + 0.001), abs=6e-5
        )
        assert {"EPSG:4326", "EPSG:3857", "EPSG:6677"} <= set(layer.crsOptions)
        assert layer.queryable
        assert set(layer.styles) == {"default"}
        times = service["satellite"].timepositions or service["satellite"].dimensions["time"]["values"]
        assert len(times) == 1
        assert [op.name for op in service.operations][:3] == [
            "GetCapabilities",
            "GetMap",
            "GetFeatureInfo",
        ]
        legend = layer.styles["default"]["legend"]
        found = town.get(legend[legend.index("/wms") :], None)
        assert pixels(found.data).shape[1] > 100


def test_rasters_and_vectors_lie_over_each_other_on_the_ground_asked_for(town: Own) -> None:
    def drawn(**said: Any) -> np.ndarray:
        return pixels(ask(town, **map_of("EPSG:3857", **said)).data)

    both = drawn(LAYERS="satellite,segments")
    scene, street = drawn(LAYERS="satellite"), drawn(LAYERS="segments")
    opaque = street[..., 3] == 255
    assert opaque.any()
    # a map alone is a PNG of at most 256 colours
    assert np.abs(both[opaque].astype(int) - street[opaque]).max() <= 8
    empty = street[..., 3] == 0
    assert np.abs(both[empty].astype(int) - scene[empty]).max() <= 1
    red = drawn(LAYERS="segments", TRANSPARENT="FALSE", BGCOLOR="0xFF0000")
    assert (red[empty] == (255, 0, 0, 255)).all()


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"LAYERS": "nothing"}, "LayerNotDefined"),
        ({"LAYERS": SECRET}, "LayerNotDefined"),
        ({"STYLES": "pink"}, "StyleNotDefined"),
        ({"CRS": "EPSG:2451"}, "InvalidCRS"),
        ({"FORMAT": "image/gif"}, "InvalidFormat"),
        ({"WIDTH": "4097"}, None),
        ({"BBOX": "1,2,3"}, None),
        ({"BBOX": "3,2,1,4"}, None),
        ({"TIME": "monday"}, "InvalidDimensionValue"),
        ({"BGCOLOR": "red;", "TRANSPARENT": "FALSE"}, None),
        ({"REQUEST": "DescribeLayer"}, "OperationNotSupported"),
        ({"REQUEST": "GetFeatureInfo", "QUERY_LAYERS": "places", "I": "200", "J": "1"}, "InvalidPoint"),
        (
            {"REQUEST": "GetFeatureInfo", "QUERY_LAYERS": "segments", "I": "1", "J": "1"},
            "LayerNotDefined",
        ),
    ],
)
def test_what_is_wrong_is_said_in_the_words_of_wms(
    town: Own,
    change: dict[str, str],
    code: str | None,
) -> None:
    answer = ask(town, **(map_of("EPSG:3857") | change))
    assert answer.status_code == 400
    [found] = etree.fromstring(answer.data)
    assert found.tag == "{http://www.opengis.net/ogc}ServiceException"
    assert found.get("code") == code
    if "nothing" in str(change):
        hidden = ask(town, **(map_of("EPSG:3857") | {"LAYERS": SECRET}))
        assert answer.data == hidden.data


def test_a_pixel_tells_what_the_tier_reads_and_no_more(town: Own) -> None:
    west, south, east, north = box("CRS:84")
    i, j = int((LON - west) / (east - west) * SIZE), int((north - LAT) / (north - south) * SIZE)
    said = map_of("CRS:84", REQUEST="GetFeatureInfo", QUERY_LAYERS="places", I=i, J=j)
    found = json.loads(ask(town, **said, INFO_FORMAT="application/json").data)["features"]
    item = town.get(f"/collections/places/items/{found[0]['id']}", None).json
    assert found[0]["properties"] == item["properties"]
    assert "場所0" in ask(town, **said, INFO_FORMAT="text/plain").text
    assert "<table" in ask(town, **said, INFO_FORMAT="text/html").text
    away = said | {"I": i + 30}
    assert json.loads(ask(town, **away, INFO_FORMAT="application/json").data)["features"] == []


def test_old_clients_give_their_key_as_a_password_or_by_a_signed_link(town: Own) -> None:
    said = map_of("EPSG:3857", LAYERS=SECRET)
    key = town.keys["operator"]

    def by_password(password: str, path: str = "/wms?" + urlencode(said)) -> Any:
        mark = base64.b64encode(f"gis:{password}".encode()).decode()
        return town.client.get(path, headers={"Authorization": f"Basic {mark}"})

    assert by_password(key).mimetype == "image/png"
    refused = by_password(key[:-1] + "x")
    assert refused.status_code == 401
    assert refused.headers["WWW-Authenticate"].startswith("Basic")
    link = town.client.post("/me/links", json={"path": "/wms"}, headers={"X-API-Key": key}).json["href"]
    path = link[link.index("/wms") :]
    drawn = town.client.get(f"{path}&{urlencode(said)}")
    assert drawn.mimetype == "image/png"
    told = town.client.get(f"{path}&REQUEST=GetCapabilities").text
    assert "sig=" in told
    assert SECRET in told
    assert (
        town.client.get(path.replace("/wms", "/wmts") + "&REQUEST=GetCapabilities").status_code == 401
    )
