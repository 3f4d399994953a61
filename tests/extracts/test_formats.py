"""Every format is read back by somebody else's library and says what the view shows."""

from __future__ import annotations

import csv
import json
import math
import re
import sqlite3
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args
from xml.etree import ElementTree

import ezdxf
import geopandas
import numpy as np
import openpyxl
import pyarrow as pa
import pyogrio
import pyproj
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from shapely import LineString, Point, Polygon

from geoshare.access.build import build_views
from geoshare.api.bodies import read_as
from geoshare.errors import BadRequest
from geoshare.extracts import ExtractRequest, write_extract
from geoshare.extracts.request import FileFormat
from geoshare.extracts.shapefile import short_names
from geoshare.extracts.sizes import BYTES, estimated
from geoshare.extracts.styles import categories
from geoshare.model import crs, datum
from geoshare.model.collections import known
from geoshare.model.datum import use_grids
from geoshare.model.policy import Policy
from tests.access.town import Town, policy
from tests.sources.test_datum import write_geoid

NOW_US = 1_767_225_600_000_000  # 2026-01-01
CANARY = "canary7391"
NUMBER = 736_152_893_417
FILES = {
    "gpkg": "geoshare.gpkg", "geojson": "{}.geojson", "geojsonseq": "{}.geojsonl", "csv": "{}.csv",
    "parquet": "{}.parquet", "fgb": "{}.fgb", "arrow": "{}.arrow", "xlsx": "{}.xlsx",
    "shp": "{}.shp", "dxf": "{}.dxf",
}  # fmt: skip
IN_METRES = tuple(name for name in FILES if name not in ("geojson", "geojsonseq"))
SHOWN = {"op": "=", "args": [{"property": "status"}, "open"]}
NAMES = ("避難所 一", "=1+1", 'so "said", he', "二行\n目", "𠮷野家 ①", "0123", " ")
Found = dict[str, tuple[dict[str, Any], Any]]


def town_of(folder: Path) -> tuple[Town, Policy]:
    town = Town(folder)
    rows = []
    for number in range(42):
        hidden = number % 3 == 0
        said = {
            "name": f"{CANARY} name" if hidden else NAMES[number % 7],
            "address": f"{CANARY} notes",
            "max_capacity": NUMBER if hidden else (None if number % 5 == 0 else number),
            "status": "closed" if hidden else "open",
        }
        place = Point(139.7 + number / 1000, 35.6 + (number % 7) / 500)
        rows.append((f"{CANARY}{number}" if hidden else f"s{number}", place, said))
    town.packs.publish("shelters", rows[:20], rows[20:])
    ring = [(139.70, 35.60), (139.73, 35.60), (139.73, 35.62), (139.70, 35.60)]
    hole = [(139.72, 35.605), (139.725, 35.605), (139.725, 35.61), (139.72, 35.605)]
    roads = [
        (
            "street",
            LineString([(139.70, 35.60), (139.72, 35.60)]),
            {"name": "通り", "length_m": 1800.5},
        ),
        ("square", Polygon(ring, [hole]), {"name": "広場"}),
        ("nowhere", None, {"name": "場所なし"}),
    ]
    town.packs.publish("segments", roads)
    grants = policy(
        {"collections": ["shelters"], "columns": ["name", "max_capacity"], "rows": SHOWN},
        {"collections": ["segments"], "columns": ["name", "length_m"]},
    )
    build_views([grants], town.packs, town.views_dir)
    return town, grants


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> tuple[Town, Policy]:
    return town_of(tmp_path_factory.mktemp("town"))


def make(held: tuple[Town, Policy], tmp_path: Path, **said: Any) -> Path:
    town, grants = held
    asked = ExtractRequest.model_validate_json(json.dumps(said))
    path = tmp_path / f"{len(list(tmp_path.iterdir()))}.zip"
    write_extract(asked, grants, town.views, path, now_us=NOW_US, work_dir=tmp_path)
    folder = path.with_suffix("")
    with zipfile.ZipFile(path) as archive:
        archive.extractall(folder)
    return folder


