"""Folders for files in the making: they go with their owner, also where that is killed.

Whoever makes a folder holds a lock on it, which the operating system gives back when the last process
that has it is gone. So what can be locked by somebody else has no owner any more.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def scratch_folder(parent: Path) -> Iterator[Path]:
    """Make a folder that nobody sweeps away before it is left; then it goes with all that is in it."""
    path, handle = _locked(parent)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
        os.close(handle)


def _locked(parent: Path) -> tuple[Path, int]:
    while True:
        path = Path(tempfile.mkdtemp(dir=parent))
        handle = _lock(path)
        if handle is not None:
            return path, handle
        # it was swept away between the two steps: another one


def sweep_scratch(parent: Path) -> list[str]:
    """Remove the folders whose owners are gone; returns their names."""
    gone = []
    for path in parent.iterdir():
        handle = _lock(path) if path.is_dir() and not path.is_symlink() else None
        if handle is not None:
            shutil.rmtree(path, ignore_errors=True)
            os.close(handle)
            gone.append(path.name)
    return gone


def _lock(path: Path) -> int | None:
    """A handle that holds the lock on a folder; None where another has it, or the folder is gone."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if path.stat().st_ino == os.fstat(handle).st_ino:
            return handle
    except (BlockingIOError, FileNotFoundError):
        pass
    os.close(handle)
    return None
