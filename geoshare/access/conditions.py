"""What becomes stricter or looser of what stays granted: rates, formats, precision, delays."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import Final

from pydantic import TypeAdapter

from geoshare.model.policy import RATES, Grant, Policy, Rated

_DURATION: Final = TypeAdapter(timedelta)
ENDLESS: Final = float("inf")
Value = Callable[[Grant], float]
Words = Callable[[float], str]


def loosened(less: Rated, more: Rated, lost: bool) -> Iterator[str]:
    """Rates and quotas of which the second allow more, as changes; ``lost``: from second to first."""
    for name in RATES:
        old, new = getattr(less, name), getattr(more, name)
        if old is not None and (new is None or new > old):
            yield _change(name, _number(old), _number(new), lost)


def opened(less: Policy, more: Policy, action: str, collection: str, lost: bool) -> Iterator[str]:
    """Formats and grants' own limits of which the second policy allows more on a collection."""
    if not less.allows(collection) or not more.allows(collection):
        return
    old, new = less.formats(collection), more.formats(collection)
    if action == "download" and new - old:
        yield _change("formats", ", ".join(sorted(old)), ", ".join(sorted(new)), lost)
    yield from loosened(_limits(less, collection), _limits(more, collection), lost)


def finer(less: Sequence[Grant], more: Sequence[Grant], lost: bool) -> Iterator[str]:
    """In what the second grants show the same more finely, earlier or for longer, as changes."""
    for name, value, words in _MANNERS:
        old = min((value(grant) for grant in less), default=ENDLESS)
        new = min((value(grant) for grant in more), default=ENDLESS)
        if less and more and new < old:
            yield _change(name, words(old), words(new), lost)


def bare(grant: Grant) -> Grant:
    """A grant without what :func:`finer` speaks of."""
    nothing = dict.fromkeys(
        ("precision_m", "finest_zoom", "finest_resolution_m", "delay", "window"), None
    )
    return grant.model_copy(update=nothing)


def _limits(policy: Policy, collection: str) -> Rated:
    """The strictest of the limits that grants put on a collection: all of them count."""
    meters = [rates for _, rates in policy.meters(collection)]
    found = {name: [said for rates in meters if (said := getattr(rates, name))] for name in RATES}
    return Rated(**{name: min(said, default=None) for name, said in found.items()})


def _change(name: str, less: str, more: str, lost: bool) -> str:
    return f"{name} {more} -> {less}" if lost else f"{name} {less} -> {more}"


def _number(said: int | None) -> str:
    return "unlimited" if said is None else str(said)


def _metres(value: float) -> str:
    return f"{value:g}" if value else "exact"


def _time(value: float) -> str:
    return str(_DURATION.dump_python(timedelta(microseconds=value), mode="json")) if value else "none"


def _kept(value: float) -> str:
    return "any age" if value == -ENDLESS else _time(-value)


_MANNERS: Final[tuple[tuple[str, Value, Words], ...]] = (
    ("precision_m", lambda grant: grant.snap_m, _metres),
    ("finest_resolution_m", lambda grant: grant.finest_resolution_m or 0.0, _metres),
    ("delay", lambda grant: grant.delay_us, _time),
    ("window", lambda grant: -ENDLESS if grant.window_us is None else -grant.window_us, _kept),
)
