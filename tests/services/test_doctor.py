"""``geoshare doctor`` names what is wrong with every collection, and is not stopped by any of it."""

from __future__ import annotations

import json

import pytest

from geoshare.errors import Unavailable
from geoshare.services.doctor import doctor
from tests.api.conftest import own  # noqa: F401 - a fixture


def damage(kind, folder):
    part = next(folder.glob("*.arrow"))
    if kind == "truncated":
        part.write_bytes(part.read_bytes()[:-100])
    elif kind == "emptied":
        part.write_bytes(b"")
    elif kind == "missing":
        part.unlink()
    elif kind == "no JSON":
        (folder / "manifest.json").write_text("hello")
    else:
        (folder / "manifest.json").write_text("{}")


def contribute(into, folder, *names):
    for name in names:
        shape = {"type": "Point", "coordinates": [139.7, 35.6]}
        feature = {"type": "Feature", "id": "1", "properties": {"name": "x"}, "geometry": shape}
        file = folder / f"{name}.geojson"
        file.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
        into.contribute(file, collection=name)


@pytest.mark.parametrize("kind", ["truncated", "emptied", "missing", "no JSON", "no manifest"])
def test_every_damaged_collection_is_named_in_a_line(own, tmp_path, kind):  # noqa: F811
    contribute(own, tmp_path, "connectors", "places")
    assert doctor(own.services) == []
    for name in ("connectors", "places"):
        damage(kind, own.settings.data / "packs" / name)
    found = doctor(own.services)
    assert [line.split(":")[0] for line in found] == ["connectors", "places"]


def test_a_pack_without_a_manifest_is_named(own, tmp_path):  # noqa: F811
    contribute(own, tmp_path, "connectors", "places")
    (own.settings.data / "packs" / "places" / "manifest.json").unlink()
    [line] = doctor(own.services)
    assert line.startswith("places: its manifest is missing")


@pytest.mark.parametrize("content", [None, "{"])
def test_a_state_of_publishing_that_is_missing_or_torn_is_named(own, tmp_path, content):  # noqa: F811
    contribute(own, tmp_path, "places")
    state = own.settings.data / "packs" / "published.json"
    state.unlink()
    if content is not None:
        state.write_text(content)
    [line] = doctor(own.services)
    assert line.startswith("published.json is missing or torn")


def test_each_missing_file_of_a_view_is_named(own, tmp_path):  # noqa: F811
    contribute(own, tmp_path, "places")
    views = own.settings.data / "views"
    manifests = sorted(views.glob("*/places.json"))
    selections = sorted(views.glob("*/places/*.bits"))
    assert len(manifests) > 1
    assert selections
    manifests[0].unlink()
    kept = [path for path in selections if path.parent.parent.name != manifests[0].parent.name]
    kept[0].unlink()
    found = doctor(own.services)
    which = manifests[0].parent.name[:12]
    assert f"places: view {which}: its manifest is missing" in found
    which = kept[0].parent.parent.name[:12]
    assert f"places: view {which}: selection {kept[0].name} is missing" in found
    assert len(found) == 2


def test_a_missing_part_that_a_view_alone_names_is_named(own, tmp_path):  # noqa: F811
    contribute(own, tmp_path, "places")
    manifest = next(iter((own.settings.data / "views").glob("*/places.json")))
    said = json.loads(manifest.read_text())
    said["base"][0]["path"] = "places/gone.arrow"
    manifest.write_text(json.dumps(said))
    [line] = doctor(own.services)
    assert line.startswith(f"places: view {manifest.parent.name[:12]}: part gone.arrow")


def test_broken_rules_for_merging_are_named_by_their_key_to_the_operator_alone(own, tmp_path):  # noqa: F811
    contribute(own, tmp_path, "places")
    (own.settings.data / "foundation.toml").write_text('[default]\ngeometry = ["beauty"]\n')
    [line] = doctor(own.services)
    assert line.startswith("foundation.toml cannot be understood: default.geometry.0: ")
    assert "pydantic" not in line
    with pytest.raises(Unavailable) as caught:
        own.services.foundation()
    assert "beauty" not in str(caught.value)
    assert "foundation.toml" not in str(caught.value)
    (own.settings.data / "foundation.toml").write_text('[default]\ngeometry = ["recency"]\n')
    assert own.services.foundation().default.geometry == ("recency",)
    assert doctor(own.services) == []
