"""The schema a view shows: what holds of visible properties and of the values that are left of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from geoshare.access.compile import hashed_columns
from geoshare.access.transforms import described
from geoshare.model.collections import Collection
from geoshare.model.policy import Grant
from tiles.arrays import Kind

_INSIDE = ("required", "examples", "x-geoshare-observed")
_NAMES_PROPERTY = ("x-geoshare-identity", "x-geoshare-label")


def visible_schema(
    collection: Collection, columns: tuple[str, ...], grants: Sequence[Grant] = ()
) -> dict[str, Any]:
    """Make the schema of the visible properties, without any mention of the others.

    ``grants`` say what is left of the values: of those they change, what the schema said of values is
    left out.
    """
    schema = {key: value for key, value in collection.schema.items() if key not in _INSIDE}
    schema.setdefault("title", collection.title)
    schema.setdefault("x-geoshare-kind", collection.kind)
    for key in _NAMES_PROPERTY:
        if schema.get(key) not in columns:
            schema.pop(key, None)
    times = collection.time
    if times and not set(times) <= set(columns):
        schema.pop("x-geoshare-time", None)
    properties = schema.get("properties", {})
    hashed = hashed_columns(grants, collection)
    shown = {}
    for name in columns:
        offered = [grant.transform(name) for grant in grants if grant.lists(name)]
        shown[name] = described(properties[name], offered, name in hashed)
    return schema | {"properties": shown}


def times_shown(collection: Collection, kinds: Mapping[str, Kind]) -> tuple[str, ...]:
    """Columns that say when a feature holds; none where one of them is hidden or tells no time."""
    times = tuple(collection.time)
    instants = (Kind.TIMESTAMP, Kind.DATE)
    return times if all(kinds.get(name) in instants for name in times) else ()