def expected(held: tuple[Town, Policy], name: str, crs: str | None) -> Found:
    view = held[0].views.get(held[1], name)
    change = pyproj.Transformer.from_crs("EPSG:4326", crs or "EPSG:4326", always_xy=True)
    found = {}
    for row in view.materialise(view.scan()).to_pylist():
        shape = shapely.from_wkb(row.pop("geometry"))
        if shape is not None and crs:
            shape = shapely.transform(shape, change.transform, interleaved=False)
        found[row.pop("id")] = (row, shape)
    return found


def read(folder: Path, name: str, form: str) -> Found:
    path = folder / FILES[form].format(name)
    if form == "csv":
        with open(path, encoding="utf-8-sig", newline="") as file:
            return dict(_of_table(row) for row in csv.DictReader(file))
    if form == "xlsx":
        return _of_workbook(path)
    if form == "dxf":
        return _of_drawing(path)
    if form == "arrow":
        with pa.OSFile(str(path)) as file:
            rows = pa.ipc.open_file(file).read_all().to_pylist()
        return {row.pop("id"): (row, shapely.from_wkb(row.pop("geometry"))) for row in rows}
    paths = sorted(folder.glob(f"{name}*.shp")) if form == "shp" else [path]
    found = {}
    for path in paths:
        if form == "parquet":
            frame = geopandas.read_parquet(path)
        else:
            frame = geopandas.read_file(path, **({"layer": name} if form == "gpkg" else {}))
        for row in frame.to_dict("records"):
            shape = row.pop("geometry")
            found[row.pop("id")] = ({_long(key): _plain(row[key]) for key in row}, shape)
    return found


def _long(name: str) -> str:
    return {"max_capaci": "max_capacity"}.get(name, name)


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and math.isnan(value) else value


def _of_table(row: dict[str, Any]) -> tuple[str, tuple[dict[str, Any], Any]]:
    identifier, shape = row.pop("id"), None
    if "wkt" in row:
        text = row.pop("wkt")
        shape = shapely.from_wkt(text) if text else None
    else:
        x, y = (row.pop(name) for name in (("lon", "lat") if "lon" in row else ("x_east", "y_north")))
        del row["height_m"]
        shape = Point(float(x), float(y))
    said = {name: (None if value == "" else value) for name, value in row.items()}
    for name in ("max_capacity", "length_m"):
        if said.get(name) is not None:
            said[name] = float(said[name])
    return identifier, (said, shape)


def _of_workbook(path: Path) -> Found:
    book = openpyxl.load_workbook(path)
    [sheet] = book.worksheets
    rows = list(sheet.iter_rows())
    named = {"ID": "id", "名称": "name", "想定収容人数": "max_capacity", "延長": "length_m"}
    named |= {"経度": "lon", "緯度": "lat", "東距(m)": "x_east", "北距(m)": "y_north"}
    named |= {"高さ(m)": "height_m", "形状(WKT)": "wkt"}
    heads = [named[str(cell.value)] for cell in rows[0]]
    for row in rows[1:]:
        assert {cell.data_type for cell in row} <= {"s", "n", "inlineStr"}  # no formula, no date
    return dict(
        _of_table(dict(zip(heads, [_cell(cell.value) for cell in row], strict=True)))
        for row in rows[1:]
    )


def _cell(value: Any) -> Any:
    return "" if value is None else value


def _of_drawing(path: Path) -> Found:
    drawing = ezdxf.readfile(path)
    assert not drawing.audit().errors
    found: Found = {}
    rings: dict[str, list[Any]] = {}
    for entity in drawing.modelspace():
        if entity.dxftype() == "TEXT":
            continue
        pairs = (
            _escaped(text).partition("=") for code, text in entity.get_xdata("GEOSHARE") if code == 1000
        )
        said: dict[str, Any] = {name: value for name, _, value in pairs}
        for name in ("max_capacity", "length_m"):
            if name in said:
                said[name] = float(said[name])
        identifier = said.pop("id")
        if entity.dxftype() == "POINT":
            shape = Point(entity.dxf.location.vec2)
        else:
            places = [tuple(vertex.vec2) for vertex in entity.points()]
            if entity.is_closed:
                rings.setdefault(identifier, []).append(places)
                shape = Polygon(rings[identifier][0], rings[identifier][1:])
            else:
                shape = LineString(places)
        found[identifier] = (said, shape)
    return found


