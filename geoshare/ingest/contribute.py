"""Contributing: a file comes in, and becomes one change set of the record, or nothing at all.

The file is kept as it came, read by ``sources``, conformed and identified by ``merge`` and written
by ``store``. Until the last small commit nobody sees any of it; a file that is refused, a job that
is cancelled and a process that dies leave nothing behind.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import orjson

from geoshare.errors import BadData
from geoshare.ingest.checks import BatchChecks, Reader, enforce, knows, look
from geoshare.ingest.claims import CLAIMS
from geoshare.ingest.complete import Complete, Fences, everywhere, features_only
from geoshare.ingest.epochs import mixed_epochs
from geoshare.ingest.features import FeatureWriter
from geoshare.ingest.rasters import RasterWriter
from geoshare.ingest.reports import report_from_json, report_json
from geoshare.model.batch import FeatureBatch
from geoshare.model.clock import Clock, Ids
from geoshare.model.findings import Severity
from geoshare.model.foundation import Foundation, built_in
from geoshare.model.policy import OPEN_CLASS
from geoshare.model.report import Message, Report
from geoshare.sources import ReadRequest, read_file
from geoshare.store import Record
from geoshare.store.changeset import ChangeSet
from geoshare.store.files import Files, digest
from geoshare.store.rows import Contribution

NOTHING_TAKEN = Message(
    "nothing-taken",
    "no row of the file could be taken, so the file is refused",
    "取り込める行が一つもないため、ファイルは受け付けられません",
)

UNSTATED = "LicenseRef-unstated"


class Progress(Protocol):
    """Called between steps with a fraction 0..1; may raise to stop."""

    def __call__(self, fraction: float, message: str = "") -> None:
        """Say how far it is."""
        ...


@dataclass(frozen=True, slots=True)
class Terms:
    """What a sender says of a file besides how to read it.

    Parameters
    ----------
    licence, release_class
        An SPDX expression, and to whom its claims may be released.
    complete
        The file is all that its provider has to say of this: what it has said before under the same
        release class ends where it is not in the file. None: the file adds and changes, and takes
        nothing away.
    dataset
        What the file is a new state of, where that is not what it is called; None: its name.
    observed_us
        When what the file says was seen, in microseconds since 1970 (UTC); None: not stated.
    refuse_on
        Findings as grave as this, or graver, refuse the file; None: they are only reported.
    """

    licence: str = UNSTATED
    release_class: str = OPEN_CLASS
    complete: Complete | None = None
    dataset: str | None = None
    observed_us: int | None = None
    refuse_on: Severity | None = None


@dataclass(frozen=True, slots=True)
class IngestResult:
    """What became of a contribution.

    ``changeset`` and ``sequence`` are None when the same file was here before and says nothing new,
    and when its format is skipped (the report's notes say so; nothing was kept); ``counts`` are
    (added, changed, removed) by collection.
    """

    contribution_id: str
    changeset: int | None
    sequence: int | None
    report: Report
    already_here: bool = False
    counts: Mapping[str, tuple[int, int, int]] = field(default_factory=dict)


AS_IT_COMES = Terms()


def _silent(fraction: float, message: str = "") -> None:
    pass


def contribute(
    record: Record,
    path: Path,
    request: ReadRequest,
    *,
    clock: Clock,
    ids: Ids,
    data_dir: Path,
    terms: Terms = AS_IT_COMES,
    progress: Progress = _silent,
    contribution_id: str | None = None,
    file_name: str | None = None,
    foundation: Foundation | None = None,
    report: Report | None = None,
    read: Reader = read_file,
    against_all: bool = False,
    fences: Fences = everywhere,
) -> IngestResult:
    """Take one file into the record.

    Parameters
    ----------
    record, path, request
        Where to, what, and how to read it. ``request.work_dir`` stays the caller's to remove.
    data_dir
        Folder of ``raw/`` and ``objects/``.
    terms
        What its sender says of it.
    contribution_id
        Chosen by the caller, so that a job that runs again finds its own work done.
    file_name
        The file's own name where ``path`` is a copy under another.
    foundation
        What decides where several claim the same feature; None: the product's own rules.
    report
        Filled while reading; also of use to the caller when the file is refused.
    against_all
        Compare the file's place with what anybody has sent, and not its provider alone.
    fences
        Where its sender may contribute: a complete file withdraws nothing beyond.

    Raises
    ------
    BadData
        The file is refused; the record and the data folder are as before.
    Conflict
        Another contribution of the same features is under way.
    """
    row = contribution_row(path, request, terms, contribution_id or ids.new(), clock, file_name)
    name, size = row.file_name, row.file_bytes
    report = report if report is not None else Report(file=name)
    before = record.contribution(contribution_id) if contribution_id else None
    if before is not None and before.sequence is not None:  # by this job, or by one before it
        return _already_here(before)
    earlier = record.replay_of(row)
    adds = terms.complete is None  # others may have been added to what a complete file said
    if before is None and earlier is not None and adds and is_as_sent(record, earlier):
        return _already_here(earlier)
    files = Files(data_dir)
    if before is not None:  # of a job that was interrupted and now runs again
        record.undo(before.changeset, files)

    def clear() -> None:  # what a process that was killed holds, nobody else could write
        sweep(record, clock, data_dir)

    clear()
    changeset = record.begin(clock, request.provider, name, clear)
    features = FeatureWriter(
        record,
        changeset,
        row,
        report,
        foundation or built_in(),
        remember=not adds,
        accuracy_m=request.accuracy_m,
        observed_us=terms.observed_us,
    )
    checks = BatchChecks(request, report, knows(record, None if against_all else request.provider))
    try:
        changeset.apply(lambda chunk: chunk.add_contribution(row))
        files.keep_raw(path, row.file_sha256)
        rasters = RasterWriter(record, changeset, row, files)
        for item in read(path, request, report):
            look(checks, item)
            enforce(report, terms.refuse_on)
            if not adds:
                features_only(item)
            if isinstance(item, FeatureBatch):
                features.write(item)
            else:
                rasters.write(item)
            progress(_fraction(report.rows_read, size), name)
        report.find(mixed_epochs(record, request.provider, report))
        enforce(report, terms.refuse_on)
        if not features.taken and not rasters.taken:
            _refuse_or_skip(report)
            record.undo(changeset.id, files)
            return IngestResult(row.id, None, None, report)
        if terms.complete is not None:
            features.withdraw_the_rest(terms.complete, fences)
        if earlier is not None and not (features.said or rasters.said):
            record.undo(changeset.id, files)
            return _already_here(earlier)
        features.conflate()
        describe(changeset, row.id, report)
        progress(0.99, name)
        sequence = changeset.commit(features.schemas())
    except BaseException:
        record.undo(changeset.id, files)
        raise
    progress(1.0, name)
    counts = {name: some for name, some in changeset.counts.items() if name != CLAIMS}
    return IngestResult(row.id, changeset.id, sequence, report, counts=counts)


def contribution_row(
    path: Path,
    request: ReadRequest,
    terms: Terms,
    contribution: str,
    clock: Clock,
    file_name: str | None = None,
) -> Contribution:
    """What the record keeps of a file, without its report."""
    sha256, size = digest(path)
    name = file_name or path.name
    return Contribution(
        id=contribution,
        provider=request.provider,
        series=terms.dataset or name,
        file_name=name,
        file_sha256=sha256,
        file_bytes=size,
        options=_options(request, terms),
        licence=terms.licence,
        release_class=terms.release_class,
        received_us=clock.now_us(),
    )


def _refuse_or_skip(report: Report) -> None:
    """Of a file that gave nothing: refused, unless its format is skipped, and the notes say so."""
    if report.refused or not report.notes:
        raise BadData(NOTHING_TAKEN.en, code=NOTHING_TAKEN.code)


def sweep(record: Record, clock: Clock, data_dir: Path) -> list[int]:
    """Undo what dead processes left half-done, rows and files; returns the change sets."""
    dead = record.dead(clock.now_us())
    files = Files(data_dir)
    for changeset in dead:
        record.undo(changeset, files)
    if dead:
        files.sweep_parts(clock.now_us())
    return dead


def _options(request: ReadRequest, terms: Terms) -> str:
    """What makes the same file another contribution; what it would be refused for does not."""
    said = {
        name: getattr(request, name)
        for name in ("collection", "mapping", "crs", "epoch", "vertical", "accuracy_m", "encoding")
        if getattr(request, name) is not None
    }
    if request.offset is not None:
        said["offset"] = list(request.offset)
    if terms.observed_us is not None:
        said["observed_us"] = terms.observed_us
    if terms.complete is not None:
        said["complete"] = [terms.complete.dataset, *(terms.complete.within or ())]
    said |= {name: getattr(terms, name) for name in ("licence", "release_class")}
    return orjson.dumps(said, option=orjson.OPT_SORT_KEYS).decode()


def is_as_sent(record: Record, earlier: Contribution) -> bool:
    """Whether what was sent before still stands, so that to send it again says nothing.

    Where other files have changed a part of it since, it does: a thing may have gone back.
    """
    return record.stands(earlier, sum(report_from_json(earlier.report).taken.values()))


def _already_here(before: Contribution) -> IngestResult:
    return IngestResult(before.id, None, None, report_from_json(before.report), already_here=True)


def _fraction(rows: int, size: int) -> float:
    # How many rows are still to come is not known; 200 bytes a row is usual.
    return 0.95 * rows / (rows + size / 200 + 1)


def describe(changeset: ChangeSet, contribution: str, report: Report) -> None:
    """Keep the report of a contribution, and what its coordinates were on."""
    datum = orjson.dumps(dataclasses.asdict(report.datum)).decode()
    text = report_json(report)
    changeset.apply(lambda chunk: chunk.describe_contribution(contribution, datum=datum, report=text))
