"""Extracts: always made by the worker; small ones are waited for. Prints are jobs of the same ways."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from geoshare.access.audit import Party
from geoshare.access.credentials import Principal
from geoshare.errors import Conflict, GeoshareError, NotFound, TooLarge, Unavailable
from geoshare.extracts import ExtractRequest, write_extract, write_page
from geoshare.extracts.road_maps import LANES, OF_FORMAT
from geoshare.extracts.road_rows import no_lanes
from geoshare.extracts.sizes import Estimate, estimated
from geoshare.jobs import Job, JobCancelled, Progress
from geoshare.model.policy import Policy
from geoshare.services.auditing import party_of, sealing
from geoshare.services.mailing import EMAIL
from geoshare.services.outward import Refused
from geoshare.services.scratch import scratch_folder

if TYPE_CHECKING:
    from geoshare.services import Services

KIND = "extract"
PAGE = "page"  # a map in one HTML file
SUFFIXES = {KIND: ".zip", "print": ".pdf", PAGE: ".html"}  # of the files that jobs make, by their kind
NOTICE = "extract-notice"  # tells a webhook or a person that an extract is ready
READY = "org.geoshare.extract.ready"
NOTICE_S = (1, 10, 60, 300, 1_800, 7_200, 21_600)  # pauses before each try to tell
LOOKED_AT = 200  # of an organisation's newest jobs, for one of the same request
WAIT_S = 20.0
PAUSE_S = 0.05

Maker = Callable[[Job, Progress], dict[str, Any]]


class File(NamedTuple):
    """A finished file, and the SHA-256 of its bytes."""

    path: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Answer:
    """A finished file, or the job that will make it, and how that stands."""

    job: str
    status: str
    file: File | None = None


class Extracts:
    """Extract jobs of the caller's organisation."""

    def __init__(self, services: Services, pause: Callable[[float], object] = time.sleep) -> None:
        self._services = services
        self.pause = pause  # how to wait for the worker, where that is not another process
        self._folder = services.settings.data / "extracts"

    def estimate(self, who: Principal, request: ExtractRequest) -> Estimate:
        """What an extract would hold at most; nothing is made, and nothing is kept.

        Raises
        ------
        NotFound, BadRequest, Withheld
            as ``ask`` does.
        """
        return self._estimated(who, request, self._services.policy(who, "download"))

    def ask(
        self,
        who: Principal,
        request: ExtractRequest,
        charge: Callable[[int], object],
        *,
        wait: bool = True,
    ) -> Answer:
        """Check a request against the caller's views, queue it, and wait for it if it is small.

        ``charge`` is told how many features it has at most, before anything is queued. Who asks for
        the same again while nothing of it has changed gets the job that is there, and is not charged.
        Without ``wait`` the answer is always the job.
        """
        services = self._services
        policy = services.policy(who, "download")
        found = self._estimated(who, request, policy)
        if request.notify == EMAIL:
            services.mail.ready(who)
        elif request.notify is not None:
            services.webhooks.ready(who, request.notify)
        if request.format in OF_FORMAT and not found.features.get(LANES):
            raise no_lanes(request)
        features = found.total
        if features > services.settings.extract_max_features:
            allowed = f"{services.settings.extract_max_features} features"
            raise TooLarge("The extract is too large", parameter="collections", allowed=allowed)
        is_small = features <= services.settings.extract_sync_features
        params = {"request": request.model_dump(mode="json"), **asking(who, policy)}
        params["same"] = _digest(params, found.versions)
        job = self._same(who, params)
        if job is None:
            charge(features)
            params["person"] = who.person
            kind = PAGE if request.format == "html" else KIND
            job = services.queue.enqueue(kind, params, who.organisation)
        return self.wait(who, job, is_small) if wait else Answer(job.id, job.state)

    def again(self, who: Principal, number: str, charge: Callable[[int], object]) -> Answer:
        """Ask for what a job was asked for, of the data as they are now."""
        return self.ask(who, self.request_of(who, number), charge)

    def request_of(self, who: Principal, number: str) -> ExtractRequest:
        """What a job of the caller's was asked for."""
        job = self._job(who, number)
        if job.kind not in (KIND, PAGE):
            raise NotFound("No such extract")
        return ExtractRequest.model_validate(job.params["request"])

    def _estimated(self, who: Principal, request: ExtractRequest, policy: Policy) -> Estimate:
        for name in request.collections:
            self._services.withholding.get(who, name, "download")
        return estimated(request, policy, self._services.views)

    def _same(self, who: Principal, params: dict[str, Any]) -> Job | None:
        """The caller's newest job of the same request, data and policy that has not come to nothing.

        Nobody in particular has none: visitors are not told what others of them have asked for.
        """
        if who.anonymous:
            return None
        for job in self._services.queue.newest(who.organisation, LOOKED_AT):
            if job.params.get("same") != params["same"] or not _own(who, job):
                continue
            is_done = job.state == "done" and self.path_of(job).exists()
            tells = job.params["request"].get("notify") == params["request"]["notify"]
            if is_done or (tells and job.state in ("queued", "running")):
                return job
        return None

    def wait(self, who: Principal, job: Job, is_small: bool) -> Answer:
        """Wait for a small job, and answer with its file where it is done by then."""
        deadline = time.monotonic() + (WAIT_S if is_small else 0)
        while time.monotonic() < deadline and not job.is_over:
            self.pause(PAUSE_S)
            job = self._services.queue.get(job.id)
        return Answer(job.id, job.state, self.result(who, job.id) if job.state == "done" else None)

    def jobs(self, who: Principal) -> list[dict[str, Any]]:
        """The organisation's newest extracts and prints; nobody in particular has none."""
        if who.anonymous:
            return []
        found = self._services.queue.newest(who.organisation, 1_000)
        return [_as_status(job) for job in found if job.kind in SUFFIXES and _own(who, job)][:100]

    def status(self, who: Principal, number: str) -> dict[str, Any]:
        """How a job stands."""
        return _as_status(self._job(who, number))

    def cancel(self, who: Principal, number: str) -> None:
        """Cancel a job and remove what it has made so far.

        Raises
        ------
        Conflict
            where it is too late: it is done, or has failed.
        """
        job = self._services.queue.cancel(self._job(who, number).id)
        if job.state in ("done", "failed"):
            said = {"done": "完了しています", "failed": "失敗しています"}[job.state]
            raise Conflict(
                f"It is too late: the job is {job.state}",
                message_ja=f"取り消せません。ジョブはすでに{said}",
            )
        self.path_of(job).unlink(missing_ok=True)

    def unless_cancelled(self, handler: Maker) -> Maker:
        """The handler; of a job that somebody has cancelled by its end no file stays."""

        def run(job: Job, progress: Progress) -> dict[str, Any]:
            found = handler(job, progress)
            if self._services.queue.is_to_end(job.id):
                self.path_of(job).unlink(missing_ok=True)
                raise JobCancelled
            return found

        return run

    def result(self, who: Principal, number: str) -> File:
        """The finished file, while the caller still holds what it was made from."""
        job = self._job(who, number)
        path = self.path_of(job)
        policy = self._services.policy(who, "download")
        if job.state != "done" or not path.exists() or policy.hash != job.params["policy"]:
            raise NotFound("No such result")
        sha256 = str((job.result or {}).get("sha256", ""))
        self._services.audit(who, f"{job.kind}.fetch", job.id, {"sha256": sha256})
        return File(str(path.resolve()), sha256)

    def run(self, job: Job, progress: Progress) -> dict[str, Any]:
        """Make the file of a job; called by the worker."""
        services = self._services
        who = asker_of(job)
        self._folder.mkdir(parents=True, exist_ok=True)
        request = ExtractRequest.model_validate(job.params["request"])
        policy = services.policy(who, "download")
        if policy.hash != job.params["policy"]:
            raise NotFound("What you hold has changed; ask again")
        terms = services.policies.holdings().terms_of(who.organisation, services.clock.now_us())
        with scratch_folder(services.scratch()) as folder:
            seal = sealing(
                services.trail, party_of(who), Party(organisation=who.organisation, subject=job.id)
            )
            now_us, target = services.clock.now_us(), self.path_of(job)
            views = services.views
            if job.kind == PAGE:
                return write_page(
                    request, policy, views, target, now_us=now_us, work_dir=folder, progress=progress,
                    seal=seal,
                )  # fmt: skip
            return write_extract(
                request, policy, views, target, now_us=now_us, work_dir=folder, progress=progress,
                seal=seal, agreements=terms,
            )  # fmt: skip

    def run_and_tell(self, job: Job, progress: Progress) -> dict[str, Any]:
        """Run a job, and have its end told where that was asked for."""
        try:
            found = self.run(job, progress)
        except Unavailable:
            raise  # it is tried again
        except GeoshareError:
            self._queue_notice(job, 0)
            raise
        self._queue_notice(job, 0)
        return found

    def tell(self, job: Job, progress: Progress) -> dict[str, Any]:
        """Tell who is to be told of the end of an extract; where that fails, again after a pause."""
        extract = self._services.queue.get(job.params["job"])
        tries = job.params["tries"]
        said = {"job": extract.id, "status": extract.state, "result": f"/jobs/{extract.id}/result"}
        try:
            if not extract.is_over:
                raise Refused("it is not over yet")
            hook = extract.params["request"]["notify"]
            if hook == EMAIL:
                done = extract.state == "done"
                self._services.mail.tell(extract.params["person"], extract.id, done=done)
            else:
                path = f"/jobs/{extract.id}"
                self._services.webhooks.notify(job.owner, hook, extract.id, READY, path, said)
        except Refused as error:
            self._queue_notice(extract, tries + 1)
            return {"told": False, "why": str(error)}
        return {"told": True}

    def _queue_notice(self, job: Job, tries: int) -> None:
        if job.params["request"].get("notify") is None or tries >= len(NOTICE_S):
            return
        params = {"job": job.id, "tries": tries}
        delay_us = NOTICE_S[tries] * 1_000_000
        self._services.queue.enqueue(NOTICE, params, job.owner, delay_us=delay_us)

    def _job(self, who: Principal, number: str) -> Job:
        job = self._services.queue.get(number, who.organisation)
        if job.kind not in SUFFIXES or not _own(who, job):
            raise NotFound("No such job")
        return job

    def path_of(self, job: Job) -> Path:
        """Where the file of a job lies when it is done."""
        return self._folder / f"{job.id}{SUFFIXES[job.kind]}"


