"""Requests with a body hold a thread for as long as the sender likes: so only some threads are theirs.

Without this, a few dozen stalled uploads would hold every thread, and the map would stop. A client
that already sends several gets no more places, so that one client cannot keep the others out.
"""

from __future__ import annotations

import hashlib
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import orjson

SHARE = 2  # of all threads, one in so many may read bodies
PER_CLIENT = 3
RETRY_AFTER_S = 2
_BODY = ("POST", "PATCH", "PUT")
_FULL = orjson.dumps(
    {"type": "about:blank#unavailable", "title": "Cannot be answered now", "status": 503}
)

Environ = dict[str, Any]
Wsgi = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]


class Gate:
    """WSGI in front of the application."""

    def __init__(self, app: Wsgi, threads: int) -> None:
        self._app = app
        self._places = max(1, threads // SHARE)
        self._clients: Counter[str] = Counter()
        self._lock = threading.Lock()

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Let a request with a body through where there is a place for it, and all others."""
        if environ["REQUEST_METHOD"] not in _BODY:
            return self._app(environ, start_response)
        client = _client(environ)
        if not self._enter(client):
            start_response(
                "503 SERVICE UNAVAILABLE",
                [
                    ("Content-Type", "application/problem+json"),
                    ("Content-Length", str(len(_FULL))),
                    ("Retry-After", str(RETRY_AFTER_S)),
                    ("Cache-Control", "no-store"),
                ],
            )
            return [_FULL]
        try:
            return self._app(environ, start_response)
        finally:  # by now the body has been read, which is all that a place is for
            self._leave(client)

    def _leave(self, client: str) -> None:
        with self._lock:
            self._clients[client] -= 1
            if not self._clients[client]:
                del self._clients[client]

    def _enter(self, client: str) -> bool:
        with self._lock:
            if self._clients[client] >= PER_CLIENT or self._clients.total() >= self._places:
                if not self._clients[client]:
                    del self._clients[client]
                return False
            self._clients[client] += 1
            return True


def _client(environ: Environ) -> str:
    """Who sends, as far as can be told before anything is read: address and credential."""
    said = (environ.get(name, "") for name in ("REMOTE_ADDR", "HTTP_X_API_KEY", "HTTP_AUTHORIZATION"))
    return hashlib.blake2b("\n".join(said).encode(), digest_size=16).hexdigest()
