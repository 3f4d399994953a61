"""The feed of changes over HTTP, through contributions and contracts."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from openapi_spec_validator import validate

from geoshare.services.keeping import _Held
from geoshare.services.written import Author
from tests.api.conftest import Own

CHANGES = "/collections/shelters/changes"


@pytest.fixture
def contribute(own, tmp_path):
    """Take in shelters, as a file of their provider."""
    counter = iter(range(100))

    def run(*rows: dict[str, Any], collection: str = "shelters") -> None:
        features = [
            {
                "type": "Feature",
                "id": row["id"],
                "geometry": {"type": "Point", "coordinates": [139.7 + row.pop("at", 0), 35.6]},
                "properties": row,
            }
            for row in rows
        ]
        path = Path(tmp_path, f"{next(counter)}.geojson")
        path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), "utf-8")
        own.contribute(path, collection=collection)

    return run


def ask(own, key: str = "municipal", **query: object) -> dict[str, Any]:
    said = "&".join(f"{name}={value}" for name, value in query.items())
    answer = own.get(f"{CHANGES}?{said}", key)
    assert answer.status_code == 200, answer.data
    assert answer.content_type == "application/geo+json"
    return answer.json


def test_a_follower_is_led_page_by_page_to_what_items_say(own, contribute):
    contribute({"id": "1", "name": "東小学校"}, {"id": "2", "name": "西小学校"})
    token = ask(own)["token"]
    copy = {item["id"]: item for item in own.items("shelters", "municipal")}
    contribute(
        {"id": "2", "name": "西中学校"}, {"id": "3", "name": "公民館"}, {"id": "4", "name": "体育館"}
    )
    page, pages = ask(own, since=token, limit=1), 1
    while True:
        assert page["numberReturned"] == len(page["features"]) + len(page["deleted"]) == 1
        copy |= {item["id"]: item for item in page["features"]}
        follow = [link["href"] for link in page["links"] if link["rel"] == "next"]
        if not follow:
            break
        assert "token" not in page
        at = urlsplit(follow[0])
        page, pages = own.get(f"{at.path}?{at.query}", "municipal").json, pages + 1
    assert pages == 3
    assert copy == {item["id"]: item for item in own.items("shelters", "municipal")}
    again = ask(own, since=page["token"])
    assert (again["numberReturned"], again["token"]) == (0, page["token"])


def test_an_agreement_that_begins_or_ends_is_followed_by_the_same_token(own, contribute):
    contribute({"id": "1", "name": "東小学校", "phone": "03-0000-0000"})
    follower = own.key("follower", "developer")
    own.keys["follower"] = follower
    copy, token = {item["id"]: item for item in own.items("shelters", "follower")}, ""

    def followed(token: str) -> str:
        page = ask(own, "follower", since=token)
        for item in page["features"]:
            copy[item["id"]] = item
        for gone in page["deleted"]:
            del copy[gone]
        assert copy == {item["id"]: item for item in own.items("shelters", "follower")}
        return str(page["token"])

    token = ask(own, "follower")["token"]
    number = own.local.agree("follower", ("municipal",), days=1, reason="a test")
    contribute({"id": "2", "name": "西小学校"})
    token = followed(token)
    own.services.agreements.end(number, Author("operator", "a test"))
    contribute({"id": "3", "name": "公民館"})
    followed(token)


def test_nonsense_is_refused_by_name_and_what_is_hidden_is_not_found(own, contribute):
    contribute({"id": "1", "name": "東小学校"})
    token = ask(own)["token"]
    for query, parameter in (
        ("since=x", "since"),
        (f"since={token}x", "since"),
        ("since=", "since"),
        ("limit=0", "limit"),
        (f"since={token}&cursor=x", "cursor"),
        ("sice=x", "sice"),
    ):
        answer = own.get(f"{CHANGES}?{query}", "municipal")
        assert (answer.status_code, answer.json["parameter"]) == (400, parameter)
        assert answer.json["allowed"]
    hidden = own.get("/collections/lanes/changes", None)
    missing = own.get("/collections/nothing/changes", None)
    assert (hidden.status_code, hidden.data) == (missing.status_code, missing.data)


def test_a_token_of_another_collection_is_refused(own, contribute):
    contribute({"id": "1", "name": "東小学校"})
    token = ask(own)["token"]
    answer = own.get(f"/collections/evacuation_sites/changes?since={token}", "municipal")
    assert answer.status_code in (400, 404, 503)


def test_what_is_not_kept_any_more_is_gone(own, contribute):
    contribute({"id": "1", "name": "東小学校"})
    token = ask(own)["token"]
    contribute({"id": "2", "name": "西小学校"})
    for path in own.services.views_dir.glob("*/shelters.journal"):
        path.unlink()
    answer = own.get(f"{CHANGES}?since={token}", "municipal")
    assert answer.status_code == 410
    assert "new copy" in answer.json["detail"]
    assert "items" in answer.json["allowed"]


def test_the_answer_is_validated_by_its_tag(own, contribute):
    contribute({"id": "1", "name": "東小学校"})
    token = ask(own)["token"]
    path = f"{CHANGES}?since={token}"
    tag = own.get(path, "municipal").headers["ETag"]
    headers = {"X-API-Key": own.keys["municipal"], "If-None-Match": tag}
    assert own.client.get(path, headers=headers).status_code == 304


def test_a_policy_that_is_held_again_shows_what_has_happened_meanwhile(own, contribute):
    contribute({"id": "1", "name": "東小学校"})
    held, moments = _Held(own.services), iter(range(10**6, 10**9, 10**6))
    own.keys["again"] = own.key("again")
    tiers = ("municipal",)

    def shown() -> int:
        held.tick(next(moments))
        who = own.services.principal(own.keys["again"])
        return own.services.view(who, "shelters").count

    number = own.local.agree("again", tiers, days=1, reason="a test")
    (other,) = own.services.agreements.rows("org-municipal")  # nobody else is to hold it
    own.services.agreements.end(other.id, Author("operator", "a test"))
    assert shown() == 1
    own.services.agreements.end(number, Author("operator", "a test"))
    own.services.authenticator.forget()
    shown()
    contribute({"id": "2", "name": "西小学校"})
    own.local.agree("again", tiers, days=1, reason="a test")
    own.services.authenticator.forget()
    assert shown() == 2


def test_the_feed_stands_in_the_api_document_which_is_valid(own):
    document = own.get("/openapi.json").json
    validate(document)
    about = document["paths"]["/collections/{collection}/changes"]["get"]
    assert {"since", "limit", "cursor"} <= {item["name"] for item in about["parameters"]}


def test_who_may_read_but_not_stream_is_told_of_no_changes(tmp_path):
    written = resources.files("geoshare.access").joinpath("tiers.toml").read_text("utf-8")
    data = tmp_path / "quiet"
    data.mkdir()
    (data / "tiers.toml").write_text(written.replace('"stream", ', ""), "utf-8")
    own = Own(data)
    shelter = {"type": "Feature", "id": "1", "properties": {"name": "東小学校"}}
    shelter["geometry"] = {"type": "Point", "coordinates": [139.7, 35.6]}
    path = tmp_path / "one.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [shelter]}), "utf-8")
    own.contribute(path, collection="shelters")
    assert own.items("shelters", "municipal")
    for path in (CHANGES, f"{CHANGES}/stream"):
        answer = own.get(path, "municipal")
        assert (answer.status_code, answer.json["type"]) == (403, "about:blank#not-held")
