"""Every address of a tile keeps the same rules: tags, encodings, origins, errors, hidden names."""

from __future__ import annotations

import gzip
import io
import json
from typing import Any

import mapbox_vector_tile
import numpy as np
import openapi_spec_validator
import pytest
from PIL import Image
from pyproj import Transformer
from scipy import ndimage

from geoshare.app import create_app
from tests.api.conftest import Own
from tests.api.drawn_town import LAT, LON, SECRET, with_scene
from tests.headers import steady
from tiles.matrices import MATRIX_SETS

Z = 14
MVT = "application/vnd.mapbox-vector-tile"


def roads(count: int) -> dict[str, Any]:
    return {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "properties": {"id": f"s{n}", "class": "primary", "name": f"street {n}"},
                "geometry": {
                    "type": "LineString",
                    "coordinates": [[LON + n / 1e5, LAT], [LON + n / 1e5, LAT + 0.002]],
                },
            }
            for n in range(count)
        ],
    }


def house() -> dict[str, Any]:
    ring = [[LON, LAT], [LON + 1e-3, LAT], [LON + 1e-3, LAT + 1e-3], [LON, LAT + 1e-3], [LON, LAT]]
    shape = {"type": "Polygon", "coordinates": [ring]}
    feature = {"type": "Feature", "properties": {"id": "h1"}, "geometry": shape}
    return {"type": "FeatureCollection", "features": [feature]}


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Own:
    folder = tmp_path_factory.mktemp("tiles")
    return with_scene(folder, segments=roads(60), **{SECRET: house()})


def at(name: str, zoom: int) -> tuple[int, int, int]:
    """Matrix, row, column of the town's tile at the scale of a zoom of Web Mercator."""
    matrices = MATRIX_SETS[name]
    z = zoom - matrices.mercator_zoom
    spans = matrices.covering(z, (LON + 1e-4, LAT + 1e-4, LON + 1e-4, LAT + 1e-4))
    assert spans is not None
    return z, spans[1][0], spans[0][0]


def plain(name: str = "segments", zoom: int = Z) -> str:
    z, row, column = at("WebMercatorQuad", zoom)
    return f"/tiles/{name}/{z}/{column}/{row}.mvt"


def ogc(prefix: str, matrices: str, zoom: int = Z) -> str:
    return "/".join([prefix, matrices, *map(str, at(matrices, zoom))])


VECTOR = [
    plain(),
    plain("segments,buildings"),
    ogc("/collections/segments/tiles", "WebMercatorQuad"),
    ogc("/collections/segments/tiles", "WorldCRS84Quad"),
    ogc("/collections/segments/tiles", "JGD2011Plane9"),
    ogc("/tiles", "WebMercatorQuad"),
    ogc("/tiles", "JGD2011Plane9") + "?collections=buildings,segments",
]
RASTER = [
    "/raster/satellite/{}/{}/{}.png".format(*(at("WebMercatorQuad", Z)[i] for i in (0, 2, 1))),
    ogc("/collections/satellite/map/tiles", "WebMercatorQuad"),
    ogc("/collections/satellite/map/tiles", "WorldCRS84Quad"),
    ogc("/collections/satellite/map/tiles", "JGD2011Plane9"),
]
EMPTY = [
    "/tiles/segments/14/0/0.mvt",
    "/collections/segments/tiles/WorldCRS84Quad/13/0/0",
    "/collections/segments/tiles/JGD2011Plane9/10/0/0",
    "/tiles/WebMercatorQuad/14/0/0",
    "/raster/satellite/14/0/0.png",
    "/collections/satellite/map/tiles/WebMercatorQuad/14/0/0",
]
EVERY = VECTOR + RASTER


def ask(town: Own, path: str, key: str | None = "operator", method: str = "GET", **headers: str) -> Any:
    said = {name.replace("_", "-"): value for name, value in headers.items()}
    if key:
        said["X-API-Key"] = town.keys[key]
    return town.client.open(path, method=method, headers=said)


