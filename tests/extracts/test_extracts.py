from __future__ import annotations

import hashlib
import json
import zipfile
from pathlib import Path

import geopandas
import numpy as np
import pyogrio
import pytest
import shapely
from pydantic import ValidationError
from shapely import LineString, Point, box

from geoshare.access.build import build_views
from geoshare.errors import BadRequest, NotFound
from geoshare.extracts import ExtractRequest, write_extract
from geoshare.extracts.sizes import estimated
from geoshare.model.policy import Policy
from tests.access.town import Town, policy

NOW_US = 1_767_225_600_000_000  # 2026-01-01
CANARY = "canary7391"
CANARY_NUMBER = 736_152_893_417
NOTES = {"op": "=", "args": [{"property": "status"}, "open"]}
FORMATS = ("gpkg", "geojson", "parquet", "fgb")


@pytest.fixture
def held(tmp_path: Path) -> tuple[Town, Policy]:
    town = Town(tmp_path)
    rows = []
    for number in range(40):
        hidden = number % 3 == 0
        place = Point(139.7 + number / 1000, 35.6 + (number % 7) / 500)
        said = {
            "name": f"{CANARY} hidden" if hidden else f"避難所 {number}",
            "notes": f"{CANARY} notes",
        }
        said |= {
            "max_capacity": CANARY_NUMBER if hidden else number,
            "status": "closed" if hidden else "open",
        }
        rows.append((f"{CANARY}{number}" if hidden else f"s{number}", place, said))
    town.packs.publish("shelters", rows[:25], rows[25:])
    street = LineString([(139.70, 35.60), (139.72, 35.60)])
    town.packs.publish("segments", [("street", street, {"name": "通り", "length_m": 1800.0})])
    grants = policy(
        {"collections": ["shelters"], "columns": ["name", "max_capacity"], "rows": NOTES},
        {"collections": ["segments"], "columns": ["name", "length_m"]},
    )
    build_views([grants], town.packs, town.views_dir)
    return town, grants


def make(held: tuple[Town, Policy], tmp_path: Path, **request: object) -> Path:
    town, grants = held
    tmp_path.mkdir(exist_ok=True)
    path = tmp_path / "out" / "extract.zip"
    asked = ExtractRequest.model_validate_json(json.dumps(request))
    write_extract(asked, grants, town.views, path, now_us=NOW_US, work_dir=tmp_path)
    folder = tmp_path / "opened"
    with zipfile.ZipFile(path) as archive:
        archive.extractall(folder)
    return folder


def read(folder: Path, collection: str, file_format: str) -> geopandas.GeoDataFrame:
    if file_format == "gpkg":
        return geopandas.read_file(folder / "geoshare.gpkg", layer=collection)
    path = folder / f"{collection}.{file_format}"
    return geopandas.read_parquet(path) if file_format == "parquet" else geopandas.read_file(path)


@pytest.mark.parametrize("file_format", FORMATS)
def test_every_format_opens_elsewhere_with_what_the_view_shows(held, tmp_path, file_format):
    folder = make(held, tmp_path, collections=["shelters", "segments"], format=file_format)
    frame = read(folder, "shelters", file_format).set_index("id")
    view = held[0].views.get(held[1], "shelters")
    expected = {row["id"]: row for row in view.materialise(view.scan()).to_pylist()}
    assert sorted(frame.index) == sorted(expected)
    for name, row in frame.iterrows():
        assert row["name"] == expected[name]["name"]
        assert row["max_capacity"] == expected[name]["max_capacity"]
        assert shapely.equals_exact(row.geometry, shapely.from_wkb(expected[name]["geometry"]), 1e-7)
    assert read(folder, "segments", file_format)["length_m"].tolist() == [1800.0]


@pytest.mark.parametrize("file_format", FORMATS)
def test_no_hidden_value_is_in_any_byte_that_leaves(held, tmp_path, file_format):
    folder = make(held, tmp_path, collections=["shelters"], format=file_format)
    number = [CANARY_NUMBER.to_bytes(8, order) for order in ("little", "big")]
    secrets = [
        CANARY.encode(),
        str(CANARY_NUMBER).encode(),
        *number,
        np.float64(CANARY_NUMBER).tobytes(),
    ]
    for path in folder.iterdir():
        content = path.read_bytes()
        assert not any(secret in content for secret in secrets), path.name
    for secret in secrets:
        assert secret not in (tmp_path / "out" / "extract.zip").read_bytes()


def test_an_extract_is_the_same_to_the_byte_when_only_hidden_rows_differ(held, tmp_path):
    town, grants = held
    digests = []
    for step in ("one", "two"):
        make(held, tmp_path, collections=["shelters"], format="geojson")
        digests.append(hashlib.sha256((tmp_path / "out" / "extract.zip").read_bytes()).hexdigest())
        hidden = ("other", Point(1, 2), {"name": CANARY, "status": "closed", "notes": step})
        town.packs.change("shelters", [hidden], removed=[f"{CANARY}0"])
        build_views([grants], town.packs, town.views_dir)
    assert digests[0] == digests[1]


def test_an_area_gives_whole_features_or_cuts_them(held, tmp_path):
    area = json.loads(shapely.to_geojson(box(139.69, 35.59, 139.71, 35.61)))
    whole = read(
        make(held, tmp_path, collections=["segments"], format="geojson", area=area),
        "segments",
        "geojson",
    )
    assert whole.geometry[0].length == pytest.approx(0.02)
    assert whole["length_m"][0] == 1800.0
    cut = read(
        make(held, tmp_path, collections=["segments"], format="geojson", area=area, mode="clip"),
        "segments",
        "geojson",
    )
    assert cut.geometry[0].length == pytest.approx(0.01)
    assert cut["length_m"].isna().all()