def _escaped(text: str) -> str:
    """Letters that the file's own code lacks, as AutoCAD reads them."""
    text = re.sub(r"\\U\+([0-9A-F]{4})", lambda code: chr(int(code[1], 16)), text)
    return text.encode("utf-16", "surrogatepass").decode("utf-16")


def check(found: Found, wanted: Found, form: str, close: float) -> None:
    if form == "dxf":  # what has no place is in no drawing, and what has no value is not said
        wanted = {key: item for key, item in wanted.items() if item[1] is not None}
    assert sorted(found) == sorted(wanted)
    for identifier, (values, shape) in wanted.items():
        read_values, read_shape = found[identifier]
        for name, value in values.items():
            got = read_values.get(name)
            if isinstance(value, str) and form in ("shp", "dxf"):
                said = value if form == "dxf" else value.encode("cp932", "replace").decode("cp932")
                value, got = said.replace("\n", " ").strip(), (got or "").replace("\n", " ").strip()
            if form == "csv" and value == " ":
                assert got == " "
            assert got == value, (identifier, name)
        if shape is None:
            assert read_shape is None or read_shape.is_empty
            continue
        assert shapely.equals_exact(read_shape.normalize(), shape.normalize(), close), identifier


@pytest.mark.parametrize("form", sorted(FILES))
def test_every_format_says_elsewhere_what_the_view_shows(held, tmp_path, form):
    crs = "EPSG:6677" if form == "dxf" else None
    folder = make(held, tmp_path, collections=["shelters", "segments"], format=form, crs=crs)
    for name in ("shelters", "segments"):
        check(read(folder, name, form), expected(held, name, crs), form, 0.001 if crs else 1e-7)


@pytest.mark.parametrize("form", IN_METRES)
def test_a_plane_zone_agrees_with_proj_to_a_millimetre(held, tmp_path, form):
    folder = make(held, tmp_path, collections=["shelters", "segments"], format=form, crs="EPSG:6677")
    for name in ("shelters", "segments"):
        check(read(folder, name, form), expected(held, name, "EPSG:6677"), form, 0.001)
    if form in ("gpkg", "shp", "fgb"):
        frame = geopandas.read_file(
            folder / FILES[form].format("shelters"), **({"layer": "shelters"} if form == "gpkg" else {})
        )
        assert frame.crs.to_epsg() == 6677
    if form == "parquet":
        assert geopandas.read_parquet(folder / "shelters.parquet").crs.to_epsg() == 6677


@pytest.mark.parametrize("form", sorted(FILES))
def test_nothing_hidden_is_in_any_byte_of_any_format(held, tmp_path, form):
    crs = "EPSG:6677" if form == "dxf" else None
    folder = make(held, tmp_path, collections=["shelters"], format=form, crs=crs)
    secrets = [CANARY, str(NUMBER), "address", "status"]
    binary = [NUMBER.to_bytes(8, "little"), NUMBER.to_bytes(8, "big"), np.float64(NUMBER).tobytes()]
    for path in folder.iterdir():
        content = path.read_bytes()
        if path.suffix == ".xlsx":
            with zipfile.ZipFile(path) as book:
                content += b"".join(book.read(name) for name in book.namelist())
        found = [text for text in secrets if text.encode() in content]
        assert not found, path.name
        assert not any(item in content for item in binary), path.name


def test_columns_and_filters_of_each_collection_hold_for_it_alone(held, tmp_path):
    folder = make(
        held, tmp_path, collections=["shelters", "segments"], format="geojson",
        columns={"shelters": ["name"]}, filter={"shelters": "max_capacity > 30"},
    )  # fmt: skip
    shelters = json.loads((folder / "shelters.geojson").read_bytes())["features"]
    assert {tuple(item["properties"]) for item in shelters} == {("name",)}
    every = expected(held, "shelters", None)
    over = {key for key, (row, _) in every.items() if (row["max_capacity"] or 0) > 30}
    assert {item["id"] for item in shelters} == over
    assert len(json.loads((folder / "segments.geojson").read_bytes())["features"]) == 3
    told = (folder / "data-dictionary.csv").read_text("utf-8-sig")
    assert "shelters,指定避難所,name" in told
    assert "max_capacity" not in told
    with pytest.raises(BadRequest) as caught:
        estimated(
            ExtractRequest(collections=("shelters",), columns=("address",)), held[1], held[0].views
        )
    assert caught.value.parameter == "columns"
    assert caught.value.allowed == "id, name, max_capacity"


