"""OpenDRIVE's enumerations in the words of the foundation, and speeds in km/h."""

from __future__ import annotations

from lxml import etree

from geoshare.model.collections import known
from geoshare.sources.opendrive.xml import BrokenError, number, word

# Road type -> road class in Overture's words.
ROAD_CLASSES = {
    "motorway": "motorway",
    "townExpressway": "trunk",
    "townArterial": "primary",
    "townCollector": "tertiary",
    "townLocal": "residential",
    "townPlayStreet": "living_street",
    "townPrivate": "service",
    "lowSpeed": "living_street",
    "pedestrian": "pedestrian",
    "bicycle": "cycleway",
    "rural": "unclassified",
    "town": "unclassified",
}
LANE_TYPES = frozenset(
    str(value) for item in known()["lanes"].properties if item.name == "type" for value in item.enum
)
OLD_LANE_TYPES = {"mwyEntry": "entry", "mwyExit": "exit"}
# Lanes that vehicles run on, which a road's number of lanes counts.
_DRIVEN = "driving entry exit onRamp offRamp connectingRamp slipLane bidirectional bus taxi HOV stop"
DRIVEN = frozenset(_DRIVEN.split())
# Road mark -> (type, subtype) of a lane boundary; seen from the middle of the road outwards.
MARKS = {
    "none": ("virtual", None),
    "solid": ("line_thin", "solid"),
    "broken": ("line_thin", "dashed"),
    "solid solid": ("line_thin", "solid_solid"),
    "solid broken": ("line_thin", "solid_dashed"),
    "broken solid": ("line_thin", "dashed_solid"),
    "broken broken": ("line_thin", "dashed_dashed"),
    "botts dots": ("line_thin", "botts_dots"),
    "grass": ("road_border", "grass"),
    "curb": ("curbstone", None),
    "edge": ("road_border", None),
    "custom": ("line_thin", "custom"),
}
_TURNED = {"solid_dashed": "dashed_solid", "dashed_solid": "solid_dashed"}
COLOURS = {"standard": "white"}
LANE_CHANGES = {"increase": "left", "decrease": "right", "both": "yes", "none": "no"}
OBJECTS = {
    "pole": "pole",
    "tree": "tree",
    "vegetation": "vegetation",
    "building": "building",
    "parkingSpace": "parking_space",
    "crosswalk": "crosswalk",
    "streetLamp": "street_lamp",
    "roadMark": "symbol",
    "signal": "signal",
    "sign": "sign",
}
STRUCTURES = {
    "barrier": "barrier",
    "gantry": "gantry",
    "railing": "guard_rail",
    "guardRail": "guard_rail",
    "soundBarrier": "sound_barrier",
    "wall": "wall",
    "fence": "fence",
    "gate": "gate",
}
AREAS = {"trafficIsland": "traffic_island", "roadSurface": "road_surface", "patch": "patch"}
_TO_KMH = {"mph": 1.609344, "m/s": 3.6, "km/h": 1.0}
_SPEED_SIGNS = {"de": "274", "jp": "323", "openDRIVE": "274"}


def lane_type(element: etree._Element) -> str | None:
    """The lane's type as the schema knows it."""
    found = word(element, "type")
    found = OLD_LANE_TYPES.get(found, found)
    return found if found in LANE_TYPES else None


def mark(kind: str, weight: str, lane: int) -> tuple[str | None, str | None]:
    """Type and subtype of a boundary with a road mark, seen along the reference line.

    Lanelet2 names double lines from left to right; OpenDRIVE from the middle outwards, which is from
    right to left on the left side of the road.
    """
    found, subtype = MARKS.get(kind, (kind.replace(" ", "_") or None, None))
    if found == "line_thin" and weight == "bold":
        found = "line_thick"
    return found, _TURNED.get(subtype or "", subtype) if lane > 0 else subtype


def speed_kmh(element: etree._Element) -> float | None:
    """``max`` of a speed record in km/h (its unit is m/s where none is said); None for no limit."""
    try:
        value = number(element, "max")
    except BrokenError:
        return None
    kmh = round(value * _TO_KMH.get(word(element, "unit"), 3.6), 3)
    return kmh if 0 < kmh <= 350 else None


def sign_speed_kmh(element: etree._Element) -> float | None:
    """The limit that a sign with a value states."""
    country, kind = word(element, "country").lower() or "openDRIVE", word(element, "type")
    if kind != _SPEED_SIGNS.get(country, "274"):
        return None
    try:
        value = number(element, "value")
    except BrokenError:
        return None
    kmh = value * _TO_KMH.get(word(element, "unit"), 1.0)
    return round(kmh, 3) if 0 < kmh <= 350 else None


def truth(text: str) -> bool:
    """OpenDRIVE's yes and true."""
    return text.strip().lower() in ("yes", "true", "1")


def snake(text: str) -> str:
    """``streetLamp`` as ``street_lamp``."""
    return "".join("_" + letter.lower() if letter.isupper() else letter for letter in text).strip("_")
