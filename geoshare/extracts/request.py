"""What an extract may ask for, checked against the caller's views before any work is done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, Literal, Self

import numpy as np
import shapely
from pydantic import BaseModel, ConfigDict, Field, model_validator
from shapely.geometry.base import BaseGeometry

from geoshare.errors import BadRequest
from geoshare.extracts.archive import DEEPEST, ZOOMS
from geoshare.extracts.road_maps import COLLECTIONS, LANES
from geoshare.filter.literals import read_geometry
from geoshare.model.box import Box
from geoshare.model.policy import Policy
from geoshare.model.times import parse_interval
from geoshare.query import RasterView, View, Views
from geoshare.query.items import matching, parse_filter
from geoshare.query.select import in_area
from tiles.arrays import Rows
from tiles.geometry.convert import to_shapely

MAX_COLLECTIONS = 32
FileFormat = Literal["gpkg", "geojson", "parquet", "fgb", "pmtiles", "opendrive", "html"]
ADMIN = "admin_areas"


class ExtractRequest(BaseModel):
    """Collections, the area of them that is wanted, and the format to write."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    collections: Annotated[tuple[str, ...], Field(min_length=1, max_length=MAX_COLLECTIONS)] = Field(
        ..., description=f"1 to {MAX_COLLECTIONS} names of collections"
    )
    format: FileFormat = Field(
        "gpkg", description="gpkg, geojson, parquet, fgb, pmtiles, opendrive or html"
    )
    bbox: tuple[float, float, float, float] | None = Field(
        None, description="west, south, east, north in degrees (CRS84)"
    )
    area: dict[str, Any] | str | None = Field(
        None, description="A GeoJSON polygon (CRS84), or an administrative code"
    )
    mode: Literal["whole", "clip"] = Field(
        "whole", description="whole: features that meet the area, entire; clip: cut at its edge"
    )
    datetime: str | None = Field(None, description="An RFC 3339 instant or interval")
    filter: str | None = Field(None, description="CQL2 text, for every collection asked for")
    min_zoom: int | None = Field(
        None, ge=0, le=DEEPEST, description=f"First zoom of pmtiles, {ZOOMS[0]} if left out"
    )
    max_zoom: int | None = Field(
        None, ge=0, le=DEEPEST, description=f"Last zoom of pmtiles, {ZOOMS[1]} if left out"
    )

    @model_validator(mode="after")
    def _one_area(self) -> Self:
        if self.bbox is not None and self.area is not None:
            raise ValueError("give bbox or area, not both")
        if self.bbox is not None:
            check_box(Box(*self.bbox))
        if len(set(self.collections)) != len(self.collections):
            raise ValueError("a collection is named twice")
        return self

    @model_validator(mode="after")
    def _tiles_are_whole(self) -> Self:
        if self.zooms[0] > self.zooms[1]:
            raise ValueError("min_zoom must not be above max_zoom")
        if self.format != "pmtiles" and (self.min_zoom, self.max_zoom) != (None, None):
            raise ValueError("min_zoom and max_zoom are for the format pmtiles")
        if self.format == "html" and (self.mode, self.filter, self.datetime) != ("whole", None, None):
            raise ValueError("html is made of whole tiles: give neither mode, filter nor datetime")
        if self.format == "pmtiles":
            if self.area is not None or self.mode != "whole":
                raise ValueError("pmtiles are whole tiles: give a bbox, and neither area nor mode")
            if self.filter is not None or self.datetime is not None:
                raise ValueError("pmtiles are whole tiles: give neither filter nor datetime")
        return self

    @model_validator(mode="after")
    def _roads_are_whole(self) -> Self:
        if self.format != "opendrive":
            return self
        if LANES not in self.collections or not set(self.collections) <= set(COLLECTIONS):
            raise ValueError(
                f"opendrive is made of {LANES} and, if wanted, {', '.join(COLLECTIONS[1:])}"
            )
        if self.mode != "whole" or self.filter is not None or self.datetime is not None:
            raise ValueError("opendrive holds whole roads: give neither mode nor filter nor datetime")
        return self

    @property
    def zooms(self) -> tuple[int, int]:
        """First and last zoom of an archive of tiles."""
        first = ZOOMS[0] if self.min_zoom is None else self.min_zoom
        return first, ZOOMS[1] if self.max_zoom is None else self.max_zoom


