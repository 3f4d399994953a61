"""Wherever deciding who may have what fails, the answer is 503 and holds no data."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from geoshare.access import build, views
from geoshare.access.audit import trail
from geoshare.access.audit.reads import Reads
from geoshare.access.holdings import Holdings
from geoshare.access.leases import FileLeases
from geoshare.access.view import View
from geoshare.access.views import Views
from geoshare.services import extracts
from geoshare.services.keeping import make_keeper, make_worker
from tests.api.conftest import Own

NAME = "第一広場"
SECRET = "/srv/secret/path"
PLACE = {
    "type": "Feature",
    "id": "p1",
    "properties": {"name": NAME, "rank": 1},
    "geometry": {"type": "Point", "coordinates": [139.7, 35.6]},
}
PATHS = (
    "/collections",
    "/collections/places",
    "/collections/places/schema",
    "/collections/places/items",
    "/collections/places/items?f=json&filter=rank%20%3D%201",
    "/tiles/places/10/909/403.mvt",
    "/tiles/places.json",
    "/collections/places/tiles/WebMercatorQuad/10/403/909",
    "/search?q=%E5%BA%83%E5%A0%B4",
)


class Broken(Exception):
    """Something that nobody foresaw."""


def fail(*_: Any, **__: Any) -> Any:
    raise Broken(SECRET)


@pytest.fixture
def town(own: Own, tmp_path: Path) -> Own:
    path = tmp_path / "places.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [PLACE]}), "utf-8")
    own.contribute(path, collection="places")
    own.client.application.config["PROPAGATE_EXCEPTIONS"] = False
    return own


def forget(own: Own) -> None:
    """As if every process had started anew and half a second were over."""
    own.services.policies.forget()
    own.services.policies._remembered, own.services.policies._standings = {}, {}
    own.services.authenticator.forget()
    own.services.views = Views(own.services.views_dir, own.services.packs_dir)


def check(answer: Any, path: str) -> None:
    assert answer.status_code == 503, path
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.headers["Cache-Control"] == "no-store"
    assert set(answer.json) <= {"type", "title", "status"}
    for word in (NAME, SECRET, "Broken", "places"):
        assert word.encode() not in answer.data


Break = Callable[[Own, pytest.MonkeyPatch], None]
STAGES: dict[str, Break] = {
    "the number of the policies": lambda own, patch: patch.setattr(
        own.services.governance.policies, "version", fail
    ),
    "the policies": lambda own, patch: patch.setattr(Holdings, "policy", fail),
    "what is held": lambda own, patch: patch.setattr(Holdings, "held", fail),
    "the rate": lambda own, patch: patch.setattr(own.services.quotas.limiter, "spend", _inside_access),
    "the view's manifest": lambda own, patch: patch.setattr(views, "read_manifest", fail),
    "the view's parts": lambda own, patch: patch.setattr(views, "open_part", fail),
    "the view's columns": lambda own, patch: patch.setattr(views, "restrict", fail),
    "the note of the read": lambda own, patch: patch.setattr(Reads, "count", fail),
}


def _inside_access(*_: Any) -> None:
    FileLeases.take(None, "key", 1, 1, 1)  # type: ignore[arg-type]


@pytest.mark.parametrize("key", [None, "developer", "operator"])
@pytest.mark.parametrize("stage", STAGES)
def test_a_failure_while_deciding_is_503_and_no_data(
    town: Own, stage: str, key: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert all(town.get(path, key).status_code == 200 for path in PATHS)
    forget(town)
    STAGES[stage](town, monkeypatch)
    told = ("/collections", "/search?q=%E5%BA%83%E5%A0%B4")  # noted nowhere: of no one collection
    for path in PATHS:
        if stage != "the note of the read" or path not in told:
            check(town.get(path, key), path)


def test_keys_that_cannot_be_looked_up_are_not_taken_on_trust(
    town: Own, monkeypatch: pytest.MonkeyPatch
) -> None:
    forget(town)
    monkeypatch.setattr(town.services.authenticator._remembered, "_read", fail)
    for path in PATHS:
        check(town.get(path, "developer"), path)
        assert town.get(path, None).status_code == 200


@pytest.mark.parametrize("way", ["search", "scan", "lookup"])
def test_a_view_that_fails_while_it_is_read_is_503(
    town: Own, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = town.items("places")[0]["id"]
    path = {
        "search": "/collections/places/items?bbox=139,35,140,36",
        "scan": "/collections/places/items",
        "lookup": f"/collections/places/items/{item}",
    }[way]
    assert town.get(path).status_code == 200
    monkeypatch.setattr("geoshare.access.view.in_order", fail)
    monkeypatch.setattr("geoshare.access.view.Layer.through", fail)
    assert hasattr(View, way)
    check(town.get(path), path)


def test_a_store_of_rates_that_cannot_be_written_still_counts(
    town: Own, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> Any:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(FileLeases, "_take", full)
    town.services.settings = town.services.settings.model_copy(update={"rate_per_minute": 4})
    town.services.policies._standings = {}
    said = [town.get("/conformance", None).status_code for _ in range(7_000)]
    assert 429 in said


def test_a_transform_that_fails_leaves_the_view_as_it_was_and_shows_nothing_new(
    town: Own, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for stage in ("write_settled", "treatments"):
        module = {"write_settled": "geoshare.access.settle", "treatments": "geoshare.access.draft"}
        with monkeypatch.context() as patch:
            patch.setattr(f"{module[stage]}.{stage}", fail)
            said = PLACE | {"id": stage, "properties": {"name": f"新 {stage}"}}
            path = tmp_path / f"{stage}.geojson"
            path.write_text(json.dumps({"type": "FeatureCollection", "features": [said]}), "utf-8")
            town.contribute(path, collection="places")
            names = {item["properties"]["name"] for item in town.items("places", None)}
            assert f"新 {stage}" not in names
            assert NAME in names
    keeper = make_keeper(town.services)
    with keeper.lock():
        keeper.publish(everything=True)
    assert len(town.items("places", None)) == 3


def test_a_view_that_cannot_be_built_is_503(town: Own, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new policy whose view fails in the making has none; it does not fall back to another's."""
    monkeypatch.setattr(build, "write_manifest", fail)
    town.local.agree("newcomer", ("municipal",), days=1, reason="a test")
    key = town.local.create_key("newcomer", ("municipal",), days=1)
    for path in town.services.views_dir.rglob("places.json"):
        path.unlink()
    keeper = make_keeper(town.services)
    with keeper.lock():
        keeper.publish(everything=True)
    forget(town)
    answer = town.client.get("/collections/places/items", headers={"X-API-Key": key})
    check(answer, "/collections/places/items")


def test_acts_that_cannot_be_noted_have_no_effect(town: Own, monkeypatch: pytest.MonkeyPatch) -> None:
    before = [key.id for key in town.services.governance.keys(None)]
    headers = {"X-API-Key": town.keys["developer"]}
    worker = make_worker(town.services)
    town.services.extracts.pause = lambda _: worker.run_one()
    monkeypatch.setattr(trail, "store", fail)
    for path, body in (
        ("/me/keys", {"days": 1}),
        ("/me/links", {"path": "/collections/places/items"}),
    ):
        check(town.client.post(path, headers=headers, json=body), path)
    assert [key.id for key in town.services.governance.keys(None)] == before
    wanted = {"collections": ["places"], "format": "geojson"}
    monkeypatch.setattr(extracts, "WAIT_S", 0.5)  # for a job that is tried again and again
    answer = town.client.post("/extracts", headers=headers, json=wanted)
    assert answer.status_code == 202
    assert town.client.get(f"/jobs/{answer.json['job']}/result", headers=headers).status_code == 404
    assert not list((town.settings.data / "extracts").glob("*.zip"))
