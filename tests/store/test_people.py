"""People in the database: an invite is used once whoever is faster, and what is erased is gone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from geoshare.errors import BadRequest, Conflict, NotFound
from geoshare.store import Governance, open_governance
from geoshare.store.break_glass_rows import Access
from geoshare.store.person_kinds import Department, Invite, Person, Session

DAY_US = 86_400_000_000
PERSON = Person("p1", "city", "d1", "山田", "y@example.jp", "viewer", "ja", 1)
INVITE = Invite("i1", "p1", b"h", 10, 100)
SESSION = Session("s1", "p1", b"h", "invite", 20, 20 + DAY_US, 20)


def nothing(connection: object) -> None:
    """No entry in the log."""


@pytest.fixture
def governance(database_url: str) -> Iterator[Governance]:
    found = open_governance(database_url)
    found.add_organisation("city", "City", 1)
    found.add_organisation("other", "Other", 1)
    found.persons.add_department(Department("d1", "city", "防災課", 1))
    found.persons.add(PERSON, nothing)
    yield found
    found.close()


def test_an_invite_is_used_by_the_first_and_not_by_a_second(governance: Governance) -> None:
    rows = governance.persons
    rows.add_invite(INVITE, nothing)
    rows.begin(SESSION, nothing, invite="i1", most=3)
    with pytest.raises(Conflict):
        rows.begin(replace(SESSION, id="s2"), nothing, invite="i1", most=3)
    assert rows.session("s2") is None
    found = rows.invite("i1")
    assert found is not None
    assert found[0].used_us == 20


@pytest.mark.parametrize("change", ["revoked", "over", "another's", "disabled"])
def test_an_invite_that_does_not_count_begins_nothing(governance: Governance, change: str) -> None:
    rows, session = governance.persons, SESSION
    rows.add_invite(INVITE, nothing)
    if change == "revoked":
        assert rows.revoke_invites("p1", 15, nothing) == 1
    if change == "over":
        session = replace(SESSION, created_us=100)
    if change == "another's":
        rows.add(replace(PERSON, id="p2"), nothing)
        session = replace(SESSION, person="p2")
    if change == "disabled":
        rows.disable("p1", 15, nothing)
    with pytest.raises((Conflict, NotFound)):
        rows.begin(session, nothing, invite="i1", most=3)
    assert rows.session("s1") is None


def test_of_too_many_sessions_the_oldest_ends(governance: Governance) -> None:
    rows = governance.persons
    for number in range(4):
        rows.begin(replace(SESSION, id=f"s{number}", created_us=20 + number), nothing, most=3)
    assert [item.id for item in rows.sessions("p1")] == ["s3", "s2", "s1"]


def test_uses_are_noted_and_never_go_back(governance: Governance) -> None:
    rows = governance.persons
    rows.begin(SESSION, nothing, most=3)
    for at_us in (50, 40):
        rows.note_uses({"s1": at_us})
    found = rows.session("s1")
    assert found is not None
    assert found[0].last_used_us == 50


def test_another_organisations_department_and_an_unknown_organisation_are_refused(
    governance: Governance,
) -> None:
    rows = governance.persons
    for person in (
        replace(PERSON, id="p2", organisation="other"),
        replace(PERSON, id="p3", organisation="x"),
    ):
        with pytest.raises(BadRequest):
            rows.add(person, nothing)
    with pytest.raises(Conflict):
        rows.add_department(Department("d2", "city", "防災課", 2))


def test_erasing_leaves_a_row_without_a_name_and_nothing_that_lets_in(governance: Governance) -> None:
    rows = governance.persons
    rows.add_invite(INVITE, nothing)
    rows.begin(SESSION, nothing, most=3)
    governance.identities.add("https://issuer", "sub", "p1", 5, nothing)
    rows.add(replace(PERSON, id="p2"), nothing)
    with pytest.raises(Conflict):
        governance.identities.add("https://issuer", "sub", "p2", 6, nothing)
    rows.erase("p1", 30, nothing)
    left = rows.person("p1")
    assert left is not None
    assert (left.name, left.email, left.department, left.roles, left.active) == (
        "",
        None,
        None,
        "",
        False,
    )
    assert rows.session("s1") is None
    assert rows.invite("i1") is None
    assert governance.identities.person("https://issuer", "sub") is None
    for act in (rows.erase, rows.disable):
        with pytest.raises(NotFound):
            act("p1", 40, nothing)


def test_an_act_whose_entry_cannot_be_kept_has_not_happened(governance: Governance) -> None:
    def fails(connection: object) -> None:
        raise RuntimeError

    rows = governance.persons
    for act in (
        lambda: rows.add(replace(PERSON, id="p2"), fails),
        lambda: rows.add_invite(INVITE, fails),
        lambda: rows.begin(SESSION, fails, most=3),
        lambda: rows.change("p1", {"name": "x"}, fails),
        lambda: rows.disable("p1", 9, fails),
        lambda: rows.erase("p1", 9, fails),
    ):
        with pytest.raises(RuntimeError):
            act()
    assert rows.persons() == [PERSON]
    assert rows.invite("i1") is None
    assert rows.session("s1") is None


def test_access_to_a_raw_file_is_open_for_its_person_and_time(governance: Governance) -> None:
    rows = governance.break_glass
    rows.add(Access("a1", "p1", "other", "c1", "why", 10, 100), nothing)
    assert rows.open("p1", "c1", 99) is not None
    for person, contribution, at_us in (("p2", "c1", 99), ("p1", "c2", 99), ("p1", "c1", 100)):
        assert rows.open(person, contribution, at_us) is None
    with pytest.raises(NotFound):
        rows.end("a1", "p2", 50, nothing)
    rows.end("a1", "p1", 50, nothing)
    assert rows.open("p1", "c1", 60) is None
    assert [item.id for item in rows.listed(organisation="other")] == ["a1"]
    assert rows.listed(organisation="city") == []
