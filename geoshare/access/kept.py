"""What a view showed: the features that its changes replaced or removed, as they were shown.

One file beside the journal. It begins with a state of the view and the time since which that is known;
each frame after it is a step: what was shown before of the features that it touched, and the ids of
those that are shown after. Going back from what is shown now, step by step, gives what was shown then;
nothing else is looked at, so that no rule has to be applied again to find what a policy allowed.

Nothing is kept where going back could show what may not be shown any more: of views with a window of
time (what has left it is gone), and when the area that a policy names has been moved.

A frame (see ``frames``) holds the length of a piece of JSON, the JSON, and an Arrow stream.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import orjson
import pyarrow as pa

from geoshare.access.difference import Difference, Side
from geoshare.access.frames import framed, whole_frames, write_after
from geoshare.access.journal import KEPT_US
from geoshare.access.manifest import write_aside
from tiles.arrays import Rows
from tiles.pack import materialise

MAX_BYTES: Final = 64_000_000  # of one view; beyond it the older half goes
_LENGTH: Final = struct.Struct("<I")
_SLACK: Final = 8  # old steps are dropped when the oldest is older by one part in so many


@dataclass(frozen=True, slots=True)
class Frame:
    """A state (without ``before``), or a step from one token to another.

    ``rows`` holds ``id``, the visible columns and ``geometry`` (WKB) of what was shown before.
    """

    token: str
    at_us: int
    before: str | None = None
    come: tuple[str, ...] = ()
    rows: bytes = field(default=b"", repr=False)
    rights: str = ""

    def table(self) -> pa.Table | None:
        """What was shown before; None for no rows."""
        if not self.rows:
            return None
        with pa.ipc.open_stream(pa.BufferReader(self.rows)) as reader:
            return reader.read_all()


@dataclass(frozen=True, slots=True)
class Undo:
    """How to go back: take away features of these ids, and show these rows instead.

    ``token`` is that of the state one comes to.
    """

    token: str
    ids: frozenset[str]
    rows: tuple[pa.Table, ...]


class Keeping:
    """Writes what one view showed; for the one process that builds it.

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
        self._known: tuple[int, int, Frame, str] | None = None  # inode, end, first frame, last token

    def begin(self, token: str, at_us: int, rights: str) -> None:
        """Note that nothing is known of what was shown before this moment."""
        self._replace([Frame(token, at_us, rights=rights)])

    def add(self, before: str, after: str, at_us: int, found: Difference | None, rights: str) -> None:
        """Add the step between two tokens; None where it is not known what differs.

        ``rights`` tells what else decides on what is shown: where it is another one, what was shown
        before may not be shown any more.
        """
        known = self._look()
        if known is None or found is None or known[3] != before or known[2].rights != rights:
            self.begin(after, at_us, rights)
            return
        _, end, first, _ = known
        step = Frame(after, at_us, before, tuple(found.come.features), _written(found.gone))
        frame = _framed(step)
        oldest_us = at_us - self._kept_us - self._kept_us // _SLACK
        if end + len(frame) > MAX_BYTES or first.at_us < oldest_us:
            self._drop([*_frames(self._path), step], at_us)
            return
        written = write_after(self._path, end, frame)
        self._known = (written.st_ino, end + len(frame), first, after)

    def forget(self) -> None:
        """Remove all of it."""
        self._path.unlink(missing_ok=True)

    def _look(self) -> tuple[int, int, Frame, str] | None:
        """What the file holds; it is read where it is not as it was left."""
        try:
            found = self._path.stat()
        except OSError:
            return None
        if self._known is None or (found.st_ino, found.st_size) != self._known[:2]:
            read = list(_read(self._path))
            self._known = None
            if read:
                self._known = (found.st_ino, read[-1][1], read[0][0], read[-1][0].token)
        return self._known

    def _drop(self, frames: list[Frame], now_us: int) -> None:
        """Let the oldest steps go: those that are too old, and half of what is too much."""
        room = sum(len(frame.rows) for frame in frames)
        first, steps = frames[0], frames[1:]
        rights, at = first.rights, 0
        most = room if room <= MAX_BYTES else MAX_BYTES // 2
        while at < len(steps) and (steps[at].at_us < now_us - self._kept_us or room > most):
            first, room, at = steps[at], room - len(steps[at].rows), at + 1
        self._replace([Frame(first.token, first.at_us, rights=rights), *steps[at:]])

    def _replace(self, frames: list[Frame]) -> None:
        content = b"".join(map(_framed, frames))
        write_aside(self._path, content)
        inode = self._path.stat().st_ino
        self._known = (inode, len(content), frames[0], frames[-1].token)


def kept_path(views_dir: Path, policy_hash: str, collection: str) -> Path:
    """Where it lies what a view showed."""
    return views_dir / policy_hash / f"{collection}.past"


def way_back(path: Path, token: str, moment_us: int) -> Undo | None:
    """How to get from the state of a token to the one that was shown at a moment.

    Returns
    -------
    None where it is not known what was shown then. Nothing to undo for a moment that is not past.
    """
    frames = list(_frames(path))
    while frames and frames[-1].token != token:
        frames.pop()  # written, and not shown yet
    if not frames or moment_us < frames[0].at_us:
        return None
    later = next((at for at, frame in enumerate(frames) if frame.at_us > moment_us), len(frames))
    return _undo(frames[later - 1].token, frames[later:])


def _undo(token: str, steps: list[Frame]) -> Undo:
    """What leads back over some steps: each feature as it was before the first that touched it."""
    ids: set[str] = set()
    rows: list[pa.Table] = []
    for frame in steps:
        table = frame.table()
        if table is not None:
            names = table.column("id").to_pylist()
            new = [at for at, name in enumerate(names) if name not in ids]
            rows.append(table.take(pa.array(new, pa.int64())))
            ids.update(names)
        ids.update(frame.come)
    return Undo(token, frozenset(ids), tuple(rows))


def _written(side: Side) -> bytes:
    """The rows of a side as an Arrow stream; no bytes for no rows."""
    tables = []
    for item, numbers in side.pairs:
        if len(numbers):
            columns = [name for name in item.columns if name in item.part.kinds]
            tables.append(materialise(Rows((item.part.table,), (numbers,)), ["id", *columns]))
    if not tables:
        return b""
    whole = pa.concat_tables(tables, promote_options="default")
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, whole.schema) as writer:
        writer.write_table(whole)
    written: bytes = sink.getvalue().to_pybytes()
    return written


def _framed(frame: Frame) -> bytes:
    said = orjson.dumps(
        {
            "token": frame.token,
            "at_us": frame.at_us,
            "before": frame.before,
            "come": frame.come,
            "rights": frame.rights,
        }
    )
    return framed(_LENGTH.pack(len(said)) + said + frame.rows)


def _read(path: Path) -> Iterator[tuple[Frame, int]]:
    """Whole frames up to the first that is torn, each with where it ends."""
    content = b""
    with suppress(OSError):
        content = path.read_bytes()
    return ((_frame(found.content), found.end) for found in whole_frames(content))


def _frame(content: memoryview) -> Frame:
    (length,) = _LENGTH.unpack_from(content)
    said: dict[str, Any] = orjson.loads(content[_LENGTH.size : _LENGTH.size + length])
    said["come"] = tuple(said["come"])
    return Frame(**said, rows=bytes(content[_LENGTH.size + length :]))


def _frames(path: Path) -> Iterator[Frame]:
    return (frame for frame, _ in _read(path))
