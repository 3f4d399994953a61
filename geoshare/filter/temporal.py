"""Relations of time (Allen's algebra, as CQL2 names them), on intervals closed at both ends.

CQL2 (OGC 21-065r2), 7.7: two dates are compared as days, so that an interval of days meets the one that
begins on its last day; a date beside a timestamp is the time from its first to its last microsecond.
Ten of the relations are of intervals alone; with an instant they are an error.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

import numpy as np

from geoshare.filter.literals import DAY_US, EVER
from geoshare.filter.values import Mask, Spans, Truth

Relation = Callable[[Spans, Spans], Mask]


def _after(a: Spans, b: Spans) -> Mask:
    answer: Mask = a.start > b.end
    return answer


def _before(a: Spans, b: Spans) -> Mask:
    answer: Mask = a.end < b.start
    return answer


def _intersects(a: Spans, b: Spans) -> Mask:
    answer: Mask = (a.start <= b.end) & (b.start <= a.end)
    return answer


def _disjoint(a: Spans, b: Spans) -> Mask:
    return ~_intersects(a, b)


def _equals(a: Spans, b: Spans) -> Mask:
    answer: Mask = (a.start == b.start) & (a.end == b.end)
    return answer


def _during(a: Spans, b: Spans) -> Mask:
    answer: Mask = (a.start > b.start) & (a.end < b.end)
    return answer


def _finishes(a: Spans, b: Spans) -> Mask:
    answer: Mask = (a.start > b.start) & (a.end == b.end)
    return answer


def _starts(a: Spans, b: Spans) -> Mask:
    answer: Mask = (a.start == b.start) & (a.end < b.end)
    return answer


def _meets(a: Spans, b: Spans) -> Mask:
    answer: Mask = a.end == b.start
    return answer


def _overlaps(a: Spans, b: Spans) -> Mask:
    answer: Mask = (a.start < b.start) & (a.end > b.start) & (a.end < b.end)
    return answer


def _turned(relation: Relation) -> Relation:
    return lambda a, b: relation(b, a)


_RELATIONS: Final[Mapping[str, Relation]] = {
    "t_after": _after,
    "t_before": _before,
    "t_intersects": _intersects,
    "t_disjoint": _disjoint,
    "t_equals": _equals,
    "t_during": _during,
    "t_contains": _turned(_during),
    "t_finishes": _finishes,
    "t_finishedby": _turned(_finishes),
    "t_starts": _starts,
    "t_startedby": _turned(_starts),
    "t_meets": _meets,
    "t_metby": _turned(_meets),
    "t_overlaps": _overlaps,
    "t_overlappedby": _turned(_overlaps),
}
OF_INSTANTS: Final = ("t_after", "t_before", "t_disjoint", "t_equals", "t_intersects")  # and intervals
TEMPORAL: Final = tuple(_RELATIONS)


def relate(op: str, left: Spans, right: Spans) -> Truth:
    """One relation of two times, row by row; unknown where either is null or ends before it begins."""
    known = _lawful(left) & _lawful(right)
    if left.days and right.days:
        left, right = _as_days(left), _as_days(right)
    return Truth.of(_RELATIONS[op](left, right), known)


def compare(op: str, left: Spans, right: Spans) -> Mask:
    """Compare instants of different grain: a day is equal to each of its instants."""
    equal = _intersects(left, right)
    before, after = _before(left, right), _after(left, right)
    answers = {
        "=": equal,
        "<>": ~equal,
        "<": before,
        ">": after,
        "<=": before | equal,
        ">=": after | equal,
    }
    return answers[op]


def _lawful(span: Spans) -> Mask:
    answer: Mask = span.valid & (span.start <= span.end)
    return answer


def _as_days(span: Spans) -> Spans:
    """The same interval of days with its last day as one instant; an open end stays open."""
    return replace(span, end=np.where(span.end == EVER[1], span.end, span.end - (DAY_US - 1)))
