"""Quotas: how many requests, and how much work, a credential may ask for in a minute and in a month.

Work is said in cost units, which are computed from the request and the caller's view alone. Several
limits count for one request (a key's own, those of the key above it, those of grants): it passes where
all of them let it, and what is refused costs none of them anything.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, Literal

from geoshare.access.leases import Leases, MemoryLeases
from geoshare.errors import TooMany
from geoshare.model.clock import Clock
from geoshare.model.policy import Rated

SECOND_US: Final = 1_000_000
MINUTE_US: Final = 60 * SECOND_US
IDLE_US: Final = 60 * SECOND_US  # what was taken of a month and not used for so long is given back
ASK_AGAIN_US: Final = {"minute": MINUTE_US, "month": 5 * SECOND_US}  # a store that had not enough
MAX_HELD: Final = 50_000

Per = Literal["minute", "month"]
Unit = Literal["requests", "cost"]
SORTS: Final[tuple[tuple[str, Unit, Per], ...]] = (
    ("requests_per_minute", "requests", "minute"),
    ("cost_per_minute", "cost", "minute"),
    ("requests_per_month", "requests", "month"),
    ("cost_per_month", "cost", "month"),
)


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit of one credential, or of one grant as a credential uses it (``grant`` is its mark)."""

    credential: str
    unit: Unit
    per: Per
    most: int
    grant: str = ""
    key: str = field(init=False, compare=False)  # what is counted under
    name: str = field(init=False, compare=False)  # in headers and words

    def __post_init__(self) -> None:
        # once: requests ask for both again and again
        key = f"{self.unit} {self.grant} {self.credential}"
        if self.per == "minute":  # a block of a larger limit would use a smaller one up
            key = f"{key} {self.most}"
        object.__setattr__(self, "key", key)
        name = f"{self.unit}-{self.per}" + (f"-{self.grant}" if self.grant else "")
        object.__setattr__(self, "name", name)


@dataclass(frozen=True, slots=True)
class Period:
    """A minute or a month of the calendar (UTC), by its number."""

    number: int
    begins_us: int
    ends_us: int


def minute_at(now_us: int) -> Period:
    """The minute of a moment."""
    number = now_us // MINUTE_US
    return Period(number, number * MINUTE_US, (number + 1) * MINUTE_US)


