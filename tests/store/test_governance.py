"""Organisations, keys, policies, uploads and the audit trail keep what they are told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from geoshare.errors import BadRequest, Conflict, NotFound
from geoshare.store import Governance, open_governance
from geoshare.store.governance import ApiKey, Upload


@pytest.fixture
def governance(database_url: str) -> Iterator[Governance]:
    opened = open_governance(database_url)
    yield opened
    opened.close()


def key(id_: str = "k1", organisation: str = "shiomi-city") -> ApiKey:
    return ApiKey(id_, organisation, "municipal", "desk", b"\x00" * 32, 10, 1_000)


def test_a_key_is_found_by_its_id_until_it_is_forgotten_and_stays_when_revoked(
    governance: Governance,
) -> None:
    governance.add_organisation("shiomi-city", "潮見町", 5)
    governance.add_key(key())
    assert governance.key("k1") == key()
    before = governance.keys_version()
    governance.revoke_key("k1", 50)
    governance.revoke_key("k1", 60)
    found = governance.key("k1")
    assert found is not None
    assert found.revoked_us == 50
    assert governance.keys_version() != before
    assert [item.id for item in governance.keys("shiomi-city")] == ["k1"]
    assert governance.keys("nobody") == []
    assert governance.key("k2") is None


def test_a_key_needs_an_organisation_and_an_id_of_its_own(governance: Governance) -> None:
    with pytest.raises(BadRequest) as refused:
        governance.add_key(key())
    assert refused.value.parameter == "organisation"
    governance.add_organisation("shiomi-city", "潮見町", 5)
    governance.add_key(key())
    with pytest.raises(Conflict):
        governance.add_key(key())
    with pytest.raises(NotFound):
        governance.revoke_key("k2", 1)


def test_an_organisation_keeps_its_id_when_it_is_renamed(governance: Governance) -> None:
    governance.add_organisation("a", "old", 5)
    assert governance.add_organisation("a", "new", 9).name == "new"
    assert [(item.id, item.name, item.created_us) for item in governance.organisations()] == [
        ("a", "new", 5)
    ]


def test_last_uses_of_many_keys_are_noted_at_once_and_never_go_back(governance: Governance) -> None:
    governance.add_organisation("shiomi-city", "潮見町", 5)
    for name in ("k1", "k2", "k3"):
        governance.add_key(key(name))
    governance.note_key_uses({"k1": 10, "k2": 20, "gone": 5})
    governance.note_key_uses({"k1": 9, "k2": 21})
    governance.note_key_uses({})
    assert [item.last_used_us for item in governance.keys(None)] == [10, 21, None]


def test_keys_end_with_the_key_that_made_them_and_nothing_else_does(governance: Governance) -> None:
    governance.add_organisation("shiomi-city", "潮見町", 5)
    for name, parent in (("k1", None), ("k2", "k1"), ("k3", "k1"), ("k4", None)):
        governance.add_key(replace(key(name), parent=parent))
    governance.revoke_key("k2", 40)
    told: list[str] = []
    assert governance.revoke_key("k1", 50, lambda connection: told.append("revoked"))
    assert not governance.revoke_key("k1", 60, lambda connection: told.append("again"))
    assert told == ["revoked"]
    assert [item.id for item in governance.children("k1")] == ["k2", "k3"]
    assert {found.id: found.revoked_us for found in governance.keys(None)} == {
        "k1": 50,
        "k2": 40,
        "k3": 50,
        "k4": None,
    }


def test_what_cannot_be_told_is_not_done(governance: Governance) -> None:
    governance.add_organisation("shiomi-city", "潮見町", 5)

    def fail(connection: object) -> None:
        raise Conflict("the log is full")

    with pytest.raises(Conflict):
        governance.add_key(key(), fail)
    assert governance.keys() == []
    governance.add_key(key())
    with pytest.raises(Conflict):
        governance.revoke_key("k1", 5, fail)
    with pytest.raises(Conflict):
        governance.rotate_key(key(), replace(key(), hmac=b"\x01" * 32), fail)
    assert governance.key("k1") == key()


def test_a_key_is_not_given_two_new_secrets_at_once(governance: Governance) -> None:
    governance.add_organisation("shiomi-city", "潮見町", 5)
    governance.add_key(key())
    after = replace(key(), hmac=b"\x01" * 32, old_hmac=key().hmac, old_until_us=99)
    governance.rotate_key(key(), after)
    assert governance.key("k1") == after
    with pytest.raises(Conflict):
        governance.rotate_key(key(), replace(key(), hmac=b"\x02" * 32))
    governance.revoke_key("k1", 5)
    with pytest.raises(Conflict):
        governance.rotate_key(after, replace(after, hmac=b"\x02" * 32))


def test_secrets_are_made_once(governance: Governance) -> None:
    assert governance.secret("cursors") == governance.secret("cursors")
    assert governance.secret("cursors") != governance.secret("links")


def test_an_upload_moves_on_only_from_where_it_stands(governance: Governance) -> None:
    upload = Upload("u1", "mapco", "roads.gpkg", 100, 0, {"collection": "segments"}, 1, 1_000)
    governance.add_upload(upload)
    assert governance.upload("u1") == upload
    governance.advance_upload("u1", 0, 60, 2_000)
    with pytest.raises(Conflict):
        governance.advance_upload("u1", 0, 40, 2_000)
    found = governance.upload("u1")
    assert found is not None
    assert (found.offset, found.expires_us) == (60, 2_000)
    assert governance.expired_uploads(1_999) == []
    assert [item.id for item in governance.expired_uploads(2_000)] == ["u1"]
    governance.remove_upload("u1")
    assert governance.upload("u1") is None
