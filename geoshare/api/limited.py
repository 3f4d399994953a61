"""Around every request that was counted: its turn ends, and its answer says what is left.

``RateLimit-Policy`` and ``RateLimit`` are those of draft-ietf-httpapi-ratelimit-headers-11: a list of
the caller's limits, by name, with the quota ``q`` in a window of ``w`` seconds, and what remains ``r``
until ``t`` seconds from now. Cost is counted in a unit of our own (``qu="cost-units"``).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Any

from geoshare.access.limits import Limit
from geoshare.access.turns import Turn, Turns
from geoshare.api.admit import COUNTED, TURN, Environ
from geoshare.services import Services
from geoshare.services.quotas import Counted

Headers = list[tuple[str, str]]
StartResponse = Callable[..., Any]
Wsgi = Callable[[Environ, StartResponse], Iterable[bytes]]
log = logging.getLogger("geoshare.api")

WINDOW_S = {"minute": 60, "month": 2_678_400}  # a month has at most so many


class Limited:
    """WSGI in front of everything."""

    def __init__(self, app: Wsgi, services: Services) -> None:
        self._app = app
        self._turns = services.quotas.turns

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer, add the headers, and let go of the thread when the answer has left."""

        def start(status: str, headers: Headers, exc_info: Any = None) -> Any:
            counted: Counted | None = environ.get(COUNTED)
            if counted is not None:
                headers = [*headers, *said(counted)]
            return start_response(status, headers, *(() if exc_info is None else (exc_info,)))

        answer: Iterable[bytes] | None = None
        try:
            answer = self._app(environ, start)
        finally:
            turn: Turn | None = environ.get(TURN)
            if turn is not None and (answer is None or isinstance(answer, list)):
                self._turns.leave(turn)
        return answer if turn is None or isinstance(answer, list) else _Held(answer, self._turns, turn)


class _Held:
    """An answer in pieces, which holds its thread until it is closed."""

    def __init__(self, answer: Iterable[bytes], turns: Turns, turn: Turn) -> None:
        self._answer, self._turns = answer, turns
        self._turn: Turn | None = turn
        turns.lasts(turn)

    def __iter__(self) -> Iterator[bytes]:
        yield from self._answer

    def close(self) -> None:
        turn, self._turn = self._turn, None
        if turn is not None:
            self._turns.leave(turn)
        close = getattr(self._answer, "close", None)
        if close is not None:
            close()


def said(counted: Counted) -> Headers:
    """The headers of a request that was counted; none where what is left cannot be told."""
    if not counted.limits:
        return []
    try:
        left = [f'"{limit.name}";r={number};t={wait_s}' for limit, number, wait_s in counted.left()]
    except Exception:  # an answer that was decided on is not lost for its headers
        log.exception("what is left of quotas cannot be told")
        return []
    return [("RateLimit-Policy", _policy(counted.limits)), ("RateLimit", ", ".join(left))]


@lru_cache(maxsize=4_096)
def _policy(limits: tuple[Limit, ...]) -> str:
    return ", ".join(
        f'"{limit.name}";q={limit.most};w={WINDOW_S[limit.per]}'
        + (';qu="cost-units"' if limit.unit == "cost" else "")
        for limit in limits
    )
