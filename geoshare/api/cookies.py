"""Cookies of browser sessions: how they are named, found and set, and what shows whose page asks.

A browser sends its cookies along with whatever another site makes it ask. So a request that changes
something under a session needs proof that a page of this server asks: the browser's own word for it
(``Sec-Fetch-Site``, ``Origin``), and a token that only such a page can have read. Cookies are
``SameSite=Strict`` beside that.
"""

from __future__ import annotations

import hmac
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlsplit

from flask import Response

from geoshare.api.address import base_url
from geoshare.errors import Denied
from geoshare.services import Services

Environ = dict[str, Any]
SAFE: Final = ("GET", "HEAD", "OPTIONS")
SENT_BACK: Final = "HTTP_X_CSRF_TOKEN"
MAX_COOKIES: Final = 8_192  # bytes of the header
_NAME: Final = "geoshare-session"
_FLOW: Final = "geoshare-login"
_OWN_PAGE: Final = "Origin of this server, or Sec-Fetch-Site: same-origin, as browsers send them"


def secure(services: Services, environ: Environ) -> bool:
    """Whether browsers reach this server by HTTPS."""
    return base_url(services.settings, environ).startswith("https://")


def session_name(is_secure: bool) -> str:
    """With the prefix no other host can set the cookie, and none that is not by HTTPS."""
    return f"__Host-{_NAME}" if is_secure else _NAME


def flow_name(is_secure: bool) -> str:
    """Name of the cookie that binds a login under way at an issuer to the browser."""
    return f"__Host-{_FLOW}" if is_secure else _FLOW


def found(environ: Environ, name: str) -> str | None:
    """The value of a cookie, or None; also where there are several: one of them is somebody else's."""
    header = environ.get("HTTP_COOKIE", "")
    if name not in header or len(header) > MAX_COOKIES:
        return None
    pairs = (part.strip().partition("=") for part in header.split(";"))
    values = [value for key, _, value in pairs if key == name]
    return values[0] if len(values) == 1 else None


def session(services: Services, environ: Environ) -> str | None:
    """The text of the session that a browser sends, or None."""
    if "HTTP_COOKIE" not in environ:
        return None
    return found(environ, session_name(secure(services, environ)))


def check_own_page(services: Services, environ: Environ) -> None:
    """Raise Denied unless the browser says that a page of this server asks."""
    site, origin = environ.get("HTTP_SEC_FETCH_SITE"), environ.get("HTTP_ORIGIN")
    address = urlsplit(base_url(services.settings, environ))
    own = f"{address.scheme}://{address.netloc}".lower()
    if (site is None and origin is None) or site not in (None, "same-origin"):
        raise _foreign("Origin", _OWN_PAGE)
    if origin not in (None, own):
        raise _foreign("Origin", _OWN_PAGE)


def check_token(services: Services, environ: Environ, session_id: str) -> None:
    """Raise Denied for what changes something under a session and is not asked by an own page.

    Who only reads needs no token; but a page that sends one is told where it is another session's, so
    that nobody reads, or keeps on a device, under the name of who was logged in before.
    """
    safe = environ["REQUEST_METHOD"] in SAFE
    if safe and SENT_BACK not in environ:
        return
    if not safe:
        check_own_page(services, environ)
    given = environ.get(SENT_BACK, "")
    if hmac.compare_digest(given.encode(), services.sessions.token(session_id).encode()):
        return
    if safe:
        raise Denied(
            "Somebody else is logged in now; load the page again",
            code="other-session",
            message_ja="別の利用者がログインしています。ページを再読み込みしてください",
            parameter="X-CSRF-Token",
            allowed="the csrf_token of GET /me",
        )
    raise _foreign("X-CSRF-Token", "the csrf_token of GET /me, sent by a page of this server")


def keep(
    services: Services,
    response: Response,
    name: str,
    value: str,
    *,
    seconds: int,
    is_secure: bool,
    strict: bool = True,
) -> None:
    """Let the browser keep a cookie that no script can read, until so many seconds from now."""
    now_s = services.clock.now_us() // 1_000_000
    response.set_cookie(
        name,
        value,
        max_age=seconds,
        expires=datetime.fromtimestamp(now_s + seconds, UTC),
        path="/",
        secure=is_secure,
        httponly=True,
        samesite="Strict" if strict else "Lax",
    )


def drop(response: Response, name: str, *, is_secure: bool) -> None:
    """Let the browser forget a cookie."""
    response.delete_cookie(name, path="/", secure=is_secure, httponly=True, samesite="Strict")


def _foreign(header: str, allowed: str) -> Denied:
    return Denied(
        "A page of another site cannot ask this with your session",
        code="cross-site",
        parameter=header,
        allowed=allowed,
    )
