"""Clients that stop half-way, many at once: the map goes on for everybody else."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.api.test_contributing import send
from tests.api.test_extracting import extract

LARGE = 64_000_000  # bytes: more than the buffers of a connection hold


class Stalled:
    """Connections that have asked for something and then stop."""

    def __init__(self, live_server, stack: ExitStack) -> None:
        self._address = ("127.0.0.1", urlsplit(live_server.url).port)
        self._stack = stack
        self.lines: list[socket.socket] = []

    def ask(self, head: str, body: bytes = b"") -> socket.socket:
        line = self._stack.enter_context(socket.socket())
        line.settimeout(30)
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        line.connect(self._address)
        line.sendall(f"{head}\r\nHost: 127.0.0.1\r\n".encode() + body)
        self.lines.append(line)
        return line


@pytest.fixture
def stalled(live_server) -> Iterator[Stalled]:
    with ExitStack() as stack:
        yield Stalled(live_server, stack)


@pytest.fixture(scope="module")
def large_extract(live_server) -> str:
    """Path of a finished extract that has grown large."""
    extract(live_server, {"collections": ["segments"], "format": "gpkg"}, "developer")
    jobs = live_server.json("/jobs", "developer")["jobs"]
    job = next(job for job in jobs if job["status"] == "done")["id"]
    with Path(live_server.data / "extracts" / f"{job}.zip").open("r+b") as file:
        file.truncate(LARGE)
    return f"/jobs/{job}/result"


def goes_on(live_server) -> None:
    """Others' requests are answered: pages, tiles, and an extract with its body."""
    for _ in range(6):
        assert live_server.get("/healthz")[0] == 200
        assert live_server.get("/collections/places/items?limit=3")[0] == 200
        assert live_server.get("/tiles/segments/14/14552/6451.mvt", "developer")[0] in (200, 204)
    body = json.dumps({"collections": ["places"], "format": "geojson"}).encode()
    sent = send(live_server, "/extracts", body, "automaker", Content_Type="application/json")
    assert sent[0] in (200, 202)


@pytest.mark.parametrize("number", [4, 16])
def test_stalled_plain_uploads_do_not_stop_the_map(live_server, stalled, number) -> None:
    key = live_server.keys["provider"]
    for _ in range(number):
        stalled.ask(
            "POST /contributions?filename=x.csv&collection=shelters HTTP/1.1",
            f"X-API-Key: {key}\r\nContent-Length: 100000\r\n\r\nabc".encode(),
        )
    goes_on(live_server)


def begun(live_server, path: str) -> dict[str, str]:
    """Headers of an upload that has begun: places of earlier stalled ones are free when those end."""
    deadline = time.monotonic() + 60
    while True:
        status, headers, _ = send(live_server, path, b"", "provider", Upload_Length="100000")
        if status != 503 or time.monotonic() > deadline:
            assert status == 201
            return headers
        time.sleep(float(headers["retry-after"]))


@pytest.mark.parametrize("number", [4, 16])
def test_stalled_resumable_uploads_do_not_stop_the_map(live_server, stalled, number) -> None:
    path = "/contributions/uploads?collection=places&filename=slow.geojson"
    headers = begun(live_server, path)
    upload = headers["location"].removeprefix(live_server.url)
    fields = (
        f"X-API-Key: {live_server.keys['provider']}\r\nUpload-Offset: 0\r\nContent-Length: 100000\r\n"
        "Content-Type: application/offset+octet-stream\r\n\r\n{"
    )
    for _ in range(number):
        stalled.ask(f"PATCH {upload} HTTP/1.1", fields.encode())
    goes_on(live_server)


@pytest.mark.parametrize("number", [4, 16, 40])
def test_stalled_downloads_of_a_large_extract_do_not_stop_the_map(
    live_server, stalled, large_extract, number
) -> None:
    fields = f"X-API-Key: {live_server.keys['developer']}\r\n\r\n".encode()
    for _ in range(number):
        line = stalled.ask(f"GET {large_extract} HTTP/1.1", fields)
        assert line.recv(5) == b"HTTP/"  # the answer has begun, and nobody reads on
    goes_on(live_server)


@pytest.mark.parametrize("number", [4, 16, 40])
def test_stalled_readers_of_pages_and_tiles_do_not_stop_the_map(live_server, stalled, number) -> None:
    fields = f"X-API-Key: {live_server.keys['operator']}\r\n\r\n".encode()
    for _ in range(number):
        for path in ("/collections/lanes/items?limit=10000", "/tiles/lanes,segments/13/7276/3225.mvt"):
            assert stalled.ask(f"GET {path} HTTP/1.1", fields).recv(5) == b"HTTP/"
    goes_on(live_server)


@pytest.mark.parametrize("number", [8, 40])
def test_stalled_event_streams_do_not_stop_the_map(live_server, stalled, number) -> None:
    for at in range(number):
        key = live_server.keys[("operator", "municipal", "developer", "automaker")[at % 4]]
        head = "GET /collections/places/changes/stream HTTP/1.1"
        assert stalled.ask(head, f"X-API-Key: {key}\r\n\r\n".encode()).recv(5) == b"HTTP/"
    goes_on(live_server)


def test_readers_of_a_byte_at_a_time_do_not_stop_the_map(live_server, stalled, large_extract) -> None:
    fields = f"X-API-Key: {live_server.keys['developer']}\r\n\r\n".encode()
    for path in [large_extract] * 8 + ["/collections/buildings/items?limit=10000"] * 8:
        stalled.ask(f"GET {path} HTTP/1.1", fields)
    done = threading.Event()

    def read() -> None:
        while not done.wait(0.2):
            for line in stalled.lines:
                line.recv(1)

    reader = threading.Thread(target=read)
    reader.start()
    try:
        goes_on(live_server)
    finally:
        done.set()
        reader.join()


def test_one_client_with_many_large_downloads_is_told_to_come_back(
    live_server, stalled, large_extract
) -> None:
    fields = f"X-API-Key: {live_server.keys['developer']}\r\n\r\n".encode()
    heads = [stalled.ask(f"GET {large_extract} HTTP/1.1", fields).recv(4000) for _ in range(16)]
    refused = [head for head in heads if head.startswith(b"HTTP/1.1 503")]
    assert refused
    assert all(b"retry-after" in head.lower() for head in refused)
    assert any(head.startswith(b"HTTP/1.1 200") for head in heads)
