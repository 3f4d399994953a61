"""A change set: what of a map came, went and changed, in words and as GeoJSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import orjson
import shapely

from geoshare.model.things import Thing

What = Literal["added", "removed", "changed"]
ASPECTS: Final = ("moved", "height", "attributes", "topology", "renamed")


@dataclass(frozen=True, slots=True)
class Height:
    """The largest difference of heights in metres; None where one of the two has none."""

    by_m: float | None


@dataclass(frozen=True, slots=True)
class Change:
    """What became of one thing.

    Parameters
    ----------
    what
        Whether it came, went or was changed.
    before, after
        The thing in both maps; None where it is not there.
    moved_m
        How far it was moved, where that is more than the accuracy.
    height
        How its height changed, where it did.
    attributes
        Values before and after, of the attributes that differ; None: there is none.
    topology
        What it is made of, before and after, where that differs: numbers of vertices, members.
    """

    what: What
    before: Thing | None
    after: Thing | None
    moved_m: float | None = None
    height: Height | None = None
    attributes: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)
    topology: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)

    @property
    def thing(self) -> Thing:
        """The thing as it is, or was last."""
        found = self.after or self.before
        if found is None:
            raise ValueError("a change of nothing")
        return found

    @property
    def renamed(self) -> bool:
        """Whether it has another id."""
        return self.before is not None and self.after is not None and self.before.id != self.after.id

    @property
    def aspects(self) -> tuple[str, ...]:
        """Which sides of a changed thing are other ones."""
        said = (self.moved_m is not None, self.height is not None, self.attributes, self.topology)
        return tuple(name for name, found in zip(ASPECTS, (*said, self.renamed), strict=True) if found)


@dataclass(frozen=True, slots=True)
class Changes:
    """All changes between two maps, and how many things stayed as they were.

    ``ids_believed`` tells whether things were matched by their ids; ``same`` are those of the second
    map that stayed as they were.
    """

    changes: Sequence[Change]
    unchanged: Mapping[str, int]
    accuracy_m: float
    ids_believed: bool = True
    same: Sequence[Thing] = ()

    def summary(self) -> dict[str, dict[str, Any]]:
        """By kind: how many came, went, were moved, and so on; and those that came and went by type."""
        found: dict[str, dict[str, Any]] = {}
        kinds = dict.fromkeys([*self.unchanged, *(change.thing.kind for change in self.changes)])
        for kind in kinds:
            mine = [change for change in self.changes if change.thing.kind == kind]
            counts: Counter[str] = Counter(change.what for change in mine)
            counts.update(aspect for change in mine for aspect in change.aspects)
            said: dict[str, Any] = {
                name: counts[name] for name in ("added", "removed", "changed", *ASPECTS)
            }
            said["unchanged"] = self.unchanged.get(kind, 0)
            types = {
                what: dict(
                    Counter(item.thing.type for item in mine if item.what == what and item.thing.type)
                )
                for what in ("added", "removed", "changed")
            }
            found[kind] = said | {"types": {what: names for what, names in types.items() if names}}
        return found


def as_geojson(found: Changes) -> dict[str, Any]:
    """A change set as a GeoJSON FeatureCollection: one feature for each change, with ``summary``.

    A feature's geometry is where the thing is, or was last. The members ``before`` and ``after`` of its
    properties hold what differs; ``was`` is the geometry before, where it has moved.
    """
    return {
        "type": "FeatureCollection",
        "accuracy_m": found.accuracy_m,
        "matched_by": "id" if found.ids_believed else "geometry",
        "summary": found.summary(),
        "features": [_feature(change) for change in found.changes],
    }


def _feature(change: Change) -> dict[str, Any]:
    thing = change.thing
    properties: dict[str, Any] = {"change": change.what, "kind": thing.kind, "id": thing.id}
    if thing.type:
        properties["type"] = thing.type
    if change.what == "changed":
        properties["aspects"] = list(change.aspects)
    if change.renamed and change.before is not None:
        properties["id_before"] = change.before.id
    if change.moved_m is not None:
        properties["moved_m"] = round(change.moved_m, 4)
    if change.height is not None:
        by_m = change.height.by_m
        properties["height_by_m"] = None if by_m is None else round(by_m, 4)
    for name in ("attributes", "topology"):
        both = getattr(change, name)
        if both:
            properties[name] = {key: {"before": old, "after": new} for key, (old, new) in both.items()}
    if change.what != "changed":
        properties["attributes"] = dict(thing.attributes)
    if change.before is not None and change.before.shape is not None and "moved" in change.aspects:
        properties["was"] = _geometry(change.before.shape)
    return {
        "type": "Feature",
        "id": f"{thing.kind}/{thing.id}",
        "geometry": _geometry(thing.shape),
        "properties": properties,
    }


def _geometry(shape: shapely.Geometry | None) -> dict[str, Any] | None:
    if shape is None:
        return None
    found: dict[str, Any] = orjson.loads(shapely.to_geojson(shape))
    return found
