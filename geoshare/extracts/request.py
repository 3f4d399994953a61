"""What an extract may ask for, checked against the caller's views before any work is done."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, Final, Literal, Self

import numpy as np
import orjson
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator
from shapely.geometry.base import BaseGeometry

from geoshare.errors import BadRequest
from geoshare.extracts.archive import DEEPEST, ZOOMS
from geoshare.extracts.areas import MAX_MESHES, MESH_HELP, asked_area, mesh_area
from geoshare.extracts.checks import check
from geoshare.extracts.projection import CRS_HELP, Projection, projection
from geoshare.filter import CQL2_JSON, CQL2_TEXT, Expression
from geoshare.model.box import Box
from geoshare.model.policy import Policy
from geoshare.model.times import parse_interval
from geoshare.query import RasterView, View, Views
from geoshare.query.items import matching, parse_filter
from geoshare.query.select import in_area
from tiles.arrays import FeatureTable, Rows

MAX_COLLECTIONS = 32
_ROWS: Final = 5_000  # whose shapes are in memory at a time
FileFormat = Literal[
    "gpkg", "geojson", "geojsonseq", "parquet", "fgb", "arrow", "csv", "xlsx", "shp", "dxf",
    "pmtiles", "opendrive", "lanelet2", "autoware", "html",
]  # fmt: skip
Names = Annotated[tuple[str, ...], Field(min_length=1, max_length=1_000)]
Projector = Literal["MGRS", "TransverseMercator"]


class ExtractRequest(BaseModel):
    """Collections, the area of them that is wanted, and the format to write."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    collections: Annotated[tuple[str, ...], Field(min_length=1, max_length=MAX_COLLECTIONS)] = Field(
        ..., description=f"1 to {MAX_COLLECTIONS} names of collections"
    )
    format: FileFormat = Field(
        "gpkg",
        description="gpkg, geojson, geojsonseq, parquet, fgb, arrow, csv, xlsx, shp, dxf, pmtiles, "
        "opendrive, lanelet2, autoware or html; rasters come as COG beside it",
    )
    bbox: tuple[float, float, float, float] | None = Field(
        None, description="west, south, east, north in degrees (CRS84)"
    )
    area: dict[str, Any] | str | None = Field(
        None,
        description="A GeoJSON polygon (CRS84), or the code or the name of an administrative area "
        "(市区町村, 町丁目)",
    )
    mesh: Annotated[tuple[str, ...], Field(min_length=1, max_length=MAX_MESHES)] | None = Field(
        None, description=f"At most {MAX_MESHES} {MESH_HELP}"
    )
    mode: Literal["whole", "clip"] = Field(
        "whole", description="whole: features that meet the area, entire; clip: cut at its edge"
    )
    crs: str | None = Field(None, max_length=100, description=CRS_HELP)
    columns: Names | dict[str, Names] | None = Field(
        None, description="Names of properties, for all collections or by collection; all if left out"
    )
    datetime: str | None = Field(None, description="An RFC 3339 instant or interval")
    filter: str | dict[str, Any] | None = Field(
        None,
        description="CQL2 for every collection asked for, or by collection: a text in filter-lang, or "
        "an object of CQL2 JSON",
    )
    filter_lang: Literal["cql2-text", "cql2-json"] = Field(
        CQL2_TEXT,
        alias="filter-lang",
        description="Language of filters that are texts: cql2-text or cql2-json",
    )
    geometry_as: Literal["auto", "wkt", "lon_lat"] = Field(
        "auto",
        description="How csv and xlsx write places: auto (points as two columns, others as WKT), "
        "wkt, or lon_lat (of a point within)",
    )
    headings: Literal["auto", "names", "ja"] = Field(
        "auto", description="Headings of csv and xlsx: names, ja, or auto (csv: names, xlsx: ja)"
    )
    bom: bool = Field(True, description="Whether a csv begins with a byte order mark, as Excel needs")
    notify: str | None = Field(
        None,
        max_length=64,
        description="Who is told when it is ready: a webhook of yours by its id, or email",
    )
    grids_as: Literal["auto", "cog", "netcdf", "csv"] = Field(
        "auto",
        description="How grids over time (weather) come: netcdf (all steps in one file), csv (a row of "
        "each cell and step), cog (a GeoTIFF of each step); auto: csv beside csv and xlsx, else netcdf",
    )
    min_zoom: int | None = Field(
        None, ge=0, le=DEEPEST, description=f"First zoom of pmtiles, {ZOOMS[0]} if left out"
    )
    max_zoom: int | None = Field(
        None, ge=0, le=DEEPEST, description=f"Last zoom of pmtiles, {ZOOMS[1]} if left out"
    )

    projector: Projector | None = Field(
        None,
        description="What local_x and local_y of lanelet2 and autoware count in: MGRS (which the area"
        " must lie in one square of) or TransverseMercator; MGRS where possible if left out",
    )

    @model_validator(mode="after")
    def _members_go_together(self) -> Self:
        check(self)
        return self

    @property
    def zooms(self) -> tuple[int, int]:
        """First and last zoom of an archive of tiles."""
        first = ZOOMS[0] if self.min_zoom is None else self.min_zoom
        return first, ZOOMS[1] if self.max_zoom is None else self.max_zoom

    @property
    def grid_form(self) -> Literal["cog", "netcdf", "csv"]:
        """How grids over time are written."""
        if self.grids_as != "auto":
            return self.grids_as
        return "csv" if self.format in ("csv", "xlsx") else "netcdf"

    @property
    def projection(self) -> Projection:
        """The reference system of what is written."""
        return projection(self.crs)

    @property
    def is_filtered_by_name(self) -> bool:
        """Whether there is a filter for each collection by its name; else one holds for all."""
        return isinstance(self.filter, dict) and not {"op", "args"} <= self.filter.keys()

    def filter_on(self, view: View, collection: str) -> Expression | None:
        """The filter that holds for one collection, read over what is visible of it.

        Raises
        ------
        BadRequest
            naming ``filter``, for one that cannot be read or does not fit.
        """
        said: Any = self.filter
        if isinstance(said, dict) and self.is_filtered_by_name:
            said = said.get(collection)
        if said is None:
            return None
        if isinstance(said, str):
            return parse_filter(view, said, self.filter_lang)
        return parse_filter(view, orjson.dumps(said).decode(), CQL2_JSON)

    def columns_of(self, collection: str) -> tuple[str, ...] | None:
        """The properties that are wanted of one collection; None: all."""
        return self.columns.get(collection) if isinstance(self.columns, dict) else self.columns


