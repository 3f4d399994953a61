"""The short way to features: what comes most often is answered without the framework.

The framework's routing, request and response take longer than finding and writing a hundred features.
The gate, the parameters and the page are those of the usual way. A request that is anything but plain,
or that cannot be answered, goes the usual way, which says why.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qsl

from geoshare.api import reply
from geoshare.api.address import base_url
from geoshare.api.admit import Environ, admit, note_read
from geoshare.api.describe import parse_pairs
from geoshare.api.pages import GEOJSON, page_body
from geoshare.api.params import ItemsParams
from geoshare.services import Services

StartResponse = Callable[..., Any]
Wsgi = Callable[[Environ, StartResponse], Iterable[bytes]]
PAGE = "collections.items_page"  # the endpoint that is answered here
_NOT_PLAIN = ("HTTP_ORIGIN", "HTTP_RANGE")
_GEOJSON = ("*/*", "application/geo+json", "application/json")  # who likes these best gets it
_GEOJSON_NAMES = (None, "json", "geojson")  # of the format; all others are made the usual way
_PARTS = 4  # of "/collections/c/items"


class DirectPages:
    """WSGI in front of the application."""

    def __init__(self, app: Wsgi, services: Services) -> None:
        self._app = app
        self._services = services

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a plain request for a page; hand everything else on."""
        collection = _collection(environ)
        if collection is None:
            return self._app(environ, start_response)
        try:
            who = admit(self._services, environ)
            params = parse_pairs(ItemsParams, _pairs(environ.get("QUERY_STRING", "")))
            if params.f not in _GEOJSON_NAMES:
                return self._app(environ, start_response)
            base = base_url(self._services.settings, environ)
            page = page_body(self._services, who, base, collection, params)
            note_read(self._services, who, collection, PAGE)
        except Exception:  # whatever it is, the usual way meets it again and says what may be said
            return self._app(environ, start_response)
        coding = reply.accepted(environ.get("HTTP_ACCEPT_ENCODING", ""))
        made = reply.encoded(page.content, GEOJSON, coding, page.stamp)
        return reply.start(
            made, GEOJSON, environ, start_response, anonymous=who.anonymous, more=page.headers
        )


def _collection(environ: Environ) -> str | None:
    """The collection a plain request wants a page of."""
    if environ["REQUEST_METHOD"] != "GET" or not environ["PATH_INFO"].startswith("/collections/"):
        return None
    parts = environ["PATH_INFO"].split("/")
    if len(parts) != _PARTS or parts[3] != "items" or any(name in environ for name in _NOT_PLAIN):
        return None
    accepted = environ.get("HTTP_ACCEPT", "")
    if accepted and accepted.partition(",")[0].partition(";")[0].strip() not in _GEOJSON:
        return None
    name: str = parts[2]
    return name


def _pairs(query: str) -> list[tuple[str, str]]:
    """The parameters of a query as the framework reads them."""
    return parse_qsl(query, keep_blank_values=True, errors="werkzeug.url_quote")
