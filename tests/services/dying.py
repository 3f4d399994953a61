"""Erases a provider, and dies at a chosen step. Reads "folder provider number [urls]" from its input.

Each line is done by a fork, so that a death costs no start. A death is ``os._exit``, which like
SIGKILL runs nothing more: no ``finally``, no flush. Steps are operations on files of the data folder,
as Python's audit hooks tell them, and commits of the databases; the fork dies before the one of that
number. Beside how it ended it prints how many steps it had done.
"""

from __future__ import annotations

import os
import sys
import threading
import time
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

from geoshare.services import build_services
from geoshare.services.keeping import make_keeper, make_leaving
from geoshare.settings import Settings
from tiles.warm import warm

DONE, FAILED, DIED, NEVER = 0, 1, 9, 1_000_000
KEEPER = "keeper"  # in the place of the addresses of databases: go on as a server does
_EVENTS = {"open", "os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.utime", "shutil.rmtree"}


class Steps:
    """Counts, and ends the process before the step of a number."""

    def __init__(self, folder: Path, number: int) -> None:
        self.done = 0
        self._folder, self._number = str(folder), number

    def one(self) -> None:
        if self.done == self._number:
            os._exit(DIED)
        self.done += 1

    def hook(self, name: str, arguments: tuple[Any, ...]) -> None:
        if name not in _EVENTS or not arguments:
            return
        path = arguments[0]
        if name == "open" and not (arguments[2] or 0) & (os.O_WRONLY | os.O_RDWR):
            return
        if isinstance(path, str | bytes | os.PathLike) and os.fsdecode(path).startswith(self._folder):
            self.one()


def keep(data: Path) -> None:
    """Be the keeper of a server that was started again, until nobody is leaving any more."""
    services, stop = build_services(Settings(data=data)), threading.Event()
    leaving = make_leaving(services)
    numbers = [path.stem for path in (data / "leaving").glob("[!.]*.json")]
    keeping = threading.Thread(target=make_keeper(services).run, args=(stop,))
    keeping.start()
    while any(leaving.state(number)["state"] != "done" for number in numbers):
        time.sleep(0.02)
    stop.set()
    keeping.join()


def erase(data: Path, provider: str, urls: list[str]) -> None:
    """What ``geoshare providers withdraw --erase`` does, also when it is given again."""
    said = dict(zip(("record_url", "governance_url"), urls, strict=False))
    services = build_services(Settings(data=data, **said))
    leaving = make_leaving(services)
    leaving.finish(leaving.ask(provider, "end of contract")["id"], make_keeper(services))


def alone(work: Callable[[], None], steps: Steps) -> tuple[int, int]:
    """Do something in a fork; how it ended, and after how many steps."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        sys.addaudithook(steps.hook)
        event.listen(Engine, "commit", lambda connection: steps.one())
        try:
            work()
            os.write(writing, str(steps.done).encode())
            os._exit(DONE)
        finally:
            traceback.print_exc()
            os._exit(FAILED)
    os.close(writing)
    ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    with open(reading, "rb") as pipe:
        return ended, int(pipe.read() or 0)


def main() -> None:
    """Do what is asked, line by line, and print how it ended."""
    warm()  # forks share the kernels
    for line in sys.stdin:
        folder, provider, number, *urls = line.split()
        data = Path(folder)
        steps = Steps(data, int(number))
        work = partial(keep, data) if urls == [KEEPER] else partial(erase, data, provider, urls)
        ended, done = alone(work, steps)
        sys.stdout.write(f"{ended} {done}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
