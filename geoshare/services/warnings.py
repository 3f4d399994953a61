"""Warnings in: telegrams from a folder or an address, each once; what cannot be read is put aside."""

from __future__ import annotations

import fcntl
import hashlib
import logging
import os
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import orjson
from shapely.geometry.base import BaseGeometry

from geoshare.access.areas import coded_area
from geoshare.access.audit import KEEPER, Party
from geoshare.errors import BadData, BadRequest, GeoshareError, Unavailable
from geoshare.ingest import report_json
from geoshare.ingest.telegrams import PROVIDER, take_telegram
from geoshare.model.report import Report
from geoshare.publish import Packs
from geoshare.publish.files import write_json
from geoshare.services.scratch import scratch_folder
from geoshare.services.warning_feed import Feed, Fetch, Https
from geoshare.services.warning_folder import Folder
from geoshare.sources import jma

if TYPE_CHECKING:
    from geoshare.services import Services

FOLDER_LOOK_S = 2.0
MOST_FAILURES = 3  # telegrams of a round that cannot be fetched: then nobody is there

log = logging.getLogger("geoshare.warnings")


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a telegram: ``error`` where it was put aside, ``sequence`` where it is new."""

    name: str
    report: Report
    error: GeoshareError | None = None
    sequence: int | None = None


class Warnings:
    """Takes telegrams into the record. Safe to give the same one any number of times."""

    def __init__(self, services: Services, fetch: Fetch | None = None) -> None:
        self._services, settings = services, services.settings
        self._home = settings.data / "warnings"
        self._folder: Folder | None = None
        self._feed: Feed | None = None
        if settings.warnings_folder is not None:
            self._folder = Folder(settings.warnings_folder, self._home / "folder.json")
        if settings.warnings_url:
            ask = fetch or Https(settings.warnings_hosts)
            self._feed = Feed(settings.warnings_url, ask, self._home / "feed.json")

    @property
    def sources(self) -> bool:
        """Whether there is anything to look at."""
        return self._folder is not None or self._feed is not None

    def take(self, data: bytes, name: str) -> Taken:
        """Take one telegram in, or put it aside with the reason beside it.

        Raises
        ------
        Unavailable, Conflict
            where it cannot be taken now; nothing is lost, and it may be given again.
        """
        report = Report(file=name)
        try:
            with self._aside(data) as path:
                found = take_telegram(
                    self._services.record,
                    path,
                    clock=self._services.clock,
                    ids=self._services.ids,
                    data_dir=self._services.settings.data,
                    place_of=_Places(self._services),
                    report=report,
                )
        except (BadData, BadRequest) as error:
            self._put_aside(data, report, error)
            return Taken(name, report, error)
        if report.refused:
            self._put_aside(data, report, None)
        if found is not None and not found.already_here:
            about = Party(organisation=PROVIDER, subject=found.contribution_id)
            self._services.trail.append("contribution.accept", KEEPER, about)
        return Taken(name, report, sequence=None if found is None else found.sequence)

    def sync_folder(self, *, patient: bool = True) -> Iterator[Taken]:
        """Take what has come into the folder; ``patient``: wait for the rest of broken-off files."""
        folder = self._folder
        for path in folder.settled() if folder is not None else ():
            assert folder is not None
            data = folder.read(path)
            if data is None or (patient and folder.may_grow(path) and _broken_off(data)):
                continue
            taken = self.take(data, path.name)
            folder.done(path)
            yield taken

    def sync_feed(self) -> Iterator[Taken]:
        """Take what the address announces.

        Raises
        ------
        BadRequest, BadData, Unavailable
            where it may not be asked, is no feed, or does not answer.
        """
        feed, failed = self._feed, list[Unavailable]()
        for entry in feed.due() if feed is not None else ():
            assert feed is not None
            try:
                data = feed.fetch(entry)
            except BadRequest as error:  # off the list: never asked again
                taken = Taken(entry.url, Report(file=entry.url), error)
            except Unavailable as error:  # one that is gone must not keep the others waiting
                failed.append(error)
                if len(failed) == MOST_FAILURES:
                    break
                continue
            else:
                taken = self.take(data, entry.url.rsplit("/", 1)[-1])
            feed.done(entry)
            yield taken
        if failed:
            raise failed[0]

    def watch(self, stop: threading.Event) -> None:
        """Look until told to stop; in one process at a time."""
        self._home.mkdir(parents=True, exist_ok=True)
        with (self._home / "watch.lock").open("a") as lock:
            while not stop.is_set() and not _locked(lock.fileno()):
                stop.wait(FOLDER_LOOK_S)
            asked_s = -self._services.settings.warnings_every_s
            while not stop.is_set():
                self._turn(self.sync_folder())
                if time.monotonic() - asked_s >= self._services.settings.warnings_every_s:
                    asked_s = time.monotonic()
                    self._turn(self.sync_feed())
                stop.wait(FOLDER_LOOK_S)

    def _turn(self, taken: Iterator[Taken]) -> None:
        try:
            for found in taken:
                if found.error is not None:
                    log.warning("telegram %s put aside: %s", found.name, found.error.message)
        except GeoshareError as error:
            log.warning("telegrams cannot be taken now: %s", error.message)
        except OSError:
            log.exception("telegrams cannot be taken now")

    @contextmanager
    def _aside(self, data: bytes) -> Iterator[Path]:
        with scratch_folder(self._services.scratch()) as folder:
            path = folder / "telegram.xml"
            path.write_bytes(data)
            yield path

    def _put_aside(self, data: bytes, report: Report, error: GeoshareError | None) -> None:
        """Keep what came, byte for byte, and why it could not be used, or not all of it."""
        folder = self._home / "quarantine"
        folder.mkdir(parents=True, exist_ok=True)
        name = hashlib.sha256(data).hexdigest()[:32]
        if len(data) <= jma.MAX_BYTES:  # of what is longer not all is here; its own file has it
            _write_bytes(folder / f"{name}.xml", data)
        said = {
            "error": error and {"code": error.code, "en": error.message, "ja": error.message_ja},
            "report": orjson.loads(report_json(report)),
        }
        write_json(folder / f"{name}.json", said)


class _Places:
    """Polygons of administrative codes, as they are published now; each looked up once."""

    def __init__(self, services: Services) -> None:
        self._packs = Packs(services.packs_dir)
        self._found: dict[str, BaseGeometry | None] = {}

    def __call__(self, code: str) -> BaseGeometry | None:
        if code not in self._found:
            self._found[code] = self._look_up(code)
        return self._found[code]

    def _look_up(self, code: str) -> BaseGeometry | None:
        for written in (code, code[:5]):  # some lists leave the check digit out
            try:
                return coded_area(self._packs, written)
            except BadRequest:
                continue
        return None


def _write_bytes(path: Path, data: bytes) -> None:
    aside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with aside.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def _broken_off(data: bytes) -> bool:
    """Whether a telegram has no end; whatever else is wrong with it, more bytes would not mend it."""
    return b"</Report>" not in data[-200:].replace(b" ", b"")


def _locked(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
