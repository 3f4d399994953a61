"""Keys over HTTP and the command line: shared in parts, replaced with an overlap, ended at once."""

from __future__ import annotations

import base64
import json
import sqlite3
from pathlib import Path

import pytest
from click.testing import CliRunner

from geoshare.cli import main
from geoshare.errors import Conflict
from geoshare.services import build_services
from geoshare.services.keeping import make_keeper

SHELTERS = """id,name,lon,lat
s1,第一小学校,139.7,35.6
s2,第二小学校,139.8,35.7
"""


@pytest.fixture
def town(own, tmp_path: Path):
    """Two collections that everybody with a tier may know."""
    for name, collection in (("shelters.csv", "shelters"), ("sites.csv", "evacuation_sites")):
        path = tmp_path / name
        path.write_text(SHELTERS, "utf-8")
        own.contribute(path, collection=collection, crs="EPSG:4326")
    return own


def call(town, method: str, path: str, key: str | None, body: object = None):
    headers = {"X-API-Key": key} if key else {}
    return town.client.open(path, method=method, headers=headers, json=body)


def share(town, key: str, **body: object):
    return call(town, "POST", "/me/keys", key, {"days": 1, **body})


def names(town, key: str) -> set[str]:
    found = json.loads(call(town, "GET", "/collections", key).data)
    return {item["id"] for item in found["collections"]} - {"catalogue"}


def test_a_shared_key_knows_its_collections_and_no_others(town):
    key = town.keys["municipal"]
    assert {"shelters", "evacuation_sites"} <= names(town, key)
    answer = share(town, key, collections=["shelters"], label="volunteers")
    assert answer.status_code == 201
    assert answer.headers["Cache-Control"] == "no-store"
    made = answer.json["key"]
    keeper = make_keeper(town.services)
    with keeper.lock():
        keeper.publish(everything=True)
    assert names(town, made) == {"shelters"}
    assert call(town, "GET", "/collections/shelters/items", made).status_code == 200
    hidden = call(town, "GET", "/collections/evacuation_sites/items", made)
    nothing = call(town, "GET", "/collections/nowhere_sites_x/items", made)
    assert (hidden.status_code, hidden.data) == (404, nothing.data)
    told = call(town, "GET", "/me", made).json
    assert told["collections"] == ["shelters"]
    assert "evacuation_sites" not in json.dumps(told)


def test_a_shared_key_gives_no_more_than_its_maker_has(town):
    key = town.keys["municipal"]
    for body in (
        {"tiers": ["operator"]},
        {"collections": ["nowhere"]},
        {"collections": []},
        {"days": 0},
        {"requests_per_minute": 0},
        {"colour": "red"},
    ):
        answer = share(town, key, **body)
        assert answer.status_code == 400, body
        assert answer.json["parameter"]
    assert share(town, None).status_code == 403


def test_a_shared_key_speaks_for_nobody_and_makes_none(town):
    made = share(town, town.keys["provider"]).json["key"]
    assert call(town, "GET", "/me/keys", made).status_code == 403
    assert share(town, made).status_code == 403
    assert call(town, "GET", "/me/audit", made).json == {"entries": []}
    told = call(town, "GET", "/me", made).json
    assert (told["role"], told["can_contribute"]) == ("consumer", False)
    assert [item["id"] for item in told["agreements"]] == ["open"]
    assert call(town, "GET", "/contributions", made).status_code == 403
    operators = share(town, town.keys["operator"]).json["key"]
    assert call(town, "GET", "/admin/tiers", operators).status_code == 404


def test_a_maker_lists_and_takes_back_its_own_keys_alone(town):
    mine, other = town.keys["municipal"], town.keys["developer"]
    made = share(town, mine, requests_per_minute=7).json
    listed = call(town, "GET", "/me/keys", mine).json["keys"]
    assert [item["id"] for item in listed] == [mine.split("_")[1], made["id"]]
    assert listed[1]["requests_per_minute"] == 7
    assert made["key"].split("_")[2] not in json.dumps(listed)
    assert call(town, "DELETE", f"/me/keys/{made['id']}", other).status_code == 404
    assert call(town, "DELETE", f"/me/keys/{mine.split('_')[1]}", mine).status_code == 404
    assert call(town, "DELETE", f"/me/keys/{made['id']}", mine).status_code == 204
    town.services.authenticator.forget()
    assert call(town, "GET", "/me", made["key"]).status_code == 401


def test_requests_of_a_shared_key_count_against_both(town):
    key = town.keys["municipal"]
    made = share(town, key, requests_per_minute=3).json["key"]
    answers = [call(town, "GET", "/conformance", made).status_code for _ in range(5)]
    assert answers == [200, 200, 200, 429, 429]
    counted: list[str] = []
    limiter = town.services.quotas.limiter
    limiter.spend = lambda charges: counted.extend(limit.credential for limit, _ in charges)
    call(town, "GET", "/conformance", made)
    assert counted == [made.split("_")[1], key.split("_")[1]]


