"""Vector files: every format gives the same features; broken ones are repaired or refused."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyogrio
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geoshare.errors import BadData
from geoshare.model.datum import to_foundation
from geoshare.model.report import Report
from geoshare.sources import shape, vector

ReadFile = Callable[..., Any]


def houses(crs: str = "EPSG:6668") -> gpd.GeoDataFrame:
    boxes = [shapely.box(139.7 + i / 1000, 35.6, 139.7005 + i / 1000, 35.6005) for i in range(5)]
    frame = gpd.GeoDataFrame(
        {
            "建物ID": [f"B{i}" for i in range(5)],
            "用途": ["住宅", "学校", "病院", "その他", None],
            "階数": pd.array([2, 3, 8, None, 1], dtype="Int64"),
            "備考": ["漢字表示", None, "ソ能", "", "x"],
        },
        geometry=boxes,
        crs="EPSG:6668",
    )
    return frame.to_crs(crs)


def write(frame: gpd.GeoDataFrame, folder: Path, kind: str) -> Path:
    if kind == "parquet":
        frame.to_parquet(folder / "houses.parquet")
        return folder / "houses.parquet"
    if kind.startswith("shp"):
        shapes = folder / "shapes"
        shapes.mkdir()
        encoding, _, page = kind.removeprefix("shp-").partition(" ")
        frame.to_file(shapes / "建物.shp", engine="pyogrio", encoding=encoding)
        (shapes / "建物.cpg").unlink(missing_ok=True)
        if page:
            (shapes / "建物.cpg").write_text(page)
        with zipfile.ZipFile(folder / "houses.zip", "w") as archive:
            for item in shapes.iterdir():
                archive.write(item, f"データ/{item.name}")
        return folder / "houses.zip"
    path = folder / f"houses.{kind}"
    frame.to_file(path, engine="pyogrio")
    return path


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "kind",
    ["geojson", "gpkg", "fgb", "parquet", "shp-cp932", "shp-utf-8"]
    + [f"shp-cp932 {page}" for page in ("CP932", "932", "Shift_JIS", "ANSI 932")]
    + ["shp-utf-8 UTF-8"],
)
def test_every_format_gives_the_same_features(read: ReadFile, tmp_path: Path, kind: str) -> None:
    found = read(write(houses(), tmp_path, kind))
    rows, shapes = found.rows("buildings"), found.shapes("buildings")
    assert {key: row["use"] for key, row in rows.items()} == {
        "B0": "residential", "B1": "school", "B2": "hospital", "B3": "other", "B4": None,
    }  # fmt: skip
    assert [rows[key]["storeys"] for key in sorted(rows)] == [2, 3, 8, None, 1]
    assert [rows[key]["備考"] for key in sorted(rows)] == ["漢字表示", None, "ソ能", None, "x"]
    for index, box in enumerate(houses().geometry):
        assert shapes[f"B{index}"].normalize().equals_exact(box.normalize(), 1e-9)
    assert found.report.rows_read == 5
    assert found.report.taken == {"buildings": 5}


@pytest.mark.filterwarnings("ignore")
def test_column_names_that_a_shapefile_cut_inside_a_letter_are_readable(
    read: ReadFile, tmp_path: Path
) -> None:
    frame = houses().rename(columns={"階数": "地上階数の値"})
    found = read(write(frame, tmp_path, "shp-utf-8"))
    assert [row["地上階"] for row in found.rows("buildings").values()] == [2, 3, 8, None, 1]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", ["gpkg", "fgb", "parquet"])
def test_projected_layers_come_out_in_degrees(read: ReadFile, tmp_path: Path, kind: str) -> None:
    found = read(write(houses("EPSG:6677"), tmp_path, kind))
    assert found.report.datum.horizontal == "EPSG:6677"
    for index, box in enumerate(houses().geometry):
        ours = found.shapes("buildings")[f"B{index}"]
        assert ours.normalize().equals_exact(box.normalize(), 2e-9)


@pytest.mark.filterwarnings("ignore")
def test_a_geopackage_may_hold_several_layers(read: ReadFile, tmp_path: Path) -> None:
    path = tmp_path / "town.gpkg"
    houses().to_file(path, layer="houses", engine="pyogrio")
    roads = gpd.GeoDataFrame(
        {"link_id": ["R1"], "road_class": ["県道"], "lanes": [2], "oneway": ["-1"], "maxspeed": ["40"]},
        geometry=[shapely.LineString([(139.7, 35.6), (139.71, 35.6)])],
        crs="EPSG:6668",
    )
    roads.to_file(path, layer="roads", engine="pyogrio")
    trees = gpd.GeoDataFrame({"art": ["桜"]}, geometry=[shapely.Point(139.7, 35.6)], crs="EPSG:6668")
    trees.to_file(path, layer="街路樹", engine="pyogrio")
    pd.DataFrame({"a": [1]}).pipe(gpd.GeoDataFrame).to_file(path, layer="notes", engine="pyogrio")
    found = read(path)
    assert found.report.taken == {"buildings": 5, "segments": 1, "layer_1a7ed907": 1}
    road = found.rows("segments")["R1"]
    assert (road["class"], road["one_way"], road["speed_limit_kmh"]) == ("secondary", "backward", 40.0)
    assert found.rows("layer_1a7ed907") == {"#街路樹:1": {"art": "桜"}}
    assert "layer-skipped" in found.notes()


@pytest.mark.filterwarnings("ignore")
def test_types_of_unknown_columns_are_kept(read: ReadFile, tmp_path: Path) -> None:
    frame = gpd.GeoDataFrame(
        {
            "whole": [1], "part": [0.5], "flag": [True],
            "moment": [pd.Timestamp("2026-09-17T03:00:00Z")],
        },
        geometry=[shapely.Point(139.7, 35.6)],
        crs="EPSG:4326",
    )  # fmt: skip
    frame.to_file(tmp_path / "things.gpkg", engine="pyogrio")
    schema = read(tmp_path / "things.gpkg").batches[0].properties.schema
    assert {field.name: str(field.type) for field in schema} == {
        "whole": "int64", "part": "double", "flag": "bool", "moment": "timestamp[us, tz=UTC]",
    }  # fmt: skip


def geojson(path: Path, *shapes: dict[str, Any], **members: Any) -> Path:
    features = [
        {"type": "Feature", "properties": {"n": i}, "geometry": g} for i, g in enumerate(shapes)
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features} | members), "utf-8")
    return path


def point(x: float, y: float) -> dict[str, Any]:
    return {"type": "Point", "coordinates": [x, y]}


def test_swapped_axes_are_repaired_where_the_latitude_is_impossible(
    read: ReadFile, tmp_path: Path
) -> None:
    found = read(geojson(tmp_path / "a.geojson", point(35.6, 139.7), point(139.7, 35.6)))
    assert [p.coords[0] for p in found.shapes("a").values()] == [(139.7, 35.6), (139.7, 35.6)]
    assert found.repairs()["coordinates-swapped"] == 1


def test_swapped_axes_of_a_projected_layer_are_repaired_when_all_agree(
    read: ReadFile, tmp_path: Path
) -> None:
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::32654"}}
    path = geojson(
        tmp_path / "utm.geojson", point(3_940_000, 380_000), point(3_941_000, 381_000), crs=crs
    )
    found = read(path)
    assert found.repairs()["coordinates-swapped"] == 2
    assert all(139 < p.x < 141 and 35 < p.y < 36 for p in found.shapes("utm").values())


@pytest.mark.parametrize(
    ("places", "crs"),
    [
        ([(-12_000.0, -35_000.0)], None),  # metres of a plane-rectangular zone in a file of degrees
        ([(9e6, 9e6), (9.1e6, 9e6)], "EPSG:6677"),
        ([(139.7, 35.6), (139.8, 35.7)], "EPSG:6677"),  # degrees in a CRS of metres
        ([(100.0, 20.0)], "EPSG:6668"),  # Thailand in a datum of Japan
    ],
)
def test_coordinates_outside_their_crs_refuse_the_file(
    read: ReadFile, tmp_path: Path, places: list[tuple[float, float]], crs: str | None
) -> None:
    path = geojson(tmp_path / "outside.geojson", *(point(*place) for place in places))
    with pytest.raises(BadData) as caught:
        read(path, crs=crs)
    assert caught.value.code == "coordinates-outside"
    assert "\n" not in caught.value.message


def test_one_row_outside_is_refused_alone(read: ReadFile, tmp_path: Path) -> None:
    found = read(geojson(tmp_path / "b.geojson", point(139.7, 35.6), point(500.0, 35.6)))
    assert len(found.shapes("b")) == 1
    assert found.report.refusals[0].row == 2


BOWTIE = {"type": "Polygon", "coordinates": [[[0, 0], [2, 2], [2, 0], [0, 2], [0, 0]]]}
SPIKE = {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [5, 1], [1, 1], [0, 1], [0, 0]]]}
FLAT = {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [2, 2], [0, 0]]]}


def test_invalid_polygons_are_repaired_and_hopeless_ones_refused(
    read: ReadFile, tmp_path: Path
) -> None:
    found = read(
        geojson(
            tmp_path / "c.geojson",
            BOWTIE,
            SPIKE,
            FLAT,
            {"type": "LineString", "coordinates": [[1, 1], [1, 1]]},
        )
    )
    shapes = list(found.shapes("c").values())
    assert found.repairs()["polygon-repaired"] == 2
    assert [s.is_valid and s.area for s in shapes] == [pytest.approx(2.0), pytest.approx(1.0)]
    assert {r.row: r.message.code for r in found.report.refusals} == {
        3: "geometry-unusable",
        4: "geometry-unusable",
    }


def test_a_geometry_of_the_wrong_kind_is_refused(read: ReadFile, tmp_path: Path) -> None:
    path = geojson(
        tmp_path / "d.geojson",
        point(139.7, 35.6),
        {"type": "LineString", "coordinates": [[139, 35], [140, 36]]},
    )
    found = read(path, collection="segments")
    assert found.report.taken == {"segments": 1}
    assert found.report.refusals[0].message.code == "geometry-kind"


def test_rows_without_geometry_are_refused(read: ReadFile, tmp_path: Path) -> None:
    path = tmp_path / "e.geojson"
    path.write_text(
        json.dumps({"type": "FeatureCollection", "features": [
            {"type": "Feature", "properties": {"n": 1}, "geometry": None},
            {"type": "Feature", "properties": {"n": 2}, "geometry": point(139, 35)},
        ]})
    )  # fmt: skip
    found = read(path)
    assert [r.message.code for r in found.report.refusals] == ["geometry-missing"]


def test_heights_of_geojson_are_above_the_ellipsoid_as_its_specification_says(
    read: ReadFile, tmp_path: Path
) -> None:
    upright = {"type": "Point", "coordinates": [139.7, 35.6, 12.5]}
    found = read(geojson(tmp_path / "f.geojson", upright))
    assert next(iter(found.shapes("f").values())).z == 12.5
    assert found.report.datum.vertical == "ellipsoidal"


@pytest.mark.filterwarnings("ignore")
def test_heights_of_other_files_are_kept_and_their_datum_stays_unknown(
    read: ReadFile, tmp_path: Path
) -> None:
    frame = gpd.GeoDataFrame({"n": [1]}, geometry=[shapely.Point(139.7, 35.6, 12.5)], crs="EPSG:6668")
    frame.to_file(tmp_path / "g.gpkg", engine="pyogrio")
    found = read(tmp_path / "g.gpkg")
    assert next(iter(found.shapes("g").values())).z == 12.5
    assert found.report.datum.vertical is None
    assert "vertical-unknown" in found.notes()


@pytest.mark.filterwarnings("ignore")
def test_a_three_dimensional_layer_above_the_geoid_is_refused_by_the_grids_name(
    read: ReadFile, tmp_path: Path
) -> None:
    frame = gpd.GeoDataFrame({"n": [1]}, geometry=[shapely.Point(139.7, 35.6, 5.0)], crs="EPSG:6697")
    path = tmp_path / "plateau.gpkg"
    frame.to_file(path, engine="pyogrio")
    with pytest.raises(BadData, match="jp_gsi_gsigeo2011") as caught:
        read(path)
    assert caught.value.code == "grid-missing"


@pytest.mark.filterwarnings("ignore")
def test_a_layer_without_crs_is_refused_until_one_is_stated(read: ReadFile, tmp_path: Path) -> None:
    frame = gpd.GeoDataFrame({"n": [1]}, geometry=[shapely.Point(0.0, 0.0)])
    path = tmp_path / "site.fgb"
    frame.to_file(path, engine="pyogrio")
    with pytest.raises(BadData, match="--crs") as caught:
        read(path)
    assert caught.value.code == "no-crs"
    assert next(iter(read(path, crs="EPSG:6677").shapes("site").values())).y == pytest.approx(36.0)


def test_national_lists_carry_codes_and_hazards(read: ReadFile, tmp_path: Path) -> None:
    row = {
        "NO": 1, "共通ID": "E4013000001201", "都道府県名及び市町村名": "福岡市",
        "施設・場所名": "小学校", "住所": "七隈", "洪水": "1", "崖崩れ、土石流及び地滑り": "",
        "高潮": "", "地震": "1", "津波": "",
        "大規模な火事": "", "内水氾濫": "", "火山現象": "", "指定避難所との住所同一": "1", "備考": "",
    }  # fmt: skip
    path = tmp_path / "401307.json"
    feature = {"type": "Feature", "properties": row, "geometry": point(130.36, 33.55)}
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}), "utf-8")
    site = read(path).rows("evacuation_sites")["E4013000001201"]
    assert site["local_government_code"] == "401307"
    assert (site["hazard_flood"], site["hazard_landslide"], site["also_designated_shelter"]) == (
        True,
        False,
        True,
    )


def test_overture_of_later_years_is_read_from_nested_columns(read: ReadFile, tmp_path: Path) -> None:
    row = {
        "id": "s1", "subtype": "road", "class": "tertiary", "theme": "transportation",
        "type": "segment",
        "names": {"primary": "中央通り", "common": {"en": "Chuo"}},
        "connectors": [{"connector_id": "a", "at": 0}, {"connector_id": "b", "at": 1}],
        "speed_limits": [{"max_speed": {"value": 40, "unit": "km/h"}, "between": None}],
        "access_restrictions": [{"access_type": "denied", "when": {"heading": "backward"}}],
        "road_flags": [{"values": ["is_bridge"], "between": None}],
    }  # fmt: skip
    feature = {
        "type": "Feature",
        "properties": row,
        "geometry": {"type": "LineString", "coordinates": [[139, 35], [139.1, 35]]},
    }
    path = tmp_path / "overture.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}), "utf-8")
    found = read(path).rows("segments")["s1"]
    assert (found["name"], found["name_en"], found["one_way"]) == ("中央通り", "Chuo", "forward")
    assert (found["speed_limit_kmh"], found["is_bridge"], found["is_tunnel"]) == (40.0, True, None)
    assert (found["start_connector_id"], found["end_connector_id"]) == ("a", "b")


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8)), min_size=3, max_size=9))
def test_whatever_ring_comes_a_valid_polygon_or_a_refusal_leaves(ring: list[tuple[int, int]]) -> None:
    coordinates = [(139 + x / 100, 35 + y / 100) for x, y in [*ring, ring[0]]]
    geometry = np.array([shapely.Polygon(coordinates)], dtype=object)
    mended, faults = shape.mend(geometry, "polygon", Report("x"))
    if 0 not in faults:
        assert shapely.is_valid(mended[0])
        assert mended[0].area > 0
        assert mended[0].geom_type in ("Polygon", "MultiPolygon")
    else:
        assert shapely.make_valid(geometry[0]).area == pytest.approx(0, abs=1e-12)


@settings(max_examples=40, deadline=None)
@given(st.floats(-200, 200), st.floats(-200, 200))
def test_a_place_is_kept_swapped_or_refused_but_never_beyond_the_earth(x: float, y: float) -> None:
    transform = to_foundation("OGC:CRS84", has_height=False)
    placed, faults = shape.place(np.array([shapely.Point(x, y)], dtype=object), transform, Report("x"))
    lon, lat = shapely.get_coordinates(placed)[0]
    on_earth = abs(x) <= 180 and abs(y) <= 90
    if on_earth:
        assert not faults
        assert (lon, lat) == (x, y)
    elif not faults:
        assert (lon, lat) in ((y, x), (x, y), (np.copysign(180, x), y), (x, np.copysign(90, y)))
        assert abs(lon) <= 180
        assert abs(lat) <= 90


def test_record_batches_of_any_type_become_text() -> None:
    from geoshare.sources.coerce import as_text

    column = pa.array([[1, 2], None], pa.list_(pa.int64()))
    assert as_text(column).to_pylist() == ["[1,2]", None]
    assert as_text(pa.array([12203.0, None])).to_pylist() == ["12203", None]


def collection_of(folder: Path, rows: list[dict[str, Any]], shapes: list[Any] | None = None) -> Path:
    point = {"type": "Point", "coordinates": [139.0, 35.0]}
    shapes = shapes or [point] * len(rows)
    features = [
        {"type": "Feature", "properties": row, "geometry": shape}
        for row, shape in zip(rows, shapes, strict=True)
    ]
    path = folder / "things.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return path


def test_a_column_of_several_types_is_named_in_the_report(read: ReadFile, tmp_path: Path) -> None:
    rows = [
        {"mixed": 1.0, "plain": 1, "nested": {"a": 1}, "code": "1"},
        {"mixed": "x", "plain": 2, "nested": [1], "code": "01"},
        {"mixed": None, "plain": None, "nested": None, "code": None},
    ]
    found = read(collection_of(tmp_path, rows), collection="things")
    said = {note.code: note for note in found.report.notes}
    assert [code for code in said if code.startswith("values-mixed")] == ["values-mixed:mixed"]
    assert "text" in said["values-mixed:mixed"].en
    assert "文字列" in said["values-mixed:mixed"].ja


OPEN_RING = [[139.0, 35.0], [139.1, 35.0], [139.1, 35.1], [139.0, 35.1]]


def test_an_open_ring_is_closed_and_the_report_says_so(
    read: ReadFile, tmp_path: Path, table: Callable[..., Path]
) -> None:
    square = shapely.box(139.0, 35.0, 139.1, 35.1)
    shape = {"type": "Polygon", "coordinates": [OPEN_RING]}
    text = "POLYGON ((139 35, 139.1 35, 139.1 35.1, 139 35.1))"
    files = (
        collection_of(tmp_path, [{"id": "a", "name": "x"}], [shape]),
        table([["id", "name", "wkt"], ["a", "x", text]], "ring.csv"),
    )
    for path in files:
        found = read(path, collection="things", crs="EPSG:4326")
        assert found.repairs() == {"ring-closed": 1}, path
        [shown] = found.shapes("things").values()
        assert shown.equals(square)


def test_what_cannot_be_read_is_not_called_missing(
    read: ReadFile, tmp_path: Path, table: Callable[..., Path]
) -> None:
    shapes = [
        {"type": "LineString", "coordinates": [[139.0, 35.0]]},
        None,
        {"type": "Point", "coordinates": [139.0, 35.0]},
    ]
    rows = [{"id": name, "name": name} for name in "abc"]
    texts = ["LINESTRING (139", "", "POINT (139 35)"]
    files = (
        collection_of(tmp_path, rows, shapes),
        table([["id", "name", "wkt"], *([x, x, text] for x, text in zip("abc", texts, strict=True))]),
    )
    for path in files:
        found = read(path, collection="things", crs="EPSG:4326")
        codes = [refusal.message.code for refusal in found.report.refusals]
        assert codes == ["geometry-unusable", "geometry-missing"], path
        assert found.report.taken == {"things": 1}


def long_line(folder: Path, vertices: int) -> Path:
    at = [[139 + number * 1e-6, 35 + (number % 7) * 1e-6] for number in range(vertices)]
    rows = [{"id": "a", "name": "x"}]
    return collection_of(folder, rows, [{"type": "LineString", "coordinates": at}])


def test_a_feature_of_very_many_vertices_is_read(read: ReadFile, tmp_path: Path) -> None:
    found = read(long_line(tmp_path, 500_000), collection="things")
    [line] = found.shapes("things").values()
    assert shapely.get_num_coordinates(line) == 500_000


def test_a_feature_that_is_too_large_is_refused_with_that_reason(
    read: ReadFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setitem(vector.GDAL_OPTIONS, "OGR_GEOJSON_MAX_OBJ_SIZE", "1")
        with pytest.raises(BadData, match="vertices") as refused:
            read(long_line(tmp_path, 50_000), collection="things")
    pyogrio.set_gdal_config_options(vector.GDAL_OPTIONS)  # they are the whole process's
    assert refused.value.code == "feature-too-large"
