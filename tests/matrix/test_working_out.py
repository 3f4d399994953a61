"""What is worked out of features, drawn on paper or packed in a page: of what the judge shows alone."""

from __future__ import annotations

import base64
import gzip
import itertools
import json
import re
from typing import Any

import openlr
import pyproj
import pytest
import shapely

from tests.matrix.asking import FOR_ALL, Ask, Principal, World, refused
from tests.matrix.judge import Shown
from tests.matrix.reading import ROUNDING, of_geojson, reach
from tests.matrix.test_matrix import ASKED, check_features, expected
from tests.matrix.world import PLACES, at

GEOD = pyproj.Geod(ellps="GRS80")
INSIDE, EDGE, BEYOND = at(-0.5, 0.45), at(0.99, 0.5), at(1.4, 0.7)
FAR_M = 150.0  # no farther from a position than its lanes are looked for


def position(place: tuple[float, float]) -> str:
    return ",".join(map(str, place))


def unlike(who: Principal, answer: Any, collection: str, action: str = "read") -> bool:
    """Whether it was answered that this is not held, or is not there; then rightly so."""
    drawn = action == "download" and collection == "satellite"  # which is told that it is no layer
    status = who.rights.status(action, collection, raster=drawn)
    if status == 200:
        return False
    assert answer.status_code == status, collection
    return True


def near(shown: Shown, place: tuple[float, float], metres: float) -> bool:
    found = shapely.Point(place).distance(shown.geometry)
    return bool(found <= metres / 80_000 + reach(shown) + ROUNDING)


@FOR_ALL
def test_a_position_is_found_on_what_is_shown_near_it(world: World, who: Principal) -> None:
    for collection, place in itertools.product(ASKED, (INSIDE, EDGE, BEYOND)):
        query = (("position", position(place)), ("accuracy", "50"), ("limit", "50"))
        answer = world.ask(who, Ask(f"/collections/{collection}/locate", query))
        if refused(who, answer.status_code):
            return
        if unlike(who, answer, collection) or answer.status_code == 400:
            continue
        assert answer.status_code == 200, (collection, answer.data)
        shown = expected(world, who, "read", collection)
        for item in answer.json["candidates"]:
            assert item["id"] in shown
            assert near(shown[item["id"]], place, 4 * FAR_M)
            on_it = shapely.Point(item["lon_lat"] if "lon_lat" in item else item["point"])
            assert on_it.distance(shown[item["id"]].geometry) <= reach(shown[item["id"]]) + ROUNDING


@FOR_ALL
def test_a_line_is_as_long_as_what_is_shown_of_it(world: World, who: Principal) -> None:
    shown = expected(world, who, "read", "segments")
    for (collection, _), number in world.ids.items():
        if collection != "segments":
            continue
        path = f"/collections/segments/items/{number}/along"
        answer = world.ask(who, Ask(path, (("at", "0.5"),)))
        if refused(who, answer.status_code):
            return
        if number not in shown:
            assert answer.status_code == (404 if who.rights.status("read", "segments") != 403 else 403)
            continue
        line = shown[number].geometry
        if line.geom_type != "LineString":
            assert answer.status_code in (200, 400)
        elif not shown[number].snap_m:
            assert answer.json["length_m"] == pytest.approx(GEOD.geometry_length(line), abs=0.05)
            assert shapely.Point(answer.json["point"]).distance(line) < ROUNDING


@FOR_ALL
def test_references_and_horizons_are_of_roads_that_are_shown(world: World, who: Principal) -> None:
    (west, south), (east, north) = INSIDE, BEYOND
    first = openlr.LocationReferencePoint(
        west, south, openlr.FRC.FRC7, openlr.FOW.UNDEFINED, 80, openlr.FRC.FRC7, 300
    )
    last = first._replace(lon=east, lat=north, lfrcnp=openlr.FRC.FRC7, dnp=0)
    text = openlr.binary_encode(openlr.LineLocationReference([first, last], 0.0, 0.0))
    for collection, (page, name, value) in itertools.product(
        ASKED, (("openlr", "reference", text), ("horizon", "lane", world.ids["segments", "s0"]))
    ):
        answer = world.ask(who, Ask(f"/collections/{collection}/{page}", ((name, value),)))
        if refused(who, answer.status_code):
            return
        if unlike(who, answer, collection):
            continue
        shown = expected(world, who, "read", collection)
        assert answer.status_code in (200, 400, 404), (collection, page)
        if answer.status_code == 200:
            found = [item["id"] for item in answer.json.get("ranges", answer.json.get("features"))]
            assert set(found) <= set(shown)


