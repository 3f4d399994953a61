"""Changes of a collection as they happen: server-sent events, each with the token to go on from.

A stream is a request that lasts: who asks and what they hold is looked at again many times a second,
so a credential that is revoked ends its streams within a second, and rights that change are followed
like in the feed. A stream holds one thread, so a worker has few of them (see the gate), and each ends
after a while; readers come back by themselves and name the last event they have.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import orjson
from flask import Blueprint, Response, request

from geoshare.access.view import View
from geoshare.api import reply
from geoshare.api.admit import Environ, asking, note_read
from geoshare.api.context import caller, services
from geoshare.api.describe import describes
from geoshare.api.gate import EVENTS
from geoshare.api.params import StreamParams
from geoshare.errors import GeoshareError, Gone, Unavailable
from geoshare.query.feed import FeedQuery, holder
from geoshare.services import Services
from geoshare.services.watching import MANY, changes_told

LOOK_S: Final = 0.1
HEARTBEAT_S: Final = 3.0  # who has left is noticed when there is something to send
PATIENCE_S: Final = 10.0  # with a view that is being prepared
RETRY_MS: Final = 2_000
_ENDPOINT: Final = "stream.changes_stream"

blueprint = Blueprint("stream", __name__)


@blueprint.get("/collections/<collection>/changes/stream")
@describes(
    "Changes as they happen",
    params=StreamParams,
    answers={
        200: (EVENTS, "Server-sent events; the id of each is the token to go on from"),
        410: ("application/problem+json", "It is not known any more: take a new copy"),
    },
    tags=("features",),
)
def changes_stream(params: StreamParams, collection: str) -> Response:
    """What is wrong is said before the stream begins."""
    last = request.headers.get("Last-Event-ID") or params.since
    stream = Stream(services(), request.environ, collection)
    first = stream.open(last)
    response = Response(stream.events(first), content_type=EVENTS, direct_passthrough=True)
    response.headers["X-Accel-Buffering"] = "no"
    return reply.finish(response, cache="no-store")


@dataclass
class Stream:
    """What one reader is told; of one thread.

    ``pause`` waits so many seconds, ``now_s`` tells seconds that only go on.
    """

    services: Services
    environ: Environ
    collection: str
    pause: Callable[[float], None] = time.sleep
    now_s: Callable[[], float] = time.monotonic
    _seen: tuple[str, str] = ("", "")
    _token: str = ""

    def open(self, last: str | None) -> bytes:
        """Return the first event: what has changed since the last one, or the token of now.

        Raises
        ------
        GeoshareError
            as the feed does for a token that is of something else or too old.
        """
        view = self.services.view(caller(), self.collection, "stream")
        self._seen = view.policy_hash, view.token
        if last is None:
            self._token = self.services.feed.token(view, holder(caller()))
            return _event("token", self._token, {"token": self._token})
        self._token = last
        return self._changed(view, holder(caller()))

    def events(self, first: bytes) -> Iterator[bytes]:
        """All events, until the stream is over."""
        yield b"retry: %d\n\n" % RETRY_MS + first
        begun = spoken = prepared = self.now_s()
        while self.now_s() - begun < self.services.settings.stream_s:
            self.pause(LOOK_S)
            try:
                said = self._look()
                prepared = self.now_s()
            except Unavailable:
                said = b""
                if self.now_s() - prepared > PATIENCE_S:
                    return
            except Gone:
                yield _event("gone", "", {"since": self._token})
                return
            except GeoshareError:  # revoked, or nothing of it is held any more
                return
            if not said and self.now_s() - spoken > HEARTBEAT_S:
                said = b":\n\n"
            if said:
                spoken = self.now_s()
                yield said

    def _look(self) -> bytes:
        """What has changed since the last look; nothing where nothing has."""
        who = asking(self.services, self.environ)
        view = self.services.view(who, self.collection, "stream")
        seen = view.policy_hash, view.token
        if seen == self._seen:
            return b""
        said = self._changed(view, holder(who))
        note_read(self.services, who, self.collection, _ENDPOINT)
        self._seen = seen
        return said

    def _changed(self, view: View, who: str) -> bytes:
        """One event for all that has changed since the token; the token of now is its id."""
        since = self._token
        page = self.services.feed.page(view, FeedQuery(since, MANY), who)
        token = page.token or self.services.feed.token(view, who)
        self._token = token
        if token == since and not page.count:
            return b":\n\n"
        # What is not told here has to be fetched: who breaks off before begins at the same place again.
        mark = "" if page.token is None else token
        return _event("changes", mark, {"since": since, "token": token, **changes_told(page)})


def _event(kind: str, token: str, said: dict[str, Any]) -> bytes:
    """An event; JSON has no line breaks, so that its data is one line."""
    name = b"id: %s\n" % token.encode() if token else b""
    return b"event: %s\n%sdata: %s\n\n" % (kind.encode(), name, orjson.dumps(said))
