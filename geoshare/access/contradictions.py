"""Grants of one tier that contradict one another, and rows that tell of hidden columns."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations
from typing import Any

from geoshare.model.policy import READING, Grant, Tier, Transform
from geoshare.model.policy.transforms import gives

Remark = tuple[int, str, str]  # number of the grant, English, Japanese


def contradictions(tier: Tier) -> Iterator[Remark]:
    """Say where a grant cannot do what it says, or says more than its columns do.

    A row that is shown tells that its rule holds, also of a column that is not shown as it is. Of two
    grants that reach the same rows, the one that shows more of a column, a place or a time wins.
    """
    for number, grant in enumerate(tier.grants):
        yield from ((number, *words) for words in _told_by_rows(tier, grant))
    for (number, grant), (other, stronger) in permutations(enumerate(tier.grants), 2):
        if _meet(grant, stronger):
            yield from ((number, *words) for words in _undone(grant, stronger, f"grants[{other}]"))


def _told_by_rows(tier: Tier, grant: Grant) -> Iterator[tuple[str, str]]:
    if not set(grant.actions) & set(READING):
        return
    beside = [item for item in tier.grants if _covers(item, grant) and _meet(grant, item)]
    for column in _compared(grant.rows):
        if any(item.transform(column).kind == "keep" for item in (grant, *beside)):
            continue
        listed = grant.lists(column)
        how, how_ja = ("changed", "変換されます") if listed else ("not shown", "見えません")
        yield (
            f"its rows are chosen by {column}, which is {how}: that a row is shown tells of its value",
            f"行の条件に使う{column}は{how_ja}が、行が見えることから値が分かります",
        )


def _undone(grant: Grant, stronger: Grant, name: str) -> Iterator[tuple[str, str]]:
    """What another grant shows to the same holder anyway."""
    yield from _neither(grant, stronger, name)
    if not _covers(stronger, grant):
        return
    shown = [
        column
        for column, transform in grant.transforms.items()
        if _more(stronger, column, transform) and stronger.delay_us <= grant.delay_us
    ]
    if shown:
        columns = ", ".join(shown)
        yield (
            f"{name} shows more of {columns} in all of its rows: its transforms have no effect",
            f"{name}が同じ行で{columns}をより詳しく見せるため、変換の効果がありません",
        )
    both = _both(grant, stronger)
    if grant.delay_us > stronger.delay_us and both:
        yield (
            f"{name} shows {', '.join(both)} of its rows sooner: its delay has no effect on them",
            f"{name}が{'、'.join(both)}を先に見せるため、遅延の効果がありません",
        )
    if grant.snap_m > stronger.snap_m and stronger.delay_us <= grant.delay_us:
        yield (
            f"{name} shows the places of its rows more precisely: its precision has no effect",
            f"{name}がより正確な位置を見せるため、位置精度の制限の効果がありません",
        )


def _neither(grant: Grant, other: Grant, name: str) -> Iterator[tuple[str, str]]:
    """Two changes of a column of which neither gives the other, where both grants may reach."""
    if grant.rows != other.rows or grant.area != other.area:
        return
    for column in _both(grant, other):
        one, two = grant.transform(column), other.transform(column)
        if not gives(one, two) and not gives(two, one):
            yield (
                f"{name} shows {column} in another way, and only one of both can be shown",
                f"{name}は{column}を別の方法で見せ、どちらか一方しか表示されません",
            )


def _meet(grant: Grant, other: Grant) -> bool:
    """Whether both let somebody read the same collection."""
    same = grant.collections == "all" or other.collections == "all"
    names = same or bool(set(grant.collections) & set(other.collections))
    return names and bool(set(grant.actions) & set(other.actions) & set(READING) - {"discover"})


def _covers(outer: Grant, inner: Grant) -> bool:
    """Whether one grant is in force and reaches wherever and whenever the other one does."""
    time = outer.window_us is None or outer.window_us == inner.window_us
    term = (outer.valid_from is None or outer.valid_from == inner.valid_from) and (
        outer.valid_until is None or outer.valid_until == inner.valid_until
    )
    rows = outer.rows is None or outer.rows == inner.rows
    area = outer.area is None or (outer.area, outer.area_mode) == (inner.area, inner.area_mode)
    actions = set(inner.actions) & set(READING) <= set(outer.actions)
    shows = outer.release_classes == "all" or set(inner.release_classes) <= set(outer.release_classes)
    return time and term and rows and area and actions and shows


def _both(grant: Grant, other: Grant) -> list[str]:
    """Columns that both name."""
    if grant.columns == "all":
        return [] if other.columns == "all" else list(other.columns)
    return [column for column in grant.columns if other.lists(column)]


def _more(stronger: Grant, column: str, transform: Transform) -> bool:
    other = stronger.transform(column)
    return stronger.lists(column) and other != transform and gives(other, transform)


def _compared(rule: Any) -> list[str]:
    """Columns whose values a rule of CQL2-JSON compares; that one is null tells of no value."""
    if isinstance(rule, dict) and str(rule.get("op")).lower() == "isnull":
        return []
    if isinstance(rule, dict) and isinstance(rule.get("property"), str):
        return [rule["property"]]
    parts = rule if isinstance(rule, list) else rule.values() if isinstance(rule, dict) else ()
    return list(dict.fromkeys(name for part in parts for name in _compared(part)))
