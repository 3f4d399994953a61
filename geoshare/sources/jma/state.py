"""What is in force after a set of telegrams of one stream, in whatever order they came.

The state is a function of the set. Telegrams are put in order by the time of their report; where two
of one event lie within a quarter of an hour, by serial, since clocks of senders differ by minutes.
Then each ends what it no longer states of the areas it covers; 訂正 takes the place of the telegram
it corrects; 取消 ends all that its event had said before. Drills and tests are streams of their own.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from geoshare.sources.jma.statements import Statement
from geoshare.sources.jma.telegram import Telegram

SKEW_US = 15 * 60_000_000
_RANK = {"issued": 0, "corrected": 1, "cancelled": 2}

Key = tuple[str, str]  # area, kind


@dataclass(slots=True)
class Announced:
    """One kind of warning in one area: since when, by what telegram, and how it ended."""

    statement: Statement
    telegram: Telegram  # the last that states it
    since_us: int
    ended_by: Telegram | None = None
    withdrawn: bool = False  # ended by 取消 or 訂正: it should not have been said

    @property
    def state(self) -> str:
        """in_force, reported, lifted, cancelled; of drills and tests drill or test while it lasts."""
        if self.ended_by is not None:
            return "cancelled" if self.withdrawn else "lifted"
        if self.telegram.status != "normal":
            return self.telegram.status
        return "reported" if self.telegram.family == "report" else "in_force"


def in_order(telegrams: Iterable[Telegram]) -> list[Telegram]:
    """Telegrams of one stream as they were meant to come; each once."""
    once = {telegram.digest: telegram for telegram in telegrams}
    by_time = sorted(once.values(), key=_time)
    found: list[Telegram] = []
    near: list[Telegram] = []
    for telegram in by_time:
        if near and telegram.reported_us - near[-1].reported_us > SKEW_US:
            found += _by_serial(near)
            near = []
        near.append(telegram)
    return found + _by_serial(near)


def fold(telegrams: Iterable[Telegram]) -> dict[Key, Announced]:
    """Every warning that the telegrams of one stream have stated, and what became of it."""
    order = in_order(telegrams)
    corrected = _corrected(order)
    found: dict[Key, Announced] = {}
    for telegram in order:
        if telegram.digest in corrected:
            continue
        if telegram.info_type == "cancelled":
            _cancel(found, telegram)
        else:
            _state(found, telegram)
    for telegram in order:  # what was said in error stays known as that
        by = corrected.get(telegram.digest)
        for statement in telegram.statements if by is not None else ():
            wrong = Announced(statement, telegram, telegram.reported_us, by, withdrawn=True)
            found.setdefault(statement.key, wrong)
    return found


def unmatched(order: Sequence[Telegram], telegram: Telegram) -> bool:
    """Whether a correction or cancellation has nothing before it to correct or cancel."""
    if telegram.info_type == "issued":
        return False
    before = itertools.takewhile(lambda item: item.digest != telegram.digest, order)
    return not any(_same_event(item, telegram) for item in before)


def _time(telegram: Telegram) -> tuple[int, int, int, int, str]:
    rank = _RANK[telegram.info_type]
    return telegram.reported_us, telegram.sent_us, telegram.serial or 0, rank, telegram.digest


def _by_serial(near: list[Telegram]) -> list[Telegram]:
    events = {telegram.event_id for telegram in near}
    if len(events) > 1 or any(telegram.serial is None for telegram in near):
        return near
    return sorted(near, key=lambda item: (item.serial or 0, _RANK[item.info_type], *_time(item)))


def _same_event(earlier: Telegram, later: Telegram) -> bool:
    return not later.event_id or earlier.event_id == later.event_id


def _corrected(order: Sequence[Telegram]) -> dict[str, Telegram]:
    """Digests of telegrams whose place a correction has taken, and which."""
    found: dict[str, Telegram] = {}
    for place, telegram in enumerate(order):
        if telegram.info_type != "corrected":
            continue
        before = [
            item
            for item in order[:place]
            if item.info_type != "cancelled"
            and item.digest not in found
            and _same_event(item, telegram)
            and item.title == telegram.title
        ]
        same = [item for item in before if item.serial is not None and item.serial == telegram.serial]
        if telegram.serial is None or not same:
            same = before[-1:]
        # A serial begins anew with the next event, so only the newest of that number is meant.
        found.update({item.digest: telegram for item in same[-1:]})
    return found


def _cancel(found: dict[Key, Announced], telegram: Telegram) -> None:
    for warning in found.values():
        if warning.ended_by is None and _same_event(warning.telegram, telegram):
            warning.ended_by, warning.withdrawn = telegram, True


def _state(found: dict[Key, Announced], telegram: Telegram) -> None:
    said = {statement.key for statement in telegram.statements}
    covered = set(telegram.covers)
    for key, warning in found.items():
        ends = telegram.whole or key[0] in covered
        if ends and key not in said and warning.ended_by is None:
            warning.ended_by = telegram
    for statement in telegram.statements:
        before = found.get(statement.key)
        goes_on = before is not None and before.ended_by is None
        since = before.since_us if before is not None and goes_on else telegram.reported_us
        found[statement.key] = Announced(statement, telegram, since)
