"""What is past its end is over, whatever is still said of its state."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from geoshare.model.standing import is_over

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
PAST, FUTURE = "2026-11-23T20:59:59+09:00", "2026-11-23T12:00:00.000001Z"


@pytest.mark.parametrize(
    ("collection", "properties", "over"),
    [
        ("events", {"status": "active", "valid_to": PAST}, True),
        ("events", {"status": "active", "valid_to": "2026-11-23T12:00:00Z"}, True),
        ("events", {"status": "active", "valid_to": FUTURE}, False),
        ("events", {"status": "active"}, False),
        ("events", {"status": "cancelled", "valid_to": FUTURE}, True),
        ("events", {"status": "drill", "valid_to": PAST}, True),
        ("evacuation_areas", {"status": "active", "valid_to": PAST}, True),
        ("evacuation_areas", {"status": None, "kind": "lifted"}, True),
        ("water_points", {"status": "open", "valid_to": PAST}, True),
        ("shelters", {"status": "closed"}, False),
        ("warnings", {"state": "in_force", "valid_to": PAST}, False),
    ],
)
def test_what_has_passed_its_end_or_is_said_to_have_is_over(collection, properties, over):
    assert is_over(collection, properties, NOON) is over
