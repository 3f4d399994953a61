"""Asks both twins the same sequence of questions, and says where they first answer differently."""

from __future__ import annotations

import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

from tests.leaks.asking import Asker, Onlooker
from tests.leaks.declared import seen
from tests.leaks.town import changed
from tests.leaks.twins import Request, Twins

EVERY = 150  # requests between changes, and at least five changes
WORK = 40  # requests between runs of the worker
TOLD = 1_000  # requests between words on how it goes
MOVE_S = 7  # by which the clock moves with a change


class Difference(NamedTuple):
    """Two answers to one question."""

    number: int
    rule: str
    request: Request
    plain: object
    full: object


@dataclass
class Outcome:
    """What came of a sequence: how many answers of which status, and the first difference."""

    difference: Difference | None = None
    statuses: Counter[tuple[str, int]] = field(default_factory=Counter)

    def answered(self) -> set[str]:
        """Rules that were answered with something."""
        return {rule for (rule, status), count in self.statuses.items() if status in (200, 202)}


def compare(twins: Twins, tier: str, requests: int, seed: int) -> Outcome:
    """Ask until the twins differ, or so many requests have been asked.

    Before some of the questions a holder of everything asks both twins the same; its answers differ and
    are not looked at, but must leave nothing behind.
    """
    asker, onlooker = Asker(seed, twins.keys[tier]), Onlooker(seed, twins.keys["operator"])
    found, every = Outcome(), min(EVERY, max(1, requests // 5))
    begun_s = time.perf_counter()
    for number in range(requests):
        if number and number % every == 0:
            step = number // every
            twins.load(changed(tier, step, full=False), changed(tier, step, full=True))
            twins.clock.move(MOVE_S)
        rule, request = asker.next()
        looked = onlooker.before(request)
        for twin in twins.both() if looked is not None else ():
            twin.ask(looked)
        one, other = (twin.ask(request) for twin in twins.both())
        answers = seen(request.path, one), seen(request.path, other)
        if answers[0] != answers[1]:
            found.difference = Difference(number, rule, request, *answers)
            return found
        found.statuses[rule, one.status_code] += 1
        asker.known.learn(request, one)
        if number % WORK == WORK - 1:
            twins.work()
        if number % TOLD == TOLD - 1:
            rate = (number + 1) / (time.perf_counter() - begun_s)
            said = f"{tier}, seed {seed}: {number + 1} requests, no difference ({rate:.0f}/s)"
            print(said, file=sys.__stderr__, flush=True)
    return found
