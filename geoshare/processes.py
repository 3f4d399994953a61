"""The processes of one machine: web workers in front, a keeper and a worker beside them."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence

from granian import Granian
from granian.constants import Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels

from geoshare.settings import PREFIX, Settings

log = logging.getLogger("geoshare.processes")

RESTART_PAUSE_S = 1.0
HEADER_TIMEOUT_MS = 15_000


class Companions:
    """Child processes that are started again when they end, until told to stop."""

    def __init__(self, commands: Mapping[str, Sequence[str]], environ: Mapping[str, str]) -> None:
        self._commands = commands
        self._environ = dict(environ)
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._stopping = threading.Event()
        self._lock = threading.Lock()

    def start(self) -> None:
        """Start all of them and a thread that watches over them."""
        for name in self._commands:
            self._launch(name)
        threading.Thread(target=self._watch, name="companions", daemon=True).start()

    def stop(self) -> None:
        """Ask all of them to end, and see that they do."""
        self._stopping.set()
        with self._lock:
            children = list(self._children.values())
        for child in children:
            child.terminate()
        for child in children:
            try:
                child.wait(timeout=10)
            except subprocess.TimeoutExpired:
                child.kill()

    def _launch(self, name: str) -> None:
        with self._lock:
            if not self._stopping.is_set():
                self._children[name] = subprocess.Popen(self._commands[name], env=self._environ)  # noqa: S603

    def _watch(self) -> None:
        while not self._stopping.wait(RESTART_PAUSE_S):
            for name, child in list(self._children.items()):
                if child.poll() is not None and not self._stopping.is_set():
                    log.warning("%s ended with %s and is started again", name, child.returncode)
                    self._launch(name)


def environment(settings: Settings) -> dict[str, str]:
    """The settings as the variables that child processes read them from."""
    values = dict(os.environ)
    values.pop(PREFIX + "SETTINGS", None)
    values.setdefault("MALLOC_ARENA_MAX", "2")  # threads that read rasters otherwise keep a third more
    for name, value in settings.model_dump().items():
        if value is not None and value != "":
            text = ",".join(value) if isinstance(value, tuple) else str(value)
            values[PREFIX + name.upper()] = text
    return values


def serve(settings: Settings) -> None:
    """Run the web workers in the foreground, keeper and worker beside them, until interrupted."""
    values = environment(settings)
    os.environ.update(values)
    own = [sys.executable, "-m", "geoshare.cli"]
    companions = Companions({"keeper": [*own, "keeper"], "worker": [*own, "worker"]}, values)
    companions.start()
    try:
        Granian(
            "geoshare.app:create_app",
            factory=True,
            address=settings.host,
            port=settings.port,
            interface=Interfaces.WSGI,
            workers=settings.workers,
            blocking_threads=settings.threads,
            backpressure=max(64, settings.threads * 4),
            http1_settings=HTTP1Settings(header_read_timeout=HEADER_TIMEOUT_MS),
            respawn_failed_workers=True,
            log_level=LogLevels(settings.log_level),
            log_access=False,
        ).serve()
    finally:
        companions.stop()
