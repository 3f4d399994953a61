"""Schemas of what comes, and of what filters and sorting may name; languages and functions of filters.

OGC API Common Part 3 (23-058r2): the logical schema of a collection, with roles, in three selections.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Final

from geoshare.filter import CQL2_JSON, CQL2_TEXT
from geoshare.filter.crs import CRS84, FILTER_CRS, check_crs
from geoshare.filter.functions import FUNCTIONS, Function

__all__ = [
    "CQL2_JSON",
    "CQL2_TEXT",
    "CRS84",
    "FILTER_CRS",
    "check_crs",
    "functions",
    "queryables",
    "returnables",
    "sortables",
]

_TYPES: Final = {  # of OGC 19-079r2, 7.9
    "text": ["string"],
    "number": ["number"],
    "time": ["datetime"],
    "geometry": ["geometry"],
    "boolean": ["boolean"],
}
_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_FORMATS: Final = {
    "point": "geometry-point-or-multipoint",
    "line": "geometry-linestring-or-multilinestring",
    "polygon": "geometry-polygon-or-multipolygon",
}


def functions() -> list[dict[str, Any]]:
    """Functions of our own (OGC 19-079r2, /req/filter/get-functions-response-json)."""
    return [_described(name, item) for name, item in FUNCTIONS.items()]


def returnables(
    schema: dict[str, Any], geometry: str, address: str, known: Collection[str] = ()
) -> dict[str, Any]:
    """The schema of a collection's features, with the roles of their properties.

    Parameters
    ----------
    schema
        JSON Schema of the visible properties; it is not changed.
    geometry
        ``point``, ``line``, ``polygon`` or ``any``.
    address
        Where the schema is found.
    known
        Collections that the reader may know: a reference to another one is not said to be one.
    """
    said = schema.get("x-geoshare-time", ())
    times = [said] if isinstance(said, str) else list(said)
    roles = (
        ("primary-instant",) if len(times) == 1 else ("primary-interval-start", "primary-interval-end")
    )
    own = schema.get("properties", {})
    shown = all(name in own for name in times)
    role_of = dict(zip((times[0], times[-1]), roles, strict=False)) if times and shown else {}
    properties: dict[str, dict[str, Any]] = {
        "id": {
            "title": "Identifier",
            "x-title-ja": "識別子",
            "type": "string",
            "readOnly": True,
            "x-ogc-role": "id",
        },
        "geometry": {
            "title": "Geometry",
            "x-title-ja": "図形",
            "format": _FORMATS.get(geometry, "geometry-any"),
            "x-ogc-role": "primary-geometry",
        },
        **{name: _with_role(_referring(part, known), role_of.get(name)) for name, part in own.items()},
    }
    for place, (name, part) in enumerate(properties.items()):
        properties[name] = {**part, "x-ogc-propertySeq": place + 1}
    return {**schema, "$schema": _DIALECT, "$id": address, "type": "object", "properties": properties}


def queryables(
    schema: dict[str, Any], geometry: str, address: str, known: Collection[str] = ()
) -> dict[str, Any]:
    """The queryables of a collection of features (OGC 19-079r2, /req/queryables): all that it has."""
    return {**returnables(schema, geometry, address, known), "additionalProperties": False}


def sortables(
    schema: dict[str, Any],
    geometry: str,
    address: str,
    names: Sequence[str],
    known: Collection[str] = (),
) -> dict[str, Any]:
    """What a collection's features can be sorted by: the properties of these names."""
    found = returnables(schema, geometry, address, known)
    properties = {name: part for name, part in found["properties"].items() if name in names}
    return {**found, "properties": properties, "additionalProperties": False}


def _referring(part: dict[str, Any], known: Collection[str]) -> dict[str, Any]:
    """A property that holds an id of a feature, or the items of a list of such, with the role of it.

    The standard has one collection to a reference, and texts or numbers: lists have it at their items.
    """
    targets = str(part.get("x-geoshare-reference", "")).split()
    kinds = part.get("type", ())
    if len(targets) != 1 or targets[0] not in known:
        return part
    role = {"x-ogc-role": "reference", "x-ogc-collectionId": targets[0]}
    if "string" in kinds:
        return {**part, **role}
    return (
        {**part, "items": {**part["items"], **role}} if "array" in kinds and "items" in part else part
    )


def _with_role(part: dict[str, Any], role: str | None) -> dict[str, Any]:
    return part if role is None else {**part, "x-ogc-role": role}


def _described(name: str, about: Function) -> dict[str, Any]:
    arguments = [
        {"title": item.title, "type": [kind for word in item.types for kind in _TYPES[word]]}
        for item in about.arguments
    ]
    return {
        "name": name,
        "description": about.description,
        "x-description-ja": about.description_ja,
        "arguments": arguments,
        "returns": _TYPES[about.returns],
    }
