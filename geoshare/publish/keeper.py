"""The keeper: the one process of a record that publishes. Others ask, or wait for it."""

from __future__ import annotations

import fcntl
import logging
import os
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from geoshare.errors import NotPublished, Unavailable
from geoshare.model.clock import Clock
from geoshare.publish.files import read_json, write_json
from geoshare.publish.fold import plan
from geoshare.publish.folding import Folding
from geoshare.publish.patience import Patience
from geoshare.publish.publisher import GRACE_S, Before, Publisher, PublishingFailed
from geoshare.store import Record, reading
from geoshare.store.bell import BELL, listening

POLL_S = 0.05  # between two looks at the record where nobody rings
JOIN_S = 0.05  # between the beginnings of two publications: what is committed meanwhile is joined
WAIT_POLL_S = 0.01
SWEEP_S = 10.0
MOST_DELTAS = 24  # beside those that are being folded; one more is folded at once, small as it is
STATE = "published.json"
LOCK = "keeper.lock"
_MOST_S = 10.0  # between two tries of what is not about one collection
_SECOND_TRY_S = 1.5  # a failure that is over by the second try is none

log = logging.getLogger(__name__)

_ANEW = Patience()  # of what failed in another process: due

AfterPublish = Callable[[set[str] | None], None]
Tick = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class State:
    """How far publishing has come.

    Up to change set ``sequence`` everything is published and told, save what ``failed`` names: each
    collection that cannot be published, and the change set up to which it is. ``form`` names the
    formats in which everything was published, or tried to be, the last time a keeper began.
    """

    sequence: int = -1
    failed: dict[str, int] = field(default_factory=dict)
    form: str = ""


class KeeperBusy(Exception):
    """Another process is the keeper."""


