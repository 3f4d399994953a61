"""Everything that is done leaves an entry first, parties see their own, and a stranger can check."""

from __future__ import annotations

import io
import json
import shutil
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner

from geoshare import cli
from geoshare.access.audit.entries import parse
from geoshare.access.audit.public import verify_public
from geoshare.errors import Unavailable
from geoshare.jobs import Worker
from geoshare.services.auditing import audited
from geoshare.services.contribution_jobs import ContributionJobs
from geoshare.services.extracts import KIND as EXTRACT
from geoshare.services.keeping import make_keeper
from tests.api.conftest import Own

MINUTE_US = 60_000_000


@pytest.fixture
def town(own: Own, tmp_path: Path) -> Own:
    """Two shelters that everybody may see."""
    rows = [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [139.7 + n / 100, 35.6]},
            "properties": {"name": f"避難所 {n}"},
        }
        for n in range(2)
    ]
    file = tmp_path / "shelters.geojson"
    file.write_text(json.dumps({"type": "FeatureCollection", "features": rows}))
    own.contribute(file, collection="shelters", provider="mapping-co")
    return own


def kinds(own: Own, key: str) -> list[str]:
    answer = json.loads(own.get("/me/audit", key).data)
    return [item["entry"]["kind"] for item in answer["entries"]]


def run_jobs(own: Own) -> None:
    services = own.services
    handlers = {
        EXTRACT: audited(services.trail, services.extracts.run),
        "contribute": audited(services.trail, ContributionJobs(services, make_keeper(services)).run),
    }
    worker = Worker(services.governance.jobs, handlers, services.clock)
    while worker.run_one():
        pass


def extract(own: Own, key: str = "developer", kind: str = "geojson") -> tuple[str, bytes]:
    """Ask for an extract, run the job, fetch it; the same one again would be the same job."""
    headers = {"X-API-Key": own.keys[key]}
    body = {"collections": ["shelters"], "format": kind}
    answer = own.client.post("/extracts", json=body, headers=headers)
    assert answer.status_code == 202, answer.data
    run_jobs(own)
    job = answer.json["job"]
    return job, own.get(f"/jobs/{job}/result", key).data


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("geoshare.services.extracts.WAIT_S", 0.0)


JOINING = ["agreement.sign", "agreement.sign", "agreement.offer", "organisation.add"]


def test_parties_see_their_own_entries_and_nobody_elses(town: Own) -> None:
    extract(town)
    assert kinds(town, "developer") == ["extract.fetch", "job.end", "extract.create", "key.create",
                                        *JOINING]  # fmt: skip
    assert kinds(town, "municipal") == ["key.create", *JOINING]
    assert json.loads(town.get("/me/audit", None).data) == {"entries": []}
    mine = json.loads(town.get("/me/audit?limit=1", "developer").data)["entries"][0]
    assert {item["value"] for item in mine["opened"]} >= {"org-developer"}
    older = town.get(f"/me/audit?before={mine['entry']['id']}", "developer").json["entries"]
    assert [item["entry"]["kind"] for item in older] == kinds(town, "developer")[1:]
    proof = f"/me/audit/{mine['entry']['id']}/proof"
    assert town.get(proof, "developer").data.startswith(b"c2sp.org/tlog-proof@v1\n")
    nothing = town.get("/me/audit/nothing/proof", "municipal")
    for key in ("municipal", "operator", None):
        other = town.get(proof, key)
        assert (other.status_code, other.data) == (404, nothing.data)
    assert town.get(f"/me/audit?before={mine['entry']['id']}", "municipal").status_code == 400


def test_the_logs_files_are_the_operators_and_its_key_everybodys(town: Own) -> None:
    _ = extract(town)
    unknown = town.get("/nothing", "developer")
    files = list(town.services.trail.folder.names())
    assert len(files) > 3
    for name in files:
        assert town.get(f"/audit/{name}", "operator").status_code == 200, name
        if name != "vkey":
            for key in ("developer", "provider", None):
                answer = town.get(f"/audit/{name}", key)
                assert (answer.status_code, answer.data) == (404, unknown.data)
    assert town.get("/audit/vkey", None).data == town.get("/audit/vkey", "operator").data
    for name in ("tile/../../../governance.db", "tile/..%2f..%2fgovernance.db", "tile/0/001"):
        assert town.get(f"/audit/{name}", "operator").status_code == 404


def test_no_entry_names_anybody(town: Own) -> None:
    extract(town)
    town.get("/collections/shelters/items", "developer")
    trail = town.services.trail
    trail.reads.flush()
    with trail.sequencer.alone():
        trail.tick(town.services.clock.now_us() + 3 * MINUTE_US)
    leaves = b"".join(row.leaf for row in trail.rows.newest(1000))
    stored = town.services.governance.keys()
    for name in [*(key.id for key in stored), "org-", "mapping-co", "command line"]:
        assert name.encode() not in leaves
    for kind in (
        "reads.minute",
        "change.publish",
        "contribution.accept",
        "key.create",
        "extract.create",
    ):
        assert f'"{kind}"'.encode() in leaves


