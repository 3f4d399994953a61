"""An emergency tier needs two persons, is there at once, and is gone by itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from geoshare.errors import BadRequest, Conflict, NotFound
from geoshare.model.clock import RandomIds
from geoshare.services import Services, build_services
from geoshare.services.explaining import describe_caller, emergencies
from geoshare.services.keeping import policies_held
from geoshare.services.local import Local
from geoshare.services.written import Author
from geoshare.settings import Settings
from tests.clocks import SetClock

SECOND_US, HOUR_US = 1_000_000, 3_600_000_000
ONE, TWO = Author("person one", "flood"), Author("person two", "seen it")
AREA = {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]]}


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def services(tmp_path: Path, clock: SetClock) -> Services:
    found = build_services(Settings(data=tmp_path), clock, RandomIds())
    local = Local(found)
    for organisation, tier in (("city", "municipal"), ("maker", "developer")):
        local.agree(organisation, (tier,), days=300, reason="a test")
    return found


def said(**changes: Any) -> dict[str, Any]:
    return {"tier": "emergency", "area": AREA, "hours": 72, "reason": "Flood"} | changes


def lanes(services: Services, organisation: str) -> bool:
    return services.policies.policy(organisation, None, "read").may("read", "lanes")


def test_a_second_person_switches_it_on_for_those_it_is_meant_for_until_its_time(
    services: Services, clock: SetClock
) -> None:
    number = services.emergencies.propose(said(), ONE)
    assert not lanes(services, "city")
    with pytest.raises(Conflict):
        services.emergencies.confirm(number, ONE)
    services.emergencies.confirm(number, TWO)
    assert lanes(services, "city")
    assert not lanes(services, "maker")
    assert not lanes(services, "")
    (grant,) = services.policies.policy("city", None, "read").grants_for("lanes")
    assert (grant.area, grant.area_mode) == (AREA, "clip")
    held = services.policies.policy("city", None, "tile").hash
    assert held in {policy.hash for policy in policies_held(services)}
    clock.us += 72 * HOUR_US - SECOND_US
    assert lanes(services, "city")
    clock.us += SECOND_US
    assert not lanes(services, "city")
    clock.us += 60 * SECOND_US
    assert held not in {policy.hash for policy in policies_held(services)}
    assert [item["state"] for item in services.emergencies.listed()] == ["over"]


def test_another_process_sees_it_within_a_second_and_its_early_end_too(
    services: Services, clock: SetClock
) -> None:
    other = build_services(services.settings, clock, RandomIds())
    number = services.emergencies.propose(said(), ONE)
    services.emergencies.confirm(number, TWO)
    clock.us += SECOND_US
    assert lanes(other, "city")
    services.emergencies.end(number, ONE)
    assert not lanes(services, "city")
    clock.us += SECOND_US
    assert not lanes(other, "city")
    with pytest.raises(NotFound):
        services.emergencies.end(number, ONE)


def test_it_is_announced_to_everybody_and_told_whom_it_is_for(services: Services) -> None:
    assert emergencies(services) == []
    number = services.emergencies.propose(said(reason_ja="洪水"), ONE)
    assert emergencies(services) == []
    services.emergencies.confirm(number, TWO)
    (told,) = emergencies(services)
    assert (told["reason_ja"], told["area"], told["held"]) == ("洪水", AREA, False)
    local = Local(services)
    for organisation, held in (("city", True), ("maker", False)):
        who = services.principal(local.create_key(organisation, (), days=1))
        (told,) = describe_caller_without_views(services, who)["emergencies"]
        assert told["held"] is held


def describe_caller_without_views(services: Services, who: Any) -> dict[str, Any]:
    services.visible = lambda who: {}  # type: ignore[method-assign]
    return describe_caller(services, who)


def test_both_acts_are_in_the_audit_log(services: Services) -> None:
    number = services.emergencies.propose(said(), ONE)
    services.emergencies.confirm(number, TWO)
    rows = services.trail.rows
    entries = [orjson.loads(row.leaf) for row in reversed(rows.newest(2))]
    assert [entry["kind"] for entry in entries] == ["emergency.propose", "emergency.activate"]
    changes = services.governance.policies.changes("emergency")
    assert [entry["detail"]["change"] for entry in entries] == [item.number for item in changes][::-1]
    assert [item.author for item in changes] == ["person two", "person one"]


def test_a_proposal_that_waits_too_long_is_void(services: Services, clock: SetClock) -> None:
    number = services.emergencies.propose(said(), ONE)
    clock.us += 24 * HOUR_US + 1
    assert services.emergencies.listed()[0]["state"] == "void"
    with pytest.raises(Conflict):
        services.emergencies.confirm(number, TWO)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"tier": "automaker"}, "emergency"),
        ({"tier": "gone"}, "no such tier"),
        ({"hours": 73}, "1 to 72"),
        ({"hours": 0}, "hours"),
        ({"area": "99999"}, "99999"),
        ({"area": {"type": "Point", "coordinates": [1, 2]}}, "Point"),
        ({"area": None}, "area"),
        ({"reason": ""}, "reason"),
        ({"until": 1}, "no such key"),
    ],
)
def test_a_wrong_proposal_is_refused(services: Services, change: dict[str, Any], words: str) -> None:
    with pytest.raises(BadRequest) as caught:
        services.emergencies.propose(said(**change), ONE)
    assert words in f"{caught.value.message} {caught.value.allowed} {caught.value.parameter}"


def test_no_agreement_gives_an_emergency_tier(services: Services) -> None:
    with pytest.raises(BadRequest):
        Local(services).agree("maker", ("emergency",), days=1, reason="a trick")