def asking(who: Principal, policy: Policy) -> dict[str, Any]:
    """What a job remembers of who asks: enough to speak for them, and to see when that has changed."""
    return {
        "credential": who.key_id,
        "tiers": list(who.tiers),
        "collections": None if who.collections is None else list(who.collections),
        "scope": None if who.scope is None else list(who.scope),
        "policy": policy.hash,
    }


def asker_of(job: Job) -> Principal:
    """Whom a job speaks for."""
    only, scope = job.params.get("collections"), job.params.get("scope")
    return Principal(
        job.owner,
        tuple(job.params["tiers"]),
        job.params["credential"],
        collections=None if only is None else tuple(only),
        scope=None if scope is None else tuple(scope),
    )


def _digest(params: dict[str, Any], versions: dict[str, str]) -> str:
    """Fingerprint of a request, of who asks with what, and of the data it is asked of."""
    request = {name: value for name, value in params["request"].items() if name != "notify"}
    said = [request, {**params, "request": None}, versions]
    return hashlib.sha256(orjson.dumps(said, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _own(who: Principal, job: Job) -> bool:
    """Whether a job is the caller's: its own where it is a key's key, of its scope where it has one."""
    if who.scope is not None and job.params.get("scope") != list(who.scope):
        return False
    return who.above is None or job.params["credential"] == who.key_id


def _as_status(job: Job) -> dict[str, Any]:
    found: dict[str, Any] = {
        "id": job.id,
        "kind": job.kind,
        "status": job.state,
        "progress": job.progress,
        "message": job.message,
        "created_us": job.created_us,
    }
    if job.kind in (KIND, PAGE):
        asked = job.params["request"]
        found["request"] = {name: value for name, value in asked.items() if value is not None}
    if job.result is not None:
        found["result"] = job.result
    if job.error is not None:
        found["error"] = job.error
    return found
