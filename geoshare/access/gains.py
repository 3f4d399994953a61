"""Who gains and who loses what between two states of the tiers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from geoshare.access.conditions import bare, finer, loosened, opened
from geoshare.access.holdings import Holding, Holdings
from geoshare.access.tiers import OPEN
from geoshare.model.collections import Collection
from geoshare.model.policy import ACTIONS, Grant, Policy
from geoshare.model.policy.grants import dominates

GEOMETRY = "(geometry)"
EVERYBODY = "everybody"


@dataclass(frozen=True, slots=True)
class Right:
    """Columns of a collection for which some actions came or went, or what changed of them.

    ``change`` says what of it became looser or stricter; without columns it is all that is shown.
    """

    collection: str
    actions: tuple[str, ...]
    columns: tuple[str, ...]
    change: str = ""

    def __str__(self) -> str:
        columns = ", ".join(self.columns)
        said = f"{self.change} ({columns})" if self.change and columns else self.change or columns
        return f"{self.collection} ({', '.join(self.actions)}): {said}"


@dataclass(frozen=True, slots=True)
class Difference:
    """What one holder gains and loses."""

    who: str
    gains: tuple[Right | str, ...]  # a text: a rate or quota of all that is held
    loses: tuple[Right | str, ...]


def differences(
    before: Holdings,
    after: Holdings,
    collections: Mapping[str, Collection],
    now_us: int,
    default_per_minute: int,
) -> Iterator[Difference]:
    """Every holder to whom anything changes: everybody, each tier, each organisation.

    A column is gained where a grant now gives it that no single grant before gave as exactly, as
    early, as widely; and lost the other way round. Where only rates, formats, precision or delays
    change, that is said instead. ``default_per_minute``: requests where no tier says how many.
    """
    known: dict[tuple[Any, ...], tuple[tuple[Right, ...], tuple[Right, ...]]] = {}
    for who, old, new in _holders(before, after, now_us):
        pairs = tuple(
            (
                action,
                before.policy(old, action, now_us),
                after.policy(new, action, now_us),
            )
            for action in ACTIONS
        )
        mark = tuple((id(one), id(two)) for _, one, two in pairs)
        if mark not in known:
            gained = _rights([(action, one, two) for action, one, two in pairs], collections, False)
            lost = _rights([(action, two, one) for action, one, two in pairs], collections, True)
            known[mark] = gained, lost
        gains: tuple[Right | str, ...] = known[mark][0]
        loses: tuple[Right | str, ...] = known[mark][1]
        if old and new:
            one, two = before.rates(old, default_per_minute), after.rates(new, default_per_minute)
            gains = (*gains, *loosened(one, two, lost=False))
            loses = (*loses, *loosened(two, one, lost=True))
        if gains or loses:
            yield Difference(who, gains, loses)


def _holders(
    before: Holdings, after: Holdings, now_us: int
) -> Iterator[tuple[str, tuple[Holding, ...], tuple[Holding, ...]]]:
    yield EVERYBODY, before.held("", now_us), after.held("", now_us)
    for name in sorted({*before.tiers.tiers, *after.tiers.tiers} - {OPEN}):
        old = (Holding(name, "(tier)"),) if name in before.tiers.tiers else ()
        new = (Holding(name, "(tier)"),) if name in after.tiers.tiers else ()
        yield f"tier {name}", old, new
    for organisation in sorted({*before.agreements, *after.agreements}):
        yield (
            f"organisation {organisation}",
            before.held(organisation, now_us),
            after.held(organisation, now_us),
        )


def _rights(
    pairs: list[tuple[Any, Policy, Policy]], collections: Mapping[str, Collection], lost: bool
) -> tuple[Right, ...]:
    """What the second policies give that the first ones do not; ``lost``: the first are the later."""
    found: dict[tuple[str, tuple[str, ...], str], list[str]] = {}
    for action, one, two in pairs:
        for name, collection in collections.items():
            less, more = one.grants_for(name), two.grants_for(name)
            said = [*_said(less, more, collection, lost)]
            said += [((), change) for change in opened(one, two, action, name, lost)]
            for columns, change in said:
                found.setdefault((name, columns, change), []).append(action)
    return tuple(
        Right(name, tuple(actions), columns, change)
        for (name, columns, change), actions in found.items()
    )


def _said(
    less: tuple[Grant, ...], more: tuple[Grant, ...], collection: Collection, lost: bool
) -> Iterator[tuple[tuple[str, ...], str]]:
    """Columns that are given anew, and what changes of those that both give somehow."""
    columns = tuple(_more(less, more, collection))
    anew = tuple(_more(tuple(map(bare, less)), tuple(map(bare, more)), collection))
    stay = tuple(name for name in columns if name not in anew)
    changes = tuple(finer(_giving(less, stay), _giving(more, stay), lost)) if stay else ()
    given = tuple(name for name in columns if name in anew) if changes else columns
    if given:
        yield given, ""
    for change in changes:
        yield () if GEOMETRY in stay else stay, change


def _giving(grants: tuple[Grant, ...], columns: tuple[str, ...]) -> list[Grant]:
    if GEOMETRY in columns:
        return list(grants)
    return [grant for grant in grants if any(grant.lists(name) for name in columns)]


def _more(before: tuple[Grant, ...], after: tuple[Grant, ...], collection: Collection) -> Iterator[str]:
    if before == after:
        return
    for column in (None, *(item.name for item in collection.properties)):
        given = [alone(grant, column) for grant in after if column is None or grant.lists(column)]
        had = [alone(grant, column) for grant in before if column is None or grant.lists(column)]
        if any(not any(dominates(old, new) for old in had) for new in given):
            yield column or GEOMETRY


def alone(grant: Grant, column: str | None) -> Grant:
    """A grant of one column, or of the geometry alone."""
    columns = () if column is None else (column,)
    changed = {name: grant.transforms[name] for name in columns if name in grant.transforms}
    return grant.model_copy(update={"columns": columns, "transforms": changed})
