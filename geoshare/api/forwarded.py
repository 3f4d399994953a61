"""What a reverse proxy says of a request: taken from proxies that are trusted, and from nobody else.

``X-Forwarded-For``, ``-Proto`` and ``-Host`` are only texts that anybody can send. They count where the
connection comes from a network of ``trusted_proxies``; from everybody else, and in every spelling that
is not one of these three, they are taken out before anything can read them. Of the addresses in
``X-Forwarded-For`` the last one that is no trusted proxy is the client's: what stands before it, the
client has written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any, Final

Environ = dict[str, Any]
Wsgi = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]
FOR, PROTO, HOST = "HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_HOST"
_OTHERS: Final = (
    "HTTP_FORWARDED",
    "HTTP_X_FORWARDED_PORT",
    "HTTP_X_FORWARDED_PREFIX",
    "HTTP_X_FORWARDED_SERVER",
    "HTTP_X_FORWARDED_SSL",
    "HTTP_X_REAL_IP",
    "HTTP_X_SCRIPT_NAME",
)
MAX_HEADER: Final = 2_000
MAX_HOPS: Final = 20


class Forwarded:
    """WSGI in front of everything."""

    def __init__(self, app: Wsgi, trusted: Sequence[str]) -> None:
        self._app = app
        self._networks = tuple(ip_network(text) for text in trusted)

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Put client, scheme and host where they belong, if a trusted proxy says them."""
        said = {name: environ.pop(name, "") for name in (FOR, PROTO, HOST)}
        for name in _OTHERS:
            environ.pop(name, None)
        peer = environ.get("REMOTE_ADDR", "")
        if self._networks and _within(peer, self._networks):
            client = self._client(said[FOR])
            if client:
                environ["REMOTE_ADDR"] = client
            scheme = _last(said[PROTO]).lower()
            if scheme in ("http", "https"):
                environ["wsgi.url_scheme"] = scheme
            host = _last(said[HOST])
            if host:
                environ["HTTP_HOST"] = host  # links are built from trusted_hosts alone, as ever
        return self._app(environ, start_response)

    def _client(self, header: str) -> str:
        """The last address that is no trusted proxy; empty where none is said, or it is no address."""
        hops = [part.strip() for part in header[-MAX_HEADER:].split(",")][-MAX_HOPS:]
        for hop in reversed(hops):
            text = _bare(hop)
            if not _is_address(text):
                return ""
            if not _within(text, self._networks):
                return text
        return ""


def _last(header: str) -> str:
    """What the nearest proxy has said."""
    return header[:MAX_HEADER].rpartition(",")[2].strip()


def _bare(hop: str) -> str:
    """An address without brackets and port."""
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    return hop.partition(":")[0] if hop.count(":") == 1 else hop


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


@lru_cache(maxsize=4_096)
def _within(text: str, networks: tuple[IPv4Network | IPv6Network, ...]) -> bool:
    try:
        address = ip_address(text)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return any((mapped or address) in network for network in networks)
