"""An export that fails leaves the old file as it was, nothing beside it, and one line that says why."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Connection

from geoshare.access.audit import Audit
from geoshare.cli import main
from geoshare.errors import Unavailable
from geoshare.store.database import Database
from tests.api.conftest import Own
from tests.api.test_faults import full_disk, places


@pytest.fixture
def town(own: Own, tmp_path: Path) -> Own:
    own.contribute(places(tmp_path, 0), collection="places")
    own.services.trail.catch_up()
    return own


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    target = tmp_path / "target"
    target.mkdir()
    (target / "town.pmtiles").write_bytes(b"old")
    return target


def export(own: Own, path: Path) -> Result:
    arguments = ["collections", "export", "places", "--pmtiles", str(path), "--max-zoom", "12"]
    return CliRunner(env={"GEOSHARE_DATA": str(own.settings.data)}).invoke(main, arguments)


def assert_refused(done: Result, folder: Path) -> None:
    assert done.exit_code == 1
    assert isinstance(done.exception, SystemExit), done.exception
    [line] = [line for line in done.stderr.splitlines() if "error" in line]
    assert "Traceback" not in done.stderr
    assert [path.name for path in folder.iterdir()] == ["town.pmtiles"], line
    assert (folder / "town.pmtiles").read_bytes() == b"old"


def test_a_full_disk_at_any_moment(town: Own, folder: Path) -> None:
    with full_disk(1_000_000_000):
        whole = export(town, folder / "other.pmtiles")
    assert whole.exit_code == 0, whole.stderr
    size = (folder / "other.pmtiles").stat().st_size
    (folder / "other.pmtiles").unlink()
    for most in (0, size // 4, size - 1):
        with full_disk(most):
            done = export(town, folder / "town.pmtiles")
        assert_refused(done, folder)


def test_a_log_that_cannot_be_written(town: Own, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        assert (folder / "town.pmtiles").read_bytes() == b"old"
        raise Unavailable("the log cannot be written")

    monkeypatch.setattr(Audit, "append", refuse)
    done = export(town, folder / "town.pmtiles")
    assert_refused(done, folder)
    assert "the log cannot be written" in done.stderr


def test_the_file_appears_after_its_entry_which_has_its_sum(
    town: Own, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    append: Callable[..., Any] = Audit.append
    noted: list[str] = []

    def watch(self: Audit, kind: str, *rest: Any, **said: Any) -> Any:
        assert (folder / "town.pmtiles").read_bytes() == b"old"
        noted.append(said["detail"]["sha256"])
        return append(self, kind, *rest, **said)

    monkeypatch.setattr(Audit, "append", watch)
    done = export(town, folder / "town.pmtiles")
    assert done.exit_code == 0, done.stderr
    content = (folder / "town.pmtiles").read_bytes()
    assert noted == [hashlib.sha256(content).hexdigest()]


def test_an_error_that_nobody_foresaw_leaves_the_old_file_too(town: Own, folder: Path) -> None:
    before = export(town, folder / "other.pmtiles")
    assert before.exit_code == 0, before.stderr
    (folder / "other.pmtiles").unlink()
    with town.services.governance.database.write() as connection:
        connection.exec_driver_sql(
            "CREATE TRIGGER no_more BEFORE INSERT ON audit_entries"
            " BEGIN SELECT RAISE(ABORT, 'no more'); END"
        )
    done = export(town, folder / "town.pmtiles")
    assert done.exit_code == 1
    assert [path.name for path in folder.iterdir()] == ["town.pmtiles"]
    assert (folder / "town.pmtiles").read_bytes() == b"old"


def test_a_database_that_may_only_be_read_is_said_in_one_line(
    town: Own, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = Database.write

    @contextmanager
    def read_only(self: Database, *, durable: bool = True) -> Iterator[Connection]:
        with write(self, durable=durable) as connection:
            connection.exec_driver_sql("PRAGMA query_only=ON")
            try:
                yield connection
            finally:
                connection.exec_driver_sql("PRAGMA query_only=OFF")

    monkeypatch.setattr(Database, "write", read_only)
    assert_refused(export(town, folder / "town.pmtiles"), folder)
