"""Parameters that several resources share, each parsed and documented in one place."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from geoshare.api.describe import Params
from geoshare.model.box import Box
from geoshare.query.filters import CQL2_TEXT, CRS84, FILTER_CRS, check_crs

MAX_FILTER = 16_384  # letters, as the parser takes them
BBOX_HELP = "west,south,east,north in degrees (CRS84), or six numbers with heights"


def parse_box(text: Any) -> Any:
    """A box from ``w,s,e,n`` or ``w,s,zmin,e,n,zmax``; ``w > e`` crosses the antimeridian."""
    if not isinstance(text, str):
        return text
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        raise ValueError("The box is not a list of numbers") from None
    if len(numbers) == 6:
        numbers = [numbers[0], numbers[1], numbers[3], numbers[4]]
    if len(numbers) != 4:
        raise ValueError("The box has not four (or six) numbers")
    west, south, east, north = numbers
    if not all(math.isfinite(number) for number in numbers):
        raise ValueError("The box is not finite")
    if abs(west) > 180 or abs(east) > 180 or abs(south) > 90 or abs(north) > 90:
        raise ValueError("The box lies outside the world; the order is longitude, latitude")
    if south > north:
        raise ValueError("The box has its south above its north")
    return Box(west, south, east, north)


def _short(text: str | None) -> str | None:
    if text is not None and len(text) > 512:
        raise ValueError("The value is longer than 512 characters")
    return text


BoxParam = Annotated[Box, BeforeValidator(parse_box)]
Text = Annotated[str, AfterValidator(_short)]


class ItemsParams(Params):
    """Which features of a collection, and how many at a time."""

    bbox: Annotated[Any, BeforeValidator(parse_box)] = Field(
        None, description=BBOX_HELP, json_schema_extra={"type": "string"}
    )
    limit: int = Field(
        100, ge=1, description="How many features at a time; above the maximum it is the maximum"
    )
    datetime: Text | None = Field(
        None, description="An RFC 3339 instant, or an interval start/end with .. for an open end"
    )
    properties: Text | None = Field(None, description="Comma-separated names of properties to return")
    filter: Annotated[str, Field(max_length=MAX_FILTER)] | None = Field(
        None, description="A CQL2 expression on the collection's queryables"
    )
    filter_lang: Literal["cql2-text", "cql2-json"] = Field(
        CQL2_TEXT, alias="filter-lang", description="cql2-text or cql2-json"
    )
    filter_crs: Annotated[Text, AfterValidator(check_crs)] = Field(
        CRS84,
        alias="filter-crs",
        description=f"The reference system of the filter's geometries: one of {', '.join(FILTER_CRS)}",
        json_schema_extra={"format": "uri", "enum": list(FILTER_CRS)},
    )
    cursor: Text | None = Field(None, description="Where the next page starts: taken from a next link")
    f: Text | None = Field(None, description="json")


class ChangesParams(Params):
    """Which changes of a collection, and how many at a time."""

    since: Text | None = Field(
        None, description="The token of an earlier answer; without it the token of now is answered"
    )
    limit: int = Field(
        1_000, ge=1, description="How many changes at a time; above the maximum it is the maximum"
    )
    cursor: Text | None = Field(None, description="Where the next page starts: taken from a next link")


class StreamParams(Params):
    """From where on a stream tells of changes."""

    since: Text | None = Field(
        None, description="The token of an earlier answer; a Last-Event-ID header wins over it"
    )


class RasterParams(Params):
    """How a raster is drawn."""

    datetime: Text | None = Field(
        None, description="An RFC 3339 instant or interval; empty: the latest"
    )
    style: Text | None = Field(None, description="A style of the collection's raster TileJSON")


class VectorTileParams(Params):
    """How a vector tile is encoded."""

    f: Literal["mvt"] = Field("mvt", description="mvt")


class DatasetTilesParams(VectorTileParams):
    """Which collections a tile of several is made of."""

    collections: Text | None = Field(
        None, description="Comma-separated names, at most 32; empty: all you may know"
    )


class MapTileParams(RasterParams):
    """How a map tile is drawn and encoded."""

    f: Literal["png", "webp", "jpg"] = Field("png", description="png, webp or jpg")


class SearchParams(Params):
    """A search by name."""

    q: Annotated[str, Field(min_length=1, max_length=100)] = Field(
        ..., description="Part of a name, 1 to 100 letters"
    )
    limit: int = Field(10, ge=1, le=50, description="How many results, 1 to 50")
