"""No name of a collection, a layer or a file reaches the disk outside the data folder."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import quote

import pytest

from geoshare.errors import BadRequest
from geoshare.jobs import Worker
from geoshare.model.collections import is_name, known
from geoshare.services.contribution_jobs import ContributionJobs
from geoshare.services.contributions import KIND
from geoshare.services.keeping import make_keeper
from tests.names import UNLAWFUL

QUERY = {name: quote(text, safe="", errors="surrogateescape") for name, text in UNLAWFUL.items()}
POINT = {
    "type": "Feature",
    "geometry": {"type": "Point", "coordinates": [139.5, 35.2]},
    "properties": {"kind": "x"},
}


def layer(name: str) -> bytes:
    """A GeoJSON file whose layer has that name."""
    said = {"type": "FeatureCollection", "name": name, "features": [POINT]}
    return json.dumps(said).encode("utf-8", "surrogatepass")


def around(own) -> list[Path]:
    """Everything beside the data folder."""
    data = own.settings.data
    found = (path for path in data.parent.rglob("*") if data not in path.parents)
    return sorted(path for path in found if path.name != "layer.geojson")


def post(own, path: str, body: bytes, **headers: str):
    said = {"X-API-Key": own.keys["operator"], **headers}
    return own.client.post(path, data=body, headers=said)


@pytest.mark.parametrize("name", QUERY.values(), ids=QUERY)
def test_a_contribution_to_an_unlawful_collection_is_refused_and_leaves_nothing(own, name):
    before, outside = own.state(), around(own)
    for path in ("/contributions", "/contributions/preview", "/contributions/uploads"):
        answer = post(
            own,
            f"{path}?collection={name}&filename=layer.geojson",
            layer("x"),
            **{"Upload-Length": "10"},
        )
        assert answer.status_code == 400, answer.data
        said = answer.get_json(force=True)
        assert said["parameter"] == "collection"
        assert said["allowed"]
    assert own.state() == before
    assert around(own) == outside
    assert not own.services.queue.newest(None, 10)


@pytest.mark.parametrize("name", UNLAWFUL.values(), ids=UNLAWFUL)
def test_the_command_line_refuses_an_unlawful_collection(own, tmp_path, name):
    path = tmp_path / "layer.geojson"
    path.write_bytes(layer("x"))
    before, outside = own.state(), around(own)
    with pytest.raises(BadRequest) as refused:
        own.contribute(path, collection=name)
    assert refused.value.parameter == "collection"
    assert own.state() == before
    assert around(own) == outside


@pytest.mark.parametrize("name", UNLAWFUL.values(), ids=UNLAWFUL)
def test_a_layer_of_any_name_is_kept_inside_and_shown_under_a_lawful_one(own, name):
    outside = around(own)
    answer = post(own, "/contributions?filename=layer.geojson", layer(name))
    assert answer.status_code == 202
    jobs = ContributionJobs(own.services, make_keeper(own.services))
    worker = Worker(own.services.governance.jobs, {KIND: jobs.run}, own.services.clock)
    assert worker.run_one()
    found = own.get(f"/contributions/{answer.get_json()['id']}").get_json()
    assert found["status"] == "done", found
    [collection] = found["report"]["taken"]
    assert is_name(collection)
    assert len(own.items(collection)) == 1
    assert around(own) == outside


def test_the_title_of_an_inferred_schema_is_what_the_source_calls_the_layer(own, tmp_path):
    path = tmp_path / "layer.geojson"
    path.write_bytes(layer("街路樹"))
    [collection] = own.contribute(path).taken
    assert collection not in known()
    answer = own.get(f"/collections/{collection}")
    assert answer.get_json()["title"] == "街路樹"


@pytest.mark.parametrize("name", QUERY.values(), ids=QUERY)
def test_who_asks_for_an_unlawful_collection_is_told_that_there_is_none(own, name):
    for template in (
        "/collections/{}/items",
        "/collections/{}/schema",
        "/tiles/{}.json",
        "/tiles/{}/3/1/1.mvt",
        "/raster/{}.json",
    ):
        answer = own.get(template.format(name))
        assert answer.status_code in (308, 400, 404, 405), (template, answer.status_code)
