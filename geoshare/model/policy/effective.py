"""The policy one consumer ends up with: the grants that count for one action."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from geoshare.model.policy.canonical import canonical_json
from geoshare.model.policy.grants import Action, Grant, dominates


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

    def _canonical(self, name: str) -> list[dict[str, Any]]:
        return sorted((grant.data() for grant in self.grants_for(name)), key=canonical_json)


def _undominated(grants: Iterable[Grant]) -> tuple[Grant, ...]:
    """Grants without those that another grant contains, so that equal rights have one form."""
    kept: list[Grant] = []
    for grant in grants:
        if any(dominates(other, grant) for other in kept):
            continue
        kept = [other for other in kept if not dominates(grant, other)] + [grant]
    return tuple(kept)