def month_at(now_us: int) -> Period:
    """The calendar month of a moment, counted from the year 0."""
    now = datetime.fromtimestamp(now_us // SECOND_US, UTC)
    number = now.year * 12 + now.month - 1
    begins, ends = (int(month_begins(at).timestamp()) for at in (number, number + 1))
    return Period(number, begins * SECOND_US, ends * SECOND_US)


def month_begins(number: int) -> datetime:
    """The first moment of a month."""
    return datetime(number // 12, number % 12 + 1, 1, tzinfo=UTC)


def limits_of(rates: Rated, credential: str, grant: str = "") -> tuple[Limit, ...]:
    """The limits that rates state, for one credential."""
    return tuple(
        Limit(credential, unit, per, most, grant)
        for name, unit, per in SORTS
        if (most := getattr(rates, name)) is not None
    )


def stricter(one: Rated, other: Rated) -> Rated:
    """The smaller of two rates of each sort."""
    pairs = {name: (getattr(one, name), getattr(other, name)) for name, _, _ in SORTS}
    return Rated(
        **{name: min((said for said in pair if said), default=None) for name, pair in pairs.items()}
    )


class _Held:
    """What this process has taken of one limit's period."""

    __slots__ = ("asked_us", "beyond", "left", "limit", "period", "used_us")

    def __init__(self, limit: Limit, period: Period) -> None:
        self.limit = limit
        self.period = period
        self.left = 0
        self.beyond = limit.most  # in the store, when it was asked last
        self.asked_us: int | None = None
        self.used_us = 0


class Limiter:
    """Counts requests and cost against limits. Safe to use from several threads."""

    def __init__(self, clock: Clock, stores: Mapping[Per, Leases] | None = None) -> None:
        self._clock = clock
        self._stores = stores or {"minute": MemoryLeases(), "month": MemoryLeases()}
        self._held: dict[Per, dict[str, _Held]] = {"minute": {}, "month": {}}
        self._periods = {"minute": minute_at(0), "month": month_at(0)}
        self._over: list[_Held] = []  # of months that are over, to be given back
        self._lock = threading.Lock()
        self._leasing = {"minute": threading.Lock(), "month": threading.Lock()}

    def spend(self, charges: Iterable[tuple[Limit, int]]) -> None:
        """Count a request against all of these limits, or against none.

        Raises
        ------
        TooMany
            where one of them has not as much left, with the seconds until it begins anew.
        Unavailable
            where it cannot be told.
        """
        charges, now_us = tuple(charges), self._clock.now_us()
        while True:
            with self._lock:
                found = [(self._at(limit, now_us), limit, cost) for limit, cost in charges]
                lacking = next((item for item in found if item[0].left < item[2]), None)
                if lacking is None:
                    for held, _, cost in found:
                        held.left -= cost
                        held.used_us = now_us
                    return
            self._lease(lacking[1], lacking[2], now_us)

    def left(self, limits: Iterable[Limit]) -> list[tuple[int, int]]:
        """What is left of limits as far as is known here, and the seconds until each begins anew."""
        limits, now_us = tuple(limits), self._clock.now_us()
        with self._lock:
            found = [self._at(limit, now_us) for limit in limits]
            told = [held.left + held.beyond if held.asked_us is not None else None for held in found]
        return [
            (
                max(0, min(self._ask(held) if left is None else left, held.limit.most)),
                _seconds(held.period.ends_us - now_us),
            )
            for held, left in zip(found, told, strict=True)
        ]

    def _ask(self, held: _Held) -> int:
        """What the store has of a limit from which nothing was taken here."""
        limit = held.limit
        return self._stores[limit.per].left(limit.key, held.period.number, limit.most)

    def idle(self, idle_us: int = IDLE_US) -> list[tuple[str, int, int]]:
        """Let go of what was taken of months and is not used: key, month and how much of each."""
        now_us = self._clock.now_us()
        with self._lock:
            held = self._held["month"]
            old = [key for key, found in held.items() if now_us - found.used_us >= idle_us]
            found = [*self._over, *(held.pop(key) for key in old)]
            self._over = []
        return [(item.limit.key, item.period.number, item.left) for item in found if item.left]

    def _at(self, limit: Limit, now_us: int) -> _Held:
        """What is held of a limit now; the lock is held."""
        period = self._periods[limit.per]
        held = self._held[limit.per]
        if not period.begins_us <= now_us < period.ends_us or len(held) > MAX_HELD:
            period = self._turn(limit.per, now_us)
            held = self._held[limit.per]
        key = limit.key
        found = held.get(key)
        if found is None or found.limit.most != limit.most:
            before, found = found, _Held(limit, period)
            if before is not None and limit.per == "month":
                self._over.append(before)
            held[key] = found
        return found

    def _turn(self, per: Per, now_us: int) -> Period:
        """The period of now; what is held of the one before goes. The lock is held."""
        period = minute_at(now_us) if per == "minute" else month_at(now_us)
        if period != self._periods[per] or len(self._held[per]) > MAX_HELD:
            if per == "month":
                self._over += self._held[per].values()
            self._periods[per], self._held[per] = period, {}
        return period

    def _lease(self, limit: Limit, cost: int, now_us: int) -> None:
        """Take more of a limit from the store; TooMany where there is not enough."""
        with self._leasing[limit.per]:
            with self._lock:
                held = self._at(limit, now_us)
                wanted = cost - held.left
                fresh = held.asked_us is not None and now_us - held.asked_us < ASK_AGAIN_US[limit.per]
                lacking = fresh and held.beyond < wanted
            if wanted <= 0:
                return  # another thread has, meanwhile
            if lacking:  # somebody who goes on asking costs the store nothing
                raise _too_many(limit, held.period.ends_us - now_us)
            taken = self._stores[limit.per].take(limit.key, held.period.number, limit.most, wanted)
            with self._lock:
                held.left += taken.granted
                held.beyond, held.asked_us, held.used_us = taken.left, now_us, now_us
            if taken.granted < wanted:
                raise _too_many(limit, held.period.ends_us - now_us)


def _too_many(limit: Limit, wait_us: int) -> TooMany:
    what = "Too many requests" if limit.unit == "requests" else "Too much"
    return TooMany(
        f"{what} in this {limit.per}.",
        code="quota-exceeded",
        parameter=limit.name,
        allowed=f"{limit.most} {'requests' if limit.unit == 'requests' else 'cost units'}"
        f" in a {limit.per}",
        retry_after_s=_seconds(wait_us),
    )


def _seconds(wait_us: int) -> int:
    """Whole seconds, rounded up; one at least."""
    return max(1, -(-wait_us // SECOND_US))
