"""Small batches of observations: taken once under their key, however often they are sent."""

from __future__ import annotations

import json
import random
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import shapely
from sqlalchemy import select

from geoshare.errors import Unavailable
from geoshare.ingest import together
from geoshare.jobs import Queue
from geoshare.services import once
from geoshare.services.keeping import make_worker
from geoshare.store.governance_tables import AUDIT_OPENINGS
from geoshare.store.reading import full_claims

BATCH = "/contributions?collection=places"


class Sender:
    """Somebody who sends batches, and a worker that reads them."""

    def __init__(self, own) -> None:
        self.own = own
        self.worker = make_worker(own.services)

    def send(self, body: bytes, key: str | None = None, who: str = "provider", path: str = BATCH):
        headers = {"X-API-Key": self.own.keys[who], "Content-Type": "application/geo+json"}
        headers |= {} if key is None else {"Idempotency-Key": key}
        return self.own.client.post(path, data=body, headers=headers)

    def work(self) -> None:
        while self.worker.run_one():
            pass

    def shown(self) -> list[str]:
        return sorted(item["properties"]["name"] for item in self.own.items("places"))


@pytest.fixture
def sender(own) -> Sender:
    return Sender(own)


def batch(*names: str, ids: bool = True) -> bytes:
    features: list[dict[str, Any]] = []
    for number, name in enumerate(names):
        place = {"type": "Point", "coordinates": [139.7, 35.6]}
        features.append({"type": "Feature", "geometry": place, "properties": {"name": name}})
        if ids:
            features[-1] |= {"id": f"o{number}", "properties": {"id": f"o{number}", "name": name}}
    return json.dumps({"type": "FeatureCollection", "features": features}).encode()


def test_a_batch_that_is_sent_again_is_the_same_contribution(sender):
    first = sender.send(batch("a", "b"), "key-1")
    assert first.status_code == 202
    assert sender.send(batch("a", "b"), "key-1").json == first.json
    sender.work()
    again = sender.send(batch("a", "b"), "key-1")
    assert (again.status_code, again.json["id"], again.json["status"]) == (
        202,
        first.json["id"],
        "done",
    )
    assert len(sender.own.services.queue.newest()) == 1
    assert sender.shown() == ["a", "b"]


def test_without_a_key_what_goes_back_to_what_it_was_is_taken(sender):
    told = []
    for body in (batch("a"), batch("b"), batch("a"), batch("a")):
        told.append(sender.send(body).json["href"])
        sender.work()
    said = [sender.own.get(href.removeprefix("http://localhost"), "provider").json for href in told]
    assert [one["already_here"] for one in said] == [False, False, False, True]
    assert sender.shown() == ["a"]


def test_another_body_or_other_words_under_the_same_key_are_refused(sender):
    assert sender.send(batch("a"), "key-1").status_code == 202
    for body, path in ((batch("b"), BATCH), (batch("a"), BATCH + "&licence=CC0-1.0")):
        answer = sender.send(body, "key-1", path=path)
        assert (answer.status_code, answer.json["parameter"]) == (409, "Idempotency-Key")
    sender.work()
    assert sender.shown() == ["a"]


def test_a_key_is_its_organisation_s_own(sender):
    sender.own.keys["other"] = sender.own.key("org-other", "provider")
    first = sender.send(batch("a"), "key-1")
    other = sender.send(batch("b"), "key-1", "other")
    assert other.status_code == 202
    assert other.json["id"] != first.json["id"]


def test_a_later_batch_updates_what_has_ids_and_adds_what_has_none(sender):
    for body in (batch("a"), batch("b"), batch("x", ids=False), batch("y", ids=False)):
        assert sender.send(body).status_code == 202
        sender.work()
    assert sender.shown() == ["b", "x", "y"]
    sender.send(batch("x", ids=False))  # the same once more
    sender.work()
    assert sender.shown() == ["b", "x", "y"]


def test_a_batch_that_is_too_large_and_a_key_that_is_none_are_refused_by_name(sender):
    large = sender.send(b" " * (once.SMALL_BYTES + 1))
    assert (large.status_code, large.json["parameter"]) == (413, "body")
    for key in ("", "x" * 129, "\u00e9"):
        answer = sender.send(batch("a"), key)
        assert (answer.status_code, answer.json["parameter"]) == (400, "Idempotency-Key")
    assert sender.own.services.queue.newest() == []
    assert not any((sender.own.settings.data / "incoming").glob("*"))


