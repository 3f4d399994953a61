"""What a tier hides changes nothing that a holder of the tier can ever receive."""

from __future__ import annotations

import os

import pytest

from geoshare.app import create_app
from geoshare.settings import Settings
from tests.leaks.asking import AREAS, ASKERS
from tests.leaks.comparing import compare
from tests.leaks.declared import DECLARED
from tests.leaks.town import TIERS, layers
from tests.leaks.twins import Twins

# `make test-leaks` asks more; with another seed it asks others
REQUESTS = int(os.environ.get("GEOSHARE_TEST_REQUESTS", "500"))
SEED = int(os.environ.get("GEOSHARE_TEST_SEED", REQUESTS))
ONLY = os.environ.get("GEOSHARE_TEST_ROUTES", "")  # a regular expression that is found in rules


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


def test_no_route_is_among_those_of_two_areas():
    assert sum(len(area.ASKERS) for area in AREAS) == len(ASKERS)


def test_every_declared_difference_has_a_reason():
    assert all(len(found.reason) > 20 for found in DECLARED)


@pytest.mark.parametrize("tier", TIERS)
def test_two_records_that_differ_in_what_a_tier_hides_give_its_holder_the_same_bytes(
    tier, tmp_path, same_secrets
):
    twins = Twins(tmp_path)
    twins.load(layers(tier, full=False), layers(tier, full=True))
    twins.open()
    outcome = compare(twins, tier, REQUESTS, SEED, ONLY)
    assert outcome.difference is None, str(outcome.difference)
    assert ONLY or len(outcome.answered()) > 12, outcome.statuses
    # who is turned away is told nothing, and a sequence of such answers proves nothing
    away = sum(count for (_, status), count in outcome.statuses.items() if status in (429, 503))
    assert away * 50 <= REQUESTS, outcome.statuses
