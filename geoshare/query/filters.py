"""What filters may be made of, as the surface describes it: languages, reference systems, functions."""

from __future__ import annotations

from typing import Any, Final

from geoshare.filter import CQL2_JSON, CQL2_TEXT
from geoshare.filter.crs import CRS84, FILTER_CRS, check_crs
from geoshare.filter.functions import FUNCTIONS, Function

__all__ = ["CQL2_JSON", "CQL2_TEXT", "CRS84", "FILTER_CRS", "check_crs", "functions", "queryables"]

_TYPES: Final = {  # of OGC 19-079r2, 7.9
    "text": ["string"],
    "number": ["number"],
    "time": ["datetime"],
    "geometry": ["geometry"],
    "boolean": ["boolean"],
}
_FORMATS: Final = {
    "point": "geometry-point-or-multipoint",
    "line": "geometry-linestring-or-multilinestring",
    "polygon": "geometry-polygon-or-multipolygon",
}


def functions() -> list[dict[str, Any]]:
    """Functions of our own (OGC 19-079r2, /req/filter/get-functions-response-json)."""
    return [_described(name, item) for name, item in FUNCTIONS.items()]


def queryables(schema: dict[str, Any], geometry: str, address: str) -> dict[str, Any]:
    """The queryables of a collection of features (OGC 19-079r2, /req/queryables).

    Parameters
    ----------
    schema
        JSON Schema of the visible properties; it is not changed.
    geometry
        ``point``, ``line``, ``polygon`` or ``any``.
    address
        Where the queryables are found.
    """
    own = {
        "id": {"title": "Identifier", "x-title-ja": "識別子", "type": "string", "x-ogc-role": "id"},
        "geometry": {
            "title": "Geometry",
            "x-title-ja": "図形",
            "format": _FORMATS.get(geometry, "geometry-any"),
            "x-ogc-role": "primary-geometry",
        },
    }
    properties = {**schema.get("properties", {}), **own}
    return {**schema, "$id": address, "properties": properties, "additionalProperties": False}


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