def test_two_who_send_the_same_at_once_are_one(sender, monkeypatch):
    """The second one looks before the first one is queued, and comes to its place after it."""
    first = sender.send(batch("a"), "key-1").json
    sender.own.services.queue.get(first["id"])
    known = once.Once._known
    monkeypatch.setattr(once.Once, "_known", lambda *arguments: None)
    second = sender.send(batch("a"), "key-1")
    assert (second.status_code, second.json["id"]) == (202, first["id"])
    assert sender.send(batch("b"), "key-1").status_code == 409
    monkeypatch.setattr(once.Once, "_known", known)
    assert len(sender.own.services.queue.newest()) == 1


def moved(east_m: float, name: str = "a") -> bytes:
    place = {"type": "Point", "coordinates": [139.7 + east_m / 90_500, 35.6]}
    said = {"id": "o", "name": name}
    feature = {"type": "Feature", "id": "o", "geometry": place, "properties": said}
    return json.dumps({"type": "FeatureCollection", "features": [feature]}).encode()


def test_what_moves_within_its_stated_accuracy_is_no_change_and_small_steps_add_up(sender):
    path = BATCH + "&accuracy_m=2"

    def token() -> str:
        return str(sender.own.get("/collections/places/changes").json["token"])

    def after(east_m: float, name: str = "a") -> str:
        assert sender.send(moved(east_m, name), path=path).status_code == 202
        sender.work()
        return token()

    first = after(0)
    (before,) = sender.own.items("places")
    assert after(1.5) == first
    assert sender.own.items("places") == [before]
    with sender.own.services.record.snapshot() as connection:
        (claim,) = full_claims(connection, "places", [before["id"]], set())
    assert claim.accuracy_m == 2
    assert shapely.from_wkb(claim.geometry).x > 139.7  # what was measured is kept
    second = after(2.5)  # from where it stands, not from where it was measured last
    assert second != first
    assert after(2.5, "b") != second


def test_without_a_stated_accuracy_every_move_is_a_change(sender):
    tokens = set()
    for east_m in (0.0, 0.5):
        sender.send(moved(east_m))
        sender.work()
        tokens.add(sender.own.get("/collections/places/changes").json["token"])
    assert len(tokens) == 2


def test_half_a_batch_that_is_invalid_is_told_and_the_other_half_is_taken_once(sender):
    features = json.loads(batch("a", "b", "c", "d"))["features"]
    features[1]["geometry"] = {"type": "Point", "coordinates": ["x", None]}
    features[3]["geometry"] = {"type": "Point", "coordinates": [139.7, 135.6]}
    body = json.dumps({"type": "FeatureCollection", "features": features}).encode()
    for _ in range(2):
        taken = sender.send(body, "half")
        sender.work()
    path = f"/contributions/{taken.json['id']}"
    found = sender.own.get(path, "provider").json
    assert (found["status"], found["report"]["taken"]) == ("done", {"places": 2})
    assert found["report"]["refused"] == 2
    assert all(item["message"]["ja"] for item in found["report"]["refusals"])
    assert sender.own.get(f"{path}/refused.xlsx", "provider").status_code == 200
    assert sender.shown() == ["a", "c"]


def test_what_is_over_says_what_became_of_it_and_of_what_is_refused_that_nothing_was_taken(sender):
    twice = batch("a", "b").replace(b'"o1"', b'"o0"')
    sent = [
        sender.send(batch("a")),
        sender.send(batch("a"), "again"),
        sender.send(one("o1", "b") + b" ", path=f"{BATCH}&check_only=true"),
        sender.send(
            twice := batch("a", "b").replace(b'"o1"', b'"o0"'), path=f"{BATCH}&refuse_on=error"
        ),
    ]
    assert twice.count(b'"o0"') == 4
    sender.work()
    told = [sender.own.get(f"/contributions/{item.json['id']}", "provider").json for item in sent]
    assert [item["status"] for item in told] == ["done", "done", "checked", "refused"]
    assert [item["message"].partition(":")[0] for item in told] == [
        "Taken in, and visible",
        "Taken in, and visible",
        "Only checked",
        "Nothing was taken",
    ]
    assert all(item["message_ja"] for item in told)
    assert told[3]["report"]["taken"] == {}
    assert {item["rule"] for item in told[3]["report"]["findings"]} == {"geoshare:id.contradicts"}


def test_many_tiny_batches_in_any_order_and_many_times_are_each_taken_once(sender):
    """As gateways send them whose line breaks: nothing is lost, nothing is double, nothing stays."""
    bodies = {f"key-{at}": one(f"o{at % 4}", f"{at:03}") for at in range(10)}
    order = random.Random(1).sample([*bodies, *bodies], 2 * len(bodies))

    def send(key: str) -> tuple[int, str]:
        while True:  # a gateway comes back to a server that is busy, or still receiving
            with sender.send(bodies[key], key) as answer:
                if answer.status_code not in (409, 503):
                    return answer.status_code, answer.json["id"]

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(send, order))
    assert {status for status, _ in answers} == {202}
    assert len({number for _, number in answers}) == len(bodies)
    sender.work()
    jobs = sender.own.services.queue.newest(limit=1_000)
    assert [job.state for job in jobs] == ["done"] * len(bodies)
    taken = sender.own.services.record.contributions()
    assert len(taken) == len(bodies)
    assert len(sender.shown()) == 4
    assert not any((sender.own.settings.data / "incoming").glob("*"))


