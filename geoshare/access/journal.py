"""The journal of a view: which features each visible change touched, as far back as it is kept.

One file beside the manifest, written by who builds the view before the manifest is replaced. It begins
with a state of the view, and each frame after it is a step to the next one: the ids that were shown
before and the ids that are shown after, each with a hash of what is shown. Only steps that change what
the view shows are in it, so that nothing in it, nor its length, depends on what is hidden. States are
numbered; number and token together say which one is meant.

Each frame (see ``frames``) holds JSON.
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson

from geoshare.access.difference import Features, Places
from geoshare.access.frames import framed, whole_frames, write_after
from geoshare.access.manifest import write_aside

MAX_ENTRIES: Final = 100_000  # of a journal; who is further behind is quicker with a new copy
KEPT_US: Final = 7 * 86_400_000_000
MAX_OPEN: Final = 64  # journals that a reader remembers
Change = tuple[Features, Features]
"""What was shown before, and what is after."""
Stamp = tuple[int, int, int]
"""Inode, time and size of a file."""

_SLACK: Final = 8  # old steps are dropped when they are one in so many


@dataclass(frozen=True, slots=True)
class State:
    """Which of a view's states: how many visible changes came before, and its token."""

    number: int
    token: str


@dataclass(frozen=True, slots=True)
class Step:
    """From one state to ``state``: features as they were, and as they are.

    ``places`` are boxes of those that were; None where that was not noted.
    """

    state: State
    at_us: int  # when it was made
    gone: Features
    come: Features
    places: Places | None = None

    @property
    def entries(self) -> int:
        """How much room it takes."""
        return len(self.gone) + len(self.come)


@dataclass(frozen=True, slots=True)
class Journal:
    """A state, and the steps that came after it."""

    first: State
    steps: tuple[Step, ...] = ()

    @property
    def last(self) -> State:
        """The newest state."""
        return self.steps[-1].state if self.steps else self.first

    def state_of(self, token: str) -> State | None:
        """The newest state with that token."""
        for step in reversed(self.steps):
            if step.state.token == token:
                return step.state
        return self.first if self.first.token == token else None

    def between(self, since: State, until: State) -> Sequence[Step] | None:
        """The steps from one state to a later one; None where one of them is not known any more."""
        first, last = since.number - self.first.number, until.number - self.first.number
        if not self._is(first, since) or not self._is(last, until) or last < first:
            return None
        return self.steps[first:last]

    def _is(self, at: int, state: State) -> bool:
        if at == 0:
            return state == self.first
        return 0 < at <= len(self.steps) and self.steps[at - 1].state == state


class Writer:
    """Writes the journal of one view; for the one process that builds it.

    Parameters
    ----------
    path
        Of the file.
    kept_us
        Steps older than so many microseconds may go.
    """

    def __init__(self, path: Path, kept_us: int = KEPT_US) -> None:
        self._path = path
        self._kept_us = kept_us
        self._stamp: Stamp | None = None
        self._journal: Journal | None = None
        self._end = self._entries = 0

    def begin(self, token: str) -> None:
        """Note that the view begins anew: its states before are not known."""
        self._look()
        if self._journal is not None and self._journal.last.token != token:
            self._journal = None
            self._path.unlink(missing_ok=True)

    def add(
        self,
        before: str,
        after: str,
        at_us: int,
        change: Change | None,
        places: Places | None = None,
    ) -> None:
        """Add the step between two tokens.

        ``change`` is what was shown before and what is after; None where that is not known: then what
        came before is forgotten. ``places`` is where that lay which was shown before.
        """
        self._look()
        self._add(before, after, at_us, change, places)
        self._stamp = _stamp_of(self._path)

    def _look(self) -> None:
        """Read the file where it is not as it was left: another process may have built meanwhile."""
        stamp = _stamp_of(self._path)
        if stamp is None or stamp != self._stamp:
            self._journal, self._end = _read(self._path)
            steps = () if self._journal is None else self._journal.steps
            self._entries = sum(step.entries for step in steps)

    def _add(
        self, before: str, after: str, at_us: int, change: Change | None, places: Places | None
    ) -> None:
        journal = self._journal or Journal(State(0, before))
        state = State(journal.last.number + 1, after)
        if change is None or journal.last.token != before:
            self._replace(Journal(state))
            return
        step = Step(state, at_us, *change, places)
        whole = Journal(journal.first, (*journal.steps, step))
        self._entries += step.entries
        drop = self._dropped(whole, at_us)
        if drop:
            self._replace(Journal(whole.steps[drop - 1].state, whole.steps[drop:]))
        elif self._journal is None or not self._append(step):
            self._replace(whole)
        else:
            self._journal = whole

    def _append(self, step: Step) -> bool:
        """Write one more frame after the last whole one; False where the file is not there."""
        frame = _frame(_said(step))
        try:
            write_after(self._path, self._end, frame)
        except FileNotFoundError:
            return False
        self._end += len(frame)
        return True

    def _replace(self, journal: Journal) -> None:
        frames = [_frame({"n": journal.first.number, "token": journal.first.token})]
        frames += [_frame(_said(step)) for step in journal.steps]
        content = b"".join(frames)
        write_aside(self._path, content)
        self._journal, self._end = journal, len(content)
        self._entries = sum(step.entries for step in journal.steps)

    def _dropped(self, journal: Journal, now_us: int) -> int:
        """How many of the oldest steps go; where any does, so many that the next time is far."""
        steps, room, drop = journal.steps, self._entries, 0
        if room > MAX_ENTRIES:
            while drop < len(steps) and room > MAX_ENTRIES - MAX_ENTRIES // _SLACK:
                room, drop = room - steps[drop].entries, drop + 1
        if steps[0].at_us < now_us - self._kept_us - self._kept_us // _SLACK:
            while drop < len(steps) and steps[drop].at_us < now_us - self._kept_us:
                drop += 1
        return drop


