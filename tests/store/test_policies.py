"""Change sets of policies: what is written once stays, and only signatures and ends are added."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text

from geoshare.errors import BadRequest, Conflict, NotFound, Unavailable
from geoshare.store import Governance, open_governance
from geoshare.store.policy_kinds import Act
from geoshare.store.policy_rows import PolicyRows

BY = Act(1_000, "operator", "a test")


@pytest.fixture
def governance(database_url: str) -> Iterator[Governance]:
    opened = open_governance(database_url)
    opened.add_organisation("maker", "Maker", 1)
    yield opened
    opened.close()


@pytest.fixture
def rows(governance: Governance) -> PolicyRows:
    return governance.policies


def document(name: str = "a1", version: int = 1, consumer: str = "maker") -> str:
    parties = [
        {"organisation": "operator", "part": "provider"},
        {"organisation": consumer, "part": "consumer"},
    ]
    return json.dumps({"id": name, "version": version, "parties": parties})


def signature(organisation: str) -> dict[str, Any]:
    return {"organisation": organisation, "name": "A person"}


def signed(rows: PolicyRows, name: str = "a1", version: int = 1) -> None:
    rows.put_agreement(BY, name, "maker", document(name, version))
    for side in ("operator", "maker"):
        rows.sign(BY, name, version, signature(side))


def test_an_agreement_is_in_force_once_both_have_signed(rows: PolicyRows) -> None:
    rows.put_agreement(BY, "a1", "maker", document())
    assert not rows.sign(BY, "a1", 1, signature("operator"))
    assert rows.agreements_in_force() == []
    assert rows.sign(Act(2_000, "maker", "yes"), "a1", 1, signature("maker"))
    (found,) = rows.agreements_in_force()
    assert (found.signed_us, found.document) == (2_000, document())
    assert found.sha256 == hashlib.sha256(document().encode()).hexdigest()
    assert [item["organisation"] for item in found.signatures] == ["operator", "maker"]


def test_what_is_signed_is_signed_once_by_its_parties_alone(rows: PolicyRows) -> None:
    rows.put_agreement(BY, "a1", "maker", document())
    with pytest.raises(Conflict):
        rows.sign(BY, "a1", 1, signature("stranger"))
    rows.sign(BY, "a1", 1, signature("maker"))
    with pytest.raises(Conflict):
        rows.sign(BY, "a1", 1, signature("maker"))
    rows.sign(BY, "a1", 1, signature("operator"))
    with pytest.raises(Conflict):
        rows.sign(BY, "a1", 1, signature("operator"))
    with pytest.raises(NotFound):
        rows.sign(BY, "a2", 1, signature("operator"))


def test_a_new_version_replaces_the_old_one_only_when_it_is_signed(rows: PolicyRows) -> None:
    signed(rows)
    rows.put_agreement(BY, "a1", "maker", document(version=2))
    assert [row.version for row in rows.agreements_in_force()] == [1]
    for side in ("operator", "maker"):
        rows.sign(Act(9, "operator", "more"), "a1", 2, signature(side))
    assert [row.version for row in rows.agreements_in_force()] == [2]
    old, _ = rows.agreements("maker")
    assert (old.document, old.ended_us, old.end_reason) == (document(), 9, "replaced by version 2")


def test_an_agreement_needs_its_organisation_and_its_next_version(rows: PolicyRows) -> None:
    with pytest.raises(BadRequest):
        rows.put_agreement(BY, "a1", "nobody", document(consumer="nobody"))
    with pytest.raises(Conflict):
        rows.put_agreement(BY, "a1", "maker", document(version=2))


def test_an_agreement_stays_with_its_organisation(governance: Governance) -> None:
    rows = governance.policies
    signed(rows)
    governance.add_organisation("other", "Other", 1)
    with pytest.raises(Conflict):
        rows.put_agreement(BY, "a1", "other", document(version=2, consumer="other"))


def test_an_agreement_that_ends_is_kept_and_cannot_end_again(rows: PolicyRows) -> None:
    signed(rows)
    rows.end_agreement(Act(50, "operator", "unpaid"), "a1")
    assert rows.agreements_in_force() == []
    (kept,) = rows.agreements()
    assert (kept.ended_us, kept.end_reason) == (50, "unpaid")
    with pytest.raises(NotFound):
        rows.end_agreement(BY, "a1")


def test_an_altered_document_stops_everything(governance: Governance) -> None:
    rows = governance.policies
    signed(rows)
    rows.put_tiers(BY, "publish", "{}", "admin")
    with governance.database.write() as connection:
        connection.execute(text("UPDATE agreements SET document = '{}'"))
        connection.execute(text("UPDATE policy_changes SET document = '[]' WHERE kind = 'tiers'"))
    with pytest.raises(Unavailable):
        rows.agreements_in_force()
    with pytest.raises(Unavailable):
        rows.tiers()


def test_tiers_are_published_as_change_sets_and_drafts_change_nothing(rows: PolicyRows) -> None:
    assert rows.tiers() is None
    first = rows.put_tiers(BY, "publish", '{"a":1}', "file", 0)
    draft = rows.put_tiers(BY, "draft", '{"b":1}', "admin")
    in_force = rows.tiers()
    assert in_force is not None
    assert (in_force.number, in_force.document, in_force.author) == (first, '{"a":1}', "operator")
    found = rows.tiers(draft)
    assert found is not None
    assert found.document == '{"b":1}'
    with pytest.raises(Conflict):
        rows.put_tiers(BY, "publish", '{"c":1}', "admin", draft)
    assert rows.put_tiers(BY, "publish", '{"c":1}', "admin", first) > draft
    assert (rows.newest_of("file") or in_force).number == first
    assert rows.newest_of("nowhere") is None


def test_every_act_is_a_numbered_change_set_with_author_and_reason(rows: PolicyRows) -> None:
    before = rows.version()
    signed(rows)
    rows.put_offer(BY, "standard", "{}")
    rows.put_offer(BY, "standard", '{"better":1}')
    rows.withdraw_offer(BY, "standard")
    rows.propose(BY, "e1", "{}")
    rows.end_emergency(BY, "e1")
    acts = [(item.kind, item.act, item.subject) for item in reversed(rows.changes())]
    assert acts == [
        ("agreement", "offer", "a1@1"),
        ("agreement", "sign", "a1@1"),
        ("agreement", "sign", "a1@1"),
        ("offer", "offer", "standard@1"),
        ("offer", "offer", "standard@2"),
        ("offer", "withdraw", "standard"),
        ("emergency", "propose", "e1"),
        ("emergency", "end", "e1"),
    ]
    assert {(item.author, item.reason) for item in rows.changes()} == {("operator", "a test")}
    assert rows.version() == before + len(acts)
    assert all(item.withdrawn_us for item in rows.offers())


def test_an_emergency_needs_a_second_person_in_time(rows: PolicyRows) -> None:
    rows.propose(Act(10, "one", "flood"), "e1", "{}")
    with pytest.raises(Conflict):
        rows.activate(Act(20, "one", "flood"), "e1", 100, waits_us=60)
    with pytest.raises(Conflict):
        rows.activate(Act(71, "two", "flood"), "e1", 100, waits_us=60)
    rows.activate(Act(70, "two", "flood"), "e1", 100, waits_us=60)
    (found,) = rows.emergencies()
    assert (found.proposed_by, found.activated_by, found.until_us) == ("one", "two", 100)
    with pytest.raises(Conflict):
        rows.activate(Act(70, "three", "flood"), "e1", 900, waits_us=60)
    with pytest.raises(NotFound):
        rows.activate(Act(70, "two", "flood"), "e2", 100, waits_us=60)
