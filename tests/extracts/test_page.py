"""The map in one file: it holds what the view shows, and in no byte anything else."""

from __future__ import annotations

import base64
import gzip
import json
import re
from pathlib import Path

import mapbox_vector_tile
import pytest
from pmtiles.reader import MemorySource, all_tiles
from pydantic import ValidationError
from shapely import Point

from geoshare.access.audit.manifests import verify_extract
from geoshare.access.audit.notes import Signer
from geoshare.access.build import build_views
from geoshare.errors import BadRequest, NotFound, TooLarge
from geoshare.extracts import ExtractRequest, page, write_page
from tests.access.town import Town, policy

NOW_US = 1_767_225_600_000_000  # 2026-01-01
CANARY = "canary7391"
NUMBER = 736_152_893_417
SHOWN = {"op": "=", "args": [{"property": "status"}, "open"]}
EVIL = "</script><script>alert(1)</script><!-- data -->"
TEMPLATE = "<html><head></head><body><!-- data --><script>app()</script></body></html>"


def made(tmp_path: Path, **request: object) -> tuple[dict, bytes]:
    town = Town(tmp_path)
    rows = []
    for number in range(30):
        is_hidden = number % 3 == 0
        said = {
            "name": f"{CANARY} name" if is_hidden else (EVIL if number == 1 else f"避難所 {number}"),
            "notes": f"{CANARY} notes",
            "max_capacity": NUMBER if is_hidden else number,
            "status": "closed" if is_hidden else "open",
        }
        name = f"{CANARY}{number}" if is_hidden else f"s{number}"
        rows.append((name, Point(139.7 + number / 1000, 35.6), said))
    town.packs.publish("shelters", rows)
    grants = policy({"collections": ["shelters"], "columns": ["name", "max_capacity"], "rows": SHOWN})
    build_views([grants], town.packs, town.views_dir)
    asked = ExtractRequest.model_validate_json(
        json.dumps({"collections": ["shelters"], "format": "html"} | request)
    )
    path = tmp_path / "map.html"
    seal = lambda digest: {"audit.tlog-proof": digest.encode()}  # noqa: E731
    told = write_page(
        asked, grants, town.views, path, now_us=NOW_US, work_dir=tmp_path, seal=seal, template=TEMPLATE
    )
    return told, path.read_bytes()


def parts(content: bytes) -> dict[str, bytes]:
    found = re.findall(rb'<script type="text/plain" id="data-(\w+)">([^<]*)</script>', content)
    return {name.decode(): base64.b64decode(text, validate=True) for name, text in found}


def test_a_page_holds_what_the_view_shows_and_no_byte_of_anything_else(tmp_path: Path) -> None:
    told, content = made(tmp_path)
    held = parts(content)
    about, features = (json.loads(gzip.decompress(held[name])) for name in ("about", "features"))
    assert told["features"] == {"shelters": 20}
    assert len(features["shelters"]) == 20
    assert set(features["shelters"][0]["properties"]) == {"name", "max_capacity"}
    assert about["created"] == "2026-01-01T00:00:00Z"
    assert set(about["collections"][0]["schema"]["properties"]) == {"name", "max_capacity"}
    plain = [content, *held.values(), gzip.decompress(held["about"]), gzip.decompress(held["features"])]
    plain += [base64.b64decode(about["manifest"]), *map(base64.b64decode, about["proofs"].values())]
    names = set()
    for _, packed in all_tiles(MemorySource(held["tiles"])):
        plain.append(gzip.decompress(packed))
        layer = mapbox_vector_tile.decode(plain[-1]).get("shelters", {"features": []})
        names |= {feature["properties"]["name"] for feature in layer["features"]}
    assert names == {feature["properties"]["name"] for feature in features["shelters"]}
    for piece in plain:
        assert CANARY.encode() not in piece
        assert str(NUMBER).encode() not in piece
        assert NUMBER.to_bytes(8, "little") not in piece