def test_mesh_squares_of_every_size_choose_what_lies_in_them(held, tmp_path):
    jismesh = pytest.importorskip("jismesh.utils")
    for level in (1, 2, 3, 4, 5, 6):
        code = str(jismesh.to_meshcode(35.604, 139.705, level))
        south, west = jismesh.to_meshpoint(code, 0, 0)
        north, east = jismesh.to_meshpoint(code, 1, 1)
        square = shapely.box(west, south, east, north)
        folder = make(held, tmp_path, collections=["shelters"], format="geojson", mesh=[code])
        found = {
            item["id"] for item in json.loads((folder / "shelters.geojson").read_bytes())["features"]
        }
        every = expected(held, "shelters", None)
        near = {key for key, (_, shape) in every.items() if shape.distance(square) < 1e-9}
        assert found == near, code


def test_a_geopackage_has_a_style_that_qgis_takes_for_each_layer(held, tmp_path):
    folder = make(held, tmp_path, collections=["shelters", "segments"], format="gpkg")
    with sqlite3.connect(folder / "geoshare.gpkg") as database:
        rows = database.execute(
            "SELECT f_table_name, f_geometry_column, styleQML, useAsDefault FROM layer_styles"
        ).fetchall()
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        own = dict(database.execute("SELECT table_name, column_name FROM gpkg_geometry_columns"))
        version = database.execute("PRAGMA user_version").fetchone()
        times = database.execute("SELECT last_change FROM gpkg_contents").fetchall()
    assert version == (10_300,)  # newer ones make the GDAL of Debian 12 warn
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:]{8}\.\d{3}Z", text) for (text,) in times)
    assert {row[0] for row in rows} == {"shelters", "segments"}
    for name, column, text, default in rows:
        root = ElementTree.fromstring(text)
        assert (root.tag, column, default) == ("qgis", own[name], 1)
        assert root.find("renderer-v2/symbols/symbol/layer") is not None
        labels = root.find("labeling/settings/text-style")
        assert labels is not None
        assert labels.get("fieldName") == "name"


@pytest.mark.parametrize(
    ("collection", "name", "value", "colour"),
    [
        ("shelters", "status", "open", "10,125,60,255"),  # as on the map
        ("shelters", "status", "", "107,118,128,255"),  # not known: grey, never green
        ("evacuation_areas", "kind", "evacuate", "170,0,170,255"),
        ("damage_reports", "kind", None, None),
    ],
)
def test_values_look_as_on_the_map_and_no_two_of_them_alike(collection, name, value, colour):
    [said] = [one for one in known()[collection].properties if one.name == name]
    style = ElementTree.fromstring(categories(collection, said, "marker", "#000000"))
    symbols = {
        one.get("name"): one.find(".//Option[@name='color']").get("value")
        for one in style.iter("symbol")
    }
    colours = {one.get("value"): symbols[one.get("symbol")] for one in style.iter("category")}
    assert {*said.enum, ""} == set(colours)
    assert len(set(colours.values())) == len(colours)
    assert colours.get(value) == colour


def test_a_shapefile_says_what_it_could_not_say(held, tmp_path):
    folder = make(held, tmp_path, collections=["shelters"], format="shp")
    assert (folder / "shelters.cpg").read_text() == "CP932"
    names = (folder / "shapefile-names.csv").read_text("utf-8-sig")
    assert "shelters,max_capaci,max_capacity" in names
    [said] = json.loads((folder / "manifest.json").read_bytes())["collections"]
    assert said["letters_replaced"] > 0  # 𠮷 is not in cp932
    assert "避難所".encode("cp932") in (folder / "shelters.dbf").read_bytes()


