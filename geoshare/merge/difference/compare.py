"""Compares two maps, thing by thing."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from geoshare.merge.difference.changes import Change, Changes, Height
from geoshare.merge.difference.matching import Matcher, Pair
from geoshare.merge.difference.shapes import apart, structure
from geoshare.model.things import Member, Thing

ACCURACY_M: Final = 0.001
"""Within which places are the same where nobody states how accurate they are: a millimetre is more than
rounding does to coordinates of eight decimals, and less than anybody surveys."""


def compare(
    before: Iterable[Thing], after: Iterable[Thing], *, accuracy_m: float = ACCURACY_M
) -> Changes:
    """What really changed from one map to another.

    Parameters
    ----------
    before, after
        Things of both maps. Those of a kind are matched together, kinds in the order of their first
        appearance: what others are made of comes first.
    accuracy_m
        Metres by which a place, and metres by which a height may differ without being another one.

    Returns
    -------
    Changes in the order of the second map, what is gone at the end of each kind. Things are matched by
    id where most things of one id lie in one place, and by what they are made of or where they lie
    otherwise. A thing without a place of its own (a way) is not moved when its members are.

    Raises
    ------
    ValueError
        for an accuracy that is no positive number.
    """
    if not (math.isfinite(accuracy_m) and accuracy_m > 0):
        raise ValueError("accuracy_m must be a positive number")
    matcher = Matcher(accuracy_m)
    old, new = _by_kind(before), _by_kind(after)
    pairs = {
        kind: matcher.match(old.get(kind, []), new.get(kind, []))
        for kind in dict.fromkeys([*old, *new])
    }
    changes: list[Change] = []
    unchanged: dict[str, int] = {}
    same: list[Thing] = []
    for kind, matched in pairs.items():  # only now all names are known
        found = _of_kind(old.get(kind, []), new.get(kind, []), matched, matcher.renamed, accuracy_m)
        changes += found
        other = {change.thing.id for change in found if change.what == "changed"}
        stayed = [thing for _, thing in matched if thing.id not in other]
        unchanged[kind] = len(stayed)
        same += stayed
    return Changes(changes, unchanged, accuracy_m, matcher.by_id, same)


def _by_kind(things: Iterable[Thing]) -> dict[str, list[Thing]]:
    found: dict[str, list[Thing]] = {}
    for thing in things:
        found.setdefault(thing.kind, []).append(thing)
    return found


def _of_kind(
    old: list[Thing],
    new: list[Thing],
    pairs: list[Pair],
    renamed: Callable[[tuple[Member, ...]], tuple[Member, ...]],
    accuracy_m: float,
) -> list[Change]:
    former = {other.id: one for one, other in pairs}
    stayed = {one.id for one, _ in pairs}
    found = []
    for thing in new:
        one = former.get(thing.id)
        if one is None:
            found.append(Change("added", None, thing))
            continue
        change = _difference(one, thing, renamed(one.members), accuracy_m)
        if change.aspects:
            found.append(change)
    return found + [Change("removed", thing, None) for thing in old if thing.id not in stayed]


def _difference(one: Thing, other: Thing, members: tuple[Member, ...], accuracy_m: float) -> Change:
    moved_m, height, topology = None, None, _members(members, other.members)
    if one.placed and other.placed and one.shape is not None and other.shape is not None:
        said = apart(one.shape, other.shape)
        moved_m = said.across_m if said.across_m > accuracy_m else None
        if math.isnan(said.height_m):
            height = Height(None)
        elif said.height_m > accuracy_m:
            height = Height(said.height_m)
        if not said.alike:
            topology["vertices"] = (_vertices(one), _vertices(other))
    elif (one.shape is None) != (other.shape is None):
        topology["geometry"] = (one.shape is not None, other.shape is not None)
    return Change(
        "changed", one, other, moved_m, height, _attributes(one.attributes, other.attributes), topology
    )


def _vertices(thing: Thing) -> list[int]:
    return [count for _, count in structure(thing.shape)]


def _members(before: tuple[Member, ...], after: tuple[Member, ...]) -> dict[str, tuple[Any, Any]]:
    """Members of each role that differ, by role; those without one are ``members``."""
    found: dict[str, tuple[Any, Any]] = {}
    if before == after:
        return found
    for role in dict.fromkeys(member.role for member in (*before, *after)):
        old, new = ([item.id for item in side if item.role == role] for side in (before, after))
        if old != new:
            found[role or "members"] = (old, new)
    return found


def _attributes(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Values that differ; an empty text says as little as none."""
    found = {}
    for name in dict.fromkeys([*before, *after]):
        old, new = (None if side.get(name) == "" else side.get(name) for side in (before, after))
        if old != new:
            found[name] = (old, new)
    return found
