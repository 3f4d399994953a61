"""What of a municipality's lists is over: ended by somebody, or past the end that it was given.

The record keeps what was said (``status``) and until when (``valid_to``). Whether that moment has
passed is for whoever reads it, so that nothing has to be written for a closure to end; whoever draws
passes the moment that is drawn. ``web/src/shared/standing.ts`` says the same of what a browser shows.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

OVER: Final = {"events": "ended", "evacuation_areas": "lifted", "water_points": "closed"}
"""How each list calls what is over; what is in no such list never ends by itself."""
_FINAL: Final = frozenset(("ended", "lifted", "cancelled", "closed"))
_UNREAL: Final = frozenset(("drill", "test"))


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
    if collection not in OVER or not isinstance(ends, str):
        return False
    return datetime.fromisoformat(ends) <= at


def is_over(collection: str, properties: Mapping[str, Any], at: datetime) -> bool:
    """Whether a feature is over: by what is said of it, or by its end."""
    said = properties.get("status") in _FINAL or properties.get("kind") == "lifted"
    return collection in OVER and (said or is_expired(collection, properties, at))


def status_at(collection: str, properties: Mapping[str, Any], at: datetime) -> str | None:
    """Return the state a feature is in at a moment.

    A drill stays a drill, so that nobody takes it for something real that is over.
    """
    said: str | None = properties.get("status")
    if said in _FINAL or said in _UNREAL or not is_expired(collection, properties, at):
        return said
    return OVER[collection]
