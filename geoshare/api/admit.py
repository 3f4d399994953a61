"""The one gate: who asks, whether they may ask once more, and the note of what they read.

Every way to an answer begins here. What is checked or noted for each request belongs here too: some
answers are made without the framework, but none without this.
"""

from __future__ import annotations

import base64
from typing import Any, Final

from geoshare.access.credentials import ANONYMOUS, Principal
from geoshare.access.credentials.links import Asked as LinkedTo
from geoshare.api import cookies
from geoshare.api.costs import WATCHED, asked_of
from geoshare.errors import BadRequest, Unauthenticated
from geoshare.services import Services
from geoshare.services.quotas import Asked

Environ = dict[str, Any]
LINKS = "geoshare.links"  # signed links of the request, taken out of its query
LOGIN = "/login"
COUNTED = "geoshare.counted"  # in the request, once it was counted
TURN = "geoshare.turn"  # the thread that is held for it
_READING: Final = ("GET", "HEAD", "OPTIONS")  # all that Basic is for: browsers send it unasked
_CALLER = "geoshare.caller"  # in the request, once it has passed


def admit(services: Services, environ: Environ) -> Principal:
    """Tell who asks and count the request against their limits, once however often it is asked.

    Raises
    ------
    BadRequest
        for two credentials.
    Unauthenticated
        for a credential that is not valid.
    Denied
        for a change that another site makes a browser ask.
    TooMany
        where a limit is used up, or too many threads are the caller's already.
    """
    passed: Principal | None = environ.get(_CALLER)
    if passed is not None:
        return passed
    who = asking(services, environ)
    count(services, environ, who)
    environ[_CALLER] = who
    return who


def asking(services: Services, environ: Environ) -> Principal:
    """Tell who asks as of now, without counting: for answers that last, to look again.

    Raises
    ------
    BadRequest, Unauthenticated, Denied
        as ``admit`` does.
    """
    links = environ.get(LINKS)
    if links is not None:
        return _by_link(services, environ, links)
    if (key := credential(environ)) is not None:
        return services.principal(key)
    return _by_session(services, environ)


def count(services: Services, environ: Environ, who: Principal) -> None:
    """Take the caller's turn and count the request. Raises TooMany."""
    quotas, address = services.quotas, environ.get("REMOTE_ADDR", "")
    if TURN not in environ:
        environ[TURN] = quotas.turns.enter(quotas.consumer(who, address))
    if environ["PATH_INFO"] == WATCHED:
        quotas.watch(who, address)
        return
    asked = asked_of(
        environ["REQUEST_METHOD"],
        environ["PATH_INFO"],
        environ.get("QUERY_STRING", ""),
        services.settings.max_limit,
    )
    environ[COUNTED] = counted = quotas.counting(who, address, asked)
    counted.count()


def charge(environ: Environ, asked: Asked) -> None:
    """Count what a request costs on top, now that this is known. Raises TooMany."""
    environ[COUNTED].more(asked)


def _by_link(services: Services, environ: Environ, links: list[str]) -> Principal:
    """Tell whom a link speaks for."""
    if len(links) > 1 or credential(environ) is not None:
        raise _two("sig")
    path = environ["PATH_INFO"].encode("latin-1", "replace").decode("utf-8", "replace")
    asked = LinkedTo(environ["REQUEST_METHOD"], path, environ.get("QUERY_STRING", ""))
    return services.links.open(links[0], asked)


def _by_session(services: Services, environ: Environ) -> Principal:
    """Tell whose browser asks; browsers send cookies unasked, so every other credential wins."""
    text = cookies.session(services, environ)
    if text is None or environ["PATH_INFO"].startswith(LOGIN):  # who logs in is nobody yet
        return ANONYMOUS
    who = services.sessions.authenticate(text)
    cookies.check_token(services, environ, who.session)
    return who


def note_read(services: Services, who: Principal, collections: str, endpoint: str) -> None:
    """Count for the audit log an answer about collections (``a,b``), before it leaves.

    Raises
    ------
    Unavailable
        where counts cannot be written: then nothing is answered.
    """
    for name in collections.split(","):
        services.trail.reads.count(who, name, endpoint)


def credential(environ: Environ) -> str | None:
    """Return the key sent with a request, or None.

    Raises
    ------
    BadRequest
        for two credentials: whichever were taken, somebody would be surprised.
    Unauthenticated
        for an Authorization header of another scheme: ignoring it would answer as a stranger.
    """
    if environ.get("HTTP_AUTHORIZATION") and environ.get("HTTP_X_API_KEY"):
        raise _two("Authorization")
    header = environ.get("HTTP_AUTHORIZATION", "")
    if header:
        scheme, _, token = header.partition(" ")
        key = token.strip() if scheme.lower() == "bearer" else ""
        if scheme.lower() == "basic" and environ["REQUEST_METHOD"] in _READING:
            key = _password(token.strip())
        if not key:
            raise Unauthenticated(
                "Use Authorization: Bearer KEY, or X-API-Key: KEY, or for reading Basic with the key as"
                " its password",
                message_ja="キーは Authorization: Bearer または X-API-Key で(読み取りは Basic の"
                "パスワードでも)送ってください",
            )
        return key
    return environ.get("HTTP_X_API_KEY") or None


def _password(token: str) -> str:
    """The password of Basic credentials (RFC 7617), empty where they are none; the user may be any."""
    try:
        return base64.b64decode(token, validate=True).decode().partition(":")[2]
    except ValueError:
        return ""


def _two(parameter: str) -> BadRequest:
    return BadRequest(
        "Two credentials in one request",
        parameter=parameter,
        allowed="one credential",
        message_ja="1つの要求に認証情報が2つあります",
        allowed_ja="認証情報は1つ",
    )
