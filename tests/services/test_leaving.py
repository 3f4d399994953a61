"""A provider leaves: nothing it gave is left in any file, consumers are told, and it is certified."""

from __future__ import annotations

import json
import threading
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner

from geoshare.access.audit.public import verify_public
from geoshare.cli import main
from geoshare.errors import NotFound
from geoshare.services import leaving as module
from geoshare.services.extracts import KIND as EXTRACT
from geoshare.services.keeping import make_keeper, make_leaving
from tests.api.conftest import Own
from tests.services.leavers import CANARY, holding, point, road, write


@pytest.fixture
def town(tmp_path: Path) -> Own:
    """Two providers of the same signs and roads; one of them is about to leave."""
    own = Own(tmp_path / "data")
    signs = {"a1": (point(0), {"class": "sign", "subtype": "327"})}
    roads = {"a2": (road(0), {"class": "primary", "name": "本通り"})}
    leaving_signs = {
        f"{CANARY}-1": (point(0.4), {"class": "sign", "subtype": f"{CANARY}-x"}),
        f"{CANARY}-2": (point(60), {"class": "pole", "subtype": f"{CANARY}-y"}),
    }
    leaving_roads = {f"{CANARY}-3": (road(300), {"class": "primary", "name": f"{CANARY}-z"})}
    own_layer = {"q": (point(5), {"note": f"{CANARY}-n"})}
    sign = {"collection": "roadside_features", "accuracy_m": 1.0}
    own.contribute(write(tmp_path / "s.geojson", signs), provider="stays", **sign)
    own.contribute(write(tmp_path / "r.geojson", roads), provider="stays", collection="segments")
    for number in (1, 2):  # sent twice, so that there is a past
        for row in leaving_signs.values():
            row[1]["height_m"] = number + 0.5
        leaving_roads[f"{CANARY}-3"][1]["lane_count"] = number
        file = write(tmp_path / f"{CANARY}-s.geojson", leaving_signs)
        own.contribute(file, provider="leaves", **sign)
        file = write(tmp_path / f"{CANARY}-r.geojson", leaving_roads)
        own.contribute(file, provider="leaves", collection="segments")
    layer = write(tmp_path / "l.geojson", own_layer)
    own.contribute(layer, provider="leaves", collection="own_layer")
    with own.local._keeper.lock():
        own.local._keeper.publish(everything=True)
    return own


def stored_extract(own: Own, collections: list[str]) -> Path:
    request = {"collections": collections}
    job = own.services.queue.enqueue(EXTRACT, {"request": request}, "org-developer")
    path = own.services.extracts.path_of(job)
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"{CANARY} {collections}")
    return path


def ids(own: Own, collection: str, key: str = "operator") -> set[str]:
    return {item["id"] for item in own.items(collection, key)}


def test_nothing_a_provider_gave_is_in_any_file_after_it_is_erased(town: Own, tmp_path: Path) -> None:
    data = town.settings.data
    with_it, without = stored_extract(town, ["segments"]), stored_extract(town, ["water"])
    without.write_text("nothing of theirs")
    kinds = {path.split("/")[0].split(".")[0] for path in holding(data)}
    assert {"record", "packs", "views", "raw", "extracts"} <= kinds
    before = ids(town, "segments", "developer")
    token = json.loads(town.get("/collections/segments/changes", "developer").data)["token"]
    shared = [item for item in town.items("roadside_features") if item["properties"].get("height_m")]
    assert len(shared) == 2

    keeper, leaving = make_keeper(town.services), make_leaving(town.services)
    state = leaving.ask("leaves", "end of contract")
    path = leaving.finish(state["id"], keeper)

    assert holding(data) == []
    assert (with_it.exists(), without.exists()) == (False, True)
    [sign] = town.items("roadside_features")
    assert sign["properties"]["subtype"] == "327"
    assert sign["properties"].get("height_m") is None
    left = ids(town, "segments", "developer")
    said = town.get(f"/collections/segments/changes?since={token}", "developer").data.decode()
    assert len(before - left) == 1
    assert all(gone in said for gone in before - left)
    assert CANARY not in said
    assert town.get("/collections/own_layer").status_code == 404
    assert town.items("claims") == []
    assert len(town.items("segments")) == 1  # the other's road is there as before
    _check(town, path, tmp_path)


def _check(town: Own, path: Path, tmp_path: Path) -> None:
    """The certificate tells what was removed, and public files alone show that the log holds it."""
    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    said = json.loads(files["certificate.json"])
    assert (said["provider"], len(said["contributions"])) == ("leaves", 5)
    assert said["erased"]["claims"] >= 5
    assert set(said["collections"]) == {"own_layer", "roadside_features", "segments"}
    key = tmp_path / "vkey.txt"
    key.write_text(str(town.services.trail.vkey))
    assert verify_public([path, key]).findings == []
    forged = tmp_path / "forged.zip"
    files["certificate.json"] = files["certificate.json"].replace(b"leaves", b"leaver")
    with zipfile.ZipFile(forged, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    assert verify_public([forged, key]).findings


def test_what_is_interrupted_goes_on(town: Own, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object, **named: object) -> None:
        raise RuntimeError("the power is gone")

    keeper, leaving = make_keeper(town.services), make_leaving(town.services)
    state = leaving.ask("leaves", "")
    with monkeypatch.context() as patch:
        patch.setattr(module, "certify", fail)
        with pytest.raises(RuntimeError):
            leaving.finish(state["id"], keeper)
    assert leaving.ask("leaves", "")["id"] == state["id"]
    again = make_leaving(town.services)
    assert again.finish(state["id"], make_keeper(town.services)).exists()
    assert holding(town.settings.data) == []
    assert again.ask("leaves", "")["id"] == state["id"]
    with pytest.raises(NotFound):
        again.ask("nobody", "")


def test_the_keeper_at_work_does_it_and_goes_on_by_itself(town: Own) -> None:
    stop = threading.Event()
    keeping = threading.Thread(target=make_keeper(town.services).run, args=(stop,))
    keeping.start()
    try:
        leaving = make_leaving(town.services)
        state = leaving.ask("leaves", "")
        path = leaving.finish(state["id"], make_keeper(town.services), wait_s=120.0)
        assert holding(town.settings.data) == []
        assert verify_public([path], str(town.services.trail.vkey)).findings == []
    finally:
        stop.set()
        keeping.join()


def test_the_command_line_withdraws_and_keeps_what_was_said(town: Own) -> None:
    environ = {"GEOSHARE_DATA": str(town.settings.data)}
    said = CliRunner().invoke(main, ["providers", "withdraw", "leaves", "--yes"], env=environ)
    assert (said.exit_code, said.output.strip()) == (0, "withdrawn"), said.output
    assert len(town.items("segments")) == 1
    assert holding(town.settings.data) != []  # what was said is kept
    again = CliRunner().invoke(main, ["providers", "withdraw", "leaves", "--yes"], env=environ)
    assert again.output.strip() == "nothing was in force"
