"""Ends connections on which nothing moves: the server itself waits for a silent client for ever.

A client that stops in the middle of a body or of an answer holds a thread or the bytes of the answer.
Only the kernel knows when it was last heard of, so it is asked, for each connection of the process.
"""

from __future__ import annotations

import os
import socket
import stat
import struct
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

FDS = Path("/proc/self/fd")
_LAST_SENT_MS = 44  # offsets in struct tcp_info of linux/tcp.h: ms since data were last sent,
_LAST_RECEIVED_MS = 52  # and last received
_INFO_BYTES = 60


class Idle:
    """Watches over the connections to one port of this process, on Linux; elsewhere it does nothing."""

    def __init__(self, port: int, idle_s: float) -> None:
        self._port = port
        self._idle_s = idle_s

    def start(self) -> None:
        """Look again and again, in a thread that ends with the process."""
        if sys.platform == "linux":
            threading.Thread(target=self._watch, name="idle", daemon=True).start()

    def look(self) -> int:
        """End what has been silent for too long, and say how many connections that were."""
        ended = 0
        for name in os.listdir(FDS):
            with suppress(OSError), _connection(int(name)) as found:
                if found.getsockname()[1] == self._port and silent_s(found) >= self._idle_s:
                    found.shutdown(socket.SHUT_RDWR)
                    ended += 1
        return ended

    def _watch(self) -> None:
        waiting = threading.Event()
        while not waiting.wait(max(self._idle_s / 6, 0.05)):
            self.look()


def silent_s(connection: socket.socket) -> float:
    """Seconds since data last went either way; OSError for what is not connected."""
    connection.getpeername()
    info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _INFO_BYTES)
    sent: int = struct.unpack_from("=I", info, _LAST_SENT_MS)[0]
    received: int = struct.unpack_from("=I", info, _LAST_RECEIVED_MS)[0]
    return min(sent, received) / 1000


@contextmanager
def _connection(number: int) -> Iterator[socket.socket]:
    """A descriptor as a TCP connection; it is lent, and never closed here, nor is a copy of it.

    To close any descriptor of a file ends all locks that the process has on the file. Databases hold
    such locks, so that files are not even touched.
    """
    if not stat.S_ISSOCK(os.fstat(number).st_mode):
        raise OSError("no socket")
    found = socket.socket(fileno=number)
    try:
        if found.family not in (socket.AF_INET, socket.AF_INET6) or found.type != socket.SOCK_STREAM:
            raise OSError("no TCP connection")
        yield found
    finally:
        found.detach()
