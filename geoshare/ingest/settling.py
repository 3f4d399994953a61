"""Features written anew from the claims that stand on them, and what is told of each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from geoshare.ingest.claims import (
    ALONE,
    CLAIMS,
    Homes,
    claimed_from,
    decided,
    explanation,
    feature_of,
    stands,
)
from geoshare.merge import Resolved
from geoshare.model.collections import Collection
from geoshare.model.foundation import Foundation
from geoshare.store.chunk import Chunk
from geoshare.store.rows import FullClaim, NewClaim, NewFeature

Told = dict[str, tuple[str, NewFeature] | None]  # with the contribution it goes back to


def again(claim: FullClaim, feature: str) -> NewClaim:
    """A claim as it stands, to be written once more, on this feature and with values of its own."""
    return NewClaim(
        feature,
        claim.record_id,
        claim.content_hash,
        geometry=claim.geometry,
        properties=claim.properties,
        observed_us=claim.observed_us,
        accuracy_m=claim.accuracy_m,
        confidence=claim.confidence,
        property=claim.property,
        provider=claim.provider,
        contribution=claim.contribution,
        member=claim.member,
        cell=claim.cell,
    )


class Settler:
    """Brings features up to their claims, within a change set."""

    def __init__(self, foundation: Foundation, homes: Homes = ALONE) -> None:
        self.foundation = foundation
        self.homes = homes

    def settle(self, chunk: Chunk, collection: Collection, features: Iterable[str]) -> None:
        """Write those of these features that are no longer what their claims say."""
        ids, name = sorted(set(features)), collection.name
        rules = self.foundation.of(name)
        standing = chunk.standing_features(name, ids)
        by_source: dict[str, list[NewFeature]] = {}
        told: Told = dict.fromkeys(ids)
        kept = set()
        for feature, claims in self._claims(chunk, name, ids).items():
            claimed = [claimed_from(claim) for claim in claims]
            if not stands(claimed):
                continue
            kept.add(feature)
            found = decided(collection, claimed, rules)
            row = feature_of(collection, feature, found, self.homes)
            told[feature] = _told(name, feature, found, claims)
            if standing.get(feature) != (row.geometry, row.properties):
                self._keep_values(chunk, name, claims)
                by_source.setdefault(found.ranking[0].claim.contribution, []).append(row)
        versions = chunk.feature_versions(name, ids)
        for source, rows in sorted(by_source.items()):
            chunk.put_features(name, source, rows, versions)
        gone = [version for feature, version in versions.items() if feature not in kept]
        chunk.remove_features(name, gone)
        self._tell(chunk, told)

    def explain(self, chunk: Chunk, collection: Collection, features: Iterable[str]) -> None:
        """Bring what is told of features up to date; they themselves are."""
        ids, rules = sorted(set(features)), self.foundation.of(collection.name)
        told: Told = dict.fromkeys(ids)
        for feature, claims in self._claims(chunk, collection.name, ids).items():
            claimed = [claimed_from(claim) for claim in claims]
            if stands(claimed):
                found = decided(collection, claimed, rules)
                told[feature] = _told(collection.name, feature, found, claims)
        self._tell(chunk, told)

    @staticmethod
    def _claims(chunk: Chunk, collection: str, ids: Sequence[str]) -> dict[str, list[FullClaim]]:
        found: dict[str, list[FullClaim]] = {}
        for claim in chunk.full_claims(collection, ids):
            found.setdefault(claim.feature, []).append(claim)
        return found

    @staticmethod
    def _keep_values(chunk: Chunk, collection: str, claims: Sequence[FullClaim]) -> None:
        """Give claims their own values whose feature version is about to be written once more."""
        resting = [claim for claim in claims if chunk.is_own(claim) and not claim.apart]
        for claim in resting:
            row = again(claim, claim.feature)
            chunk.put_claims(collection, claim.contribution, claim.provider, [row], [claim.version])

    @staticmethod
    def _tell(chunk: Chunk, told: Told) -> None:
        standing = chunk.standing_features(CLAIMS, list(told))
        versions = chunk.feature_versions(CLAIMS, list(standing))
        by_source: dict[str, list[NewFeature]] = {}
        for feature, said in told.items():
            if said is not None and standing.get(feature) != (None, said[1].properties):
                by_source.setdefault(said[0], []).append(said[1])
        for source, rows in sorted(by_source.items()):
            chunk.put_features(CLAIMS, source, rows, versions)
        chunk.remove_features(
            CLAIMS, [versions[feature] for feature in versions if told[feature] is None]
        )


def _told(
    collection: str, feature: str, found: Resolved, claims: Sequence[FullClaim]
) -> tuple[str, NewFeature] | None:
    members = [claim.member for claim in claims if claim.member is not None]
    row = explanation(collection, feature, found, members)
    return None if row is None else (found.ranking[0].claim.contribution, row)
