"""Collections looked at again and again: what is told, what is not, and how often one may ask."""

from __future__ import annotations

import json
from typing import Any

import pytest

from geoshare.services.watching import EDITOR_S, STEPS_S, Pace
from tests.api.test_changes import ask, contribute  # noqa: F401 (a fixture)

USUAL = {"Range": "bytes=0-"}  # is not plain, and changes no answer


def look(own: Any, names: str, since: str | None = None, key: str | None = "municipal", **headers: str):
    said = {"collections": names} | ({} if since is None else {"since": since})
    sent = ({"X-API-Key": own.keys[key]} if key else {}) | headers
    return own.client.get("/changes", query_string=said, headers=sent)


def told(own: Any, names: str, since: str | None = None, key: str | None = "municipal") -> dict:
    answer = look(own, names, since, key)
    assert answer.status_code == 200, answer.data
    return answer.json["collections"]


def test_what_changes_is_told_once_with_the_token_that_the_feed_gives(own, contribute):  # noqa: F811
    contribute({"id": "1", "name": "東小学校"})
    first = told(own, "shelters")["shelters"]["token"]
    assert first == ask(own)["token"]
    assert told(own, "shelters", first) == {}
    contribute({"id": "1", "name": "東小学校"}, {"id": "2", "name": "西小学校"})
    changed, feed = told(own, "shelters", first)["shelters"], ask(own, since=first)
    assert changed["created"] == feed["created"]
    assert changed["features"]["features"] == feed["features"]
    assert changed["token"] == feed["token"]
    assert told(own, "shelters", changed["token"]) == {}


def test_a_hidden_collection_is_like_one_that_does_not_exist(own, contribute):  # noqa: F811
    contribute({"id": "1", "name": "東小学校"})
    known = told(own, "shelters", key=None)["shelters"]["token"]
    hidden = look(own, "shelters,lanes", f"{known},", None)
    nothing = look(own, "shelters,nowhere", f"{known},", None)
    assert hidden.data == nothing.data
    assert sorted(hidden.headers) == sorted(nothing.headers)
    assert look(own, "lanes", "anything", None).data == look(own, "nowhere", "anything", None).data


def test_both_ways_say_the_same(own, contribute):  # noqa: F811
    contribute({"id": "1", "name": "東小学校"})
    first = told(own, "shelters")["shelters"]["token"]
    contribute({"id": "1", "name": "新東小学校"})
    for since in (None, first):
        short, usual = look(own, "shelters", since), look(own, "shelters", since, **USUAL)
        assert (short.status_code, short.data) == (usual.status_code, usual.data)
        headers = [
            {name: value for name, value in answer.headers if name != "Content-Length"}
            for answer in (short, usual)
        ]
        assert headers[0] == headers[1]


@pytest.mark.parametrize(
    ("names", "since", "parameter"),
    [
        ("shelters,shelters", None, "collections"),
        (",".join(f"c{number}" for number in range(33)), None, "collections"),
        ("shelters", "a,b", "since"),
        ("shelters", "a", "since"),
    ],
)
def test_bad_input_names_the_parameter(own, contribute, names, since, parameter):  # noqa: F811
    contribute({"id": "1", "name": "東小学校"})
    answer = look(own, names, since)
    assert answer.status_code == 400
    assert answer.json["parameter"] == parameter


def test_the_token_of_a_policy_that_is_another_holders_begins_anew(own, contribute):  # noqa: F811
    contribute({"id": "1", "name": "東小学校"})
    others = told(own, "shelters", key=None)["shelters"]["token"]
    found = told(own, "shelters", others)["shelters"]
    assert found == {"token": told(own, "shelters")["shelters"]["token"], "gone": True}


