"""A provider leaves: its word is taken back, everything it gave is removed, and that is certified.

Each step is written to a file before the next begins, so that what is interrupted goes on: the keeper
at work looks for such files, and so does the command line where there is none. Consumers are told by
the same tombstones as of any other change. Hashes of the files stay in the audit log.
"""

from __future__ import annotations

import shutil
import threading
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from geoshare.access.audit import COMMAND_LINE, Party
from geoshare.access.purge import purge_views
from geoshare.errors import BadRequest, Conflict, GeoshareError, NotFound
from geoshare.ingest import sweep
from geoshare.ingest.claims import CLAIMS
from geoshare.ingest.narrowing import narrow
from geoshare.ingest.withdraw import withdraw
from geoshare.jobs import Job
from geoshare.model.policy import Policy
from geoshare.publish import Keeper
from geoshare.publish.files import read_json, write_json
from geoshare.publish.keeper import KeeperBusy, read_state
from geoshare.services.certificates import certify
from geoshare.services.contributions import KIND
from geoshare.services.extracts import SUFFIXES
from geoshare.services.housekeeping import sweep_incoming
from geoshare.services.scratch import sweep_scratch
from geoshare.store.erase import (
    begun_by,
    collections_of,
    drop_empty,
    erase,
    given,
    is_under_way,
    tally,
)
from geoshare.store.files import Files
from geoshare.store.places import held_by

if TYPE_CHECKING:
    from collections.abc import Callable

    from geoshare.services import Services

ASKED, WITHDRAWN, ERASED, RENEWED, DONE = "asked", "withdrawn", "erased", "renewed", "done"
_JOBS: Final = 1_000_000
_LOOK_US: Final = 2_000_000
_POLL_S: Final = 0.2
_WAL_TRIES: Final = 50