class Keeper:
    """Publishes what is committed, then tells those who make things of it.

    Parameters
    ----------
    data_dir
        Folder of ``packs/`` and of the lock.
    after_publish
        Called with the names of the collections that have a new version, in order; with None when
        the keeper starts, because any may have changed while there was none. What they make is
        part of being published: only then does :func:`wait_published` return.
    ticks
        Called with the time (microseconds) in every round of :meth:`run`.
    grace_s, named, before_publish
        When parts of former versions go, and what comes before publishing (see :class:`Publisher`).
    form
        Names the formats of what this keeper and those it tells write; kept in the state once
        everything is published in them.
    """

    def __init__(
        self,
        record: Record,
        data_dir: Path,
        clock: Clock,
        after_publish: Sequence[AfterPublish] = (),
        ticks: Sequence[Tick] = (),
        grace_s: float = GRACE_S,
        named: Callable[[], Collection[str]] = tuple,
        before_publish: Before = lambda last: None,
        form: str = "",
    ) -> None:
        self._form = form
        self._record = record
        self._publisher = Publisher(
            record, data_dir / "packs", grace_s=grace_s, named=named, before=before_publish
        )
        self._folding: Folding | None = None  # while it runs
        self._foldable: set[str] = set()
        self._swept_s = -SWEEP_S
        self._data_dir = data_dir
        self._packs_dir = data_dir / "packs"
        self._clock = clock
        self._after_publish = tuple(after_publish)
        self._ticks = tuple(ticks)
        self._failing: dict[str, Patience] = {}
        self._pending: set[str] | None = set()  # published, but not yet told; None: all
        self._inherits = True  # perhaps what one before published, and was killed before it told

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the keeper's lock. Raises KeeperBusy where another process has it.

        The operating system gives it back when the process ends, however it ends.
        """
        self._data_dir.mkdir(parents=True, exist_ok=True)
        with (self._data_dir / LOCK).open("a+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise KeeperBusy from None
            file.truncate(0)
            file.write(str(os.getpid()))
            file.flush()
            yield

    def publish(self, *, everything: bool = False) -> set[str]:
        """Publish what is pending and tell the callbacks; returns the collections. Needs the lock.

        A collection that cannot be published is noted in the state and tried again, ever less
        often, or when a change set touches it; the others go on. ``everything`` tells the callbacks
        that all may have changed.
        """
        sequence = self._record.head()
        state = read_state(self._packs_dir)
        before = max(state.sequence, 0)
        again = {name for name in state.failed if self._failing.get(name, _ANEW).due}
        if sequence == state.sequence and not (everything or again) and self._pending == set():
            return set()
        inherited = self._inherited(before)
        failed: dict[str, int] = {}
        try:
            changed = self._publisher.publish(0 if everything else before, again)
        except PublishingFailed as error:
            changed = error.changed
            failed = {name: state.failed.get(name, before) for name in error.failed}
            self._note(error)
        if self._pending is not None:
            self._pending |= inherited - failed.keys()
        self._inherits = False
        waiting = {
            name: after
            for name, after in state.failed.items()
            if not everything and name not in again | changed
        }
        self._fold_here(changed)
        self._tell(changed, everything)
        whole = everything or state.sequence < 0  # all was looked at
        new = State(sequence, waiting | failed, self._form if whole else state.form)
        self._failing = {name: held for name, held in self._failing.items() if name in new.failed}
        if new != state:
            write_json(self._packs_dir / STATE, asdict(new), durable=False)
        if self._folding is None:
            self._sweep()
        return changed

    def _inherited(self, before: int) -> set[str]:
        """What a keeper before this one may have published when it was killed: nobody was told."""
        if not self._inherits:
            return set()
        with self._record.snapshot() as connection:
            return {item.collection for item in reading.changes_after(connection, before)}

    def renew(self, names: Collection[str]) -> None:
        """Write packs anew, with nothing of before in them, and tell the callbacks. Needs the lock."""
        if self._folding is not None:
            self._folding.close()  # what it is folding is about to go
        done = self._publisher.renew(names)
        self._tell(done, everything=False)
        self._publisher.drop_former(names)

    def _fold_here(self, changed: set[str]) -> None:
        """Fold what cannot wait: all that is due where nobody folds in the background, else little."""
        self._foldable |= changed
        for name in changed:
            manifest = self._publisher.manifest(name)
            if manifest is None:
                continue
            if self._folding is None:
                work = plan(manifest)
            else:
                held = self._folding.work
                taken = held.taken if held is not None and held.collection == name else ()
                work = plan(manifest, taken, MOST_DELTAS, into_base=False)
            try:
                if work is not None:
                    self._publisher.fold(work)
            except Exception:  # what is published stays as it is, in more parts
                log.exception("%s cannot be folded", name)

    def _fold_aside(self, folding: Folding) -> None:
        """Put in place what has been folded in the background, and begin what is due next."""
        done = folding.finished()
        if done is not None and self._publisher.swap(done.work, done.folded):
            self._tell({done.work.collection}, everything=False)
        while folding.free and self._foldable:
            name = min(self._foldable)
            manifest = self._publisher.manifest(name)
            work = None if manifest is None else plan(manifest)
            if work is None:
                self._foldable.discard(name)
            else:
                folding.start(work)

    def _sweep(self) -> None:
        if time.monotonic() - self._swept_s >= SWEEP_S:
            self._swept_s = time.monotonic()
            self._publisher.sweep(() if self._folding is None else self._folding.busy)

    def _note(self, error: PublishingFailed) -> None:
        for name, reason in error.failed.items():
            held = self._failing.setdefault(name, Patience())
            held.failed(log, f"{name} cannot be published", reason, error.sequences[name])

    def _tell(self, changed: set[str], everything: bool) -> None:
        if everything or self._pending is None:
            self._pending = None
        else:
            self._pending |= changed
        if self._pending is None or self._pending:
            for callback in self._after_publish:
                callback(None if self._pending is None else set(self._pending))
        self._pending = set()

    def run(self, stop: threading.Event, poll_s: float = POLL_S) -> None:
        """Publish until ``stop`` is set; waits for the lock first.

        What fails is logged and tried again, and holds up nothing else: the map goes on with what
        is published, and the ticks with the clock.
        """
        while not stop.is_set():
            try:
                with self.lock():
                    self._keep(stop, poll_s)
            except KeeperBusy:
                stop.wait(0.5)

    def _keep(self, stop: threading.Event, poll_s: float) -> None:
        first, due, begun = True, True, -JOIN_S
        publishing = Patience(_MOST_S)
        ticks = [(tick, Patience(_MOST_S)) for tick in self._ticks]
        with (
            closing(self._record.signal()) as signal,
            self._in_background() as folding,
            listening(self._data_dir / BELL) as bell,
        ):
            while not stop.is_set():
                pause = poll_s
                if publishing.due:
                    try:
                        due = signal.changed() or due
                        joining = begun + JOIN_S - time.monotonic()
                        if joining > 0:
                            pause = min(poll_s, joining)
                        elif due or any(held.due for held in self._failing.values()):
                            begun = time.monotonic()
                            self.publish(everything=first)
                            first, due = False, False
                        self._fold_aside(folding)
                        self._sweep()
                        publishing.done()
                    except Exception as error:
                        due = True
                        publishing.failed(log, "publishing failed", error)
                self._tick(ticks)
                bell.wait(pause)

    @contextmanager
    def _in_background(self) -> Iterator[Folding]:
        """Fold in a child process."""
        self._foldable |= set(self._publisher.collections())
        with closing(Folding(self._packs_dir)) as folding:
            self._folding = folding
            try:
                yield folding
            finally:
                self._folding = None

    def _tick(self, ticks: Sequence[tuple[Tick, Patience]]) -> None:
        now_us = self._clock.now_us()
        for tick, patience in ticks:
            if patience.due:
                try:
                    tick(now_us)
                    patience.done()
                except Exception as error:
                    patience.failed(log, f"{tick} failed", error)


def read_state(packs_dir: Path) -> State:
    """How far publishing has come; sequence -1 where nothing is published."""
    try:
        said = read_json(packs_dir / STATE)
    except ValueError:  # torn by a power cut: it is not waited for the disk to have it
        said = None
    if said is None:
        return State()
    return State(int(said["sequence"]), dict(said.get("failed", {})), str(said.get("form", "")))


def wait_published(
    keeper: Keeper, record: Record, data_dir: Path, sequence: int, wait_s: float = 60.0
) -> None:
    """Return when a commit is visible: published by the keeper at work, or by this process.

    Raises
    ------
    NotPublished
        A collection that the commit touched cannot be published; the commit stays recorded.
    Unavailable
        The keeper at work does not get there in time.
    """
    begun = time.monotonic()
    while True:
        state = read_state(data_dir / "packs")
        reached = state.sequence >= sequence
        stuck = _stuck(record, state, sequence) if reached else []
        if reached and not stuck:
            return
        waited_s = time.monotonic() - begun
        if stuck and waited_s > min(wait_s, _SECOND_TRY_S):
            raise NotPublished(
                f"it is recorded, but {', '.join(stuck)} cannot be shown until the operator mends it",
                parameter="collection",
                message_ja="登録しましたが、地図に反映できません。運用者にお問い合わせください",
            )
        if waited_s > wait_s:
            raise Unavailable(
                "it is recorded, but not yet visible: the keeper is slow", retry_after_s=5
            )
        try:
            with keeper.lock():
                keeper.publish()
                if not reached:
                    continue
        except KeeperBusy:
            pass
        time.sleep(WAIT_POLL_S)


def _stuck(record: Record, state: State, sequence: int) -> list[str]:
    """Collections that the commit touched and that do not show it."""
    behind = {name for name, after in state.failed.items() if after < sequence}
    if not behind:
        return []
    with record.snapshot() as connection:
        return sorted(behind & reading.collections_of(connection, sequence))
