"""An administrator's keys: made, replaced, revoked and linked in a browser, of the own organisation."""

from __future__ import annotations

import json

import pytest

from tests.people import Browser

PATH = "/me/organisation/keys"


@pytest.fixture
def admin(own) -> Browser:
    return Browser(own, "org-municipal", "viewer", "admin").log_in()


def status(own, key: str) -> int:
    own.services.authenticator.forget()
    return own.client.get("/me", headers={"X-API-Key": key}).status_code


def test_a_key_is_made_replaced_and_revoked(own, admin):
    made = admin.ask("POST", PATH, {"label": "shelter app", "days": 3})
    assert (made.status_code, made.headers["Cache-Control"]) == (201, "no-store")
    number, text = made.json["id"], made.json["key"]
    assert status(own, text) == 200
    listed = admin.ask("GET", PATH).json["keys"]
    assert {"shelter app", "org-municipal"} <= {item["label"] for item in listed} | {
        item["organisation"] for item in listed
    }
    assert text.split("_")[2] not in json.dumps(listed)
    rotated = admin.ask("POST", f"{PATH}/{number}/rotate", {"overlap_hours": 0}).json["key"]
    assert (status(own, text), status(own, rotated)) == (401, 200)
    link = admin.ask("POST", f"{PATH}/{number}/links", {"path": "/collections", "seconds": 60})
    address = link.json["href"].removeprefix("http://localhost")
    assert own.client.get(address).status_code == 200
    assert admin.ask("DELETE", f"{PATH}/{number}").status_code == 204
    assert status(own, rotated) == 401
    assert own.client.get(address).status_code == 401


def test_keys_of_others_are_not_there(own, admin):
    theirs = own.keys["developer"].split("_")[1]
    for method, path in (
        ("POST", f"{PATH}/{{}}/rotate"),
        ("DELETE", f"{PATH}/{{}}"),
        ("POST", f"{PATH}/{{}}/links"),
    ):
        body = {"path": "/me"} if path.endswith("links") else {}
        found = admin.ask(method, path.format(theirs), body)
        nobodys = admin.ask(method, path.format("0" * 16), body)
        assert (found.status_code, found.data) == (404, nobodys.data)
    assert status(own, own.keys["developer"]) == 200


def test_who_is_no_administrator_handles_no_keys(own):
    viewer = Browser(own, "org-municipal", "viewer").log_in()
    assert viewer.ask("GET", PATH).status_code == 403
    assert viewer.ask("POST", PATH, {}).status_code == 403
    assert own.get(PATH, "municipal").status_code == 403
    # an operator's key administers everything: it takes an operator to make one
    half = Browser(own, "org-operator", "viewer", "admin").log_in()
    assert half.ask("POST", PATH, {}).status_code == 403
    whole = Browser(own, "org-operator", "operator", "admin").log_in()
    assert whole.ask("GET", PATH).status_code == 200


def test_a_key_is_for_no_more_than_is_held(own, admin):
    answer = admin.ask("POST", PATH, {"tiers": ["operator"]})
    assert (answer.status_code, answer.json["parameter"]) == (400, "tiers")
