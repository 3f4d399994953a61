"""One grant: what may be done with which part of some collections."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    PrivateAttr,
    model_validator,
)

from geoshare.model.policy.release import OPEN_CLASS, Classes
from geoshare.model.policy.transforms import KEEP, NULL, Transform

Action = Literal[
    "discover",
    "read",
    "tile",
    "download",
    "stream",
    "aggregate",
    "route",
    "process",
    "explain",
    "contribute",
]
Format = Literal[
    "gpkg", "geojson", "geojsonseq", "parquet", "fgb", "arrow", "csv", "xlsx", "shp", "dxf",
    "pmtiles", "opendrive", "lanelet2", "autoware", "pdf", "html",
]  # fmt: skip
Names = tuple[str, ...] | Literal["all"]
AreaCode = Annotated[str, Field(pattern=r"^[0-9A-Za-z_-]{1,32}$")]

ACTIONS: tuple[Action, ...] = get_args(Action)
READING: tuple[Action, ...] = tuple(action for action in ACTIONS if action != "contribute")
"""Actions by which data leave: each has a policy, and views."""
USUAL: tuple[Action, ...] = ("discover", "read", "tile", "download")
"""What a grant that names no actions allows."""
FORMATS: tuple[Format, ...] = get_args(Format)
EQUATOR_M = 40_075_016.685578488  # circumference of the WGS 84 equator
TILE_UNITS = 4096
MAX_NAMES = 1_000
LONGEST = timedelta(days=36_525)
_US = timedelta(microseconds=1)


class Rated(BaseModel):
    """Rates and quotas of one credential; None: not limited here."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    requests_per_minute: int | None = Field(None, ge=1, le=1_000_000)
    cost_per_minute: int | None = Field(None, ge=1, le=1_000_000_000)
    requests_per_month: int | None = Field(None, ge=1, le=1_000_000_000_000)
    cost_per_month: int | None = Field(None, ge=1, le=1_000_000_000_000_000)


RATES = tuple(Rated.model_fields)


