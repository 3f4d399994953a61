"""Signed links: an address that carries who asks, for one method, path and query, until a moment.

What a link gives is looked up when it is used; it names the key that made it and ends with it. The
mark covers the stored mark of the key's secret too, so a secret that is replaced takes its links with
it when its overlap ends. A path may be a template: ``{name}`` stands for one part of it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from geoshare.access.credentials.authenticator import Authenticator, refuse
from geoshare.access.credentials.principal import Link, Principal
from geoshare.errors import BadRequest
from geoshare.model.clock import Clock

PARAMETER: Final = "sig"
FREE: Final = frozenset({"cursor"})  # sealed for one request by the server itself
OPEN: Final = frozenset({"/wms", "/wmts"})
"""Paths of which a link fixes no parameters: a client asks there for one box after another."""
ROUND_S: Final = 300  # so that links made in the same minutes are the same, and caches keep them
MAX_S: Final = 7 * 86_400
MAX_LENGTH: Final = 4_096
_TOKEN: Final = re.compile(r"([0-9a-z]{8,32})\.([0-9a-f]{1,12})\.([A-Za-z0-9_-]*)\.([0-9a-f]{64})")
_HOLE: Final = re.compile(r"\{[A-Za-z]{1,32}\}")


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as far as a link covers it: its path decoded, its query without the link's own part."""

    method: str
    path: str
    query: str


class Links:
    """Makes and checks links under a secret of the governance database."""

    def __init__(self, secret: bytes, authenticator: Authenticator, clock: Clock) -> None:
        self._secret = secret
        self._authenticator = authenticator
        self._clock = clock

    def expiry(self, seconds: int) -> int:
        """Return the second since 1970 at which a link of that life ends, rounded up.

        Raises
        ------
        BadRequest
            for a life that is too long or none.
        """
        if not 1 <= seconds <= MAX_S:
            raise BadRequest(
                "A link must expire.", parameter="seconds", allowed=f"1 to {MAX_S} seconds"
            )
        end = self._clock.now_us() // 1_000_000 + seconds
        return -(-end // ROUND_S) * ROUND_S

    def sign(self, key_id: str, expires_s: int, address: str) -> str:
        """Return an address (path, query, and what comes before) with the right to GET it.

        Its path may have holes, ``{z}``. Raises Unauthenticated where the key is not valid.
        """
        found = self._authenticator.valid_secrets(key_id)
        if found is None:
            refuse()
        parts = urlsplit(address)
        path = unquote(parts.path)
        template = path if _HOLE.search(path) else ""
        mark = self._mark(found[1][0], key_id, expires_s, template or path, parts.query)
        hidden = base64.urlsafe_b64encode(template.encode()).rstrip(b"=").decode()
        joint = "&" if parts.query else "?"
        return f"{address}{joint}{PARAMETER}={key_id}.{expires_s:x}.{hidden}.{mark}"

    def open(self, token: str, asked: Asked) -> Principal:
        """Return who a link speaks for.

        Raises
        ------
        Unauthenticated
            the same for a link that is malformed, altered, over, of another request, or whose key has
            been revoked, has expired or has another secret.
        """
        match = _TOKEN.fullmatch(token) if len(token) <= MAX_LENGTH else None
        if match is None or asked.method not in ("GET", "HEAD"):
            refuse()
        key_id, expires_s = match[1], int(match[2], 16)
        found = self._authenticator.valid_secrets(key_id)
        if found is None:
            refuse()
        template = _decoded(match[3])
        path = template or asked.path
        right = [
            hmac.compare_digest(self._mark(secret, key_id, expires_s, path, asked.query), match[4])
            for secret in found[1]
        ]
        over = self._clock.now_us() >= expires_s * 1_000_000
        if not any(right) or over or not (not template or _fits(template, asked.path)):
            refuse()
        return replace(found[0], role="consumer", via="link", link=Link(key_id, expires_s))

    def carried(self, who: Principal, address: str) -> str:
        """Return an address that the holder of a link is to follow, with the same right until then."""
        if who.link is None:
            return address
        return self.sign(who.link.key_id, who.link.expires_s, address)

    def _mark(self, secret: bytes, key_id: str, expires_s: int, path: str, query: str) -> str:
        fixed = () if path in OPEN else _fixed(query)
        said = ("link", "GET", key_id, f"{expires_s:x}", path, *fixed)
        text = b"".join(len(part).to_bytes(4, "big") + part for part in (p.encode() for p in said))
        key = hmac.digest(self._secret, secret, hashlib.sha256)
        return hmac.digest(key, text, hashlib.sha256).hex()


def example(path: str) -> str:
    """A path that a path with or without holes covers."""
    return _HOLE.sub("0", unquote(path))


def take(query: str) -> tuple[list[str], str]:
    """Split a query into the links it carries, and the rest as it was."""
    pairs = query.split("&")
    found = [pair.partition("=")[2] for pair in pairs if pair.partition("=")[0] == PARAMETER]
    return found, "&".join(pair for pair in pairs if pair.partition("=")[0] != PARAMETER)


def _fixed(query: str) -> Iterable[str]:
    """The pairs of a query that a link fixes, whatever their order and spelling."""
    pairs = parse_qsl(query, keep_blank_values=True)
    return sorted(f"{quote(name)}={quote(value)}" for name, value in pairs if name not in FREE)


def _fits(template: str, path: str) -> bool:
    """Whether a path is one of a template; a hole is one part, or what stands before a suffix."""
    pattern = "[^/]+".join(re.escape(part) for part in _HOLE.split(template))
    return re.fullmatch(pattern, path) is not None


def _decoded(text: str) -> str:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
    except (binascii.Error, UnicodeDecodeError):
        refuse()
