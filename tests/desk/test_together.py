"""Two officers at once: nobody's words are lost, everybody sees who said what, and can take it back."""

from __future__ import annotations

import threading

import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geoshare.ingest.edits import Author, Change, MovedOn, NewSaying, feature_id, write_edit
from geoshare.model.clock import RandomIds, SystemClock
from geoshare.store import open_record, reading
from geoshare.store.edit_rows import own_claims
from geoshare.store.rows import DESK
from tests.desk.conftest import Town

SHELTER = {"name": "潮見小学校", "status": "not_open"}


def test_who_has_not_seen_the_newest_version_is_refused_with_both_sides(town: Town) -> None:
    made = town.make("shelters", SHELTER)
    assert town.change(made, {"status": "open", "people_count": 40}).status_code == 200
    answer = town.change(made, {"status": "full", "pets_accepted": True})
    assert answer.status_code == 412
    (feature,) = answer.json["features"]
    told = {item["property"]: item for item in feature["differing"]}
    status = told["status"]
    assert (status["yours"], status["theirs"], status["before"]) == ("full", "open", "not_open")
    assert status["both"]
    assert (told["pets_accepted"]["both"], told["people_count"]["wanted"]) == (False, False)
    assert told["people_count"]["theirs"] == 40
    assert answer.json["detail_ja"]
    seen = town.seen("shelters", made["id"])
    assert seen is not None
    assert seen["status"] == "open"
    # with the version that the refusal names it goes on
    again = town.change(made | {"version": feature["version"]}, {"status": "full"})
    assert again.status_code == 200


def test_an_edit_that_does_not_say_what_it_rests_on_is_refused(town: Town) -> None:
    made = town.make("shelters", SHELTER)
    path = f"/collections/shelters/items/{made['id']}"
    for headers in ({}, {"If_Match": "*"}):
        for method in ("PATCH", "PUT", "DELETE"):
            answer = town.ask(method, path, {"properties": {"status": "open"}}, **headers)
            assert (answer.status_code, answer.json["parameter"]) == (428, "If-Match")


def test_an_edit_is_taken_back_with_every_value_as_it_was(town: Town) -> None:
    made = town.make("shelters", SHELTER)
    changed = town.change(made, {"status": "full", "people_count": 90}).json
    before = town.seen("shelters", made["id"])
    assert (
        town.ask("POST", f"/desk/edits/{changed['edit']}/undo", {"reason": "誤り"}).status_code == 201
    )
    after = town.seen("shelters", made["id"])
    assert before is not None
    assert after is not None
    assert (after["status"], after["people_count"], after["name"]) == ("not_open", None, "潮見小学校")
    newest = town.ask("GET", "/desk/edits").json["edits"][0]
    assert (newest["kind"], newest["undoes"], newest["reason"]) == ("undo", changed["edit"], "誤り")
    assert newest["features"][0]["name"] == "潮見小学校"
    # an undo is an edit, and can be taken back as well
    assert town.ask("POST", f"/desk/edits/{newest['edit']}/undo", {}).status_code == 201
    again = town.seen("shelters", made["id"])
    assert again == before


def test_an_edit_that_somebody_went_on_from_is_not_taken_back(town: Town) -> None:
    made = town.make("shelters", SHELTER)
    changed = town.change(made, {"status": "open"}).json
    assert town.change(changed, {"people_count": 5}).status_code == 200
    answer = town.ask("POST", f"/desk/edits/{changed['edit']}/undo", {})
    assert answer.status_code == 412
    seen = town.seen("shelters", made["id"])
    assert seen is not None
    assert (seen["status"], seen["people_count"]) == ("open", 5)


