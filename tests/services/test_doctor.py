"""``geoshare doctor`` names what is wrong with every collection, and is not stopped by any of it."""

from __future__ import annotations

import json

import pytest

from geoshare.services.local import doctor
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


@pytest.mark.parametrize("kind", ["truncated", "emptied", "missing", "no JSON", "no manifest"])
def test_every_damaged_collection_is_named_in_a_line(own, tmp_path, kind):  # noqa: F811
    for name in ("connectors", "places"):
        shape = {"type": "Point", "coordinates": [139.7, 35.6]}
        feature = {"type": "Feature", "id": "1", "properties": {"name": "x"}, "geometry": shape}
        file = tmp_path / f"{name}.geojson"
        file.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
        own.contribute(file, collection=name)
    assert doctor(own.services) == []
    for name in ("connectors", "places"):
        damage(kind, own.settings.data / "packs" / name)
    found = doctor(own.services)
    assert [line.split(":")[0] for line in found] == ["connectors", "places"]
