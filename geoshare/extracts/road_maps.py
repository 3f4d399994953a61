"""Which collections a road map is made of."""

from __future__ import annotations

from typing import Final

LANES: Final[str] = "lanes"
COLLECTIONS: Final[tuple[str, ...]] = (
    LANES,
    "lane_boundaries",
    "segments",
    "junctions",
    "regulatory_elements",
    "roadside_features",
    "structures",
    "areas",
)
MAX_LANES: Final = 200_000
LANELET2: Final[tuple[str, ...]] = (
    LANES,
    "lane_boundaries",
    "regulatory_elements",
    "roadside_features",
    "structures",
    "areas",
)
OF_FORMAT: Final = {"opendrive": COLLECTIONS, "lanelet2": LANELET2, "autoware": LANELET2}
