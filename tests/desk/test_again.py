"""An officer whose line broke asks again: what was done is answered again, and not done twice."""

from __future__ import annotations

import pytest

from tests.desk.conftest import OTHER, TOWN, Town

SHELTER = {"name": "潮見小学校", "status": "open", "people_count": 12}
KEY = "3c1b6f0e-queue-1"


def edits(town: Town) -> list[dict]:
    return town.ask("GET", "/desk/edits").json["edits"]


def test_a_change_that_is_asked_again_under_its_key_is_made_once(town: Town) -> None:
    made = town.make("shelters", SHELTER)
    first = town.change(made, {"status": "full"}, Idempotency_Key=KEY)
    again = town.change(made, {"status": "full"}, Idempotency_Key=KEY)
    assert (first.status_code, again.status_code) == (200, 200)
    assert (first.json["edit"], first.json["version"]) == (again.json["edit"], again.json["version"])
    assert first.headers["ETag"] == again.headers["ETag"]
    assert [edit["kind"] for edit in edits(town)] == ["update", "create"]


def test_what_a_colleague_said_after_it_stays_when_it_is_asked_again(town: Town) -> None:
    made = town.make("shelters", SHELTER)
    done = town.change(made, {"status": "full"}, Idempotency_Key=KEY).json
    later = town.change(done, {"status": "closed"})
    assert later.status_code == 200
    again = town.change(made, {"status": "full"}, Idempotency_Key=KEY)
    assert again.status_code == 200
    assert again.json["own"]["status"] == "closed"
    assert again.json["version"] == later.json["version"]


def test_a_refused_change_uses_no_key_up(town: Town) -> None:
    made = town.make("shelters", SHELTER)
    town.change(made, {"status": "closed"})
    assert town.change(made, {"status": "full"}, Idempotency_Key=KEY).status_code == 412
    assert town.change(made, {"status": "full"}, Idempotency_Key=KEY).status_code == 412
    assert [edit["kind"] for edit in edits(town)] == ["update", "create"]


def test_withdrawing_and_making_are_done_once_under_their_keys(town: Town) -> None:
    body = {"type": "Feature", "geometry": {"type": "Point", "coordinates": [139.5, 35.5]}}
    body |= {"properties": SHELTER}
    made = [
        town.ask("POST", "/collections/shelters/items", body, Idempotency_Key="make").json
        for _ in range(2)
    ]
    assert made[0]["id"] == made[1]["id"]
    path = f"/collections/shelters/items/{made[0]['id']}"
    gone = [
        town.ask("DELETE", path, If_Match=f'"{made[0]["version"]}"', Idempotency_Key="drop")
        for _ in range(2)
    ]
    assert [answer.status_code for answer in gone] == [200, 200]
    assert [edit["kind"] for edit in edits(town)] == ["delete", "create"]


def test_the_key_of_another_organisation_leads_nowhere(town: Town) -> None:
    made = town.make("shelters", SHELTER)
    town.change(made, {"status": "full"}, Idempotency_Key=KEY)
    theirs = town.make("shelters", SHELTER, {"type": "Point", "coordinates": [140.5, 35.5]}, key=OTHER)
    answer = town.change(theirs, {"status": "closed"}, key=OTHER, Idempotency_Key=KEY)
    assert answer.json["id"] == theirs["id"]
    assert answer.json["own"]["status"] == "closed"
    assert len(town.ask("GET", "/desk/edits", key=TOWN).json["edits"]) == 2


@pytest.mark.parametrize("key", ["x" * 129, "\x01"])
def test_a_key_that_is_none_is_refused_by_name(town: Town, key: str) -> None:
    made = town.make("shelters", SHELTER)
    answer = town.change(made, {"status": "full"}, Idempotency_Key=key)
    assert (answer.status_code, answer.json["parameter"]) == (400, "Idempotency-Key")
