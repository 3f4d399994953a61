"""A provider leaves: its word is taken back, everything it gave is removed, and that is certified.

Each step is written to a file before the next begins, so that what is interrupted goes on: the keeper
at work looks for such files, and so does the command line where there is none. Consumers are told by
the same tombstones as of any other change. Hashes of the files stay in the audit log.
"""

from __future__ import annotations

import hashlib
import shutil
import threading
import time
import zipfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import orjson

from geoshare.access.audit import COMMAND_LINE, Party
from geoshare.access.audit.seal import MANIFEST
from geoshare.access.purge import purge_views
from geoshare.errors import BadRequest, Conflict, GeoshareError, NotFound
from geoshare.ingest.claims import CLAIMS
from geoshare.ingest.withdraw import withdraw
from geoshare.jobs import Job
from geoshare.model.foundation import load
from geoshare.model.policy import Policy
from geoshare.model.times import iso
from geoshare.publish import Keeper
from geoshare.publish.files import read_json, write_json
from geoshare.publish.keeper import KeeperBusy, read_state
from geoshare.services.auditing import sealing
from geoshare.services.contributions import KIND
from geoshare.services.extracts import SUFFIXES
from geoshare.services.scratch import sweep_scratch
from geoshare.store.erase import collections_of, drop_empty, erase, given, is_under_way
from geoshare.store.files import Files

if TYPE_CHECKING:
    from collections.abc import Callable

    from geoshare.services import Services

ASKED, WITHDRAWN, ERASED, RENEWED, DONE = "asked", "withdrawn", "erased", "renewed", "done"
CERTIFICATE: Final = "certificate.json"
_JOBS: Final = 1_000_000
_LOOK_US: Final = 2_000_000
_POLL_S: Final = 0.2
_WAL_TRIES: Final = 50
_STATEMENT: Final = {
    "en": "What this provider contributed was removed: files as received, rows and their history,"
    " claims, packs, views, tiles and stored extracts. What rested on it was decided anew from what"
    " others contribute. The hashes of the files stay in the audit log. Copies that consumers took"
    " before are told to remove it by the change feed; backups expire by their own terms.",
    "ja": "この提供者が提供したデータ(受領ファイル、行とその履歴、主張、パック、ビュー、タイル、"
    "保存された抽出データ)を削除しました。これに基づいていた内容は、他の提供者のデータから改めて決定しました。"
    "ファイルのハッシュ値は監査記録に残ります。"
    "利用者が以前に取得した写しには、更新フィードで削除を通知します。バックアップは、それぞれの保存期限に従います。",
}


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

        Raises
        ------
        NotFound
            where it has contributed nothing.
        Conflict
            while a contribution of it is being read.
        """
        for state in self._states():
            if state["provider"] == provider and state["state"] != DONE:
                return state
        record = self._services.record
        with record.snapshot() as connection:
            gave = given(connection, provider)
            names = [name for name in collections_of(connection, provider) if name != CLAIMS]
            busy = is_under_way(connection, provider)
        if busy:
            raise Conflict("a contribution of this provider is being read; try again later")
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

    def take_back(self, provider: str) -> int | None:
        """End what a provider has in force, and keep its history; the change set's sequence number."""
        services = self._services
        self._services.trail.append("provider.withdraw", COMMAND_LINE, Party(organisation=provider))
        return withdraw(
            services.record,
            provider,
            clock=services.clock,
            data_dir=services.settings.data,
            foundation=load(services.settings.data),
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
        self._keep(state | {"state": WITHDRAWN, "sequence": sequence or 0})

    def _erase(self, state: dict[str, Any]) -> None:
        """Remove rows and files, once everybody has been told that they are gone."""
        services = self._services
        if read_state(services.packs_dir).sequence < state["sequence"]:
            time.sleep(_POLL_S)
            return
        files = Files(services.settings.data)
        counts = erase(services.record.database, state["provider"], files, CLAIMS)
        gone = drop_empty(services.record.database, state["collections"])
        said = {"erased": _sum(state.get("erased", {}), counts), "gone": gone or state.get("gone", [])}
        self._keep(state | said)  # what is counted is not there to be counted again
        stored = self._drop_extracts({*state["collections"], CLAIMS}) + state.get("stored", 0)
        services.governance.sheets.forget_of(state["provider"])
        for upload in services.governance.expired_uploads(2**62):
            if upload.organisation == state["provider"]:
                shutil.rmtree(services.settings.data / "incoming" / upload.id, ignore_errors=True)
                services.governance.remove_upload(upload.id)
        for database in (services.record.database, services.governance.database):
            _forget_deleted(database.forget_deleted)
        self._keep(state | said | {"state": ERASED, "stored": stored})

    def _renew(self, state: dict[str, Any], keeper: Keeper) -> None:
        """Write what readers open anew, and leave nothing of before beside it."""
        services = self._services
        names = {*state["collections"], CLAIMS}
        keeper.renew(names)
        held = {policy.hash for policy in self._held(services)}
        purge_views(services.views_dir, held, names, state["gone"])
        sweep_scratch(services.scratch())
        self._keep(state | {"state": RENEWED})

    def _certify(self, state: dict[str, Any]) -> None:
        """Write down what was done, with the proof that the log holds it."""
        services = self._services
        finished_us = services.clock.now_us()
        said = {
            "id": state["id"],
            "provider": state["provider"],
            "asked_at": iso(state["asked_us"]),
            "finished_at": iso(finished_us),
            "collections": state["collections"],
            "contributions": [
                {
                    "sha256": one["sha256"],
                    "bytes": one["bytes"],
                    "received_at": iso(one["received_us"]),
                }
                for one in state["given"]
            ],
            "erased": state["erased"] | {"stored_files": state["stored"]},
            "statement": _STATEMENT,
        }
        content = orjson.dumps(said, option=orjson.OPT_INDENT_2)
        listed = {"name": CERTIFICATE, "sha256": hashlib.sha256(content).hexdigest()}
        manifest = orjson.dumps({"files": [listed]}, option=orjson.OPT_INDENT_2)
        about = Party(organisation=state["provider"], subject=state["id"])
        seal = sealing(services.trail, COMMAND_LINE, about, "provider.erase")
        files = {CERTIFICATE: content, MANIFEST: manifest}
        files |= seal(hashlib.sha256(manifest).hexdigest())
        path = self.certificate(state["id"])
        aside = path.with_suffix(".part")
        with zipfile.ZipFile(aside, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, text in files.items():
                archive.writestr(name, text)
        aside.replace(path)
        self._keep(state | {"state": DONE, "finished_us": finished_us})

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

    def _drop_extracts(self, names: set[str]) -> int:
        """Remove stored files that hold any of these collections; cancel those in the making."""
        services, count = self._services, 0
        for job in self._jobs():
            if job.kind not in SUFFIXES:
                continue
            wanted = (job.params.get("request") or {}).get("collections")
            if isinstance(wanted, list) and names.isdisjoint(wanted):
                continue
            if not job.is_over:
                services.queue.cancel(job.id)
            path = services.extracts.path_of(job)
            count += path.exists()
            path.unlink(missing_ok=True)
        return count

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


def _sum(one: dict[str, int], other: dict[str, int]) -> dict[str, int]:
    return {name: one.get(name, 0) + other[name] for name in other}


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
