"""Publishes, and dies at a chosen file operation. Reads "folder number" from standard input.

Each line is done by a fork, so that a death costs no start. A death is ``os._exit``, which like
SIGKILL runs nothing more: no ``finally``, no flush. What is counted are the operations on files under
``packs`` and ``views``, as Python's audit hooks tell them; the fork dies before the one of that number.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

from geoshare.access.build import build_views
from geoshare.access.tiers import load_tiers
from geoshare.model.clock import SystemClock
from geoshare.model.policy import Policy
from geoshare.publish import Keeper, Packs
from geoshare.store import open_record
from tiles.warm import warm

DIED, DONE = 9, 0
NOW_US = 1_700_000_000_000_000
TIERS = """
[open]
title = "Open"
title_ja = "公開"
[[open.grants]]
collections = ["places"]
columns = ["rank", "name"]
[whole]
title = "Whole"
title_ja = "全部"
[[whole.grants]]
collections = ["places"]
columns = ["name"]
rows = "rank >= 0"
"""
_EVENTS = {"open", "os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.utime", "shutil.rmtree"}


def policies(folder: Path) -> list[Policy]:
    """Those whose views are kept."""
    tiers = load_tiers(folder / "tiers.toml")
    return [tiers.policy(held, "read", NOW_US) for held in ((), ("whole",))]


def keeper_of(folder: Path) -> Keeper:
    """A keeper whose publishing has views made of it."""
    packs, views = Packs(folder / "data" / "packs"), folder / "data" / "views"
    held = policies(folder)

    def rebuild(names: set[str] | None) -> None:
        build_views(held, packs, views, names)

    record = open_record(folder / "data" / "record.db")
    return Keeper(record, folder / "data", SystemClock(), [rebuild], grace_s=0.0)


def die_at(number: int) -> Callable[[str, tuple[object, ...]], None]:
    """A hook that ends the process before its file operation of that number."""
    left = [number]

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if event not in _EVENTS or not arguments:
            return
        path = arguments[0]
        name = os.fsdecode(path) if isinstance(path, str | bytes | os.PathLike) else ""
        if "/packs" in name or "/views" in name:
            if left[0] == 0:
                os._exit(DIED)
            left[0] -= 1

    return hook


def main() -> None:
    """Do what is asked, line by line, and print how it ended."""
    warm()  # forks share the kernels
    for line in sys.stdin:
        folder, number = line.rsplit(" ", 1)
        child = os.fork()
        if child == 0:
            sys.addaudithook(die_at(int(number)))
            keeper = keeper_of(Path(folder))
            with keeper.lock():
                keeper.publish(everything=True)
            os._exit(DONE)
        ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        sys.stdout.write(f"{ended}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
