"""Where compiled kernels are kept: in a folder named after the sources they were compiled from.

A compiled kernel holds the kernels it calls, but the compiler's own check looks at one file alone: a
change in a kernel that another one calls would go unnoticed, and old code would go on running.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from numba import config
from numba.core import event
from numba.extending import is_jitted

Tell = Callable[[int, int], None]

_FOLDER = Path(__file__).parent


def use_own_cache() -> None:
    """Point the compiler to the folder of these sources, where there may be one.

    Where the package lies in a read-only place the compiler's own choice stands.
    """
    if getattr(config, "CACHE_DIR", "") or not os.access(_FOLDER, os.W_OK):
        return
    digest = hashlib.blake2b(digest_size=8)
    for path in sorted(_FOLDER.rglob("*.py")):
        digest.update(path.read_bytes())
    folder = _FOLDER / "__pycache__" / f"kernels-{digest.hexdigest()}"
    vars(config)["CACHE_DIR"] = str(folder)


@contextmanager
def told_of_compiling(tell: Tell) -> Iterator[None]:
    """Have somebody told of every kernel that has to be compiled, before it is.

    Kernels that the cache holds are not told of.

    Parameters
    ----------
    tell
        Called with how many this process has compiled so far, and about how many there are: those
        of the modules that are loaded.
    """
    with event.install_listener("numba:compile", _Watch(tell)):
        yield


class _Watch(event.Listener):
    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._done = 0

    def on_start(self, seen: event.Event) -> None:
        """A kernel is about to be compiled; those it calls are compiled meanwhile."""
        if _is_own(seen.data["dispatcher"]):
            self._tell(self._done, _kernels())

    def on_end(self, seen: event.Event) -> None:
        """One more is there."""
        self._done += _is_own(seen.data["dispatcher"])


def _is_own(kernel: Any) -> bool:
    """Whether a kernel is one of the package's, and not one that the compiler brings."""
    return bool(kernel.py_func.__module__.partition(".")[0] == __name__.partition(".")[0])


def _kernels() -> int:
    """Kernels of the package's modules that are loaded, each counted where it is written."""
    own = __name__.partition(".")[0]
    loaded = [module for name, module in list(sys.modules.items()) if name.partition(".")[0] == own]
    values = {id(value): value for module in loaded for value in list(vars(module).values())}
    return sum(is_jitted(value) and _is_own(value) for value in values.values())