@settings(max_examples=50, deadline=None)
@given(st.lists(st.text("abcあ_", min_size=1, max_size=15), unique=True, max_size=30))
def test_short_names_fit_and_are_never_the_same(names):
    found = short_names(names)
    assert list(found) == names
    assert all(len(short.encode("cp932")) <= 10 for short in found.values())
    assert len({short.lower() for short in found.values()}) == len({name.lower() for name in names})


def test_tables_are_headed_and_placed_as_asked(held, tmp_path):
    said = {"collections": ["segments"], "format": "csv", "headings": "ja", "bom": False}
    folder = make(held, tmp_path, **said, geometry_as="lon_lat")
    text = (folder / "segments.csv").read_text("utf-8")
    assert text.splitlines()[0] == '"ID","名称","延長","経度","緯度","高さ(m)"'
    row = next(line for line in text.splitlines() if line.startswith('"square"'))
    lon, lat = (float(part) for part in row.split(",")[3:5])
    assert expected(held, "segments", None)["square"][1].contains(Point(lon, lat))


@pytest.mark.parametrize(
    "wrong",
    [
        {"format": "geojson", "crs": "EPSG:6677"},
        {"format": "dxf"},
        {"format": "dxf", "crs": "EPSG:4326"},
        {"format": "gpkg", "crs": "EPSG:32654"},
        {"mesh": ["99"]},
        {"mesh": ["53393599"], "bbox": [0, 0, 1, 1]},
        {"columns": {"other": ["name"]}},
        {"format": "html", "crs": "EPSG:6677"},
    ],
)
def test_what_cannot_be_is_refused(wrong):
    with pytest.raises((BadRequest, ValidationError)):
        ExtractRequest.model_validate({"collections": ["a"], **wrong})


GEOID = "jp_gsi_gsigeo2011.tif"


def test_heights_above_the_geoid_need_the_geoid():
    with pytest.raises(BadRequest) as caught:
        ExtractRequest(collections=("places",), crs="EPSG:6697")
    assert caught.value.parameter == "crs"
    assert "EPSG:6697" not in str(caught.value.allowed)
    assert {"OGC:CRS84", "EPSG:6668", "EPSG:6687"} <= set(str(caught.value.allowed).split(", "))


@pytest.fixture
def geoid(tmp_path, monkeypatch) -> Iterator[float]:
    (tmp_path / "grids").mkdir()
    write_geoid(tmp_path / "grids" / GEOID, 37.5)
    before = pyproj.datadir.get_data_dir()
    use_grids(tmp_path / "grids")
    yield 37.5
    pyproj.datadir.set_data_dir(before)
    datum._operation.cache_clear()
    crs.forget()


@pytest.mark.parametrize("form", ["gpkg", "parquet", "fgb", "shp", "arrow"])
def test_heights_are_above_the_geoid_and_what_has_none_does_not_say_so(geoid, tmp_path, form):
    town = Town(tmp_path / "high")
    high = [("a", Point(139.7, 35.6, 40.0), {"name": "x"})]
    town.packs.publish("places", high)
    town.packs.publish("shelters", [("b", Point(139.7, 35.6), {"name": "y"})])
    grants = policy(*({"collections": [name], "columns": ["name"]} for name in ("places", "shelters")))
    build_views([grants], town.packs, town.views_dir)
    asked = {"collections": ["places", "shelters"], "format": form, "crs": "EPSG:6697"}
    folder = make((town, grants), tmp_path, **asked)
    _, point = read(folder, "places", form)["a"]
    assert (point.x, point.y, point.z) == pytest.approx((139.7, 35.6, 40.0 - geoid), abs=1e-6)
    manifest = json.loads((folder / "manifest.json").read_bytes())
    assert [item["crs"] for item in manifest["collections"]] == ["EPSG:6697", "EPSG:6668"]
    if form in ("gpkg", "fgb"):
        said = [
            pyogrio.read_info(folder / FILES[form].format(name), layer=name)["crs"]
            for name in ("places", "shelters")
        ]
        assert said == ["EPSG:6697", "EPSG:6668"]


