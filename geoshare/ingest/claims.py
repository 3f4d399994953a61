"""Features from claims as the record keeps them, and what is told of how they came to be."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

import orjson
import shapely

from geoshare.merge import Claimed, Resolved, resolve
from geoshare.merge.conform import moment_us
from geoshare.model.box import Box
from geoshare.model.collections import TOLD, Collection
from geoshare.model.foundation import Rules
from geoshare.store.rows import DESK, FullClaim, NewFeature

CLAIMS: Final = TOLD
Homes = Mapping[str, Mapping[str, str]]  # by collection: features of records that stand on another's
ALONE: Final[Homes] = {}


def claimed_from(claim: FullClaim) -> Claimed:
    """A claim of the record, as it is ranked."""
    return Claimed(
        provider=claim.provider,
        record_id=claim.record_id,
        contribution=claim.contribution,
        received_us=claim.received_us,
        geometry=claim.geometry,
        properties=orjson.loads(claim.properties),
        observed_us=claim.observed_us,
        accuracy_m=claim.accuracy_m,
        release_class=claim.release_class,
        overlay=claim.property == DESK and claim.geometry is None,
        by_hand=claim.property == DESK,
        licence=claim.licence,
    )


def stands(claims: Iterable[Claimed]) -> bool:
    """Whether claims make a feature: what was only laid over others makes none without them."""
    return any(not claim.overlay for claim in claims)


def decided(collection: Collection, claims: Sequence[Claimed], rules: Rules) -> Resolved:
    """What a feature is by these claims."""
    bound = {item.name for item in collection.properties if item.measure or item.reference}
    return resolve(claims, rules, bound)


def resolved(
    collection: Collection,
    feature: str,
    claims: Sequence[Claimed],
    rules: Rules,
    homes: Homes = ALONE,
) -> NewFeature:
    """The feature version that these claims make."""
    return feature_of(collection, feature, decided(collection, claims, rules), homes)


def feature_of(
    collection: Collection, feature: str, found: Resolved, homes: Homes = ALONE
) -> NewFeature:
    """The feature version of what was resolved."""
    box = None
    if found.geometry is not None:
        bounds = shapely.bounds(shapely.from_wkb(found.geometry)).tolist()
        box = None if bounds[0] != bounds[0] else Box(*bounds)
    times = [moment_us(found.properties.get(name)) for name in collection.time] or [None]
    said = at_home(collection, found.properties, homes)
    properties = orjson.dumps(said, option=orjson.OPT_SORT_KEYS).decode()
    return NewFeature(feature, found.geometry, box, properties, times[0], times[-1])


def at_home(collection: Collection, said: dict[str, Any], homes: Homes) -> dict[str, Any]:
    """Properties whose references lead to the features that records stand on."""
    if not homes:
        return said
    found = dict(said)
    for item in collection.properties:
        targets = [homes[name] for name in item.references if name in homes]
        if targets and item.name in found:
            found[item.name] = _led(found[item.name], ChainMap(*map(dict, targets)))
    return found


def _led(value: Any, home: Mapping[str, str]) -> Any:
    """References as they are after records have come to stand on other features."""
    if isinstance(value, str):
        return home.get(value, value)
    if isinstance(value, list):  # two of them may have become one
        return list(dict.fromkeys(home.get(one, one) for one in value))
    if isinstance(value, dict):
        return {role: _led(one, home) for role, one in value.items()}
    return value


def explanation(
    collection: str, feature: str, found: Resolved, members: Sequence[str]
) -> NewFeature | None:
    """What is told of a feature on which several providers have their say; None for any other.

    A row of the collection of claims: nothing of it is shown but what a tier grants of its columns.
    """
    claims = [ranked.claim for ranked in found.ranking]
    if len({claim.provider for claim in claims}) < 2:
        return None
    said = {
        "collection": collection,
        "ranking": [
            {
                "by_hand": claim.by_hand,
                "accuracy_m": claim.accuracy_m,
                "observed_us": claim.observed_us,
                "received_us": claim.received_us,
            }
            for claim in claims
        ],
        "chosen": {name: asdict(chosen) for name, chosen in found.chosen.items()},
        "providers": [claim.provider for claim in claims],
        "licences": [claim.licence for claim in claims],  # they may name who grants them
        "record_ids": [claim.record_id for claim in claims],
        "claimed": [claim.properties for claim in claims],
        "supersedes": sorted(set(members) - {feature}),
    }
    text = orjson.dumps(said, option=orjson.OPT_SORT_KEYS).decode()
    return NewFeature(feature, None, None, text)
