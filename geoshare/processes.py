"""The processes of one machine: web workers in front, a keeper and a worker beside them."""

from __future__ import annotations

import contextlib
import gc
import logging
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Mapping
from multiprocessing.context import ForkProcess
from pathlib import Path

from granian import Granian
from granian.constants import Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels

import geoshare.app as app
from geoshare.services import build_services
from geoshare.services.keeping import run_keeper, run_worker
from geoshare.settings import PREFIX, Settings
from tiles.warm import warm

log = logging.getLogger("geoshare.processes")

RESTART_PAUSE_S = 1.0
FORK = multiprocessing.get_context("fork")
HEADER_TIMEOUT_MS = 15_000


class Companions:
    """Child processes that are started again when they end, until told to stop.

    They are forked, so that what is imported and compiled by then is shared by all of them.
    """

    def __init__(self, duties: Mapping[str, Callable[[], None]]) -> None:
        self._duties = duties
        self._children: dict[str, ForkProcess] = {}
        self._stopping = threading.Event()
        self._lock = threading.Lock()

    def start(self) -> None:
        """Start all of them and a thread that watches over them."""
        for name in self._duties:
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
            child.join(timeout=10)
            if child.is_alive():
                child.kill()
                child.join()

    def _launch(self, name: str) -> None:
        with self._lock:
            if not self._stopping.is_set():
                child = FORK.Process(target=_companion, args=(name, self._duties[name]), name=name)
                child.start()
                self._children[name] = child

    def _watch(self) -> None:
        while not self._stopping.wait(RESTART_PAUSE_S):
            for name, child in list(self._children.items()):
                if not child.is_alive() and not self._stopping.is_set():
                    log.warning("%s ended with %s and is started again", name, child.exitcode)
                    self._launch(name)


def _companion(name: str, duty: Callable[[], None]) -> None:
    """What a child does: its duty, under its own name, without the server's signal handlers."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    with contextlib.suppress(OSError):
        Path("/proc/self/comm").write_text(f"geoshare {name}"[:15])
    duty()


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
    """Run the web workers in the foreground, keeper and worker beside them, until interrupted.

    Everything is imported and compiled once, before the first process is forked: a worker that
    listens is ready to answer at full speed, and the workers share that memory.
    """
    values = environment(settings)
    os.environ.update(values)
    warm()
    gc.freeze()  # what is there by now is there for good: collections need not write to its pages
    companions = Companions(
        {
            "keeper": lambda: run_keeper(build_services(settings)),
            "worker": lambda: run_worker(build_services(settings)),
        }
    )
    companions.start()
    try:
        Granian(
            f"{app.__name__}:{app.create_app.__name__}",  # imported here, so that workers share it
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
