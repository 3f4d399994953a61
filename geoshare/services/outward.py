"""Sending something to an address that somebody else has chosen, without becoming their hand.

A name is resolved once and the connection goes to the address that was checked, so that no second
answer of a name server can lead elsewhere. Addresses that are not of the public internet are refused
unless the operator has allowed them; redirects are not followed; what comes back is bounded in size
and time and told to nobody.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Final
from urllib.parse import urlsplit

from geoshare.errors import BadRequest

TIMEOUT_S: Final = 5.0
WHOLE_S: Final = 10.0  # of one exchange
ANSWER_BYTES: Final = 4_096
MAX_URL: Final = 1_000

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolve = Callable[[str, int], list[str]]

# Networks whose addresses hold an IPv4 address that a gateway would go to
_CARRIERS: Final = tuple(
    map(ipaddress.ip_network, ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32"))
)


class Refused(Exception):
    """The address may not be spoken to, or did not take what was sent; the text may be shown."""


def resolved(host: str, port: int) -> list[str]:
    """Addresses of a host, as the system knows them."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(item[4][0]) for item in found]


class Outward:
    """Sends bodies to addresses.

    Parameters
    ----------
    allowed
        Networks (CIDR) beyond the public internet that may be spoken to, also without TLS.
    resolve
        Gives the addresses of a host.
    """

    def __init__(self, allowed: Iterable[str] = (), resolve: Resolve = resolved) -> None:
        self._allowed: tuple[Network, ...] = tuple(ipaddress.ip_network(item) for item in allowed)
        self._resolve = resolve
        self._tls = ssl.create_default_context()

    def check(self, url: str) -> None:
        """Raise BadRequest for an address that nothing can be sent to, wherever it leads."""
        try:
            parts = urlsplit(url)
            plain = parts.hostname is not None and parts.port != 0
        except ValueError:
            plain = False
        schemes = ("https", "http") if self._allowed else ("https",)
        plain = plain and parts.scheme in schemes and not (parts.username or parts.fragment)
        printable = url.isascii() and url.isprintable() and " " not in url
        if not plain or not printable or len(url) > MAX_URL:
            raise BadRequest(
                "The address cannot be used",
                parameter="url",
                allowed=f"https://..., at most {MAX_URL} characters, without user or fragment",
                message_ja="このURLは使用できません",
            )

        if parts.hostname is not None and not self._may_be_lawful(parts.hostname, parts.scheme):
            raise BadRequest(
                "The address is not of the public internet",
                parameter="url",
                allowed="a host of the public internet by https"
                + "".join(f", or one in {network}" for network in self._allowed),
                message_ja="公開されたインターネット上のアドレスではありません",
            )

    def _may_be_lawful(self, host: str, scheme: str) -> bool:
        """Whether a host may be spoken to, as far as that can be seen without asking a name server."""
        if host.rstrip(".") == "localhost" or host.rstrip(".").endswith(".localhost"):
            return any(self._lawful(ipaddress.ip_address(item), False) for item in ("127.0.0.1", "::1"))
        address = _literal(host)
        return address is None or self._lawful(address, scheme == "https")

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> None:
        """Send a body. Raises Refused unless it is answered with success (2xx)."""
        parts = urlsplit(url)
        secure, host = parts.scheme == "https", parts.hostname or ""
        port = parts.port or (443 if secure else 80)
        address = self._address(host, port, secure)
        path = parts.path or "/"
        connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT_S)
        try:
            connection.sock = socket.create_connection((str(address), port), timeout=TIMEOUT_S)
            ending = threading.Timer(WHOLE_S, lambda: _shut(connection.sock))
            ending.start()
            try:
                if secure:
                    connection.sock = self._secured(connection.sock, host)
                    connection.sock.do_handshake()
                connection.request(
                    "POST", path + (f"?{parts.query}" if parts.query else ""), body, dict(headers)
                )
                answer = connection.getresponse()
                answer.read(ANSWER_BYTES)
            finally:
                ending.cancel()
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise Refused(f"no answer ({type(error).__name__})") from error
        finally:
            connection.close()
        if not 200 <= answer.status < 300:
            raise Refused(f"answered with status {answer.status}")

    def _secured(self, line: socket.socket, host: str) -> ssl.SSLSocket:
        return self._tls.wrap_socket(line, server_hostname=host, do_handshake_on_connect=False)

    def _address(self, host: str, port: int, secure: bool) -> Address:
        """The address to connect to; all that the name has must be lawful."""
        try:
            found = [ipaddress.ip_address(text.partition("%")[0]) for text in self._resolve(host, port)]
        except (OSError, ValueError) as error:
            raise Refused("the host name has no address") from error
        if not found or not all(self._lawful(item, secure) for item in found):
            raise Refused("the address is not of the public internet")
        return found[0]

    def _lawful(self, address: Address, secure: bool) -> bool:
        inner = getattr(address, "ipv4_mapped", None) or address
        if any(inner.version == network.version and inner in network for network in self._allowed):
            return True
        carried = any(inner.version == net.version and inner in net for net in _CARRIERS)
        return secure and inner.is_global and not inner.is_multicast and not carried


def _literal(host: str) -> Address | None:
    """The address that a host is written as, also in the short and octal forms of old; None: a name."""
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        with suppress(OSError):
            return ipaddress.ip_address(socket.inet_aton(host))
    return None


def _shut(line: socket.socket | None) -> None:
    with suppress(OSError):
        if line is not None:
            line.shutdown(socket.SHUT_RDWR)
