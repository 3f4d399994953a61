"""What is said wrongly is named, with what is allowed; what fails says why; what is there stays."""

from __future__ import annotations

import errno
import json
import sqlite3
from pathlib import Path

import pytest
from click.testing import CliRunner

from geoshare.client import Client, ClientError
from geoshare.client import client as calls
from geoshare.client.command import area
from geoshare.client.folder import STATE, alone
from geoshare.client.sync import sync
from geoshare.services.keeping import make_worker
from tests.client.serving import row, serving, working

BOX = (139.6995, 35.59, 139.7055, 35.61)


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("served")) as found:
        found.publish()
        yield found


@pytest.fixture
def said(served, tmp_path):
    """Run the command line in a folder; what it says on its way to exit code 1."""
    key = tmp_path / "key"
    key.write_text(served.own.keys["municipal"])
    usual = {
        "--server": served.url,
        "--key-file": str(key),
        "--area": "139.6,35.5,139.8,35.7",
        "--collections": "shelters",
    }

    def run(folder: Path = tmp_path / "out", **other: str) -> str:
        asked = usual | {f"--{name.replace('_', '-')}": value for name, value in other.items()}
        found = CliRunner().invoke(
            area, [str(folder), *(part for pair in asked.items() for part in pair)]
        )
        assert found.exit_code != 0, found.output
        return found.output

    return run


@pytest.mark.parametrize(
    ("box", "why"),
    [
        ("1,2,3", "--area: 1,2,3 is no box of four numbers (allowed: W,S,E,N in degrees"),
        ("nothing.geojson", "--area: nothing.geojson is neither four numbers nor a file"),
        ("139,nan,140,36", "--area: The area 139.0,nan,140.0,36.0 has a number that is none"),
        ("139,36,140,35", "has its south above its north (allowed: west,south,east,north"),
        ("139,35,500,36", "lies outside the world"),
    ],
)
def test_an_area_that_is_none_is_named(said, box, why):
    assert why in said(area=box)


def test_a_file_without_a_place_and_one_that_is_no_geojson_are_named(said, tmp_path):
    for content, why in (
        ('{"type": "FeatureCollection", "features": []}', "no place"),
        ("<", "no GeoJSON"),
    ):
        path = tmp_path / "area.json"
        path.write_text(content)
        assert why in said(area=str(path))


def test_other_options_are_named_with_what_they_may_be(said, served, tmp_path):
    assert "'--format'" in said(format="shape")
    assert "nothing is no collection that you see" in said(collections="shelters,nothing")
    assert "shelters" in said(collections="nothing").rpartition("allowed: ")[2]
    assert "--key-file" in said(key_file=str(tmp_path / "none"))
    (tmp_path / "empty").write_text("\n")
    assert "holds no key" in said(key_file=str(tmp_path / "empty"))
    (tmp_path / "wrong").write_text("gs_wrong")
    assert "--key-file: " in said(key_file=str(tmp_path / "wrong"))
    assert "--server: " in said(server="gopher://x")


def test_a_server_that_is_none_or_does_not_answer_is_named(said, tmp_path, monkeypatch):
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    monkeypatch.setattr("geoshare.client.http.TRIES", 2)
    assert "http://127.0.0.1:1 does not answer" in said(server="127.0.0.1:1")
    assert not (tmp_path / "out" / "map.gpkg").exists()


def test_a_folder_that_holds_other_things_is_left_as_it_is(said, tmp_path):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "map.gpkg").write_text("mine")
    found = said(tmp_path / "thesis")
    assert "FOLDER: " in found
    assert "nobody's synchronisation: map.gpkg (allowed: a new or an empty folder" in found
    assert [path.name for path in (tmp_path / "thesis").iterdir()] == ["map.gpkg"]
    (tmp_path / "file").write_text("")
    with pytest.raises(ClientError, match="is no folder"):
        sync(Client("http://127.0.0.1:1"), tmp_path / "file", None)


def test_a_folder_is_one_process_s_at_a_time(served, tmp_path):
    (tmp_path / STATE).mkdir()
    with alone(tmp_path / STATE), pytest.raises(ClientError, match="by another process"):
        sync(served.client, tmp_path, BOX, collections=["shelters"])
    assert sync(served.client, tmp_path, BOX, collections=["shelters"]).written


def test_a_key_that_may_not_follow_changes_is_told_so(served, tmp_path, monkeypatch):
    def hidden(*said: object, **more: object) -> None:
        raise ClientError("No such collection", 404)

    with monkeypatch.context() as patched:
        patched.setattr(served.client, "changes", hidden)
        with pytest.raises(ClientError, match="action stream") as found:
            sync(served.client, tmp_path, BOX)
    assert found.value.parameter == "key"