def one(id_: str, name: str) -> bytes:
    place = {"type": "Point", "coordinates": [139.7, 35.6]}
    feature = {"type": "Feature", "id": id_, "geometry": place, "properties": {"id": id_, "name": name}}
    return json.dumps({"type": "FeatureCollection", "features": [feature]}).encode()


def test_a_body_stays_for_the_job_of_whoever_was_first_to_queue_it(sender, monkeypatch):
    """Two senders of one key at once: one has put the body in its place, the other queues the job."""
    own, enqueue = sender.own, Queue.enqueue

    def overtaken(queue: Queue, *said: Any, **named: Any) -> Any:
        monkeypatch.setattr(Queue, "enqueue", enqueue)  # the other is not overtaken
        assert sender.send(batch("a"), "key-1").status_code == 202
        return enqueue(queue, *said, **named)

    monkeypatch.setattr(Queue, "enqueue", overtaken)
    assert sender.send(batch("a"), "key-1").status_code == 202
    sender.work()
    assert [job.state for job in own.services.queue.newest()] == ["done"]
    assert sender.shown() == ["a"]
    assert not any((own.settings.data / "incoming").glob("*"))


def test_batches_that_wait_are_taken_together_each_with_its_own_report(sender):
    nowhere = [{"type": "Feature", "id": "w", "properties": {"id": "w"}, "geometry": {"type": "Point"}}]
    half = json.loads(one("h", "half"))["features"] + nowhere
    bodies = [one(f"t{at}", f"{at}") for at in range(4)]
    bodies.insert(1, json.dumps({"type": "FeatureCollection", "features": half}).encode())
    bodies.insert(3, json.dumps({"type": "FeatureCollection", "features": nowhere}).encode())
    bodies.append(one("t0", "later"))  # what an earlier one has spoken of
    bodies += [one("t9", "last"), bodies[0]]  # and what was so before, again
    sent = [sender.send(body, f"key-{at}").json["id"] for at, body in enumerate(bodies)]
    sender.work()
    told = [sender.own.get(f"/contributions/{number}", "provider").json for number in sent]
    states = [said["status"] for said in told]
    assert states == ["done", "done", "done", "refused", *["done"] * 5]
    assert [said["report"]["refused"] for said in told] == [0, 1, 0, 1, 0, 0, 0, 0, 0]
    assert [said.get("already_here") for said in told[:3]] == [False] * 3
    for number in (sent[1], sent[3]):
        assert sender.own.get(f"/contributions/{number}/refused.xlsx", "provider").status_code == 200
    assert sender.shown() == ["0", "1", "2", "3", "half", "last"]  # in the order in which they came
    taken = sender.own.services.record.contributions()
    assert len(taken) == 8
    assert len({one.changeset for one in taken}) == 3  # the second ends before what is said again


def test_batches_taken_together_end_together_each_with_one_entry_of_its_end(sender, monkeypatch):
    services = sender.own.services
    sent = [sender.send(one(f"t{at}", f"{at}"), f"key-{at}").json["id"] for at in range(6)]

    def entries() -> list[str]:
        ended = select(AUDIT_OPENINGS.c.value).where(AUDIT_OPENINGS.c.value.in_(sent))
        with services.governance.database.read() as connection:
            return connection.execute(ended).scalars().all()

    before = entries()
    assert sorted(before) == sorted(sent)  # of having been sent

    def no_room(*_: Any) -> None:
        raise Unavailable("no room")

    with monkeypatch.context() as broken:  # no entry, no end
        broken.setattr("geoshare.services.contribution_jobs.end_of", no_room)
        assert sender.worker.run_one()
    assert {services.queue.get(number).state for number in sent} == {"queued"}
    assert services.queue.cancel(sent[2]).state == "cancelled"
    now_us = services.clock.now_us()
    monkeypatch.setattr(sender.worker._clock, "now_us", lambda: now_us + 60_000_000)
    sender.work()
    ends = [services.queue.get(number) for number in sent]
    assert [end.state for end in ends] == ["done", "done", "cancelled", "done", "done", "done"]
    assert [end.attempts for end in ends] == [2, 1, 0, 1, 1, 1]
    assert sorted(entries()) == sorted([*before, *sent[:2], *sent[3:]])


