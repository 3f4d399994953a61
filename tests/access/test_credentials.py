from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geoshare.access.credentials import (
    ANONYMOUS,
    CACHED_FOR_US,
    DAY_US,
    Authenticator,
    Part,
    checksum,
    new_key,
    redacted,
    rotated,
    sub_key,
)
from geoshare.errors import BadRequest, Unauthenticated
from geoshare.model.clock import RandomIds
from geoshare.model.policy import Rated
from geoshare.store.governance import ApiKey
from tests.clocks import SetClock

PEPPER = b"p" * 32
FIVE = Rated(requests_per_minute=5)


class Store:
    def __init__(self) -> None:
        self.keys: dict[str, ApiKey] = {}
        self.reads = 0

    def key(self, key_id: str) -> ApiKey | None:
        self.reads += 1
        return self.keys.get(key_id)


@pytest.fixture
def clock() -> SetClock:
    return SetClock(1_767_225_600_000_000)


@pytest.fixture
def store() -> Store:
    return Store()


def make(store: Store, clock: SetClock, days: int = 30, **kwargs: object) -> str:
    key, text = new_key(
        "org", ("automaker",), days=days, pepper=PEPPER, clock=clock, ids=RandomIds(), **kwargs
    )
    store.keys[key.id] = key
    return text


def authenticator(store: Store, clock: SetClock, pepper: bytes = PEPPER) -> Authenticator:
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
    head, key_id, secret, end = text.split("_")
    other = ("0" if secret[0] != "0" else "1") + secret[1:]

    def sealed(*parts: str) -> str:
        joined = "_".join(parts)
        return f"{joined}_{checksum(joined)}"

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
        f"{head}_{key_id}_{secret}_{int(end, 16) ^ 1:08x}",
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
    forged = f"gs_{two.id}_{first.split('_')[2]}"
    with pytest.raises(Unauthenticated):
        authenticator(store, clock).authenticate(f"{forged}_{checksum(forged)}")


@pytest.mark.parametrize("days", [0, -1, 100_000])
def test_a_key_must_expire(store, clock, days):
    with pytest.raises(BadRequest):
        make(store, clock, days=days)


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_refused_without_a_look_into_the_store(text):
    store = Store()
    with pytest.raises(Unauthenticated):
        authenticator(store, SetClock(1_767_225_600_000_000)).authenticate(text)
    assert store.reads == 0


def test_keys_have_a_form_that_scanners_can_find(store, clock):
    assert re.fullmatch(r"gs_[0-9a-z]{16}_[0-9a-f]{64}_[0-9a-f]{8}", make(store, clock))


def rotate(store: Store, clock: SetClock, text: str, **said: object) -> str:
    key_id = text.split("_")[1]
    after, new = rotated(
        store.keys[key_id], **{"overlap_us": 0, "days": None, **said}, pepper=PEPPER, clock=clock
    )
    store.keys[key_id] = after
    return new


def refused(found: Authenticator, text: str) -> bool:
    try:
        found.authenticate(text)
    except Unauthenticated:
        return True
    return False


def test_both_secrets_of_a_rotated_key_are_valid_until_the_overlap_ends(store, clock):
    old = make(store, clock)
    new = rotate(store, clock, old, overlap_us=7 * DAY_US)
    found = authenticator(store, clock)
    assert found.authenticate(old) == found.authenticate(new)
    clock.us += 7 * DAY_US - 1
    assert not refused(found, old)
    clock.us += 1
    assert refused(found, old)
    assert not refused(found, new)


def test_a_key_rotated_without_overlap_loses_its_old_secret_at_once(store, clock):
    old = make(store, clock)
    new = rotate(store, clock, old)
    assert refused(authenticator(store, clock), old)
    assert not refused(authenticator(store, clock), new)


def test_of_two_rotations_only_the_last_replaced_secret_overlaps(store, clock):
    first = make(store, clock)
    second = rotate(store, clock, first, overlap_us=DAY_US)
    third = rotate(store, clock, second, overlap_us=DAY_US)
    found = authenticator(store, clock)
    assert [refused(found, text) for text in (first, second, third)] == [True, False, False]


def test_rotation_moves_the_end_only_where_asked_and_raises_no_dead_key(store, clock):
    text = make(store, clock, days=30)
    key_id = text.split("_")[1]
    ends = store.keys[key_id].expires_us
    text = rotate(store, clock, text)
    assert store.keys[key_id].expires_us == ends
    text = rotate(store, clock, text, days=60)
    assert store.keys[key_id].expires_us == clock.us + 60 * DAY_US
    for wrong in ({"overlap_us": -1}, {"overlap_us": 91 * DAY_US}, {"days": 0}):
        with pytest.raises(BadRequest):
            rotate(store, clock, text, **wrong)
    clock.us += 60 * DAY_US
    with pytest.raises(BadRequest):
        rotate(store, clock, text)


def share(store: Store, clock: SetClock, text: str, part: Part, days: int = 400) -> str:
    parent = store.keys[text.split("_")[1]]
    key, made = sub_key(parent, part, label="", days=days, pepper=PEPPER, clock=clock, ids=RandomIds())
    store.keys[key.id] = key
    return made


def test_a_shared_key_has_no_more_than_its_maker_and_names_it(store, clock):
    def standing(organisation, narrowed):
        held = ("automaker", "operator")
        return tuple(n for n in held if narrowed is None or n in narrowed), "operator"

    found = Authenticator(store, PEPPER, clock, standing)
    parent = make(store, clock)
    made = share(store, clock, parent, Part(("automaker", "operator"), ("lanes",), FIVE))
    who = found.authenticate(made)
    assert (who.tiers, who.collections, who.rates) == (("automaker",), ("lanes",), FIVE)
    assert who.role == "consumer"
    assert who.above == found.authenticate(parent)
    assert not who.whole
    assert found.authenticate(share(store, clock, parent, Part())).tiers == ("automaker",)
    # tiers that the maker does not have are none, and none is not all
    assert refused(found, share(store, clock, parent, Part(("operator",))))


@pytest.mark.parametrize("end", ["revoked", "expired", "gone"])
def test_a_shared_key_ends_with_its_maker_within_a_second(store, clock, end):
    parent = make(store, clock, days=30)
    made = share(store, clock, parent, Part())
    found = authenticator(store, clock)
    assert not refused(found, made)
    parent_id = parent.split("_")[1]
    before = store.keys[parent_id]
    if end == "revoked":
        store.keys[parent_id] = replace(before, revoked_us=clock.us)
    elif end == "expired":
        store.keys[parent_id] = replace(before, expires_us=clock.us)
    else:
        del store.keys[parent_id]
    clock.us += CACHED_FOR_US
    assert refused(found, made)


def test_a_shared_key_makes_none_and_does_not_outlive_its_maker(store, clock):
    parent = make(store, clock, days=30)
    made = share(store, clock, parent, Part(), days=400)
    assert store.keys[made.split("_")[1]].expires_us == store.keys[parent.split("_")[1]].expires_us
    with pytest.raises(BadRequest):
        share(store, clock, made, Part())


def test_each_use_is_told_and_no_refusal_is(store, clock):
    told: list[tuple[str, int]] = []
    found = Authenticator(
        store, PEPPER, clock, lambda organisation, narrowed: ((), ""), lambda *use: told.append(use)
    )
    text = make(store, clock)
    found.authenticate(text)
    assert refused(found, spoiled(text)[6])
    assert told == [(text.split("_")[1], clock.us)]
