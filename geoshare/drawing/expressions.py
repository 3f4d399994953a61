"""Expressions of MapLibre's style specification, made into functions.

What an expression can be about is the zoom, the type of the geometry, the id and the properties of a
feature. As in MapLibre an expression that fails for a feature has no value, and the property its
default.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from geoshare.drawing.colours import parse_colour
from tiles.drawing import Colour

MAX_DEPTH: Final = 60


@dataclass(frozen=True, slots=True)
class Feature:
    """What expressions can be about."""

    zoom: float
    kind: str  # Point, LineString or Polygon
    properties: Mapping[str, Any]
    id: str = ""
    names: Mapping[str, Any] = field(default_factory=dict)  # of ``let``


Value = Callable[[Feature], Any]


class Failed(Exception):
    """An expression has no value for a feature."""


def used(said: Any) -> frozenset[str]:
    """Names of the properties that an expression reads; ``$id`` and ``$type`` for id and geometry."""
    if not isinstance(said, list) or not said:
        return frozenset()
    if said[0] == "literal":
        return frozenset()
    if said[0] in ("get", "has") and len(said) > 1 and isinstance(said[1], str):
        return frozenset({said[1]})
    own = {"id": {"$id"}, "geometry-type": {"$type"}}.get(str(said[0]), set())
    return frozenset(own).union(*(used(part) for part in said))


def compiled(said: Any, depth: int = 0) -> Value:
    """The function of an expression. Raises ValueError for one that is not understood."""
    if depth > MAX_DEPTH:
        raise ValueError("The expression is nested too deeply")
    if not isinstance(said, list):
        return lambda feature: said
    if not said or not isinstance(said[0], str) or (depth == 0 and not is_known(said[0])):
        return lambda feature: said  # a list of numbers or of names
    name, rest = said[0], said[1:]
    special = _SPECIAL.get(name)
    if special is not None:
        return special(rest, depth + 1)
    simple = _SIMPLE.get(name)
    if simple is None:
        raise ValueError(f"The expression {name[:40]!r} is not known")
    parts = [compiled(part, depth + 1) for part in rest]
    return lambda feature: simple(*(part(feature) for part in parts))


def is_known(name: str) -> bool:
    """Whether a name is that of an expression."""
    return name in _SPECIAL or name in _SIMPLE


def evaluated(value: Value, feature: Feature, otherwise: Any = None) -> Any:
    """The value for a feature, or another where it has none."""
    try:
        found = value(feature)
    except (Failed, TypeError, ValueError, ZeroDivisionError, OverflowError, IndexError, KeyError):
        return otherwise
    return otherwise if found is None else found


def _literal(rest: list[Any], depth: int) -> Value:
    return lambda feature: rest[0]


def _get(rest: list[Any], depth: int) -> Value:
    name = compiled(rest[0], depth)
    return lambda feature: feature.properties.get(name(feature))


def _has(rest: list[Any], depth: int) -> Value:
    name = compiled(rest[0], depth)
    return lambda feature: feature.properties.get(name(feature)) is not None


def _coalesce(rest: list[Any], depth: int) -> Value:
    parts = [compiled(part, depth) for part in rest]

    def value(feature: Feature) -> Any:
        found = (evaluated(part, feature) for part in parts)
        return next((one for one in found if one is not None), None)

    return value


def _case(rest: list[Any], depth: int) -> Value:
    parts = [compiled(part, depth) for part in rest]
    pairs = list(zip(parts[:-1:2], parts[1::2], strict=True))

    def value(feature: Feature) -> Any:
        return next((then for when, then in pairs if when(feature) is True), parts[-1])(feature)

    return value


def _match(rest: list[Any], depth: int) -> Value:
    about, otherwise = compiled(rest[0], depth), compiled(rest[-1], depth)
    table: dict[Any, Value] = {}
    for labels, then in zip(rest[1:-1:2], rest[2:-1:2], strict=True):
        made = compiled(then, depth)
        for label in labels if isinstance(labels, list) else [labels]:
            table.setdefault(label, made)

    def value(feature: Feature) -> Any:
        found = about(feature)
        return table.get(found, otherwise)(feature) if _hashable(found) else otherwise(feature)

    return value


def _hashable(value: Any) -> bool:
    return isinstance(value, str | int | float)


def _step(rest: list[Any], depth: int) -> Value:
    about = compiled(rest[0], depth)
    outputs = [compiled(part, depth) for part in rest[1::2]]
    stops = [float(stop) for stop in rest[2::2]]
    return lambda feature: outputs[bisect_right(stops, _number(about(feature)))](feature)


def _interpolate(rest: list[Any], depth: int) -> Value:
    kind, about = rest[0], compiled(rest[1], depth)
    base = float(kind[1]) if kind[0] == "exponential" else 1.0
    stops = [float(stop) for stop in rest[2::2]]
    outputs = [compiled(part, depth) for part in rest[3::2]]

    def value(feature: Feature) -> Any:
        at = _number(about(feature))
        above = bisect_right(stops, at)
        if above == 0:
            return outputs[0](feature)
        if above == len(stops):
            return outputs[-1](feature)
        low, high = stops[above - 1], stops[above]
        share = (
            (at - low) / (high - low)
            if base == 1.0
            else (base ** (at - low) - 1) / (base ** (high - low) - 1)
        )
        return _between(outputs[above - 1](feature), outputs[above](feature), share)

    return value


def _between(low: Any, high: Any, share: float) -> Any:
    if isinstance(low, str) and isinstance(high, str):
        pairs = zip(parse_colour(low), parse_colour(high), strict=True)
        return Colour(*(a + (b - a) * share for a, b in pairs))
    if isinstance(low, Colour) or isinstance(high, Colour):
        raise Failed
    if isinstance(low, list):
        return [a + (b - a) * share for a, b in zip(low, high, strict=True)]
    return _number(low) + (_number(high) - _number(low)) * share


def _all(rest: list[Any], depth: int) -> Value:
    parts = [compiled(part, depth) for part in rest]
    return lambda feature: all(part(feature) is True for part in parts)


def _any(rest: list[Any], depth: int) -> Value:
    parts = [compiled(part, depth) for part in rest]
    return lambda feature: any(evaluated(part, feature) is True for part in parts)


def _let(rest: list[Any], depth: int) -> Value:
    pairs = [(name, compiled(part, depth)) for name, part in zip(rest[:-1:2], rest[1::2], strict=True)]
    then = compiled(rest[-1], depth)

    def value(feature: Feature) -> Any:
        names = dict(feature.names) | {name: part(feature) for name, part in pairs}
        return then(Feature(feature.zoom, feature.kind, feature.properties, feature.id, names))

    return value


def _format(rest: list[Any], depth: int) -> Value:
    """Texts one after the other; how each is to look is left aside."""
    parts = [compiled(part, depth) for part in rest if not isinstance(part, dict)]
    return lambda feature: "".join(_text(part(feature)) for part in parts)


def _number_format(rest: list[Any], depth: int) -> Value:
    about, options = compiled(rest[0], depth), rest[1] if len(rest) > 1 else {}
    digits = int(options.get("max-fraction-digits", 3))

    def value(feature: Feature) -> str:
        text = f"{_number(about(feature)):,.{digits}f}"
        return text.rstrip("0").rstrip(".") if "." in text else text

    return value


def _of_type(test: Callable[[Any], bool]) -> Callable[[list[Any], int], Value]:
    def made(rest: list[Any], depth: int) -> Value:
        parts = [compiled(part, depth) for part in rest]

        def value(feature: Feature) -> Any:
            for part in parts:
                found = evaluated(part, feature)
                if test(found):
                    return found
            raise Failed

        return value

    return made


def _to_number(rest: list[Any], depth: int) -> Value:
    parts = [compiled(part, depth) for part in rest]

    def value(feature: Feature) -> float:
        for part in parts:
            found = evaluated(part, feature, 0)
            try:
                return float(found)
            except (TypeError, ValueError):
                continue
        raise Failed

    return value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _number(value: Any) -> float:
    if not _is_number(value):
        raise Failed
    return float(value)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _is_in(needle: Any, hay: Any) -> bool:
    if hay is None:
        return False
    return str(needle) in hay if isinstance(hay, str) else needle in hay


def _compared(test: Callable[[Any, Any], bool]) -> Callable[..., bool]:
    def value(one: Any, other: Any) -> bool:
        alike = isinstance(one, str) and isinstance(other, str)
        if not alike and not (_is_number(one) and _is_number(other)):
            raise Failed
        return test(one, other)

    return value


def _less(*values: Any) -> float:
    return -_number(values[0]) if len(values) == 1 else _number(values[0]) - _number(values[1])


def _same(one: Any, other: Any) -> bool:
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)


_SPECIAL: Final[dict[str, Callable[[list[Any], int], Value]]] = {
    "literal": _literal,
    "get": _get,
    "has": _has,
    "coalesce": _coalesce,
    "case": _case,
    "match": _match,
    "step": _step,
    "interpolate": _interpolate,
    "all": _all,
    "any": _any,
    "let": _let,
    "format": _format,
    "number-format": _number_format,
    "number": _of_type(_is_number),
    "string": _of_type(lambda value: isinstance(value, str)),
    "boolean": _of_type(lambda value: isinstance(value, bool)),
    "to-number": _to_number,
    "var": lambda rest, depth: lambda feature: feature.names[rest[0]],
    "zoom": lambda rest, depth: lambda feature: feature.zoom,
    "geometry-type": lambda rest, depth: lambda feature: feature.kind,
    "id": lambda rest, depth: lambda feature: feature.id,
}
_SIMPLE: Final[dict[str, Callable[..., Any]]] = {
    "==": _same,
    "!=": lambda one, other: not _same(one, other),
    "<": _compared(lambda one, other: one < other),
    "<=": _compared(lambda one, other: one <= other),
    ">": _compared(lambda one, other: one > other),
    ">=": _compared(lambda one, other: one >= other),
    "!": lambda value: value is not True,
    "in": _is_in,
    "concat": lambda *values: "".join(_text(value) for value in values),
    "to-string": _text,
    "to-boolean": bool,
    "to-color": lambda value, *others: value,
    "image": lambda value: value,
    "upcase": lambda value: str(value).upper(),
    "downcase": lambda value: str(value).lower(),
    "length": len,
    "at": lambda at, values: values[int(at)],
    "slice": lambda value, first, end=None: value[int(first) : None if end is None else int(end)],
    "rgb": lambda *values: Colour(*(_number(value) / 255 for value in values)),
    "rgba": lambda r, g, b, a: Colour(_number(r) / 255, _number(g) / 255, _number(b) / 255, _number(a)),
    "+": lambda *values: math.fsum(_number(value) for value in values),
    "-": _less,
    "*": lambda *values: math.prod(_number(value) for value in values),
    "/": lambda one, other: _number(one) / _number(other),
    "%": lambda one, other: math.fmod(_number(one), _number(other)),
    "^": lambda one, other: _number(one) ** _number(other),
    "min": lambda *values: min(_number(value) for value in values),
    "max": lambda *values: max(_number(value) for value in values),
    "abs": lambda value: abs(_number(value)),
    "round": lambda value: math.floor(_number(value) + 0.5),
    "floor": lambda value: math.floor(_number(value)),
    "ceil": lambda value: math.ceil(_number(value)),
    "sqrt": lambda value: math.sqrt(_number(value)),
    "ln": lambda value: math.log(_number(value)),
    "log2": lambda value: math.log2(_number(value)),
    "log10": lambda value: math.log10(_number(value)),
}
