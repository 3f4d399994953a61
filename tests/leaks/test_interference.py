"""What a tier hides changes nothing that a holder of the tier can ever receive."""

from __future__ import annotations

import os
from collections import Counter

import pytest

from geoshare.app import create_app
from geoshare.settings import Settings
from tests.leaks.asking import ASKERS, Asker
from tests.leaks.town import TIERS, changed, layers
from tests.leaks.twins import Twins, seen

# `make test-leaks` asks more
REQUESTS = int(os.environ.get("GEOSHARE_TEST_REQUESTS", "700"))
STEPS = 5  # changes between the requests


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


@pytest.mark.parametrize("tier", TIERS)
def test_two_records_that_differ_in_what_a_tier_hides_give_its_holder_the_same_bytes(tier, tmp_path):
    twins = Twins(tmp_path)
    twins.load(layers(tier, full=False), layers(tier, full=True))
    twins.open()
    asker = Asker(REQUESTS, twins.keys[tier])
    statuses: Counter[tuple[str, int]] = Counter()
    for number in range(REQUESTS):
        if number and number % (REQUESTS // STEPS) == 0:
            step = number // (REQUESTS // STEPS)
            twins.load(changed(tier, step, full=False), changed(tier, step, full=True))
            twins.clock.move(7)
        rule, request = asker.next()
        one, other = (twin.ask(request) for twin in twins.both())
        assert seen(one) == seen(other), (number, rule, request)
        statuses[rule, one.status_code] += 1
        asker.known.learn(request, one)
        if number % 40 == 39:
            for twin in twins.both():
                while twin.worker.run_one():
                    pass
    answered = {rule for (rule, status), count in statuses.items() if status in (200, 202)}
    assert len(answered) > 12, statuses
