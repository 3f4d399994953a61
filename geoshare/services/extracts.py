"""Extracts: always made by the worker; small ones are waited for. Prints are jobs of the same ways."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from geoshare.access.audit import Party
from geoshare.access.credentials import Principal
from geoshare.errors import NotFound, TooLarge
from geoshare.extracts import ExtractRequest, estimate, write_extract, write_page
from geoshare.jobs import Job, Progress
from geoshare.model.policy import Policy
from geoshare.services.auditing import party_of, sealing
from geoshare.services.scratch import scratch_folder

if TYPE_CHECKING:
    from geoshare.services import Services

KIND = "extract"
PAGE = "page"  # a map in one HTML file
SUFFIXES = {KIND: ".zip", "print": ".pdf", PAGE: ".html"}  # of the files that jobs make, by their kind
WAIT_S = 20.0
PAUSE_S = 0.05


class File(NamedTuple):
    """A finished file, and the SHA-256 of its bytes."""

    path: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Answer:
    """A finished file, or the job that will make it."""

    job: str
    file: File | None = None


class Extracts:
    """Extract jobs of the caller's organisation."""

    def __init__(self, services: Services, pause: Callable[[float], object] = time.sleep) -> None:
        self._services = services
        self.pause = pause  # how to wait for the worker, where that is not another process
        self._folder = services.settings.data / "extracts"

    def ask(self, who: Principal, request: ExtractRequest, charge: Callable[[int], object]) -> Answer:
        """Check a request against the caller's views, queue it, and wait for it if it is small.

        ``charge`` is told how many features it has at most, before anything is queued.
        """
        services = self._services
        for name in request.collections:
            services.withholding.get(who, name, "download")
        policy = services.policy(who, "download")
        features = estimate(request, policy, services.views)
        if features > services.settings.extract_max_features:
            allowed = f"{services.settings.extract_max_features} features"
            raise TooLarge("The extract is too large", parameter="collections", allowed=allowed)
        charge(features)
        params = {"request": request.model_dump(mode="json"), **asking(who, policy)}
        kind = PAGE if request.format == "html" else KIND
        job = services.queue.enqueue(kind, params, who.organisation)
        return self.wait(who, job, features <= services.settings.extract_sync_features)

    def wait(self, who: Principal, job: Job, is_small: bool) -> Answer:
        """Wait for a small job, and answer with its file where it is done by then."""
        deadline = time.monotonic() + (WAIT_S if is_small else 0)
        while time.monotonic() < deadline and not job.is_over:
            self.pause(PAUSE_S)
            job = self._services.queue.get(job.id)
        return Answer(job.id, self.result(who, job.id) if job.state == "done" else None)

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
        """Cancel a job and remove its file."""
        job = self._job(who, number)
        self._services.queue.cancel(job.id)
        self.path_of(job).unlink(missing_ok=True)

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
        about = Party(organisation=who.organisation, subject=job.id)
        with scratch_folder(services.scratch()) as folder:
            write = write_page if job.kind == PAGE else write_extract
            return write(
                request,
                policy,
                services.views,
                self.path_of(job),
                progress=progress,
                now_us=services.clock.now_us(),
                work_dir=folder,
                seal=sealing(services.trail, party_of(who), about),
            )

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
    if job.result is not None:
        found["result"] = job.result
    if job.error is not None:
        found["error"] = job.error
    return found
