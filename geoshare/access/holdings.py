"""Who holds which tiers now: by agreements in force, by emergencies that are on, by the open agreement.

A snapshot of what is in force; validity is looked up when a question is asked, so that terms begin and
end, and emergencies go off, without anything running.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from geoshare.access.classes import Contributing, contributing
from geoshare.access.tiers import OPEN, Tiers
from geoshare.model.policy import (
    OPEN_CLASS,
    RATES,
    Action,
    Activation,
    Agreement,
    Grant,
    Policy,
    Rated,
    Terms,
)

MAX_POLICIES: Final = 4_096
ROLES: Final = ("operator", "provider")
FREE: Final = "free"  # terms under which copies may go to anybody
Area = dict[str, Any] | str


@dataclass(frozen=True)
class Switched:
    """An emergency that is on, until a moment (microseconds since 1970, UTC)."""

    activation: Activation
    since_us: int
    until_us: int

    def on(self, now_us: int) -> bool:
        """Whether it is on at a moment; the end itself is past."""
        return self.since_us <= now_us < self.until_us


@dataclass(frozen=True)
class Holding:
    """One tier as somebody holds it, and why: an agreement, or an emergency."""

    tier: str
    agreement: str  # "open", "id@version", or "emergency/id"
    area: Area | None = field(default=None, compare=False)  # the agreement decides it
    until_us: int | None = field(default=None, compare=False)
    contribute_area: Area | None = field(default=None, compare=False)
    release_classes: tuple[str, ...] = field(default=(OPEN_CLASS,), compare=False)

    def fences(self, action: Action) -> tuple[Area, ...]:
        """The areas within which the agreement lets somebody do something; none: anywhere."""
        both = (self.area, self.contribute_area if action == "contribute" else None)
        return tuple(area for area in both if area is not None)


@dataclass(frozen=True)
class Holdings:
    """What is in force by the newest change set, whatever the time is."""

    tiers: Tiers
    agreements: Mapping[str, tuple[Agreement, ...]] = field(default_factory=dict)
    emergencies: tuple[Switched, ...] = ()
    _policies: OrderedDict[tuple[Any, ...], Policy] = field(default_factory=OrderedDict, repr=False)

    def with_tiers(self, tiers: Tiers) -> Holdings:
        """The same agreements and emergencies under other tiers."""
        return Holdings(tiers, self.agreements, self.emergencies)

    def held(
        self, organisation: str, now_us: int, narrowed: Collection[str] | None = None
    ) -> tuple[Holding, ...]:
        """Every tier an organisation holds at a moment, the open one first.

        ``narrowed`` names tiers that the credential is limited to, beside the open one; None: to none.
        """
        found = [Holding(OPEN, OPEN)]
        for agreement in self._in_term(organisation, now_us):
            found += self._by(agreement, narrowed)
        return self._with_emergencies(found, {item.tier for item in found}, now_us)

    def passed_on(self, organisation: str, now_us: int) -> tuple[Holding, ...]:
        """What an organisation may show to anybody at a moment.

        The open tier, and the tiers of those agreements that let copies go to anybody
        (``onward = "free"``). Emergencies give what they give to everybody, and no more: what they
        give to holders of other tiers has no terms of its own.
        """
        found = [Holding(OPEN, OPEN)]
        for agreement in self._in_term(organisation, now_us):
            if agreement.terms.onward == FREE:
                found += self._by(agreement, None)
        return self._with_emergencies(found, {OPEN}, now_us)

    def terms_of(self, organisation: str, now_us: int) -> tuple[Terms, ...]:
        """Terms of the agreements that an organisation holds at a moment."""
        return tuple(agreement.terms for agreement in self._in_term(organisation, now_us))

    def _in_term(self, organisation: str, now_us: int) -> Iterator[Agreement]:
        now = datetime.fromtimestamp(now_us / 1e6, UTC)
        for agreement in self.agreements.get(organisation, ()):
            if agreement.term.holds(now):
                yield agreement

    def _with_emergencies(
        self, found: list[Holding], names: Collection[str], now_us: int
    ) -> tuple[Holding, ...]:
        """What is held, and the emergency tiers that are on for who holds one of these tiers."""
        found += [
            Holding(item.activation.tier, f"emergency/{item.activation.id}", area, item.until_us)
            for item in self.on(now_us)
            if set(names) & set(self._beneficiaries(item.activation.tier))
            for area in (item.activation.area,)
        ]
        return tuple(found)

    def _by(self, agreement: Agreement, narrowed: Collection[str] | None) -> Iterator[Holding]:
        mark = f"{agreement.id}@{agreement.version}"
        until_us = int(agreement.term.ends.timestamp() * 1e6)
        for name in agreement.tiers:
            tier = self.tiers.tiers.get(name)
            if tier is None or tier.emergency is not None or name == OPEN:
                continue  # a tier that is gone gives nothing, one of emergencies is never held so
            if narrowed is None or name in narrowed:
                yield Holding(
                    name,
                    mark,
                    agreement.area,
                    until_us,
                    agreement.contribute_area,
                    agreement.release_classes,
                )

    def on(self, now_us: int) -> tuple[Switched, ...]:
        """Emergencies that are on at a moment."""
        return tuple(item for item in self.emergencies if item.on(now_us))

    def _beneficiaries(self, tier: str) -> tuple[str, ...]:
        found = self.tiers.tiers.get(tier)
        return () if found is None or found.emergency is None else found.emergency.beneficiaries

    def everybody(
        self, now_us: int, narrowed: Iterable[tuple[str, tuple[str, ...]]]
    ) -> set[tuple[Holding, ...]]:
        """What anybody holds at a moment: visitors, each organisation, and each narrowed credential.

        What each organisation may pass on to everybody is among them.
        Tiers that nobody holds are, too, so that who comes to hold one finds its views built;
        but for those that hash, which show nothing without an agreement's secret.
        """
        found = {self.held("", now_us)}
        found |= {self.held(organisation, now_us) for organisation in self.agreements}
        found |= {self.passed_on(organisation, now_us) for organisation in self.agreements}
        found |= {self.held(organisation, now_us, tiers) for organisation, tiers in narrowed}
        for name, tier in self.tiers.tiers.items():
            if tier.emergency is None and not any(grant.hashes for grant in tier.grants):
                found.add(tuple(dict.fromkeys((Holding(OPEN, OPEN), Holding(name, "")))))
        return found

    def policy(self, held: Iterable[Holding], action: Action, now_us: int) -> Policy:
        """Combine the grants of these holdings that allow an action now; equal ones are one object."""
        now = datetime.fromtimestamp(now_us / 1e6, UTC)
        held = tuple(held)
        chosen = [
            (holding, number)
            for holding in held
            for number, grant in enumerate(self.tiers.tiers[holding.tier].grants)
            if action in grant.actions and grant.in_force(now)
        ]
        fenced = [item.fences(action) for item, _ in chosen]
        key = tuple(
            (item.tier, number, self._binding(item, number, fences), len(fences))
            for (item, number), fences in zip(chosen, fenced, strict=True)
        )
        found = self._policies.get(key)
        if found is None:
            grants = [
                _as_held(self.tiers.tiers[item.tier].grants[number], item, fences)
                for (item, number), fences in zip(chosen, fenced, strict=True)
            ]
            found = self._policies[key] = Policy(tuple(grants))
            while len(self._policies) > MAX_POLICIES:
                self._policies.popitem(last=False)
        return found

    def _binding(self, holding: Holding, number: int, fences: tuple[Area, ...]) -> str:
        """The agreement, where it changes a grant: by its secret for hashes, or by its fence."""
        grant = self.tiers.tiers[holding.tier].grants[number]
        return holding.agreement if grant.hashes or fences else ""

    def contributing(self, held: Iterable[Holding], now_us: int) -> Contributing:
        """Release classes under which these holdings let somebody contribute."""
        now = datetime.fromtimestamp(now_us / 1e6, UTC)
        stated = [
            holding.release_classes
            for holding in held
            if any(
                "contribute" in grant.actions and grant.in_force(now)
                for grant in self.tiers.tiers[holding.tier].grants
            )
        ]
        return contributing(stated, self.tiers.class_names)

    def role(self, held: Iterable[Holding]) -> str:
        """The strongest role among the tiers held: operator, provider or consumer."""
        roles = {self.tiers.tiers[item.tier].role for item in held}
        return next((role for role in ROLES if role in roles), "consumer")

    def rates(self, held: Iterable[Holding], default_per_minute: int) -> Rated:
        """The largest rate and quota of each sort among the tiers held; None where none states one."""
        tiers = [self.tiers.tiers[item.tier] for item in held]
        said = {
            name: max(
                (rate for tier in tiers if (rate := getattr(tier, name)) is not None), default=None
            )
            for name in RATES
        }
        said["requests_per_minute"] = said["requests_per_minute"] or default_per_minute
        return Rated(**said)


def _as_held(grant: Grant, holding: Holding, fences: tuple[Area, ...]) -> Grant:
    """A grant under the agreement that gives it: with its secret for hashes, and within its fences."""
    # the secret is the agreement's, whatever its version: hashes stay what they were
    found = grant.bound(holding.agreement.partition("@")[0]) if grant.hashes else grant
    if not fences:
        return found
    parts = [area for area in (grant.area, *fences) if area is not None]
    if len(parts) == 1:
        return found.model_copy(update={"area": parts[0], "area_mode": "clip"})
    # several fences: the keeper cuts one with the other when it looks codes up
    both: dict[str, Any] = {"all_of": parts}
    return found.model_copy(update={"area": both, "area_mode": "clip"})
