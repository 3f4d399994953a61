"""What people have on their desks reads the server: GDAL of two ages, OWSLib, pyarrow, LibreOffice."""

from __future__ import annotations

import csv
import io
import json
import shutil
import subprocess
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import geopandas
import pyogrio
import pyproj
import pytest
import shapely
from owslib.ogcapi.features import Features

from tests.api.test_contributing import send
from tests.api.test_reading import all_items

SOFFICE = shutil.which("soffice") or shutil.which("libreoffice")
UTF8 = "44,34,76,1"  # comma, quotes, UTF-8, from the first line


@pytest.fixture
def gdal() -> Iterator[Any]:
    """Options of the GDAL in pyogrio; those that a test has set are forgotten after it."""
    said: dict[str, str] = {}

    def choose(**options: str) -> None:
        said.update(options)
        pyogrio.set_gdal_config_options(options)

    yield choose
    pyogrio.set_gdal_config_options(dict.fromkeys(said))


def carriers(key: str, folder: Path) -> dict[str, dict[str, str]]:
    """Ways to hand GDAL a key, as the guide of GDAL tells them."""
    (folder / "headers.txt").write_text(f"X-API-Key: {key}\n", "utf-8")
    return {
        "bearer": {"GDAL_HTTP_AUTH": "BEARER", "GDAL_HTTP_BEARER": key},
        "file": {"GDAL_HTTP_HEADER_FILE": str(folder / "headers.txt")},
    }


@pytest.mark.parametrize("way", ["bearer", "file"])
def test_gdal_shows_the_features_of_a_key_and_only_with_it(live_server, gdal, tmp_path, way):
    source = f"OAPIF:{live_server.url}"
    opened = {str(name) for name, _ in pyogrio.list_layers(source)}
    assert "lanes" not in opened
    gdal(**carriers(live_server.keys["automaker"], tmp_path)[way])
    held = {str(name) for name, _ in pyogrio.list_layers(source)}
    assert opened < held
    frame = pyogrio.read_dataframe(source, layer="lanes", PAGE_SIZE="50")
    expected = all_items(live_server, "lanes", "automaker")
    assert sorted(frame["id"]) == sorted(item["id"] for item in expected)


def test_gdal_filters_by_place_and_value_and_walks_pages(live_server):
    source = f"OAPIF:{live_server.url}"
    items = {item["id"]: item for item in all_items(live_server, "segments", None)}
    shapes = {name: shapely.geometry.shape(item["geometry"]) for name, item in items.items()}
    middle = shapely.unary_union(list(shapes.values())).centroid
    box = (middle.x - 0.01, middle.y - 0.01, middle.x + 0.01, middle.y + 0.01)
    found = pyogrio.read_dataframe(source, layer="segments", bbox=box, PAGE_SIZE="100")
    inside = {name for name, shape in shapes.items() if shape.intersects(shapely.box(*box))}
    assert set(found["id"]) == inside
    assert len(found) == len(inside) > 100
    value = items[next(iter(inside))]["properties"]["class"]
    found = pyogrio.read_dataframe(source, layer="segments", where=f"class = '{value}'")
    wanted = {name for name, item in items.items() if item["properties"].get("class") == value}
    assert set(found["id"]) == wanted


def test_gdal_reads_a_plane_zone_where_pyproj_puts_it(live_server):
    source = f"OAPIF:{live_server.url}"
    frame = pyogrio.read_dataframe(source, layer="shelters", CRS="EPSG:6677").set_index("id")
    assert frame.crs.to_epsg() == 6677
    change = pyproj.Transformer.from_crs("EPSG:4326", "EPSG:6677", always_xy=True)
    for item in all_items(live_server, "shelters", None):
        place = shapely.Point(change.transform(*item["geometry"]["coordinates"][:2]))
        assert shapely.distance(frame.geometry[item["id"]], place) < 0.02  # seven decimals of a degree


