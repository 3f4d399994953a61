"""Whose browser it is, and what roles say: what is remembered ends within a second."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geoshare.access.credentials import ROLES, Principal, Sessions
from geoshare.access.credentials.sessions import Life, new_session
from geoshare.errors import Unauthenticated
from geoshare.model.clock import RandomIds
from geoshare.store.person_kinds import Person, Session
from tests.clocks import SetClock

PEPPER = b"p" * 32
LIFE = Life(1_000_000_000, 100_000_000)
PERSON = Person("p1", "city", None, "x", None, "viewer,editor:shelters", "ja", 1)


class Store:
    def __init__(self) -> None:
        self.rows: dict[str, tuple[Session, Person]] = {}
        self.asked = 0

    def session(self, session: str) -> tuple[Session, Person] | None:
        self.asked += 1
        return self.rows.get(session)


@pytest.fixture
def made():
    clock, store = SetClock(10**15), Store()
    held: list[object] = []

    def standing(organisation, narrowed):
        held.append(narrowed)
        return ("municipal",), "operator"

    sessions = Sessions(store, PEPPER, clock, standing, LIFE)
    stored, text = new_session("p1", "invite", LIFE, pepper=PEPPER, clock=clock, ids=RandomIds())
    store.rows[stored.id] = stored, PERSON
    return clock, store, sessions, stored, text, held


@pytest.mark.parametrize(
    "change",
    [
        lambda session, person: (replace(session, revoked_us=1), person),
        lambda session, person: (session, replace(person, disabled_us=1)),
        lambda session, person: (session, replace(person, erased_us=1)),
        lambda session, person: (replace(session, expires_us=session.created_us), person),
        lambda session, person: (replace(session, hmac=b"\0" * 32), person),
    ],
)
def test_what_ends_in_the_store_ends_here_within_a_second(made, change):
    clock, store, sessions, stored, text, _ = made
    assert sessions.authenticate(text).person == "p1"
    store.rows[stored.id] = change(*store.rows[stored.id])
    clock.us += 1_000_000
    with pytest.raises(Unauthenticated):
        sessions.authenticate(text)


def test_a_session_is_read_seldom_and_one_that_is_made_up_is_not_remembered(made):
    _, store, sessions, _, text, _ = made
    for _ in range(50):
        sessions.authenticate(text)
    assert store.asked == 1
    for number in range(5):
        with pytest.raises(Unauthenticated):
            sessions.authenticate(f"gb_{number:016d}_{'0' * 64}")
    assert len(sessions._remembered._kept) == 1


@pytest.mark.parametrize(
    "text", ["", "gb_", "x", "gb_aaaaaaaa_0", "gi_" + "a" * 16 + "_" + "0" * 64, "é"]
)
def test_nonsense_is_refused_without_asking_the_store(made, text):
    _, store, sessions, _, _, _ = made
    with pytest.raises(Unauthenticated):
        sessions.authenticate(text)
    assert store.asked == 0


def test_a_person_without_a_role_stands_for_no_tier(made):
    _, store, sessions, stored, text, held = made
    sessions.authenticate(text)
    store.rows[stored.id] = stored, replace(PERSON, roles="")
    sessions.forget()
    sessions.authenticate(text)
    assert held == [None, ()]


def test_a_person_is_an_operator_by_the_organisation_and_the_role_together(made):
    _, store, sessions, stored, text, _ = made
    assert sessions.authenticate(text).role == "consumer"
    store.rows[stored.id] = stored, replace(PERSON, roles="operator")
    sessions.forget()
    assert sessions.authenticate(text).role == "operator"


def test_the_token_of_a_page_is_of_one_session(made):
    _, _, sessions, _, _, _ = made
    assert sessions.token("a") == sessions.token("a") != sessions.token("b")


names = st.sampled_from(["shelters", "events", "lanes"])
said = st.one_of(
    st.sampled_from(list(ROLES)), names.map("editor:{}".format), names.map("contributor:{}".format)
)


@settings(max_examples=50, deadline=None)
@given(st.lists(said, max_size=4), st.sampled_from(list(ROLES)), names)
def test_a_person_does_what_a_role_names_and_nothing_else(roles, role, collection):
    who = Principal("city", (), "p1", via="session", person="p1", roles=tuple(roles))
    allowed = role in roles or f"{role}:{collection}" in roles or (role == "viewer" and roles != [])
    assert who.may(role, collection) is allowed
    somewhere = any(item.partition(":")[0] == role for item in roles) or (
        role == "viewer" and roles != []
    )
    assert who.may(role) is somewhere


def test_a_key_edits_and_contributes_and_administers_nobody():
    key = Principal("city", (), "k1", via="key")
    assert [role for role in ROLES if key.may(role)] == ["viewer", "editor", "contributor"]
    part = Principal("city", (), "k2", via="key", above=key)
    assert [role for role in ROLES if part.may(role)] == []
    assert [role for role in ROLES if Principal("", ("open",)).may(role)] == []
