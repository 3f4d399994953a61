"""The catalogue of collections, as harvesters and catalogue clients read it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import rdflib
import shapely
from owslib.ogcapi.records import Records
from rdflib.namespace import DCAT, DCTERMS, RDF

from geoshare.model.box import Box
from geoshare.model.times import Interval
from geoshare.query.catalogue import Entry, Wanted, matching, record

RIGHTS = "http://publications.europa.eu/resource/authority/access-right/"
ITEMS = "/collections/catalogue/items"


def names(live_server: Any, query: str = "", key: str | None = None) -> list[str]:
    return [found["id"] for found in live_server.json(f"{ITEMS}?{query}", key)["features"]]


def collections(live_server: Any, key: str | None) -> set[str]:
    listed = live_server.json("/collections", key)["collections"]
    return {item["id"] for item in listed if item.get("itemType") != "record"}


@pytest.mark.parametrize("key", [None, "municipal", "operator"])
def test_there_is_one_record_of_each_collection_one_may_know_and_no_other(live_server, key):
    found = live_server.json(ITEMS, key)
    assert {item["id"] for item in found["features"]} == collections(live_server, key)
    assert found["numberMatched"] == found["numberReturned"] == len(found["features"])
    for item in found["features"]:
        alone = live_server.json(f"{ITEMS}/{item['id']}", key)
        assert alone["properties"] == item["properties"]
        assert all(link["href"].startswith(live_server.url) for link in alone["links"])


def test_a_hidden_collection_has_no_record_and_is_found_by_no_word(live_server):
    for name in ("lanes", "nonsense"):
        status, _, body = live_server.get(f"{ITEMS}/{name}")
        assert (status, body) == (404, live_server.get(f"{ITEMS}/other")[2])
    assert "people_flow" in names(live_server, "q=people", "operator")
    assert "people_flow" not in names(live_server, "q=people")


@pytest.mark.parametrize(
    "words", ["避難所", "ﾋﾅﾝｼﾞｮ,指定避難所", "SHELTERS", "nothing of the kind,shelter"]
)
def test_a_collection_is_found_by_its_titles_in_any_spelling(live_server, words):
    assert "shelters" in names(live_server, f"q={quote(words)}")


def test_a_collection_is_found_by_the_titles_of_the_properties_one_may_see(live_server):
    assert "shelters" in names(live_server, f"q={quote('避難者数')}")


def test_place_time_and_type_narrow_the_records(live_server):
    everything = set(names(live_server))
    assert set(names(live_server, "bbox=140.8,36.2,141,36.3")) <= everything
    assert names(live_server, "bbox=-10,-10,-9,-9") == []
    assert set(names(live_server, "type=dataset")) == everything
    assert names(live_server, "type=service") == []
    assert names(live_server, "ids=shelters,lanes,nonsense") == ["shelters"]
    assert "rain" not in names(live_server, "datetime=1990-01-01/1991-01-01")


def test_pages_follow_each_other_and_end(live_server):
    found, address = [], f"{live_server.url}{ITEMS}?limit=4&q={quote('地,の,a')}"
    while address:
        page = live_server.json(address.removeprefix(live_server.url))
        found += [item["id"] for item in page["features"]]
        address = next((link["href"] for link in page["links"] if link["rel"] == "next"), "")
    assert found == names(live_server, f"q={quote('地,の,a')}")
    assert len(found) > 4
    beyond = live_server.json(f"{ITEMS}?limit=1&offset={len(names(live_server))}")
    assert beyond["features"] == []
    assert "next" not in {link["rel"] for link in beyond["links"]}


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("bbox=1,2,3", "bbox"),
        ("limit=0", "limit"),
        ("offset=-1", "offset"),
        ("f=xml", "f"),
        ("x=1", "x"),
    ],
)
def test_a_wrong_parameter_is_named(live_server, query, parameter):
    status, _, body = live_server.get(f"{ITEMS}?{query}")
    assert (status, json.loads(body)["parameter"]) == (400, parameter)


def test_a_client_of_the_standard_finds_the_catalogue_and_its_records(live_server):
    client = Records(live_server.url + "/")
    assert client.records() == ["catalogue"]
    assert client.collection("catalogue")["itemType"] == "record"
    found = client.collection_items("catalogue", q="shelters", limit=5)
    assert "shelters" in [item["id"] for item in found["features"]]
    assert client.collection_item("catalogue", "shelters")["properties"]["type"] == "dataset"


@pytest.mark.parametrize("key", [None, "operator"])
def test_dcat_is_linked_data_that_says_who_may_have_what(live_server, key):
    document = live_server.json("/dcat", key)
    graph = rdflib.Graph().parse(data=json.dumps(document), format="json-ld")
    (catalog,) = graph.subjects(RDF.type, DCAT.Catalog)
    datasets = {
        str(graph.value(item, DCTERMS.identifier)): item
        for item in graph.objects(catalog, DCAT.dataset)
    }
    assert set(datasets) == collections(live_server, key)
    opened = collections(live_server, None)
    for name, item in datasets.items():
        said = str(graph.value(item, DCTERMS.accessRights)).removeprefix(RIGHTS)
        assert said == ("PUBLIC" if name in opened else "RESTRICTED")
        languages = {title.language for title in graph.objects(item, DCTERMS.title)}
        assert languages == {"en", "ja"} or name in ("segments",)
        for way in graph.objects(item, DCAT.distribution):
            assert graph.value(way, DCAT.accessURL)
            assert graph.value(way, DCTERMS.license)
    shelters = graph.value(datasets["shelters"], DCTERMS.spatial)
    extent = live_server.json("/collections/shelters", key)["extent"]["spatial"]["bbox"][0]
    drawn = shapely.from_wkt(str(graph.value(shelters, DCAT.bbox)))
    assert drawn.bounds == pytest.approx(extent, abs=1e-4)


def test_nobody_can_contribute_a_collection_of_that_name(own, tmp_path: Path):
    path = tmp_path / "catalogue.csv"
    path.write_text("id,name,lon,lat\na,b,139,35\n", "utf-8")
    with pytest.raises(Exception, match="collection"):
        own.contribute(path, collection="catalogue", crs="EPSG:4326")


def entry(**said: Any) -> Entry:
    plain: dict[str, Any] = dict.fromkeys(("title", "title_ja", "description", "description_ja"), "")
    return Entry(
        **plain,
        id="a",
        keywords=(),
        kind="vector",
        licences=("CC0-1.0",),
        access="open",
        **{"box": None, "interval": None, **said},
    )


def test_a_box_across_the_antimeridian_is_two_polygons_and_met_from_both_sides():
    item = entry(box=Box(170, -10, -170, 10))
    drawn = shapely.geometry.shape(record(item, [])["geometry"])
    assert drawn.geom_type == "MultiPolygon"
    assert drawn.area == pytest.approx(400)
    for west, east, met in ((175, 176, True), (-176, -175, True), (160, -179, True), (0, 10, False)):
        assert bool(matching([item], Wanted(box=Box(west, 0, east, 1)))) == met


def test_what_has_no_place_is_in_no_box_and_what_has_no_time_is_of_all_times():
    assert matching([entry()], Wanted(box=Box(-180, -90, 180, 90))) == []
    assert matching([entry()], Wanted(interval=Interval(0, 1)))
    timed = entry(interval=(10, 20))
    for start, end, found in ((20, 30, True), (21, 30, False), (None, 10, True), (None, 9, False)):
        assert bool(matching([timed], Wanted(interval=Interval(start, end)))) == found