def test_debians_gdal_reads_features_with_a_key(live_server, tmp_path):
    ogrinfo = shutil.which("ogrinfo")
    if ogrinfo is None:
        pytest.skip("no ogrinfo (apt-get install gdal-bin)")
    ((name, path),) = carriers(live_server.keys["automaker"], tmp_path)["file"].items()
    options = ["--config", name, path]
    command = [ogrinfo, "-ro", "-so", f"OAPIF:{live_server.url}", "lanes", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    count = live_server.json("/collections/lanes/items?limit=1", "automaker")["numberMatched"]
    assert f"Feature Count: {count}" in done.stdout
    assert 'ID["EPSG",4326]' in done.stdout
    (one,) = live_server.json("/collections/shelters/items?limit=1")["features"]
    picked = [ogrinfo, "-ro", f"OAPIF:{live_server.url}", "shelters", "-where", f"id = '{one['id']}'"]
    done = subprocess.run(picked, capture_output=True, text=True, check=True, timeout=60)
    assert f"name (String) = {one['properties']['name']}" in done.stdout
    lon, lat = one["geometry"]["coordinates"][:2]
    assert f"POINT ({lon} {lat}" in done.stdout


def made(live_server: Any, **asked: Any) -> tuple[str, bytes]:
    """An extract of the developer's: its job and its bytes."""
    body = json.dumps(asked).encode()
    status, _, content = send(
        live_server, "/extracts", body, "developer", Content_Type="application/json"
    )
    assert status == 200, content[:500]
    return live_server.json("/jobs", "developer")["jobs"][0]["id"], content


def test_gdal_reads_a_finished_extract_where_it_lies(live_server, gdal):
    job, _ = made(live_server, collections=["buildings"], format="fgb")
    gdal(GDAL_HTTP_HEADERS=f"X-API-Key: {live_server.keys['developer']}")
    path = f"/vsizip/{{/vsicurl/{live_server.url}/jobs/{job}/result}}/buildings.fgb"
    items = {item["id"]: item for item in all_items(live_server, "buildings", "developer")}
    assert set(pyogrio.read_dataframe(path)["id"]) == set(items)
    one = shapely.geometry.shape(next(iter(items.values()))["geometry"])
    near = pyogrio.read_dataframe(path, bbox=one.bounds)
    assert next(iter(items)) in set(near["id"])
    assert len(near) < len(items)


def test_geopandas_reads_a_page_as_flatgeobuf_and_geoparquet(live_server):
    items = all_items(live_server, "shelters", None)
    shapes = {item["id"]: shapely.geometry.shape(item["geometry"]) for item in items}
    for form, read in (("fgb", geopandas.read_file), ("parquet", geopandas.read_parquet)):
        address = f"{live_server.url}/collections/shelters/items?limit=10000&f={form}"
        with urllib.request.urlopen(address) as answer:
            frame = read(io.BytesIO(answer.read())).set_index("id")
        assert {name: shape.wkb for name, shape in frame.geometry.items()} == {
            name: shape.wkb for name, shape in shapes.items()
        }


def test_owslib_walks_collections_queryables_filters_and_single_features(live_server):
    assert "lanes" not in Features(live_server.url + "/", headers={}).feature_collections()
    client = Features(live_server.url + "/", headers={"X-API-Key": live_server.keys["automaker"]})
    assert "lanes" in client.feature_collections()
    assert client.api()["openapi"].startswith("3.0")
    known = client.collection_queryables("shelters")["properties"]
    assert {"name", "status"} <= set(known)
    items = all_items(live_server, "shelters", "automaker")
    text = f"name = '{items[0]['properties']['name']}'"
    west, south, east, north = live_server.json("/collections/shelters")["extent"]["spatial"]["bbox"][0]
    found = client.collection_items("shelters", filter=text, bbox=[west, south, east, north], limit=5)
    assert items[0]["id"] in [item["id"] for item in found["features"]]
    assert found["numberMatched"] == len(
        [item for item in items if item["properties"]["name"] == items[0]["properties"]["name"]]
    )
    one = client.collection_item("shelters", items[0]["id"])
    assert one["properties"] == items[0]["properties"]
    assert next(link for link in found["links"] if link["rel"] == "self")["href"].startswith("http")


def test_libreoffice_opens_the_workbook_and_the_table_with_codes_as_they_are(live_server, tmp_path):
    if SOFFICE is None:
        pytest.skip("*** NO LIBREOFFICE: extracts not opened (apt-get install libreoffice-calc) ***")
    items = {item["id"]: item["properties"] for item in all_items(live_server, "shelters", "developer")}
    for form, name in (("xlsx", "book.xlsx"), ("csv", "table.csv")):
        _, content = made(live_server, collections=["shelters"], format=form, headings="ja")
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            (tmp_path / name).write_bytes(archive.read(f"shelters.{form}"))
    for name, infilter in (("book.xlsx", []), ("table.csv", [f"--infilter=CSV:{UTF8}"])):
        command = [SOFFICE, f"-env:UserInstallation=file://{tmp_path}/profile", "--headless", *infilter]
        command += ["--convert-to", f"csv:Text - txt - csv (StarCalc):{UTF8}"]
        command += ["--outdir", f"{tmp_path}/out", str(tmp_path / name)]
        subprocess.run(command, check=True, capture_output=True, timeout=180)
    for name in ("book.csv", "table.csv"):
        with open(tmp_path / "out" / name, encoding="utf-8", newline="") as file:
            rows = {row["ID"]: row for row in csv.DictReader(file)}
        assert {key: row["名称"] for key, row in rows.items()} == {
            key: said["name"] for key, said in items.items()
        }
        codes = {key: row["全国地方公共団体コード"] for key, row in rows.items()}
        if name == "book.csv":  # a table of texts says nothing of types: there the zero goes
            assert codes == {key: said["local_government_code"] for key, said in items.items()}
            assert any(code.startswith("0") for code in codes.values())
