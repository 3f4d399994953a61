"""Which limits count for a request, what is left of them, and whose turn it is."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from geoshare.access.credentials import Principal
from geoshare.access.leases import FileLeases
from geoshare.access.limits import Limit, Limiter, limits_of, month_at, stricter
from geoshare.access.months import Months
from geoshare.access.turns import Turns
from geoshare.model.policy import Action, Rated
from geoshare.model.times import iso

if TYPE_CHECKING:
    from geoshare.services import Services

MAX_REMEMBERED: Final = 10_000
MINUTES: Final = "rates.db"
ADDRESSES: Final = "addresses"
WATCHES: Final = 120_000  # looks of screens per minute, of a credential or address


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as far as quotas go: its cost, and the collections it names for an action.

    ``EVERY`` stands for all collections that the caller may know.
    """

    cost: int = 1
    collections: tuple[str, ...] = ()
    action: Action = "read"


ONE: Final = Asked()
EVERY: Final = ("*",)


class Counted:
    """A request that counts: against limits that its headers tell of, and perhaps more than once."""

    __slots__ = ("_address", "_asked", "_quotas", "_who", "limits")

    def __init__(self, quotas: Quotas, who: Principal, address: str, asked: Asked) -> None:
        self._quotas, self._who, self._address, self._asked = quotas, who, address, asked
        self.limits = quotas.shown(who, address, asked)

    def count(self) -> None:
        """Count the request.

        Raises
        ------
        TooMany
            where something that limits it is used up.
        Unavailable
            where that cannot be told.
        """
        self._quotas.spend(self._who, self._address, self._asked, requests=1)

    def more(self, asked: Asked) -> None:
        """Count what else it turns out to ask for: cost, and a request of grants named only now."""
        self.limits = (*self.limits, *self._quotas.granted(self._who, self._address, asked))
        self._quotas.spend(self._who, self._address, asked, requests=0)

    def left(self) -> list[tuple[Limit, int, int]]:
        """Each limit with what is left of it, and the seconds until it begins anew."""
        found = self._quotas.limiter.left(self.limits)
        return [(limit, *said) for limit, said in zip(self.limits, found, strict=True)]


