"""Evaluates a checked expression on the columns of one table.

Logic is three-valued: a comparison with null is unknown, and only rows that are known to be true are
chosen. Every operation is total: a division by zero is null, not an error, because an error on a row
that the reader may not see would tell of it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely
from numpy.typing import NDArray

from geoshare.filter.check import ARITHMETIC, ARRAYS, COMPARISONS, SPATIAL, TEMPORAL, Expression
from geoshare.filter.literals import instant_us, is_geometry, read_geometry
from geoshare.filter.temporal import RELATIONS
from geoshare.filter.values import Mask, Numbers, Shapes, Spans, Truth, Value, Words, read_column
from tiles.arrays import FeatureTable
from tiles.geometry.convert import to_shapely


def evaluate(
    expression: Expression, table: FeatureTable, rows: NDArray[np.int32] | None = None
) -> Mask:
    """Which of the rows (all: None) the expression is true for.

    Returns
    -------
    numpy.ndarray
        (n,) bool, in the order of ``rows``.
    """
    chosen = np.arange(len(table), dtype=np.int32) if rows is None else rows
    truth = _Evaluator(table, chosen).value(expression.tree)
    if not isinstance(truth, Truth):
        raise TypeError("the expression was not checked")
    return truth.true


class _Evaluator:
    def __init__(self, table: FeatureTable, rows: NDArray[np.int32]) -> None:
        self.table = table
        self.rows = rows
        self.n = len(rows)
        self._shapes: Shapes | None = None

    def value(self, node: Any) -> Value:
        """Value of any node for each row."""
        if isinstance(node, dict):
            return self._object(node)
        if isinstance(node, bool):
            return Truth.constant(node, self.n)
        if isinstance(node, int | float):
            return Numbers(np.full(self.n, node), np.ones(self.n, bool))
        return self._word(node)

    def _object(self, node: dict[str, Any]) -> Value:
        if "op" in node:
            return self._operation(node["op"], node["args"])
        if "property" in node:
            return self._property(node["property"])
        if is_geometry(node):
            values = np.empty(self.n, object)
            values[:] = read_geometry(node)
            return Shapes(values)
        if "interval" in node:
            return self._interval(node["interval"])
        return self._instant(node.get("timestamp", node.get("date")))

    def _word(self, value: object) -> Words:
        words = np.empty(1, object)
        words[0] = value
        return Words(np.zeros(self.n, np.int64), words, np.ones(self.n, bool))

    def _instant(self, text: object) -> Spans:
        start, end = instant_us(text)
        return Spans(np.full(self.n, start), np.full(self.n, end), np.ones(self.n, bool))

    def _property(self, name: str) -> Value:
        if name == "geometry":
            if self._shapes is None:
                self._shapes = Shapes(to_shapely(self.table.geometries, self.rows))
            return self._shapes
        if name == "id":
            return read_column(self.table.ids, self.rows)
        return read_column(self.table.column(name), self.rows)

    def _interval(self, ends: list[Any]) -> Spans:
        bounds, valid = [], np.ones(self.n, bool)
        for side, end in enumerate(ends):
            if end == "..":
                bounds.append(
                    np.full(self.n, np.iinfo(np.int64).max if side else np.iinfo(np.int64).min)
                )
                continue
            span = self._span(self._instant(end) if isinstance(end, str) else self.value(end))
            bounds.append(span.end if side else span.start)
            valid &= span.valid
        return Spans(bounds[0], bounds[1], valid)

    def _span(self, value: Value) -> Spans:
        if isinstance(value, Numbers):
            return Spans(value.values, value.values, value.valid)
        if isinstance(value, Words):  # a text literal standing for an instant
            return self._instant(value.words[0])
        if not isinstance(value, Spans):
            raise TypeError("the expression was not checked")
        return value

    def _operation(self, op: str, arguments: list[Any]) -> Value:
        for names, method in _METHODS.items():
            if op in names:
                return method(self, op, arguments)
        raise TypeError(f"the expression was not checked: {op}")

    def _logical(self, op: str, arguments: list[Any]) -> Truth:
        parts = [self._truth(item) for item in arguments]
        if op == "not":
            return ~parts[0]
        return reduce(lambda a, b: a & b, parts) if op == "and" else reduce(lambda a, b: a | b, parts)

    def _truth(self, node: Any) -> Truth:
        value = self.value(node)
        if not isinstance(value, Truth):
            raise TypeError("the expression was not checked")
        return value

    def _comparison(self, op: str, arguments: list[Any]) -> Truth:
        left, right = self.value(arguments[0]), self.value(arguments[1])
        if isinstance(left, Words) and isinstance(right, Words):
            return _compare_words(op, left, right)
        if isinstance(left, Truth) and isinstance(right, Truth):
            known = left.known & right.known
            return Truth.of(_COMPARE[op](left.true.astype(np.int8), right.true.astype(np.int8)), known)
        if isinstance(left, Numbers) and isinstance(right, Numbers):
            return Truth.of(_COMPARE[op](left.values, right.values), left.valid & right.valid)
        first, second = self._span(left), self._span(right)
        return Truth.of(_compare_spans(op, first, second), first.valid & second.valid)

    def _between(self, _op: str, arguments: list[Any]) -> Truth:
        value, low, high = arguments
        return self._comparison(">=", [value, low]) & self._comparison("<=", [value, high])

    def _among(self, _op: str, arguments: list[Any]) -> Truth:
        value, choices = arguments
        found = Truth.constant(False, self.n)
        left = self.value(value)
        if isinstance(left, Words) and all(isinstance(item, str) for item in choices):
            return left.test(frozenset(choices).__contains__)
        for item in choices:
            found = found | self._comparison("=", [value, item])
        return found

    def _like(self, _op: str, arguments: list[Any]) -> Truth:
        text, pattern = self.value(arguments[0]), self.value(arguments[1])
        if not (isinstance(text, Words) and isinstance(pattern, Words)):
            raise TypeError("the expression was not checked")
        if self.n == 0 or len(text.words) == 0:
            return Truth(np.zeros(self.n, bool), text.valid)
        # RE2 behind match_like runs in linear time whatever the pattern
        hits = pc.match_like(pa.array(text.words, pa.string()), str(pattern.words[0]))
        return Truth.of(hits.to_numpy(zero_copy_only=False)[text.codes], text.valid)

    def _is_null(self, _op: str, arguments: list[Any]) -> Truth:
        value = self.value(arguments[0]) if not isinstance(arguments[0], list) else self._word([])
        known = value.known if isinstance(value, Truth) else value.valid
        return Truth(~known, np.ones(self.n, bool))

    def _text(self, op: str, arguments: list[Any]) -> Words:
        value = self.value(arguments[0])
        if not isinstance(value, Words):
            raise TypeError("the expression was not checked")
        return value.map(str.casefold if op == "casei" else without_accents)

    def _arithmetic(self, op: str, arguments: list[Any]) -> Numbers:
        parts = [self._number(item) for item in arguments]
        if len(parts) == 1:
            return Numbers(-parts[0].values, parts[0].valid)
        return reduce(lambda a, b: _calculate(op, a, b), parts)

    def _number(self, node: Any) -> Numbers:
        value = self.value(node)
        if not isinstance(value, Numbers):
            raise TypeError("the expression was not checked")
        return Numbers(value.values.astype(np.float64), value.valid)

    def _spatial(self, op: str, arguments: list[Any]) -> Truth:
        left, right = self.value(arguments[0]), self.value(arguments[1])
        if not (isinstance(left, Shapes) and isinstance(right, Shapes)):
            raise TypeError("the expression was not checked")
        known = left.valid & right.valid
        relate: Callable[..., Mask] = getattr(shapely, op.removeprefix("s_"))
        return Truth.of(relate(left.values, right.values), known)

    def _temporal(self, op: str, arguments: list[Any]) -> Truth:
        left, right = (self._span(self.value(item)) for item in arguments)
        return Truth.of(RELATIONS[op](left, right), left.valid & right.valid)

    def _arrays(self, op: str, arguments: list[Any]) -> Truth:
        left, right = (self._list(item) for item in arguments)
        test = _ARRAY_TESTS[op]
        pairs = zip(left.each(), right.each(), left.valid & right.valid, strict=True)
        answers = np.fromiter((bool(ok) and test(a, b) for a, b, ok in pairs), bool, self.n)
        return Truth.of(answers, left.valid & right.valid)

    def _list(self, node: Any) -> Words:
        value = self.value(node) if isinstance(node, dict) else self._word(node)
        if not isinstance(value, Words):
            raise TypeError("the expression was not checked")
        return value.map(
            lambda item: frozenset(map(str, item)) if isinstance(item, list) else frozenset()
        )


_Method = Callable[[_Evaluator, str, list[Any]], Value]
_METHODS: Final[Mapping[tuple[str, ...], _Method]] = {
    ("and", "or", "not"): _Evaluator._logical,
    COMPARISONS: _Evaluator._comparison,
    ("between",): _Evaluator._between,
    ("in",): _Evaluator._among,
    ("like",): _Evaluator._like,
    ("isnull",): _Evaluator._is_null,
    ("casei", "accenti"): _Evaluator._text,
    ARITHMETIC: _Evaluator._arithmetic,
    SPATIAL: _Evaluator._spatial,
    TEMPORAL: _Evaluator._temporal,
    ARRAYS: _Evaluator._arrays,
}
_COMPARE: Final[Mapping[str, Callable[[Any, Any], Mask]]] = {
    "=": np.equal,
    "<>": np.not_equal,
    "<": np.less,
    ">": np.greater,
    "<=": np.less_equal,
    ">=": np.greater_equal,
}
_CALCULATE: Final[Mapping[str, Callable[[Any, Any], NDArray[np.float64]]]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.true_divide,
    "%": np.fmod,
    "^": np.power,
    "div": np.floor_divide,
}
_ARRAY_TESTS: Final[Mapping[str, Callable[[frozenset[str], frozenset[str]], bool]]] = {
    "a_equals": lambda a, b: a == b,
    "a_contains": lambda a, b: a >= b,
    "a_containedby": lambda a, b: a <= b,
    "a_overlaps": lambda a, b: bool(a & b),
}
_MIRROR: Final = {"=": "=", "<>": "<>", "<": ">", ">": "<", "<=": ">=", ">=": "<="}
_KANA_MARKS: Final = "\u3099\u309a"  # voiced sound marks tell words apart and are no accents


def without_accents(text: str) -> str:
    """Return the text with combining marks removed, those of kana kept."""
    parts = unicodedata.normalize("NFD", text)
    kept = [letter for letter in parts if not unicodedata.combining(letter) or letter in _KANA_MARKS]
    return unicodedata.normalize("NFC", "".join(kept))


def _compare_words(op: str, left: Words, right: Words) -> Truth:
    """Texts by code point; a constant side is compared once per word of the other."""
    compare = _COMPARE[op]
    if len(right.words) == 1:
        word = right.words[0]
        truth = left.test(lambda item: bool(compare(item, word)))
        return Truth.of(truth.true, truth.known & right.valid)
    if len(left.words) == 1:
        return _compare_words(_MIRROR[op], right, left)
    known = left.valid & right.valid
    return Truth.of(compare(left.each(), right.each()).astype(bool), known)


def _compare_spans(op: str, left: Spans, right: Spans) -> Mask:
    """Instants compared with days: a day is equal to each of its instants."""
    equal = (left.start <= right.end) & (right.start <= left.end)
    before, after = left.end < right.start, left.start > right.end
    answers = {
        "=": equal,
        "<>": ~equal,
        "<": before,
        ">": after,
        "<=": before | equal,
        ">=": after | equal,
    }
    return answers[op]


def _calculate(op: str, left: Numbers, right: Numbers) -> Numbers:
    """One step of arithmetic; a result that is no number is null."""
    with np.errstate(all="ignore"):
        values = _CALCULATE[op](left.values, right.values)
    finite = np.isfinite(values)
    return Numbers(np.where(finite, values, 0.0), left.valid & right.valid & finite)