@FOR_ALL
def test_a_road_is_judged_by_what_is_shown_of_it_and_beside_it(world: World, who: Principal) -> None:
    roads, events = (expected(world, who, "read", name) for name in ("segments", "events"))
    missing = None
    for number in ("nothing", *(world.ids["segments", f"s{n}"] for n in range(12))):
        body = {"inputs": {"segment": number}}
        answer = world.ask(who, Ask("/processes/road-exposure/execution", (), "POST", body))
        if who.reads_only:
            assert answer.status_code == 401
            return
        if refused(who, answer.status_code):
            return
        missing = missing or answer.data
        if number not in roads:
            assert (answer.status_code, answer.data) == (404, missing)
            continue
        closures = answer.json["closures"]
        told = re.findall(r'"id": ?"([^"]+)"', json.dumps(closures))
        assert set(told) <= {*events, number}


@FOR_ALL
def test_a_print_draws_what_may_be_downloaded(world: World, who: Principal) -> None:
    box = list(PLACES["across"])
    for collection in ASKED:
        said = {"collections": [collection], "bbox": box, "shelter_list": False}
        answer = world.ask(who, Ask("/prints/estimate", (), "POST", said))
        if who.reads_only:
            assert answer.status_code == 401
            return
        if refused(who, answer.status_code):
            return
        if unlike(who, answer, collection, "download") or answer.status_code == 400:
            continue
        shown = expected(world, who, "download", collection)
        sheets = [shapely.Polygon(sheet["outline"]).buffer(0.002) for sheet in answer.json["sheets"]]
        most = sum(item.geometry.envelope.intersects(s) for item in shown.values() for s in sheets)
        assert 0 < answer.json["features"] <= most


@FOR_ALL
def test_a_page_of_its_own_holds_what_may_be_downloaded(world: World, who: Principal) -> None:
    for collection in ("segments", "buildings", "places", "nowhere_at_all"):
        box = PLACES["across"]
        said = {"collections": [collection], "format": "html", "bbox": list(box)}
        answer = world.ask(who, Ask("/extracts", (), "POST", said))
        if who.reads_only:
            assert answer.status_code == 401
            return
        if refused(who, answer.status_code):
            return
        roads = {"collections": [collection], "format": "opendrive"}
        assert world.ask(who, Ask("/extracts", (), "POST", roads)).status_code == 400
        if unlike(who, answer, collection, "download") or answer.status_code == 503:
            continue  # 503: pages that are not built
        held = who.rights.grants("download", collection)
        if all("html" not in grant.said.get("formats", ["html"]) for grant in held):
            assert answer.status_code == 400
            continue
        features, about = (_part(answer.data, name) for name in ("features", "about"))
        shown = expected(world, who, "download", collection)
        listed = {"features": features[collection]}
        check_features(of_geojson(listed), shown, shapely.box(*box))
        columns = set(who.rights.columns("download", collection))
        assert set(about["collections"][0]["schema"]["properties"]) - {"id", "geometry"} == columns


def _part(page: bytes, name: str) -> Any:
    found = re.search(rf'id="data-{name}">([^<]*)<'.encode(), page)
    assert found is not None
    return json.loads(gzip.decompress(base64.b64decode(found[1])))


@FOR_ALL
def test_nothing_is_shared_that_the_terms_let_nobody_pass_on(world: World, who: Principal) -> None:
    said = {"title": "x", "layers": ["events"], "bbox": list(PLACES["across"]), "hours": 1}
    answer = world.ask(who, Ask("/me/shares", (), "POST", said))
    if answer.status_code == 400:
        assert answer.json["parameter"] == "layers"
        assert answer.json["allowed"].startswith("nothing")
    else:
        assert answer.status_code in (401, 403)
    assert (answer.status_code == 401) == (
        who.refused or who.reads_only or who.name == "nobody in particular"
    )
