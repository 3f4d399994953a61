"""What of a municipality's lists is over: ended by somebody, or past the end that it was given.

The record keeps what was said (``status``) and until when (``valid_to``). Whether that moment has
passed is for whoever reads it, so that nothing has to be written for a closure to end; whoever draws
passes the moment that is drawn. ``web/src/shared/standing.ts`` says the same of what a browser shows.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

ENDING: Final = frozenset(("events", "evacuation_areas", "water_points"))
"""Collections whose features end by themselves; all others only where somebody says so."""
_FINAL: Final = frozenset(("ended", "lifted", "cancelled", "closed"))


def is_expired(collection: str, properties: Mapping[str, Any], at: datetime) -> bool:
    """Whether a feature has passed the end that it was given, whatever is said of its state.

    Parameters
    ----------
    properties
        The feature's; ``valid_to`` as RFC 3339 text.
    at
        The moment that is asked about, with an offset.
    """
    ends = properties.get("valid_to")
    if collection not in ENDING or not isinstance(ends, str):
        return False
    return datetime.fromisoformat(ends) <= at


def is_over(collection: str, properties: Mapping[str, Any], at: datetime) -> bool:
    """Whether a feature is over: by what is said of it, or by its end."""
    said = properties.get("status") in _FINAL or properties.get("kind") == "lifted"
    return collection in ENDING and (said or is_expired(collection, properties, at))
