"""Cells of Overture Maps transportation data (2024 and later), nested values as JSON text."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import orjson

from geoshare.sources.text import Cleaned

_MILE_KM = 1.609344


def _parsed(word: str) -> Any:
    """The value behind a cell; the 2024 files hold JSON texts inside JSON."""
    if not word.strip():
        return None
    value = orjson.loads(word)
    return orjson.loads(value) if isinstance(value, str) else value


def _rules(word: str, key: str) -> Iterator[dict[str, Any]]:
    """Rules of a kind, from their own column (a list) or from inside the old ``road`` object."""
    value = _parsed(word)
    if isinstance(value, dict):
        inner = value.get(key, value.get("restrictions", {}).get(key, []))
        value = inner if isinstance(inner, list) else [inner]
    yield from (item if isinstance(item, dict) else {"value": item} for item in value or [])


def name(word: str) -> Cleaned:
    """The primary name."""
    return Cleaned((_parsed(word) or {}).get("primary"))


def name_en(word: str) -> Cleaned:
    """The common name in English."""
    common = (_parsed(word) or {}).get("common") or {}
    if isinstance(common, list):  # maps as pairs, as Parquet writes them
        common = {pair[0]: pair[1] for pair in common if len(pair) == 2}
    return Cleaned(common.get("en"))


def surface(word: str) -> Cleaned:
    """The surface where one holds for the whole segment."""
    whole = [item for item in _rules(word, "surface") if not item.get("between")]
    return Cleaned(whole[0].get("value") if whole else None)


def speed_kmh(word: str) -> Cleaned:
    """The speed limit in km/h where one holds always, everywhere and for everyone."""
    for key in ("speed_limits", "speedLimits"):
        for item in _rules(word, key):
            limit = item.get("max_speed") or item.get("maxSpeed")
            if isinstance(limit, dict) and not item.get("between") and not item.get("when"):
                value = float(limit["value"])
                return Cleaned(value * _MILE_KM if limit.get("unit") == "mph" else value)
    return Cleaned(None)


def one_way(word: str) -> Cleaned:
    """The direction of travel: a denial against one heading, for every mode, is a one-way street."""
    for key in ("access_restrictions", "access"):
        for item in _rules(word, key):
            when = item.get("when") or {}
            if item.get("access_type") == "denied" and not when.get("mode") and not item.get("between"):
                if when.get("heading") == "backward":
                    return Cleaned("forward")
                if when.get("heading") == "forward":
                    return Cleaned("backward")
    return Cleaned(None)


def _flag(wanted: str) -> Callable[[str], Cleaned]:
    def read(word: str) -> Cleaned:
        for item in _rules(word, "flags"):
            values = item.get("values", item.get("value"))
            if wanted in (values if isinstance(values, list) else [values]) and not item.get("between"):
                return Cleaned(True)
        return Cleaned(None)

    return read


def _connector(index: int) -> Callable[[str], Cleaned]:
    def read(word: str) -> Cleaned:
        value = _parsed(word) or []
        found = value[index] if value else None
        return Cleaned(found.get("connector_id") if isinstance(found, dict) else found)

    return read


CONVERTERS: dict[str, Callable[[str], Cleaned]] = {
    "overture_name": name,
    "overture_name_en": name_en,
    "overture_surface": surface,
    "overture_speed": speed_kmh,
    "overture_one_way": one_way,
    "overture_bridge": _flag("is_bridge"),
    "overture_tunnel": _flag("is_tunnel"),
    "first_connector": _connector(0),
    "last_connector": _connector(-1),
}
