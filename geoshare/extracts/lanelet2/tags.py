"""Tags of elements: as they came in, with what the view says otherwise; else in the usual words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from geoshare.extracts.lanelet2.line import texts
from geoshare.extracts.road_rows import Row
from geoshare.model import lanelet2 as words

_LINE: Final = {"width_m": "width", "height_m": "height"}
_TYPES: Final = {name: kind for kind, name in reversed(words.ROADSIDE.items())}


def kept_tags(row: Row) -> dict[str, str]:
    """Tags of the element that a feature came in as; none where it was another format's."""
    return texts(row.object("lanelet2").get("tags"))


def _said(row: Row, name: str, implied: Any) -> tuple[bool, Any]:
    """Whether the view says something else than the kept tags, and what."""
    if name not in row.properties:
        return False, None
    value = row.list(name) or None if name == "participants" else row.properties[name]
    return value != implied, value


def lane_tags(row: Row, limits_kmh: set[float]) -> dict[str, str]:
    """Tags of a lanelet; ``limits_kmh`` are those of its rules, which need no tag of its own."""
    tags = kept_tags(row)
    fresh = not tags
    tags["type"] = "lanelet"
    _put_type(tags, row)
    for name, key in (("location", "location"), ("turn_direction", "turn_direction")):
        differs, value = _said(row, name, tags.get(key) or None)
        if differs and (value or name == "location" or tags.get(key) in ("left", "right", "straight")):
            _put(tags, key, value)
    differs, limit = _said(row, "speed_limit_kmh", words.speed_kmh(tags.get("speed_limit")))
    if differs and (fresh or limit not in limits_kmh):
        _put(tags, "speed_limit", None if limit is None else words.written(limit))
    differs, one_way = _said(row, "one_way", words.truth(tags.get("one_way")))
    if differs:
        _put(tags, "one_way", None if one_way is None else "yes" if one_way else "no")
    _put_participants(tags, row)
    if fresh:
        tags.setdefault("one_way", "yes")
        tags.setdefault("location", "urban")
    return tags


def _put_type(tags: dict[str, str], row: Row) -> None:
    differs, subtype = _said(row, "subtype", tags.get("subtype"))
    if differs:
        _put(tags, "subtype", subtype)
    kind = row.text("type")
    if kind is not None and kind != words.lane_type(tags):
        if not tags.get("subtype"):
            tags["subtype"] = words.SUBTYPES.get(kind, kind)
        tags.pop(words.LANE_TYPE, None)
        if words.lane_type(tags) != kind:
            tags[words.LANE_TYPE] = kind
    tags.setdefault("subtype", "road")


def _put_participants(tags: dict[str, str], row: Row) -> None:
    differs, who = _said(row, "participants", words.participants(tags))
    if differs:
        for key in [key for key in tags if key.startswith("participant:") and words.truth(tags[key])]:
            del tags[key]
        tags |= words.participant_tags(who or ())


def _put(tags: dict[str, str], key: str, value: object) -> None:
    if value in (None, ""):
        tags.pop(key, None)
    else:
        tags[key] = str(value)


def line_tags(row: Row) -> dict[str, str]:
    """Tags of a boundary."""
    tags = kept_tags(row)
    for name in ("type", "subtype", "color"):
        differs, value = _said(row, name, tags.get(name) or None)
        if differs:
            _put(tags, name, value)
    for name, key in _LINE.items():
        differs, number = _said(row, name, words.number(tags.get(key)))
        if differs:
            _put(tags, key, None if number is None else words.written(number))
    differs, change = _said(row, "lane_change", words.lane_change(tags))
    if differs:
        for key in ("lane_change", "lane_change:left", "lane_change:right"):
            tags.pop(key, None)
        tags |= words.lane_change_tags(change)
    if not row.object("lanelet2"):
        tags.setdefault("type", "virtual")
    return tags


def thing_tags(row: Row, limit_kmh: float | None = None) -> dict[str, str]:
    """Tags of what stands beside the road.

    Lanelet2 reads a limit off the German number of its sign; another sign's own number goes along.
    """
    tags = kept_tags(row)
    kept = bool(row.object("lanelet2"))
    name = row.text("class")
    own = words.ROADSIDE.get(tags.get("type", "")) or tags.get("type") or words.BARE
    if (name is not None and name != own) or not kept:
        _put(tags, "type", _TYPES.get(name or "", name or words.BARE))
    differs, subtype = _said(row, "subtype", tags.get("subtype") or None)
    if differs:
        _put(tags, "subtype", subtype)
    differs, height = _said(row, "height_m", words.number(tags.get("height")))
    if differs:
        _put(tags, "height", None if height is None else words.written(height))
    if limit_kmh is not None and not kept and row.text("class") == "sign":
        _put(tags, words.SIGN_CODE, tags.get("subtype"))
        tags["subtype"] = f"de274-{words.written(limit_kmh)}"
    return tags


def structure_tags(row: Row) -> dict[str, str]:
    """Tags of a wall, a bridge, a gate."""
    tags = kept_tags(row)
    kind = row.text("kind")
    if kind is not None and kind != words.STRUCTURES.get(tags.get("type", "")):
        kinds = {said: key for key, said in words.STRUCTURES.items()}
        tags["type"] = kinds.get(kind, kind)
    differs, name = _said(row, "name", tags.get("name"))
    if differs:
        _put(tags, "name", name)
    for column, keys in (
        ("clearance_height_m", ("clearance_height", "maxheight")),
        ("width_m", ("width",)),
        ("load_limit_t", ("load_limit", "maxweight")),
    ):
        implied = words.number(next((tags[key] for key in keys if tags.get(key)), None))
        differs, number = _said(row, column, implied)
        if differs:
            for key in keys:
                tags.pop(key, None)
            _put(tags, keys[0], None if number is None else words.written(number))
    return tags


def area_tags(row: Row) -> dict[str, str]:
    """Tags of an area, without what says whether it is a way or a relation."""
    tags = kept_tags(row)
    own = tags.get("type") if tags.get("type") != "multipolygon" else None
    differs, subtype = _said(row, "subtype", tags.get("subtype") or own)
    if differs:
        _put(tags, "subtype", subtype)
    differs, location = _said(row, "location", tags.get("location"))
    if differs:
        _put(tags, "location", location)
    _put_participants(tags, row)
    return tags


def rule_tags(row: Row) -> dict[str, str]:
    """Tags of a rule."""
    tags = kept_tags(row)
    fresh = not row.object("lanelet2")
    if fresh:
        tags["type"] = "regulatory_element"
    kind = tags.get("type", "")
    implied = tags.get("subtype") or (None if kind in ("regulatory_element", "") else kind)
    differs, subtype = _said(row, "subtype", implied)
    if differs:
        _put(tags, "subtype", subtype)
    for name in ("fallback", "dynamic"):
        differs, value = _said(row, name, words.truth(tags.get(name)))
        if differs:
            _put(tags, name, None if value is None else "yes" if value else "no")
    limit = row.number("speed_limit_kmh")
    if fresh and limit is not None:
        tags["speed_limit"] = words.written(limit)
        tags["sign_type"] = f"{words.written(limit)} km/h"
    return tags


def is_rule(row: Row) -> bool:
    """Whether a row is a regulatory element, and no relation of a kind that nobody knows."""
    return kept_tags(row).get("type", "regulatory_element") == "regulatory_element"


def is_kept(row: Row) -> bool:
    """Whether a feature came in as Lanelet2, and the view shows what was kept of it."""
    kept: Mapping[str, Any] = row.object("lanelet2")
    return bool(kept)