def test_what_others_wrote_ends_no_script_of_the_page(tmp_path: Path) -> None:
    _, content = made(tmp_path)
    assert EVIL.encode() not in content
    assert content.count(b"<script") == content.count(b"</script>") == 4
    assert b"alert" not in content
    assert any(
        item["properties"]["name"] == EVIL
        for item in json.loads(gzip.decompress(parts(content)["features"]))["shelters"]
    )


def test_the_same_area_at_the_same_moment_is_the_same_file(tmp_path: Path) -> None:
    assert made(tmp_path / "a")[1] == made(tmp_path / "b")[1]


def test_only_the_area_is_in_it(tmp_path: Path) -> None:
    told, content = made(tmp_path, bbox=[139.6995, 35.5, 139.7055, 35.7])
    assert told["features"] == {"shelters": 4}
    assert len(json.loads(gzip.decompress(parts(content)["features"]))["shelters"]) == 4


def test_a_page_that_is_too_large_is_refused(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(page, "MOST_BYTES", 1_000)
    with pytest.raises(TooLarge):
        made(tmp_path)
    assert not (tmp_path / "map.html").exists()


@pytest.mark.parametrize("more", [{"mode": "clip"}, {"filter": "name = 'a'"}, {"datetime": "../.."}])
def test_whole_tiles_take_no_filter(tmp_path: Path, more: dict) -> None:
    with pytest.raises((BadRequest, ValidationError)):
        made(tmp_path, **more)


def test_a_hidden_collection_and_none_are_the_same(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        made(tmp_path, collections=["lanes"])


def test_what_is_listed_is_drawn_at_every_scale_however_wide_the_area(tmp_path: Path) -> None:
    _, content = made(tmp_path, bbox=[138.0, 34.0, 141.0, 37.0])
    held = parts(content)
    zooms = json.loads(gzip.decompress(held["about"]))["zooms"]
    drawn: dict[int, set[str]] = {}
    for (z, _, _), packed in all_tiles(MemorySource(held["tiles"])):
        layer = mapbox_vector_tile.decode(gzip.decompress(packed))["shelters"]
        drawn.setdefault(z, set()).update(item["properties"]["name"] for item in layer["features"])
    assert sorted(drawn) == list(range(zooms[0], zooms[1] + 1))
    assert zooms[0] < 9  # where tiles of the server thin points out
    assert {len(names) for names in drawn.values()} == {20}


def test_the_app_in_a_page_is_packed_and_unpacks_to_itself() -> None:
    code = "const a = '<b>';\n" * 100
    packed = page.packed_page(TEMPLATE.replace("<script>app()", f'<script type="module">{code}'))
    found = re.search(r'<script type="text/plain" id="app-code">([^<]*)</script>', packed)
    assert found is not None
    assert gzip.decompress(base64.b64decode(found.group(1))).decode() == code
    assert code not in packed
    assert packed.count(page.PLACE) == 1
    assert page.packed_page(TEMPLATE) == TEMPLATE


def test_a_page_is_verified_by_itself_and_any_change_of_it_is_found(tmp_path: Path) -> None:
    _, content = made(tmp_path)
    path = tmp_path / "map.html"

    def wrong(changed: bytes) -> list[str]:
        path.write_bytes(changed)
        found = verify_extract(path, str(Signer("test", bytes(32)).vkey)).findings
        return [line for line in found if "is not the file" in line or "not listed" in line]

    assert wrong(content) == []
    assert wrong(content.replace(b"</body>", b"<p>more</p></body>"))
    held = re.search(rb'id="data-features">([^<]*)<', content)[1]
    assert wrong(content.replace(held, base64.b64encode(gzip.compress(b'{"shelters":[]}'))))
    more = b'<script type="text/plain" id="data-more">AAAA</script>'
    assert wrong(
        content.replace(
            b'<script type="text/plain" id="data-tiles">',
            more + b'<script type="text/plain" id="data-tiles">',
        )
    )
    packed = re.search(rb'id="data-about">([^<]*)<', content)[1]
    about = json.loads(gzip.decompress(base64.b64decode(packed)))
    about["created"] = "2020-01-01T00:00:00Z"
    assert wrong(content.replace(packed, base64.b64encode(gzip.compress(json.dumps(about).encode()))))
