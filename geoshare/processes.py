"""The processes of one machine: web workers in front, a keeper and a worker beside them."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import logging
import multiprocessing
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess
from pathlib import Path

import pyarrow as pa
from flask import Flask
from granian import Granian
from granian.constants import Interfaces, SSLProtocols
from granian.http import HTTP1Settings
from granian.log import LogLevels

import geoshare.app as app
from geoshare.api.idle import Idle
from geoshare.errors import Conflict
from geoshare.model import foundation
from geoshare.secure import certificate
from geoshare.services import Services, build_services
from geoshare.services.keeping import run_keeper, run_worker
from geoshare.settings import PREFIX, Settings, load
from tiles.warm import warm

log = logging.getLogger("geoshare.processes")

RESTART_PAUSE_S = 1.0
HEADER_TIMEOUT_MS = 15_000
KILL_AFTER_S = 15
MAX_CONNECTIONS = 4096  # of each worker; an idle one costs no thread
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8  # of glibc's mallopt
MALLOC_OPTIONS = {M_ARENA_MAX: 2, M_MMAP_THRESHOLD: 1 << 22, M_TRIM_THRESHOLD: 1 << 23}
DUTIES: dict[str, Callable[[Services], None]] = {"keeper": run_keeper, "worker": run_worker}
# A fork shares what is imported and compiled by then; elsewhere system libraries do not survive one.
FIRST = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
# By the time a child has to be replaced, this process has threads, whose locks a fork would inherit.
AGAIN = multiprocessing.get_context("spawn")


class Companions:
    """The keeper and the worker: children that are started again when they end, until told to stop."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._children: dict[str, BaseProcess] = {}
        self._stopping = threading.Event()
        self._lock = threading.Lock()

    def start(self) -> None:
        """Start all of them and a thread that watches over them."""
        for name in DUTIES:
            self._launch(name, FIRST)
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

    def _launch(self, name: str, context: BaseContext) -> None:
        with self._lock:
            if not self._stopping.is_set():
                child = context.Process(target=_companion, args=(name, self._settings), name=name)  # type: ignore[attr-defined]
                child.start()
                self._children[name] = child

    def _watch(self) -> None:
        while not self._stopping.wait(RESTART_PAUSE_S):
            for name, child in list(self._children.items()):
                if not child.is_alive() and not self._stopping.is_set():
                    log.warning("%s ended with %s and is started again", name, child.exitcode)
                    self._launch(name, AGAIN)


def _end_with_parent() -> None:
    """End this process when the one that started it is no more.

    A server that was killed outright would otherwise leave its children on its port and its data
    folder, and nobody to end them.
    """
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def follow() -> None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(KILL_AFTER_S)
        os._exit(1)  # it did not listen

    threading.Thread(target=follow, name="parent", daemon=True).start()


def _companion(name: str, settings: Settings) -> None:
    """What a child does: its duty, under its own name, without the server's signal handlers."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    with contextlib.suppress(OSError):
        Path("/proc/self/comm").write_text(f"geoshare {name}"[:15])
    _end_with_parent()
    _give_back()  # also in a child that was spawned
    gc.freeze()
    DUTIES[name](build_services(settings))


def _give_back() -> None:
    """Let threads share heaps and give back what they no longer need.

    With a heap each, threads that read rasters keep a third more memory. Without fixed thresholds the
    C library moves large arrays into the heaps once some have been freed, and these never shrink; so
    does the pool that Arrow brings: together more than 50 MB of a worker. The thresholds are above
    what a large tile takes: fresh pages for each cost 1 ms of its 6, keeping them 8 MB of a worker.
    """
    pa.set_memory_pool(pa.system_memory_pool())
    with contextlib.suppress(OSError, AttributeError):
        library = ctypes.CDLL(None)
        for option, value in MALLOC_OPTIONS.items():
            library.mallopt(option, value)
        library.malloc_trim(0)


def environment(settings: Settings) -> dict[str, str]:
    """The settings as the variables that child processes read them from."""
    values = dict(os.environ)
    values.pop(PREFIX + "SETTINGS", None)
    for name, value in settings.model_dump().items():
        if value is not None and value != "":
            text = ",".join(value) if isinstance(value, tuple) else str(value)
            values[PREFIX + name.upper()] = text
    return values


def web_worker() -> Flask:
    """The application of one web worker, and the watch over its connections."""
    settings = load()
    _end_with_parent()
    _give_back()  # also in a worker that was spawned
    Idle(settings.port, settings.idle_s).start()
    return app.create_app(settings)


def check_port(settings: Settings) -> None:
    """Raise Conflict where another process listens already.

    The workers share their port, so that a second server would take half of the first one's requests
    and nobody would be told.
    """
    host, port = settings.host, settings.port
    try:
        socket.create_server(
            (host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET
        ).close()
    except OSError as error:
        raise Conflict(
            f"Nothing can listen on port {port} of {host}: {error.strerror}",
            parameter="GEOSHARE_PORT",
            allowed="a port that nothing listens on",
            message_ja=f"{host} のポート {port} は使用できません",
        ) from error


def serve(settings: Settings) -> None:
    """Run the web workers in the foreground, keeper and worker beside them, until interrupted.

    Everything is imported and compiled once, before the first process is forked: a worker that
    listens is ready to answer at full speed, and the workers share that memory.
    """
    files = certificate(settings)
    check_port(settings)
    foundation.load(settings.data)  # a broken file is told now, not to each who contributes
    values = environment(settings)
    os.environ.update(values)
    _give_back()
    warm()
    _give_back()  # what compiling has left
    gc.freeze()  # what is there by now is there for good: collections need not write to its pages
    companions = Companions(settings)
    companions.start()
    try:
        Granian(
            f"{__name__}:{web_worker.__name__}",  # imported here, so that workers share it
            factory=True,
            address=settings.host,
            port=settings.port,
            interface=Interfaces.WSGI,
            workers=settings.workers,
            blocking_threads=settings.threads,
            backpressure=MAX_CONNECTIONS,
            http1_settings=HTTP1Settings(header_read_timeout=HEADER_TIMEOUT_MS),
            respawn_failed_workers=True,
            workers_kill_timeout=KILL_AFTER_S,  # one that is stuck does not keep the others
            log_level=LogLevels(settings.log_level),
            log_access=False,
            ssl_cert=files[0] if files else None,
            ssl_key=files[1] if files else None,
            ssl_protocol_min=SSLProtocols.tls12,  # phones that are ten years old speak no other
        ).serve()
    finally:
        companions.stop()
