"""One collection that cannot be read takes nothing else with it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from geoshare.app import create_app
from geoshare.services import build_services
from tests.api.conftest import Own


def contribute(own: Own, folder: Path, *names: str) -> None:
    for name in names:
        shape = {"type": "Point", "coordinates": [139.7, 35.6]}
        feature = {"type": "Feature", "id": "1", "properties": {"name": "here"}, "geometry": shape}
        file = folder / f"{name}.geojson"
        file.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
        own.contribute(file, collection=name)


def start_again(own: Own) -> None:
    """What a new web worker would open."""
    own.services = build_services(own.settings)
    own.client = create_app(own.settings, own.services).test_client()


def tear_parts(data: Path) -> None:
    for part in (data / "packs" / "connectors").glob("*.arrow"):
        part.write_bytes(part.read_bytes()[:-50])


def tear_manifests(data: Path) -> None:
    for manifest in (data / "views").glob("*/connectors.json"):
        manifest.write_text("{}")


def empty_manifests(data: Path) -> None:
    for manifest in (data / "views").glob("*/connectors.json"):
        manifest.write_bytes(b"")


@pytest.mark.parametrize("damage", [tear_parts, tear_manifests, empty_manifests])
def test_the_list_still_names_it_and_its_own_resources_say_not_now(
    own: Own, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    contribute(own, tmp_path, "places", "connectors")
    before = {item["id"]: item for item in json.loads(own.get("/collections").data)["collections"]}
    damage(own.settings.data)
    start_again(own)
    answer = own.get("/collections")
    assert answer.status_code == 200
    after: dict[str, dict[str, Any]] = {
        item["id"]: item for item in json.loads(answer.data)["collections"]
    }
    assert after.keys() == before.keys()
    assert after["places"] == before["places"]
    if damage is tear_parts:
        assert after["connectors"] == before["connectors"]
    assert after["connectors"]["title"] == before["connectors"]["title"]
    for path in ("", "/items", "/schema", "/items/1", "/tiles"):
        assert own.get(f"/collections/connectors{path}").status_code == 503, path
    assert own.get("/tiles/connectors/10/909/403.mvt").status_code == 503
    assert len(own.items("places")) == 1
    found = json.loads(own.get("/search?q=here").data)["results"]
    assert [item["collection"] for item in found] == ["places"]
    for path in ("/", "/?f=html", "/me", "/openapi.json"):
        assert own.get(path).status_code == 200, path


def test_who_may_not_know_it_sees_the_same_list_byte_for_byte(own: Own, tmp_path: Path) -> None:
    contribute(own, tmp_path, "places", "lanes_secret")
    paths = ("/collections", "/collections/lanes_secret", "/", "/?f=html", "/openapi.json")
    before = {path: own.get(path, None) for path in paths}
    for part in (own.settings.data / "packs" / "lanes_secret").glob("*.arrow"):
        part.unlink()
    for manifest in (own.settings.data / "views").glob("*/lanes_secret.json"):
        manifest.write_bytes(b"")
    start_again(own)
    for path in paths:
        after = own.get(path, None)
        assert (after.status_code, after.data) == (before[path].status_code, before[path].data), path
