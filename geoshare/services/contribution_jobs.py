"""The job that reads a contributed file, takes it in or only checks it, and keeps its report."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterator
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import orjson

from geoshare import ingest, sources
from geoshare.access.credentials import Principal
from geoshare.errors import BadData, GeoshareError, NotPublished, Unavailable
from geoshare.ingest.checks import Reader
from geoshare.ingest.complete import Fences
from geoshare.ingest.contribute import UNSTATED, Terms
from geoshare.ingest.reports import report_json
from geoshare.jobs import Job, Progress
from geoshare.model.batch import FeatureBatch, RasterItem
from geoshare.model.findings import refusing
from geoshare.model.policy import OPEN_CLASS
from geoshare.model.report import Report
from geoshare.publish import Keeper, wait_published
from geoshare.services.auditing import end_of
from geoshare.services.contribution_area import check_batch
from geoshare.services.contribution_options import Options, read_observed
from geoshare.services.incoming import unpack
from geoshare.services.scratch import scratch_folder
from geoshare.sources import ReadRequest

if TYPE_CHECKING:
    from geoshare.services import Services

NOTHING: Final[dict[str, Any]] = {"taken": {}, "withdrawn": {}}  # of what is refused nothing is
TOGETHER: Final = 100  # batches that are taken in as one change set
TOGETHER_BYTES: Final = 50_000  # of a batch that is taken with others: they all are in memory at once


class ContributionJobs:
    """Reads files that were put aside, and answers when the map shows them."""

    def __init__(self, services: Services, keeper: Keeper) -> None:
        self._services, self._keeper = services, keeper

    def run(self, job: Job, progress: Progress) -> dict[str, Any]:
        """Take one contribution in. Safe to run again: it knows its own work by the job's id."""
        path = unpack(self._services.queue, job)
        options = Options(**job.params["options"])
        if not path.exists():
            raise BadData("The file is no longer here; send it again")
        report = Report(file=path.name)
        read = self._reader(job)
        others = self._take_together(job) if _is_small(job) else {}
        try:
            if options.check_only:
                return self._check(job, path, options, report, read)
            found = self._read(job, path, options, report, progress, read)
        except Unavailable:
            raise  # the job is tried again, with its file
        except GeoshareError as error:
            shutil.rmtree(path.parent, ignore_errors=True)
            return {"report": _shortened(report) | NOTHING, "error": _said(error)}
        said = {
            "report": _shortened(found.report),
            "already_here": found.already_here and found.contribution_id != job.id,
        }
        progress(0.95, "publishing")
        try:
            self._wait(found)
            self._settle(others)
        except NotPublished as error:
            said["error"] = _said(error)
        shutil.rmtree(path.parent, ignore_errors=True)
        return said

    def _fences(self, job: Job) -> Fences:
        """Where the sender may contribute, and so withdraw."""
        who = _sender(job)
        return lambda collection: self._services.live.rules.fence(who, collection).area

    def _reader(self, job: Job) -> Reader:
        services, who = self._services, _sender(job)
        policy = services.policy(who, "contribute")

        def read(
            file: Path, request: ReadRequest, report: Report
        ) -> Iterator[FeatureBatch | RasterItem]:
            """Stop at the first thing the sender may not contribute: nothing of the file is kept."""
            for item in sources.read_file(file, request, report):
                services.contributions.check_collection(policy, item.collection)
                if isinstance(item, FeatureBatch):
                    check_batch(item, services.live.rules.fence(who, item.collection))
                yield item

        return read

    def _take_together(self, job: Job) -> dict[str, tuple[Job, Report]]:
        """Take in small batches that wait behind this one, too, where there are any; those taken.

        They cannot begin before this job ends, since contributions of one owner run in turn. One that
        comes to its own turn all the same finds itself recorded and published.
        """
        services = self._services
        if services.record.contribution(job.id) is not None:
            return {}
        waiting = services.queue.following(job, TOGETHER - 1)
        mine = takewhile(lambda one: _provider(one) == _provider(job), waiting)
        jobs = list(takewhile(_is_small, map(self._unpacked, mine)))
        if not jobs:
            return {}
        with scratch_folder(services.scratch()) as folder:
            sent = []
            for one in (job, *jobs):
                options = Options(**one.params["options"])
                request = services.contributions.read_request(_provider(one), options, folder)
                path = Path(one.params["path"])
                sent.append(ingest.Sent(one.id, path, request, self._terms(options), self._reader(one)))
            taken = ingest.contribute_together(
                services.record,
                sent,
                clock=services.clock,
                data_dir=services.settings.data,
                foundation=services.foundation(),
            )
        return {one.id: (one, taken[one.id]) for one in jobs if one.id in taken}

    def _settle(self, taken: dict[str, tuple[Job, Report]]) -> None:
        """End the jobs of what was taken in with another one, once it is visible; in one wait for all.

        Raises NotPublished; then each finds that out in its own turn.
        """
        if not taken:
            return
        services, results = self._services, {}
        last = services.record.contribution(next(reversed(taken)))
        if last is None or last.sequence is None:
            return
        wait_published(self._keeper, services.record, services.settings.data, last.sequence)
        for number, (_, report) in taken.items():
            self._keep_refusals(number, report)
            results[number] = {"report": _shortened(report), "already_here": False}

        def note(connection: Any, ended: Collection[str]) -> None:
            for number in ended:
                entry = end_of(services.trail, taken[number][0], results[number])
                services.trail.add(connection, entry)

        for number in services.queue.settle(results, note):
            shutil.rmtree(Path(taken[number][0].params["path"]).parent, ignore_errors=True)

    def _unpacked(self, job: Job) -> Job:
        unpack(self._services.queue, job)
        return job

    def _check(
        self, job: Job, path: Path, options: Options, report: Report, read: Reader
    ) -> dict[str, Any]:
        """Only look at a file; nothing of it is kept."""
        services = self._services
        with scratch_folder(services.scratch()) as folder:
            request = services.contributions.read_request(str(options.provider), options, folder)
            terms = self._terms(options)
            ingest.check(
                services.record,
                path,
                request,
                report,
                read,
                refuse_on=terms.refuse_on,
                release_class=terms.release_class,
                complete=terms.complete,
                series=terms.dataset,
                fences=self._fences(job),
            )
        shutil.rmtree(path.parent, ignore_errors=True)
        return {"report": _shortened(report)}

    def _wait(self, found: ingest.IngestResult) -> None:
        """Return when it is visible; also where an interrupted run of this job recorded it."""
        record, sequence = self._services.record, found.sequence
        if found.already_here and (earlier := record.contribution(found.contribution_id)) is not None:
            sequence = earlier.sequence
        if sequence is not None:
            wait_published(self._keeper, record, self._services.settings.data, sequence)

    def _read(
        self,
        job: Job,
        path: Path,
        options: Options,
        report: Report,
        progress: Progress,
        read: Reader,
    ) -> ingest.IngestResult:
        services = self._services
        with scratch_folder(services.scratch()) as folder:
            request = services.contributions.read_request(str(options.provider), options, folder)
            try:
                found = ingest.contribute(
                    services.record,
                    path,
                    request,
                    clock=services.clock,
                    ids=services.ids,
                    data_dir=services.settings.data,
                    terms=self._terms(options),
                    progress=lambda done, text="": progress(done * 0.9, "reading"),
                    contribution_id=job.id,
                    report=report,
                    read=read,
                    foundation=services.foundation(),
                    fences=self._fences(job),
                )
            except BaseException:
                self._keep_refusals(job.id, report)
                raise
            self._keep_refusals(job.id, found.report)
            return found

    def _terms(self, options: Options) -> Terms:
        """What is said of a file; where not what refuses it, that is as its provider has decided."""
        usual = self._services.governance.providers.refuse_on(str(options.provider))
        return Terms(
            licence=options.licence or UNSTATED,
            release_class=options.release_class or OPEN_CLASS,
            refuse_on=refusing(options.refuse_on, usual),
            observed_us=None if options.observed is None else read_observed(options.observed),
            complete=options.checked_complete(),
            dataset=options.dataset,
        )

    def _keep_refusals(self, number: str, report: Report) -> None:
        if report.refusals:
            folder = self._services.settings.data / "reports"
            folder.mkdir(exist_ok=True)
            sources.write_refused(report, folder / f"{number}.xlsx")