def test_what_was_made_goes_with_its_undo_and_what_was_withdrawn_comes_back(town: Town) -> None:
    made = town.make("water_points", {"name": "駅前", "status": "open"})
    path = f"/collections/water_points/items/{made['id']}"
    gone = town.ask("DELETE", path, If_Match=made["version"])
    assert gone.status_code == 200
    assert town.seen("water_points", made["id"]) is None
    assert town.ask("POST", f"/desk/edits/{gone.json['edit']}/undo", {}).status_code == 201
    back = town.seen("water_points", made["id"])
    assert back is not None
    assert back["name"] == "駅前"
    # what it left stands again, so it can be taken back as well: one after the other
    assert town.ask("POST", f"/desk/edits/{made['edit']}/undo", {}).status_code == 201
    assert town.seen("water_points", made["id"]) is None
    assert town.ask("POST", f"/desk/edits/{made['edit']}/undo", {}).status_code == 412


def test_history_says_who_when_why_and_what(town: Town) -> None:
    made = town.make("shelters", SHELTER)
    path = f"/collections/shelters/items/{made['id']}"
    body = {"properties": {"status": "open"}, "edit": {"reason": "開設指示", "source": "災対本部"}}
    assert town.ask("PATCH", path, body, If_Match=made["version"]).status_code == 200
    newest, oldest = town.ask("GET", f"/desk{path}/history").json["history"]
    assert (newest["reason"], newest["source"]) == ("開設指示", "災対本部")
    change = next(item for item in newest["changes"] if item["property"] == "status")
    assert (change["before"], change["after"]) == ("not_open", "open")
    assert oldest["kind"] == "create"


def test_of_many_who_write_from_one_version_exactly_one_succeeds(tmp_path) -> None:
    record, clock, ids = open_record(tmp_path / "record.db"), SystemClock(), RandomIds()
    feature = feature_id(record, "water_points", "town", "a")
    outcomes: list[str] = []
    start = threading.Barrier(8)

    def write(number: int) -> None:
        saying = NewSaying(
            DESK, "a", shapely.to_wkb(shapely.Point(139.5, 35.5)), {"litres_left": number}
        )
        change = Change("water_points", feature, (), (), (saying,))
        start.wait()
        try:
            write_edit(record, clock, ids.new(), "create", Author("town"), [change])
            outcomes.append("done")
        except MovedOn:
            outcomes.append("moved")

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["done"] + ["moved"] * 7
    with record.snapshot() as connection:
        assert len(own_claims(connection, "town", [("water_points", feature)])) == 1
        assert reading.count_features(connection, "water_points") == 1


VALUES = st.dictionaries(
    st.sampled_from(["status", "people_count", "pets_accepted"]),
    st.sampled_from([None, 1]),
    max_size=3,
)


@settings(max_examples=8, deadline=None)
@given(steps=st.lists(st.one_of(VALUES, st.just("undo")), max_size=8))
def test_undoing_in_order_goes_back_through_every_state(tmp_path_factory, steps) -> None:
    town = _shared(tmp_path_factory)
    made = town.make("damage_reports", {"kind": "road"})
    states, edits, now = [_own(made)], [], made
    for step in steps:
        if step == "undo":
            if not edits:
                continue
            answer = town.ask("POST", f"/desk/edits/{edits.pop()}/undo", {})
            assert answer.status_code == 201
            states.pop()
            now = now | answer.json["features"][0]
        else:
            said = {"name": "A", "severity": "minor", "description": "B"}
            names = dict(zip(("status", "people_count", "pets_accepted"), said, strict=True))
            values = {
                names[key]: None if value is None else said[names[key]] for key, value in step.items()
            }
            answer = town.change(now, values)
            assert answer.status_code == 200, answer.data.decode()
            edits.append(answer.json["edit"])
            now = answer.json
            expected = states[-1] | values
            states.append({key: value for key, value in expected.items() if value is not None})
        assert _own(now) == states[-1]


_TOWNS: list[Town] = []


def _shared(tmp_path_factory) -> Town:
    if not _TOWNS:
        _TOWNS.append(Town(tmp_path_factory.mktemp("desk") / "data"))
    return _TOWNS[0]


def _own(answer) -> dict:
    return dict(answer["own"])
