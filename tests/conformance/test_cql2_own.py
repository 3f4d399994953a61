"""Every class of CQL2 on a small layer of our own, nulls in every column, in text and again as JSON."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import quote

import cql2
import pytest

from tests.api.conftest import Own

LAYER = "cql2_own"
NONE = {
    "name": None,
    "size": None,
    "open": None,
    "day": None,
    "from": None,
    "to": None,
}
ROWS = [
    {"name": "Ålesund", "size": 3, "open": True, "day": "2026-01-01",
     "from": "2026-01-01T00:00:00Z", "to": "2026-01-02T00:00:00Z", "at": [0, 0]},
    {"name": "alesund", "size": 3.5, "open": False, "day": "2026-01-02",
     "from": "2026-01-02T00:00:00Z", "to": "2026-01-04T00:00:00Z", "at": [10, 10]},
    {"name": "ガラス", "size": -4, "open": None, "day": "2026-02-01",
     "from": "2026-01-03T00:00:00Z", "to": None, "at": [179.5, 0]},
    {"name": "カラス", "size": 0, "open": True, "day": None,
     "from": None, "to": "2026-01-05T00:00:00Z", "at": [-179.5, 0]},
    {**NONE, "name": "50%_off", "at": [10, -10]},
    {**NONE, "at": [20, 20]},
]  # fmt: skip
A, B, C, D, E, F = range(len(ROWS))
BIG = "POLYGON((-5 -5, 15 -5, 15 15, -5 15, -5 -5))"
TRIANGLE = "POLYGON((0 1000000, 2000000 1000000, 2000000 2000000, 0 1000000))"  # metres
SPAN = 'INTERVAL("from", "to")'
# what is asked, and which of the rows above it is true for
PREDICATES: list[tuple[str, str, set[int]]] = [
    ("basic-cql2", "size = 3", {A}),
    ("basic-cql2", "size <> 3", {B, C, D}),
    ("basic-cql2", "NOT (size = 3)", {B, C, D}),
    ("basic-cql2", "open", {A, D}),
    ("basic-cql2", "open = FALSE OR open IS NULL", {B, C, E, F}),
    ("basic-cql2", "name IS NOT NULL AND size IS NULL", {E}),
    ("basic-cql2", "day < DATE('2026-01-02')", {A}),
    ("basic-cql2", "\"from\" >= TIMESTAMP('2026-01-02T00:00:00Z')", {B, C}),
    ("basic-cql2", "size > 1 OR name = 'カラス'", {A, B, D}),
    ("basic-cql2", "NOT (size > 1 AND open)", {B, C, D}),
    ("advanced-comparison-operators", "name LIKE '_lesund'", {A, B}),
    ("advanced-comparison-operators", "name LIKE '50\\%\\_%'", {E}),
    ("advanced-comparison-operators", "name NOT LIKE '%ラス'", {A, B, E}),
    ("advanced-comparison-operators", "size BETWEEN 0 AND 3", {A, D}),
    ("advanced-comparison-operators", "size NOT BETWEEN 0 AND 3", {B, C}),
    ("advanced-comparison-operators", "size IN (0, 3.5, 99)", {B, D}),
    ("advanced-comparison-operators", "size NOT IN (0, 3.5)", {A, C}),
    ("advanced-comparison-operators", "day IN (DATE('2026-01-01'), DATE('2026-02-01'))", {A, C}),
    ("case-insensitive-comparison", "CASEI(name) = CASEI('ÅLESUND')", {A}),
    ("case-insensitive-comparison", "CASEI(name) IN (CASEI('ALESUND'))", {B}),
    ("accent-insensitive-comparison", "ACCENTI(CASEI(name)) = ACCENTI(CASEI('ÅLESUND'))", {A, B}),
    ("accent-insensitive-comparison", "ACCENTI(name) = ACCENTI('カラス')", {D}),
    ("basic-spatial-functions", "S_INTERSECTS(geometry, BBOX(-1, -1, 1, 1))", {A}),
    ("basic-spatial-functions", "S_INTERSECTS(geometry, BBOX(179, -1, -179, 1))", {C, D}),
    ("basic-spatial-functions", "S_INTERSECTS(geometry, POINT(10 10))", {B}),
    ("basic-spatial-functions-plus", f"S_INTERSECTS(geometry, {BIG})", {A, B}),
    ("basic-spatial-functions-plus", "S_INTERSECTS(geometry, LINESTRING(175 0, 185 0))", {C, D}),
    ("spatial-functions", f"S_WITHIN(geometry, {BIG})", {A, B}),
    ("spatial-functions", f"S_DISJOINT(geometry, {BIG})", {C, D, E, F}),
    ("spatial-functions", "S_EQUALS(geometry, POINT(0 0))", {A}),
    ("spatial-functions", "S_TOUCHES(geometry, LINESTRING(0 0, 5 5))", {A}),
    ("spatial-functions", "S_CONTAINS(geometry, POINT(10 10))", {B}),
    ("spatial-functions", "S_CROSSES(geometry, MULTIPOINT((0 0), (1 1)))", set()),
    ("spatial-functions", "S_OVERLAPS(geometry, MULTIPOINT((0 0), (1 1)))", set()),
    ("temporal-functions", "T_AFTER(day, DATE('2026-01-01'))", {B, C}),
    ("temporal-functions", "T_INTERSECTS(\"from\", INTERVAL('2026-01-02', '..'))", {B, C}),
    ("temporal-functions", f"T_MEETS({SPAN}, INTERVAL('2026-01-02T00:00:00Z', '..'))", {A}),
    ("temporal-functions", f"T_DURING({SPAN}, INTERVAL('2026-01-01', '2026-01-31'))", {B}),
    ("temporal-functions", "T_MEETS(INTERVAL(day, day), INTERVAL('2026-01-02', '2026-01-09'))", {B}),
    ("temporal-functions", f"NOT (T_BEFORE({SPAN}, DATE('2026-01-03')))", {B}),
    ("array-functions", "A_OVERLAPS(('Ålesund', 'b'), (name, 'x'))", {A}),
    ("property-property", "\"to\" > \"from\"", {A, B}),
    ("property-property", "3 = size", {A}),
    ("property-property", "size < size", set()),
    ("property-property", "S_INTERSECTS(POINT(10 10), geometry)", {B}),
    ("property-property", "S_EQUALS(geometry, geometry)", {A, B, C, D, E, F}),
    ("functions", "year(day) = 2026 AND month(day) = 2 AND day(day) = 1", {C}),
    ("functions", "lower(name) LIKE '%sund' AND char_length(name) = 7", {A, B}),
    ("functions", "upper(name) = 'ALESUND'", {B}),
    ("functions", "abs(size) = 4 OR floor(size) = 3 AND ceiling(size) = 4", {B, C}),
    ("functions", "round(size) = 4", {B}),
    ("functions", "geometry_type(geometry) = 'Point' AND length_m(geometry) + area_m2(geometry) = 0",
     {A, B, C, D, E, F}),
    ("arithmetic", "size * 2 - 1 = 5", {A}),
    ("arithmetic", "1 / size < 0", {C}),
    ("arithmetic", "NOT (1 / size < 0)", {A, B}),
    ("arithmetic", "size div 3 = -1 AND size % 3 = -1", {C}),
    ("arithmetic", "-size ^ 2 = 16 OR size ^ 2 = 12.25", {B, C}),
]  # fmt: skip

TAGS = [["a", "b", "c"], ["b"], [], None]  # of shelters: arrays are of the vocabulary's schemas alone
ARRAYS: list[tuple[str, set[int]]] = [
    ("A_CONTAINS(target_areas, ('b', 'c'))", {A}),
    ("A_CONTAINEDBY(target_areas, ('b', 'c'))", {B, C}),
    ("A_EQUALS(target_areas, ('c', 'b', 'a', 'a'))", {A}),
    ("A_OVERLAPS(target_areas, ('b', 'x', 1))", {A, B}),
    ("NOT (A_OVERLAPS(target_areas, ('a', 'x')))", {B, C}),
    ("A_CONTAINS(target_areas, target_areas)", {A, B, C}),
    ("A_OVERLAPS(target_areas, (CASEI('B'), DATE('2026-01-01')))", {A, B}),
    ("A_CONTAINEDBY(target_areas, (name, 'b'))", {B, C}),
]  # fmt: skip


@pytest.fixture(scope="module")
def layer(tmp_path_factory) -> Own:
    """A geoshare with the rows above, their places in the list as the property ``row``."""
    folder: Path = tmp_path_factory.mktemp("cql2")
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": row["at"]},
            "properties": {"row": at, **{key: row[key] for key in row if key != "at"}},
        }
        for at, row in enumerate(ROWS)
    ]
    path = folder / f"{LAYER}.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), "utf-8")
    own = Own(folder / "data")
    own.contribute(path)
    place = {"type": "Point", "coordinates": [139.7, 35.6]}
    shelters = [
        {
            "type": "Feature",
            "geometry": place,
            "properties": {"common_id": f"{at}", "name": f"{at}", "target_areas": tags},
        }
        for at, tags in enumerate(TAGS)
    ]
    arrays = folder / "shelters.geojson"
    arrays.write_text(json.dumps({"type": "FeatureCollection", "features": shelters}), "utf-8")
    own.contribute(arrays, collection="shelters")
    return own


def answer(layer: Own, text: str, more: str = ""):
    return layer.get(f"/collections/{LAYER}/items?filter={quote(text)}{more}")


def found(layer: Own, text: str, more: str = "") -> set[int]:
    said = answer(layer, text, more)
    assert said.status_code == 200, (text, said.data)
    return {feature["properties"]["row"] for feature in json.loads(said.data)["features"]}


@pytest.mark.parametrize(("name", "text", "expected"), PREDICATES)
def test_a_predicate_finds_the_rows_it_is_true_for(layer, name, text, expected):
    assert found(layer, text) == expected
    tree = json.dumps(cql2.parse_text(text).to_json())
    assert found(layer, tree, "&filter-lang=cql2-json") == expected


@pytest.mark.parametrize(("text", "expected"), ARRAYS)
def test_arrays_are_compared_as_sets(layer, text, expected):
    for said, more in (
        (text, ""),
        (json.dumps(cql2.parse_text(text).to_json()), "&filter-lang=cql2-json"),
    ):
        answer = layer.get(f"/collections/shelters/items?filter={quote(said)}{more}")
        assert answer.status_code == 200, (said, answer.data)
        names = {int(feature["properties"]["name"]) for feature in json.loads(answer.data)["features"]}
        assert names == expected


def test_every_class_is_declared_and_has_a_predicate(layer):
    declared = json.loads(layer.get("/conformance").data)["conformsTo"]
    stem = "http://www.opengis.net/spec/cql2/1.0/conf/"
    classes = {uri.removeprefix(stem) for uri in declared if uri.startswith(stem)}
    assert classes == {name for name, _, _ in PREDICATES} | {"cql2-text", "cql2-json"}
    assert len(classes) == 14


def test_every_function_that_is_listed_can_be_called(layer):
    listed = json.loads(layer.get("/functions").data)["functions"]
    of_type = {"string": "name", "number": "size", "datetime": "day", "geometry": "geometry"}
    for item in listed:
        operands = ", ".join(of_type[argument["type"][0]] for argument in item["arguments"])
        assert answer(layer, f"{item['name']}({operands}) IS NOT NULL").status_code == 200


def test_queryables_name_what_a_filter_may_name(layer):
    said = json.loads(layer.get(f"/collections/{LAYER}/queryables").data)
    assert said["type"] == "object"
    assert said["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert said["$id"].endswith(f"/collections/{LAYER}/queryables")
    assert said["properties"]["geometry"]["x-ogc-role"] == "primary-geometry"
    for name in said["properties"]:
        assert answer(layer, f'"{name}" IS NOT NULL').status_code == 200
    assert answer(layer, "another IS NULL").status_code == 400


@pytest.mark.parametrize(
    ("crs", "text"),
    [
        ("OGC/1.3/CRS84", "S_WITHIN(geometry, BBOX(9, 9, 11, 11))"),
        ("EPSG/0/4326", "S_INTERSECTS(geometry, POINT(10 10)) AND size > 3"),
        ("EPSG/0/4326", "S_WITHIN(geometry, BBOX(9, 179, 11, 12)) AND size > 3"),
        ("EPSG/0/3857", "S_INTERSECTS(geometry, BBOX(1100000, 1100000, 1200000, 1200000))"),
        ("EPSG/0/3857", f"S_WITHIN(geometry, {TRIANGLE})"),
    ],
)  # fmt: skip
def test_geometries_of_a_filter_may_be_in_another_reference_system(layer, crs, text):
    more = "&filter-crs=" + quote(f"http://www.opengis.net/def/crs/{crs}")
    assert found(layer, text, more) == {B}


@pytest.mark.parametrize("more", ["&filter-lang=ecql", "&filter-crs=EPSG:1", "&filter-crs="])
def test_another_language_or_reference_system_is_refused_by_name(layer, more):
    said = answer(layer, "size = 1", more)
    assert said.status_code == 400
    problem = json.loads(said.data)
    assert problem["parameter"] == more[1:].partition("=")[0]
    assert problem["allowed"]


def test_pages_of_a_filter_are_linked_with_its_language(layer):
    tree = json.dumps({"op": ">=", "args": [{"property": "row"}, 0]})
    rows, page = set(), answer(layer, tree, "&filter-lang=cql2-json&limit=4")
    for _ in range(2):
        said = json.loads(page.data)
        rows |= {feature["properties"]["row"] for feature in said["features"]}
        following = [link["href"] for link in said["links"] if link["rel"] == "next"]
        page = layer.get(following[0]) if following else page
    assert rows == set(range(len(ROWS)))
