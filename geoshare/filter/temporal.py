"""Relations of time (Allen's algebra, as CQL2 names them), on intervals closed at both ends."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from geoshare.filter.values import Mask, Spans


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


def _turned(relation: Callable[[Spans, Spans], Mask]) -> Callable[[Spans, Spans], Mask]:
    return lambda a, b: relation(b, a)


RELATIONS: Final[Mapping[str, Callable[[Spans, Spans], Mask]]] = {
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