def test_the_manifest_fits_the_files_and_the_terms_are_there(held, tmp_path):
    folder = make(held, tmp_path, collections=["shelters", "segments"], format="fgb")
    manifest = json.loads((folder / "manifest.json").read_bytes())
    for entry in manifest["files"]:
        assert hashlib.sha256((folder / entry["name"]).read_bytes()).hexdigest() == entry["sha256"]
    assert {entry["name"] for entry in manifest["files"]} == {
        "shelters.fgb",
        "segments.fgb",
        "LICENCES.txt",
        "data-dictionary.csv",
        "terms.csv",
    }
    assert [item["features"] for item in manifest["collections"]] == [26, 1]
    assert "利用条件" in (folder / "LICENCES.txt").read_text("utf-8")


@pytest.mark.parametrize("file_format", FORMATS)
def test_an_empty_extract_is_a_file_that_opens(held, tmp_path, file_format):
    folder = make(held, tmp_path, collections=["shelters"], format=file_format, bbox=[0, 0, 1, 1])
    assert len(read(folder, "shelters", file_format)) == 0


def test_a_hidden_collection_is_an_unknown_one(held, tmp_path):
    for name in ("lanes", "nonsense"):
        with pytest.raises(NotFound, match="no such collection"):
            estimated(ExtractRequest(collections=(name,)), held[1], held[0].views)


def test_a_code_that_no_visible_area_has_is_refused(held):
    with pytest.raises(BadRequest) as caught:
        estimated(ExtractRequest(collections=("shelters",), area="13101"), held[1], held[0].views)
    assert caught.value.parameter == "area"


def test_ids_may_be_named_among_columns_and_always_go(held):
    named = ExtractRequest(collections=("shelters",), columns=("id", "name"))
    assert estimated(named, held[1], held[0].views)
    with pytest.raises(BadRequest) as caught:
        estimated(ExtractRequest(collections=("shelters",), columns=("ids",)), held[1], held[0].views)
    assert caught.value.parameter == "columns"
    assert caught.value.allowed.startswith("id, name")


@pytest.mark.parametrize("text", ["hidden = 1", "name = 'a') OR (TRUE", "notes IS NULL"])
def test_a_filter_is_checked_against_visible_columns_before_any_work(held, text):
    with pytest.raises(BadRequest) as caught:
        estimated(ExtractRequest(collections=("shelters",), filter=text), held[1], held[0].views)
    assert caught.value.parameter == "filter"


@pytest.mark.parametrize(
    "wrong",
    [
        {"collections": []},
        {"collections": ["a"], "format": "exe"},
        {"collections": ["a"], "bbox": [5, 5, 1]},
        {"collections": ["a"], "bbox": [0, 9, 1, 2]},
        {"collections": ["a", "a"]},
        {"collections": ["a"], "colour": "red"},
        {"collections": ["a"], "bbox": [0, 0, 1, 1], "area": "13"},
    ],
)
def test_a_request_that_makes_no_sense_is_refused(wrong):
    with pytest.raises((BadRequest, ValidationError)):
        ExtractRequest.model_validate(wrong)


def test_layers_say_the_type_of_their_geometry(held, tmp_path):
    path = make(held, tmp_path, collections=["shelters", "segments"], format="gpkg") / "geoshare.gpkg"
    found = {str(name): str(kind) for name, kind in pyogrio.list_layers(path)}
    assert found == {"shelters": "Point", "segments": "LineString", "layer_styles": "None"}


def test_heights_and_mixed_types_stay_as_they_are(tmp_path):
    town = Town(tmp_path)
    shapes = [
        Point(139, 35, 7.5),
        Point(139, 35),
        LineString([(139, 35, 1), (140, 35, 2)]),
        box(139, 35, 140, 36),
    ]
    town.packs.publish("places", [(f"p{n}", shape, {"name": "x"}) for n, shape in enumerate(shapes)])
    grants = policy({"collections": ["places"], "columns": ["name"]})
    build_views([grants], town.packs, town.views_dir)
    for file_format in FORMATS:
        folder = make(
            (town, grants), tmp_path / file_format, collections=["places"], format=file_format
        )
        frame = read(folder, "places", file_format).set_index("id")
        for n, shape in enumerate(shapes):
            found = frame.geometry[f"p{n}"]
            assert shapely.equals_exact(found.normalize(), shapely.force_2d(shape).normalize(), 1e-7)
            # a file of one dimension leaves heights out rather than make zeros of missing ones
            assert found.has_z == (shape.has_z and file_format != "fgb")
            if found.has_z:
                assert shapely.get_coordinates(found, include_z=True)[0, 2] in (7.5, 1, 2)


def test_heights_that_all_features_have_are_in_every_format(tmp_path):
    town = Town(tmp_path)
    lines = [(f"l{n}", LineString([(139, 35, n), (140, 35, n + 1)]), {}) for n in range(3)]
    town.packs.publish("lanes", lines)
    grants = policy({"collections": ["lanes"], "columns": ["type"]})
    build_views([grants], town.packs, town.views_dir)
    for file_format in FORMATS:
        folder = make((town, grants), tmp_path / file_format, collections=["lanes"], format=file_format)
        frame = read(folder, "lanes", file_format).set_index("id")
        assert {key: shape.coords[1][2] for key, shape in frame.geometry.items()} == {
            "l0": 1,
            "l1": 2,
            "l2": 3,
        }
