"""Rows of the record as values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from geoshare.model.box import Box
from geoshare.model.policy import OPEN_CLASS

DESK = "desk"  # what is said at a desk: laid over what the organisation's files say of the feature


@dataclass(frozen=True, slots=True)
class Contribution:
    """One file from one provider, as received, and how it was read."""

    id: str
    provider: str
    series: str  # files of one series replace each other
    file_name: str
    file_sha256: str
    file_bytes: int
    options: str  # JSON, canonical
    licence: str  # SPDX
    release_class: str
    received_us: int
    datum: str = "{}"  # JSON of model.batch.Datum
    report: str = "{}"  # JSON of model.report.Report
    changeset: int = 0
    sequence: int | None = None  # of its change set; None while that is open


class NewFeature(NamedTuple):
    """A feature version to be written. ``properties`` is a JSON object without nulls."""

    id: str
    geometry: bytes | None  # WKB, CRS84h
    box: Box | None
    properties: str
    valid_from_us: int | None = None
    valid_to_us: int | None = None


class NewClaim(NamedTuple):
    """What one provider says of one feature.

    ``geometry`` and ``properties`` stay None where the feature version written in the same change
    set says exactly the same, which is so wherever a feature has one provider.
    """

    feature: str
    record_id: str
    content_hash: bytes
    geometry: bytes | None = None
    properties: str | None = None
    observed_us: int | None = None
    accuracy_m: float | None = None
    confidence: float | None = None
    property: str = ""  # empty, or DESK
    provider: str = ""  # empty: the provider of the contribution
    contribution: str = ""  # empty: the contribution of the change set
    member: str | None = None  # the feature's id if nobody else claimed it
    cell: int | None = None  # where it is looked for by place


@dataclass(frozen=True, slots=True)
class StandingClaim:
    """A claim in force, with the standing of its contribution."""

    version: int
    feature: str
    changeset: int
    contribution: str
    provider: str
    record_id: str
    property: str
    content_hash: bytes
    own: bool  # written by the change set that asks


@dataclass(frozen=True, slots=True)
class FullClaim:
    """A claim with the values it stands for and all that a ranking needs."""

    version: int
    feature: str
    contribution: str
    provider: str
    record_id: str
    property: str
    content_hash: bytes
    geometry: bytes | None
    properties: str
    valid_from_us: int | None
    valid_to_us: int | None
    observed_us: int | None
    accuracy_m: float | None
    confidence: float | None
    licence: str
    release_class: str
    received_us: int
    member: str | None
    cell: int | None
    changeset: int
    apart: bool  # its values are kept with it, not in the feature version of its change set


@dataclass(frozen=True, slots=True)
class StandingRaster:
    """A raster in force, as far as it is compared with a new one."""

    version: int
    object_sha256: str
    datetime_us: int
    content: str


@dataclass(frozen=True, slots=True)
class StoredRaster:
    """A raster item of the record; the file is ``Objects.path(object_sha256)``."""

    id: str
    provider: str
    record_id: str
    contribution: str
    object_sha256: str
    object_bytes: int
    kind: str  # scene or step
    datetime_us: int
    box: Box
    content: dict[str, Any]  # footprint (WKB in hexadecimal), crs, width, height, ...
    release_class: str = OPEN_CLASS


@dataclass(frozen=True, slots=True)
class FeatureChunk:
    """Feature versions of one collection, as parallel lists.

    ``release_classes`` is empty where nothing was contributed to the collection but openly.
    """

    versions: list[int]
    ids: list[str]
    geometry: list[bytes | None]
    valid_from_us: list[int | None]
    valid_to_us: list[int | None]
    properties: list[str]
    release_classes: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True, slots=True)
class CollectionChange:
    """How much of a collection the change sets after a sequence number touched."""

    collection: str
    sequence: int  # of the newest of them
    rows: int  # added, changed and removed
