"""Tells browsers to come by HTTPS alone, where the operator has said for how long (RFC 6797)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

Environ = dict[str, Any]
Wsgi = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]


class Strict:
    """WSGI around everything; the header says nothing by plain HTTP, so it is not sent there."""

    def __init__(self, app: Wsgi, seconds: int) -> None:
        self._app = app
        self._line = ("Strict-Transport-Security", f"max-age={seconds}") if seconds else None

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer, and add the header by HTTPS."""
        line = self._line
        if line is None or environ.get("wsgi.url_scheme") != "https":
            return self._app(environ, start_response)

        def start(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            return start_response(status, [*headers, line], *more)

        return self._app(environ, start)
