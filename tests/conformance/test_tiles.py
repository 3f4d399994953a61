"""OGC API Tiles Part 1 (20-057), annex A, and the metadata of tile matrix and tile sets (17-083r4)."""

from __future__ import annotations

import io
from datetime import datetime
from typing import Any

import mapbox_vector_tile
import morecantile
import pytest
from PIL import Image

from tests.conformance.server import OGC_REL, SPEC, Server

TILES = "ogcapi-tiles-1/1.0/conf"
MVT = "application/vnd.mapbox-vector-tile"
QUAD = "WebMercatorQuad"
QUAD_URI = "http://www.opengis.net/def/tilematrixset/OGC/1.0/WebMercatorQuad"


@pytest.fixture
def tiled(served: Server) -> Server:
    if f"{SPEC}/{TILES}/core" not in served.classes:
        pytest.skip("the server does not declare tiles")
    return served


def linked(links: list[dict[str, Any]], rel: str) -> list[str]:
    return [link["href"] for link in links if link["rel"] == OGC_REL + rel]


def sets_of(served: Server, links: list[dict[str, Any]], kind: str = "vector") -> list[dict[str, Any]]:
    """The tile sets that a resource links to."""
    [href, *_] = linked(links, f"tilesets-{kind}")
    return served.get(href, "application/json")["tilesets"]


def described(served: Server, tilesets: list[dict[str, Any]], matrices: str = QUAD) -> dict[str, Any]:
    """The whole metadata of a tile set of a list."""
    [item] = [one for one in tilesets if one["tileMatrixSetURI"].endswith(f"/{matrices}")]
    [link] = [link["href"] for link in item["links"] if link["rel"] == "self"]
    return served.get(link, "application/json")


def collection(served: Server) -> dict[str, Any]:
    return next(item for item in served.collections if linked(item["links"], "tilesets-vector"))


def template(tileset: dict[str, Any], media: str = MVT) -> str:
    [href] = [
        link["href"] for link in tileset["links"] if link["rel"] == "item" and link["type"] == media
    ]
    return href


def address(template: str, matrix: int | str, row: int, column: int) -> str:
    filled = template.replace("{tileMatrix}", str(matrix)).replace("{tileRow}", str(row))
    return filled.replace("{tileCol}", str(column))


def full_tile(served: Server, tileset: dict[str, Any]) -> tuple[str, bytes]:
    """A tile in which there is something, deep inside of the limits."""
    for limit in reversed(tileset["tileMatrixSetLimits"]):
        rows = range(limit["minTileRow"], limit["maxTileRow"] + 1)
        columns = range(limit["minTileCol"], limit["maxTileCol"] + 1)
        if len(rows) * len(columns) <= 4:
            for row in rows:
                for column in columns:
                    where = address(template(tileset), limit["tileMatrix"], row, column)
                    answer = served.ask(where)
                    if answer.status == 200 and answer.body:
                        return where, answer.body
    raise AssertionError("every tile is empty")


def test_core_tc_success_and_mvt_content(tiled: Server):
    item = collection(tiled)
    where, body = full_tile(tiled, described(tiled, sets_of(tiled, item["links"])))
    assert tiled.ask(where).kind == MVT
    layers = mapbox_vector_tile.decode(body)
    assert layers[item["id"]]["features"]


@pytest.mark.parametrize(("row", "column"), [(5, 0), (0, 5)])
def test_core_tc_error_outside_of_the_matrix(tiled: Server, row: int, column: int):
    found = template(described(tiled, sets_of(tiled, collection(tiled)["links"])))
    assert tiled.ask(address(found, 2, row, column)).status in (400, 404)
    assert tiled.ask(address(found, 99, 0, 0)).status in (400, 404)
    assert tiled.ask(address(found, 0, 0, 0)).status in (200, 204)


def test_tileset_description_is_complete(tiled: Server):
    for tileset in sets_of(tiled, collection(tiled)["links"]):
        [link] = [link["href"] for link in tileset["links"] if link["rel"] == "self"]
        said = tiled.get(link, "application/json")
        assert {"dataType", "crs", "links", "tileMatrixSetURI", "tileMatrixSetLimits"} <= set(said)
        assert said["dataType"] == "vector"
        assert linked(said["links"], "tiling-scheme")
        assert any(one.get("templated") for one in said["links"] if one["rel"] == "item")
        for layer in said["layers"]:
            assert layer["dataType"] == "vector"
            assert layer.get("geometryDimension", 0) in (0, 1, 2, 3)


def test_tilesets_list_tileset_links(tiled: Server):
    for tileset in sets_of(tiled, tiled.landing["links"]):
        assert tileset["dataType"] == "vector"
        assert {"self", OGC_REL + "tiling-scheme"} <= {link["rel"] for link in tileset["links"]}


def test_dataset_tilesets_landingpage_and_operation(tiled: Server):
    tiled.needs(f"{TILES}/dataset-tilesets")
    said = described(tiled, sets_of(tiled, tiled.landing["links"]))
    assert len(said["layers"]) > 1


def test_geodata_tilesets_desc_links(tiled: Server):
    tiled.needs(f"{TILES}/geodata-tilesets")
    for item in tiled.collections:
        assert linked(item["links"], "tilesets-vector")


