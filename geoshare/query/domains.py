"""What values there really are in a view, as keywords of its schema (OGC 23-058r2, clause 16).

The keywords are those of the profile ``actual-domain``: lists of known values are cut to those that
some row has, bounds of numbers are the smallest and largest, lengths of texts those of the shortest and
the longest, and the kinds of geometry those that come. All of it is read from what the view shows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from geoshare.access.view import View
from geoshare.filter.values import Words, read_column
from geoshare.query.codelists import codes, is_coded
from tiles.arrays import Column, FeatureTable, GeometryType, Kind

_BOUNDS: Final = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
_LENGTHS: Final = ("minLength", "maxLength")
_REPLACED: Final = frozenset({*_BOUNDS, *_LENGTHS, "enum"})
_LONGEST: Final = 500  # values of an open list; a longer one is no list of known values any more
_FORMATS: Final = {
    frozenset({GeometryType.POINT}): "point",
    frozenset({GeometryType.MULTIPOINT}): "multipoint",
    frozenset({GeometryType.POINT, GeometryType.MULTIPOINT}): "point-or-multipoint",
    frozenset({GeometryType.LINESTRING}): "linestring",
    frozenset({GeometryType.MULTILINESTRING}): "multilinestring",
    frozenset({GeometryType.LINESTRING, GeometryType.MULTILINESTRING}): "linestring-or-multilinestring",
    frozenset({GeometryType.POLYGON}): "polygon",
    frozenset({GeometryType.MULTIPOLYGON}): "multipolygon",
    frozenset({GeometryType.POLYGON, GeometryType.MULTIPOLYGON}): "polygon-or-multipolygon",
}

Part = dict[str, Any]
_KNOWN: WeakKeyDictionary[View, dict[str, Part]] = WeakKeyDictionary()


def actual(view: View, schema: dict[str, Any]) -> dict[str, Any]:
    """The schema with the keywords of what the view's rows hold.

    ``schema`` is that of the view's features, or a part of it; it is not changed. A property that is
    null in all rows has no bounds, and a list without values.
    """
    found = _keywords(view)
    properties = {
        name: {**_without(part), **found[name]} if name in found else part
        for name, part in schema["properties"].items()
    }
    return {**schema, "properties": properties}


def _keywords(view: View) -> dict[str, Part]:
    """Keywords of each property, and of the geometry; found once as long as the view is open."""
    known = _KNOWN.get(view)
    if known is None:
        pairs = view.scan(ordered=False).pairs
        known = {"geometry": {"format": _format(pairs)}}
        for name, part in view.schema()["properties"].items():
            if name in view.fields:
                columns = [(table.column(name), rows) for table, rows in pairs]
                said = _said(part, view.fields[name], columns)
                known |= {} if said is None else {name: said}
        _KNOWN[view] = known
    return known


def _said(part: Part, kind: Kind, columns: list[tuple[Column, NDArray[np.int32]]]) -> Part | None:
    """Keywords of one property; None for one that has none."""
    if is_coded(part) and kind in (Kind.STRING, Kind.INT):
        return _listed(part, [read_column(column, rows) for column, rows in columns])
    if kind in (Kind.INT, Kind.FLOAT):
        return _bounded([read_column(column, rows) for column, rows in columns])
    if kind is Kind.STRING and any(name in part for name in _LENGTHS):
        read = [read_column(column, rows) for column, rows in columns]
        lengths = {len(word) for found in read if isinstance(found, Words) for word in found.words}
        return {"minLength": min(lengths), "maxLength": max(lengths)} if lengths else {}
    return None


def _listed(part: Part, read: list[Any]) -> Part | None:
    """The values that come, in the order of the list, and those that it does not know after them."""
    found: set[Any] = set()
    null = False
    for values in read:
        null = null or not values.valid.all()
        some = values.words if isinstance(values, Words) else values.values[values.valid]
        found |= {*some.tolist()}
    known = [said["code"] for said in codes(part) if said["code"] in found]
    every = [*known, *sorted(found - {*known})]
    if "enum" not in part and len(every) > _LONGEST:
        return None
    return {"enum": [*every, None] if null else every}


def _bounded(read: list[Any]) -> Part:
    some = [numbers.values[numbers.valid] for numbers in read]
    full = [values for values in some if len(values)]
    if not full:
        return {}
    low, high = min(values.min() for values in full), max(values.max() for values in full)
    return {"minimum": low.item(), "maximum": high.item()}


def _without(part: Part) -> Part:
    return {name: value for name, value in part.items() if name not in _REPLACED}


def _format(pairs: Sequence[tuple[FeatureTable, NDArray[np.int32]]]) -> str:
    """The kinds of geometry that come; any where they have no name together, or there are none."""
    kinds: set[int] = set()
    for table, rows in pairs:
        kinds |= {*np.unique(table.geometries.types[rows]).tolist()}
    kinds.discard(int(GeometryType.NONE))
    return "geometry-" + _FORMATS.get(frozenset(GeometryType(kind) for kind in kinds), "any")