def test_looking_uses_up_no_request_and_what_is_told_is_noted(own, contribute):  # noqa: F811
    contribute({"id": "1", "name": "東小学校"})
    first = told(own, "shelters")["shelters"]["token"]
    used = json.loads(own.get("/me", "municipal").data)["quota"]["month"]["requests"]
    told(own, "shelters", first)
    assert json.loads(own.get("/me", "municipal").data)["quota"]["month"]["requests"] == used + 1
    counts = own.services.trail.reads._counts
    assert not [key for key in counts if key[3] == "watching.several"]
    contribute({"id": "1", "name": "新東小学校"})
    told(own, "shelters", first)
    assert [key[2] for key in counts if key[3] == "watching.several"] == ["shelters"]


def test_who_is_revoked_is_told_nothing(own, contribute):  # noqa: F811
    contribute({"id": "1", "name": "東小学校"})
    assert look(own, "shelters", key=None, **{"X-API-Key": "gs_no"}).status_code == 401


def test_an_editor_is_told_of_the_open_list_with_what_it_is_edited_by(own, contribute):  # noqa: F811
    contribute({"id": "1", "name": "東小学校"}, {"id": "2", "name": "西小学校"})
    first = told(own, "shelters")["shelters"]["token"]
    listed = own.client.get(
        "/desk/collections/shelters/items", headers={"X-API-Key": own.keys["municipal"]}
    ).json["features"]
    shelter, other = sorted(listed, key=lambda item: item["properties"]["name"] != "東小学校")
    set_ = own.client.patch(
        f"/collections/shelters/items/{shelter['id']}",
        json={"properties": {"people_count": 12}},
        headers={"X-API-Key": own.keys["municipal"], "If-Match": f'"{shelter["version"]}"'},
    )
    contribute({"id": "1", "name": "東小学校"}, {"id": "2", "name": "新西小学校"})
    said = {"collections": "shelters,events", "since": f"{first},", "desk": "shelters"}
    key = {"X-API-Key": own.keys["municipal"]}
    changed = own.client.get("/changes", query_string=said, headers=key).json["collections"]["shelters"]
    assert set(changed["desk"]) == {shelter["id"], other["id"]}
    for feature in changed["features"]["features"]:
        item = own.client.get(f"/desk/collections/shelters/items/{feature['id']}", headers=key).json
        assert feature | changed["desk"][feature["id"]] == item
    assert changed["desk"][shelter["id"]]["version"] == set_.json["version"]
    assert changed["desk"][shelter["id"]]["own"]["people_count"] == 12


@pytest.mark.parametrize("key", ["developer", None])
def test_who_does_not_edit_is_told_nothing_more_however_it_is_asked(own, contribute, key):  # noqa: F811
    contribute({"id": "1", "name": "東小学校"})
    first = told(own, "shelters", key=key)["shelters"]["token"]
    contribute({"id": "1", "name": "新東小学校"})
    sent = {"X-API-Key": own.keys[key]} if key else {}
    bodies = {
        own.client.get(
            "/changes",
            query_string={"collections": "shelters", "since": first} | more,
            headers=sent,
        ).data
        for more in ({}, {"desk": "shelters"}, {"desk": "lanes"}, {"desk": "nowhere"})
    }
    assert len(bodies) == 1
    assert b"updated" in bodies.pop()


def test_the_more_watch_the_less_often_each_is_to_ask_and_editors_go_on():
    now = [0.0]
    pace = Pace(lambda: now[0])
    assert pace.next_s(editor=False) == STEPS_S[0]

    def watch(screens: int, seconds: float) -> float:
        due, last = [now[0]] * screens, STEPS_S[0]
        end = now[0] + seconds
        while min(due) < end:
            first = due.index(min(due))
            now[0] = due[first]
            last = pace.next_s(editor=False)
            due[first] += last
        return last

    assert watch(100, 10) == STEPS_S[0]
    assert (
        watch(3_000, 20) == 4
    )  # 2.5 s for 1,200 questions a second of 3,000 screens, and the next step
    assert pace.next_s(editor=True) == EDITOR_S
    now[0] += 60
    assert pace.next_s(editor=False) == STEPS_S[0]
