"""Classes of hazard zones: what they are called, and which of two is the worse."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

HazardType = Literal[
    "flood",
    "inland_flood",
    "storm_surge",
    "tsunami",
    "landslide",
    "earthquake",
    "great_fire",
    "eruption",
]
HAZARD_TYPES: Final[tuple[HazardType, ...]] = get_args(HazardType)
COLUMNS: Final = ("hazard_type", "scenario", "depth_class", "depth_min_m", "depth_max_m", "zone_class")

_ZONES: Final = {
    "special_warning": ("特別警戒区域", "Special warning zone"),
    "special_warning_planned": ("特別警戒区域(指定前)", "Special warning zone, not yet designated"),
    "warning": ("警戒区域", "Warning zone"),
    "warning_planned": ("警戒区域(指定前)", "Warning zone, not yet designated"),
}


@dataclass(frozen=True, slots=True)
class HazardClass:
    """One class of a hazard. Of two classes at one place the one with the larger ``rank`` counts.

    Depths are metres; an upper bound of None is none. ``code`` is ``0.5-3``, ``20-``, a zone class,
    ``zone`` (inside a zone of which nothing more is known) or ``unknown``.
    """

    code: str
    rank: float
    depth_min_m: float | None
    depth_max_m: float | None
    title: str
    title_ja: str

    def words(self) -> dict[str, Any]:
        """As it is told to people and programs."""
        return {
            "class": self.code,
            "depth_min_m": self.depth_min_m,
            "depth_max_m": self.depth_max_m,
            "title": self.title,
            "title_ja": self.title_ja,
        }


UNKNOWN: Final = HazardClass(
    "unknown",
    -math.inf,
    None,
    None,
    "Outside the zones or not surveyed: not known to be safe",
    "想定区域外または未調査(安全とは限りません)",
)
ZONE: Final = HazardClass(
    "zone", -1.0, None, None, "Inside the zone, depth not stated", "区域内(深さ・区分の記載なし)"
)


def class_of(row: dict[str, Any]) -> HazardClass:
    """The class of a row of ``hazard_zones``; a column that is not visible counts as not stated."""
    zone = row.get("zone_class")
    if zone in _ZONES:
        japanese, english = _ZONES[zone]
        return HazardClass(zone, 1000.0 - list(_ZONES).index(zone), None, None, english, japanese)
    low, high = row.get("depth_min_m"), row.get("depth_max_m")
    if low is None and high is None:
        return ZONE
    low = 0.0 if low is None else float(low)
    if high is None:
        return HazardClass(f"{low:g}-", low, low, None, f"{low:g} m and more", f"{low:g}m以上")
    high = float(high)
    # Of two classes from the same depth the one that reaches deeper is the worse.
    rank = low + min(high, 999.0) / 1e6
    if low == 0:
        return HazardClass(f"0-{high:g}", rank, low, high, f"less than {high:g} m", f"{high:g}m未満")
    return HazardClass(
        f"{low:g}-{high:g}", rank, low, high, f"{low:g} to {high:g} m", f"{low:g}m以上{high:g}m未満"
    )
