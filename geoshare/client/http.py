"""Requests to one server over one line: patient with a busy server, and with a line that breaks."""

from __future__ import annotations

import gzip
import http.client
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import IO, Any, Final
from urllib.parse import quote, urlencode, urljoin, urlsplit

import orjson

from geoshare.errors import GeoshareError

TIMEOUT_S: Final = 60.0
TRIES: Final = 6
LONGEST_WAIT_S: Final = 60.0
BLOCK: Final = 1 << 16
_BUSY: Final = (429, 503)
_BROKEN: Final = (OSError, http.client.HTTPException)
_FOR_GOOD: Final = (socket.gaierror, ssl.SSLCertVerificationError, http.client.InvalidURL)
_ADDRESS: Final = "http://HOST or https://HOST, with :PORT and a path where there are such"
_REFUSED: Final = 401

Query = Mapping[str, Any]


class ClientError(GeoshareError):
    """The server refused, or does not answer; or what was said cannot be. As text it says all of that.

    ``status`` is the HTTP status; 0: there was no answer. ``parameter`` names what was said wrongly, as
    Python calls it (``url``, ``key``, ``area``, ``folder``, ...) or as the server does.
    """

    code = "client"

    def __init__(
        self,
        message: str,
        status: int = 0,
        parameter: str | None = None,
        allowed: str | None = None,
    ) -> None:
        super().__init__(message, parameter=parameter, allowed=allowed)
        self.status = status

    def __str__(self) -> str:
        named = f"{self.parameter}: " if self.parameter and self.parameter not in self.message else ""
        return named + self.message + (f" (allowed: {self.allowed})" if self.allowed else "")


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, headers (lower case) and body of an answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON; ClientError for what is none."""
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError as error:
            raise ClientError(
                "The answer is not JSON",
                self.status,
                parameter="url",
                allowed="the address of a geoshare server",
            ) from error


class Http:
    """One line to a server; of one thread.

    Parameters
    ----------
    url
        Address of the server, with http or https, and a path where it lies below one.
    key
        An API key; None: nobody in particular.
    pause
        Waits so many seconds.
    """

    def __init__(
        self, url: str, key: str | None = None, pause: Callable[[float], object] = time.sleep
    ) -> None:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query:
            raise ClientError(f"{url} is no address of a server", parameter="url", allowed=_ADDRESS)
        self.base = f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"
        self.received = 0  # bytes of bodies, as they came over the line
        self._parts, self._key, self._pause = parts, key, pause
        self._line: http.client.HTTPConnection | None = None

    def get(self, path: str, query: Query | None = None) -> Answer:
        """The answer to a GET; tried again while the server is busy or the line breaks."""
        return self.ask("GET", path, query)

    def ask(
        self,
        method: str,
        path: str,
        query: Query | None = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        again: bool = True,
    ) -> Answer:
        """The answer to a request.

        Parameters
        ----------
        path
            Below the server's address; or a whole address of the same server, as links are.
        again
            Whether the request may be sent again where it is not known whether it arrived.

        Raises
        ------
        ClientError
            for an answer that is none of success, with what the server says; after some tries.
        """
        wait_s = 0.5
        for attempt in range(TRIES):
            last = attempt == TRIES - 1
            try:
                found = self._once(method, self._target(path, query), body, headers or {})
            except _BROKEN as error:
                self.close()
                if last or not again or isinstance(error, _FOR_GOOD):
                    raise ClientError(
                        f"{self.base} does not answer: {error}",
                        parameter="url",
                        allowed="the address of a server that runs",
                    ) from error
            else:
                if found.status not in _BUSY or last:
                    return _checked(found)
                wait_s = _retry_after(found, wait_s)
            self._pause(min(wait_s, LONGEST_WAIT_S))
            wait_s *= 2
        raise AssertionError("unreachable")

    def download(
        self,
        path: str,
        file: IO[bytes],
        offset: int = 0,
        tag: str | None = None,
        begun: Callable[[Mapping[str, str]], object] = lambda headers: None,
    ) -> None:
        """Write a body to a file from a byte on.

        A server that does not know ranges, or whose file has another tag by now, sends all of it: then
        the file is written anew. ``begun`` is told the headers before the body arrives.
        """
        headers = {"Range": f"bytes={offset}-"} if offset else {}
        if offset and tag:
            headers["If-Range"] = tag
        line = self._open()
        line.request("GET", self._target(path, None), headers=self._headers(headers, plain=True))
        answer = line.getresponse()
        said = {name.lower(): value for name, value in answer.getheaders()}
        if answer.status not in (200, 206):
            _checked(Answer(answer.status, said, answer.read()))
        if answer.status == 200:
            file.seek(0)
            file.truncate()
        begun(said)
        while block := answer.read(BLOCK):
            file.write(block)
            self.received += len(block)
        if answer.length:  # the line ended before the body did
            raise http.client.IncompleteRead(b"", answer.length)

    def close(self) -> None:
        """End the line; the next request opens another one."""
        if self._line is not None:
            self._line.close()
            self._line = None

    def _once(self, method: str, target: str, body: bytes | None, headers: Mapping[str, str]) -> Answer:
        line = self._open()
        line.request(method, target, body, self._headers(headers))
        answer = line.getresponse()
        content = answer.read()
        self.received += len(content)
        said = {name.lower(): value for name, value in answer.getheaders()}
        if said.get("content-encoding") == "gzip":
            content = gzip.decompress(content)
        return Answer(answer.status, said, content)

    def _open(self) -> http.client.HTTPConnection:
        if self._line is None:
            host, port = self._parts.hostname or "", self._parts.port
            if self._parts.scheme == "https":
                context = ssl.create_default_context()
                self._line = http.client.HTTPSConnection(host, port, timeout=TIMEOUT_S, context=context)
            else:
                self._line = http.client.HTTPConnection(host, port, timeout=TIMEOUT_S)
        return self._line

    def _headers(self, more: Mapping[str, str], plain: bool = False) -> dict[str, str]:
        said = {"User-Agent": "geoshare-client", "Accept-Encoding": "identity" if plain else "gzip"}
        if self._key is not None:
            said["X-API-Key"] = self._key
        return said | dict(more)

    def _target(self, path: str, query: Query | None) -> str:
        """Path and query of an address; ClientError for one of another server, which gets no key."""
        whole = path if "://" in path else self.base + path
        parts, own = urlsplit(whole), self._parts
        if (parts.scheme, parts.netloc) != (own.scheme, own.netloc):
            raise ClientError(f"{urljoin(whole, '/')} is another server than {self.base}")
        said = {name: value for name, value in (query or {}).items() if value is not None}
        asked = "&".join(part for part in (parts.query, urlencode(said, quote_via=quote)) if part)
        return parts.path + (f"?{asked}" if asked else "")


def _retry_after(answer: Answer, otherwise: float) -> float:
    text = answer.headers.get("retry-after", "")
    return float(text) if text.isdigit() else otherwise


def _checked(answer: Answer) -> Answer:
    if 200 <= answer.status < 300:
        return answer
    try:
        said = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        said = {}
    said = said if isinstance(said, dict) else {}
    message = str(said.get("detail") or said.get("title") or f"status {answer.status}")
    parameter, allowed = said.get("parameter"), said.get("allowed")
    if answer.status == _REFUSED and parameter is None:
        parameter, allowed = "key", "a key of this server that has not ended"
    raise ClientError(message, answer.status, parameter, str(allowed) if allowed else None)
