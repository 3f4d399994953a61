"""Telegrams from an address: an Atom feed of them, asked on a schedule, from hosts on a list alone."""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from geoshare.errors import BadData, BadRequest, Unavailable
from geoshare.model.report import Report
from geoshare.publish.files import read_json, write_json
from geoshare.sources import jma

FEED_BYTES = 5_000_000
MOST_A_ROUND = 100
TIMEOUT_S = 20.0
BLOCK = 65_536
_ATOM = "{http://www.w3.org/2005/Atom}"
_MAX_URL = 1_000


@dataclass(frozen=True, slots=True)
class Answer:
    """What an address answered."""

    status: int
    body: bytes
    headers: Mapping[str, str]  # names in lower case


class Fetch(Protocol):
    """Asks an address."""

    def __call__(self, url: str, headers: Mapping[str, str], limit: int) -> Answer:
        """The answer; BadRequest for an address that may not be asked, Unavailable for none."""
        ...


@dataclass(frozen=True, slots=True)
class Entry:
    """One telegram that a feed announces."""

    url: str
    title: str


class Https:
    """Asks hosts on a list by https. Redirects are not followed: they are no answer."""

    def __init__(self, hosts: tuple[str, ...], context: ssl.SSLContext | None = None) -> None:
        self._hosts = frozenset(host.lower() for host in hosts)
        self._context = context or ssl.create_default_context()

    def __call__(self, url: str, headers: Mapping[str, str], limit: int) -> Answer:
        """Ask; an answer longer than ``limit`` bytes is none."""
        host, port, target = self._checked(url)
        connection = http.client.HTTPSConnection(host, port, timeout=TIMEOUT_S, context=self._context)
        try:
            connection.request("GET", target, headers={"Accept-Encoding": "identity", **headers})
            response = connection.getresponse()
            body = response.read(limit + 1)
            if len(body) > limit:
                raise Unavailable("The address answers more than it may.")
            said = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, body, said)
        except (OSError, http.client.HTTPException) as error:
            raise Unavailable(f"The address does not answer: {type(error).__name__}") from error
        finally:
            connection.close()

    def _checked(self, url: str) -> tuple[str, int, str]:
        """Host, port, path and query of an address that may be asked."""
        try:
            parts = urlsplit(url)
            host, port = (parts.hostname or "").lower(), parts.port or 443
        except ValueError:
            parts, host, port = urlsplit(""), "", 0
        named = {f"{host}:{port}"} | ({host} if port == 443 else set())
        fits = parts.scheme == "https" and not parts.username and len(url) <= _MAX_URL
        if not fits or not named & self._hosts or not url.isascii() or not url.isprintable():
            raise BadRequest(
                "This address may not be asked for telegrams",
                parameter="warnings_url",
                allowed="https on " + ", ".join(sorted(self._hosts)),
                message_ja="このアドレスからは電文を取得できません",
                allowed_ja="https、接続先は" + "、".join(sorted(self._hosts)),
            )
        return host, port, (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


class Feed:
    """One feed, and which of its telegrams have been taken.

    The feed's validators are kept only when all it announced is done, so a telegram that could not be
    fetched is tried again in the next round.
    """

    def __init__(self, url: str, fetch: Fetch, state: Path) -> None:
        self._url, self._fetch, self._state = url, fetch, state

    def due(self) -> list[Entry]:
        """Telegrams that are announced and not done; the oldest first.

        Raises
        ------
        BadRequest, BadData, Unavailable
            where the feed may not be asked, is none, or does not answer.
        """
        state = read_json(self._state) or {}
        answer = self._fetch(self._url, state.get("validators", {}), FEED_BYTES)
        if answer.status == http.client.NOT_MODIFIED:
            return []
        if answer.status != http.client.OK:
            raise Unavailable(f"The feed answers {answer.status}.")
        entries = read_feed(answer.body)
        done = set(state.get("done", ())) & {entry.url for entry in entries}
        due = [entry for entry in entries if entry.url not in done]
        self._write(sorted(done), {} if due else _validators(answer))
        return due[::-1][:MOST_A_ROUND]

    def fetch(self, entry: Entry) -> bytes:
        """The bytes of a telegram."""
        answer = self._fetch(entry.url, {}, jma.MAX_BYTES)
        if answer.status != http.client.OK:
            raise Unavailable(f"The telegram's address answers {answer.status}.")
        return answer.body

    def done(self, entry: Entry) -> None:
        """Remember that a telegram need not be fetched again."""
        state = read_json(self._state) or {}
        self._write(sorted({*state.get("done", ()), entry.url}), {})

    def _write(self, done: list[str], validators: dict[str, str]) -> None:
        write_json(self._state, {"done": done, "validators": validators})


def read_feed(data: bytes) -> list[Entry]:
    """The telegrams that an Atom feed announces and that may hold warnings, in its order.

    Raises
    ------
    BadData
        for what is no feed.
    """
    root = jma.read_root(data, Report(file="feed"))
    if root.tag != f"{_ATOM}feed":
        raise BadData(
            "The address does not answer with an Atom feed.",
            code="feed-unknown",
            message_ja="このアドレスはAtomフィードを返しません",
        )
    found: dict[str, Entry] = {}
    for item in root.iterchildren(f"{_ATOM}entry"):
        title = item.findtext(f"{_ATOM}title") or ""
        links = [link.get("href", "") for link in item.iterchildren(f"{_ATOM}link")]
        if links and links[0] and jma.holds_warnings(title):
            found.setdefault(links[0], Entry(links[0], title))
    return list(found.values())


def _validators(answer: Answer) -> dict[str, str]:
    pairs = (("If-None-Match", "etag"), ("If-Modified-Since", "last-modified"))
    return {name: answer.headers[said] for name, said in pairs if said in answer.headers}
