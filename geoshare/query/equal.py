"""Queryables as parameters (OGC 19-079r2, queryables-query-parameters): features that have a value."""

from __future__ import annotations

import math
from datetime import date
from typing import Any, Final

from geoshare.access.view import View
from geoshare.errors import BadRequest
from geoshare.model.times import iso, parse_instant
from tiles.arrays import Kind

_SAID: Final = {
    Kind.INT: "a whole number",
    Kind.FLOAT: "a number",
    Kind.BOOL: "true or false",
    Kind.TIMESTAMP: "an RFC 3339 date-time",
    Kind.DATE: "a date such as 2024-05-01",
}


def simple(view: View) -> list[str]:
    """Names of the visible columns that can be asked for by a value: none with lists or members."""
    return ["id", *(column.name for column in view.columns if column.kind is not Kind.JSON)]


def has_value(view: View, name: str, text: str) -> dict[str, Any]:
    """A CQL2 condition that a column has the value that a text says.

    Raises
    ------
    BadRequest
        for a column that is hidden or not there, and for a text that is no value of it.
    """
    if name not in simple(view):
        raise BadRequest("Unknown parameter", parameter=name[:64], allowed=", ".join(simple(view)))
    return {
        "op": "=",
        "args": [{"property": name}, _value(name, text, view.fields.get(name, Kind.STRING))],
    }


def _value(name: str, text: str, kind: Kind) -> Any:
    try:
        return _read(text, kind)
    except (ValueError, BadRequest) as error:
        raise BadRequest("The value does not fit", parameter=name, allowed=_SAID[kind]) from error


def _read(text: str, kind: Kind) -> Any:
    if kind is Kind.BOOL:
        return {"true": True, "false": False}[text] if text in ("true", "false") else _no()
    if kind is Kind.INT:
        return int(text) if len(text) <= 19 and text.isascii() and "_" not in text else _no()
    if kind is Kind.FLOAT:
        number = float(text) if len(text) <= 40 and "_" not in text else math.nan
        return number if math.isfinite(number) else _no()
    if kind is Kind.TIMESTAMP:
        return {"timestamp": iso(parse_instant(text, "datetime"))}
    if kind is Kind.DATE:
        return {"date": date.fromisoformat(text[:40]).isoformat()}
    return text


def _no() -> Any:
    raise ValueError("no value of the column")
