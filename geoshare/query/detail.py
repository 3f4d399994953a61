"""What each collection shows from which zoom: the level-of-detail rules of the foundation.

A rule reads columns of the view it is applied to, and geometry where the view has none of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tiles.generalise import DetailRule, Value

_ROADS: Final[Mapping[Value, int]] = {
    "motorway": 5,
    "trunk": 6,
    "primary": 8,
    "secondary": 10,
    "tertiary": 11,
    "standard_gauge": 8,
    "narrow_gauge": 8,
    "unclassified": 12,
    "residential": 13,
    "living_street": 13,
    "pedestrian": 13,
    "service": 14,
    "footway": 14,
    "path": 14,
    "steps": 15,
    "cycleway": 14,
    "track": 14,
}

_RULES: Final = {
    "segments": DetailRule({"class": _ROADS}, min_zoom_default=12),
    "connectors": DetailRule(thin_points_below=15),
    "lanes": DetailRule(min_units=24),
    "lane_boundaries": DetailRule(min_units=48),
    "regulatory_elements": DetailRule(thin_points_below=16),
    "roadside_features": DetailRule(thin_points_below=15),
    "structures": DetailRule(min_units=8),
    "buildings": DetailRule(min_units=6),
    "admin_areas": DetailRule(
        {"level": {"country": 0, "prefecture": 3, "county": 6, "city": 6, "ward": 8, "district": 11}}
    ),
    "places": DetailRule({"rank": {1: 6, 2: 8, 3: 10, 4: 12}}, min_zoom_default=11),
    "evacuation_sites": DetailRule(thin_points_below=9),
    "shelters": DetailRule(thin_points_below=9),
}
_OTHERS: Final = DetailRule()


def detail_rule(collection: str) -> DetailRule:
    """The rule of a collection; by size alone for those that have none of their own."""
    return _RULES.get(collection, _OTHERS)
