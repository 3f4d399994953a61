"""Extracts before and after they are made: what they would be, the same once more, who is told."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from typing import Any

import pytest
from click.testing import CliRunner

from geoshare.cli import main
from geoshare.services.keeping import make_worker
from tests.api.conftest import Own
from tests.api.test_faults import places
from tests.services.test_webhooks import LOOPBACK, Hooked, Receiver, receiver  # noqa: F401

ASKED = {"collections": ["places"], "format": "csv"}


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Own:
    folder = tmp_path_factory.mktemp("own")
    found = Own(folder / "data", webhooks=True, webhook_networks=(LOOPBACK,))
    found.contribute(places(folder, 0), collection="places")
    worker = make_worker(found.services)
    found.services.extracts.pause = lambda wait_s: worker.run_one()
    return found


def post(own: Own, path: str, said: dict[str, Any] | None = None, key: str = "operator") -> Any:
    headers = {"X-API-Key": own.keys.get(key, key)} if key else {}
    return own.client.post(path, json=said, headers=headers)


def jobs(own: Own, form: str) -> list[dict[str, Any]]:
    """Extracts of one format; each test has one of its own."""
    return [job for job in own.get("/jobs").json["jobs"] if job["request"]["format"] == form]


def test_an_estimate_says_what_it_would_be_and_makes_nothing(own):
    answer = post(own, "/extracts/estimate", ASKED)
    assert answer.status_code == 200
    count = len(own.items("places"))
    assert answer.json["features"] == count
    assert answer.json["at_once"]
    assert answer.json["cost"] == 10 + -(-count // 1_000)
    assert answer.json["collections"][0]["id"] == "places"
    assert not jobs(own, "csv")
    content = post(own, "/extracts", ASKED).data
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        size = archive.getinfo("places.csv").file_size
    assert size / 5 < answer.json["size_about"] < size * 5


def test_an_estimate_counts_what_the_filter_leaves_in_either_language(own):
    every = [item["geometry"]["coordinates"][0] for item in own.items("places")]
    text = "S_INTERSECTS(geometry, BBOX(138.9, 34.9, 139.0035, 35.1))"
    box = {"bbox": [138.9, 34.9, 139.0035, 35.1]}
    tree = {"op": "s_intersects", "args": [{"property": "geometry"}, box]}
    count = sum(lon <= 139.0035 for lon in every)
    assert 0 < count < len(every)
    ways = (
        {"filter": text},
        {"filter": tree},
        {"filter": {"places": tree}},
        {"filter": json.dumps(tree), "filter-lang": "cql2-json"},
    )
    for way in ways:
        said = post(own, "/extracts/estimate", ASKED | way)
        assert said.status_code == 200, said.data
        assert said.json["features"] == count, way
        with zipfile.ZipFile(io.BytesIO(post(own, "/extracts", ASKED | way).data)) as archive:
            assert len(archive.read("places.csv").decode().splitlines()) == count + 1
    for wrong in (
        {"filter": tree["args"]},
        {"filter": {"places": 1}},
        {"filter": {"op": "in", "args": []}},
    ):
        refused = post(own, "/extracts/estimate", ASKED | wrong)
        assert (refused.status_code, refused.json["parameter"]) == (400, "filter"), wrong


def test_it_is_too_late_to_cancel_what_is_done_and_the_answer_says_so(own):
    asked = {**ASKED, "format": "geojsonseq"}
    content = post(own, "/extracts", asked).data
    [job] = jobs(own, "geojsonseq")
    headers = {"X-API-Key": own.keys["operator"]}
    late = own.client.delete(f"/jobs/{job['id']}", headers=headers)
    assert late.status_code == 409
    assert "done" in late.json["detail"]
    assert own.get(f"/jobs/{job['id']}/result").data == content
    again = own.client.post("/extracts", json=asked, headers={**headers, "Prefer": "respond-async"})
    assert (again.status_code, again.json["job"]) == (202, job["id"])
    assert again.json["status"] == "done"


def test_a_job_that_is_cancelled_while_it_is_made_leaves_no_file(own, monkeypatch):
    extracts = own.services.extracts
    asked = {**ASKED, "format": "arrow"}
    headers = {"X-API-Key": own.keys["operator"]}
    run = extracts.run

    def cancelled(job: Any, progress: Any) -> dict[str, Any]:
        found = run(job, progress)
        assert own.client.delete(f"/jobs/{job.id}", headers=headers).status_code == 204
        extracts.path_of(job).write_bytes(b"made after")
        return found

    monkeypatch.setattr(extracts, "run", cancelled)
    answer = post(own, "/extracts", asked)
    assert (answer.status_code, answer.json["status"]) == (202, "cancelled")
    job = own.services.queue.get(answer.json["job"])
    assert job.state == "cancelled"
    assert not extracts.path_of(job).exists()
    assert own.get(f"/jobs/{job.id}/result").status_code == 404


def test_the_same_request_is_the_same_job_until_something_changes(own, tmp_path):
    fgb = {**ASKED, "format": "fgb"}
    first = post(own, "/extracts", fgb)
    again = post(own, "/extracts", fgb)
    assert first.data == again.data
    [job] = jobs(own, "fgb")
    assert job["request"]["collections"] == ["places"]
    own.contribute(places(tmp_path, 1), collection="places")
    later = post(own, f"/extracts/{job['id']}/again")
    assert later.status_code == 200
    assert later.data != first.data
    assert len(jobs(own, "fgb")) == 2
    assert post(own, f"/extracts/{job['id']}/again").data == later.data
    assert post(own, f"/extracts/{job['id']}/again", key="developer").status_code == 404
    assert post(own, "/extracts/nothing/again").status_code == 404


def test_a_broken_download_goes_on_where_it_stopped(own):
    whole = post(own, "/extracts", {**ASKED, "format": "parquet"})
    [job] = jobs(own, "parquet")
    headers = {"X-API-Key": own.keys["operator"], "Range": "bytes=100-"}
    rest = own.client.get(f"/jobs/{job['id']}/result", headers=headers)
    assert rest.status_code == 206
    assert whole.data[100:] == rest.data


def test_an_extract_is_verified_without_a_server_and_a_changed_one_is_not(own, tmp_path):
    path = tmp_path / "extract.zip"
    path.write_bytes(post(own, "/extracts", ASKED).data)
    key = own.get("/audit/vkey", None).text.strip()
    run = CliRunner().invoke
    good = run(main, ["verify", str(path), "--vkey", key])
    assert good.exit_code == 0, good.output
    assert "everything is in order" in good.output
    assert "signed by" in good.output
    folder = tmp_path / "opened"
    with zipfile.ZipFile(path) as archive:
        archive.extractall(folder)
    named = run(main, ["verify", str(folder)])
    assert named.exit_code == 0
    assert "compare it" in named.output
    (folder / "places.csv").write_bytes(b"other")
    assert "places.csv is not the file" in run(main, ["verify", str(folder)]).output
    manifest = json.loads((folder / "manifest.json").read_bytes())
    entry = next(item for item in manifest["files"] if item["name"] == "places.csv")
    entry["sha256"] = hashlib.sha256(b"other").hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest))
    forged = run(main, ["verify", str(folder), "--vkey", key])
    assert forged.exit_code == 1
    assert "The signature is of another manifest" in forged.output


def test_a_webhook_is_told_that_an_extract_is_ready(own, receiver):  # noqa: F811
    hooked = Hooked(own, receiver, "operator")
    wrong = post(own, "/extracts", {**ASKED, "notify": "nothing"}, hooked.key)
    assert (wrong.status_code, wrong.json["parameter"]) == (400, "notify")
    stranger = post(own, "/extracts", {**ASKED, "notify": hooked.said["id"]}, "operator")
    assert stranger.data == wrong.data
    answer = post(own, "/extracts", {**ASKED, "notify": hooked.said["id"]}, hooked.key)
    assert answer.status_code == 200
    notices = [job for job in own.services.queue.newest("org-hook") if job.kind == "extract-notice"]
    assert len(notices) == 1
    own.services.extracts.tell(notices[0], lambda fraction, text="": None)
    [(headers, body)] = receiver.got
    said = json.loads(body)
    assert said["type"] == "org.geoshare.extract.ready"
    assert said["data"]["status"] == "done"
    found = own.client.get(said["data"]["result"], headers={"X-API-Key": hooked.key})
    assert found.data == answer.data
    assert headers["webhook-signature"].startswith("v1,")


def test_the_command_line_makes_a_sealed_extract(own, tmp_path, monkeypatch):
    monkeypatch.setenv("GEOSHARE_DATA", str(own.settings.data))
    target = tmp_path / "out.zip"
    run = CliRunner().invoke
    said = ["extract", str(target), "--collections", "places", "-f", "xlsx", "--tier", "operator"]
    made = run(main, said)
    assert made.exit_code == 0, made.output
    assert run(main, ["verify", str(target)]).exit_code == 0
    wrong = run(main, [*said, "--crs", "EPSG:1"])
    assert wrong.exit_code != 0
