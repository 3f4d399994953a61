"""Small parts that records of a Lanelet2 map are made of."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray

from geoshare.model import lanelet2 as words
from geoshare.sources.lanelet2.elements import Element

_GEOD = pyproj.Geod(ellps="WGS84")


def sign_speed_kmh(rule: Element) -> float | None:
    """The limit in a German sign's number, as Lanelet2's own maps write it (de274-60)."""
    sign = rule.tags.get("sign_type", "")
    return words.speed_kmh(sign.partition("-")[2]) if sign.startswith("de274") else None


def linestring(line: NDArray[np.float64]) -> shapely.LineString:
    """A line with heights where any is known."""
    return shapely.LineString(line if np.isfinite(line[:, 2]).any() else line[:, :2])


def extra(tags: dict[str, Any], *used: str) -> dict[str, Any]:
    """What is left of the tags, kept as it came."""
    left = {key: value for key, value in tags.items() if key not in used and value != ""}
    return {"extra": left} if left else {}


def area_tags(tags: dict[str, str]) -> dict[str, Any]:
    """Properties of an area from its tags."""
    kind = tags.get("type", "")
    own = kind if kind not in ("multipolygon", "") else None
    properties = {
        "subtype": tags.get("subtype") or own,
        "location": tags.get("location"),
        "participants": words.participants(tags),
    }
    passed = [key for key in tags if key.startswith("participant:")]
    return properties | extra(tags, "type", "subtype", "location", "area", *passed)


def facing_deg(geometry: shapely.Geometry) -> float | None:
    """Where a sign or signal looks: its lower edge runs from the viewer's left to the right."""
    ends = shapely.get_coordinates(geometry)[[0, -1]]
    if (ends[0] == ends[1]).all():
        return None
    bearing = float(_GEOD.inv(*ends[0], *ends[1])[0])
    return round((bearing + 90.0) % 360.0, 1)