@dataclass(frozen=True, slots=True)
class _Held:
    """What has been read of a file, and where the last of it begins."""

    stamp: Stamp
    journal: Journal
    last_at: int


class Journals:
    """Reads journals for those who answer; safe to use from several threads."""

    def __init__(self, views_dir: Path) -> None:
        self._views_dir = views_dir
        self._open: OrderedDict[Path, _Held] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, policy_hash: str, collection: str) -> Journal | None:
        """The journal of a view; None where it has none, because nothing has changed yet."""
        path = journal_path(self._views_dir, policy_hash, collection)
        with self._lock:
            held = self._open.get(path)
            found = _read_on(path, held)
            if found is None:
                self._open.pop(path, None)
                return None
            if found is not held:
                self._open[path] = found
            self._open.move_to_end(path)
            while len(self._open) > MAX_OPEN:
                self._open.popitem(last=False)
            return found.journal


def journal_path(views_dir: Path, policy_hash: str, collection: str) -> Path:
    """Where the journal of a view lies."""
    return views_dir / policy_hash / f"{collection}.journal"


def _frame(said: dict[str, Any]) -> bytes:
    return framed(orjson.dumps(said))


def _said(step: Step) -> dict[str, Any]:
    return {
        "n": step.state.number,
        "token": step.state.token,
        "at_us": step.at_us,
        "gone": step.gone,
        "come": step.come,
        "places": step.places,
    }


def _stamp_of(path: Path) -> Stamp | None:
    try:
        return _stamp(path.stat())
    except OSError:
        return None


def _stamp(said: os.stat_result) -> Stamp:
    return said.st_ino, said.st_mtime_ns, said.st_size


def _read(path: Path) -> tuple[Journal | None, int]:
    """What a file holds, up to the first frame that is torn, and how many bytes that is."""
    try:
        frames, _, end = _frames(path.read_bytes())
    except OSError:
        return None, 0
    return _journal(frames), end


def _read_on(path: Path, held: _Held | None) -> _Held | None:
    """What a file holds now; only what is new of it is read."""
    try:
        with open(path, "rb") as file:
            said = os.fstat(file.fileno())
            stamp = _stamp(said)
            if held is not None and held.stamp == stamp:
                return held
            if held is not None and held.stamp[0] == stamp[0]:
                file.seek(held.last_at)
                frames, last_at, _ = _frames(file.read())
                if frames and _state(frames[0]) == held.journal.last:  # inodes are used again
                    steps = (*held.journal.steps, *map(_step, frames[1:]))
                    return _Held(stamp, Journal(held.journal.first, steps), held.last_at + last_at)
                file.seek(0)
            frames, last_at, _ = _frames(file.read())
    except OSError:
        return None
    journal = _journal(frames)
    return None if journal is None else _Held(stamp, journal, last_at)


def _journal(frames: Sequence[dict[str, Any]]) -> Journal | None:
    return Journal(_state(frames[0]), tuple(map(_step, frames[1:]))) if frames else None


def _state(said: dict[str, Any]) -> State:
    return State(said["n"], said["token"])


def _step(said: dict[str, Any]) -> Step:
    places = said.get("places")
    if places is not None:
        places = {id_: tuple(box) for id_, box in places.items()}
    return Step(_state(said), said["at_us"], said["gone"], said["come"], places)


def _frames(content: bytes) -> tuple[list[dict[str, Any]], int, int]:
    """Whole frames, where the last of them begins, and where it ends."""
    found = list(whole_frames(content))
    said = [orjson.loads(item.content) for item in found]
    return said, found[-1].begin if found else 0, found[-1].end if found else 0
