"""Policies as data: grants, the tiers that bundle them, and the policy one consumer ends up with.

A grant is a conjunction (these rows, these columns, this area, this precision); grants combine as a
disjunction. Everything is an allow-list: what no grant names does not exist for the consumer.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, Literal, Self, get_args

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue, model_validator

Action = Literal["discover", "read", "tile", "download", "contribute"]
Format = Literal["gpkg", "geojson", "parquet", "fgb"]
Role = Literal["consumer", "provider", "operator"]
Names = tuple[str, ...] | Literal["all"]

READING: tuple[Action, ...] = ("discover", "read", "tile", "download")
FORMATS: tuple[Format, ...] = get_args(Format)
EQUATOR_M = 40_075_016.685578488  # circumference of the WGS 84 equator
TILE_UNITS = 4096


class Grant(BaseModel):
    """What may be done with which part of some collections.

    ``rows`` is CQL2-JSON over the collection's own properties. ``precision_m`` snaps and simplifies
    geometry to a grid of that many metres; ``finest_zoom`` implies the size of one tile unit at that
    zoom. ``area`` is a CRS84 GeoJSON polygon, which cuts (``clip``) or chooses whole features.
    ``bands`` and ``finest_resolution_m`` speak of rasters.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    collections: Names
    actions: tuple[Action, ...] = READING
    columns: Names = ()
    rows: dict[str, JsonValue] | None = None
    area: dict[str, JsonValue] | None = None
    area_mode: Literal["clip", "whole"] = "clip"
    precision_m: float | None = Field(None, gt=0, le=100_000)
    finest_zoom: int | None = Field(None, ge=0, le=22)
    bands: Names = ()
    finest_resolution_m: float | None = Field(None, gt=0, le=1_000_000)
    formats: tuple[Format, ...] = FORMATS
    licence: str | None = Field(None, max_length=200)  # SPDX; None: the agreement itself
    valid_from: AwareDatetime | None = None
    valid_until: AwareDatetime | None = None

    @model_validator(mode="after")
    def _dates_in_order(self) -> Self:
        if self.valid_from and self.valid_until and self.valid_from >= self.valid_until:
            raise ValueError("valid_from must be before valid_until")
        return self

    def covers(self, collection: str) -> bool:
        """Whether the grant speaks of that collection."""
        return self.collections == "all" or collection in self.collections

    def in_force(self, now: datetime) -> bool:
        """Whether the grant counts at that moment; ``valid_until`` itself is past."""
        return (self.valid_from is None or self.valid_from <= now) and (
            self.valid_until is None or now < self.valid_until
        )

    @property
    def snap_m(self) -> float:
        """Metres to which geometry is coarsened; 0 where it is exact."""
        by_zoom = 0.0
        if self.finest_zoom is not None:
            by_zoom = EQUATOR_M / (2**self.finest_zoom * TILE_UNITS)
        return max(self.precision_m or 0.0, by_zoom)

    def data(self) -> dict[str, Any]:
        """Return the part that decides what a view holds, in one canonical form for one collection."""
        return {
            "area": self.area,
            "area_mode": self.area_mode if self.area is not None else None,
            "bands": _canonical_names(self.bands),
            "columns": _canonical_names(self.columns),
            "finest_resolution_m": self.finest_resolution_m,
            "rows": self.rows,
            "snap_m": self.snap_m,
        }


class Tier(BaseModel):
    """A named, reusable bundle of grants.

    ``withheld`` names collections that the tier deliberately does not hold, and ``as_open`` those of
    which it holds what the open tier holds, so that a reader of the file sees every one decided.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str
    title_ja: str
    description: str = ""
    role: Role = "consumer"
    requests_per_minute: int | None = Field(None, ge=1, le=1_000_000)
    licence: str | None = Field(None, max_length=200)  # of grants that state none
    withheld: tuple[str, ...] = ()
    as_open: tuple[str, ...] = ()
    grants: tuple[Grant, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _pass_licence_on(cls, said: Any) -> Any:
        if not isinstance(said, dict) or said.get("licence") is None:
            return said
        grants = said.get("grants")
        if not isinstance(grants, list | tuple) or not all(isinstance(item, dict) for item in grants):
            return said
        return said | {"grants": [{"licence": said["licence"], **grant} for grant in grants]}

    @model_validator(mode="after")
    def _all_is_for_operators(self) -> Self:
        for grant in self.grants:
            reads = set(grant.actions) & set(READING)
            if self.role != "operator" and reads and "all" in (grant.collections, grant.columns):
                raise ValueError('"all" to read is for tiers with role "operator" alone')
        return self

    @model_validator(mode="after")
    def _withheld_is_withheld(self) -> Self:
        for name in self.withheld:
            if any(grant.covers(name) and set(grant.actions) & set(READING) for grant in self.grants):
                raise ValueError(f"{name} is both granted and withheld")
        return self


@dataclass(frozen=True)
class Policy:
    """The grants one consumer holds for one action. Policies with one hash share their views."""

    grants: tuple[Grant, ...]

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


def canonical_json(value: object) -> bytes:
    """UTF-8 JSON with sorted keys, no blanks, and whole numbers written without a fraction."""
    plain = json.loads(json.dumps(value), parse_float=_shortest)
    return json.dumps(
        plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    ).encode()


def _shortest(text: str) -> int | float:
    number = float(text)
    return int(number) if number.is_integer() and abs(number) < 2**53 else number


def _canonical_names(names: Names) -> list[str] | str:
    return "all" if names == "all" else sorted(set(names))


def _undominated(grants: Iterable[Grant]) -> tuple[Grant, ...]:
    """Grants without those that another grant contains, so that equal rights have one form."""
    kept: list[Grant] = []
    for grant in grants:
        if any(_dominates(other, grant) for other in kept):
            continue
        kept = [other for other in kept if not _dominates(grant, other)] + [grant]
    return tuple(kept)


def _dominates(strong: Grant, weak: Grant) -> bool:
    """Whether the first grant gives all that the second gives."""
    rows = strong.rows is None or strong.rows == weak.rows
    area = strong.area is None or (strong.area == weak.area and strong.area_mode == weak.area_mode)
    precise = strong.snap_m <= weak.snap_m
    resolution = (strong.finest_resolution_m or 0.0) <= (weak.finest_resolution_m or 0.0)
    return (
        rows
        and area
        and precise
        and resolution
        and _contains(strong.columns, weak.columns)
        and _contains(strong.bands, weak.bands)
    )


def _contains(outer: Names, inner: Names) -> bool:
    if outer == "all":
        return True
    return inner != "all" and set(inner) <= set(outer)
