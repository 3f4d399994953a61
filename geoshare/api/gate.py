"""Slow clients hold a thread for as long as they like: so only some threads are theirs.

A thread is held by who sends a body, and by who reads an answer that comes in pieces. Without this, a
few dozen of either kind that stall would hold every thread, and the map would stop. Of either kind half
of the threads are taken at most, and together never all; a client that already holds several gets no
more, so that one client cannot keep the others out. Event streams have places of their own among them.
Answers that are whole hold no thread: the server is handed all of their bytes.
"""

from __future__ import annotations

import hashlib
import io
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Any

import orjson

SHARE = 2  # of all threads, one in so many may serve slow clients of one kind
FREE = 4  # of all threads, one in so many serves none of them
PER_CLIENT = 3
RETRY_AFTER_S = 2
EVENTS = "text/event-stream"
SMALL_BYTES = 64_000  # a body up to this is read before anything is done with it
HELD_BYTES = 1_000_000  # an answer of files up to this is read at once
_BODY = ("POST", "PATCH", "PUT")
_FULL = orjson.dumps(
    {"type": "about:blank#unavailable", "title": "Cannot be answered now", "status": 503}
)
_FULL_HEADERS = [
    ("Content-Type", "application/problem+json"),
    ("Content-Length", str(len(_FULL))),
    ("Retry-After", str(RETRY_AFTER_S)),
    ("Cache-Control", "no-store"),
]

Environ = dict[str, Any]
Headers = list[tuple[str, str]]
StartResponse = Callable[..., Any]
Wsgi = Callable[[Environ, StartResponse], Iterable[bytes]]


class Gate:
    """WSGI in front of the application."""

    def __init__(self, app: Wsgi, threads: int, streams: int = 8) -> None:
        self._app = app
        self._slow = Places(max(1, threads - max(1, threads // FREE)))
        most = max(1, threads // SHARE)
        self._senders, self._readers = Places(most, PER_CLIENT), Places(most, PER_CLIENT)
        self._streams = Places(min(most, streams), max(1, streams // 2))

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Let a request with a body through where there is a place for it, and all others."""
        said = _Said()
        if environ["REQUEST_METHOD"] not in _BODY:
            return self._answer(environ, self._app(environ, said), said, start_response)
        client = _client(environ)
        if not self._enter(self._senders, client):
            return _full(start_response)
        small = False
        try:  # a place is for as long as a body is on its way
            small = _read_small(environ)
            answer = [] if small else self._app(environ, said)
        finally:
            self._leave(self._senders, client)
        if small:  # what is done with it takes no longer for a slow client than for a fast one
            answer = self._app(environ, said)
        return self._answer(environ, answer, said, start_response)

    def _answer(
        self, environ: Environ, answer: Iterable[bytes], said: _Said, start_response: StartResponse
    ) -> Iterable[bytes]:
        """Hand over an answer: whole, or in pieces where there is a place for it."""
        if isinstance(answer, list):
            start_response(said.status, said.headers)
            return answer
        pieces = iter(answer)
        taken, whole = _begun(pieces, said.length)
        if whole:
            _close(answer)
            start_response(said.status, said.headers)
            return taken
        client = _client(environ)
        kind = self._streams if said.content_type.startswith(EVENTS) else self._readers
        if not self._enter(kind, client):
            _close(answer)
            return _full(start_response)

        def end() -> None:
            self._leave(kind, client)
            _close(answer)

        start_response(said.status, said.headers)
        return _Pieces(taken, pieces, end)

    def _enter(self, kind: Places, client: str) -> bool:
        if not kind.enter(client):
            return False
        if not self._slow.enter(client):
            kind.leave(client)
            return False
        return True

    def _leave(self, kind: Places, client: str) -> None:
        self._slow.leave(client)
        kind.leave(client)


def _read_small(environ: Environ) -> bool:
    """Read a small body, which then is here; False, and nothing is read, for any other.

    Of a line that broke there is what came before; the application is told how much it should be.
    """
    text = environ.get("CONTENT_LENGTH") or ""
    if not text.isdigit() or int(text) > SMALL_BYTES:
        return False
    body = bytearray()
    with suppress(OSError):
        while len(body) < int(text) and (piece := environ["wsgi.input"].read(int(text) - len(body))):
            body += piece
    environ["wsgi.input"] = io.BytesIO(bytes(body))
    return True


class Places:
    """So many places in all, and so many for one client."""

    def __init__(self, most: int, per_client: int | None = None) -> None:
        self._most = most
        self._per_client = most if per_client is None else per_client
        self._clients: Counter[str] = Counter()
        self._lock = threading.Lock()

    def enter(self, client: str) -> bool:
        """Take a place; False where there is none for this client."""
        with self._lock:
            if self._clients[client] >= self._per_client or self._clients.total() >= self._most:
                if not self._clients[client]:
                    del self._clients[client]
                return False
            self._clients[client] += 1
            return True

    def leave(self, client: str) -> None:
        """Give a place back."""
        with self._lock:
            self._clients[client] -= 1
            if not self._clients[client]:
                del self._clients[client]


class _Said:
    """Status and headers, kept until it is known whether the answer can be given."""

    def __init__(self) -> None:
        self.status = ""
        self.headers: Headers = []

    def __call__(self, status: str, headers: Headers, exc_info: Any = None) -> None:
        self.status, self.headers = status, headers

    @property
    def length(self) -> int | None:
        """Bytes of the body, where that is said."""
        found = self._header("content-length")
        return int(found) if found else None

    @property
    def content_type(self) -> str:
        """Type of the body; empty where it is not said."""
        return self._header("content-type")

    def _header(self, wanted: str) -> str:
        return next((value for name, value in self.headers if name.lower() == wanted), "")


class _Pieces:
    """An answer in pieces that gives its place back once, however it ends."""

    def __init__(self, taken: list[bytes], rest: Iterator[bytes], end: Callable[[], None]) -> None:
        self._taken, self._rest, self._end = taken, rest, end
        self._ended = False

    def __iter__(self) -> Iterator[bytes]:
        yield from self._taken
        yield from self._rest

    def close(self) -> None:
        if not self._ended:
            self._ended = True
            self._end()


def _begun(pieces: Iterator[bytes], length: int | None) -> tuple[list[bytes], bool]:
    """The first pieces, and whether they are all: those of a short answer are."""
    taken: list[bytes] = []
    size = 0
    for piece in pieces:
        taken.append(piece)
        size += len(piece)
        if size == length:
            return taken, True
        if length is None or length > HELD_BYTES:
            return taken, False
    return taken, True


def _close(answer: Iterable[bytes]) -> None:
    close = getattr(answer, "close", None)
    if close is not None:
        close()


def _full(start_response: StartResponse) -> list[bytes]:
    start_response("503 SERVICE UNAVAILABLE", list(_FULL_HEADERS))
    return [_FULL]


def _client(environ: Environ) -> str:
    """Who asks, as far as can be told before anything is read: address and credential."""
    names = ("REMOTE_ADDR", "HTTP_X_API_KEY", "HTTP_AUTHORIZATION", "HTTP_COOKIE")
    said = (environ.get(name, "") for name in names)
    return hashlib.blake2b("\n".join(said).encode(), digest_size=16).hexdigest()
