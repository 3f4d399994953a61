"""Contributions over HTTP: files are put aside, a job reads them, their provider sees the report."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from geoshare import sources
from geoshare.access.audit import Party
from geoshare.access.credentials import Principal
from geoshare.access.credentials.principal import CONTRIBUTOR
from geoshare.errors import BadRequest, Conflict, Denied, NotFound, Unauthenticated
from geoshare.ingest.claims import CLAIMS
from geoshare.jobs import Job
from geoshare.model.findings import Refusing
from geoshare.model.policy import Policy
from geoshare.services.auditing import party_of
from geoshare.services.contribution_options import Options
from geoshare.services.contribution_status import as_status
from geoshare.services.incoming import copy, safe_name, settle, whole
from geoshare.services.once import SMALL_BYTES, Once
from geoshare.services.releasing import contributing_of
from geoshare.services.scratch import scratch_folder
from geoshare.sources import ReadRequest
from geoshare.store.governance import Upload

if TYPE_CHECKING:
    from geoshare.services import Services

KIND = "contribute"
NOBODYS = ("warnings", CLAIMS)  # they follow from what is told otherwise
UPLOAD_LIFE_US = 2 * 86_400_000_000
PREVIEW_BYTES = 64_000_000


class Contributions:
    """Everything a provider does over HTTP."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._folder = services.settings.data / "incoming"

    def receive(
        self,
        who: Principal,
        name: str | None,
        stream: IO[bytes],
        options: Options,
        key: str | None = None,
    ) -> dict[str, Any]:
        """Put a file aside and queue the job that reads it.

        What comes with a key, or as a small batch without a name, is taken once however often it is
        sent (see ``Once``).
        """
        provider = self.provider(who, options)
        options.check(self._services.clock.now_us())
        options = self._classed(who, provider, options)
        if key is not None or name is None:
            return self._receive_once(who, name, stream, options, key)
        number, name = self._services.ids.new(), safe_name(name)
        with scratch_folder(self._services.scratch()) as folder:  # what is cut off goes by itself
            aside = folder / "received"
            aside.mkdir()
            copy(stream, aside / name, self._services.settings.max_upload_bytes)
            self._folder.mkdir(parents=True, exist_ok=True)
            aside.rename(self._folder / number)
        path = self._folder / number / name
        settle(path)
        return as_status(self._enqueue(who, number, path, provider, options))

    def _receive_once(
        self, who: Principal, name: str | None, stream: IO[bytes], options: Options, key: str | None
    ) -> dict[str, Any]:
        provider = self.provider(who, options)
        organisation, once = who.organisation, Once(self._services, self._folder)

        def enqueue(number: str, path: Path, mark: str, body: bytes | None) -> Job:
            return self._enqueue(who, number, path, provider, options, mark, body)

        if name is None:
            content = whole(stream, SMALL_BYTES)
            return as_status(once.take_small(organisation, key, content, provider, options, enqueue))

        def write(path: Path) -> None:
            copy(stream, path, self._services.settings.max_upload_bytes)

        name = safe_name(name)
        return as_status(once.take(organisation, key, name, provider, options, write, enqueue))

    def preview(self, who: Principal, name: str, stream: IO[bytes], options: Options) -> dict[str, Any]:
        """What a file looks like; nothing is kept."""
        provider = self.provider(who, options)
        with scratch_folder(self._services.scratch()) as folder:
            path = folder / safe_name(name)
            copy(stream, path, PREVIEW_BYTES)
            found: dict[str, Any] = sources.preview(path, self.read_request(provider, options, folder))
            if found.get("collection"):
                self.check_collection(self.policy(who), found["collection"])
            return found

    def rules(self, who: Principal, provider: str | None) -> dict[str, Any]:
        """What a provider has decided for all of its contributions; raises as ``provider`` does."""
        name = self.provider(who, Options(provider=provider))
        return {
            "provider": name,
            "refuse_on": self._services.governance.providers.refuse_on(name) or "none",
        }

    def decide(self, who: Principal, provider: str | None, refuse_on: Refusing) -> None:
        """Decide which findings refuse a provider's contributions; raises as ``provider`` does."""
        name = self.provider(who, Options(provider=provider))
        self._services.audit(who, "contribution.rules", name, {"refuse_on": refuse_on}, name)
        now_us = self._services.clock.now_us()
        self._services.governance.providers.decide(name, refuse_on, now_us)

    def listed(self, who: Principal) -> list[dict[str, Any]]:
        """The newest hundred."""
        self.provider(who, Options())
        owner = None if who.role == "operator" else who.organisation
        jobs = self._services.queue.newest(owner, 1_000)
        return [as_status(job) for job in jobs if job.kind == KIND][:100]

    def status(self, who: Principal, number: str) -> dict[str, Any]:
        """One contribution; NotFound unless the caller's own (or the operator asks)."""
        return as_status(self._job(who, number))

    def refused_xlsx(self, who: Principal, number: str) -> bytes:
        """Refused rows with their reasons."""
        job = self._job(who, number)
        if job.owner != who.organisation:  # rows as they came: raw data of somebody else
            self._services.break_glass.check(who, number)
        path = self._services.settings.data / "reports" / f"{job.id}.xlsx"
        if not path.exists():
            raise NotFound("No row was refused")
        return path.read_bytes()

    def begin_upload(self, who: Principal, name: str, length: int, options: Options) -> str:
        """Announce a file that comes in pieces."""
        provider = self.provider(who, options)
        options.check(self._services.clock.now_us())
        options = self._classed(who, provider, options)
        if not 0 < length <= self._services.settings.max_upload_bytes:
            allowed = f"1 to {self._services.settings.max_upload_bytes} bytes"
            raise BadRequest(
                "The file's length is out of range", parameter="Upload-Length", allowed=allowed
            )
        now_us = self._services.clock.now_us()
        number = self._services.ids.new()
        path = self._place(number, name)
        path.touch()
        settle(path)
        self._services.governance.add_upload(
            Upload(
                id=number,
                organisation=who.organisation,
                file_name=name,
                length=length,
                offset=0,
                metadata=asdict(options) | {"provider": provider},
                created_us=now_us,
                expires_us=now_us + UPLOAD_LIFE_US,
            )
        )
        return number

    def upload_offset(self, who: Principal, number: str) -> tuple[int, int]:
        """Bytes that have arrived, and bytes in all."""
        upload = self._upload(who, number)
        return upload.offset, upload.length

    def append(
        self, who: Principal, number: str, offset: int, stream: IO[bytes]
    ) -> tuple[int, dict[str, Any] | None]:
        """Write a piece; with the last one the contribution, as ``receive`` answers it."""
        upload = self._upload(who, number)
        if offset != upload.offset:
            raise Conflict(f"The upload stands at byte {upload.offset}", parameter="Upload-Offset")
        path = self._place(number, upload.file_name)
        room = upload.length - offset
        try:
            arrived = offset + copy(stream, path, room, at=offset)
        except OSError:  # the line broke: what has arrived is kept
            arrived = min(path.stat().st_size, offset + room)
        now_us = self._services.clock.now_us()
        self._services.governance.advance_upload(number, offset, arrived, now_us + UPLOAD_LIFE_US)
        if arrived < upload.length:
            return arrived, None
        options = Options(**upload.metadata)
        found = as_status(self._enqueue(who, number, path, str(upload.metadata["provider"]), options))
        self._services.governance.remove_upload(number)
        return arrived, found

    def provider(self, who: Principal, options: Options) -> str:
        """In whose name the caller contributes.

        Raises
        ------
        Unauthenticated, Denied
            where nobody in particular asks, or the tier does not contribute, or in another's name.
        """
        if who.anonymous:
            raise Unauthenticated("Contributing needs a provider's key")
        policy = self.policy(who)
        wanted = options.provider or who.organisation
        if not policy.grants or (wanted != who.organisation and who.role != "operator"):
            raise Denied("Your agreement does not let you contribute this", parameter="provider")
        if options.collection is not None:
            self.check_collection(policy, options.collection)
        return wanted

    def _classed(self, who: Principal, provider: str, options: Options) -> Options:
        """The options with the release class that counts. Raises BadRequest for another's."""
        found = contributing_of(self._services, who, provider).choose(options.release_class)
        return replace(options, release_class=found)

    def policy(self, who: Principal) -> Policy:
        """What the caller may send files for: a person as a contributor alone."""
        found, names = self._services.policy(who, "contribute"), who.within(CONTRIBUTOR)
        return found if names is None else found.only(names)

    @staticmethod
    def check_collection(policy: Policy, collection: str) -> None:
        """Raise Denied where a policy to contribute does not speak of the collection.

        Warnings are nobody's to contribute: they follow from the weather service's telegrams alone;
        neither is what is told of claims.
        """
        if collection in NOBODYS or not policy.allows(collection):
            raise Denied(
                f"Your agreement does not let you contribute to {collection}",
                parameter="collection",
                allowed=", ".join(sorted(policy.collections)) or None,
            )

    def read_request(self, provider: str, options: Options, work_dir: Path) -> ReadRequest:
        """The options as a reader takes them."""
        return ReadRequest(
            provider=provider,
            work_dir=work_dir,
            now_us=self._services.clock.now_us(),
            collection=options.collection,
            mapping=options.checked_mapping(),
            crs=options.crs,
            offset=options.checked_offset(),
            accuracy_m=options.accuracy_m,
            epoch=options.epoch,
            vertical=options.vertical,
            grids_dir=self._services.settings.grids,
        )

    def _enqueue(
        self,
        who: Principal,
        number: str,
        path: Path,
        provider: str,
        options: Options,
        mark: str = "",
        body: bytes | None = None,
    ) -> Job:
        """Queue the job that reads it and note that, both or neither."""
        params = {
            "mark": mark,
            "path": str(path),
            "options": asdict(options) | {"provider": provider},
            "tiers": list(who.tiers),
            "collections": who.within(CONTRIBUTOR),
        }
        services = self._services
        said: dict[str, Any] = {"bytes": path.stat().st_size if body is None else len(body)}
        if options.complete:
            said["complete"] = True
        about = Party(organisation=provider, subject=number)
        entry = services.trail.prepare("contribution.receive", party_of(who), about, said)
        return services.queue.enqueue(
            KIND,
            params,
            who.organisation,
            job_id=number,
            body=body,
            also=lambda connection: services.trail.add(connection, entry),
        )

    def _job(self, who: Principal, number: str) -> Job:
        if not who.whole:
            raise NotFound("No such contribution")
        job = self._services.queue.get(number, None if who.role == "operator" else who.organisation)
        if job.kind != KIND:
            raise NotFound("No such contribution")
        return job

    def _upload(self, who: Principal, number: str) -> Upload:
        upload = self._services.governance.upload(number)
        mine = who.whole and upload is not None and upload.organisation == who.organisation
        if upload is None or not mine or not self.policy(who).grants:
            raise NotFound("No such upload")
        return upload

    def _place(self, number: str, name: str) -> Path:
        folder = self._folder / number
        folder.mkdir(parents=True, exist_ok=True)
        return folder / safe_name(name)