@dataclass(frozen=True)
class Selected:
    """One collection of an extract: its view, the rows and the properties of it that are wanted."""

    view: View
    rows: Rows
    cut: bool = False  # geometry is cut at the edge of the area
    columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plan:
    """A request read against the views of one policy."""

    request: ExtractRequest
    policy: Policy
    views: tuple[View | RasterView, ...]
    area: BaseGeometry | None

    @cached_property
    def box(self) -> Box | None:
        """Box of the area in degrees."""
        if self.request.bbox is not None:
            return Box(*self.request.bbox)
        return None if self.area is None else Box(*self.area.bounds)

    @property
    def cutting(self) -> BaseGeometry | None:
        """The area that what is written is cut at, where it is cut."""
        return self.area if self.request.mode == "clip" else None

    def select(self, view: View) -> Selected:
        """Rows of one view that the request asks for."""
        name = view.collection.name
        rows = matching(view, self.box, self.request.datetime, self.request.filter_on(view, name))
        if self.area is not None and self.request.bbox is None:
            chosen = [_meeting(table, numbers, self.area) for table, numbers in rows.pairs]
            rows = Rows(rows.tables, tuple(chosen))
        cut = self.cutting is not None
        wanted = self.request.columns_of(name)
        kept = [name for name in view.fields if wanted is None or name in wanted]
        return Selected(view, rows, cut, tuple(kept))


def plan(request: ExtractRequest, policy: Policy, views: Views) -> Plan:
    """Read a request against the views.

    Raises
    ------
    NotFound
        for a collection that is hidden or does not exist.
    BadRequest
        for a format that is not granted, an area that is none, a code that no visible area has, a
        property that is not visible.
    """
    opened = tuple(views.get(policy, name) for name in request.collections)
    for view in opened:
        granted = policy.formats(view.collection.name)
        if request.format not in granted:
            allowed = ", ".join(sorted(granted))
            raise BadRequest("The format is not available.", parameter="format", allowed=allowed)
        if isinstance(view, View):
            request.filter_on(view, view.collection.name)
    _check_columns(request, opened)
    if request.datetime is not None:
        parse_interval(request.datetime)
    area = mesh_area(request.mesh) if request.mesh is not None else None
    if area is None:
        area = asked_area(request.bbox, request.area, policy, views)
    return Plan(request, policy, opened, area)


def _check_columns(request: ExtractRequest, opened: tuple[View | RasterView, ...]) -> None:
    """Raise BadRequest for a property that no collection has it is asked of."""
    vectors = [view for view in opened if isinstance(view, View)]
    if isinstance(request.columns, tuple):
        asked = [(request.columns, vectors)]
    else:
        said = request.columns or {}
        asked = [(said.get(view.collection.name, ()), [view]) for view in vectors]
    for names, views in asked:
        known = dict.fromkeys(["id", *(name for view in views for name in view.fields)])
        if not set(names) <= set(known):
            allowed = ", ".join(known)
            raise BadRequest("There is no such property.", parameter="columns", allowed=allowed)


def _meeting(table: FeatureTable, numbers: NDArray[np.int32], area: BaseGeometry) -> NDArray[np.int32]:
    """Those of the rows that meet an area; some thousand shapes at a time are in memory."""
    parts = [numbers[first : first + _ROWS] for first in range(0, len(numbers), _ROWS)]
    kept = [part[in_area(table, part, area)] for part in parts]
    return np.concatenate(kept) if kept else numbers
