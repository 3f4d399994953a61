"""What a handler may reach: the services, who asks, and the address links are built from."""

from __future__ import annotations

from flask import Flask, current_app, g, request

from geoshare.access.credentials import ANONYMOUS, Principal
from geoshare.api import address, cookies, reply
from geoshare.api.admit import LINKS, admit, credential
from geoshare.errors import BadRequest, Unauthenticated
from geoshare.services import Services

SHARED = "/s/"  # what lies below is the same for everybody, and counts for itself
OPEN_PATHS = ("/healthz", "/readyz", "/oauth/token")  # which count for themselves, or not at all
MAP_TILES = "/map/tiles"  # below a page, and not the same for everybody
PAGES = ("/map", "/contribute", "/account", "/desk")  # and what lies below: the same for everybody


def services() -> Services:
    """The services of this application."""
    found: Services = current_app.extensions["geoshare"]
    return found


def caller() -> Principal:
    """Who asks: an organisation by its key, or anyone under the open agreement."""
    principal: Principal = g.principal
    return principal


def base_url() -> str:
    """The address of this server as the client knows it, from the settings' allow-list only."""
    return address.base_url(services().settings, request.environ)


def href(*parts: str, **query: str | None) -> str:
    """An absolute link; commas and other marks in values are percent-encoded."""
    return address.link(base_url(), *parts, **query)


def followed(address: str) -> str:
    """An address that a client is to follow: by a signed link, where it came by one."""
    return services().links.carried(caller(), address)


def check_format(wanted: str | None, *available: str) -> str:
    """The format of the answer: ``f`` wins over ``Accept``; the first is the default."""
    if wanted is None:
        types = {
            "json": "application/json",
            "html": "text/html",
            "geojson": "application/geo+json",
            "mapbox": "application/vnd.mapbox.style+json",
        }
        best = request.accept_mimetypes.best_match([types[name] for name in available])
        return next((name for name in available if types[name] == best), available[0])
    if wanted not in available:
        raise BadRequest(
            "The format is not available here", parameter="f", allowed=", ".join(available)
        )
    return wanted


def _session_alone() -> bool:
    """Whether a browser's session is the credential of the request."""
    environ = request.environ
    if LINKS in environ or credential(environ) is not None:
        return False
    return cookies.session(services(), environ) is not None


def _is_page(path: str) -> bool:
    return path.startswith(PAGES) and not path.startswith(MAP_TILES)


def init_app(app: Flask) -> None:
    """Resolve the credential before each request, and count it against its quota."""

    def identify() -> None:
        g.anonymous = False
        if request.path in OPEN_PATHS or request.method == "OPTIONS":
            return
        if request.path.startswith(SHARED):
            return
        try:
            principal = admit(services(), request.environ)
        except Unauthenticated:
            if not _session_alone():
                raise
            g.session_over = True
            if request.path != "/" and not _is_page(request.path):
                raise
            principal = ANONYMOUS  # the page loads, and says that the session is over
        g.principal, g.anonymous = principal, principal.anonymous

    def allow_origins(response):  # type: ignore[no-untyped-def]
        origin = request.headers.get("Origin")
        allowed = services().settings.cors_origins
        if origin and ("*" in allowed or origin in allowed):
            response.headers["Access-Control-Allow-Origin"] = "*" if "*" in allowed else origin
            exposed = (
                "Content-Crs, ETag, Link, Location, RateLimit, RateLimit-Policy, Retry-After, "
                "Upload-Offset, Upload-Length, Content-Disposition"
            )
            response.headers["Access-Control-Expose-Headers"] = exposed
            if request.method == "OPTIONS":
                response.headers["Access-Control-Allow-Methods"] = "GET, HEAD, POST, PUT, PATCH, DELETE"
                response.headers["Access-Control-Allow-Headers"] = (
                    "Authorization, X-API-Key, Content-Type, Content-Disposition, If-Match, "
                    "If-None-Match, Idempotency-Key, Last-Event-ID, "
                    "Upload-Length, Upload-Offset, Upload-Metadata, Tus-Resumable"
                )
                response.headers["Access-Control-Max-Age"] = "600"
        if g.get("session_over"):
            is_secure = cookies.secure(services(), request.environ)
            cookies.drop(response, cookies.session_name(is_secure), is_secure=is_secure)
        if "Vary" not in response.headers:
            reply.finish(response, cache="no-store")
        return response

    app.before_request(identify)
    app.after_request(allow_origins)
