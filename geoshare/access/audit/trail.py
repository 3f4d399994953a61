"""The audit log as the rest of the server uses it: append, wait, prove, open, forget."""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection

from geoshare.access.audit.entries import NOBODY, Opening, Party, Prepared, parse, prepare, store
from geoshare.access.audit.files import LogFolder, StoredNodes
from geoshare.access.audit.notes import Checkpoint, Signer, VerifierKey
from geoshare.access.audit.proofs import Proof
from geoshare.access.audit.reads import GRACE_US, MINUTE_US, Reads
from geoshare.access.audit.sequence import Busy, Sequencer
from geoshare.access.audit.tree import EMPTY_ROOT, inclusion_path
from geoshare.errors import BadData, Conflict, GeoshareError, NotFound, Unavailable
from geoshare.model.clock import Clock, Ids
from geoshare.store.audit_rows import EntryRow, Head, OpeningRow
from geoshare.store.governance import Governance

FOLDER: Final = "audit"
LOCK: Final = "audit.lock"
SEED: Final = "audit-log"
EVERY_S: Final = 0.1
KEEPER: Final = Party(credential="keeper")
COMMAND_LINE: Final = Party(credential="command line")
_AGAIN_S: Final = 0.5
_POLL_S: Final = 0.05

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Receipt:
    """An entry that is on the disk: its id, its bytes, and what opens it."""

    id: str
    leaf: bytes
    openings: tuple[Opening, ...]


