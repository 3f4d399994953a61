"""A map on paper, asked for and fetched as extracts are, of what the caller may see."""

from __future__ import annotations

import json

import pypdfium2
import pytest
from click.testing import CliRunner

from geoshare import cli
from geoshare.services.keeping import make_worker
from tests.api.conftest import Own

PLACE = {"center": [139.705, 35.6], "scale": 10000}


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Own:
    """Two shelters that everybody may see, one of them with a number that the public may not."""
    rows = [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [139.7 + n / 200, 35.6]},
            "properties": {"name": f"避難所 {n}", "status": "open", "care_count": 73615},
        }
        for n in range(2)
    ]
    tmp_path = tmp_path_factory.mktemp("printing")
    own = Own(tmp_path / "data")
    file = tmp_path / "shelters.geojson"
    file.write_text(json.dumps({"type": "FeatureCollection", "features": rows}))
    own.contribute(file, collection="shelters", provider="mapping-co")
    worker = make_worker(own.services)
    own.services.extracts.pause = lambda _: worker.run_one()
    return own


def ask(town: Own, path: str = "/prints", key: str | None = None, **said: object):
    headers = {"X-API-Key": town.keys[key]} if key else {}
    return town.client.post(path, json={**PLACE, **said}, headers=headers)


def words(pdf: bytes) -> str:
    document = pypdfium2.PdfDocument(pdf)
    text = "".join(page.get_textpage().get_text_range() for page in document)
    document.close()
    return text


def test_a_small_print_is_answered_at_once_and_says_what_is_there(town):
    answer = ask(town, title="潮見市の避難所")
    assert answer.status_code == 200
    assert answer.mimetype == "application/pdf"
    text = words(answer.data)
    for word in (
        "潮見市の避難所",
        "1:10,000",
        "避難所 0",
        "避難所 1",
        "開設",
        "EPSG:6677",
        "CC-BY-4.0",
    ):
        assert word in text, word
    assert "73,615" not in text
    assert "73615" not in text


def test_a_large_print_is_a_job_with_a_link_to_its_file(town):
    bbox = [139.69, 35.59, 139.72, 35.61]
    answer = ask(town, key="developer", center=None, bbox=bbox, scale=2500)
    assert answer.status_code == 202
    job = answer.json["job"]
    assert town.get(f"/jobs/{job}", "automaker").status_code == 404
    town.services.extracts.pause(0)
    found = town.get(f"/jobs/{job}", "developer").json
    assert (found["status"], found["kind"]) == ("done", "print")
    link = next(item for item in found["links"] if item["rel"] == "enclosure")
    assert link["type"] == "application/pdf"
    fetched = town.get(f"/jobs/{job}/result", "developer")
    assert fetched.data.startswith(b"%PDF-")
    assert job in [item["id"] for item in town.get("/jobs", "developer").json["jobs"]]
    part = town.client.get(
        f"/jobs/{job}/result",
        headers={"X-API-Key": town.keys["developer"], "Range": "bytes=0-9"},
    )
    assert (part.status_code, part.data) == (206, fetched.data[:10])
    late = town.client.delete(f"/jobs/{job}", headers={"X-API-Key": town.keys["developer"]})
    assert late.status_code == 409
    assert town.get(f"/jobs/{job}/result", "developer").data == fetched.data


def test_an_estimate_says_what_the_print_then_is(town):
    said = {"center": None, "bbox": [139.69, 35.59, 139.72, 35.61], "scale": 20000}
    found = ask(town, "/prints/estimate", **said).json
    assert found["crs"] == "EPSG:6677"
    assert found["places"] == 2
    document = pypdfium2.PdfDocument(ask(town, **said).data)
    assert len(document) == found["pages"]
    document.close()


def test_what_leaves_has_its_entry_in_the_log(town):
    ask(town, key="developer")
    entries = town.get("/me/audit", "developer").json["entries"]
    kinds = [item["entry"]["kind"] for item in entries]
    assert kinds[:3] == ["print.fetch", "job.end", "print.create"]


