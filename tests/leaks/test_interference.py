"""What a tier hides changes nothing that a holder of the tier can ever receive."""

from __future__ import annotations

import os
import sys
from collections import Counter
from types import SimpleNamespace

import pytest

from geoshare.access.audit import entries
from geoshare.access.credentials import keys
from geoshare.app import create_app
from geoshare.settings import Settings
from tests.leaks.asking import ASKERS, Asker
from tests.leaks.declared import DECLARED, seen
from tests.leaks.town import TIERS, changed, layers
from tests.leaks.twins import Twins

# `make test-leaks` asks more
REQUESTS = int(os.environ.get("GEOSHARE_TEST_REQUESTS", "500"))
EVERY = 150  # requests between changes, and at least five changes
WORK = 40  # requests between runs of the worker


def rules(app) -> set[str]:
    """Method and rule of everything the application answers."""
    found = set()
    for rule in app.url_map.iter_rules():
        methods = rule.methods - {"OPTIONS"}
        for method in methods - {"HEAD"} or methods:
            found.add(f"{method} {rule.rule}")
    return found


def test_every_route_is_among_those_that_are_asked(tmp_path):
    app = create_app(Settings(data=tmp_path / "data"))
    assert rules(app) == set(ASKERS)


def test_every_declared_difference_has_a_reason():
    assert all(len(found.reason) > 20 for found in DECLARED)


@pytest.fixture
def same_secrets(monkeypatch):
    """Salts of the log and secrets of keys are random, which is no difference worth to be seen."""
    steady = SimpleNamespace(token_bytes=lambda count: b"\x07" * count, token_hex=lambda n: "07" * n)
    monkeypatch.setattr(entries, "secrets", steady)
    monkeypatch.setattr(keys, "secrets", steady)


@pytest.mark.parametrize("tier", TIERS)
def test_two_records_that_differ_in_what_a_tier_hides_give_its_holder_the_same_bytes(
    tier, tmp_path, same_secrets
):
    twins = Twins(tmp_path)
    twins.load(layers(tier, full=False), layers(tier, full=True))
    twins.open()
    asker = Asker(REQUESTS, twins.keys[tier])
    statuses: Counter[tuple[str, int]] = Counter()
    every = min(EVERY, REQUESTS // 5)
    for number in range(REQUESTS):
        if number and number % every == 0:
            step = number // every
            twins.load(changed(tier, step, full=False), changed(tier, step, full=True))
            twins.clock.move(7)
        rule, request = asker.next()
        one, other = (twin.ask(request) for twin in twins.both())
        assert seen(request.path, one) == seen(request.path, other), (number, rule, request)
        statuses[rule, one.status_code] += 1
        asker.known.learn(request, one)
        if number % WORK == WORK - 1:
            twins.work()
        if number % 1000 == 999:
            print(f"{tier}: {number + 1} requests, no difference", file=sys.__stderr__, flush=True)
    answered = {rule for (rule, status), count in statuses.items() if status in (200, 202)}
    assert len(answered) > 12, statuses
