"""What a road lies in: hazard zones by kind, scenario and class, and their share of its length."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import Geod
from shapely.geometry.base import BaseGeometry

from geoshare.derive.hazards import UNKNOWN, HazardClass, class_of
from geoshare.derive.plane import areal
from geoshare.derive.reading import Found
from geoshare.model.box import Box

ALWAYS: Final = ("flood", "inland_flood", "storm_surge", "tsunami", "landslide")
"""Hazards that are told of even where nothing is known of them."""
NEAR_M: Final = 15.0
_ALONG_M: Final = 40.0  # a road that merely crosses another one runs beside it for less
_MOST: Final = 0.8
_DEGREE_M: Final = 111_319.49  # of the equator, at which degrees of longitude are longest
_GEOD: Final = Geod(ellps="GRS80")


def length_m(line: BaseGeometry) -> float:
    """Geodesic length of a line in CRS84."""
    return float(_GEOD.geometry_length(line))


def along(line: BaseGeometry, zones: Sequence[NDArray[np.object_]]) -> list[float]:
    """Metres of a line in each class of zones, worst first, and last those outside all of them.

    ``line`` and ``zones`` are in CRS84. Where classes overlap the worse one counts.
    """
    found, rest = [], line
    for shapes in zones:
        met = shapes[shapely.intersects(shapes, rest)]
        whole = shapely.union_all(met) if len(met) else None
        found.append(0.0 if whole is None else length_m(rest.intersection(whole)))
        rest = rest if whole is None else rest.difference(whole)
    return [*found, length_m(rest)]


def hazards_of(line: BaseGeometry, found: Found) -> list[dict[str, Any]]:
    """Exposure of a line by hazard and scenario; hazards without any zone near it are unknown.

    ``found`` are rows of ``hazard_zones`` near the line. What lies outside the zones is told as
    ``unknown``: it is not known to be safe.
    """
    groups: dict[tuple[str, str | None], dict[HazardClass, list[Any]]] = {}
    for row, shape in zip(found.rows, areal(found.shapes), strict=True):
        kind = row.get("hazard_type")
        if kind is not None and shapely.intersects(shape, line):
            group = groups.setdefault((kind, row.get("scenario")), {})
            group.setdefault(class_of(row), []).append(shape)
    told = [
        _told(line, kind, scenario, groups[kind, scenario])
        for kind, scenario in sorted(groups, key=_key)
    ]
    named = {kind for kind, _ in groups}
    whole = length_m(line)
    return told + [
        {
            "hazard_type": kind,
            "scenario": None,
            "state": "unknown",
            "classes": [_share(UNKNOWN, whole, whole)],
        }
        for kind in ALWAYS
        if kind not in named
    ]


def box_around(line: BaseGeometry, metres: float = NEAR_M) -> Box:
    """The box of a line and of what lies within some metres of it."""
    west, south, east, north = line.bounds
    high = metres / _DEGREE_M * 1.01
    wide = high / max(np.cos(np.radians(max(abs(south), abs(north)))), 0.01)
    return Box(west - wide, south - high, east + wide, north + high)


def runs_along(line: BaseGeometry, shape: BaseGeometry) -> bool:
    """Whether a closure's shape lies on a road, and does not merely cross or touch it.

    Lines: for 40 m or four fifths of either within 15 m of the other. Points: within 15 m. Areas: met.
    """
    middle = line.centroid
    scale = np.cos(np.radians(middle.y)) * _DEGREE_M, _DEGREE_M

    def flat(lon_lat: NDArray[np.float64]) -> NDArray[np.float64]:
        metres: NDArray[np.float64] = (lon_lat - (middle.x, middle.y)) * scale
        return metres

    road, closed = shapely.transform(np.array([line, shape], dtype=object), flat)
    if shapely.get_dimensions(closed) != 1:
        reach = NEAR_M if shapely.get_dimensions(closed) == 0 else 0.0
        return bool(road.distance(closed) <= reach)
    beside = road.intersection(closed.buffer(NEAR_M)).length
    covered = closed.intersection(road.buffer(NEAR_M)).length
    enough = min(_ALONG_M, _MOST * road.length)
    return bool(beside >= enough and (covered >= min(_ALONG_M, _MOST * closed.length)))


def _told(
    line: BaseGeometry, kind: str, scenario: str | None, by_class: dict[HazardClass, list[Any]]
) -> dict[str, Any]:
    classes = sorted(by_class, key=lambda item: -item.rank)
    metres = along(line, [np.array(by_class[item], dtype=object) for item in classes])
    whole = sum(metres)
    shares = [_share(item, part, whole) for item, part in zip([*classes, UNKNOWN], metres, strict=True)]
    return {
        "hazard_type": kind,
        "scenario": scenario,
        "state": "zones",
        "classes": [share for share in shares if share["length_m"] > 0],
    }


def _share(kind: HazardClass, metres: float, whole: float) -> dict[str, Any]:
    share = metres / whole if whole > 0 else 0.0
    return kind.words() | {"length_m": round(metres, 1), "share": round(share, 4)}


def _key(group: tuple[str, str | None]) -> tuple[int, str, str]:
    kind, scenario = group
    return ALWAYS.index(kind) if kind in ALWAYS else len(ALWAYS), kind, scenario or ""
