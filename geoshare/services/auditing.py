"""Where the server's own work meets its audit log: publishing, jobs, and the seal of an extract."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from geoshare.access.audit import KEEPER, Audit, Party
from geoshare.access.audit.entries import NOBODY, Prepared, canonical
from geoshare.access.audit.manifests import sign_manifest
from geoshare.access.audit.seal import SIGNATURE, seal_files
from geoshare.access.credentials import Principal
from geoshare.errors import GeoshareError, Unavailable
from geoshare.jobs import Job, Progress
from geoshare.store import Record
from geoshare.store.commits import Commit, commits_after
from geoshare.store.reading import sequence_at

WORKER = Party(credential="worker")
WAIT_S = 30.0  # for the place of an extract's entry; the job is tried again after that
CHANGE_KIND = "change.publish"
CHANGE = "commit "  # and its instant, which no other has: a change set has one entry
Handler = Callable[[Job, Progress], dict[str, Any]]


def party_of(who: Principal) -> Party:
    """The caller as the audit log knows it."""
    credential = who.session or who.key_id or "anonymous"
    return Party(organisation=who.organisation, person=who.person, credential=credential)


def note_changes(record: Record, audit: Audit) -> Callable[[int], None]:
    """What a keeper calls before it publishes: every change set has its entry before it is shown."""

    def note(last: int) -> None:
        newest = audit.rows.newest_once(CHANGE)
        with record.snapshot() as connection:
            noted_us = int(newest.removeprefix(CHANGE)) if newest is not None else 0
            after = sequence_at(connection, noted_us)
        while after < last:
            with record.snapshot() as connection:
                found = commits_after(connection, after, last)
            if not found:
                return
            for commit in found:
                _note_commit(audit, commit)
            after = found[-1].sequence

    return note


def once_of(entry: dict[str, Any]) -> str | None:
    """What there may be one entry of, from what an entry says."""
    if entry["kind"] != CHANGE_KIND:
        return None
    return _once(entry["detail"]["committed_us"])


def _once(committed_us: int) -> str:
    return f"{CHANGE}{committed_us:020d}"


def _note_commit(audit: Audit, commit: Commit) -> None:
    about = NOBODY
    if len(commit.sources) == 1:
        number, provider, _ = commit.sources[0]
        about = Party(organisation=provider, subject=number)
    # Not its number: that tells of everybody's.
    detail = {
        "committed_us": commit.committed_us,
        "collections": {name: list(counts) for name, counts in commit.counts.items()},
        "files_sha256": [sha256 for _, _, sha256 in commit.sources],
    }
    audit.append_once(_once(commit.committed_us), CHANGE_KIND, KEEPER, about, detail)


def audited(audit: Audit, handler: Handler) -> Handler:
    """Run a job so that its end has its entry before anybody is told of it."""

    def run(job: Job, progress: Progress) -> dict[str, Any]:
        try:
            result = handler(job, progress)
        except Unavailable:
            raise  # it is tried again
        except GeoshareError as error:
            _note_end(audit, job, {"outcome": "failed", "code": error.code})
            raise
        _note_end(audit, job, _outcome(result))
        return result

    return run


def end_of(audit: Audit, job: Job, result: dict[str, Any]) -> Prepared:
    """The entry of a job that ends with another one's first attempt."""
    about = Party(organisation=job.owner, subject=job.id)
    said = {"job": job.kind, "attempt": job.attempts + 1, **_outcome(result)}
    return audit.prepare("job.end", WORKER, about, said)


def _outcome(result: dict[str, Any]) -> dict[str, Any]:
    refused = result.get("error")
    digest = hashlib.sha256(canonical(result)).hexdigest()
    outcome = {"outcome": "refused", "code": refused["code"]} if refused else {"outcome": "done"}
    return outcome | {"result_sha256": digest}


def _note_end(audit: Audit, job: Job, said: dict[str, Any]) -> None:
    about = Party(organisation=job.owner, subject=job.id)
    audit.append("job.end", WORKER, about, {"job": job.kind, "attempt": job.attempts, **said})


def sealing(
    audit: Audit, by: Party, about: Party, kind: str = "extract.create", once: str | None = None
) -> Callable[[str], dict[str, bytes]]:
    """What an extract calls with its manifest's SHA-256: its signature, and the proof of its entry.

    ``once`` names what there may be one entry of, however often it is sealed.
    """

    def seal(manifest_sha256: str) -> dict[str, bytes]:
        said = {"manifest_sha256": manifest_sha256}
        receipt = (
            audit.append(kind, by, about, said)
            if once is None
            else audit.receipt_once(once, kind, by, about, said)
        )
        proofs = seal_files(receipt, audit.proof(receipt.id, WAIT_S), audit.vkey)
        return proofs | {SIGNATURE: sign_manifest(audit.signer, manifest_sha256)}

    return seal
