"""What is past its end is over, whatever is still said of its state."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from geoshare.model.standing import is_over, status_at

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
PAST, FUTURE = "2026-11-23T20:59:59+09:00", "2026-11-23T12:00:00.000001Z"


@pytest.mark.parametrize(
    ("collection", "properties", "state", "over"),
    [
        ("events", {"status": "active", "valid_to": PAST}, "ended", True),
        ("events", {"status": "active", "valid_to": "2026-11-23T12:00:00Z"}, "ended", True),
        ("events", {"status": "active", "valid_to": FUTURE}, "active", False),
        ("events", {"status": "active"}, "active", False),
        ("events", {"status": "cancelled", "valid_to": FUTURE}, "cancelled", True),
        ("events", {"status": "drill", "valid_to": PAST}, "drill", True),
        ("evacuation_areas", {"status": "active", "valid_to": PAST}, "lifted", True),
        ("evacuation_areas", {"status": None, "kind": "lifted"}, None, True),
        ("water_points", {"status": "open", "valid_to": PAST}, "closed", True),
        ("shelters", {"status": "closed"}, "closed", False),
        ("warnings", {"state": "in_force", "valid_to": PAST}, None, False),
    ],
)
def test_what_has_passed_its_end_is_over_and_a_drill_stays_one(collection, properties, state, over):
    assert status_at(collection, properties, NOON) == state
    assert is_over(collection, properties, NOON) is over