def test_one_run_of_a_worker_ends_all_that_was_taken_together(sender):
    sent = [sender.send(one(f"t{at}", f"{at}"), f"key-{at}").json["id"] for at in range(6)]
    assert sender.worker.run_one()
    told = [sender.own.get(f"/contributions/{number}", "provider").json for number in sent]
    assert [(said["status"], said["already_here"]) for said in told] == [("done", False)] * 6
    assert sender.shown() == [f"{at}" for at in range(6)]
    assert not sender.worker.run_one()
    assert not any((sender.own.settings.data / "incoming").glob("*"))


def test_a_batch_is_kept_with_its_job_and_its_entry_in_the_log_or_not_at_all(sender, monkeypatch):
    services = sender.own.services

    def no_room(*_: Any) -> None:
        raise Unavailable("no room")

    with monkeypatch.context() as broken:
        broken.setattr(type(services.trail), "add", no_room)
        assert sender.send(batch("a"), "key-1").status_code == 503
    assert services.queue.newest() == []
    number = sender.send(batch("a"), "key-1").json["id"]
    assert not (services.settings.data / "incoming" / number).exists()  # it needs no file to be kept
    with services.governance.database.read() as connection:
        about = select(AUDIT_OPENINGS.c.what).where(AUDIT_OPENINGS.c.value == number)
        assert connection.execute(about).scalars().all() == ["subject"]
    sender.work()
    assert sender.shown() == ["a"]
    assert services.governance.jobs.body(number) is None


def test_who_dies_over_batches_taken_together_loses_none_and_takes_none_twice(sender, monkeypatch):
    sent = [sender.send(one(f"t{at}", f"{at}"), f"key-{at}").json["id"] for at in range(5)]

    class Killed(BaseException):
        pass

    def die(*_: Any) -> None:
        raise Killed

    monkeypatch.setattr(together, "describe", die)
    with pytest.raises(Killed):
        sender.worker.run_one()
    monkeypatch.undo()
    now_us = sender.own.services.clock.now_us()
    monkeypatch.setattr(sender.worker._clock, "now_us", lambda: now_us + 60_000_000)
    sender.work()
    monkeypatch.undo()
    assert sender.shown() == ["0", "1", "2", "3", "4"]
    taken = sender.own.services.record.contributions()
    assert sorted(one.id for one in taken) == sorted(sent)


def test_when_a_batch_was_seen_counts_and_a_clock_in_the_future_is_refused(sender):
    sender.own.keys["other"] = sender.own.key("org-other", "provider")
    for observed in ("2999-01-01", "yesterday"):
        answer = sender.send(batch("a"), path=f"{BATCH}&observed={observed}")
        assert (answer.status_code, answer.json["parameter"]) == (400, "observed")
        assert answer.json["allowed"]
    sender.send(moved(0), path=BATCH + "&accuracy_m=1&observed=2026-05-02T00:00:00Z")
    sender.send(moved(0.1, "older"), who="other", path=BATCH + "&accuracy_m=1&observed=2026-05-01")
    sender.work()
    assert sender.shown() == ["a"]  # seen last, though it was sent first


def test_a_batch_that_is_all_there_is_takes_away_what_it_lacks_and_the_changes_tell_of_it(sender):
    own, changes = sender.own, "/collections/places/changes"
    sender.send(batch("a", "b", "c"))
    sender.work()
    token = own.get(changes, "provider").json["token"]
    ids = {item["properties"]["name"]: item["id"] for item in own.items("places")}
    path = f"{BATCH}&complete=true"
    looked = sender.send(batch("a", "b"), path=f"{path}&check_only=true")
    sent = sender.send(batch("a", "b"), path=path)
    sender.work()
    told = [own.get(f"/contributions/{one.json['id']}", "provider").json for one in (looked, sent)]
    assert [one["status"] for one in told] == ["checked", "done"]
    assert [one["report"]["withdrawn"] for one in told] == [{"places": 1}] * 2
    assert sender.shown() == ["a", "b"]
    found = own.get(f"{changes}?since={token}", "provider").json
    assert (found["deleted"], found["features"]) == ([ids["c"]], [])


@pytest.mark.parametrize(
    ("said", "parameter"),
    [
        ("within=1,2,3,4", "within"),
        ("remove_most=true", "remove_most"),
        ("complete=true&within=3,2,1,4", "within"),
        ("complete=true&within=a", "within"),
        ("dataset=desk:", "dataset"),
        ("complete=perhaps", "complete"),
    ],
)
def test_what_cannot_be_said_of_a_complete_file_is_refused_by_name(sender, said, parameter):
    answer = sender.send(batch("a"), path=f"{BATCH}&{said}")
    assert answer.status_code == 400
    assert answer.json["parameter"] == parameter
    assert answer.json["allowed"]
