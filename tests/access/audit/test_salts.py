"""Salts open an entry to its owner alone; without them the log verifies and links nobody."""

from __future__ import annotations

import hashlib
import hmac

import pytest

from geoshare.access.audit import COMMAND_LINE, Party
from geoshare.access.credentials import Principal
from geoshare.errors import NotFound
from tests.access.audit.conftest import Log


def test_a_party_opens_its_own_side_and_no_other(log: Log) -> None:
    by = Party(organisation="mapco", person="taro", credential="key-1")
    log.audit.append("test.act", by, Party(organisation="rival", subject="thing"))
    row = log.audit.rows.newest(1)
    seen = {
        organisation: {item["value"] for item in log.audit.opened(row, organisation)[0]["opened"]}
        for organisation in ("mapco", "rival", "other")
    }
    assert seen == {"mapco": {"mapco", "taro", "key-1"}, "rival": {"rival", "thing"}, "other": set()}
    everything = log.audit.opened(row, None)[0]
    for item in everything["opened"]:
        text = f"{item['side']}.{item['what']}:{item['value']}".encode()
        expected = hmac.new(bytes.fromhex(item["salt"]), text, hashlib.sha256).hexdigest()
        assert everything["entry"][item["side"]][item["what"]] == expected


def test_destroyed_salts_are_in_no_byte_of_any_file_and_the_log_verifies(log: Log) -> None:
    log.append(30, organisation="leaver")
    log.append(30, organisation="stayer")
    log.audit.reads.count(Principal("leaver", (), "key-leaver"), "segments", "items")
    log.sequence()
    leavers = log.audit.rows.of_organisation("leaver", None, 100)
    openings = log.audit.rows.openings([row.number for row in leavers])
    salts = [item.salt for item in openings if item.side == "about"]
    assert log.audit.forget("organisation", "leaver", COMMAND_LINE) == 31
    log.sequence()
    files = [path for path in log.data.parent.rglob("*") if path.is_file()]
    content = b"".join(path.read_bytes() for path in files)
    assert not any(salt in content for salt in salts)
    assert b"leaver" not in content
    assert log.audit.rows.of_organisation("leaver", None, 100) == []
    assert len(log.audit.rows.of_organisation("stayer", None, 100)) == 30
    assert log.findings() == []
    with pytest.raises(NotFound):
        log.audit.forget("organisation", "leaver", COMMAND_LINE)


def test_a_person_is_forgotten_without_the_organisation(log: Log) -> None:
    log.audit.append("test.act", Party(organisation="mapco", person="taro", credential="key-1"))
    assert log.audit.forget("person", "taro", COMMAND_LINE) == 1
    rows = log.audit.rows.of_organisation("mapco", None, 10)
    opened = log.audit.opened(rows, None)[0]["opened"]
    assert [item["value"] for item in opened] == ["mapco"]
