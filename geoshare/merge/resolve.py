"""Several providers' claims about one feature: which wins, and why.

First form: claims are ranked as a whole; a property comes from the best claim that has a value for
it, the geometry from the best claim that has one. The result depends on the claims alone, not on
the order in which they came.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Claimed:
    """What one provider says of a feature."""

    provider: str
    record_id: str
    contribution: str
    received_us: int
    geometry: bytes | None  # WKB, CRS84h
    properties: dict[str, Any]
    observed_us: int | None = None
    accuracy_m: float | None = None
    release_class: str = ""
    overlay: bool = False  # says something of a feature that others must say is there

    @property
    def as_of_us(self) -> int:
        """When it was seen; where that is not stated, when it was received."""
        return self.received_us if self.observed_us is None else self.observed_us


@dataclass(frozen=True, slots=True)
class Ranked:
    """A claim with the reason for its rank."""

    claim: Claimed
    reason: str  # only, precedence, fresher, name


@dataclass(frozen=True, slots=True)
class Resolved:
    """The values of a feature, and which claim each came from."""

    geometry: bytes | None
    properties: dict[str, Any]
    ranking: tuple[Ranked, ...]
    sources: dict[str, int] = field(default_factory=dict)  # property -> place in the ranking


def rank(claims: Sequence[Claimed], precedence: Sequence[str] = ()) -> tuple[Ranked, ...]:
    """Claims from best to worst.

    First the providers of ``precedence`` in its order, then the others; among equals the freshest,
    then by provider and record id. The reason says what set a claim before the one after it.
    """
    if not claims:
        raise ValueError("nothing to rank")

    def standing(claim: Claimed) -> int:
        return precedence.index(claim.provider) if claim.provider in precedence else len(precedence)

    ordered = sorted(
        claims, key=lambda item: (standing(item), -item.as_of_us, item.provider, item.record_id)
    )
    ranked = []
    for place, claim in enumerate(ordered):
        rival = ordered[place + 1] if place + 1 < len(ordered) else ordered[place - 1]
        if len(ordered) == 1:
            reason = "only"
        elif standing(claim) != standing(rival):
            reason = "precedence"
        else:
            reason = "fresher" if claim.as_of_us != rival.as_of_us else "name"
        ranked.append(Ranked(claim, reason))
    return tuple(ranked)


def resolve(claims: Sequence[Claimed], precedence: Sequence[str] = ()) -> Resolved:
    """One feature from its claims.

    A value that is missing is filled from the next claim; one that is null is not: it was taken away.
    """
    ranking = rank(claims, precedence)
    properties: dict[str, Any] = {}
    sources: dict[str, int] = {}
    geometry = None
    for place, ranked in enumerate(ranking):
        if geometry is None:
            geometry = ranked.claim.geometry
        for name, value in ranked.claim.properties.items():
            if name not in sources:
                sources[name] = place
                if value is not None:
                    properties[name] = value
    return Resolved(geometry, properties, ranking, sources)
