"""Connections on which nothing moves are ended, and no others."""

from __future__ import annotations

import fcntl
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from geoshare.api.idle import Idle

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells when data moved")
IDLE_S = 0.6


@pytest.fixture
def connect() -> Iterator:
    """Connections to a port: (client, server side)."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))

        def make() -> tuple[socket.socket, socket.socket]:
            client = stack.enter_context(socket.socket())
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.connect(listener.getsockname())
            server = stack.enter_context(listener.accept()[0])
            return client, server

        make.port = listener.getsockname()[1]  # type: ignore[attr-defined]
        yield make


def test_who_sends_or_reads_stays_and_who_stops_is_ended(connect) -> None:
    sends, reads, silent, stalled = (connect() for _ in range(4))
    idle = Idle(connect.port, IDLE_S)
    stalled[1].settimeout(0.05)
    with pytest.raises(TimeoutError):  # its buffers are full
        stalled[1].sendall(bytes(100_000_000))
    deadline = time.monotonic() + 2 * IDLE_S
    while time.monotonic() < deadline:
        sends[0].send(b"x")
        reads[1].send(b"x")
        time.sleep(IDLE_S / 10)
    assert idle.look() == 2
    assert silent[0].recv(1) == b""
    with pytest.raises(OSError):  # noqa: PT011 - a reset or a broken pipe
        stalled[1].send(b"x")
    for client, server in (sends, reads):
        client.send(b"!")
        assert server.recv(100).endswith(b"!")


def test_connections_to_other_ports_are_left_alone(connect) -> None:
    client, server = connect()
    time.sleep(0.05)
    assert Idle(connect.port + 1, 0.0).look() == 0
    assert Idle(connect.port, 0.0).look() >= 1
    assert client.recv(1) == b""
    assert server.recv(1) == b""


def test_locks_of_files_survive_a_look(tmp_path: Path) -> None:
    """A database loses its locks, and then its contents, where another descriptor of it is closed."""
    path = tmp_path / "x.db"
    with path.open("w+b") as file:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        Idle(1, 0.0).look()
        code = "import fcntl, sys; fcntl.lockf(open(sys.argv[1], 'r+b'), fcntl.LOCK_EX | fcntl.LOCK_NB)"
        other = subprocess.run(
            [sys.executable, "-c", code, str(path)], capture_output=True, check=False
        )
        assert other.returncode != 0
        assert b"BlockingIOError" in other.stderr
