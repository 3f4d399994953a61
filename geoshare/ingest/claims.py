"""Features from claims as the record keeps them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import orjson
import shapely

from geoshare.merge import Claimed, resolve
from geoshare.merge.conform import moment_us
from geoshare.model.box import Box
from geoshare.model.collections import Collection
from geoshare.store.rows import DESK, FullClaim, NewFeature


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
    )


def stands(claims: Iterable[Claimed]) -> bool:
    """Whether claims make a feature: what was only laid over others makes none without them."""
    return any(not claim.overlay for claim in claims)


def resolved(
    collection: Collection, feature: str, claims: Sequence[Claimed], precedence: Sequence[str]
) -> NewFeature:
    """The feature version that these claims make."""
    found = resolve(claims, precedence)
    box = None
    if found.geometry is not None:
        bounds = shapely.bounds(shapely.from_wkb(found.geometry)).tolist()
        box = None if bounds[0] != bounds[0] else Box(*bounds)
    times = [moment_us(found.properties.get(name)) for name in collection.time] or [None]
    properties = orjson.dumps(found.properties, option=orjson.OPT_SORT_KEYS).decode()
    return NewFeature(feature, found.geometry, box, properties, times[0], times[-1])