class Quotas:
    """Requests and cost, per minute and per month, of credentials and of grants as they use them."""

    def __init__(self, services: Services) -> None:
        self._services = services
        settings = services.settings
        self.months = Months(services.governance.quotas, services.clock, settings.workers)
        minutes = FileLeases(settings.data / MINUTES, settings.workers)
        self.limiter = Limiter(services.clock, {"minute": minutes, "month": self.months})
        self.months.gives(self.limiter.idle, lambda: self.limiter.idle(0))
        self.turns = Turns(settings.threads)
        self._secret = services.governance.secret(ADDRESSES)
        self._own: dict[str, tuple[Rated, Rated, tuple[Limit, ...]]] = {}

    def counting(self, who: Principal, address: str, asked: Asked) -> Counted:
        """A request that is to be counted."""
        return Counted(self, who, address, asked)

    def attempt(self, kind: str, by: str, most: int) -> None:
        """Count an attempt of a kind, by an address or credential; TooMany above a rate per minute."""
        limit = Limit(f"{kind}-{self._mark(by)}", "requests", "minute", most)
        self.limiter.spend([(limit, 1)])

    def watch(self, who: Principal, address: str) -> None:
        """Count a look of a screen, apart from requests; TooMany above a rate that is far away."""
        credential = self._credential(who, address)
        self.limiter.spend([(Limit(f"watch {credential}", "requests", "minute", WATCHES), 1)])

    def consumer(self, who: Principal, address: str) -> str:
        """Who it is that takes turns: an organisation, or the address of nobody in particular."""
        return who.organisation if not who.anonymous else self._credential(who, address)

    def spend(self, who: Principal, address: str, asked: Asked, *, requests: int) -> None:
        """Count against the caller's limits, those of the key above it, and those of grants."""
        charges: dict[str, tuple[Limit, int]] = {}
        notes: list[tuple[Limit, int]] = []
        holder: Principal | None = who
        while holder is not None:
            credential = self._credential(holder, address)
            for limit in (*self._of(holder, credential), *self._granted(holder, credential, asked)):
                asking = 1 if limit.grant else requests
                number = asking if limit.unit == "requests" else asked.cost
                if limit.per == "minute":
                    number = min(number, limit.most)  # what costs more than a minute takes it whole
                if number:
                    charges[f"{limit.per} {limit.key}"] = limit, number
            if not holder.anonymous:
                notes += _noted(credential, requests, asked.cost)
            holder = holder.above
        self.limiter.spend(charges.values())
        for limit, number in notes:
            if f"month {limit.key}" not in charges:
                self.months.note(limit, number)

    def shown(self, who: Principal, address: str, asked: Asked) -> tuple[Limit, ...]:
        """The limits that the caller is told of: its own, not those of who shares with it."""
        return (*self._of(who, self._credential(who, address)), *self.granted(who, address, asked))

    def granted(self, who: Principal, address: str, asked: Asked) -> tuple[Limit, ...]:
        """The limits of the grants by which the caller asks, each once."""
        return tuple(dict.fromkeys(self._granted(who, self._credential(who, address), asked)))

    def described(self, who: Principal, address: str) -> dict[str, Any]:
        """What is left to the caller, until when, and what it has used of this month."""
        credential = self._credential(who, address)
        ends_us = month_at(self._services.clock.now_us()).ends_us
        found: dict[str, Any] = {
            "limits": [self._told(limit) for limit in self._of(who, credential)],
            "grants": self._grants_told(who, credential),
        }
        if not who.anonymous:
            held = [limit for limit in self._of(who, credential) if limit.per == "month"]
            leased = zip(held, self.limiter.left(held), strict=True)
            found["month"] = {
                **self.months.used(credential)._asdict(),
                **{limit.unit: limit.most - left for limit, (left, _) in leased},
                "until": iso(ends_us),
            }
        return found

    def used(self, month: int) -> dict[str, dict[str, int]]:
        """Requests and cost of a month by credential, as far as they are written."""
        found: dict[str, dict[str, int]] = {}
        for key, number in self._services.governance.quotas.of_month(month).items():
            unit, grant, credential = key.split(" ", 2)
            if not grant:
                found.setdefault(credential, {"requests": 0, "cost": 0})[unit] = max(0, number)
        return found

    def _credential(self, who: Principal, address: str) -> str:
        """What is counted under; an address is kept by nobody in clear."""
        if who.key_id:
            return who.key_id
        return f"anonymous-{self._mark(address)}"

    def _mark(self, text: str) -> str:
        return hmac.digest(self._secret, text.encode(), hashlib.sha256).hex()[:32]

    def _of(self, who: Principal, credential: str) -> tuple[Limit, ...]:
        """The limits of a credential, by the tiers it holds and its own share."""
        rates = self._services.policies.standing(who.organisation, who.tiers).rates
        found = self._own.get(credential)
        if found is None or found[0] is not rates or found[1] is not who.rates:
            if len(self._own) > MAX_REMEMBERED:
                self._own = {}
            limits = limits_of(stricter(rates, who.rates), credential)
            found = self._own[credential] = rates, who.rates, limits
        return found[2]

    def _granted(self, who: Principal, credential: str, asked: Asked) -> Iterator[Limit]:
        """The limits of the grants by which collections are read."""
        if not asked.collections:
            return
        policy = self._services.policies.policy(who.organisation, who.tiers, asked.action)
        for name in sorted(policy.collections) if asked.collections == EVERY else asked.collections:
            for mark, rates in policy.meters(name):
                yield from limits_of(rates, credential, mark)

    def _grants_told(self, who: Principal, credential: str) -> list[dict[str, Any]]:
        """Limited grants that the caller reads by, with what is left of each."""
        services = self._services
        found: dict[str, dict[str, Any]] = {}
        for action in ("read", "tile", "download"):
            policy = services.policy(who, action)
            whole = services.policies.policy(who.organisation, who.tiers, action)
            for name in sorted(policy.collections):
                for mark, rates in whole.meters(name):
                    entry = found.setdefault(mark, {"grant": mark, "collections": []})
                    if name not in entry["collections"]:
                        entry["collections"].append(name)
                    entry["limits"] = [
                        self._told(limit) for limit in limits_of(rates, credential, mark)
                    ]
        return [found[mark] for mark in sorted(found)]

    def _told(self, limit: Limit) -> dict[str, Any]:
        ((left, wait_s),) = self.limiter.left([limit])
        ends_us = self._services.clock.now_us() + wait_s * 1_000_000
        return {
            "name": limit.name,
            "unit": limit.unit,
            "per": limit.per,
            "limit": limit.most,
            "left": left,
            "until": iso(ends_us // 1_000_000 * 1_000_000),
        }


def _noted(credential: str, requests: int, cost: int) -> Iterable[tuple[Limit, int]]:
    """What is noted of a month where that is not limited."""
    said = (
        (Limit(credential, "requests", "month", 1), requests),
        (
            Limit(credential, "cost", "month", 1),
            cost,
        ),
    )
    return [(limit, number) for limit, number in said if number]
