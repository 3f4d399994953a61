"""Parameters that several resources share, each parsed and documented in one place."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo

from geoshare.api.describe import Params
from geoshare.api.profiles import OF_FEATURES, OF_SCHEMAS, PROFILE, PROFILES, chosen, read, spelled
from geoshare.model import crs as systems
from geoshare.query.filters import CQL2_TEXT, CRS84, FILTER_CRS, check_crs
from geoshare.query.items import ItemsQuery
from geoshare.query.windows import Window, read_window

MAX_FILTER = 16_384  # letters, as the parser takes them
MAX_CURSOR = 4_000
BBOX_HELP = (
    "west,south,east,north in degrees, or six numbers with heights in metres: "
    "west,south,lowest,east,north,highest; in bbox-crs, where that is given, and in its axis order"
)
_SYSTEM: Final[dict[str, Any]] = {"format": "uri", "enum": list(FILTER_CRS)}
_LIST: Final[dict[str, Any]] = {"type": "array", "items": {"type": "string"}}


def _window(value: Any, info: ValidationInfo) -> Any:
    return read_window(value, info.data.get("bbox_crs", CRS84)) if isinstance(value, str) else value


def _flat(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    window = read_window(value)
    if window.heights is not None:
        raise ValueError("The box has not four numbers")
    return window


def _short(text: str | None) -> str | None:
    if text is not None and len(text) > 512:
        raise ValueError("The value is longer than 512 characters")
    return text


def _box_system(name: str) -> str:
    return systems.check_crs(name, parameter="bbox-crs")


def _system(name: str) -> str:
    return systems.check_crs(name, parameter="crs", allowed=systems.offered())


def _profile(text: str) -> str:
    read(text, OF_FEATURES)
    return text


def _schema_profile(text: str) -> str:
    read(text, OF_SCHEMAS)
    return text


def _listed(names: tuple[str, ...]) -> dict[str, Any]:
    items = {"type": "string", "enum": spelled(names)}
    return {"type": "array", "minItems": 1, "items": items}


Text = Annotated[str, AfterValidator(_short)]


class PageParams(Params):
    """Which features of a collection, and how many at a time."""

    bbox_crs: Annotated[Text, AfterValidator(_box_system)] = Field(
        CRS84,
        alias="bbox-crs",
        description=f"The reference system of bbox: one of {', '.join(FILTER_CRS)}",
        json_schema_extra=dict(_SYSTEM),
    )
    bbox: Annotated[Any, BeforeValidator(_window)] = Field(
        None,
        description=BBOX_HELP,
        json_schema_extra={
            "type": "array",
            "items": {"type": "number"},
            "oneOf": [{"minItems": 4, "maxItems": 4}, {"minItems": 6, "maxItems": 6}],
        },
    )
    limit: int = Field(
        100,
        ge=1,
        description="How many features at a time: 1 or more; above the maximum it is the maximum",
    )
    datetime: Text | None = Field(
        None, description="An RFC 3339 instant, or an interval start/end with .. for an open end"
    )
    properties: Text | None = Field(
        None,
        description="Comma-separated names of properties to return",
        json_schema_extra=dict(_LIST),
    )
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
        json_schema_extra=dict(_SYSTEM),
    )
    sortby: Text | None = Field(
        None,
        description="Comma-separated names to sort by; - before a name: descending",
        json_schema_extra={
            "type": "array",
            "minItems": 1,
            "items": {"type": "string", "pattern": r"^[+-]?[^+\-\s].*$"},
        },
    )
    external_id: Annotated[str, Field(min_length=1, max_length=200)] | None = Field(
        None,
        description="Your own id of a feature that you contributed, or the value that identifies it"
        " (a common shelter id); instead of every other choice of features",
    )
    cursor: Annotated[str, Field(max_length=MAX_CURSOR)] | None = Field(
        None, description="Where the next page starts: taken from a next link"
    )

    def query(self, most: int) -> ItemsQuery:
        """The question to a view, for at most so many features."""
        window: Window | None = self.bbox
        return ItemsQuery(
            bbox=window.box if window else None,
            area=window.area if window else None,
            heights=window.heights if window else None,
            datetime=self.datetime,
            limit=min(self.limit, most),
            cursor=self.cursor,
            properties=tuple(self.properties.split(",")) if self.properties else None,
            filter=self.filter,
            filter_lang=self.filter_lang,
            filter_crs=self.filter_crs,
            sortby=self.sortby,
        )


class ItemParams(Params):
    """How features are written."""

    crs: Annotated[Text, AfterValidator(_system)] = Field(
        CRS84,
        description=f"The reference system of coordinates, in its axis order: {', '.join(FILTER_CRS)}",
        json_schema_extra=dict(_SYSTEM),
    )
    profile: Annotated[Text, AfterValidator(_profile)] | None = Field(
        None,
        description="Comma-separated profiles: of the document (rfc7946, jsonfg or jsonfg-plus), of "
        "references to other features (rel-as-key, rel-as-uri or rel-as-link) and of coded values "
        f"(val-as-code or val-as-title), or their addresses below {PROFILE}; of each kind the first "
        "counts that the format has",
        json_schema_extra=_listed(OF_FEATURES),
    )
    language: Literal["ja", "en"] = Field(
        "ja", description="Of titles in the profile val-as-title: ja or en"
    )
    f: Literal["json", "geojson", "html"] | None = Field(None, description="json, geojson or html")
    as_of: Text | None = Field(
        None, description="As known at this RFC 3339 instant: what you were shown then"
    )

    @property
    def profiles(self) -> tuple[str, ...]:
        """The profiles that are asked for, by name."""
        return read(self.profile, OF_FEATURES)

    @property
    def chosen_profile(self) -> str:
        """The profile of the document."""
        return chosen(self.profiles, PROFILES)


PageFormat = Literal[
    "json", "geojson", "html", "csv", "geojsonseq", "fgb", "parquet", "gpkg", "arrow"
]  # one feature comes in fewer


class ItemsParams(PageParams, ItemParams):
    """Which features of a collection, how many at a time, and how they are written.

    Any other name is a queryable of the collection, whose value features must have.
    """

    TAKES_OTHERS: ClassVar[bool] = True

    f: PageFormat | None = Field(  # type: ignore[assignment]
        None, description="json, geojson, html, csv, geojsonseq, fgb, parquet, gpkg or arrow"
    )
    geometry_as: Literal["auto", "wkt", "lon_lat"] = Field(
        "auto",
        alias="geometry-as",
        description="How csv writes places: auto (points as two columns, others as WKT), wkt, or "
        "lon_lat (of a point within)",
    )
    bom: Literal["true", "false"] = Field(
        "false", description="Whether csv begins with a byte order mark, as Excel needs: true or false"
    )

    def query(self, most: int) -> ItemsQuery:
        """The question to a view, for at most so many features."""
        return replace(super().query(most), equal=self.others)


class FormatParams(Params):
    """The format of the answer."""

    f: Literal["json", "html"] | None = Field(None, description="json or html")


class SchemaParams(FormatParams):
    """How a schema is written."""

    profile: Annotated[Text, AfterValidator(_schema_profile)] | None = Field(
        None,
        description="Comma-separated profiles: of known values (codelists-ref or codelists-inline) and "
        "of what values there can be (valid-domain) or are (actual-domain), or their addresses below "
        f"{PROFILE}; of each kind the first counts",
        json_schema_extra=_listed(OF_SCHEMAS),
    )

    @property
    def profiles(self) -> tuple[str, ...]:
        """The profiles that are asked for, by name."""
        return read(self.profile, OF_SCHEMAS)


class StyleParams(Params):
    """How a style is written."""

    f: Literal["mapbox", "html"] | None = Field(None, description="mapbox or html")
    language: Literal["ja", "en"] = Field("ja", description="Of names on the map: ja or en")


class ChangesParams(Params):
    """Which changes of a collection, and how many at a time."""

    since: Text | None = Field(
        None, description="The token of an earlier answer; without it the token of now is answered"
    )
    limit: int = Field(
        1_000,
        ge=1,
        description="How many changes at a time: 1 or more; above the maximum it is the maximum",
    )
    cursor: Text | None = Field(None, description="Where the next page starts: taken from a next link")
    bbox: Annotated[Any, BeforeValidator(_flat)] = Field(
        None,
        description="Of features in a box alone: west,south,east,north in degrees",
        json_schema_extra={"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 4},
    )
    as_of: Text | None = Field(
        None,
        description="Without since: the token of this RFC 3339 instant, to ask what has changed since",
    )


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


class TimeParams(Params):
    """Of which time a vector tile is."""

    datetime: Text | None = Field(
        None, description="An RFC 3339 instant or interval; empty: whatever the time"
    )


class VectorTileParams(TimeParams):
    """How a vector tile is encoded, and of which time it is."""

    f: Literal["mvt"] = Field("mvt", description="mvt")


class DatasetParams(Params):
    """Which collections a tile set of several is made of."""

    collections: Text | None = Field(
        None,
        description="Comma-separated names or addresses, at most 32; empty: all you may know",
        json_schema_extra=dict(_LIST),
    )


class DatasetTilesParams(DatasetParams, TimeParams):
    """Which collections a tile of several is made of, and of which time."""

    f: Literal["mvt"] = Field("mvt", description="mvt")


class DrawnParams(RasterParams):
    """How vectors are drawn."""

    datetime: Text | None = Field(
        None, description="An RFC 3339 instant or interval: features of that time alone"
    )
    style: Text | None = Field(None, description="default, or the name of the one collection drawn")
    language: Literal["ja", "en"] = Field("ja", description="Of the names on the map: ja or en")


class DatasetMapParams(DrawnParams):
    """Which collections a map of several shows, and how it is drawn."""

    collections: Text | None = Field(
        None, description="Comma-separated names, at most 32; empty: those of the style"
    )
    style: Text | None = Field(
        None, description="default-map, hazard-map or the name of a collection; default-map where empty"
    )


class DatasetMapTileParams(DatasetMapParams):
    """Which collections a map tile of several shows, and how it is drawn and encoded."""

    f: Literal["png", "webp", "jpg"] = Field("png", description="png, webp or jpg")


class MapTileParams(DrawnParams):
    """How a map tile is drawn and encoded."""

    style: Text | None = Field(
        None, description="A style of the raster collection's TileJSON; of vectors: default"
    )
    f: Literal["png", "webp", "jpg"] = Field("png", description="png, webp or jpg")


class SearchParams(Params):
    """A search by name."""

    q: Annotated[str, Field(min_length=1, max_length=100)] = Field(
        ..., description="Part of a name, 1 to 100 letters"
    )
    limit: int = Field(10, ge=1, le=50, description="How many results, 1 to 50")
