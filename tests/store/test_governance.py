"""Organisations, keys, policies, uploads and the audit trail keep what they are told."""

from __future__ import annotations

from collections.abc import Iterator

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


def test_the_last_use_of_a_key_is_noted_once_a_minute(governance: Governance) -> None:
    governance.add_organisation("shiomi-city", "潮見町", 5)
    governance.add_key(key())
    for now_us in (1_000_000, 2_000_000, 62_000_001):
        governance.note_key_use("k1", now_us)
    found = governance.key("k1")
    assert found is not None
    assert found.last_used_us == 62_000_001
    governance.note_key_use("k1", 63_000_000)
    assert governance.key("k1") == found


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