def test_a_revocation_reaches_another_worker_within_a_second(town):
    """Two sets of services on one data folder are two workers; only the clock is moved."""
    key = town.keys["municipal"]
    made = share(town, key).json["key"]
    other = build_services(town.settings)
    clock = _Moved(other.clock)
    other.authenticator._clock = clock
    for text in (key, made):
        assert other.principal(text).organisation == "org-municipal"
    town.services.keys.revoke(key.split("_")[1])
    clock.by_us = 1_000_000
    for text in (key, made):
        with pytest.raises(Exception, match="not valid"):
            other.principal(text)


class _Moved:
    def __init__(self, clock) -> None:
        self._clock = clock
        self.by_us = 0

    def now_us(self) -> int:
        return self._clock.now_us() + self.by_us


def test_two_credentials_in_one_request_are_refused(town):
    key = town.keys["municipal"]
    for path in ("/me", "/collections/shelters/items", "/tiles/shelters/0/0/0.mvt"):
        answer = town.client.get(path, headers={"X-API-Key": key, "Authorization": f"Bearer {key}"})
        assert (answer.status_code, answer.json["parameter"]) == (400, "Authorization")


def basic(user: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def test_programs_that_know_passwords_alone_send_the_key_as_one(town):
    key = town.keys["municipal"]
    asked = {"X-API-Key": key}
    for path in ("/collections/shelters/items", "/tiles/shelters/0/0/0.mvt"):
        expected = town.client.get(path, headers=asked)
        for user in ("", "key", "山田"):
            answer = town.client.get(path, headers=basic(user, key))
            assert (answer.status_code, answer.data) == (expected.status_code, expected.data)
    for wrong in (
        basic("key", key[:-1]),
        basic("key", ""),
        {"Authorization": "Basic x"},
        basic(key, ""),
    ):
        assert town.client.get("/collections/shelters/items", headers=wrong).status_code == 401


def test_a_password_that_a_browser_remembers_changes_nothing(town):
    held = basic("key", town.keys["municipal"])
    for method, path in (("POST", "/me/keys"), ("POST", "/extracts"), ("DELETE", "/me/keys/x")):
        answer = town.client.open(path, method=method, json={}, headers=held)
        assert answer.status_code == 401, path


def test_wrong_revoked_and_unknown_keys_get_one_answer_everywhere(town):
    key = town.keys["municipal"]
    made = share(town, key).json["key"]
    town.services.keys.revoke(made.split("_")[1])
    town.services.authenticator.forget()
    answers = set()
    for text in (made, "x", key[:-1], made.replace("gs_", "gs_0")):
        for path in ("/me", "/collections/shelters/items", "/tiles/shelters/0/0/0.mvt"):
            answer = call(town, "GET", path, text)
            answers.add((answer.status_code, answer.data, answer.headers["WWW-Authenticate"]))
    assert len(answers) == 1
    assert answers.pop()[0] == 401


def test_the_command_line_rotates_lists_and_revokes(own, tmp_path):
    key = own.keys["municipal"]
    key_id = key.split("_")[1]
    said = tmp_path / "settings.toml"
    said.write_text(f'data = "{own.settings.data}"\n', "utf-8")

    def run(*words: str):
        return CliRunner().invoke(main, ["--settings", str(said), *words])

    new = run("keys", "rotate", key_id, "--overlap", "7d").output.strip()
    own.services.authenticator.forget()
    assert own.services.principal(key) == own.services.principal(new)
    own.services.uses.flush()
    (line,) = [row for row in run("keys", "list").output.splitlines() if row.startswith(key_id)]
    assert "old secret until" in line
    assert "used never" not in line
    assert run("keys", "rotate", key_id, "--overlap", "soon").exit_code == 1
    assert run("keys", "revoke", key_id).exit_code == 0
    own.services.authenticator.forget()
    for text in (key, new):
        with pytest.raises(Exception, match="not valid"):
            own.services.principal(text)


def test_every_act_on_a_key_has_its_entry_and_no_secret_is_kept(town):
    key = town.keys["municipal"]
    made = share(town, key).json
    new = town.services.keys.rotate(key.split("_")[1], overlap_us=60_000_000)
    town.services.keys.revoke(key.split("_")[1])
    rows = town.services.trail.rows.of_organisation("org-municipal", None, 100)
    kinds = [json.loads(row.leaf)["kind"] for row in rows]
    assert kinds[:3] == ["key.revoke", "key.rotate", "key.create"]
    town.services.governance.close()
    held = b"".join(path.read_bytes() for path in town.settings.data.glob("governance.db*"))
    for text in (key, new, made["key"]):
        assert text.split("_")[2].encode() not in held
    assert sqlite3.connect(town.settings.data / "governance.db").execute(
        "SELECT count(*) FROM api_keys WHERE revoked_us IS NOT NULL"
    ).fetchone() == (2,)


def test_a_holder_gives_its_own_keys_another_secret_with_an_overlap(own):
    key = own.keys["municipal"]
    key_id = key.split("_")[1]
    answer = call(own, "POST", f"/me/keys/{key_id}/rotate", key, {"overlap_seconds": 3600})
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    new, ends = answer.json["key"], answer.json["expires"]
    assert answer.json["old_secret_until"]
    own.services.authenticator.forget()
    listed = call(own, "GET", "/me/keys", new).json["keys"]
    assert [(item["id"], item["expires"]) for item in listed] == [(key_id, ends)]
    assert call(own, "GET", "/me", key).status_code == 200
    # a secret that has been replaced does not take the place of its successor
    late = call(own, "POST", f"/me/keys/{key_id}/rotate", key, {"overlap_seconds": 0})
    assert late.status_code == 403
    made = share(own, new).json
    child = call(own, "POST", f"/me/keys/{made['id']}/rotate", new, {"overlap_seconds": 0}).json["key"]
    own.services.authenticator.forget()
    assert call(own, "GET", "/me", made["key"]).status_code == 401
    assert call(own, "GET", "/me", child).status_code == 200


def test_nobody_gives_another_secret_to_what_is_not_its_own(own):
    key, other = own.keys["municipal"], own.keys["developer"]
    made = share(own, key).json
    for asking, key_id, status in (
        (other, made["id"], 404),
        (other, key.split("_")[1], 404),
        (key, "0000000000000000", 404),
        (made["key"], made["id"], 403),
        (None, made["id"], 403),
    ):
        assert call(own, "POST", f"/me/keys/{key_id}/rotate", asking, {}).status_code == status
    for body in ({"overlap_seconds": -1}, {"overlap_seconds": 91 * 86_400}, {"days": 400}):
        answer = call(own, "POST", f"/me/keys/{made['id']}/rotate", key, body)
        assert (answer.status_code, answer.json["parameter"]) == (400, next(iter(body)))
    assert call(own, "GET", "/me", made["key"]).status_code == 200


def test_a_replaced_secret_that_a_worker_remembers_does_not_rotate_again(own):
    key = own.keys["municipal"]
    key_id = key.split("_")[1]
    assert call(own, "GET", "/me", key).status_code == 200  # and the worker remembers it

    def rotate(asking: str, which: str, seconds: int):
        return call(own, "POST", f"/me/keys/{which}/rotate", asking, {"overlap_seconds": seconds})

    made = share(own, key).json
    new = rotate(key, key_id, 0).json["key"]
    assert rotate(key, key_id, 30).status_code in (401, 403)
    assert rotate(key, made["id"], 30).status_code in (401, 403)
    own.services.authenticator.forget()
    assert call(own, "GET", "/me", new).status_code == 200
    assert call(own, "GET", "/me", made["key"]).status_code == 200


def test_no_overlap_that_was_promised_is_cut_short(own):
    key = own.keys["municipal"]
    key_id = key.split("_")[1]
    first = call(own, "POST", f"/me/keys/{key_id}/rotate", key, {"overlap_seconds": 30})
    for asking in (key, first.json["key"]):
        own.services.authenticator.forget()
        late = call(own, "POST", f"/me/keys/{key_id}/rotate", asking, {"overlap_seconds": 30})
        assert late.status_code == (403 if asking == key else 409)
    assert first.json["old_secret_until"] in late.json["detail"]
    for text in (key, first.json["key"]):
        own.services.authenticator.forget()
        assert call(own, "GET", "/me", text).status_code == 200
    with pytest.raises(Conflict):
        own.services.keys.rotate(key_id, overlap_us=0)
    new = own.services.keys.rotate(key_id, overlap_us=0, end_overlap=True)
    own.services.authenticator.forget()
    assert call(own, "GET", "/me", new).status_code == 200
    assert call(own, "GET", "/me", first.json["key"]).status_code == 401


@pytest.mark.parametrize(
    ("content", "parameter"),
    [
        ('{"days": 1, "days": 900}', "days"),
        ('{"days": true}', "days"),
        ('{"days": "3"}', "days"),
        ('{"days": 3, "label": "a\\nforged line"}', "label"),
        ('{"days": 3, "label": "\\u001b[2J"}', "label"),
        ('{"days": 3, "label": "\\u0000"}', "label"),
        ('{"days": 3, "label": "\\u0085"}', "label"),
        ('{"days": 3, "label": "a\\u202eb"}', "label"),
        ('{"days": 3, "label": "a\\u2066b"}', "label"),
    ],
)
def test_a_body_says_each_thing_once_and_in_printable_letters(town, content, parameter):
    answer = town.client.post("/me/keys", data=content, headers={"X-API-Key": town.keys["municipal"]})
    assert (answer.status_code, answer.json["parameter"]) == (400, parameter)
    assert answer.json["allowed"]
