"""A revocation reaches every worker of a real server, while others read."""

from __future__ import annotations

import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest

from tests.conftest import LiveServer

LANES = "/collections/lanes/items?limit=1"  # nothing that visitors may know
IN_A_ROW = 30  # new connections, which the workers share between them
BOUND_S = 10.0


def status(server: LiveServer, path: str, key: str | None = None, method: str = "GET") -> int:
    """The status of one request on a connection of its own."""
    request = urllib.request.Request(server.url + path, method=method)
    if key is not None:
        request.add_header("X-API-Key", key)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def post(server: LiveServer, path: str, key: str, body: dict) -> dict:
    request = urllib.request.Request(server.url + path, json.dumps(body).encode(), method="POST")
    request.add_header("X-API-Key", key)
    request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.loads(answer.read())


@contextmanager
def readers(server: LiveServer, key: str, count: int = 3) -> Iterator[list[int]]:
    """Others who read all the while; the statuses that they were given."""
    done, given = threading.Event(), []

    def read() -> None:
        while not done.is_set():
            given.append(status(server, LANES, key))

    threads = [threading.Thread(target=read) for _ in range(count)]
    for thread in threads:
        thread.start()
    try:
        yield given
    finally:
        done.set()
        for thread in threads:
            thread.join()


def refused_everywhere(server: LiveServer, path: str, key: str | None) -> bool:
    """Whether so many connections in a row are refused before the bound."""
    deadline = time.monotonic() + BOUND_S
    while time.monotonic() < deadline:
        if all(status(server, path, key) == 401 for _ in range(IN_A_ROW)):
            return True
    return False


def served_everywhere(server: LiveServer, path: str, key: str | None) -> bool:
    return all(status(server, path, key) == 200 for _ in range(IN_A_ROW))


def key_id(text: str) -> str:
    return text.split("_")[1]


@pytest.fixture
def maker(live_server: LiveServer) -> str:
    """A key that ends with the test."""
    made = live_server.cli("keys", "create", "--organisation", "automaker-a", "--days", "1")
    assert made.returncode == 0, made.stderr
    return made.stdout.split()[-1]


def test_keys_their_keys_and_their_links_end_in_every_worker_while_others_read(
    live_server: LiveServer, maker: str
) -> None:
    first, second = (post(live_server, "/me/keys", maker, {"days": 1})["key"] for _ in range(2))
    signed = urlsplit(post(live_server, "/me/links", maker, {"path": LANES})["href"])
    link = f"{signed.path}?{signed.query}"
    others = live_server.keys["automaker"]
    with readers(live_server, others) as given:
        credentials = ((LANES, maker), (LANES, first), (LANES, second), (link, None))
        assert all(served_everywhere(live_server, *credential) for credential in credentials)
        assert status(live_server, f"/me/keys/{key_id(first)}", maker, "DELETE") == 204
        assert refused_everywhere(live_server, LANES, first)
        kept = (credentials[0], *credentials[2:])
        assert all(served_everywhere(live_server, *credential) for credential in kept)
        ended = live_server.cli("keys", "revoke", key_id(maker))
        assert ended.returncode == 0, ended.stderr
        assert all(refused_everywhere(live_server, *credential) for credential in kept)
    assert set(given) == {200}, "who was not revoked was served all the while"


def test_the_end_of_an_agreement_reaches_every_worker(live_server: LiveServer) -> None:
    signed = live_server.cli(
        "agreements", "sign", "--organisation", "short-term", "--new-organisation",
        "--tier", "automaker", "--days", "1", "--reason", "a test",
    )  # fmt: skip
    assert signed.returncode == 0, signed.stderr
    made = live_server.cli("keys", "create", "--organisation", "short-term", "--days", "1")
    key = made.stdout.split()[-1]
    deadline = time.monotonic() + BOUND_S
    while not served_everywhere(live_server, LANES, key):
        assert time.monotonic() < deadline
    number = signed.stdout.strip().partition("@")[0]
    ended = live_server.cli("agreements", "end", number, "--reason", "a test")
    assert ended.returncode == 0, (ended.stdout, ended.stderr)
    deadline = time.monotonic() + BOUND_S
    while not all(status(live_server, LANES, key) == 404 for _ in range(IN_A_ROW)):
        assert time.monotonic() < deadline