@pytest.mark.parametrize("path", EVERY)
def test_a_tile_is_validated_by_its_tag_and_no_shared_cache_keeps_what_is_not_open(
    town: Own, path: str
) -> None:
    first = ask(town, path)
    assert first.status_code == 200, first.data
    assert first.headers["Content-Type"] == (MVT if path in VECTOR else "image/png")
    assert first.headers["Cache-Control"] == "private, no-cache"
    for name in ("Accept-Encoding", "Authorization", "X-API-Key", "Cookie"):
        assert name in first.headers["Vary"]
    tag = first.headers["ETag"]
    for header in (tag, f'"other", W/{tag}', "*"):
        again = ask(town, path, If_None_Match=header)
        assert (again.status_code, again.data) == (304, b""), header
        assert again.headers["ETag"] == tag
        assert again.headers["Vary"] == first.headers["Vary"]
        assert again.headers["Cache-Control"] == first.headers["Cache-Control"]
    assert ask(town, path, If_None_Match='"other"').status_code == 200


@pytest.mark.parametrize("path", [*EVERY, *EMPTY])
def test_head_says_what_get_says(town: Own, path: str) -> None:
    get, head = ask(town, path), ask(town, path, method="HEAD")
    assert head.data == b""
    assert head.status_code == get.status_code
    assert steady(head.headers) == steady(get.headers)


@pytest.mark.parametrize("path", EMPTY)
def test_an_empty_tile_is_no_content_with_a_tag(town: Own, path: str) -> None:
    for _ in range(2):
        answer = ask(town, path)
        assert (answer.status_code, answer.data) == (204, b"")
        assert "Content-Type" not in answer.headers
        again = ask(town, path, If_None_Match=answer.headers["ETag"])
        assert again.status_code == 304


@pytest.mark.parametrize("path", VECTOR)
def test_each_coding_has_its_own_tag_and_the_same_content(town: Own, path: str) -> None:
    plain = ask(town, path, Accept_Encoding="identity")
    zipped = ask(town, path, Accept_Encoding="gzip")
    squeezed = ask(town, path, Accept_Encoding="zstd, gzip")
    assert "Content-Encoding" not in plain.headers
    assert zipped.headers["Content-Encoding"] == "gzip"
    assert squeezed.headers["Content-Encoding"] == "zstd"
    assert gzip.decompress(zipped.data) == plain.data
    assert len({answer.headers["ETag"] for answer in (plain, zipped, squeezed)}) == 3


