"""A request read against the views of one policy: sheets, places of the list, pages."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import shapely
from shapely.geometry.base import BaseGeometry

from geoshare.errors import BadRequest, NotFound, TooLarge
from geoshare.extracts.areas import ADMIN, asked_area
from geoshare.extracts.maps.choosing import drawn_views
from geoshare.extracts.maps.listing import list_pages
from geoshare.extracts.maps.paper import Layout, layout
from geoshare.extracts.maps.places import MOST_PLACES, SHELTERS, SITES, Place, collect
from geoshare.extracts.maps.plane import ZONE_OF_PREFECTURE, Zone, check_in_zone, nearest_zone
from geoshare.extracts.maps.request import LEAST_SCALE, MOST_SCALE, PrintRequest
from geoshare.extracts.maps.sheets import MOST_SHEETS, Split, fitted_scale, on_plane, one_sheet, split
from geoshare.model.box import Box
from geoshare.model.policy import Policy
from geoshare.query import View, Views
from geoshare.query.select import in_box

FORMAT: Final = "pdf"
LIST_TO_SCALE: Final = 250_000


@dataclass(frozen=True)
class PrintPlan:
    """Everything that is decided before anything is drawn."""

    request: PrintRequest
    policy: Policy
    views: dict[str, View]
    zone: Zone
    scale: int
    layout: Layout
    split: Split

    @cached_property
    def places(self) -> list[Place]:
        """Sites and shelters on the sheets, numbered."""
        frames = self.split.frames
        areas = [frame.box() for frame in frames]
        found = collect(self.views.get(SITES), self.views.get(SHELTERS), self.zone, frames, areas)
        if self.request.shelter_list and len(found) > MOST_PLACES:
            raise TooLarge(
                f"The list would hold more than {MOST_PLACES} places.",
                parameter="shelter_list",
                allowed="a smaller area, or false",
                message_ja="一覧に載せる避難場所が多すぎます。範囲を狭めるか、一覧を付けないでください。",
            )
        return found

    @cached_property
    def list_pages(self) -> int:
        """Pages of the list of places."""
        if not self.request.shelter_list or not ({SITES, SHELTERS} & set(self.views)):
            return 0
        return list_pages(self.request.paper, self.request.orientation, len(self.places))

    @property
    def pages(self) -> int:
        """Pages, without those that a legend takes that is too long for its sheet."""
        sheets = len(self.split.frames)
        return sheets + self.list_pages + (1 if sheets > 1 else 0)

    @cached_property
    def features(self) -> int:
        """About how many features are drawn."""
        boxes = [frame.box() for frame in self.split.frames]
        return sum(len(view.search(box)) for view in self.views.values() for box in boxes)

    def described(self) -> dict[str, Any]:
        """What a print will be, for who decides about it."""
        frames = self.split.frames
        return {
            "scale": self.scale,
            "zone": self.zone.number,
            "crs": f"EPSG:{self.zone.epsg}",
            "pages": self.pages,
            "list_pages": self.list_pages,
            "places": len(self.places) if self.list_pages else 0,
            "features": self.features,
            "collections": list(self.views),
            "sheets": [
                {
                    "number": frame.number,
                    "row": frame.row,
                    "column": frame.column,
                    "width_m": round(frame.width_m, 3),
                    "height_m": round(frame.height_m, 3),
                    "outline": frame.corners_lon_lat(),
                }
                for frame in frames
            ],
        }


def plan(request: PrintRequest, policy: Policy, views: Views) -> PrintPlan:
    """Read a request against the views.

    Raises
    ------
    NotFound
        for a collection that is hidden or does not exist.
    BadRequest
        for an area outside of Japan or of the data, more sheets than are printed, a collection that
        may not be had as PDF.
    TooLarge
        where the list would be too long.
    """
    drawn = drawn_views(policy, views, request.collections, for_format=FORMAT)
    if not drawn:
        raise NotFound("No such collection")
    paper = layout(request.paper, request.orientation)
    if request.center is not None:
        lon, lat = request.center
        zone = _zone(request, policy, views, Box(lon, lat, lon, lat), "center")
        scale = request.scale or MOST_SCALE
        found = one_sheet(zone, request.center, paper.map, scale)
    else:
        area = _area(request, policy, views)
        zone = _zone(request, policy, views, Box(*area.bounds), "bbox" if request.bbox else "area")
        metres = on_plane(zone, area)
        scale = request.scale or fitted_scale(metres, paper.map, LEAST_SCALE, MOST_SCALE)
        found = split(zone, metres, paper.map, scale, request.overlap_mm)
    if request.shelter_list and scale > LIST_TO_SCALE:
        raise BadRequest(
            "At this scale signs stand for several places, so that a list cannot number them.",
            parameter="shelter_list",
            allowed=f"false, or a scale up to {LIST_TO_SCALE}",
            message_ja="この縮尺では一覧の番号を地図に示せません。一覧なしにするか、縮尺を大きくしてください。",
        )
    made = PrintPlan(request, policy, drawn, zone, scale, paper, found)
    _check_there_is_something(made)
    return made


def _area(request: PrintRequest, policy: Policy, views: Views) -> BaseGeometry:
    area = asked_area(request.bbox, request.area, policy, views)
    if area is None or area.is_empty or not shapely.is_valid(area):
        raise BadRequest(
            "The area cannot be read.", parameter="area", allowed="a valid GeoJSON polygon in CRS84"
        )
    return area


def _zone(request: PrintRequest, policy: Policy, views: Views, box: Box, parameter: str) -> Zone:
    """The zone that is asked for, or of the prefecture in the middle, or the nearest."""
    lon, lat = (box.west + box.east) / 2, (box.south + box.north) / 2
    number = request.zone or _zone_of_prefecture(policy, views, lon, lat) or nearest_zone(lon, lat)
    grown = Box(box.west - 1e-6, box.south - 1e-6, box.east + 1e-6, box.north + 1e-6)
    check_in_zone(grown, number, "zone" if request.zone else parameter)
    return Zone(number)


def _zone_of_prefecture(policy: Policy, views: Views, lon: float, lat: float) -> int | None:
    if not policy.allows(ADMIN):
        return None
    view = views.get(policy, ADMIN)
    if not isinstance(view, View) or not view.has_column("code"):
        return None
    spot = Box(lon, lat, lon, lat)
    rows = view.search(spot, limit=20)
    for table, numbers in rows.pairs:
        chosen = in_box(table, numbers, spot)
        codes = view.materialise(type(rows)((table,), (chosen,)), ["code"], None).column("code")
        for code in codes.to_pylist():
            if code and code[:2] in ZONE_OF_PREFECTURE:
                return ZONE_OF_PREFECTURE[code[:2]]
    return None


def _check_there_is_something(made: PrintPlan) -> None:
    boxes = [frame.box() for frame in made.split.frames[:MOST_SHEETS]]
    if any(len(view.search(box, limit=1)) for view in made.views.values() for box in boxes):
        return
    given = next(name for name in ("center", "bbox", "area") if getattr(made.request, name) is not None)
    raise BadRequest(
        "There is nothing to draw in this area.",
        parameter=given,
        allowed="an area where the collections have features",
        message_ja="この範囲には表示するデータがありません。",
    )
