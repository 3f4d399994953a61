"""Who may have what, worked out one feature and one grant at a time from the documents alone.

Written from the words of the design, slowly and without any of the product's code on access: a row is
visible if some grant allows it; a column of it only if a grant that lists it covers the whole geometry
that is given out; where no grant covers it, all fences together cut it, and only what every one of them
lists remains. Measures of features that are cut or snapped, and references to features that the same
rights do not show, are null.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import shapely
from shapely.geometry.base import BaseGeometry

from geoshare.model.collections import known
from tests.matrix.world import FORMATS, NOW_US, TIERS, USUAL, Feature

MEASURES = {"segments": {"length_m"}}
REFERENCES = {"segments": {"start_connector_id": "connectors", "end_connector_id": "connectors"}}
OBSERVED = {"events": "valid_from"}
STAFF_ONLY = "harbour_plans"
PUBLISHED = (
    "segments",
    "connectors",
    "places",
    "buildings",
    "events",
    "warnings",
    "satellite",
    STAFF_ONLY,
)
Area = BaseGeometry | None


@dataclass(frozen=True)
class Held:
    """A grant as somebody holds it: the agreement's area fences it, too."""

    said: Mapping[str, Any]
    within: Area = None

    def speaks_of(self, collection: str) -> bool:
        return self.said["collections"] == "all" or collection in self.said["collections"]

    def allows(self, action: str) -> bool:
        return action in self.said.get("actions", USUAL)

    def lists(self, column: str) -> bool:
        return self.said.get("columns", []) == "all" or column in self.said.get("columns", [])

    @property
    def fence(self) -> Area:
        own = self.said.get("area")
        fences = [shapely.from_geojson(json.dumps(own))] if own is not None else []
        fences += [self.within] if self.within is not None else []
        return shapely.intersection_all(fences) if fences else None

    @property
    def cuts(self) -> bool:
        return self.within is not None or self.said.get("area_mode", "clip") == "clip"

    @property
    def snap_m(self) -> float:
        return float(self.said.get("precision_m", 0))


@dataclass(frozen=True)
class Shown:
    """What is left of a feature: all columns of its collection that may be told, and where it lies."""

    values: dict[str, Any]
    geometry: BaseGeometry
    snap_m: float
    fence: Area  # None: it is given out whole


@dataclass(frozen=True)
class Rights:
    """All that one principal holds, and the only collections that its credential is for.

    ``scope`` are collections that a credential limits itself to: it hides the others, and changes
    nothing of what is seen in these.
    """

    tiers: tuple[tuple[str, Area], ...] = ()
    only: frozenset[str] | None = None
    scope: frozenset[str] | None = None

    def grants(self, action: str, collection: str) -> list[Held]:
        """What allows an action on a collection."""
        outside = any(names and collection not in names for names in (self.only, self.scope))
        if collection not in {*known(), STAFF_ONLY} or outside:
            return []
        held = [
            Held(said, area) for name, area in (("open", None), *self.tiers) for said in TIERS[name]
        ]
        return [grant for grant in held if grant.speaks_of(collection) and grant.allows(action)]

    def collections(self, action: str) -> set[str]:
        """Names of all that may be known, with or without data."""
        return {name for name in {*known(), STAFF_ONLY} if self.grants(action, name)}

    def status(self, action: str, collection: str, *, raster: bool = False) -> int:
        """How it is answered who asks for something that there is: 200, 403 or 404."""
        known = self.grants("discover", collection) and raster == (collection == "satellite")
        return (200 if self.grants(action, collection) else 403) if known else 404

    def columns(self, action: str, collection: str) -> list[str]:
        """Columns that some grant lists, of those that the collection has."""
        held = self.grants(action, collection)
        return [name for name in columns_of(collection) if any(grant.lists(name) for grant in held)]

    def formats(self, collection: str) -> set[str]:
        held = self.grants("download", collection)
        return {name for grant in held for name in grant.said.get("formats", FORMATS)}

    def bands(self, action: str) -> set[str]:
        said = [grant.said.get("bands", []) for grant in self.grants(action, "satellite")]
        every = {f"B{number:02d}" for number in range(1, 5)}
        return set().union(*(every if bands == "all" else set(bands) for bands in said))

    def shown(self, action: str, collection: str, world: Sequence[Feature]) -> dict[str, Shown]:
        """Every feature of a collection that is shown, by its key."""
        held, columns = self.grants(action, collection), self.columns(action, collection)
        found = {}
        for feature in world:
            if feature.collection == collection:
                shown = _shown(held, columns, feature)
                if shown is not None:
                    found[feature.key] = self._settled(action, collection, shown, world)
        return found

    def _settled(self, action: str, collection: str, shown: Shown, world: Sequence[Feature]) -> Shown:
        """Without references to what is not shown."""
        for column, target in REFERENCES.get(collection, {}).items():
            named = shown.values.get(column)
            there = [item for item in world if (item.collection, item.key) == (target, named)]
            held = replace(self, scope=None).grants(action, target)
            if not any(_shown(held, [], item) for item in there):
                shown.values.update({column: None} if column in shown.values else {})
        return shown