class Audit:
    """The audit log of one server.

    Parameters
    ----------
    governance
        Where entries and salts are kept; its secret of the name ``audit-log`` is the log's key.
    data_dir
        The log's files go to ``audit`` in it.
    origin
        Name of the log, used when it is begun: a URL without its scheme. Empty: a random one.
    """

    def __init__(
        self, governance: Governance, data_dir: Path, clock: Clock, ids: Ids, origin: str = ""
    ) -> None:
        self.rows = governance.audit
        self.folder = LogFolder(data_dir / FOLDER)
        self.reads = Reads(self.rows, clock)
        self._governance, self._clock, self._ids = governance, clock, ids
        self._origin = origin or f"geoshare.invalid/{secrets.token_hex(8)}"
        name = self.head().origin
        signer = Signer(name, governance.secret(SEED))
        self.vkey: VerifierKey = signer.vkey
        self.signer = signer
        self.sequencer = Sequencer(self.rows, self.folder, data_dir / LOCK, signer)
        self._closed = -1  # the last minute whose reads were made into entries, and those before

    def head(self) -> Head:
        """Return the tree that the database holds."""
        return self.rows.head(lambda: self._origin, EMPTY_ROOT)

    # Appending

    def prepare(
        self,
        kind: str,
        by: Party,
        about: Party = NOBODY,
        detail: Mapping[str, Any] | None = None,
        *,
        once: str | None = None,
    ) -> Prepared:
        """Make an entry dated now, to be added in the transaction of what it tells of."""
        at_us = self._clock.now_us()
        return prepare(kind, by, about, detail, at_us=at_us, ids=self._ids, once=once)

    def add(self, connection: Connection, entry: Prepared) -> Receipt:
        """Add an entry in a governance transaction under way: both are kept, or neither."""
        store(self.rows, connection, entry)
        return Receipt(entry.id, entry.leaf, entry.openings)

    def append(
        self,
        kind: str,
        by: Party,
        about: Party = NOBODY,
        detail: Mapping[str, Any] | None = None,
    ) -> Receipt:
        """Append an entry; it is on the disk when this returns, so what it tells of may be released.

        Raises
        ------
        Unavailable
            where it cannot be written: then nothing may be released.
        """
        entry = self.prepare(kind, by, about, detail)
        with self.rows.write() as connection:
            return self.add(connection, entry)

    def append_once(
        self, once: str, kind: str, by: Party, about: Party, detail: Mapping[str, Any]
    ) -> bool:
        """Append what there may be one entry of; whether there was none. Raises Unavailable."""
        entry = self.prepare(kind, by, about, detail, once=once)
        with self.rows.write() as connection:
            return store(self.rows, connection, entry) is not None

    def receipt_once(
        self, once: str, kind: str, by: Party, about: Party, detail: Mapping[str, Any]
    ) -> Receipt:
        """Append what there may be one entry of; its receipt, also where it was there. Unavailable."""
        self.append_once(once, kind, by, about, detail)
        row = self.rows.of_once(once)
        openings = self.rows.openings([row.number])
        return Receipt(
            row.id, row.leaf, tuple(Opening(o.side, o.what, o.value, o.salt) for o in openings)
        )

    # Sequencing

    def tick(self, now_us: int) -> int:
        """Close the minutes that are over and sequence; needs the sequencer's lock."""
        minute = (now_us - GRACE_US) // MINUTE_US
        if minute != self._closed:
            self.reads.close_minutes(
                now_us, lambda by, detail: self.prepare("reads.minute", by, NOBODY, detail)
            )
            self._closed = minute
        return self.sequencer.sequence(self.head())

    def keep(self, stop: threading.Event, every_s: float = EVERY_S) -> None:
        """Sequence until told to stop, as soon as nobody else does; what fails is tried again."""
        while not stop.is_set():
            try:
                with self.sequencer.alone():
                    self._keep(stop, every_s)
            except Busy:
                stop.wait(_AGAIN_S)

    def _keep(self, stop: threading.Event, every_s: float) -> None:
        signal = self._governance.signal()
        said = ""
        due = True
        try:
            while not stop.is_set():
                now_us = self._clock.now_us()
                try:
                    if signal.changed() or due or (now_us - GRACE_US) // MINUTE_US != self._closed:
                        self.tick(now_us)
                        due, said = False, ""
                except (GeoshareError, OSError) as error:
                    due = True
                    if said != str(error):
                        log.exception("the audit log does not go on")
                    said = str(error)
                    stop.wait(_AGAIN_S)
                stop.wait(every_s)
        finally:
            signal.close()

    def proof(self, entry: str, wait_s: float = 0.0) -> Proof:
        """Return where an entry is and the path to a signed root, waiting until it has its place.

        Raises
        ------
        NotFound
            where there is no such entry.
        Unavailable
            where it has no place after ``wait_s`` seconds.
        """
        deadline = time.monotonic() + wait_s
        while True:
            row = self.rows.entry(entry)
            if row is None:
                raise NotFound("No such entry")
            note = self.folder.read("checkpoint")
            if row.place is not None and note is not None:
                head = Checkpoint.open(note, self.vkey)
                if row.place < head.size:
                    path = inclusion_path(StoredNodes(self.folder, head.size), row.place, head.size)
                    return Proof(row.place, tuple(path), note)
            if time.monotonic() >= deadline:
                raise Unavailable("the audit log is behind", retry_after_s=2)
            if not self.catch_up():
                time.sleep(_POLL_S)

    def catch_up(self) -> bool:
        """Sequence here, where no keeper does; whether that was done.

        Raises Unavailable where files or database are not what was signed.
        """
        try:
            with self.sequencer.alone():
                self.sequencer.sequence(self.head())
        except (Busy, Conflict):
            return False
        except BadData as error:
            raise Unavailable("the audit log does not go on", retry_after_s=60) from error
        return True

    # Opening and forgetting

    def opened(self, rows: list[EntryRow], organisation: str | None) -> list[dict[str, Any]]:
        """Entries with the names that may be opened: one's own side, or for None all there are."""
        openings: dict[int, list[OpeningRow]] = {row.number: [] for row in rows}
        for item in self.rows.openings(list(openings)):
            openings[item.entry].append(item)
        found = []
        for row in rows:
            said = parse(row.leaf)
            known = [Opening(o.side, o.what, o.value, o.salt) for o in openings[row.number]]
            mine = {o.side for o in known if o.what == "organisation" and o.value == organisation}
            shown = [o for o in known if organisation is None or o.side in mine]
            found.append({"entry": said, "opened": [_said(item) for item in shown]})
        return found

    def forget(self, what: str, value: str, by: Party) -> int:
        """Destroy the salts of an organisation or a person; an entry says so, without the name.

        Minutes of reads under way are made into entries first, so that none is opened later.

        Returns
        -------
        How many sides of entries can no longer be linked to it.

        Raises
        ------
        NotFound
            where no entry can be opened to that name.
        """
        self.reads.flush()
        self.reads.close_minutes(
            self._clock.now_us() + 2 * MINUTE_US,
            lambda party, detail: self.prepare("reads.minute", party, NOBODY, detail),
        )
        with self.rows.write() as connection:
            number = self.rows.forget(connection, what, value)
            if number:
                said = {"what": what, "entries": number}
                self.add(connection, self.prepare("audit.forget", by, NOBODY, said))
        self.rows.scrub()  # also where an earlier call was interrupted before it
        if not number:
            raise NotFound(f"no entry can be opened to that {what}")
        return number


def _said(item: Opening) -> dict[str, str]:
    return {
        "side": item.side,
        "what": item.what,
        "value": item.value,
        "salt": item.salt.hex(),
        "commitment": item.commitment(),
    }
