"""Known values of properties: as a list of their own, and in the two ways a schema can give them.

OGC 23-058r2, clause 15. A property is coded where its schema lists values (``enum``), or has titles of
values that are known while others may come (``x-enum-titles``): such a list is open.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

_ENGLISH, _JAPANESE = "x-enum-titles", "x-enum-titles-ja"
_UNKNOWN: Final = {"const": None, "title": "Not known", "x-title-ja": "不明"}

Part = dict[str, Any]


def is_coded(part: Part) -> bool:
    """Whether a property's schema knows values of it."""
    return "enum" in part or bool(part.get(_ENGLISH))


def codes(part: Part) -> list[dict[str, Any]]:
    """Known values with their titles: ``code``, and ``title`` and ``title_ja`` where it has any."""
    english, japanese = part.get(_ENGLISH, {}), part.get(_JAPANESE, {})
    values = part.get("enum", [*english])
    found = []
    for value in values:
        if value is not None:
            said = {"title": english.get(str(value)), "title_ja": japanese.get(str(value))}
            found.append({"code": value, **{name: text for name, text in said.items() if text}})
    return found


def referring(schema: dict[str, Any], address: Callable[[str], str]) -> dict[str, Any]:
    """Say at each coded property where its list is (profile ``codelists-ref``).

    ``address`` gives the address of the list by the property's name. ``enum`` stays where it is.
    """
    return _each(schema, lambda name, part: {**part, "x-ogc-codelistUri": address(name)})


def inline(schema: dict[str, Any]) -> dict[str, Any]:
    """Give each closed list as a choice of constants (profile ``codelists-inline``).

    An open list cannot be one: what comes may be something else. Its titles stay beside it.
    """
    return _each(schema, lambda _, part: _chosen(part) if "enum" in part else part)


def _chosen(part: Part) -> Part:
    kept = {name: value for name, value in part.items() if name not in ("enum", _ENGLISH, _JAPANESE)}
    each: list[dict[str, Any]] = [
        {
            "const": said["code"],
            "title": said.get("title", str(said["code"])),
            **({"x-title-ja": said["title_ja"]} if "title_ja" in said else {}),
        }
        for said in codes(part)
    ]
    return {**kept, "oneOf": [*each, *([_UNKNOWN] if None in part["enum"] else [])]}


def _each(schema: dict[str, Any], changed: Callable[[str, Part], Part]) -> dict[str, Any]:
    properties = {
        name: changed(name, part) if is_coded(part) else part
        for name, part in schema["properties"].items()
    }
    return {**schema, "properties": properties}
