"""Checks a CQL2 tree against the fields a reader may see: names, operators and types.

A hidden field is not among the fields, so that it gives the same answer as one that does not exist.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from geoshare.errors import BadRequest
from geoshare.filter.arrays import ARRAYS
from geoshare.filter.conditions import Plain, split
from geoshare.filter.functions import FUNCTIONS
from geoshare.filter.literals import instant_us, interval_us, is_geometry, read_geometry
from geoshare.filter.spatial import GEOMETRY, SPATIAL, Boxes, near
from geoshare.filter.temporal import OF_INSTANTS, TEMPORAL
from geoshare.model.collections import Collection, Property
from tiles.arrays import Kind

COMPARISONS: Final = ("=", "<>", "<", ">", "<=", ">=")
ARITHMETIC: Final = ("+", "-", "*", "/", "%", "^", "div")
_OF_KIND: Final = {
    Kind.STRING: "text",
    Kind.INT: "number",
    Kind.FLOAT: "number",
    Kind.BOOL: "boolean",
    Kind.TIMESTAMP: "time",
    Kind.DATE: "time",
    Kind.JSON: "array",
}
_COMPARABLE: Final = ("text", "number", "boolean", "time")
_ELEMENTS: Final = (*_COMPARABLE, "interval", "array", "geometry")
_SHOWN_PATH: Final = 3  # innermost places that a message names


@dataclass(frozen=True)
class Expression:
    """A checked filter: evaluating it cannot fail but for its cost.

    ``boxes``: world boxes outside of which no feature meets it; None where it may be anywhere. All of
    ``plain`` and, where there is more, ``rest`` must be true for the whole to be.
    """

    tree: Any
    properties: frozenset[str]
    boxes: Boxes | None = None
    plain: tuple[Plain, ...] = ()
    rest: Expression | None = None


def kind_of(item: Property) -> Kind:
    """Return the kind of column that holds a property of the schema."""
    if item.type == "string":
        return {"date-time": Kind.TIMESTAMP, "date": Kind.DATE}.get(item.format, Kind.STRING)
    plain = {"integer": Kind.INT, "number": Kind.FLOAT, "boolean": Kind.BOOL}
    return plain.get(item.type, Kind.JSON)


def fields_of(collection: Collection) -> dict[str, Kind]:
    """Every property of a collection with the kind of its column."""
    return {item.name: kind_of(item) for item in collection.properties}


def check(tree: Any, fields: Mapping[str, Kind], *, parameter: str = "filter") -> Expression:
    """Return the tree as an expression over those fields, ``id`` and ``geometry``.

    Raises
    ------
    BadRequest
        naming the place in the filter, and what may stand there instead of an unknown property, an
        unsupported operator or an operand that does not fit.
    """
    checker = _Checker(fields, parameter)
    if checker.type_of(tree) != "boolean":
        raise checker.wrong("The filter is not a condition", "an expression that is true or false")
    used = frozenset(checker.used)
    plain, left = split(tree, fields)
    rest = None if left is None else Expression(left, used)
    return Expression(tree, used, near(tree), plain, rest)


class _Checker:
    def __init__(self, fields: Mapping[str, Kind], parameter: str) -> None:
        self.fields = fields
        self.parameter = parameter
        self.used: set[str] = set()
        self._path: list[str] = []

    def wrong(self, message: str, allowed: str) -> BadRequest:
        place = ", of ".join(reversed(self._path[-_SHOWN_PATH:]))
        text = f"{message}: {place}." if place else f"{message}."
        return BadRequest(text, code="filter-check", parameter=self.parameter, allowed=allowed)

    @contextmanager
    def _within(self, place: str) -> Iterator[None]:
        """What is read meanwhile stands at a place that messages name."""
        self._path.append(place)
        yield
        self._path.pop()

    def type_of(self, node: Any) -> str:
        """Type of a node: text, number, boolean, time, interval, array or geometry."""
        if isinstance(node, dict):
            return self._type_of_object(node)
        if isinstance(node, list):
            for number, item in enumerate(node, 1):
                with self._within(f"element {number}"):
                    self._expect(item, _ELEMENTS, "An array")
            return "array"
        if isinstance(node, bool):
            return "boolean"
        if isinstance(node, int | float):
            if not math.isfinite(node):
                raise self.wrong("A number is too large", "a number of at most 1.7e308")
            return "number"
        if isinstance(node, str):
            return "text"
        raise self.wrong("null is no operand", "IS NULL")

    def _type_of_object(self, node: dict[str, Any]) -> str:
        if "op" in node:
            return self._type_of_operation(node)
        if "property" in node:
            return self._type_of_property(node["property"])
        try:
            if is_geometry(node):
                read_geometry(node)
                return "geometry"
            if "timestamp" in node or "date" in node:
                self._check_grain(node)
                return "time"
        except ValueError as error:
            raise self.wrong(f"A literal cannot be read ({error})", "GeoJSON, RFC 3339") from error
        if "interval" in node:
            self._interval(node["interval"])
            return "interval"
        raise self.wrong("The filter holds an unknown construct", "CQL2")

    def _check_grain(self, node: dict[str, Any]) -> None:
        start, end = instant_us(node.get("timestamp", node.get("date")))
        if ("timestamp" in node) != (start == end):
            raise ValueError("a DATE is a day, a TIMESTAMP has a time")

    def _interval(self, ends: Any) -> None:
        if not isinstance(ends, list) or len(ends) != 2:
            raise self.wrong("An interval has two ends", '["2026-01-01", ".."]')
        for end in ends:
            if not isinstance(end, str):
                self._expect(end, ("time",), "INTERVAL")
        try:
            start, last = interval_us(ends)
        except ValueError as error:
            raise self.wrong(f"A literal cannot be read ({error})", "RFC 3339 or ..") from error
        if start > last:
            raise self.wrong("An interval ends before it begins", "start, then end")

    def _type_of_property(self, name: Any) -> str:
        if name == GEOMETRY:
            return "geometry"
        if name == "id":
            return "text"
        if not isinstance(name, str) or name not in self.fields:
            allowed = ", ".join(["id", GEOMETRY, *self.fields])
            raise self.wrong("The filter names an unknown property", allowed)
        self.used.add(name)
        return _OF_KIND[self.fields[name]]

    def _type_of_operation(self, node: dict[str, Any]) -> str:
        name, arguments = node["op"], node.get("args")
        if not isinstance(name, str) or not isinstance(arguments, list):
            raise self.wrong("An operation has op and args", '{"op": "=", "args": [...]}')
        word = name.lower()
        rule = _RULES.get(word)
        if rule is None:
            raise self.wrong("The filter uses an unsupported operator or function", ", ".join(_RULES))
        node["op"] = word
        return rule(self, word, arguments)

    def _operand(self, number: int, node: Any, types: tuple[str, ...], word: str) -> str:
        """Type of one operand of an operation, which must be among these."""
        with self._within(f"operand {number} of {word}"):
            return self._expect(node, types, word)

    def _expect(self, node: Any, types: tuple[str, ...], word: str) -> str:
        found = self.type_of(node)
        if found not in types:
            raise self.wrong(f"{word} does not take {found}", " or ".join(types))
        return found

    def _all(self, arguments: list[Any], types: tuple[str, ...], word: str) -> list[str]:
        return [self._operand(at, item, types, word) for at, item in enumerate(arguments, 1)]

    def _count(self, arguments: list[Any], low: int, high: int, word: str) -> None:
        if not low <= len(arguments) <= high:
            text = str(low) if low == high else f"{low} to {high}"
            raise self.wrong(f"{word} has {len(arguments)} operands", text)

    def logical(self, word: str, arguments: list[Any]) -> str:
        self._count(arguments, *((1, 1) if word == "not" else (1, 10_000)), word)
        self._all(arguments, ("boolean",), word)
        return "boolean"

    def comparison(self, word: str, arguments: list[Any]) -> str:
        self._count(arguments, 2, 2, word)
        left, right = self._all(arguments, _COMPARABLE, word)
        self._same(left, right, arguments, word)
        return "boolean"

    def _same(self, left: str, right: str, nodes: list[Any], word: str) -> None:
        """Both of one type; a text literal may stand for an instant."""
        if left == right:
            return
        texts = [node for node in nodes if isinstance(node, str)]
        if {left, right} == {"time", "text"} and texts:
            for text in texts:
                try:
                    instant_us(text)
                except ValueError as error:
                    raise self.wrong(f"A literal cannot be read ({error})", "RFC 3339") from error
            return
        raise self.wrong(f"{word} compares {left} with {right}", "two operands of one type")

    def between(self, word: str, arguments: list[Any]) -> str:
        self._count(arguments, 3, 3, word)
        value, *bounds = self._all(arguments, _COMPARABLE, word)
        for found, item in zip(bounds, arguments[1:], strict=True):
            self._same(value, found, [arguments[0], item], word)
        return "boolean"

    def among(self, word: str, arguments: list[Any]) -> str:
        self._count(arguments, 2, 2, word)
        value = self._operand(1, arguments[0], _COMPARABLE, word)
        if not isinstance(arguments[1], list) or not arguments[1]:
            raise self.wrong("IN has a list", "property IN (1, 2)")
        for number, item in enumerate(arguments[1], 1):
            with self._within(f"element {number} of {word}"):
                self._same(value, self._expect(item, _COMPARABLE, word), [arguments[0], item], word)
        return "boolean"

    def like(self, word: str, arguments: list[Any]) -> str:
        self._count(arguments, 2, 2, word)
        self._all(arguments, ("text",), word)
        if not _is_constant(arguments[1]):
            raise self.wrong("The pattern of LIKE is not a literal", "a text with % and _")
        return "boolean"

    def is_null(self, word: str, arguments: list[Any]) -> str:
        self._count(arguments, 1, 1, word)
        self._all(arguments, _ELEMENTS, word)
        return "boolean"

    def text(self, word: str, arguments: list[Any]) -> str:
        self._count(arguments, 1, 1, word)
        self._all(arguments, ("text",), word)
        return "text"

    def arithmetic(self, word: str, arguments: list[Any]) -> str:
        self._count(arguments, 1 if word == "-" else 2, 100, word)
        self._all(arguments, ("number",), word)
        return "number"

    def spatial(self, word: str, arguments: list[Any]) -> str:
        self._count(arguments, 2, 2, word)
        self._all(arguments, (GEOMETRY,), word)
        return "boolean"

    def temporal(self, word: str, arguments: list[Any]) -> str:
        self._count(arguments, 2, 2, word)
        types = ("time", "interval") if word in OF_INSTANTS else ("interval",)
        self._all(arguments, types, word)
        return "boolean"

    def arrays(self, word: str, arguments: list[Any]) -> str:
        self._count(arguments, 2, 2, word)
        self._all(arguments, ("array",), word)
        return "boolean"

    def function(self, word: str, arguments: list[Any]) -> str:
        found = FUNCTIONS[word]
        self._count(arguments, len(found.arguments), len(found.arguments), word)
        for number, (item, about) in enumerate(zip(arguments, found.arguments, strict=True), 1):
            self._operand(number, item, about.types, word)
        return found.returns


def _is_constant(node: Any) -> bool:
    """Whether a text operand holds no property: a literal, or a function of literals."""
    if isinstance(node, dict):
        return "op" in node and all(_is_constant(item) for item in node.get("args", ()))
    return isinstance(node, str)


_Rule = Callable[[_Checker, str, list[Any]], str]
_RULES: Final[dict[str, _Rule]] = {
    **dict.fromkeys(("and", "or", "not"), _Checker.logical),
    **dict.fromkeys(COMPARISONS, _Checker.comparison),
    "between": _Checker.between,
    "in": _Checker.among,
    "like": _Checker.like,
    "isnull": _Checker.is_null,
    **dict.fromkeys(("casei", "accenti"), _Checker.text),
    **dict.fromkeys(ARITHMETIC, _Checker.arithmetic),
    **dict.fromkeys(SPATIAL, _Checker.spatial),
    **dict.fromkeys(TEMPORAL, _Checker.temporal),
    **dict.fromkeys(ARRAYS, _Checker.arrays),
    **dict.fromkeys(FUNCTIONS, _Checker.function),
}
