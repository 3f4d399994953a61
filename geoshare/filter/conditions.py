"""The part of a filter that is plain conditions on single columns, apart from the rest.

``class = 'residential' AND lane_count > 2 AND S_INTERSECTS(...)`` has two: these are asked of packed
columns by one kernel, before anything else is done with a row.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import orjson

from tiles.arrays import Kind
from tiles.passing import Condition

_TURNED: Final = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "=": "=", "<>": "<>"}
_LEAST, _MOST = -(2**63), 2**63 - 1
_NULLABLE: Final = (Kind.INT, Kind.FLOAT, Kind.BOOL, Kind.TIMESTAMP, Kind.DATE)
_NUMBERS: Final = (Kind.INT, Kind.FLOAT)
_NOTHING: Final[dict[Kind, tuple[float, float]]] = {Kind.FLOAT: (math.inf, -math.inf)}


@dataclass(frozen=True, slots=True)
class Plain:
    """A condition on one column.

    ``condition`` is None where each word of the column's dictionary has to be asked ``node``, which
    ``key`` stands for.
    """

    column: str
    node: Any
    key: bytes
    condition: Condition | None


def split(tree: Any, fields: Mapping[str, Kind]) -> tuple[tuple[Plain, ...], Any]:
    """Take a checked filter apart: plain conditions that must all be true, and what remains or None."""
    plain, rest = [], []
    for node in _conjuncts(tree):
        found = _plain(node, fields)
        if found is None:
            rest.append(node)
        else:
            plain.append(found)
    if len(rest) > 1:
        return tuple(plain), {"op": "and", "args": rest}
    return tuple(plain), rest[0] if rest else None


def _conjuncts(tree: Any) -> list[Any]:
    if isinstance(tree, dict) and tree.get("op") == "and":
        return [part for node in tree["args"] for part in _conjuncts(node)]
    return [tree]


def _plain(node: Any, fields: Mapping[str, Kind]) -> Plain | None:
    names = _names(node)
    if len(names) != 1 or None in names:
        return None
    name = str(names.pop())
    kind = fields.get(name)
    if kind is Kind.STRING:
        return Plain(name, node, orjson.dumps(node), None)
    found = None if kind is None else _condition(node, name, kind)
    return None if found is None else Plain(name, node, b"", found)


def _names(node: Any) -> set[str | None]:
    """Properties that a node names; None stands for what no column tells alone."""
    if isinstance(node, list):
        return {name for item in node for name in _names(item)}
    if not isinstance(node, dict):
        return set()
    if "property" in node:
        return {None if node["property"] in ("geometry", "id") else node["property"]}
    if "op" in node:
        return _names(node["args"])
    return {None}


def _condition(node: Any, name: str, kind: Kind) -> Condition | None:
    """A condition on a column of numbers, where the node is one."""
    op, arguments = node.get("op"), node.get("args", [])
    if op == "isnull" and kind in _NULLABLE:
        return Condition(name, *_NOTHING.get(kind, (1, 0)), null=True)
    if op == "not":
        inner = arguments[0]
        if isinstance(inner, dict) and inner.get("op") == "isnull" and kind in _NULLABLE:
            return Condition(name, *_NOTHING.get(kind, (1, 0)), outside=True)
        return None
    if kind not in _NUMBERS:
        return None
    column = {"property": name}
    if op == "between" and arguments[0] == column:
        low, high = _range(">=", arguments[1], kind), _range("<=", arguments[2], kind)
        return None if low is None or high is None else Condition(name, low[0], high[1])
    if op not in _TURNED or column not in arguments:
        return None
    turned = arguments[1] == column
    ends = _range(_TURNED[op] if turned else op, arguments[0 if turned else 1], kind)
    return None if ends is None else Condition(name, *ends, outside=op == "<>")


def _range(op: str, number: Any, kind: Kind) -> tuple[float, float] | None:
    """The values for which a comparison with a number holds (``<>``: does not), ends included."""
    if isinstance(number, bool) or not isinstance(number, int | float) or abs(number) >= 2**62:
        return None
    if kind is Kind.FLOAT:
        at = float(number)
        below, above = float(np.nextafter(at, -math.inf)), float(np.nextafter(at, math.inf))
        ends = {"<": (-math.inf, below), "<=": (-math.inf, at), ">": (above, math.inf)}
        return ends.get(op, (at, math.inf if op == ">=" else at))
    low, high = math.ceil(number), math.floor(number)  # low is above high between whole numbers
    whole = {"<": (_LEAST, low - 1), "<=": (_LEAST, high), ">": (high + 1, _MOST), ">=": (low, _MOST)}
    return whole.get(op, (low, high))
