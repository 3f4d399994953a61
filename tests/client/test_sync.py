"""The client against a real application: copies, synchronised files and uploads that survive breaks."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path
from typing import Any

import geopandas
import pytest
from click.testing import CliRunner

from geoshare.client import Client, ClientError, transfer
from geoshare.client.command import area
from geoshare.client.folder import STATE
from geoshare.client.store import Store
from geoshare.client.sync import sync
from geoshare.services.keeping import make_worker
from tests.client.serving import row, serving

BOX = (139.6995, 35.59, 139.7055, 35.61)


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("served")) as found:
        found.publish()
        yield found


def in_file(folder: Path) -> dict[str, str]:
    frame = geopandas.read_file(folder / "map.gpkg", layer="shelters")
    return dict(zip(frame["feature_id"], frame["name"], strict=True))


def test_pages_follow_each_other_and_a_copy_follows_the_changes(served):
    client, rng = served.client, random.Random(3)
    assert len(list(client.items("shelters", page=5))) == len(served.rows)
    copies = [client.copy("shelters", box) for box in (None, BOX)]
    for _ in range(3):
        for _ in range(3):
            at = rng.randint(0, 14)
            served.rows[at] = row(at, rng.randint(0, 10), rng.choice("abc"))
        served.publish()
        for copied in copies:
            client.update(copied)
            shown = {item["id"]: item for item in client.items("shelters", copied.bbox)}
            assert copied.features == shown
    frame = client.frame("shelters", BOX)
    assert dict(frame["name"]) == served.names(BOX)
    assert frame.crs == "OGC:CRS84"


def test_files_are_fetched_once_then_brought_forward_and_mended(served, tmp_path):
    client = served.client

    def run(**said: Any):
        return sync(client, tmp_path, BOX, collections=["shelters"], **said)

    first = run()
    assert first.written
    assert in_file(tmp_path) == served.names(BOX)
    served.paths.clear()
    second = run()
    assert (second.written, second.changed) == (False, {})
    assert served.paths == ["GET /changes"]
    assert second.received < 1_000
    served.rows[3] = row(3, 2, "moved")
    served.publish()
    served.paths.clear()
    third = run()
    assert third.changed == {"shelters": 1}
    assert served.paths == ["GET /changes", "GET /collections/shelters/changes"]
    assert in_file(tmp_path) == served.names(BOX)
    (tmp_path / "map.gpkg").write_bytes(b"torn")
    assert run().written
    assert in_file(tmp_path) == served.names(BOX)
    damage(tmp_path)
    assert run(verify=True).changed == {"shelters": 1}
    assert in_file(tmp_path) == served.names(BOX)
    (tmp_path / STATE / "copy.sqlite").write_bytes(b"no database" * 1000)
    for name in ("copy.sqlite-wal", "copy.sqlite-shm"):
        (tmp_path / STATE / name).unlink(missing_ok=True)
    assert run().written
    assert in_file(tmp_path) == served.names(BOX)


def damage(folder: Path) -> None:
    """Change one feature of the copy behind its back."""
    store = Store(folder / STATE / "copy.sqlite")
    first = "(select min(id) from features)"
    store._base.execute(
        f"update features set body = cast(replace(body, 'name', 'game') as blob) where id = {first}"
    )
    assert len(store.damaged("shelters")) == 1
    store.close()


def test_an_interruption_leaves_a_copy_that_is_gone_on_with(served, tmp_path):
    sync(served.client, tmp_path, None, collections=["shelters"])
    served.rows[1] = row(1, 1, "once more")
    served.publish()
    served.client.http._pause = interrupt
    served.breaks = ["GET"]
    with pytest.raises(KeyboardInterrupt):
        sync(served.client, tmp_path, None, collections=["shelters"])
    served.client.http._pause = lambda seconds: None
    served.breaks = ["GET"]  # a line that breaks is only tried again
    assert sync(served.client, tmp_path, None, collections=["shelters"]).changed == {"shelters": 1}
    assert in_file(tmp_path) == served.names()


def interrupt(seconds: float) -> None:
    raise KeyboardInterrupt


def test_a_file_goes_up_in_pieces_and_on_where_it_was_interrupted(served, tmp_path, monkeypatch):
    monkeypatch.setattr(transfer, "PIECE", 400)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    client = Client(served.url, served.own.keys["provider"], pause=lambda seconds: None)
    path = tmp_path / "places.geojson"
    features = [row(at, at, f"place {at}") for at in range(10)]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), "utf-8")
    seen: list[float] = []

    def progress(fraction: float) -> None:
        seen.append(fraction)
        if len(seen) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        client.contribute(path, collection="places", progress=progress)
    served.paths.clear()
    served.breaks = ["PATCH"]
    taken = client.contribute(path, collection="places", progress=progress, wait=False)
    begun = [said for said in served.paths if said == "POST /contributions/uploads"]
    assert not begun
    assert seen[0] == 0
    assert seen[3] == seen[2] > seen[1]  # it begins where it was, and goes on
    worker = make_worker(served.own.services)
    while worker.run_one():
        pass
    found = client.http.get(f"/contributions/{taken['id']}").json()
    assert (found["status"], found["report"]["taken"]) == ("done", {"places": 10})
    assert not list((tmp_path / "cache").rglob("*.json"))
    client.http.close()


def test_the_command_line_says_what_it_did_and_what_is_wrong(served, tmp_path):
    key = tmp_path / "key"
    key.write_text(served.own.keys["municipal"] + "\n")
    square = tmp_path / "area.geojson"
    ring = [[BOX[0], BOX[1]], [BOX[2], BOX[1]], [BOX[2], BOX[3]], [BOX[0], BOX[1]]]
    square.write_text(json.dumps({"type": "Polygon", "coordinates": [ring]}))
    said = [str(tmp_path / "out"), "--server", served.url, "--area", str(square)]
    said += ["--collections", "shelters", "--key-file", str(key)]
    run = CliRunner().invoke(area, said)
    assert run.exit_code == 0, run.output
    assert "shelters: " in run.output
    assert "nothing has changed" in CliRunner().invoke(area, said).output
    assert in_file(tmp_path / "out") == served.names(BOX)
    wrong = CliRunner().invoke(area, [*said[:-3], "nothing"])
    assert (wrong.exit_code, "error" in wrong.output) == (1, True)
    shutil.rmtree(tmp_path / "out")


def test_no_key_goes_to_another_server(served):
    with pytest.raises(ClientError, match="another server"):
        served.client.http.get("http://127.0.0.1:1/collections")
    with pytest.raises(ClientError) as found:
        next(served.client.items("nothing"))
    assert found.value.status == 404