BAD = {
    "collections": [[], ["a"] * 33, ["a", "a"], "a", [1]],
    "format": ["exe", 3],
    "bbox": [[1, 2, 3], [0, 9, 1, 2], [0, 0, 181, 1], ["a", 0, 1, 1], "0,0,1,1"],
    "area": [5, ["a"]],
    "mesh": [[], ["99"], ["5339"] * 2_001, 5339],
    "mode": ["cut"],
    "crs": ["EPSG:32654", "EPSG:6697", "", "\u0000", "x" * 101, 4326],
    "columns": [[], [1], {"other": ["name"]}, {"a": []}, "name"],
    "filter": [{"other": "TRUE"}, 3],
    "geometry_as": ["wkb"],
    "headings": ["en"],
    "bom": ["perhaps"],
    "notify": ["n" * 65, 3],
    "min_zoom": [-1, 99, 3],
    "max_zoom": [-1, 99, 3],
    "projector": ["Local", "MGRS"],
    "colour": ["red"],
}
TOGETHER = [
    ({"format": "geojson", "crs": "EPSG:6677"}, "crs"),
    ({"format": "dxf"}, "crs"),
    ({"format": "dxf", "crs": "EPSG:4326"}, "crs"),
    ({"format": "html", "crs": "EPSG:6677"}, "crs"),
    ({"format": "html", "filter": "TRUE"}, "filter"),
    ({"format": "pmtiles", "columns": ["name"]}, "columns"),
    ({"format": "pmtiles", "mode": "clip"}, "mode"),
    ({"format": "pmtiles", "min_zoom": 9, "max_zoom": 8}, "min_zoom"),
    ({"format": "opendrive"}, "collections"),
    ({"format": "lanelet2", "collections": ["lanes"], "datetime": "2026-01-01"}, "datetime"),
    ({"bbox": [0, 0, 1, 1], "area": "13"}, "area"),
    ({"area": "13", "mesh": ["5339"]}, "mesh"),
]


@pytest.mark.parametrize(
    ("said", "parameter"),
    [*(({name: value}, name) for name, values in BAD.items() for value in values), *TOGETHER],
)
def test_a_request_that_cannot_be_names_the_member_and_what_it_may_be(said, parameter):
    body = json.dumps({"collections": ["a"], **said}).encode()
    with pytest.raises(BadRequest) as caught:
        read_as(ExtractRequest, body)
    assert str(caught.value.parameter).split(".")[0] == parameter
    assert caught.value.allowed
    assert caught.value.message


def test_the_table_of_terms_answers_for_each_and_for_the_mixture(tmp_path):
    town = Town(tmp_path / "town")
    for name in ("places", "shelters", "segments"):
        town.packs.publish(name, [("a", Point(139.7, 35.6), {"name": "x"})])
    by = {"kind": "attribute", "text": "City of X", "text_ja": "X市"}
    grants = policy(
        {"collections": ["places"], "columns": ["name"], "licence": "CC-BY-4.0", "duties": [by]},
        {"collections": ["shelters"], "columns": ["name"], "licence": "CC0-1.0"},
        {"collections": ["segments"], "columns": ["name"], "licence": "ODbL-1.0"},
    )
    build_views([grants], town.packs, town.views_dir)
    folder = make((town, grants), tmp_path, collections=["places", "shelters", "segments"])
    said = json.loads((folder / "manifest.json").read_bytes())["terms"]
    one, two, three = said["collections"]
    assert one["attribution_ja"] == "X市"
    assert not two["attribution_needed"]
    assert three["share_alike"] == ["ODbL-1.0"]
    mixture = said["mixture"]
    assert (mixture["commercial"], mixture["redistribution"]) == ("yes", "yes")
    assert mixture["share_alike"] == ["ODbL-1.0"]
    assert not mixture["separable_only"]
    with open(folder / "terms.csv", encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))
    assert rows[1][3:6] == ["可 / yes"] * 3
    assert rows[-1][0] == "全体 / all together"


def test_every_format_has_a_size_to_be_told_before():
    assert set(BYTES) == set(get_args(FileFormat))
