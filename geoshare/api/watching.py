"""What has changed in several collections, for screens that ask again and again.

Most answers say that nothing has, and the framework would take longer than that: plain questions are
answered before it. The gate, the parameters and the answer are those of the usual way, which also meets
what cannot be answered, and says why.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final
from urllib.parse import parse_qsl

from flask import Blueprint, Response, g
from pydantic import Field

from geoshare.access.credentials import Principal
from geoshare.api import reply
from geoshare.api.admit import Environ, admit, note_read
from geoshare.api.context import caller, services
from geoshare.api.costs import WATCHED
from geoshare.api.describe import Params, describes, parse_pairs
from geoshare.services import Services
from geoshare.services.watching import MOST, paired

blueprint = Blueprint("watching", __name__)

JSON: Final = "application/json"
_ENDPOINT: Final = "watching.several"
_NOT_PLAIN: Final = ("HTTP_ORIGIN", "HTTP_RANGE")

StartResponse = Callable[..., Any]
Wsgi = Callable[[Environ, StartResponse], Iterable[bytes]]


class WatchParams(Params):
    """Which collections, and from where on."""

    collections: str = Field(max_length=2_200, description=f"Names, comma-separated, 1 to {MOST}")
    since: str | None = Field(
        None,
        max_length=8_000,
        description="A token for each, in the same order, comma-separated; empty for none yet",
    )
    desk: str = Field(
        "",
        max_length=64,
        description="Of these, the one whose features are edited: they come with their versions",
    )


class QuickWatch:
    """WSGI in front of the application."""

    def __init__(self, app: Wsgi, services: Services) -> None:
        self._app = app
        self._services = services

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a plain question; hand everything else on."""
        if environ["PATH_INFO"] != WATCHED or environ["REQUEST_METHOD"] != "GET":
            return self._app(environ, start_response)
        is_browsed = "text/html" in environ.get("HTTP_ACCEPT", "")
        if is_browsed or any(name in environ for name in _NOT_PLAIN):
            return self._app(environ, start_response)
        try:
            who = admit(self._services, environ)
            query = environ.get("QUERY_STRING", "")
            pairs = parse_qsl(query, keep_blank_values=True, errors="werkzeug.url_quote")
            content, told = _told(self._services, who, parse_pairs(WatchParams, pairs))
            if told:
                note_read(self._services, who, ",".join(told), _ENDPOINT)
        except Exception:  # whatever it is, the usual way meets it again and says what may be said
            return self._app(environ, start_response)
        coding = reply.accepted(environ.get("HTTP_ACCEPT_ENCODING", ""))
        made = reply.encoded(content, JSON, coding)
        return reply.start(made, JSON, environ, start_response, anonymous=who.anonymous)


@blueprint.get(WATCHED)
@describes("What has changed in several collections", params=WatchParams, tags=("features",))
def several(params: WatchParams) -> Response:
    """Made to be asked again and again: ``next_ms`` says when next."""
    content, told = _told(services(), caller(), params)
    g.named = ",".join(told)
    return reply.body(content, JSON)


def _told(found: Services, who: Principal, params: WatchParams) -> tuple[bytes, tuple[str, ...]]:
    names = params.collections.split(",")
    return found.watching.told(who, names, paired(names, params.since), params.desk)