@pytest.mark.parametrize("path", EVERY)
def test_the_key_and_the_quota_come_before_what_the_client_has(
    town: Own, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tag = ask(town, path).headers["ETag"]
    wrong = town.client.get(path, headers={"X-API-Key": "gs_wrong", "If-None-Match": tag})
    assert wrong.status_code == 401
    assert wrong.headers["Cache-Control"] == "no-store"
    counted: list[int] = []
    monkeypatch.setattr(town.services.quotas.limiter, "spend", lambda charges: counted.append(1))
    assert ask(town, path, If_None_Match=tag).status_code == 304
    assert len(counted) == 1


def test_what_anybody_may_see_may_be_kept_by_anybody(town: Own) -> None:
    for path in (plain(), VECTOR[2], VECTOR[4], RASTER[0]):
        answer = ask(town, path, key=None)
        if answer.status_code in (200, 204):
            assert answer.headers["Cache-Control"] == "public, no-cache"


# Origins


@pytest.mark.parametrize("path", EVERY)
def test_pages_of_other_origins_may_ask_and_read_what_they_need(town: Own, path: str) -> None:
    origin = {"Origin": "https://other.example"}
    before = town.client.options(
        path,
        headers=origin
        | {
            "Access-Control-Request-Method": "GET",
            "Access-Control-Request-Headers": "x-api-key, if-none-match",
        },
    )
    assert before.status_code in (200, 204)
    assert before.headers["Access-Control-Allow-Origin"] == "*"
    allowed = before.headers["Access-Control-Allow-Headers"].lower()
    assert "x-api-key" in allowed
    assert "if-none-match" in allowed
    assert "GET" in before.headers["Access-Control-Allow-Methods"]
    answer = ask(town, path, Origin="https://other.example")
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "ETag" in answer.headers["Access-Control-Expose-Headers"]
    assert ask(town, path, Origin="https://other.example").data == ask(town, path).data


def test_where_only_some_origins_may_ask_answers_vary_by_origin(town: Own) -> None:
    settings = town.settings.model_copy(update={"cors_origins": ("https://one.example",)})
    known, town.services.settings = town.services.settings, settings
    try:
        client = create_app(settings, town.services).test_client()
        for path in (plain(), VECTOR[3], RASTER[0], "/collections"):
            key = {"X-API-Key": town.keys["operator"]}
            one = client.get(path, headers=key | {"Origin": "https://one.example"})
            other = client.get(path, headers=key | {"Origin": "https://other.example"})
            none = client.get(path, headers=key)
            again = client.get(path, headers=key)
            assert one.headers["Access-Control-Allow-Origin"] == "https://one.example"
            assert "Access-Control-Allow-Origin" not in other.headers
            for answer in (one, other, none, again):
                assert "Origin" in answer.headers["Vary"].split(", "), path
    finally:
        town.services.settings = known


# Errors

OUTSIDE = [
    ("/tiles/segments/21/0/0.mvt", "z", "0 to 20"),
    ("/tiles/segments/3/8/0.mvt", "x", "0 to 7"),
    ("/tiles/segments/3/0/8.mvt", "y", "0 to 7"),
    ("/collections/segments/tiles/WebMercatorQuad/21/0/0", "tileMatrix", "0 to 20"),
    ("/collections/segments/tiles/WebMercatorQuad/3/8/0", "tileRow", "0 to 7"),
    ("/collections/segments/tiles/WebMercatorQuad/3/0/8", "tileCol", "0 to 7"),
    ("/collections/segments/tiles/WorldCRS84Quad/20/0/0", "tileMatrix", "0 to 19"),
    ("/collections/segments/tiles/WorldCRS84Quad/3/8/0", "tileRow", "0 to 7"),
    ("/collections/segments/tiles/WorldCRS84Quad/3/0/16", "tileCol", "0 to 15"),
    ("/collections/segments/tiles/JGD2011Plane9/17/0/0", "tileMatrix", "0 to 16"),
    ("/tiles/WebMercatorQuad/3/8/0", "tileRow", "0 to 7"),
    ("/raster/satellite/25/0/0.png", "z", "0 to 24"),
    ("/raster/satellite/3/8/0.png", "x", "0 to 7"),
    ("/collections/satellite/map/tiles/WebMercatorQuad/25/0/0", "tileMatrix", "0 to 24"),
    ("/collections/satellite/map/tiles/JGD2011Plane9/3/8/0", "tileRow", "0 to 7"),
    (plain() + "?colour=red", "colour", "datetime"),
    (plain() + "?datetime=noon", "datetime", "RFC 3339"),
    (VECTOR[2] + "?f=pbf", "f", "mvt"),
    (RASTER[1] + "?f=tiff", "f", "png, webp or jpg"),
    ("/tiles/segments,segments/3/0/0.mvt", "collections", "1 to 32 different names"),
    ("/tiles/WebMercatorQuad/3/0/0?collections=a,a", "collections", "1 to 32 different names"),
    ("/tiles/" + ",".join(f"a{n}" for n in range(33)) + "/3/0/0.mvt", "collections", "1 to 32"),
]


@pytest.mark.parametrize(("path", "parameter", "allowed"), OUTSIDE)
def test_what_is_outside_is_refused_by_name(town: Own, path: str, parameter: str, allowed: str) -> None:
    answer = ask(town, path)
    assert answer.status_code == 400
    said = json.loads(answer.data)
    assert said["parameter"] == parameter
    assert allowed in said["allowed"]


@pytest.mark.parametrize(
    "path",
    [
        "/tiles/segments/3/-1/0.mvt",
        "/tiles/segments/x/0/0.mvt",
        "/tiles/segments/3/0/0.pbf",
        "/collections/segments/tiles/Nowhere",
        "/collections/segments/tiles/Nowhere/3/0/0",
        "/tiles/Nowhere/3/0/0",
        "/tileMatrixSets/Nowhere",
        "/collections/segments/map/tiles",
        "/collections/satellite/tiles",
        "/collections/satellite/tiles/WebMercatorQuad/3/0/0",
        "/tiles/satellite/3/0/0.mvt",
        "/tiles/segments/" + "9" * 4000 + "/0/0.mvt",
    ],
)
def test_what_does_not_exist_is_not_found(town: Own, path: str) -> None:
    assert ask(town, path).status_code in (400, 404) if "9999" in path else (404,)


FORMS = [
    "/tiles/{}/14/14549/6456.mvt",
    "/tiles/segments,{}/14/14549/6456.mvt",
    "/tiles/{}/25/0/0.mvt",
    "/tiles/{}.json",
    "/tiles/segments,{}.json",
    "/collections/{}/tiles",
    "/collections/{}/tiles/WebMercatorQuad",
    "/collections/{}/tiles/Nowhere",
    "/collections/{}/tiles/WebMercatorQuad/14/6456/14549",
    "/collections/{}/tiles/JGD2011Plane9/40/0/0",
    "/collections/{}/map/tiles",
    "/collections/{}/map/tiles/WebMercatorQuad/1/0/0",
    "/tiles/WebMercatorQuad?collections={}",
    "/tiles/WebMercatorQuad/14/6456/14549?collections=segments,{}",
    "/raster/{}/14/0/0.png",
    "/raster/{}.json",
    "/styles/{}",
    "/styles/{}/metadata",
    "/collections/{}/styles",
    "/collections/{}/styles/{}",
    "/collections/segments/styles/{}",
]


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
@pytest.mark.parametrize("form", FORMS)
def test_a_hidden_collection_answers_as_one_that_does_not_exist(
    town: Own, form: str, method: str
) -> None:
    for _ in range(2):  # the second time from what is kept
        ask(town, form.format(SECRET, SECRET))  # by who may know it
        hidden, none = (
            ask(town, form.format(name, name), key=None, method=method)
            for name in (SECRET, "nothing_here")
        )
        assert hidden.status_code == none.status_code
        assert hidden.data == none.data
        assert steady(hidden.headers) == steady(none.headers)
        if method == "GET" and "25" not in form:
            assert hidden.status_code == 404


# Contents and descriptions


def ids(content: bytes) -> dict[str, set[str]]:
    layers = mapbox_vector_tile.decode(content)
    return {
        name: {item["properties"]["id"] for item in said["features"]} for name, said in layers.items()
    }


@pytest.mark.parametrize("zoom", [6, 10, 14, 17])
def test_every_set_shows_the_same_at_the_same_scale(town: Own, zoom: int) -> None:
    found = []
    for name in ("WebMercatorQuad", "WorldCRS84Quad", "JGD2011Plane9"):
        answer = ask(town, ogc("/collections/segments/tiles", name, zoom), Accept_Encoding="identity")
        found.append(ids(answer.data).get("segments", set()) if answer.data else set())
    if zoom < 15:
        assert found[0] == found[1] == found[2]
    assert found[0] or zoom < 8


def test_the_plain_address_and_the_ogc_one_give_the_same_tile(town: Own) -> None:
    one, other = ask(town, plain()), ask(town, VECTOR[2])
    assert one.data == other.data
    assert one.headers["ETag"] == other.headers["ETag"]


def test_a_tile_of_all_collections_holds_what_the_caller_may_know(town: Own) -> None:
    path = ogc("/tiles", "WebMercatorQuad", 16)
    assert set(ids(ask(town, path, Accept_Encoding="identity").data)) == {"segments", "buildings"}
    shown = ask(town, path, key=None, Accept_Encoding="identity")
    assert "buildings" not in (ids(shown.data) if shown.data else {})
    chosen = ask(town, path + "?collections=buildings", Accept_Encoding="identity")
    assert set(ids(chosen.data)) == {"buildings"}


def links(said: dict[str, Any], rel: str) -> list[dict[str, Any]]:
    return [link for link in said["links"] if link["rel"].endswith(rel)]


def path_of(link: dict[str, Any]) -> str:
    return "/" + link["href"].split("/", 3)[3]


@pytest.mark.parametrize(
    ("collection", "rel"), [("segments", "tilesets-vector"), ("satellite", "tilesets-map")]
)
def test_a_client_finds_its_way_from_the_collection_to_a_tile(
    town: Own, collection: str, rel: str
) -> None:
    about = ask(town, f"/collections/{collection}").json
    listed = ask(town, path_of(links(about, rel)[0])).json
    assert len(listed["tilesets"]) == len(MATRIX_SETS)
    for item in listed["tilesets"][:12]:
        said = ask(town, path_of(links(item, "self")[0])).json
        scheme = ask(town, path_of(links(said, "tiling-scheme")[0])).json
        assert said["crs"] == scheme["crs"]
        assert said["boundingBox"]["lowerLeft"][0] == pytest.approx(LON, abs=0.01)
        for limit in said["tileMatrixSetLimits"]:
            matrix = next(m for m in scheme["tileMatrices"] if m["id"] == limit["tileMatrix"])
            assert 0 <= limit["minTileRow"] <= limit["maxTileRow"] < matrix["matrixHeight"]
            assert 0 <= limit["minTileCol"] <= limit["maxTileCol"] < matrix["matrixWidth"]
        if not said["tileMatrixSetLimits"]:
            continue
        deep = said["tileMatrixSetLimits"][-3]
        template = path_of(links(said, "item")[0])
        seen = set()
        for row in range(deep["minTileRow"], min(deep["maxTileRow"], deep["minTileRow"] + 2) + 1):
            path = template.replace("{tileMatrix}", deep["tileMatrix"]).replace("{tileRow}", str(row))
            seen.add(ask(town, path.replace("{tileCol}", str(deep["maxTileCol"]))).status_code)
        assert seen <= {200, 204}


def test_tilejson_tells_layers_fields_zooms_and_what_is_left_out(town: Own) -> None:
    said = ask(town, "/tiles/segments,buildings.json").json
    assert said["tilejson"] == "3.0.0"
    assert [layer["id"] for layer in said["vector_layers"]] == ["segments", "buildings"]
    first = said["vector_layers"][0]
    assert first["fields"]["name"] == "String"
    assert first["fields"]["id"] == "String"
    assert (first["minzoom"], first["maxzoom"]) == (5, 20)
    assert any(rule["by"] == "value" and rule["property"] == "class" for rule in first["detail"])
    west, south, east, north = said["bounds"]
    assert west <= LON < east
    assert south <= LAT < north
    lon, lat, zoom = said["center"]
    assert west <= lon <= east
    assert south <= lat <= north
    assert said["minzoom"] <= zoom <= said["maxzoom"]
    assert said["attribution"].startswith("geoshare")
    empty = ask(town, "/tiles/shelters.json").json
    assert "bounds" not in empty


def test_descriptions_name_nothing_hidden(town: Own) -> None:
    listed = ask(town, "/tiles/WebMercatorQuad", key=None)
    assert SECRET.encode() not in listed.data
    assert SECRET.encode() in ask(town, "/tiles/WebMercatorQuad").data
    open_fields = ask(town, "/tiles/segments.json", key=None).json["vector_layers"][0]["fields"]
    all_fields = ask(town, "/tiles/segments.json").json["vector_layers"][0]["fields"]
    schema = ask(town, "/collections/segments/schema", key=None).json["properties"]
    assert set(open_fields) - {"id"} <= set(schema)
    assert set(open_fields) < set(all_fields) or set(open_fields) == set(all_fields)
    layer = ask(town, "/collections/segments/tiles/WorldCRS84Quad", key=None).json["layers"][0]
    assert set(layer["propertiesSchema"]["properties"]) == set(schema) - {"id", "geometry"}


def test_the_standards_are_declared_and_documented(town: Own) -> None:
    declared = ask(town, "/conformance").json["conformsTo"]
    for name in ("core", "tileset", "tilesets-list", "geodata-tilesets", "dataset-tilesets", "mvt"):
        assert f"http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/{name}" in declared
    document = ask(town, "/openapi.json").json
    openapi_spec_validator.validate(document)
    for path in (
        "/collections/{collection}/tiles/{matrix_set_id}/{z}/{row}/{column}",
        "/collections/{collection}/map/tiles/{matrix_set_id}/{z}/{row}/{column}",
        "/tiles/{matrix_set_id}/{z}/{row}/{column}",
    ):
        assert "204" in document["paths"][path]["get"]["responses"]


@pytest.mark.parametrize(
    "name", ["WebMercatorQuad", "WorldCRS84Quad", "JGD2011Plane9", "JGD2011Plane1"]
)
def test_map_tiles_show_a_scene_where_it_lies(town: Own, name: str) -> None:
    matrices = MATRIX_SETS[name]
    z, row, column = at(name, Z)
    answer = ask(town, f"/collections/satellite/map/tiles/{name}/{z}/{row}/{column}?f=png")
    assert answer.status_code == 200
    drawn = np.asarray(Image.open(io.BytesIO(answer.data)).convert("RGBA"))[..., 3] > 0
    west, _, east, north = matrices.box(z, column, row)
    step = (east - west) / 256
    x, y = np.meshgrid(west + (np.arange(256) + 0.5) * step, north - (np.arange(256) + 0.5) * step)
    lon, lat = Transformer.from_crs(matrices.crs, "OGC:CRS84", always_xy=True).transform(x, y)
    inside = (lon >= LON) & (lon <= LON + 0.01) & (lat >= LAT) & (lat <= LAT + 0.01)
    assert 100 < inside.sum() < inside.size
    rim = ndimage.binary_dilation(inside, iterations=2) & ~ndimage.binary_erosion(inside, iterations=2)
    assert (drawn == inside)[~rim].all()
