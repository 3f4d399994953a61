"""Schemas of layers that are no known collection: inferred from the data, widened when more comes."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Any

import pyarrow as pa

from geoshare.merge.changed import column_widened
from geoshare.model.collections import RELEASE, Collection, from_schema
from geoshare.model.report import Report

_TEXT = {"type": "string"}


_TITLE_LETTERS = 200


def inferred(name: str, properties: pa.Schema, title: str = "") -> Collection:
    """The collection that a layer becomes; its title is what the source calls the layer."""
    shown = "".join(letter for letter in title if letter.isprintable())[:_TITLE_LETTERS]
    return from_schema(
        name,
        {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": shown or name,
            "type": "object",
            "x-geoshare-kind": "vector",
            "x-geoshare-geometry": "any",
            "properties": {
                field.name: _described(field.type) for field in properties if field.name != RELEASE
            },
        },
    )


def widened(collection: Collection, properties: pa.Schema, report: Report) -> Collection:
    """The collection with room for these properties too; itself where it has room.

    A property that was an integer becomes a number when numbers come, and text when anything else
    does: nothing that came before is lost, and the report says what is text from now on.
    """
    known: dict[str, Any] = dict(collection.schema["properties"])
    for field in properties:
        if field.name == RELEASE:
            continue  # what a row is released to is no word of its file
        before = known.get(field.name)
        after = known[field.name] = _joined(before, field.type)
        if before is not None and after == _TEXT != before:
            report.note(column_widened(field.name))
    if known == collection.schema["properties"]:
        return collection
    return from_schema(collection.name, {**collection.schema, "properties": known})


def narrowed(
    collection: Collection, kinds: Mapping[str, AbstractSet[type]], *, titled: bool
) -> Collection:
    """The collection with these columns alone.

    Parameters
    ----------
    kinds
        Types of the values that there are, by column; none where there is no value.
    titled
        Whether its title stays.
    """
    schema = dict(collection.schema)
    schema["properties"] = {
        name: _least(said, kinds[name])
        for name, said in collection.schema["properties"].items()
        if name in kinds
    }
    if not titled:
        schema["title"] = collection.name
    return from_schema(collection.name, schema)


def _least(said: dict[str, Any], kinds: AbstractSet[type]) -> dict[str, Any]:
    """The narrowest type of values that a column had room for."""
    if said == _TEXT and kinds == {bool}:
        return {"type": "boolean"}
    if said["type"] in ("string", "number") and kinds and kinds <= {int, float}:
        return {"type": "number" if float in kinds else "integer"}
    return said


def _joined(known: dict[str, Any] | None, kind: pa.DataType) -> dict[str, Any]:
    if known is None:
        return _described(kind)
    if pa.types.is_null(kind):
        return known
    new = _described(kind)
    if new == known or known == _TEXT:
        return known
    if {new["type"], known["type"]} == {"integer", "number"}:
        return {"type": "number"}
    return _TEXT


def _described(kind: pa.DataType) -> dict[str, Any]:
    types = pa.types
    if types.is_boolean(kind):
        return {"type": "boolean"}
    if types.is_integer(kind):
        return {"type": "integer"}
    if types.is_floating(kind) or types.is_decimal(kind):
        return {"type": "number"}
    if types.is_timestamp(kind):
        return {"type": "string", "format": "date-time"}
    if types.is_date(kind):
        return {"type": "string", "format": "date"}
    if types.is_nested(kind):
        return {"type": "object"}
    return _TEXT
