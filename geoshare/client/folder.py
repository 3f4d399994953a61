"""The folder of synchronised files: whose it is, what lies in it, and one process at a time."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import orjson

from geoshare.client.client import sha256_of
from geoshare.client.http import ClientError
from geoshare.client.store import Store

STATE: Final = ".geoshare"  # folder of the state, beside the files
OF: Final = "of"
_FILES: Final = "files"
_ALLOWED: Final = f"a new or an empty folder, or one of an earlier synchronisation ({STATE} is in it)"
_SHOWN: Final = 3


def prepared(folder: Path) -> Path:
    """The folder of the state, made where there is none.

    Raises
    ------
    ClientError
        where something else lies there.
    """
    if folder.exists() and not folder.is_dir():
        raise ClientError(f"{folder} is no folder", parameter="folder", allowed=_ALLOWED)
    state = folder / STATE
    others = [] if state.is_dir() or not folder.exists() else sorted(folder.iterdir())
    if others:
        names = ", ".join(path.name for path in others[:_SHOWN])
        more = f" and {len(others) - _SHOWN} more" if len(others) > _SHOWN else ""
        raise ClientError(
            f"{folder} holds what is of nobody's synchronisation: {names}{more}",
            parameter="folder",
            allowed=_ALLOWED,
        )
    state.mkdir(parents=True, exist_ok=True)
    return state


@contextmanager
def alone(state: Path) -> Iterator[None]:
    """Hold the folder; ClientError where another process does. The lock ends with its process."""
    lock = sqlite3.connect(state / "lock.sqlite", timeout=0, isolation_level=None)
    try:
        lock.execute("begin exclusive")
    except sqlite3.OperationalError as error:
        lock.close()
        if error.sqlite_errorname != "SQLITE_BUSY":
            raise
        raise ClientError(
            f"{state.parent} is being synchronised by another process",
            parameter="folder",
            allowed="one synchronisation of a folder at a time",
        ) from error
    try:
        yield
    finally:
        lock.close()


class Files:
    """Files that were written, with size, time and SHA-256 of each."""

    def __init__(self, folder: Path, store: Store) -> None:
        self._folder, self._store = folder, store
        self._known: dict[str, list[Any]] = orjson.loads(store.said(_FILES) or "{}")

    @property
    def paths(self) -> tuple[Path, ...]:
        """Where they are."""
        return tuple(self._folder / name for name in self._known)

    def note(self, paths: Sequence[Path]) -> None:
        """Note what was written; what was written before and is not of it is removed."""
        before = set(self._known)
        self._known = {
            path.relative_to(self._folder).as_posix(): [
                path.stat().st_size,
                path.stat().st_mtime_ns,
                sha256_of(path),
            ]
            for path in paths
        }
        for name in before - set(self._known):
            (self._folder / name).unlink(missing_ok=True)
        self._store.say(_FILES, orjson.dumps(self._known).decode())

    def whole(self, *, read: bool) -> bool:
        """Whether all are as they were written; read where asked, or where only their time differs."""
        return bool(self._known) and all(
            self._is_as_written(self._folder / name, said, read) for name, said in self._known.items()
        )

    def intact(self) -> list[Path]:
        """Those that are as they were written."""
        return [
            self._folder / name
            for name, said in self._known.items()
            if self._is_as_written(self._folder / name, said, read=False)
        ]

    @staticmethod
    def _is_as_written(path: Path, said: list[Any], read: bool) -> bool:
        try:
            found = path.stat()
        except OSError:
            return False
        same = [found.st_size, found.st_mtime_ns] == said[:2]
        return (same and not read) or (found.st_size == said[0] and sha256_of(path) == said[2])