@dataclass(frozen=True)
class Selected:
    """One collection of an extract: its view, and the rows of it that are wanted."""

    view: View
    rows: Rows
    cut: bool = False  # geometry is cut at the edge of the area


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

    def select(self, view: View) -> Selected:
        """Rows of one view that the request asks for."""
        rows = matching(view, self.box, self.request.datetime, self.request.filter)
        if self.area is not None and self.request.bbox is None:
            chosen = [numbers[in_area(table, numbers, self.area)] for table, numbers in rows.pairs]
            rows = Rows(rows.tables, tuple(chosen))
        return Selected(view, rows, self.area is not None and self.request.mode == "clip")


def plan(request: ExtractRequest, policy: Policy, views: Views) -> Plan:
    """Read a request against the views.

    Raises
    ------
    NotFound
        for a collection that is hidden or does not exist.
    BadRequest
        for a format that is not granted, an area that is none, a code that no visible area has.
    """
    opened = tuple(views.get(policy, name) for name in request.collections)
    for view in opened:
        granted = policy.formats(view.collection.name)
        if request.format not in granted:
            allowed = ", ".join(sorted(granted))
            raise BadRequest("The format is not available.", parameter="format", allowed=allowed)
        if isinstance(view, View) and request.filter is not None:
            parse_filter(view, request.filter)
    if request.datetime is not None:
        parse_interval(request.datetime)
    return Plan(request, policy, opened, asked_area(request.bbox, request.area, policy, views))


def estimate(request: ExtractRequest, policy: Policy, views: Views) -> int:
    """Count the features an extract would hold at most; raises like :func:`plan`."""
    made = plan(request, policy, views)
    total = 0
    for view in made.views:
        if isinstance(view, View):
            total += view.count if made.box is None else len(view.search(made.box))
    return total


def asked_area(
    bbox: tuple[float, float, float, float] | None,
    asked: dict[str, Any] | str | None,
    policy: Policy,
    views: Views,
) -> BaseGeometry | None:
    """Read the area a request asks for, in CRS84: a box, a GeoJSON polygon or an administrative code.

    Raises
    ------
    BadRequest
        for an area that is none, or a code that no visible area has.
    """
    if bbox is not None:
        return read_geometry({"bbox": list(bbox)})
    if isinstance(asked, str):
        return _administrative_area(asked, policy, views)
    if asked is None:
        return None
    try:
        area = read_geometry(asked)
    except ValueError as error:
        raise BadRequest(
            f"The area cannot be read: {error}.", parameter="area", allowed="a GeoJSON polygon in CRS84"
        ) from error
    if area.geom_type not in ("Polygon", "MultiPolygon"):
        raise BadRequest("The area is no polygon.", parameter="area", allowed="Polygon, MultiPolygon")
    return area


def _administrative_area(code: str, policy: Policy, views: Views) -> BaseGeometry:
    """Join the visible areas of a code, or of all codes that begin with it where none has it."""
    unknown = BadRequest(
        "There is no such administrative area.", parameter="area", allowed="a code of admin_areas"
    )
    if not policy.allows(ADMIN) or not 1 <= len(code) <= 20 or not code.isalnum():
        raise unknown
    view = views.get(policy, ADMIN)
    if not isinstance(view, View) or not view.has_column("code"):
        raise unknown
    for text in (f"code = '{code}'", f"code LIKE '{code}%'"):
        shapes = _shapes(matching(view, None, None, text))
        if shapes:
            joined: BaseGeometry = shapely.union_all(shapely.make_valid(np.array(shapes, object)))
            shapely.prepare(joined)
            return joined
    raise unknown


def _shapes(rows: Rows) -> Sequence[BaseGeometry]:
    found = [shape for table, numbers in rows.pairs for shape in to_shapely(table.geometries, numbers)]
    return [shape for shape in found if shape is not None and shapely.get_dimensions(shape) == 2]


def check_box(box: Box) -> None:
    """Raise ValueError for a box that is none on this world."""
    if not all(np.isfinite(box)) or abs(box.west) > 180 or abs(box.east) > 180:
        raise ValueError("the box lies outside the world")
    if box.south > box.north or abs(box.south) > 90 or abs(box.north) > 90:
        raise ValueError("the box lies outside the world, or its south above its north")
