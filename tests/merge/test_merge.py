"""Identity, schema inference and resolution as pure functions."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geoshare.merge import GEOMETRY, Chosen, Claimed, Identities, inferred, rank, resolve, widened
from geoshare.model.collections import known
from geoshare.model.foundation import Rules
from geoshare.model.report import Report

SECRET = bytes(range(32))
DIGITS = set("0123456789abcdefghjkmnpqrstvwxyz")


def identities(secret: bytes = SECRET) -> Identities:
    return Identities(secret, known())


def test_an_id_is_the_same_whenever_the_same_thing_is_said_again() -> None:
    assert identities().of_records("lanes", "a", ["1", "2"]) == identities().of_records(
        "lanes", "a", ["1", "2"]
    )
    assert (
        identities().of_records("lanes", "a", ["2"])
        == identities().of_records("lanes", "a", ["1", "2"])[1:]
    )


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.tuples(st.text(max_size=5), st.text(max_size=5), st.text(max_size=5)),
        unique=True,
        max_size=30,
    )
)
def test_different_things_have_different_ids_also_where_their_parts_join_alike(
    things: list[tuple[str, str, str]],
) -> None:
    ids = [
        identities().of_records(collection, provider, [name])[0]
        for collection, provider, name in things
    ]
    assert len(set(ids)) == len(things)
    assert all(len(id_) == 16 and set(id_) <= DIGITS for id_ in ids)


def test_without_the_secret_nobody_can_compute_an_id() -> None:
    assert identities().of_records("lanes", "a", ["1"]) != identities(b"\x01" * 32).of_records(
        "lanes", "a", ["1"]
    )


def test_a_reference_means_the_feature_that_the_provider_or_the_value_names() -> None:
    made = identities()
    assert made.of_reference("lanes", "a", ["1"]) == made.of_records("lanes", "a", ["1"])
    assert made.of_reference("shelters", "a", ["S1"]) == made.of_values("shelters", ["S1"])
    assert made.of_values("shelters", ["S1"]) != made.of_records("shelters", "a", ["S1"])


def claim(provider: str, at: int, observed: int | None = None, **properties: object) -> Claimed:
    return Claimed(
        provider, "r", f"c-{provider}", at, provider.encode(), properties, observed_us=observed
    )


def test_the_freshest_claim_wins_and_gaps_are_filled_from_the_next() -> None:
    old, new = claim("a", 1, name="古", phone="1"), claim("b", 2, name="新")
    found = resolve([old, new])
    assert found.properties == {"name": "新", "phone": "1"}
    assert found.geometry == b"b"
    assert [(item.claim.provider, item.reason) for item in found.ranking] == [
        ("b", "recency"),
        ("a", "recency"),
    ]
    assert {name: item.place for name, item in found.chosen.items()} == {
        GEOMETRY: 0,
        "name": 0,
        "phone": 1,
    }


def test_what_was_observed_later_is_fresher_than_what_was_received_later() -> None:
    assert resolve([claim("a", 1, observed=9), claim("b", 5)]).ranking[0].claim.provider == "a"


def test_a_declared_precedence_goes_before_freshness() -> None:
    found = rank(
        [claim("a", 9), claim("city", 1), claim("b", 5)], Rules(providers=("city", "b"), kind=())
    )
    assert [(item.claim.provider, item.reason) for item in found] == [
        ("city", "precedence"),
        ("b", "precedence"),
        ("a", "precedence"),
    ]
    assert rank([claim("a", 1)])[0].reason == "only"


def test_the_result_does_not_depend_on_the_order_of_arrival() -> None:
    claims = [
        claim("a", 3, name="x"),
        claim("b", 3, name="y", rank=1),
        claim("c", 2, name="z", kind="k"),
    ]
    results = {
        str(resolve(order, Rules(providers=("c",), kind=())))
        for order in itertools.permutations(claims)
    }
    assert len(results) == 1


def test_nothing_cannot_be_ranked() -> None:
    with pytest.raises(ValueError, match="nothing"):
        rank([])


def test_a_schema_only_ever_becomes_wider_and_says_what_becomes_text() -> None:
    report = Report("")
    first = inferred(
        "layer", pa.schema([("a", pa.int32()), ("b", pa.bool_()), ("t", pa.timestamp("ms"))])
    )
    assert [(item.name, item.type, item.format) for item in first.properties] == [
        ("a", "integer", ""),
        ("b", "boolean", ""),
        ("t", "string", "date-time"),
    ]
    assert widened(first, pa.schema([("a", pa.int64())]), report) is first
    assert widened(first, pa.schema([("b", pa.null())]), report) is first
    assert report.notes == []
    changed = pa.schema([("a", pa.float32()), ("b", pa.string()), ("d", pa.date32())])
    second = widened(first, changed, report)
    assert [note.code for note in report.notes] == ["column-widened:b"]
    assert [(item.name, item.type, item.format) for item in second.properties] == [
        ("a", "number", ""),
        ("b", "string", ""),
        ("t", "string", "date-time"),
        ("d", "string", "date"),
    ]
    assert widened(second, pa.schema([("a", pa.int64()), ("b", pa.int64())]), report) is second


def test_a_list_that_holds_whoever_states_it_is_all_of_theirs_unless_a_person_sets_it() -> None:
    rules = Rules(joined=("after", "road"))
    first = replace(claim("maker-a", 1, after=["x", "y"]), geometry=b"a", accuracy_m=0.2)
    second = replace(claim("maker-b", 2, after=["y", "z"], road="r"), geometry=b"b", accuracy_m=0.5)
    found = resolve([second, first], rules, bound={"after", "road"})
    assert found.properties == {"after": ["x", "y", "z"], "road": "r"}
    assert found.chosen["after"] == Chosen(0, "joined", (1,))
    assert found.chosen["road"] == Chosen(1, "only")
    by_hand = Claimed("city", "", "c", 3, None, {"after": []}, overlay=True, by_hand=True)
    assert resolve([second, first, by_hand], rules).properties["after"] == []