class Duty(BaseModel):
    """What a consumer owes in return.

    ``attribute`` with a text; ``delete`` within a time after the term; ``report`` every so often;
    ``inform`` the operator of incidents; ``no-merge`` with other sources; ``mark``: copies carry marks.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["attribute", "delete", "report", "inform", "no-merge", "mark"]
    text: str = Field("", max_length=500)
    text_ja: str = Field("", max_length=500)
    within: timedelta | None = Field(None, gt=timedelta(0), le=LONGEST)
    every: Literal["month", "quarter", "year"] | None = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        needed = {"attribute": "text", "delete": "within", "report": "every"}.get(self.kind)
        if needed is not None and not getattr(self, needed):
            raise ValueError(f"a duty to {self.kind} needs {needed}")
        return self


class Grant(Rated):
    """What may be done with which part of some collections.

    ``columns`` is an allow-list; ``transforms`` says what is left of the values of some of them.
    ``rows`` is CQL2-JSON over the collection's own properties. ``precision_m`` snaps and simplifies
    geometry to a grid of that many metres; ``finest_zoom`` implies the size of one tile unit at that
    zoom. ``area`` is a CRS84 GeoJSON polygon or an administrative code, which cuts (``clip``) or
    chooses whole features (``whole``). ``bands`` and ``finest_resolution_m`` speak of rasters.
    ``delay`` and ``window`` are rules on the time of observation: how old a row must be at least,
    and may be at most. ``release_classes`` are those of which it shows what was contributed.
    """

    collections: Names
    actions: tuple[Action, ...] = USUAL
    columns: Names = ()
    transforms: Mapping[str, Transform] = Field(default_factory=dict)
    rows: dict[str, JsonValue] | None = None
    area: dict[str, JsonValue] | AreaCode | None = None
    area_mode: Literal["clip", "whole"] = "clip"
    precision_m: float | None = Field(None, gt=0, le=100_000)
    finest_zoom: int | None = Field(None, ge=0, le=22)
    bands: Names = ()
    finest_resolution_m: float | None = Field(None, gt=0, le=1_000_000)
    delay: timedelta | None = Field(None, gt=timedelta(0), le=LONGEST)
    window: timedelta | None = Field(None, gt=timedelta(0), le=LONGEST)
    release_classes: Classes = Field((OPEN_CLASS,), min_length=1)
    formats: tuple[Format, ...] = FORMATS
    licence: str | None = Field(None, max_length=200)  # SPDX; None: the agreement itself
    duties: tuple[Duty, ...] = ()
    valid_from: AwareDatetime | None = None
    valid_until: AwareDatetime | None = None

    _agreement: str = PrivateAttr("")

    @model_validator(mode="after")
    def _dates_in_order(self) -> Self:
        if self.valid_from and self.valid_until and self.valid_from >= self.valid_until:
            raise ValueError("valid_from must be before valid_until")
        if self.delay and self.window and self.delay >= self.window:
            raise ValueError("delay must be shorter than window, or nothing is ever shown")
        return self

    @model_validator(mode="after")
    def _transforms_of_columns(self) -> Self:
        for name in self.transforms:
            if self.columns != "all" and name not in self.columns:
                raise ValueError(f"transforms speaks of {name!r}, which columns does not list")
        return self

    def bound(self, agreement: str) -> Self:
        """The grant as one agreement holds it: keyed hashes take that agreement's secret."""
        found = self.model_copy()
        found._agreement = agreement
        return found

    def for_collections(self, names: tuple[str, ...]) -> Self:
        """The grant on these collections alone, held by the same agreement."""
        return self.model_copy(update={"collections": names})

    @property
    def agreement(self) -> str:
        """The agreement it is held by; empty for a grant of a tier that nobody holds yet."""
        return self._agreement

    def covers(self, collection: str) -> bool:
        """Whether the grant speaks of that collection."""
        return self.collections == "all" or collection in self.collections

    def in_force(self, now: datetime) -> bool:
        """Whether the grant counts at that moment; ``valid_until`` itself is past."""
        return (self.valid_from is None or self.valid_from <= now) and (
            self.valid_until is None or now < self.valid_until
        )

    def lists(self, column: str) -> bool:
        """Whether the column is on the allow-list."""
        return self.columns == "all" or column in self.columns

    def transform(self, column: str) -> Transform:
        """What is left of the values of a column; nothing of one that is not listed."""
        return self.transforms.get(column, KEEP) if self.lists(column) else NULL

    @property
    def snap_m(self) -> float:
        """Metres to which geometry is coarsened; 0 where it is exact."""
        by_zoom = 0.0
        if self.finest_zoom is not None:
            by_zoom = EQUATOR_M / (2**self.finest_zoom * TILE_UNITS)
        return max(self.precision_m or 0.0, by_zoom)

    @property
    def delay_us(self) -> int:
        """Microseconds that a row must be old at least."""
        return (self.delay or timedelta(0)) // _US

    @property
    def window_us(self) -> int | None:
        """Microseconds that a row may be old at most; None: any age."""
        return None if self.window is None else self.window // _US

    @property
    def hashes(self) -> bool:
        """Whether some column is hashed, so that what is shown depends on the agreement."""
        return any(transform.kind == "hash" for transform in self.transforms.values())

    def releases(self, name: str) -> bool:
        """Whether the grant shows what was contributed under a release class."""
        return self.release_classes == "all" or name in self.release_classes

    def data(self) -> dict[str, Any]:
        """Return the part that decides what a view holds, in one canonical form for one collection."""
        found: dict[str, Any] = {
            "area": self.area,
            "area_mode": self.area_mode if self.area is not None else None,
            "bands": canonical_names(self.bands),
            "columns": canonical_names(self.columns),
            "finest_resolution_m": self.finest_resolution_m,
            "rows": self.rows,
            "snap_m": self.snap_m,
        }
        changed = {
            name: transform.model_dump(mode="json")
            for name, transform in self.transforms.items()
            if transform.kind != "keep"
        }
        if changed:
            found["transforms"] = changed
        if self.hashes:
            found["agreement"] = self.agreement
        if self.delay_us or self.window_us is not None:
            found["delay_us"], found["window_us"] = self.delay_us, self.window_us
        classes = canonical_names(self.release_classes)
        if classes != [OPEN_CLASS]:
            found["release_classes"] = classes
        return found


def canonical_names(names: Names) -> list[str] | str:
    """Names in order, each once."""
    return "all" if names == "all" else sorted(set(names))


def dominates(strong: Grant, weak: Grant) -> bool:
    """Whether the first grant gives all that the second gives."""
    rows = strong.rows is None or strong.rows == weak.rows
    area = strong.area is None or (strong.area == weak.area and strong.area_mode == weak.area_mode)
    precise = strong.snap_m <= weak.snap_m
    resolution = (strong.finest_resolution_m or 0.0) <= (weak.finest_resolution_m or 0.0)
    early = strong.delay_us <= weak.delay_us
    long = strong.window_us is None or (
        weak.window_us is not None and weak.window_us <= strong.window_us
    )
    return (
        rows
        and area
        and precise
        and resolution
        and early
        and long
        and _contains(strong.columns, weak.columns)
        and _contains(strong.bands, weak.bands)
        and _contains(strong.release_classes, weak.release_classes)
        and _tells(strong, weak)
    )


def _tells(strong: Grant, weak: Grant) -> bool:
    """Whether the values of the first give those of the second, column by column."""
    if strong.hashes or weak.hashes:
        return strong.transforms == weak.transforms and strong.agreement == weak.agreement
    changed = {*strong.transforms, *weak.transforms}
    return all(
        strong.transform(name).kind == "keep" or strong.transform(name) == weak.transform(name)
        for name in changed
        if weak.lists(name)
    )


def _contains(outer: Names, inner: Names) -> bool:
    if outer == "all":
        return True
    return inner != "all" and set(inner) <= set(outer)
