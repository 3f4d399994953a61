"""Who writes: a name for this process, and whether the process of a name still lives."""

from __future__ import annotations

import os
import socket
from pathlib import Path

PATIENCE_US = 600_000_000  # a writer elsewhere that has been silent for ten minutes is dead


def this_writer() -> str:
    """Host, process id and start of this process."""
    pid = os.getpid()
    return f"{socket.gethostname()}|{pid}|{_start(pid)}"


def is_alive(writer: str, heartbeat_us: int, now_us: int) -> bool:
    """Whether a writer may still be at work; on another machine only its heartbeat can tell."""
    host, pid, start = writer.split("|")
    if host != socket.gethostname():
        return now_us - heartbeat_us < PATIENCE_US
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return start == _start(int(pid))


def _start(pid: int) -> str:
    # Process ids are given again; the start time (clock ticks since boot) tells two owners apart.
    try:
        return Path(f"/proc/{pid}/stat").read_text("ascii", "replace").rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""