class Leaving:
    """Providers that leave, and how far that has come."""

    def __init__(self, services: Services, held: Callable[[Services], list[Policy]]) -> None:
        self._services = services
        self._held = held
        self._folder = services.settings.data / "leaving"
        self._work: threading.Thread | None = None
        self._due_us = 0
        self.keeper: Keeper | None = None

    # What the operator asks for

    def ask(self, provider: str, reason: str) -> dict[str, Any]:
        """Note that everything a provider gave is to go; the one under way, where there is one.

        Where all of it has gone before and nothing came since, that one.

        Raises
        ------
        NotFound
            where it has contributed nothing.
        Conflict
            while a contribution of it is being read.
        """
        mine = [state for state in self._states() if state["provider"] == provider]
        for state in mine:
            if state["state"] != DONE:
                return state
        record = self._services.record
        sweep(record, self._services.clock, self._services.settings.data)
        with record.snapshot() as connection:
            gave = given(connection, provider)
            names = _without_claims(collections_of(connection, provider))
            busy = is_under_way(connection, provider)
        if busy:
            raise Conflict("a contribution of this provider is being read; try again later")
        if not gave and mine:
            return max(mine, key=lambda state: int(state["finished_us"]))
        if not gave:
            raise NotFound("This provider has contributed nothing")
        state = {
            "id": self._services.ids.new(),
            "provider": provider,
            "reason": reason,
            "state": ASKED,
            "asked_us": self._services.clock.now_us(),
            "collections": names,
            "given": [asdict(one) for one in gave],
        }
        self._services.trail.append(
            "provider.leave", COMMAND_LINE, Party(organisation=provider, subject=state["id"])
        )
        self._keep(state)
        return state

    def take_back(self, provider: str, release_class: str | None = None) -> int | None:
        """End what a provider has in force, and keep its history; the change set's sequence number.

        ``release_class``: what it contributed under that class alone.
        """
        services = self._services
        said = {} if release_class is None else {"release_class": release_class}
        services.trail.append("provider.withdraw", COMMAND_LINE, Party(organisation=provider), said)
        return withdraw(
            services.record,
            provider,
            clock=services.clock,
            data_dir=services.settings.data,
            foundation=services.foundation(),
            release_class=release_class,
        )

    def finish(self, number: str, keeper: Keeper, wait_s: float = 3_600.0) -> Path:
        """Wait until it is done, doing it here where no keeper is at work; the certificate's place."""
        deadline = time.monotonic() + wait_s
        while self.state(number)["state"] != DONE:
            try:
                with keeper.lock():
                    keeper.publish()
                    self._step(self.state(number), keeper)
                    keeper.publish()
            except KeeperBusy:
                if time.monotonic() > deadline:
                    raise Conflict("the keeper has not come to it; it goes on by itself") from None
                time.sleep(_POLL_S)
        return self.certificate(number)

    def state(self, number: str) -> dict[str, Any]:
        """How far one has come. Raises NotFound."""
        found = read_json(self._folder / f"{number}.json") if number.isalnum() else None
        if found is None:
            raise NotFound("Nobody leaves under this number")
        return dict(found)

    def certificate(self, number: str) -> Path:
        """Where the certificate of one lies when it is done."""
        return self._folder / f"{number}.zip"

    # What the keeper does

    def tick(self, now_us: int) -> None:
        """Go on with what is under way; what takes long is done beside the keeper's own thread."""
        if now_us < self._due_us or (self._work is not None and self._work.is_alive()):
            return
        self._due_us = now_us + _LOOK_US
        for state in self._states():
            if state["state"] == ERASED and self.keeper is not None:
                self._step(state, self.keeper)
                self._due_us = 0
            elif state["state"] != DONE:
                self._work = threading.Thread(target=self._step, args=(state, None), daemon=True)
                self._work.start()
                self._due_us = 0
                return

    def _step(self, state: dict[str, Any], keeper: Keeper | None) -> None:
        """Do the next step of one."""
        if state["state"] == ASKED:
            self._withdraw(state)
        elif state["state"] == WITHDRAWN:
            self._erase(state)
        elif state["state"] == ERASED and keeper is not None:
            self._renew(state, keeper)
        elif state["state"] == RENEWED:
            self._certify(state)

    def _withdraw(self, state: dict[str, Any]) -> None:
        self._drop_jobs(state["provider"])
        sequence = self.take_back(state["provider"])
        if sequence is None:  # it had ended before: perhaps by one who was killed right after that
            sequence = self._services.record.head()
        self._keep(state | {"state": WITHDRAWN, "sequence": sequence})

    def _erase(self, state: dict[str, Any]) -> None:
        """Remove rows and files, once everybody has been told that they are gone."""
        services = self._services
        if read_state(services.packs_dir).sequence < state["sequence"] or self._sends_on(state):
            time.sleep(_POLL_S)
            return
        provider, record = state["provider"], services.record
        names = {*state["collections"], CLAIMS}
        if "erased" not in state:  # what is counted now is not there to be counted again
            with record.snapshot() as connection:
                untitled = begun_by(connection, provider, state["collections"])
            counted = tally(record.database, provider, CLAIMS)
            stored = sum(path.exists() for _, path in self._extracts(names))
            state = state | {"erased": counted, "stored": stored, "untitled": untitled}
            self._keep(state)
        files = Files(services.settings.data)
        erase(record.database, provider, files, CLAIMS)
        files.sweep_parts(services.clock.now_us())
        drop_empty(record.database, state["collections"])
        narrow(record, state["collections"], state["untitled"], services.clock)
        self._drop_extracts(names)
        self._drop_sent(provider)
        for database in (record.database, services.governance.database):
            _forget_deleted(database.forget_deleted)
        self._keep(state | {"state": ERASED})

    def _sends_on(self, state: dict[str, Any]) -> bool:
        """Whether more has come of a provider meanwhile; then that is to be taken back first."""
        provider, record = state["provider"], self._services.record
        sweep(record, self._services.clock, self._services.settings.data)
        with record.snapshot() as connection:
            busy, held = is_under_way(connection, provider), held_by(connection, provider)
            gave, names = given(connection, provider), collections_of(connection, provider)
        if held and not busy:
            said = [one for one in map(asdict, gave) if one not in state["given"]]
            touched = sorted({*state["collections"], *_without_claims(names)})
            more = {"given": state["given"] + said, "collections": touched}
            self._keep(state | more | {"state": ASKED})
        return busy or bool(held)

    def _drop_sent(self, provider: str) -> None:
        """Forget what a provider has sent and what has not become a contribution."""
        services = self._services
        self._drop_jobs(provider)
        services.governance.sheets.forget_of(provider)
        services.governance.providers.forget(provider)
        for upload in services.governance.expired_uploads(2**62):
            if upload.organisation == provider:
                shutil.rmtree(services.settings.data / "incoming" / upload.id, ignore_errors=True)
                services.governance.remove_upload(upload.id)
        sweep_incoming(services, services.clock.now_us())

    def _renew(self, state: dict[str, Any], keeper: Keeper) -> None:
        """Write what readers open anew, and leave nothing of before beside it."""
        services = self._services
        names = {*state["collections"], CLAIMS}
        keeper.renew(names)
        held = {policy.hash for policy in self._held(services)}
        purge_views(services.views_dir, held, names, names - services.record.collections().keys())
        sweep_scratch(services.scratch())
        self._keep(state | {"state": RENEWED})

    def _certify(self, state: dict[str, Any]) -> None:
        """Write down what was done, with the proof that the log holds it."""
        if "finished_us" not in state:  # it stands in what is sealed, and there is one entry of that
            state = state | {"finished_us": self._services.clock.now_us()}
            self._keep(state)
        path = self.certificate(state["id"])
        certify(self._services.trail, state, state["finished_us"], path)
        self._keep(state | {"state": DONE})
        for left in self._folder.glob(".*"):  # what was begun by who was killed
            left.unlink(missing_ok=True)

    def _drop_jobs(self, provider: str) -> None:
        """Cancel contributions that have not begun, and forget all reports of a provider's files."""
        services, data = self._services, self._services.settings.data
        mine = [job for job in self._jobs() if job.kind == KIND and _provider(job) == provider]
        for job in mine:
            if not job.is_over:
                services.queue.cancel(job.id)
            (data / "reports" / f"{job.id}.xlsx").unlink(missing_ok=True)
            shutil.rmtree(data / "incoming" / job.id, ignore_errors=True)
        services.governance.jobs.drop([job.id for job in mine])

    def _drop_extracts(self, names: set[str]) -> None:
        """Remove stored files that hold any of these collections; cancel those in the making."""
        for job, path in self._extracts(names):
            if not job.is_over:
                self._services.queue.cancel(job.id)
            path.unlink(missing_ok=True)

    def _extracts(self, names: set[str]) -> list[tuple[Job, Path]]:
        """Jobs that make files of these collections, and where the files lie."""
        found = []
        for job in self._jobs():
            wanted = (job.params.get("request") or {}).get("collections")
            if job.kind in SUFFIXES and not (isinstance(wanted, list) and names.isdisjoint(wanted)):
                found.append((job, self._services.extracts.path_of(job)))
        return found

    def _jobs(self) -> list[Job]:
        return self._services.queue.newest(None, _JOBS)

    def _states(self) -> list[dict[str, Any]]:
        found = [read_json(path) for path in sorted(self._folder.glob("*.json"))]
        return [dict(state) for state in found if state is not None]

    def _keep(self, state: dict[str, Any]) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        write_json(self._folder / f"{state['id']}.json", state)


def check_provider(name: str) -> str:
    """The name of a provider. Raises BadRequest for an empty one."""
    if not name.strip():
        raise BadRequest("Whose?", parameter="NAME", allowed="an organisation's name")
    return name


def _provider(job: Job) -> str:
    return str((job.params.get("options") or {}).get("provider") or job.owner)


def _without_claims(names: list[str]) -> list[str]:
    return [name for name in names if name != CLAIMS]


def _forget_deleted(work: Callable[[], None]) -> None:
    """Overwrite what was deleted as soon as no reader is in the way."""
    for last in [False] * _WAL_TRIES + [True]:
        try:
            work()
            return
        except GeoshareError:
            if last:
                raise
            time.sleep(_POLL_S)
