"""Names, units and coded values of properties, as pages write them: in Japanese and in English."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

import orjson
from flask import Flask

from geoshare.api.words import CODED, NAMES, VALUES
from geoshare.model.collections import Property
from geoshare.model.units import unit_words

MOST: Final = 200  # letters of a cell
COUNTS: Final = ("bytes", "size", "features", "total")
GEOMETRIES: Final = {
    "Point": ("点", "point"),
    "MultiPoint": ("複数の点", "several points"),
    "LineString": ("線", "line"),
    "MultiLineString": ("複数の線", "several lines"),
    "Polygon": ("面", "area"),
    "MultiPolygon": ("複数の面", "several areas"),
    "GeometryCollection": ("点・線・面", "points, lines, areas"),
}
TRUTH: Final = {True: ("はい", "yes"), False: ("いいえ", "no")}


def both(japanese: object, english: object) -> str:
    """A text in both languages, once where they agree."""
    return " / ".join(dict.fromkeys(str(text) for text in (japanese, english) if text))


def unit_of(code: str) -> str:
    """A unit in both languages."""
    return both(*unit_words(code))


def named(about: Property | None, name: str) -> str:
    """The title of a property, with its unit."""
    if about is None:
        return name
    unit = unit_of(about.unit) if about.unit else ""
    return both(about.title_ja, about.title or name) + (f" ({unit})" if unit else "")


def valued(about: Property | None, value: Any) -> str:
    """A value of a property: in the words of its schema, where it is a coded one."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return both(*TRUTH[value])
    if isinstance(value, list) and not any(isinstance(item, list | dict) for item in value):
        return shortened("、".join(valued(about, item) for item in value))
    if about is not None and str(value) in {**about.titles, **about.titles_ja}:
        return both(about.titles_ja.get(str(value)), about.titles.get(str(value)))
    if hasattr(value, "isoformat"):
        return str(value.isoformat()).replace("+00:00", "Z")
    if isinstance(value, list | dict):
        return shortened(orjson.dumps(value, default=str).decode())
    return shortened(str(value))


def label(name: str) -> str:
    """The name of a member of an answer; as it is where there are no words for it."""
    return both(*NAMES.get(name.removesuffix("_us"), ("", name)))


def text_of(name: str, value: Any) -> str:
    """The value of a member of an answer, whatever it is, as one text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return both(*TRUTH[value])
    if isinstance(value, str):
        return both(*VALUES[value]) if name in CODED and value in VALUES else value
    if isinstance(value, int | float):
        return _number(name, value)
    if isinstance(value, list):
        is_flat = not any(isinstance(item, list | dict) for item in value)
        return ("、" if is_flat else " | ").join(text_of(name, item) or "…" for item in value)
    if name == "geometry":
        return shape_of(value)
    if name == "schema":
        return kind_of(value)
    if set(value) == {"ja", "en"}:
        return both(value["ja"], value["en"])
    if value and all(isinstance(part, dict) for part in value.values()):
        return "、".join(_titled(key, part) for key, part in value.items())
    pairs = ((key, text_of(key, part)) for key, part in value.items() if key != "links")
    return "; ".join(f"{label(key)}: {text}" for key, text in pairs if text)


def _titled(name: str, about: dict[str, Any]) -> str:
    """What an object of objects calls one of them."""
    return both(about.get("x-title-ja") or about.get("title_ja"), about.get("title")) or label(name)


def _number(name: str, value: float) -> str:
    if name.endswith("_us"):
        return datetime.fromtimestamp(value / 1e6, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if name == "progress":
        return f"{value:.0%}"
    return f"{value:,}" if name in COUNTS else str(value)


def shortened(text: str, most: int = MOST) -> str:
    """A text that a table has room for."""
    return text if len(text) <= most else text[:most] + "…"


def relation(link: Mapping[str, Any]) -> str:
    """What a link says of itself, else what it leads to."""
    short = str(link.get("rel", "")).rpartition("/")[2]
    return str(link.get("title") or label(short))


def shape_of(geometry: Any) -> str:
    """What kind of GeoJSON geometry it is."""
    kind = geometry.get("type", "") if isinstance(geometry, dict) else ""
    return both(*GEOMETRIES.get(kind, ("なし", "none")))


def system_of(crs: str) -> str:
    """The name of a reference system without its address."""
    parts = crs.rsplit("/", 3)
    return f"EPSG:{parts[-1]}" if parts[1:2] == ["EPSG"] else parts[-1]


def kind_of(schema: dict[str, Any]) -> str:
    """What values there may be, in a few words."""
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    several = [kind_of(part) for part in schema.get("anyOf", ()) if part.get("type") != "null"]
    if several:
        return " | ".join(dict.fromkeys(filter(None, several)))
    said = str(schema.get("$ref", "").rpartition("/")[2] or schema.get("type", ""))
    if said == "array":
        said = f"[{kind_of(schema.get('items', {}))}]"
    bounds = [schema.get("minimum"), schema.get("maximum")]
    if any(bound is not None for bound in bounds):
        low, high = ("" if bound is None else str(bound) for bound in bounds)
        said += f" {low}..{high}"
    return said


def register(app: Flask) -> None:
    """Let templates write units."""
    app.jinja_env.filters["unit"] = unit_of
