"""Gives entries their places, and publishes the tree: one process at a time, kill -9 at any moment.

The order is what makes it safe. Entries are pending in the database, durable, before anything they
speak of is released. Places and the root that results are committed in one transaction; then the tiles
are written; last the checkpoint. So a checkpoint is signed only for a root that the database holds for
that size: whatever is interrupted goes on to the same tree, and no two checkpoints of one size ever
differ. A log whose files or database are not what was signed is never gone on with.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from geoshare.access.audit.files import CHECKPOINT, VKEY, GrowingNodes, LogFolder, StoredNodes
from geoshare.access.audit.notes import Checkpoint, Signer
from geoshare.access.audit.tree import root
from geoshare.errors import BadData
from geoshare.store.audit_rows import AuditRows, Head

AT_ONCE: Final = 2_000  # entries of one transaction


class Busy(Exception):
    """Another process sequences this log."""


class Sequencer:
    """Sequences one log.

    Parameters
    ----------
    folder
        Where the log's files go; everything in it may be published.
    lock
        File that the one process that sequences has locked.
    """

    def __init__(self, rows: AuditRows, folder: LogFolder, lock: Path, signer: Signer) -> None:
        self._rows = rows
        self._folder = folder
        self._lock = lock
        self._signer = signer

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the log's lock, which the operating system gives back however the process ends.

        Raises Busy where another process has it.
        """
        self._lock.parent.mkdir(parents=True, exist_ok=True)
        with self._lock.open("a+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Busy from None
            yield

    def sequence(self, head: Head) -> int:
        """Give all pending entries their places and publish the tree; needs the lock.

        Returns
        -------
        Entries that got their place.

        Raises
        ------
        BadData
            where files or database are not what was signed: nothing is changed then.
        Conflict, Unavailable
            where the database does not let it; the next time goes on.
        """
        if self._folder.read(VKEY) is None:
            self._folder.write(VKEY, f"{self._signer.vkey}\n".encode())
        size = self.published(head)
        if size < head.size:  # an earlier process was interrupted here
            self._catch_up(size, head)
        placed = 0
        while rows := self._rows.pending(AT_ONCE):
            nodes = GrowingNodes(self._folder, head.size)
            for row in rows:
                nodes.append(row.leaf)
            after = Head(head.origin, nodes.size, root(nodes, nodes.size))
            self._rows.place(head, [row.number for row in rows], after.root)
            nodes.store()
            self._publish(after)
            head, placed = after, placed + len(rows)
        if self._folder.read(CHECKPOINT) is None:
            self._publish(head)
        return placed

    def published(self, head: Head) -> int:
        """Return the size that the checkpoint signs, where its tiles and the database agree.

        Raises BadData where they do not.
        """
        note = self._folder.read(CHECKPOINT)
        if note is None:
            return 0
        found = Checkpoint.open(note, self._signer.vkey)
        if found.size > head.size:
            raise BadData("the audit log's files are ahead of its database, which is an older copy")
        if root(StoredNodes(self._folder, found.size), found.size) != found.root:
            raise BadData("the audit log's tiles are not what its checkpoint signs")
        if found.size == head.size and found.root != head.root:
            raise BadData("the audit log's checkpoint is not the tree of its database")
        return found.size

    def _catch_up(self, size: int, head: Head) -> None:
        """Write the tiles of entries that have their place already."""
        while size < head.size:
            rows = self._rows.placed(size, min(AT_ONCE, head.size - size))
            if [row.place for row in rows] != list(range(size, size + len(rows))) or not rows:
                raise BadData("entries of the audit log are missing in its database")
            nodes = GrowingNodes(self._folder, size)
            for row in rows:
                nodes.append(row.leaf)
            if nodes.size == head.size and root(nodes, head.size) != head.root:
                raise BadData("the audit log's entries are not those that got their places")
            nodes.store()
            size = nodes.size
        self._publish(head)

    def _publish(self, head: Head) -> None:
        signed = Checkpoint(head.origin, head.size, head.root).signed(self._signer)
        self._folder.write(CHECKPOINT, signed)
