"""A tile that is kept is answered as one that is made: to the same callers, with the same words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.api.conftest import Own
from tests.people import Browser

PLACE = (139.7, 35.6)
TILE = "/tiles/segments/14/14549/6456.mvt"
MASKED = {"date", "content-length", "ratelimit"}


def _roads(path: Path, names: list[str]) -> Path:
    lon, lat = PLACE
    features = [
        {
            "type": "Feature",
            "properties": {"id": f"s{number}", "class": "primary", "name": name},
            "geometry": {
                "type": "LineString",
                "coordinates": [[lon - 0.01, lat + number / 1e4], [lon + 0.01, lat]],
            },
        }
        for number, name in enumerate(names)
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return path


@pytest.fixture
def town(own: Own, tmp_path: Path) -> Own:
    own.contribute(_roads(tmp_path / "roads.geojson", ["First"]), collection="segments")
    return own


def _lines(answer) -> list[tuple[str, str]]:
    return sorted((name, value) for name, value in answer.headers if name.lower() not in MASKED)


def test_the_second_answer_equals_the_first(town: Own) -> None:
    first, second = town.get(TILE), town.get(TILE)
    assert first.status_code == second.status_code == 200
    assert b"First" in first.data
    assert first.data == second.data
    assert _lines(first) == _lines(second)


def test_a_kept_tile_is_not_given_to_a_caller_who_may_not_have_it(town: Own) -> None:
    whole = town.get(TILE)
    assert town.get(TILE, None).data != whole.data
    assert town.get(TILE, None).data != whole.data
    refused = town.client.get(TILE, headers={"X-API-Key": "gs_wrong"})
    assert refused.status_code == 401


def test_a_revoked_key_gets_no_kept_tile(town: Own) -> None:
    assert town.get(TILE).status_code == 200
    key_id = town.keys["operator"].split("_")[1]
    town.services.governance.revoke_key(key_id, town.services.clock.now_us())
    town.services.authenticator.forget()
    assert town.get(TILE).status_code == 401


def test_a_change_is_seen_in_a_tile_that_was_kept(town: Own, tmp_path: Path) -> None:
    before = town.get(TILE)
    town.contribute(_roads(tmp_path / "roads.geojson", ["Second"]), collection="segments")
    after = town.get(TILE)
    assert b"Second" in after.data
    assert b"First" not in after.data
    assert after.headers["ETag"] != before.headers["ETag"]


def test_a_kept_tile_answers_304_to_who_has_it(town: Own) -> None:
    first = town.get(TILE)
    key = {"X-API-Key": town.keys["operator"], "If-None-Match": first.headers["ETag"]}
    again = town.client.get(TILE, headers=key)
    assert (again.status_code, again.data) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]


def test_each_request_is_counted_once(town: Own, monkeypatch: pytest.MonkeyPatch) -> None:
    counted = []
    monkeypatch.setattr(town.services.quotas.limiter, "spend", lambda charges: counted.append(1))
    for number in range(1, 4):
        town.get(TILE)
        assert len(counted) == number


def test_codings_are_kept_apart(town: Own) -> None:
    def ask(coding: str):
        head = {"X-API-Key": town.keys["operator"], "Accept-Encoding": coding}
        return town.client.get("/tiles/segments/14/14549/6456.mvt", headers=head)

    for _ in range(2):
        assert "Content-Encoding" not in ask("identity").headers


PAGE = "/collections/segments/items?limit=5"


@pytest.mark.parametrize("path", [TILE, PAGE], ids=["tile", "page"])
def test_the_short_ways_know_a_session_and_its_end(town: Own, path: str) -> None:
    officer = Browser(town, "org-operator", "viewer").log_in()
    by_key = town.get(path)
    for _ in range(2):  # the second tile is a kept one
        answer = officer.ask("GET", path)
        assert (answer.status_code, answer.data) == (200, by_key.data)
        assert "private" in answer.headers["Cache-Control"]
        assert "Cookie" in answer.headers["Vary"]
    assert town.get(path, None).data != by_key.data
    text = officer.cookie
    officer.ask("POST", "/logout")
    plain = town.client.application.test_client(use_cookies=False)
    stale = plain.get(path, headers={"Cookie": f"geoshare-session={text}"})
    assert stale.status_code == 401
    assert "geoshare-session=;" in stale.headers["Set-Cookie"]
