"""Processes of a server: one server to a port, and no process that outlives what started it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from geoshare.errors import Conflict
from geoshare.processes import check_port
from geoshare.settings import Settings


def test_a_port_that_somebody_listens_on_is_refused_by_name(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0), reuse_port=True) as taken:
        settings = Settings(data=tmp_path, port=taken.getsockname()[1])
        with pytest.raises(Conflict) as refused:
            check_port(settings)
    assert refused.value.parameter == "GEOSHARE_PORT"
    assert str(settings.port) in refused.value.message
    check_port(settings)  # nobody does any more


@pytest.mark.skipif(sys.platform != "linux", reason="children are forked on Linux alone")
def test_children_of_a_server_that_is_killed_end_with_it() -> None:
    script = textwrap.dedent(
        """
        import multiprocessing, time
        from geoshare.processes import _end_with_parent

        def child():
            _end_with_parent()
            time.sleep(600)

        children = [multiprocessing.get_context("fork").Process(target=child) for _ in range(3)]
        for one in children:
            one.start()
        print(*(one.pid for one in children), flush=True)
        time.sleep(600)
        """
    )
    server = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    children = [int(number) for number in server.stdout.readline().split()]
    assert len(children) == 3
    assert all(map(_lives, children))
    server.send_signal(signal.SIGKILL)
    server.wait()
    server.stdout.close()
    deadline = time.monotonic() + 30
    while any(map(_lives, children)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(map(_lives, children))


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return "Z" not in Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
