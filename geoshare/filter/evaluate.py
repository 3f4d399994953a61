"""Evaluates a checked expression on the columns of one table.

Logic is three-valued: a comparison with null is unknown, and only rows that are known to be true are
chosen. Every operation is total: a division by zero is null, not an error, because an error on a row
that the reader may not see would tell of it. What AND and OR join is asked from the cheapest on, and
only of rows that are not decided yet.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any, Final, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from geoshare.filter import arrays, spatial, temporal
from geoshare.filter.check import ARITHMETIC, COMPARISONS, Expression
from geoshare.filter.cost import Meter, weight, weight_of
from geoshare.filter.functions import FUNCTIONS
from geoshare.filter.literals import EVER, instant_us, is_geometry, read_geometry
from geoshare.filter.text import without_accents, without_case
from geoshare.filter.values import Mask, Numbers, Shapes, Spans, Truth, Value, Words, read_column
from tiles.arrays import FeatureTable
from tiles.geometry.convert import to_shapely

V = TypeVar("V", Truth, Numbers, Words, Spans, Shapes)
_UNMETERED: Final = 1 << 62  # for who may ask whatever they like: policies


def evaluate(
    expression: Expression,
    table: FeatureTable,
    rows: NDArray[np.int32] | None = None,
    meter: Meter | None = None,
) -> Mask:
    """Which of the rows (all: None) the expression is true for.

    Returns
    -------
    numpy.ndarray
        (n,) bool, in the order of ``rows``.

    Raises
    ------
    TooLarge
        where it costs more than the meter has left; never without a meter.
    """
    chosen = np.arange(len(table), dtype=np.int32) if rows is None else rows
    return _Evaluator(table, chosen, meter or Meter(_UNMETERED)).truth(expression.tree).true


class _Evaluator:
    def __init__(self, table: FeatureTable, rows: NDArray[np.int32], meter: Meter) -> None:
        self.table = table
        self.rows = rows
        self.n = len(rows)
        self.meter = meter
        self._read: dict[str, Value] = {}

    def value(self, node: Any) -> Value:
        """Value of any node for each row."""
        if isinstance(node, dict):
            return self._object(node)
        if isinstance(node, bool):
            return Truth.constant(node, self.n)
        if isinstance(node, int | float):
            return self._constant(node)
        if isinstance(node, list):
            return self._set(node, times=arrays.has_times(node))
        return self._word(node)

    def truth(self, node: Any) -> Truth:
        """Truth of a condition for each row."""
        return _of(Truth, self.value(node))

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

    def _constant(self, number: float) -> Numbers:
        # A whole number is kept as one, since not every id of 64 bits is a float.
        whole = isinstance(number, int) or float(number).is_integer()
        exact = int(number) if whole and abs(number) < 2**63 else float(number)
        return Numbers(np.broadcast_to(np.asarray(exact), self.n), np.ones(self.n, bool))

    def _word(self, value: object) -> Words:
        words = np.empty(1, object)
        words[0] = value
        return Words(np.zeros(self.n, np.int64), words, np.ones(self.n, bool))

    def _instant(self, text: object) -> Spans:
        start, end = instant_us(text)
        first, last = (np.broadcast_to(np.int64(moment), self.n) for moment in (start, end))
        return Spans(first, last, np.ones(self.n, bool), days=start != end)

    def _property(self, name: str) -> Value:
        found = self._read.get(name)
        if found is None:
            if name == spatial.GEOMETRY:
                self.meter.charge(self.n * weight("geometry_type"))
                found = Shapes(to_shapely(self.table.geometries, self.rows))
            elif name == "id":
                found = read_column(self.table.ids, self.rows)
            else:
                found = read_column(self.table.column(name), self.rows)
            self._read[name] = found
        return found

    def _interval(self, ends: list[Any]) -> Spans:
        bounds, valid, days = [], np.ones(self.n, bool), True
        for side, end in enumerate(ends):
            if end == "..":
                bounds.append(np.broadcast_to(np.int64(EVER[side]), self.n))
                continue
            span = self._span(self._instant(end) if isinstance(end, str) else self.value(end))
            bounds.append(span.end if side else span.start)
            valid &= span.valid
            days &= span.days
        return Spans(bounds[0], bounds[1], valid, days)

    def _span(self, value: Value) -> Spans:
        if isinstance(value, Numbers):
            return Spans(value.values, value.values, value.valid)
        if isinstance(value, Words):  # a text literal standing for an instant
            return self._instant(value.words[0])
        return _of(Spans, value)

    def _operation(self, op: str, arguments: list[Any]) -> Value:
        self.meter.charge(self.n * weight(op))
        return _METHODS[op](self, op, arguments)

    def _not(self, _op: str, arguments: list[Any]) -> Truth:
        return ~self.truth(arguments[0])

    def _joined(self, op: str, arguments: list[Any]) -> Truth:
        """AND and OR: a row that one side has decided is not asked of the others."""
        decisive = op == "or"
        found = Truth.constant(not decisive, self.n)
        undecided = np.arange(self.n)
        for node in sorted(arguments, key=weight_of):
            whole = len(undecided) == self.n
            asked = self if whole else _Evaluator(self.table, self.rows[undecided], self.meter)
            one = asked.truth(node)
            before = Truth(found.true[undecided], found.known[undecided])
            after = before | one if decisive else before & one
            found.true[undecided], found.known[undecided] = after.true, after.known
            undecided = undecided[~(after.known & (after.true == decisive))]
        return found

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
        return Truth.of(temporal.compare(op, first, second), first.valid & second.valid)

    def _between(self, _op: str, arguments: list[Any]) -> Truth:
        value, low, high = arguments
        return self._comparison(">=", [value, low]) & self._comparison("<=", [value, high])

    def _among(self, _op: str, arguments: list[Any]) -> Truth:
        value, choices = arguments
        left = self.value(value)
        if isinstance(left, Words) and all(isinstance(item, str) for item in choices):
            return left.test(frozenset(choices).__contains__)
        found = Truth.constant(False, self.n)
        for item in choices:
            self.meter.charge(self.n * weight("="))
            found = found | self._comparison("=", [value, item])
        return found

    def _like(self, _op: str, arguments: list[Any]) -> Truth:
        text, pattern = (_of(Words, self.value(item)) for item in arguments)
        if self.n == 0 or len(text.words) == 0:
            return Truth(np.zeros(self.n, bool), text.valid)
        # RE2 behind match_like runs in linear time whatever the pattern
        hits = pc.match_like(pa.array(text.words, pa.string()), str(pattern.words[0]))
        return Truth.of(hits.to_numpy(zero_copy_only=False)[text.codes], text.valid)

    def _is_null(self, _op: str, arguments: list[Any]) -> Truth:
        value = self.value(arguments[0])
        known = value.known if isinstance(value, Truth) else value.valid
        return Truth(~known, np.ones(self.n, bool))

    def _text(self, op: str, arguments: list[Any]) -> Words:
        words = _of(Words, self.value(arguments[0]))
        return words.map(without_case if op == "casei" else without_accents)

    def _arithmetic(self, op: str, arguments: list[Any]) -> Numbers:
        parts = [self._number(item) for item in arguments]
        if len(parts) == 1:
            return Numbers(-parts[0].values, parts[0].valid)
        return reduce(lambda a, b: _calculate(op, a, b), parts)

    def _number(self, node: Any) -> Numbers:
        value = _of(Numbers, self.value(node))
        return Numbers(value.values.astype(np.float64), value.valid)

    def _spatial(self, op: str, arguments: list[Any]) -> Truth:
        found = spatial.literal_and_turn(arguments)
        if found is not None:
            literal, turned = found
            return spatial.relate_rows(op, self.table, self.rows, literal, self.meter, turned=turned)
        left, right = (_of(Shapes, self.value(item)) for item in arguments)
        return spatial.relate(op, left, right, self.meter)

    def _temporal(self, op: str, arguments: list[Any]) -> Truth:
        left, right = (self._span(self.value(item)) for item in arguments)
        return temporal.relate(op, left, right)

    def _arrays(self, op: str, arguments: list[Any]) -> Truth:
        times = any(isinstance(item, list) and arrays.has_times(item) for item in arguments)
        left, right = (
            self._set(item, times=times)
            if isinstance(item, list)
            else arrays.as_sets(_of(Words, self.value(item)), times=times)
            for item in arguments
        )
        return arrays.relate(op, left, right)

    def _set(self, items: list[Any], *, times: bool) -> Words:
        """The elements of an array literal."""
        if arrays.is_constant(items):
            return arrays.as_sets(self._word(items), times=times)
        return arrays.joined([self.value(item) for item in items], self.n)

    def _function(self, op: str, arguments: list[Any]) -> Value:
        return FUNCTIONS[op].compute(*(self.value(item) for item in arguments))


def _of(kind: type[V], value: Value) -> V:
    """The value, which the checker has seen to be of this kind."""
    if not isinstance(value, kind):
        raise TypeError("the expression was not checked")
    return value


_Method = Callable[[_Evaluator, str, list[Any]], Value]
_METHODS: Final[Mapping[str, _Method]] = {
    "not": _Evaluator._not,
    **dict.fromkeys(("and", "or"), _Evaluator._joined),
    **dict.fromkeys(COMPARISONS, _Evaluator._comparison),
    "between": _Evaluator._between,
    "in": _Evaluator._among,
    "like": _Evaluator._like,
    "isnull": _Evaluator._is_null,
    **dict.fromkeys(("casei", "accenti"), _Evaluator._text),
    **dict.fromkeys(ARITHMETIC, _Evaluator._arithmetic),
    **dict.fromkeys(spatial.SPATIAL, _Evaluator._spatial),
    **dict.fromkeys(temporal.TEMPORAL, _Evaluator._temporal),
    **dict.fromkeys(arrays.ARRAYS, _Evaluator._arrays),
    **dict.fromkeys(FUNCTIONS, _Evaluator._function),
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
    "div": lambda a, b: np.trunc(np.true_divide(a, b)),  # so that a = (a div b) * b + a % b
}
_MIRROR: Final = {"=": "=", "<>": "<>", "<": ">", ">": "<", "<=": ">=", ">=": "<="}


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


def _calculate(op: str, left: Numbers, right: Numbers) -> Numbers:
    """One step of arithmetic; a result that is no number is null."""
    with np.errstate(all="ignore"):
        values = _CALCULATE[op](left.values, right.values)
    finite = np.isfinite(values)
    return Numbers(np.where(finite, values, 0.0), left.valid & right.valid & finite)
