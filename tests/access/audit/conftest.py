"""A log of its own for a test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from geoshare.access.audit import COMMAND_LINE, Audit, Party
from geoshare.access.audit.verify import DatabaseCheck, verify_files
from geoshare.model.clock import RandomIds
from geoshare.store import Governance, open_governance
from tests.clocks import SetClock
from tests.store.databases import database_url

__all__ = ["database_url"]
NOW_US = 1_767_225_600_000_000


class Log:
    """An audit log, its database and its folder, which can be opened again as after a restart."""

    def __init__(self, folder: Path, url: str | Path) -> None:
        self.data, self.url, self.clock = folder, url, SetClock(NOW_US)
        self.open()

    def open(self) -> Audit:
        self.governance: Governance = open_governance(self.url)
        self.audit = Audit(self.governance, self.data, self.clock, RandomIds(), "example.jp/audit")
        return self.audit

    def append(self, count: int, organisation: str = "mapco", start: int = 0) -> None:
        rows = self.audit.rows
        with rows.write() as connection:
            for number in range(start, start + count):
                party = Party(organisation=organisation, subject=f"subject-{number}")
                entry = self.audit.prepare("test.entry", COMMAND_LINE, party, {"number": number})
                self.audit.add(connection, entry)

    def sequence(self) -> int:
        with self.audit.sequencer.alone():
            return self.audit.tick(self.clock.now_us())

    def findings(self) -> list[str]:
        """What a check of files and database has found."""
        check = DatabaseCheck(self.audit.rows, self.audit.head())
        found = verify_files(self.audit.folder, self.audit.vkey, each=check.bundle)
        return [*found.findings, *check.finish(found, [])]


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    made = Log(tmp_path / "data", tmp_path / "governance.db")
    yield made
    made.governance.close()


@pytest.fixture
def make_log(tmp_path: Path) -> Callable[[str | Path], Log]:
    return lambda url: Log(tmp_path / "data", url)
