"""Asks both twins the same sequence of questions, and says where they first answer differently."""

from __future__ import annotations

import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from werkzeug.test import TestResponse

from tests.leaks import desk_town
from tests.leaks.asking import Asker, Onlooker
from tests.leaks.declared import Seen, seen
from tests.leaks.town import COLLECTIONS, changed
from tests.leaks.twins import Request, Twins

EVERY = 300  # requests between changes, and at least five changes
WORK = 80  # requests between runs of the worker
TOLD = 1_000  # requests between words on how it goes
AROUND = 300  # letters of an answer that are shown of a difference
MOVE_S = 7  # by which the clock moves with a change


class Difference(NamedTuple):
    """Two answers to one question."""

    number: int
    rule: str
    request: Request
    plain: Seen
    full: Seen

    def __str__(self) -> str:
        """The question, and where the answers first differ."""
        said = [f"request {self.number}, {self.rule}: {self.request}"]
        for name, one, other in zip(("status", "headers", "body"), self.plain, self.full, strict=True):
            if one != other:
                said.append(f"{name}: {_from_difference(one, other)}")
        return "\n".join(said)


def _from_difference(one: object, other: object) -> str:
    """Both texts from shortly before the first letter that differs."""
    texts = str(one), str(other)
    first = next((n for n, (a, b) in enumerate(zip(*texts, strict=False)) if a != b), 0)
    return " | ".join(text[max(0, first - AROUND) : first + AROUND] for text in texts)


@dataclass
class Outcome:
    """What came of a sequence: how many answers of which status, and the first difference."""

    difference: Difference | None = None
    statuses: Counter[tuple[str, int]] = field(default_factory=Counter)

    def answered(self) -> set[str]:
        """Rules that were answered with something."""
        return {rule for (rule, status), count in self.statuses.items() if status in (200, 202)}


def compare(twins: Twins, tier: str, requests: int, seed: int, only: str = "") -> Outcome:
    """Ask until the twins differ, or so many requests have been asked, of all rules or some (``only``).

    Before some of the questions a holder of everything asks both twins the same; its answers differ and
    are not looked at, but must leave nothing behind.
    """
    asker = Asker(seed, twins.keys[tier], f"org-{tier}", only)
    onlooker = Onlooker(seed, twins.keys["operator"])
    twins.move(MOVE_S)  # commits of one instant are told apart by a microsecond each
    _try_hidden_ids(twins, asker)
    asker.session, asker.csrf = twins.login(tier)
    found, every = Outcome(), min(EVERY, max(1, requests // 5))
    begun_s = time.perf_counter()
    for number in range(requests):
        if number and number % every == 0:
            step = number // every
            twins.load(changed(tier, step, full=False), changed(tier, step, full=True))
            twins.move(MOVE_S)
            asker.session, asker.csrf = twins.login(tier)
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


def _try_hidden_ids(twins: Twins, asker: Asker) -> None:
    """Let the asker guess ids of features that only the full record has."""
    said = (("X-API-Key", twins.keys["operator"]),)
    for name in (*COLLECTIONS, *desk_town.COLLECTIONS):
        request = Request("GET", f"/collections/{name}/items", (("limit", "300"),), said)
        there = [{item["id"] for item in _features(twin.ask(request))} for twin in twins.both()]
        asker.known.ids += sorted(there[1] - there[0])[:4]


def _features(answer: TestResponse) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = answer.json["features"] if answer.status_code == 200 else []
    return found