def test_every_change_set_has_one_entry_before_it_is_shown(town: Own, tmp_path, monkeypatch) -> None:
    services = town.services
    changes = [row for row in services.trail.rows.newest(100) if b"change.publish" in row.leaf]
    assert len(changes) == services.record.head() == 1

    def away(*arguments: object) -> None:
        raise Unavailable("away")

    file = tmp_path / "shelters.geojson"
    file.write_text(file.read_text().replace("139.7", "139.8"))
    town.local.contribute(file, "maker", progress=lambda done, text="": None, collection="shelters")
    before = town.items("shelters")
    with monkeypatch.context() as patch:
        patch.setattr(services.trail, "append_once", away)
        keeper = make_keeper(services)
        with keeper.lock(), pytest.raises(Unavailable):
            keeper.publish()
        assert town.items("shelters") == before
    town.local.wait_until_visible()
    assert town.items("shelters") != before
    changes = [row for row in services.trail.rows.newest(100) if b"change.publish" in row.leaf]
    assert len(changes) == services.record.head() == 2
    told = [set(parse(row.leaf)["detail"]) for row in changes]
    assert (
        told == [{"committed_us", "collections", "files_sha256"}] * 2
    )  # nothing of how many there are


def test_what_cannot_be_recorded_is_not_released(town: Own, monkeypatch, tmp_path) -> None:
    job, _ = extract(town)
    headers = {"X-API-Key": town.keys["provider"]}

    def away(*arguments: object) -> None:
        raise Unavailable("away")

    for name in ("append", "add"):
        monkeypatch.setattr(town.services.trail, name, away)
    assert town.get(f"/jobs/{job}/result", "developer").status_code == 503
    before = len(town.services.queue.newest(None))
    sent = {"file": (io.BytesIO(b"{}"), "a.geojson")}
    answer = town.client.post("/contributions", data=sent, headers=headers)
    assert answer.status_code == 503
    assert len(town.services.queue.newest(None)) == before
    with pytest.raises(Unavailable):
        town.key("org-new", "developer")
    monkeypatch.setattr("geoshare.access.audit.reads.Reads.count", away)
    path = "/collections/shelters/items"
    assert [town.get(path, key).status_code for key in ("developer", None)] == [503, 503]


def test_items_and_tiles_are_counted_whichever_way_they_are_answered(town: Own) -> None:
    reads = town.services.trail.reads
    reads.flush()
    noted: list[tuple] = []
    town.services.trail.rows.note_reads = noted.extend
    for _ in range(3):  # the first is made, the others are answered from what is kept
        assert town.get("/tiles/shelters/14/14549/6456.mvt", "developer").status_code == 200
    assert town.get("/collections/shelters/items?limit=1", "developer").status_code == 200
    assert town.get("/collections/nothing/items", "developer").status_code == 404
    assert town.get("/tiles/shelters/14/14549/6456.mvt", None).status_code == 200
    reads.flush()
    key = town.services.principal(town.keys["developer"]).key_id
    assert sorted(row[1:] for row in noted) == [
        ("", "", "shelters", "tiles.tile", 1),
        ("org-developer", key, "shelters", "collections.items_page", 1),
        ("org-developer", key, "shelters", "tiles.tile", 3),
    ]


def test_a_third_party_checks_an_extract_with_public_files_alone(town: Own, tmp_path: Path) -> None:
    _, content = extract(town)
    first = tmp_path / "first.zip"
    first.write_bytes(content)
    vkey = tmp_path / "vkey.txt"
    vkey.write_bytes(town.get("/audit/vkey", None).data)
    old = tmp_path / "old-checkpoint"
    old.write_bytes(town.get("/audit/checkpoint").data)
    second = tmp_path / "second.zip"
    second.write_bytes(extract(town, kind="fgb")[1])
    log = tmp_path / "log"
    shutil.copytree(town.services.trail.folder.folder, log)
    report = verify_public([first, second, old, vkey, log])
    assert report.findings == []
    assert len(report.good) == 4 + 3  # each holds, and each head is a beginning of the log
    names = zipfile.ZipFile(first).namelist()
    assert {"AUDIT.txt", "audit-entry.json", "audit.tlog-proof", "audit-openings.json"} <= set(names)
    assert vkey.read_text().strip() in zipfile.ZipFile(first).read("AUDIT.txt").decode()


VICTIMS = ("shelters.geojson", "manifest.json", "LICENCES.txt", "audit-entry.json")
VICTIMS += ("audit.tlog-proof", "audit-openings.json", "added", "missing")


@pytest.mark.parametrize("victim", VICTIMS)
def test_an_extract_with_anything_changed_is_not_taken_for_the_recorded_one(
    town: Own, tmp_path: Path, victim: str
) -> None:
    original = zipfile.ZipFile(io.BytesIO(extract(town)[1]))
    changed = tmp_path / "changed.zip"
    with zipfile.ZipFile(changed, "w") as archive:
        for name in original.namelist():
            content = original.read(name)
            if name == victim:
                at = len(content) // 2
                content = content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]
            if not (victim == "missing" and name == "LICENCES.txt"):
                archive.writestr(name, content)
        if victim == "added":
            archive.writestr("more.geojson", b"{}")
    key = str(town.services.trail.vkey)
    assert verify_public([changed], key).findings
    good = tmp_path / "good.zip"
    with zipfile.ZipFile(good, "w") as archive:
        for name in original.namelist():
            archive.writestr(name, original.read(name))
    assert verify_public([good], key).findings == []