def columns_of(collection: str) -> list[str]:
    """Columns of the published schema."""
    about = known().get(collection)
    return ["name"] if about is None else [item.name for item in about.properties]


def _shown(held: Sequence[Held], columns: Iterable[str], feature: Feature) -> Shown | None:
    giving = [grant for grant in held if _matches(grant, feature)]
    if not giving:
        return None
    covering = [grant for grant in giving if _covers(grant, feature.geometry)]
    if covering:
        shape, fence, snap_m = feature.geometry, None, min(grant.snap_m for grant in covering)
    else:
        fence = shapely.union_all([grant.fence for grant in giving])
        shape, snap_m = shapely.intersection(feature.geometry, fence), max(g.snap_m for g in giving)
    reshaped = fence is not None or snap_m > 0
    said = {"name": feature.key, **feature.said}
    values = {}
    for name in columns:
        listing = [grant for grant in covering or giving if grant.lists(name)]
        open_to_all = bool(listing) if covering else len(listing) == len(giving)
        measured = reshaped and name in MEASURES.get(feature.collection, ())
        told = open_to_all and not measured
        values[name] = _told(said.get(name), name, listing, bool(covering)) if told else None
    return Shown(values, shape, snap_m, fence)


def _matches(grant: Held, feature: Feature) -> bool:
    said = {"name": feature.key, **feature.said}
    classes = grant.said.get("release_classes", ["open"])
    if classes != "all" and feature.release_class not in classes:
        return False
    if "rows" in grant.said and _holds(grant.said["rows"], said) is not True:
        return False
    if "delay" in grant.said and not _old_enough(grant.said["delay"], feature):
        return False
    return grant.fence is None or _meets(grant.fence, feature.geometry)


def _meets(fence: BaseGeometry, shape: BaseGeometry) -> bool:
    """Whether something of it lies within; touching from outside is nothing."""
    covered = shapely.covers(fence, shape)
    return bool(covered or (shapely.intersects(fence, shape) and not shapely.touches(fence, shape)))


def _covers(grant: Held, shape: BaseGeometry) -> bool:
    return grant.fence is None or not grant.cuts or bool(shapely.covers(grant.fence, shape))


def _old_enough(delay: str, feature: Feature) -> bool:
    moment = feature.said.get(OBSERVED[feature.collection])
    if moment is None:
        return False
    age_s = NOW_US / 1e6 - datetime.fromisoformat(moment).timestamp()
    return age_s >= int(delay.removeprefix("P").removesuffix("D")) * 86_400


def _holds(rule: Mapping[str, Any], said: Mapping[str, Any]) -> bool | None:
    """CQL2 as far as the world's rules need it: true, false or unknown."""
    left, right = said.get(rule["args"][0]["property"]), rule["args"][1]
    if left is None:
        return None
    return {"=": left == right, "<>": left != right, ">=": rule["op"] == ">=" and left >= right}[
        rule["op"]
    ]


def _told(value: Any, name: str, listing: Sequence[Held], whole: bool) -> Any:
    """What transforms leave: of grants that cover the most, of fences that cut the least."""
    changes = [grant.said.get("transforms", {}).get(name, {"kind": "keep"}) for grant in listing]
    kinds = {change["kind"] for change in changes}
    order = ("keep", "bucket", "null") if whole else ("null", "bucket", "keep")
    kind = next(item for item in order if item in kinds)
    if kind == "keep" or value is None:
        return value
    if kind == "null":
        return None
    [edges] = [change["edges"] for change in changes if change["kind"] == "bucket"]
    return max((edge for edge in edges if edge <= value), default=None)
