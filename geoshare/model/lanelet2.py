"""Lanelet2's and Autoware's tags in the words of the foundation, and back."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from geoshare.model.collections import known

# Lanelet2 subtype -> OpenDRIVE lane type.
LANE_TYPES = {
    "road": "driving",
    "highway": "driving",
    "play_street": "driving",
    "private": "driving",
    "bus_lane": "bus",
    "bicycle_lane": "biking",
    "emergency_lane": "stop",
    "exit": "exit",
    "road_shoulder": "shoulder",
    "walkway": "walking",
    "shared_walkway": "shared",
    "pedestrian_lane": "walking",
    "crosswalk": "walking",
    "stairs": "walking",
}
# Type of a way or node -> class of a roadside feature.
ROADSIDE = {
    "traffic_light": "signal",
    "traffic_sign": "sign",
    "light_bulbs": "light_bulb",
    "stop_line": "stop_line",
    "arrow": "arrow",
    "symbol": "symbol",
    "parking_space": "parking_space",
    "pole": "pole",
    "street_lamp": "street_lamp",
    "lamp_post": "street_lamp",
    "tree": "tree",
    "hydrant": "hydrant",
    "speed_bump": "speed_bump",
    "camera": "camera",
}
BARE = "point"  # class of a point that the map says nothing of
# Type of a way that bounds no lane -> kind of a structure.
STRUCTURES = {
    "wall": "wall",
    "fence": "fence",
    "guard_rail": "guard_rail",
    "jersey_barrier": "barrier",
    "gate": "gate",
    "bridge": "bridge",
    "tunnel": "tunnel",
    "overpass": "overpass",
    "retaining_wall": "retaining_wall",
    "sound_barrier": "sound_barrier",
    "gantry": "gantry",
}
FACING = frozenset(["signal", "sign", "light_bulb"])
TRUE = frozenset(["yes", "true", "1"])
FALSE = frozenset(["no", "false", "0"])
_ENUMERATED = frozenset(
    str(value) for item in known()["lanes"].properties if item.name == "type" for value in item.enum
)
_SPEED = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*(km/h|kmh|kph|mph|m/s)?\s*", re.IGNORECASE)
_TO_KMH = {"mph": 1.609344, "m/s": 3.6}


def truth(text: str | None) -> bool | None:
    """Yes or no; None where the tag is missing or neither."""
    word = (text or "").strip().lower()
    return True if word in TRUE else False if word in FALSE else None


def speed_kmh(text: str | None) -> float | None:
    """A speed limit in km/h, which is Lanelet2's unit where none is written."""
    found = _SPEED.fullmatch(text or "")
    if not found:
        return None
    return float(found.group(1)) * _TO_KMH.get((found.group(2) or "").lower(), 1.0)


def number(text: str | None) -> float | None:
    """A plain number, None where there is none."""
    try:
        return float(text) if text else None
    except ValueError:
        return None


def participants(tags: dict[str, str]) -> list[str] | None:
    """Who may use it: the ``participant:`` tags that say yes."""
    found = [
        key.removeprefix("participant:").replace(":", "_")
        for key, value in sorted(tags.items())
        if key.startswith("participant:") and truth(value)
    ]
    return found or None


def lane_change(tags: dict[str, str]) -> str | None:
    """Whether one may cross a boundary, seen along it: yes, no, left or right."""
    whole = truth(tags.get("lane_change"))
    left, right = truth(tags.get("lane_change:left")), truth(tags.get("lane_change:right"))
    if left is None and right is None:
        return None if whole is None else ("yes" if whole else "no")
    # a side that is not mentioned keeps the general rule
    left = whole if left is None else left
    right = whole if right is None else right
    if left and right:
        return "yes"
    if left:
        return "left"
    return "right" if right else "no"


# Back: lane type in OpenDRIVE's words -> Lanelet2 subtype. Lanes that nobody travels on keep their type
# as a subtype that no rule of traffic lets anybody use.
SUBTYPES = {
    "driving": "road",
    "entry": "road",
    "exit": "road",
    "onRamp": "road",
    "offRamp": "road",
    "connectingRamp": "road",
    "slipLane": "road",
    "bidirectional": "road",
    "HOV": "road",
    "bus": "bus_lane",
    "taxi": "bus_lane",
    "biking": "bicycle_lane",
    "stop": "emergency_lane",
    "shoulder": "road_shoulder",
    "walking": "walkway",
    "sidewalk": "walkway",
    "shared": "shared_walkway",
}
SIGN_CODE = "sign_code"  # tag of a sign whose subtype is a German number for Lanelet2's sake
LANE_TYPE = "lane_type"  # tag of a lane type that the subtype does not say


def lane_type(tags: Mapping[str, str]) -> str | None:
    """A lane's type: as its own tag says, else by its subtype."""
    subtype = tags.get("subtype", "")
    said = tags.get(LANE_TYPE) or LANE_TYPES.get(subtype) or subtype
    return said if said in _ENUMERATED else None


def lane_change_tags(said: str | None) -> dict[str, str]:
    """Tags of who may cross a boundary, seen along it."""
    if said in ("yes", "no"):
        return {"lane_change": said}
    if said in ("left", "right"):
        other = "right" if said == "left" else "left"
        return {f"lane_change:{said}": "yes", f"lane_change:{other}": "no"}
    return {}


def participant_tags(who: Iterable[str]) -> dict[str, str]:
    """Tags of who may use a lane or an area."""
    return {f"participant:{name.replace('_', ':')}": "yes" for name in who}


def written(value: float) -> str:
    """A number as tags hold it."""
    return str(int(value)) if float(value).is_integer() else repr(round(float(value), 4))
