"""The policy one consumer ends up with: the grants that count for one action."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from geoshare.model.policy.canonical import canonical_json
from geoshare.model.policy.grants import RATES, Action, Grant, Rated, canonical_names, dominates

MAX_METERS = 1_000


@dataclass(frozen=True)
class Policy:
    """The grants one consumer holds for one action. Policies with one hash share their views."""

    grants: tuple[Grant, ...]

    def may(self, action: Action, collection: str) -> bool:
        """Whether some grant allows an action on a collection."""
        return any(action in grant.actions and grant.covers(collection) for grant in self.grants)

    @cached_property
    def everything(self) -> bool:
        """Whether some grant speaks of all collections, also of those that come later."""
        return any(grant.collections == "all" for grant in self.grants)

    @cached_property
    def collections(self) -> frozenset[str]:
        """Collections named by some grant."""
        return frozenset(
            name for grant in self.grants if grant.collections != "all" for name in grant.collections
        )

    def grants_for(self, collection: str) -> tuple[Grant, ...]:
        """Grants that speak of the collection, those another one contains left out."""
        return _undominated([grant for grant in self.grants if grant.covers(collection)])

    def allows(self, collection: str) -> bool:
        """Whether anything is granted on that collection."""
        return self.everything or collection in self.collections

    def only(self, collections: Iterable[str]) -> Policy:
        """Return what is left of the policy when nothing but these collections may be known."""
        wanted = frozenset(collections)
        kept = []
        for grant in self.grants:
            names = wanted if grant.collections == "all" else wanted.intersection(grant.collections)
            if names:
                kept.append(grant.for_collections(tuple(sorted(names))))
        return Policy(tuple(kept))

    def timed(self, collection: str) -> bool:
        """Whether a delay or a window decides what is shown of it, so that it moves with the clock."""
        granted = [grant for grant in self.grants if grant.covers(collection)]
        return any(grant.delay is not None or grant.window is not None for grant in granted)

    def formats(self, collection: str) -> frozenset[str]:
        """File formats that may be taken away."""
        granted = [grant for grant in self.grants if grant.covers(collection)]
        return frozenset(name for grant in granted for name in grant.formats)

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the canonical JSON of the grants, as far as they decide data."""
        names: list[str] = sorted(self.collections)
        decided: dict[str, Any] = {name: self._canonical(name) for name in names}
        if self.everything:
            every = _undominated([grant for grant in self.grants if grant.collections == "all"])
            decided["*"] = sorted((grant.data() for grant in every), key=canonical_json)
        return hashlib.sha256(canonical_json(decided)).hexdigest()

    def within(self, collections: Iterable[str]) -> Policy:
        """Return the policy for some of its collections alone, read through the same views.

        Unlike ``only``, it changes nothing of what these show of the others: it is for who limits
        itself, not for who is limited.
        """
        found = self.only(collections)
        found.__dict__["hash"] = self.hash
        return found

    def meters(self, collection: str) -> tuple[tuple[str, Rated], ...]:
        """What grants on a collection limit: a mark of each such grant, and its rates and quotas.

        A limit does not count where another grant that gives all of it has a larger one, or none.
        """
        found = self._meters.get(collection)
        if found is None:
            found = tuple(self._metered([grant for grant in self.grants if grant.covers(collection)]))
            if len(self._meters) < MAX_METERS:  # anybody can make up names
                self._meters[collection] = found
        return found

    @cached_property
    def _meters(self) -> dict[str, tuple[tuple[str, Rated], ...]]:
        return {}

    @staticmethod
    def _metered(grants: list[Grant]) -> Iterator[tuple[str, Rated]]:
        for grant in grants:
            said = {name: getattr(grant, name) for name in RATES}
            if not any(said.values()):
                continue
            above = [other for other in grants if other is not grant and dominates(other, grant)]
            for name, most in said.items():
                if any(getattr(other, name) is None or getattr(other, name) > most for other in above):
                    said[name] = None
            if any(said.values()):
                yield _mark(grant), Rated(**said)

    def _canonical(self, name: str) -> list[dict[str, Any]]:
        return sorted((grant.data() for grant in self.grants_for(name)), key=canonical_json)


def _mark(grant: Grant) -> str:
    """A short name of a grant that stays when its rates are changed."""
    about = {
        "collections": canonical_names(grant.collections),
        "actions": sorted(grant.actions),
        "agreement": grant.agreement,
        "data": grant.data(),
    }
    return hashlib.sha256(canonical_json(about)).hexdigest()[:8]


def _undominated(grants: Iterable[Grant]) -> tuple[Grant, ...]:
    """Grants without those that another grant contains, so that equal rights have one form."""
    kept: list[Grant] = []
    for grant in grants:
        if any(dominates(other, grant) for other in kept):
            continue
        kept = [other for other in kept if not dominates(grant, other)] + [grant]
    return tuple(kept)
