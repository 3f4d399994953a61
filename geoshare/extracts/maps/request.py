"""What a print may ask for."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, model_validator

from geoshare.errors import BadRequest
from geoshare.extracts.areas import check_box
from geoshare.extracts.request import MAX_COLLECTIONS
from geoshare.model.box import Box

LEAST_SCALE, MOST_SCALE = 250, 2_000_000
MAX_TITLE, MAX_NOTE, MAX_LINK = 100, 300, 400
Hazard = Literal[
    "flood",
    "landslide",
    "storm_surge",
    "earthquake",
    "tsunami",
    "great_fire",
    "inland_flood",
    "eruption",
]
Degrees = Annotated[float, Field(ge=-180, le=180)]
SCHEMES: Final = ("http", "https")
_ONE: Final = "one of center, bbox and area"
_SCALE: Final = f"{LEAST_SCALE} to {MOST_SCALE}"
_ONCE: Final = "each collection once"
_LINK: Final = "an http or https address in ASCII"


class PrintRequest(BaseModel):
    """A map on paper: which area, at which scale, on which sheets, with what on it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    paper: Literal["A4", "A3"] = Field("A4", description="A4 or A3")
    orientation: Literal["portrait", "landscape"] = Field(
        "landscape", description="portrait or landscape"
    )
    scale: int | None = Field(
        None,
        ge=LEAST_SCALE,
        le=MOST_SCALE,
        description=f"Metres of ground on a metre of paper, {LEAST_SCALE} to {MOST_SCALE}"
        " (10000: 1:10,000); left out: one sheet shows the whole area",
    )
    center: tuple[Degrees, Degrees] | None = Field(
        None, description="Longitude and latitude of the middle of one sheet, which needs a scale"
    )
    bbox: tuple[float, float, float, float] | None = Field(
        None, description="west, south, east, north in degrees (CRS84), on as many sheets as it takes"
    )
    area: dict[str, Any] | Annotated[str, Field(max_length=20)] | None = Field(
        None, description="A GeoJSON polygon (CRS84), or an administrative code"
    )
    zone: int | None = Field(
        None,
        ge=1,
        le=19,
        description="Zone of the Japan Plane Rectangular CS, 1 to 19; left out: that of the area",
    )
    overlap_mm: int = Field(
        10, ge=0, le=40, description="What neighbouring sheets share, 0 to 40 millimetres"
    )
    collections: Annotated[tuple[str, ...], Field(min_length=1, max_length=MAX_COLLECTIONS)] | None = (
        Field(None, description=f"1 to {MAX_COLLECTIONS} names; left out: what the map shows at first")
    )
    hazards: Annotated[tuple[Hazard, ...], Field(max_length=8)] | None = Field(
        None, description="Kinds of hazard that are shown of hazard_zones; left out: all"
    )
    shelter_list: bool = Field(True, description="Whether a list of sites and shelters follows")
    title: str = Field("", max_length=MAX_TITLE, description=f"At most {MAX_TITLE} characters")
    note: str = Field("", max_length=MAX_NOTE, description=f"At most {MAX_NOTE} characters")
    link: str | None = Field(
        None,
        max_length=MAX_LINK,
        description=f"Address (http, https) of the QR code, at most {MAX_LINK} characters; left out:"
        " this place on the map",
    )
    language: Literal["ja", "en"] = Field("ja", description="ja or en")

    @model_validator(mode="after")
    def _one_area(self) -> Self:
        given = [name for name in ("center", "bbox", "area") if getattr(self, name) is not None]
        if len(given) != 1:
            raise _fault(given[1] if given else "bbox", "Say one place", "場所を一つ指定", _ONE)
        if self.center is not None and self.scale is None:
            raise _fault("scale", "A sheet around a center needs a scale", "縮尺が必要です", _SCALE)
        if self.bbox is not None:
            box = Box(*self.bbox)
            check_box(box)
            if not (box.west < box.east and box.south < box.north):
                raise _fault("bbox", "The box is empty", "範囲が空です", "west < east, south < north")
        if self.collections is not None and len(set(self.collections)) != len(self.collections):
            raise _fault("collections", "A collection is named twice", "同じ名前の重複", _ONCE)
        return self

    @model_validator(mode="after")
    def _link_leads_somewhere(self) -> Self:
        if self.link is not None:
            parts = urlsplit(self.link)
            plain = self.link.isascii() and self.link.isprintable() and " " not in self.link
            if parts.scheme not in SCHEMES or not parts.netloc or not plain:
                raise _fault("link", "The link leads nowhere", "リンク先が正しくありません", _LINK)
        return self


def _fault(parameter: str, said: str, said_ja: str, allowed: str) -> BadRequest:
    return BadRequest(f"{said}.", parameter=parameter, allowed=allowed, message_ja=f"{said_ja}。")
