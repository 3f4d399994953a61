"""Reference systems of WMS: what each is called, the order of its axes, and where it is drawn."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from geoshare.api.ows import OwsError
from tiles.matrices import WEB_MERCATOR_QUAD, WORLD_CRS84_QUAD

MAX_SIDE: Final = 4_096
_SIDES: Final = 4


@dataclass(frozen=True)
class System:
    """A reference system: the tile matrix set of its coordinates, and whether north comes first."""

    name: str
    matrix_set: str
    north_first: bool  # in WMS 1.3.0; in 1.1.1 east always does


SYSTEMS: Final = {
    system.name: system
    for system in (
        System("CRS:84", WORLD_CRS84_QUAD.id, north_first=False),
        *(System(f"EPSG:{code}", WORLD_CRS84_QUAD.id, north_first=True) for code in (4326, 6668, 6697)),
        System("EPSG:3857", WEB_MERCATOR_QUAD.id, north_first=False),
        *(
            System(f"EPSG:{6668 + zone}", f"JGD2011Plane{zone}", north_first=True)
            for zone in range(1, 20)
        ),
    )
}


def system_of(name: str | None, *, is_old: bool) -> System:
    """The system of that name. Raises OwsError."""
    parameter, code = ("SRS", "InvalidSRS") if is_old else ("CRS", "InvalidCRS")
    if not name:
        raise OwsError("The reference system is missing", "MissingParameterValue", parameter)
    found = SYSTEMS.get(name.upper())
    if found is None:
        raise OwsError("The reference system is not on offer", code, parameter)
    return found


def box_of(text: str | None, system: System, *, is_old: bool) -> tuple[float, float, float, float]:
    """West, south, east, north of a BBOX in the axis order of the version. Raises OwsError."""
    if not text:
        raise OwsError("The box is missing", "MissingParameterValue", "BBOX")
    try:
        sides = [float(part) for part in text.split(",")]
    except ValueError:
        sides = []
    if len(sides) != _SIDES or not all(math.isfinite(side) and abs(side) < 1e9 for side in sides):
        raise OwsError("The box is not four numbers", "InvalidParameterValue", "BBOX")
    if system.north_first and not is_old:
        sides = [sides[1], sides[0], sides[3], sides[2]]
    west, south, east, north = sides
    least = (1e-9 if "84" in system.matrix_set else 1e-4) / 2
    if east - west < least or north - south < least:
        raise OwsError(
            "The box has no area; mind the order of its axes", "InvalidParameterValue", "BBOX"
        )
    return west, south, east, north


def size_of(width: str | None, height: str | None) -> tuple[int, int]:
    """Width and height in pixels. Raises OwsError."""
    found = []
    for name, text in (("WIDTH", width), ("HEIGHT", height)):
        if not text:
            raise OwsError("The size is missing", "MissingParameterValue", name)
        is_number = text.isascii() and text.isdecimal() and len(text) < 6
        if not is_number or not 1 <= int(text) <= MAX_SIDE:
            raise OwsError(f"The size is 1 to {MAX_SIDE}", "InvalidParameterValue", name)
        found.append(int(text))
    return found[0], found[1]
