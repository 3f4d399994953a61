"""Arrays as sets (CQL2, 7.8): no order, no repetition, and elements of other types are others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
import orjson
import shapely

from geoshare.filter.literals import instant_us, interval_us
from geoshare.filter.values import Mask, Numbers, Shapes, Spans, Truth, Value, Words

Element = tuple[str, Any]
Set = frozenset[Element]

_TESTS: Final[Mapping[str, Callable[[Set, Set], bool]]] = {
    "a_equals": lambda a, b: a == b,
    "a_contains": lambda a, b: a >= b,
    "a_containedby": lambda a, b: a <= b,
    "a_overlaps": lambda a, b: bool(a & b),
}
ARRAYS: Final = tuple(_TESTS)


def relate(op: str, left: Words, right: Words) -> Truth:
    """One relation of two columns of sets (``as_sets``); unknown where either is null."""
    known = _are_sets(left) & _are_sets(right)
    test = _TESTS[op]
    if len(right.words) == 1 and right.valid.all() and known.any():
        other = right.words[0]
        found = left.test(lambda item: item is not None and test(item, other))
        return Truth.of(found.true, known)
    pairs = zip(left.each(), right.each(), known, strict=True)
    answers = np.fromiter((bool(ok) and test(a, b) for a, b, ok in pairs), bool, len(known))
    return Truth.of(answers, known)


def as_sets(lists: Words, *, times: bool) -> Words:
    """JSON lists as sets; what is no list becomes None. ``times``: texts that are times are times."""
    return lists.map(lambda item: _set(item, times) if isinstance(item, list) else None)


def has_times(nodes: list[Any]) -> bool:
    """Whether an array literal holds instants or intervals, at any depth."""
    return any(
        has_times(node)
        if isinstance(node, list)
        else isinstance(node, dict) and bool({"date", "timestamp", "interval"} & set(node))
        for node in nodes
    )


def is_constant(node: Any) -> bool:
    """Whether an array literal is the same for every row."""
    if isinstance(node, list):
        return all(map(is_constant, node))
    if isinstance(node, dict):
        return not {"op", "property"} & set(node) and all(map(is_constant, node.values()))
    return True


def joined(parts: list[Value], n: int) -> Words:
    """Sets of n rows whose elements are values of each row; null where one of them is."""
    valid, columns = np.ones(n, bool), []
    for part in parts:
        elements, known = _elements(part)
        columns.append(elements)
        valid &= known
    sets = np.empty(n, object)
    sets[:] = [frozenset(row) for row in zip(*columns, strict=True)]
    return Words(np.arange(n), sets, valid)


def _are_sets(lists: Words) -> Mask:
    return lists.test(lambda item: item is not None).true


def _set(items: list[Any], times: bool) -> Set:
    return frozenset(_element(item, times=times) for item in items)


def _element(item: Any, *, times: bool) -> Element:
    """A value with its type, so that 1, '1' and TRUE differ while 1 and 1.0 do not."""
    if isinstance(item, bool):
        return "boolean", item
    if isinstance(item, int | float):
        return "number", item
    if isinstance(item, str):
        return _time(item) if times and _is_time(item) else ("text", item)
    if isinstance(item, list):
        return "array", _set(item, times)
    if isinstance(item, dict) and ("date" in item or "timestamp" in item):
        return _time(item.get("timestamp", item.get("date")))
    if isinstance(item, dict) and "interval" in item:
        return "interval", interval_us(item["interval"])
    return "other", orjson.dumps(item, option=orjson.OPT_SORT_KEYS)


def _time(text: Any) -> Element:
    return "time", instant_us(text)


def _is_time(text: str) -> bool:
    try:
        instant_us(text)
    except ValueError:
        return False
    return True


def _elements(value: Value) -> tuple[list[Element], Mask]:
    """One element of each row, and where it is not null."""
    if isinstance(value, Truth):
        return [("boolean", bool(item)) for item in value.true], value.known
    if isinstance(value, Numbers) and value.instants:
        return [("time", (item, item)) for item in value.values.tolist()], value.valid
    if isinstance(value, Numbers):
        return [("number", float(item)) for item in value.values], value.valid
    if isinstance(value, Spans):
        ends = zip(value.start.tolist(), value.end.tolist(), strict=True)
        return [("time", end) for end in ends], value.valid
    if isinstance(value, Words):
        return [
            ("array", item) if isinstance(item, frozenset) else _element(item, times=False)
            for item in value.each()
        ], value.valid
    if isinstance(value, Shapes):
        return [("geometry", item) for item in shapely.to_wkb(value.values)], value.valid
    raise TypeError("the expression was not checked")
