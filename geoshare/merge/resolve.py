"""Several providers' claims about one feature: which wins, and why.

Geometry and properties are ranked apart, by the collection's rules: whoever measured best need not be
who last heard of a new name. A property comes from the best claim that has a value for it. What
depends on the geometry (measures, references to neighbours) comes from the provider whose geometry
it is, so that a line does not get the borders of another. What leads from feature to feature and
holds whoever states it (the lanes that a lane goes on to) is put together from all claims: so every
way that a provider knows is still there where only some of its features are others', too. The result
depends on the claims alone, not on the order in which they came.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from geoshare.model.foundation import Criterion, Rules

GEOMETRY: Final = "@geometry"  # no property has this name
PLAIN: Final = Rules(providers=(), kind=())


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
    by_hand: bool = False  # said by a person at a desk, not measured
    licence: str = ""

    @property
    def as_of_us(self) -> int:
        """When it was seen; where that is not stated, when it was received."""
        return self.received_us if self.observed_us is None else self.observed_us


@dataclass(frozen=True, slots=True)
class Ranked:
    """A claim with the reason for its rank."""

    claim: Claimed
    reason: str  # only, joined, precedence, accuracy, recency, name


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which claim something comes from, and why.

    The reason is what set it before the next claim that says something of it, or that it is all of
    theirs together.
    """

    place: int
    reason: str
    rivals: tuple[int, ...] = ()  # places of the others that say something of it


@dataclass(frozen=True, slots=True)
class Resolved:
    """The values of a feature, and which claim each came from.

    ``ranking`` is by geometry; ``chosen`` names, by property and :data:`GEOMETRY`, places in it.
    """

    geometry: bytes | None
    properties: dict[str, Any]
    ranking: tuple[Ranked, ...]
    chosen: dict[str, Chosen] = field(default_factory=dict)


Key = Callable[[Claimed], Any]


def rank(
    claims: Sequence[Claimed], rules: Rules = PLAIN, by: Sequence[Criterion] | None = None
) -> tuple[Ranked, ...]:
    """Claims from best to worst.

    First the providers that the rules name, in their order; then by the criteria (those for geometry
    unless others are given); what is left by provider and record id. The reason says what set a
    claim before the one after it, or, for the last, behind the one before.
    """
    if not claims:
        raise ValueError("nothing to rank")
    keys = _keys(claims, rules, rules.geometry if by is None else by)
    ordered = sorted(claims, key=lambda claim: tuple(key(claim) for _, key in keys))
    ranked = []
    for place, claim in enumerate(ordered):
        if len(ordered) == 1:
            ranked.append(Ranked(claim, "only"))
            continue
        rival = ordered[place + 1] if place + 1 < len(ordered) else ordered[place - 1]
        ranked.append(Ranked(claim, _reason(keys, claim, rival)))
    return tuple(ranked)


def resolve(
    claims: Sequence[Claimed], rules: Rules = PLAIN, bound: Collection[str] = frozenset()
) -> Resolved:
    """One feature from its claims.

    A value that is missing is filled from the next claim; one that is null is not: it was taken away.

    Parameters
    ----------
    bound
        Properties that depend on the geometry, and come with it.
    """
    ranking = rank(claims, rules)
    places = {id(ranked.claim): place for place, ranked in enumerate(ranking)}
    shaped = [ranked.claim for ranked in ranking if ranked.claim.geometry is not None]
    chosen: dict[str, Chosen] = {}
    if shaped:
        chosen[GEOMETRY] = _chosen(shaped, rules, rules.geometry, places)
    owner = shaped[0].provider if shaped else None
    properties: dict[str, Any] = {}
    for name in rules.joined:
        _join(name, ranking, rules, chosen, properties)
    ordered = [ranked.claim for ranked in rank(claims, rules, rules.properties)]
    for name in sorted({name for claim in ordered for name in claim.properties} - chosen.keys()):
        saying = [
            claim
            for claim in ordered
            if name in claim.properties
            and (name not in bound or claim.geometry is None or claim.provider == owner)
        ]
        if not saying:
            continue
        chosen[name] = _chosen(saying, rules, rules.properties, places)
        if (value := saying[0].properties[name]) is not None:
            properties[name] = value
    return Resolved(shaped[0].geometry if shaped else None, properties, ranking, chosen)


def _join(
    name: str,
    ranking: Sequence[Ranked],
    rules: Rules,
    chosen: dict[str, Chosen],
    properties: dict[str, Any],
) -> None:
    """A reference by all claims that have one: a list is all of theirs, in the order of the claims.

    Left to the common way where a person has set it by hand, which is meant to replace the others.
    """
    places = {id(ranked.claim): place for place, ranked in enumerate(ranking)}
    saying = [item.claim for item in ranking if item.claim.properties.get(name) is not None]
    if not saying or any(item.claim.by_hand and name in item.claim.properties for item in ranking):
        return
    found = _chosen(saying, rules, rules.geometry, places)
    values = [claim.properties[name] for claim in saying]
    if all(isinstance(value, list) for value in values):
        properties[name] = list(dict.fromkeys(one for value in values for one in value))
        chosen[name] = Chosen(found.place, "joined", found.rivals) if found.rivals else found
    else:
        properties[name], chosen[name] = values[0], found


def _chosen(
    saying: Sequence[Claimed], rules: Rules, by: Sequence[Criterion], places: dict[int, int]
) -> Chosen:
    """The first of some claims that are in order, and why it is."""
    rivals = tuple(places[id(claim)] for claim in saying[1:])
    if not rivals:
        return Chosen(places[id(saying[0])], "only")
    keys = _keys(saying, rules, by)
    return Chosen(places[id(saying[0])], _reason(keys, saying[0], saying[1]), rivals)


def _keys(claims: Sequence[Claimed], rules: Rules, by: Sequence[Criterion]) -> list[tuple[str, Key]]:
    """What claims are ordered by, with the name of each as a reason."""
    # What a person puts right by hand is not measured, and no measurement goes before it.
    stated = any(claim.accuracy_m is not None for claim in claims)
    by_criterion: dict[str, Key] = {
        "accuracy": lambda claim: _accuracy_m(claim) if stated else 0.0,
        "recency": lambda claim: -claim.as_of_us,
    }
    return [
        ("precedence", lambda claim: rules.place(claim.provider)),
        *((name, by_criterion[name]) for name in by),
        ("name", lambda claim: (claim.provider, claim.record_id, claim.by_hand)),
    ]


def _accuracy_m(claim: Claimed) -> float:
    if claim.by_hand:
        return 0.0
    return math.inf if claim.accuracy_m is None else claim.accuracy_m


def _reason(keys: Sequence[tuple[str, Key]], claim: Claimed, rival: Claimed) -> str:
    return next((name for name, key in keys if key(claim) != key(rival)), "name")
