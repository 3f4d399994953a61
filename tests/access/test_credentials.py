from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geoshare.access.credentials import (
    ANONYMOUS,
    CACHED_FOR_US,
    DAY_US,
    Authenticator,
    new_key,
    redacted,
)
from geoshare.errors import BadRequest, Unauthenticated
from geoshare.model.clock import RandomIds
from geoshare.store.governance import ApiKey

PEPPER = b"p" * 32


class Clock:
    def __init__(self) -> None:
        self.us = 1_767_225_600_000_000

    def now_us(self) -> int:
        return self.us


class Store:
    def __init__(self) -> None:
        self.keys: dict[str, ApiKey] = {}
        self.reads = 0

    def key(self, key_id: str) -> ApiKey | None:
        self.reads += 1
        return self.keys.get(key_id)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store() -> Store:
    return Store()


def make(store: Store, clock: Clock, days: int = 30, **kwargs: object) -> str:
    key, text = new_key(
        "org", ("automaker",), days=days, pepper=PEPPER, clock=clock, ids=RandomIds(), **kwargs
    )
    store.keys[key.id] = key
    return text


def authenticator(store: Store, clock: Clock, pepper: bytes = PEPPER) -> Authenticator:
    return Authenticator(store, pepper, clock, lambda organisation, tiers: (tiers or (), "consumer"))


def test_a_key_tells_its_holder_and_no_key_nobody(store, clock):
    text = make(store, clock)
    who = authenticator(store, clock).authenticate(text)
    assert (who.organisation, who.tiers, who.role, who.anonymous) == (
        "org",
        ("automaker",),
        "consumer",
        False,
    )
    assert authenticator(store, clock).authenticate(None) is ANONYMOUS


def test_what_is_stored_holds_neither_the_key_nor_its_secret(store, clock):
    text = make(store, clock)
    secret = text.split("_")[2]
    stored = repr(next(iter(store.keys.values())))
    assert secret not in stored
    assert bytes.fromhex(secret) != next(iter(store.keys.values())).hmac
    assert secret not in redacted(text)


def spoiled(text: str) -> list[str]:
    head, key_id, secret, checksum = text.split("_")
    other = ("0" if secret[0] != "0" else "1") + secret[1:]
    from geoshare.access.credentials import _checksum

    def sealed(*parts: str) -> str:
        joined = "_".join(parts)
        return f"{joined}_{_checksum(joined)}"

    return [
        "",
        "x",
        text[:-1],
        text.upper(),
        text + "\n",
        f" {text}",
        text.replace(secret, other),
        sealed(head, key_id, other),
        sealed(head, "0" * 16, secret),
        f"{head}_{key_id}_{secret}_{int(checksum, 16) ^ 1:08x}",
    ]


def test_every_wrong_key_gets_the_same_answer(store, clock):
    text = make(store, clock)
    expired = make(store, clock, days=1)
    revoked = make(store, clock)
    for key_id, key in list(store.keys.items()):
        if key_id in revoked:
            store.keys[key_id] = ApiKey(**{**_fields(key), "revoked_us": clock.us})
    clock.us += DAY_US
    answers = set()
    for wrong in [*spoiled(text), expired, revoked]:
        with pytest.raises(Unauthenticated) as caught:
            authenticator(store, clock).authenticate(wrong)
        answers.add(
            (caught.value.message, caught.value.code, caught.value.parameter, caught.value.allowed)
        )
    assert len(answers) == 1
    assert authenticator(store, clock).authenticate(text).organisation == "org"


def _fields(key: ApiKey) -> dict:
    return {name: getattr(key, name) for name in ApiKey.__slots__}


def test_a_revocation_counts_within_a_second_and_reads_are_few(store, clock):
    text = make(store, clock)
    found = authenticator(store, clock)
    for _ in range(100):
        found.authenticate(text)
    assert store.reads == 1
    key_id, key = next(iter(store.keys.items()))
    store.keys[key_id] = ApiKey(**{**_fields(key), "revoked_us": clock.us})
    clock.us += CACHED_FOR_US
    assert CACHED_FOR_US < 1_000_000
    with pytest.raises(Unauthenticated):
        found.authenticate(text)


def test_a_key_of_another_server_is_not_valid(store, clock):
    text = make(store, clock)
    with pytest.raises(Unauthenticated):
        authenticator(store, clock, b"q" * 32).authenticate(text)


def test_the_stored_mark_of_one_key_does_not_fit_another(store, clock):
    first, second = make(store, clock), make(store, clock)
    one, two = (store.keys[text.split("_")[1]] for text in (first, second))
    store.keys[two.id] = ApiKey(**{**_fields(two), "hmac": one.hmac})
    from geoshare.access.credentials import _checksum

    forged = f"gs_{two.id}_{first.split('_')[2]}"
    with pytest.raises(Unauthenticated):
        authenticator(store, clock).authenticate(f"{forged}_{_checksum(forged)}")


@pytest.mark.parametrize("days", [0, -1, 100_000])
def test_a_key_must_expire(store, clock, days):
    with pytest.raises(BadRequest):
        make(store, clock, days=days)


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_refused_without_a_look_into_the_store(text):
    store = Store()
    with pytest.raises(Unauthenticated):
        authenticator(store, Clock()).authenticate(text)
    assert store.reads == 0


def test_keys_have_a_form_that_scanners_can_find(store, clock):
    assert re.fullmatch(r"gs_[0-9a-z]{16}_[0-9a-f]{64}_[0-9a-f]{8}", make(store, clock))
