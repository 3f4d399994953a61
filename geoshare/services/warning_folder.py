"""Telegrams from a folder: each file once, when it has stopped changing. The folder is only read."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from geoshare.publish.files import read_json, write_json
from geoshare.sources import jma

SETTLED_S = 1.0
PATIENCE_S = 60.0  # for a file that breaks off, and may still be being written
MOST_FILES = 20_000

Signature = tuple[int, int]  # bytes, time of the last change in nanoseconds


@dataclass(frozen=True, slots=True)
class Seen:
    """A file as it was at the last look, and since when it has been so (monotonic seconds)."""

    signature: Signature
    since_s: float


class Folder:
    """A watched folder. Which files are done is kept by name, size and time of change."""

    def __init__(
        self, folder: Path, state: Path, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._folder, self._state, self._monotonic = folder, state, monotonic
        self._seen: dict[str, Seen] = {}

    def settled(self) -> list[Path]:
        """Files that are not done and have not changed for a second; the oldest first."""
        done = self._done()
        now_s, found = self._monotonic(), self._files()
        for name, signature in found.items():
            before = self._seen.get(name)
            if before is None or before.signature != signature:
                self._seen[name] = Seen(signature, now_s)
        self._seen = {name: seen for name, seen in self._seen.items() if name in found}
        if set(done) - set(found):
            self._write({name: signature for name, signature in done.items() if name in found})
        due = [
            name
            for name, seen in self._seen.items()
            if done.get(name) != seen.signature and now_s - seen.since_s >= SETTLED_S
        ]
        return [self._folder / name for name in sorted(due, key=lambda name: (found[name][1], name))]

    def read(self, path: Path) -> bytes | None:
        """The bytes of a settled file, no more than may be; None where it has changed meanwhile."""
        try:
            with path.open("rb") as file:
                data = file.read(jma.MAX_BYTES + 1)
                status = os.fstat(file.fileno())
        except OSError:
            return None
        seen = self._seen.get(path.name)
        same = seen is not None and seen.signature == (status.st_size, status.st_mtime_ns)
        return data if same else None

    def may_grow(self, path: Path) -> bool:
        """Whether a file that breaks off has changed so lately that its rest may still come."""
        seen = self._seen.get(path.name)
        return seen is not None and self._monotonic() - seen.since_s < PATIENCE_S

    def done(self, path: Path) -> None:
        """Remember that the file, as it was read, need not be read again."""
        self._write(self._done() | {path.name: self._seen[path.name].signature})

    def _files(self) -> dict[str, Signature]:
        found: dict[str, Signature] = {}
        try:
            with os.scandir(self._folder) as entries:
                for entry in islice(entries, MOST_FILES):
                    named = entry.name.lower().endswith(".xml") and not entry.name.startswith(".")
                    if named and entry.is_file(follow_symlinks=False):
                        status = entry.stat(follow_symlinks=False)
                        found[entry.name] = (status.st_size, status.st_mtime_ns)
        except OSError:
            return {}  # a share that is away for a while
        return found

    def _done(self) -> dict[str, Signature]:
        return {name: (size, at) for name, (size, at) in (read_json(self._state) or {}).items()}

    def _write(self, done: dict[str, Signature]) -> None:
        write_json(self._state, done)
