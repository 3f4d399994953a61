"""What processes are asked, as models that parse and document."""

from __future__ import annotations

import math
from typing import Annotated, Any, Final, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from geoshare.derive.hazards import HazardType

MAX_CODES: Final = 100
MAX_MESHES: Final = 2_000
MAX_DRAWN: Final = 5_000  # vertices
Code = Annotated[str, Field(pattern=r"^[0-9A-Za-z]{1,20}$")]
Mesh = Annotated[str, Field(pattern=r"^[0-9]{4,11}$")]
Id = Annotated[str, Field(min_length=1, max_length=200)]


class Inputs(BaseModel):
    """Base of all inputs: what is not named here is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class AreaInputs(Inputs):
    """An area, said in one of four ways, and the hazard whose classes divide it."""

    area: dict[str, Any] | None = Field(
        None, description=f"A GeoJSON Polygon or MultiPolygon (CRS84), at most {MAX_DRAWN} vertices"
    )
    codes: Annotated[tuple[Code, ...], Field(min_length=1, max_length=MAX_CODES)] | None = Field(
        None, description=f"1 to {MAX_CODES} codes of admin_areas: municipalities or town blocks"
    )
    meshes: Annotated[tuple[Mesh, ...], Field(min_length=1, max_length=MAX_MESHES)] | None = Field(
        None, description=f"1 to {MAX_MESHES} codes of the Japanese standard mesh (JIS X 0410)"
    )
    evacuation_area: Id | None = Field(None, description="The id of a feature of evacuation_areas")
    hazard_type: HazardType = Field(..., description="The hazard whose zones divide the area")
    scenario: Annotated[str, Field(min_length=1, max_length=60)] | None = Field(
        None, description="A scenario of the hazard, such as L1 or L2; left out: the worst of all"
    )

    @model_validator(mode="after")
    def _one_area(self) -> Self:
        said = (self.area, self.codes, self.meshes, self.evacuation_area)
        if sum(item is not None for item in said) != 1:
            raise ValueError("give one of area, codes, meshes and evacuation_area")
        return self


class DifferenceInputs(Inputs):
    """A collection, a box of it, and two times at which it is compared."""

    collection: Id = Field(..., description="The name of a collection of features")
    bbox: tuple[float, float, float, float] = Field(
        ..., description="west, south, east, north in degrees (CRS84)"
    )
    since: Annotated[str, Field(max_length=100)] = Field(
        ..., description="An RFC 3339 instant: the collection as it was known then"
    )
    until: Annotated[str, Field(max_length=100)] | None = Field(
        None, description="An RFC 3339 instant: the collection as it was known then; left out: now"
    )
    accuracy_m: float = Field(
        0.001,
        gt=0,
        le=1_000,
        description="Metres within which a place or a height is the same: above 0, at most 1000",
    )

    @field_validator("bbox")
    @classmethod
    def _on_this_world(
        cls, sides: tuple[float, float, float, float]
    ) -> tuple[float, float, float, float]:
        west, south, east, north = sides
        if not all(map(math.isfinite, sides)) or max(abs(west), abs(east)) > 180:
            raise ValueError("the box lies outside the world")
        if not -90 <= south <= north <= 90:
            raise ValueError("the box lies outside the world, or its south above its north")
        return sides


class RoadInputs(Inputs):
    """A road, and the time of the rain that is asked for."""

    segment: Id = Field(..., description="The id of a feature of segments")
    datetime: Annotated[str, Field(max_length=100)] | None = Field(
        None, description="An RFC 3339 instant of the rain; left out: the newest there is"
    )