def test_bytes_that_nobody_has_signed_are_found_wherever_they_hang_on(town: Own, tmp_path) -> None:
    content, key = extract(town)[1], town.services.trail.vkey
    log = town.services.trail.folder
    checkpoint, tile = log.read("checkpoint"), next(n for n in log.names() if "entries" in n)
    assert checkpoint is not None

    def wrong(changed: bytes | None = None, **files: bytes) -> bool:
        """Whether something is found in an extract with other bytes, or with files that have more."""
        given = tmp_path / "given.zip"
        with zipfile.ZipFile(io.BytesIO(content)) as read, zipfile.ZipFile(given, "w") as made:
            for name in read.namelist():
                made.writestr(name, read.read(name) + files.get(name.split(".")[0], b""))
            made.comment = files.get("comment", b"")
        if changed is not None:
            given.write_bytes(changed)
        return bool(verify_public([given], str(key)).findings)

    assert not wrong()
    assert not wrong(content)
    last = content.rindex(b"PK\x01\x02")
    for changed in (content + b"x", b"x" + content, content[:last] + b"x" + content[last:]):
        assert wrong(changed)
    for name in ("comment", "audit-entry", "manifest", "shelters"):
        assert wrong(**{name: b" "}), name
    for more in (b"\n", b"x", b"\nx\n", b"\xe2\x80\x94 x\n", b"\0"):
        assert wrong(audit=more), more  # behind the checkpoint of the proof
        note = tmp_path / "checkpoint"
        note.write_bytes(checkpoint + more)
        assert verify_public([note], str(key)).findings, more
    copied = tmp_path / "log"
    for more in (b"\0", b"\0\0", b"\0\1x"):
        shutil.copytree(log.folder, copied)
        (copied / tile).write_bytes((log.read(tile) or b"") + more)
        assert verify_public([copied], str(key)).findings, more
        shutil.rmtree(copied)


def test_two_trees_under_one_key_are_found(town: Own, tmp_path: Path) -> None:
    """A split view: the operator shows somebody another log than everybody else."""
    _, content = extract(town)
    extract(town, kind="fgb")
    given = tmp_path / "given.zip"
    given.write_bytes(content)
    trail, database = town.services.trail, town.services.governance.database
    shutil.rmtree(trail.folder.folder)
    with database.write() as connection:  # rewrite history: the first entry says something else
        for statement in (
            "UPDATE audit_entries SET place = NULL",
            "UPDATE audit_entries SET leaf = CAST(replace(CAST(leaf AS TEXT), 'organisation.add',"
            " 'organisation.axe') AS BLOB) WHERE number = 2",
        ):
            connection.exec_driver_sql(statement)
        empty = bytes.fromhex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        connection.exec_driver_sql("UPDATE audit_log SET size = 0, root = ?", (empty,))
    with trail.sequencer.alone():
        trail.tick(town.services.clock.now_us())
    report = verify_public([given, trail.folder.folder], str(trail.vkey))
    assert [finding for finding in report.findings if "given.zip" in finding]


def run(own: Own, *arguments: str):
    environ = {"GEOSHARE_DATA": str(own.settings.data)}
    return CliRunner().invoke(cli.main, ["audit", *arguments], env=environ)


def test_the_command_line_shows_opens_verifies_and_forgets(town: Own, tmp_path: Path) -> None:
    _, content = extract(town)
    given = tmp_path / "given.zip"
    given.write_bytes(content)
    shown = run(town, "show")
    line = next(line for line in shown.output.splitlines() if "extract.create" in line)
    assert "org-developer" in line
    opened = run(town, "open", line.split()[1])
    assert "by.organisation = org-developer" in opened.output
    assert run(town, "verify").exit_code == 0
    assert (
        run(town, "verify", "--public", str(given), "--vkey", str(town.services.trail.vkey)).exit_code
        == 0
    )
    assert run(town, "verify", str(given)).exit_code == 1
    forgotten = run(town, "forget", "--yes", "organisation", "org-developer")
    assert forgotten.exit_code == 0, forgotten.output
    assert "org-developer" not in run(town, "show").output
    assert run(town, "verify").exit_code == 0
    assert (
        run(town, "verify", "--public", str(given), "--vkey", str(town.services.trail.vkey)).exit_code
        == 0
    )
    tile = next(town.services.trail.folder.folder.rglob("tile/0/*"))
    tile = tile if tile.is_file() else next(tile.iterdir())
    tile.write_bytes(bytes(len(tile.read_bytes())))
    wrong = run(town, "verify")
    assert wrong.exit_code == 1
    assert "WRONG tile/0/" in wrong.output
    assert run(town, "verify", "--public", str(given)).exit_code == 1  # no key to check with
