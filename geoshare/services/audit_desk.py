"""What operators and parties do with the audit log: read it, prove it, check it, forget."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geoshare.access.audit import COMMAND_LINE
from geoshare.access.audit.adopt import adopt
from geoshare.access.audit.files import CHECKPOINT, LogFolder, parse_name
from geoshare.access.audit.notes import VerifierKey
from geoshare.access.audit.sequence import Busy
from geoshare.access.audit.verify import DatabaseCheck, Progress, Verified, verify_files
from geoshare.access.credentials import Principal
from geoshare.access.credentials.principal import ADMIN
from geoshare.errors import BadRequest, Conflict, NotFound
from geoshare.services.auditing import once_of
from geoshare.services.extracts import KIND as EXTRACT

if TYPE_CHECKING:
    from geoshare.services import Services

FORGETTABLE = ("organisation", "person")
JOBS = 1_000_000


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check of the log has found."""

    entries: int
    findings: list[str]


class AuditDesk:
    """Reads and checks of the audit log."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._trail = services.trail

    def vkey(self) -> str:
        """The log's public key, which anybody may have."""
        return f"{self._trail.vkey}\n"

    def file(self, who: Principal, name: str) -> bytes:
        """A file of the log; NotFound for anyone but the operator.

        Sizes of trees and bundles tell how busy everybody is, so they are not published to strangers.
        """
        known = name == CHECKPOINT or parse_name(name) is not None
        content = self._trail.folder.read(name) if who.role == "operator" and known else None
        if content is None:
            raise NotFound("No such file")
        return content

    def own(self, who: Principal, before: str | None, limit: int) -> dict[str, Any]:
        """The caller's organisation's entries, the newest first, with what opens its own names."""
        if not _reads(who):
            return {"entries": []}
        rows = self._trail.rows
        after = rows.of_entry(before, who.organisation) if before is not None else None
        if before is not None and after is None:
            raise BadRequest("There is no such entry", parameter="before", allowed="an entry's id")
        found = rows.of_organisation(who.organisation, after, limit)
        return {"entries": self._trail.opened(found, who.organisation)}

    def own_proof(self, who: Principal, entry: str) -> bytes:
        """The proof of an entry of the caller's organisation; NotFound for others."""
        if not _reads(who) or self._trail.rows.of_entry(entry, who.organisation) is None:
            raise NotFound("No such entry")
        return self._trail.proof(entry, wait_s=2.0).text()

    # The operator's own hand

    def show(self, limit: int) -> list[dict[str, Any]]:
        """The newest entries, with every name that can still be opened."""
        return self._trail.opened(self._trail.rows.newest(limit), None)

    def open(self, entry: str) -> dict[str, Any]:
        """One entry with every name that can still be opened, and its proof if it has its place."""
        row = self._trail.rows.entry(entry)
        if row is None:
            raise NotFound(f"no entry {entry!r}")
        return self._trail.opened([row], None)[0] | {"place": row.place}

    def forget(self, what: str, value: str) -> int:
        """Destroy what links entries to an organisation or a person; how many sides of entries."""
        return self._trail.forget(what, value, COMMAND_LINE)

    def adopt(self, progress: Progress) -> int:
        """Take entries that only the files have into a database restored from a backup."""
        try:
            return adopt(self._trail, once_of, progress)
        except Busy:
            raise Conflict("the keeper is at work: stop the server first") from None

    def verify(self, folder: Path | None, vkey: str | None, progress: Progress) -> Checked:
        """Check the log's files, and the database where they are this server's own."""
        services, trail = self._services, self._trail
        key = VerifierKey.parse(vkey) if vkey else trail.vkey
        if folder is not None:
            if not folder.is_dir():
                raise BadRequest("there is no such folder", parameter="--log", allowed="a folder")
            return _checked(verify_files(LogFolder(folder), key, progress=progress), [])
        head = trail.head()
        if head.size == 0 and trail.folder.read(CHECKPOINT) is None:
            return Checked(0, [])
        database = DatabaseCheck(trail.rows, head)
        found = verify_files(trail.folder, key, progress=progress, each=database.bundle)
        extracts = [
            (job.id, str((job.result or {}).get("manifest_sha256", "")))
            for job in services.queue.newest(None, JOBS)
            if job.kind == EXTRACT and job.state == "done"
        ]
        return _checked(found, database.finish(found, extracts))


def _checked(found: Verified, more: list[str]) -> Checked:
    return Checked(found.checkpoint.size if found.checkpoint else 0, [*found.findings, *more])


def _reads(who: Principal) -> bool:
    """Whether the caller reads its organisation's entries: they tell who of its people did what."""
    return who.whole and (not who.person or who.may(ADMIN))