def test_a_hidden_collection_is_answered_as_one_that_does_not_exist(town):
    hidden, missing = (ask(town, collections=["shelters", name]) for name in ("lanes", "nothing"))
    assert (hidden.status_code, hidden.data) == (missing.status_code, missing.data)
    assert hidden.status_code == 404


@pytest.mark.parametrize(
    ("parameter", "said"),
    [
        ("scale", {"scale": 1}),
        ("scale", {"scale": 10**9}),
        ("scale", {"center": None, "bbox": [129.0, 31.0, 137.0, 36.0], "scale": 250, "zone": 4}),
        ("center", {"center": [10.0, 50.0]}),
        ("center", {"center": [139.0, 38.0]}),
        ("zone", {"zone": 1}),
        ("zone", {"zone": 20}),
        ("bbox", {"center": None, "bbox": [129.0, 31.0, 146.0, 45.0]}),
        ("title", {"title": "あ" * 500}),
        ("title", {"title": "a\u0007b"}),
        ("title", {"title": "a\u202eb"}),
        ("note", {"note": "x" * 301}),
        ("link", {"link": "https://example.jp/" + "x" * 400}),
        ("paper", {"paper": "A0"}),
        ("overlap_mm", {"overlap_mm": 500}),
        ("shelter_list", {"scale": 500000}),
        ("area", {"center": None, "area": "99999"}),
        ("area", {"center": None, "area": {"type": "Point", "coordinates": [139.7, 35.6]}}),
        ("collections", {"collections": []}),
        ("language", {"language": "fr"}),
    ],
)
def test_bad_input_is_refused_by_name_with_what_is_allowed(town, parameter, said):
    for path in ("/prints", "/prints/estimate"):
        answer = ask(town, path, **said)
        assert answer.status_code == 400, answer.data
        assert answer.json["parameter"].split(".")[0] == parameter
        assert answer.json["allowed"]


@pytest.mark.parametrize(
    "said",
    [
        {"center": None},
        {"bbox": [139.7, 35.6, 139.71, 35.61]},
        {"scale": None},
        {"center": None, "bbox": [139.7, 35.6, 139.7, 35.6]},
        {"link": "javascript:alert(1)"},
        {"link": "https://exa mple.jp/"},
        {"extra": 1},
    ],
)
def test_requests_that_say_too_little_or_too_much_are_refused(town, said):
    assert ask(town, **said).status_code == 400


def test_an_area_is_an_administrative_code_too(town, tmp_path):
    ring = [[135.69, 35.59], [135.72, 35.59], [135.72, 35.61], [135.69, 35.61], [135.69, 35.59]]
    feature = {
        "type": "Feature",
        "geometry": {"type": "Polygon", "coordinates": [ring]},
        "properties": {"code": "31201", "name": "市", "level": "city"},
    }
    file = tmp_path / "areas.geojson"
    file.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    town.contribute(file, collection="admin_areas", provider="mapping-co")
    found = ask(town, "/prints/estimate", center=None, scale=None, area="31201").json
    assert found["zone"] == 5  # of the prefecture, although the origin of another zone is nearer
    assert len(found["sheets"]) == 1


def test_the_command_line_writes_the_same_map(town, tmp_path):
    file = tmp_path / "map.pdf"
    said = ["print", str(file), "--center", "139.705", "35.6", "--title", "地図"]
    env = {"GEOSHARE_DATA": str(town.settings.data), "GEOSHARE_PUBLIC_URL": "https://map.example.jp"}
    done = CliRunner().invoke(cli.main, [*said, "--scale", "10000"], env=env)
    assert done.exit_code == 0, done.output
    assert "1:10,000 in EPSG:6677" in done.output
    assert "避難所 0" in words(file.read_bytes())
    before = file.read_bytes()
    wrong = CliRunner().invoke(cli.main, [*said, "--scale", "1"], env=env)
    assert wrong.exit_code == 1
    assert "--scale" in wrong.output
    assert file.read_bytes() == before