def test_collections_selection_query_and_response(tiled: Server):
    tiled.needs(f"{TILES}/collections-selection")
    item = collection(tiled)
    where, _ = full_tile(tiled, described(tiled, sets_of(tiled, item["links"])))
    matrix, row, column = where.partition("?")[0].split("/")[-3:]
    whole = template(described(tiled, sets_of(tiled, tiled.landing["links"])))
    [own] = [link["href"] for link in item["links"] if link["rel"] == "self"]
    for name in (item["id"], own.partition("?")[0]):
        one = tiled.ask(address(whole, matrix, int(row), int(column)), collections=name)
        assert one.status == 200
        assert set(mapbox_vector_tile.decode(one.body)) == {item["id"]}
    assert tiled.ask(address(whole, 0, 0, 0), collections="no_such_collection").status in (400, 404)


def test_datetime_response(tiled: Server):
    tiled.needs(f"{TILES}/datetime")
    for item in tiled.collections:
        [schema] = linked(item["links"], "schema")
        found = tiled.get(schema, "application/schema+json")["properties"]
        roles = {part.get("x-ogc-role"): name for name, part in found.items()}
        begins = roles.get("primary-instant", roles.get("primary-interval-start"))
        page = tiled.every(item["id"], limit=1000)
        known = sorted({one["properties"][begins] for one in page if one["properties"].get(begins)})
        tile = template(described(tiled, sets_of(tiled, item["links"])))
        assert tiled.ask(address(tile, 0, 0, 0), datetime="noon").status == 400
        if begins and known:
            first = datetime.fromisoformat(known[0].replace("Z", "+00:00"))
            where, body = full_tile(tiled, described(tiled, sets_of(tiled, item["links"])))
            now = tiled.ask(where, datetime=f"../{known[-1]}")
            assert len(now.body) <= len(body)
            before = tiled.ask(where, datetime=first.replace(year=1000).isoformat()[:10])
            layers = mapbox_vector_tile.decode(before.body)
            assert all(
                begins not in feature["properties"]
                for layer in layers.values()
                for feature in layer["features"]
            )


@pytest.mark.parametrize(
    ("form", "media", "name"), [("png", "image/png", "PNG"), ("jpeg", "image/jpeg", "JPEG")]
)
def test_png_and_jpeg_content(tiled: Server, form: str, media: str, name: str):
    tiled.needs(f"{TILES}/{form}")
    listed = tiled.get("/collections", "application/json")["collections"]
    item = next(one for one in listed if linked(one["links"], "tilesets-map"))
    said = described(tiled, sets_of(tiled, item["links"], "map"))
    limit = said["tileMatrixSetLimits"][0]
    place = (limit["tileMatrix"], limit["minTileRow"], limit["minTileCol"])
    answer = tiled.ask(address(template(said, media), *place))
    assert answer.status in (200, 204)
    if answer.status == 200:
        assert answer.kind == media
        assert Image.open(io.BytesIO(answer.body)).format == name


def test_oas30_operation_ids(tiled: Server):
    tiled.needs(f"{TILES}/oas30")
    known = {
        about.get("operationId", "")
        for path in tiled.definition["paths"].values()
        for about in path.values()
    }
    for suffix in ("getTileSetsList", "getTileSet", "getTile"):
        assert any(name.endswith(f".vector.{suffix}") for name in known)


def test_tms_tile_matrix_sets_are_what_the_registry_says(tiled: Server):
    [href] = linked(tiled.landing["links"], "tiling-schemes")
    listed = tiled.get(href, "application/json")["tileMatrixSets"]
    [item] = [one for one in listed if one["id"] == QUAD]
    [link] = [link["href"] for link in item["links"]]
    said = tiled.get(link, "application/json")
    official = morecantile.tms.get(QUAD)
    assert said["uri"] == item["uri"] == QUAD_URI
    for matrix in said["tileMatrices"]:
        other = official.matrix(int(matrix["id"]))
        assert matrix["cellSize"] == pytest.approx(other.cellSize)
        assert matrix["scaleDenominator"] == pytest.approx(other.scaleDenominator)
        assert matrix["pointOfOrigin"] == pytest.approx(list(other.pointOfOrigin))
        assert (matrix["matrixWidth"], matrix["matrixHeight"]) == (
            other.matrixWidth,
            other.matrixHeight,
        )
        assert (matrix["tileWidth"], matrix["tileHeight"]) == (256, 256)


def test_tms_limits_hold_the_extent_and_no_more(tiled: Server):
    item = collection(tiled)
    west, south, east, north = item["extent"]["spatial"]["bbox"][0]
    said = described(tiled, sets_of(tiled, item["links"]))
    assert said["boundingBox"]["lowerLeft"] == pytest.approx([west, south])
    official = morecantile.tms.get(QUAD)
    for limit in said["tileMatrixSetLimits"]:
        zoom = int(limit["tileMatrix"])
        corner, other = official.tile(west, north, zoom), official.tile(east, south, zoom)
        assert limit["minTileCol"] <= corner.x <= other.x <= limit["maxTileCol"]
        assert limit["minTileRow"] <= corner.y <= other.y <= limit["maxTileRow"]
        assert limit["maxTileCol"] - limit["minTileCol"] <= other.x - corner.x + 2
        assert limit["maxTileRow"] - limit["minTileRow"] <= other.y - corner.y + 2