def test_a_full_disk_leaves_the_copy_and_the_next_call_goes_on(served, tmp_path, monkeypatch):
    sync(served.client, tmp_path, BOX, collections=["shelters"])
    before = (tmp_path / "map.gpkg").read_bytes()
    served.rows[2] = row(2, 2, "while the disk was full")
    served.publish()

    def full(*said: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "map.gpkg")

    with monkeypatch.context() as patched:
        patched.setattr("geoshare.client.frames.write_gpkg", full)
        with pytest.raises(ClientError, match="No space left on device") as found:
            sync(served.client, tmp_path, BOX, collections=["shelters"])
    assert found.value.parameter == "folder"
    assert (tmp_path / "map.gpkg").read_bytes() == before
    copied = (tmp_path / STATE / "copy.sqlite").stat().st_ino

    def no_room(*said: object, **more: object) -> None:
        error = sqlite3.OperationalError("database or disk is full")
        error.sqlite_errorname = "SQLITE_FULL"
        raise error

    with monkeypatch.context() as patched:
        patched.setattr("geoshare.client.store.Store.apply", no_room)
        served.rows[1] = row(1, 1, "another")
        served.publish()
        with pytest.raises(ClientError, match="disk is full"):
            sync(served.client, tmp_path, BOX, collections=["shelters"])
    assert (tmp_path / STATE / "copy.sqlite").stat().st_ino == copied  # nothing was thrown away
    later = sync(served.client, tmp_path, BOX, collections=["shelters"])
    assert later.written
    assert later.received < 5_000


def test_another_area_in_the_same_folder_takes_the_place_of_the_first(served, tmp_path):
    sync(served.client, tmp_path, BOX, collections=["shelters"])
    found = sync(served.client, tmp_path, None, collections=["shelters"])
    assert found.changed == {"shelters": len(served.rows)}


# contributions


def test_a_check_contributes_nothing_and_comes_back(served, tmp_path):
    client = Client(served.url, served.own.keys["provider"], pause=lambda seconds: None)
    path = tmp_path / "places.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [row(1, 1, "checked")]}))
    rows = served.own.services.record.row_counts()
    with working(served.own):
        within = (139, 35, 140, 36)
        found = client.contribute(
            path, collection="places", check_only=True, complete=True, within=within
        )
    assert (found["status"], found["report"]["taken"]) == ("checked", {"places": 1})
    assert served.own.services.record.row_counts() == rows
    assert served.own.items("places") == []
    client.http.close()


def test_a_refused_contribution_comes_back_with_its_reason(served, tmp_path):
    client = Client(served.url, served.own.keys["provider"], pause=lambda seconds: None)
    path = tmp_path / "broken.geojson"
    path.write_text("{")
    with working(served.own):
        found = client.contribute(path, collection="places")
    assert found["status"] == "refused"
    assert found["error"]["message"]
    assert found["message"] == f"Nothing was taken: {found['error']['message']}"
    assert found["message_ja"].startswith("何も取り込んでいません: ")
    client.http.close()


def test_observations_are_sent_again_while_the_server_is_busy_and_taken_once(served, monkeypatch):
    waits: list[float] = []
    client = Client(served.url, served.own.keys["provider"], pause=waits.append)
    whole, keys = served.own.client.application, []

    def busy(environ, start_response):
        keys.append(environ["HTTP_IDEMPOTENCY_KEY"])
        if len(keys) < 3:
            environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
            start_response("503 Busy", [("Retry-After", "7")])
            return [b"{}"]
        return whole(environ, start_response)

    monkeypatch.setattr(served.own.client, "application", busy)
    found = client.observe([row(1, 1, "a")], "places", accuracy_m=0.5)
    assert found["status"] == "received"
    assert (waits, len(keys), len(set(keys))) == ([7.0, 7.0], 3, 1)
    client.http.close()


def test_work_that_fails_raises_with_the_server_s_reason(served, tmp_path, monkeypatch):
    client = Client(served.url, served.own.keys["municipal"], pause=lambda seconds: None)
    worker = make_worker(served.own.services)

    def gone(*said: object) -> None:
        raise calls.ClientError("The scene has gone", parameter="collections", allowed="another")

    monkeypatch.setattr(served.own.services.extracts, "run", gone)
    client.pause = lambda seconds: worker.run_one()
    with pytest.raises(ClientError) as found:
        client.extract(["shelters"], tmp_path / "x.zip")
    assert str(found.value) == "collections: The scene has gone (allowed: another)"
    assert not (tmp_path / "x.zip").exists()
    client.http.close()


@pytest.mark.parametrize(
    ("found", "text"),
    [
        ({"status": "failed", "error": {"code": "x", "message": "No room"}}, "No room"),
        (
            {
                "status": "failed",
                "error": {"message": "Too large", "parameter": "bbox", "allowed": "less"},
            },
            "bbox: Too large (allowed: less)",
        ),
        ({"status": "failed", "error": {"code": "x"}}, "failed"),
        ({"status": "failed", "error": "just words"}, "just words"),
        ({"status": "cancelled", "message": ""}, "cancelled"),
    ],
)
def test_the_reason_of_a_failure_is_readable_whatever_form_it_has(found, text):
    client = Client("http://127.0.0.1:1")
    client.http.get = lambda path: type("Said", (), {"json": lambda self: found})()
    with pytest.raises(ClientError) as raised:
        client._waited("/jobs/1", ("done",))
    assert str(raised.value) == text