def _is_small(job: Job) -> bool:
    """Whether it reads a batch of observations that is here and is to be taken in."""
    path = Path(job.params["path"])
    if job.params["options"].get("check_only") or path.suffix != ".geojson":
        return False
    try:
        return path.stat().st_size <= TOGETHER_BYTES
    except OSError:
        return False


def _sender(job: Job) -> Principal:
    """Who has sent what a job reads."""
    only = job.params.get("collections")
    return Principal(
        job.owner,
        tuple(job.params["tiers"]),
        job.id,
        collections=None if only is None else tuple(only),
    )


def _provider(job: Job) -> str:
    return str(job.params["options"]["provider"])


def _shortened(report: Report) -> dict[str, Any]:
    """A report as it is shown: all of its refused rows are in the spreadsheet."""
    said: dict[str, Any] = orjson.loads(report_json(report))
    said["refusals"] = said["refusals"][:100]
    said["findings"] = said["findings"][:500]
    return said


def _said(error: GeoshareError) -> dict[str, Any]:
    said = {
        "code": error.code,
        "message": error.message,
        "message_ja": error.message_ja,
        "parameter": error.parameter,
        "allowed": error.allowed,
        "allowed_ja": error.allowed_ja,
    }
    return {name: value for name, value in said.items() if value}
