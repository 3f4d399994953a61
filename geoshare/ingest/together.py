"""Many small batches of one provider taken in as one change set: each waits for the disk only once.

Each stays a contribution of its own, with its file and its report. Only what cannot get into each
other's way is taken together: batches of the vocabulary's collections, in the order in which they
came, up to the first that says something of a feature that one before it has spoken of. Whatever is
left out is taken by itself later, as if nothing had been tried.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from geoshare.errors import BadData, GeoshareError
from geoshare.ingest.checks import BatchChecks, Reader, enforce, knows, look
from geoshare.ingest.conflation import Conflation
from geoshare.ingest.contribute import Terms, contribution_row, describe, is_as_sent, sweep
from geoshare.ingest.epochs import mixed_epochs
from geoshare.ingest.features import FeatureWriter
from geoshare.model.batch import FeatureBatch
from geoshare.model.clock import Clock
from geoshare.model.collections import known
from geoshare.model.foundation import Foundation
from geoshare.model.report import Report
from geoshare.sources import ReadRequest
from geoshare.store import Record
from geoshare.store.changeset import ChangeSet
from geoshare.store.files import Files
from geoshare.store.rows import Contribution

_TRIES = 5


@dataclass(frozen=True, slots=True)
class Sent:
    """A small file that somebody has sent, under the id that its contribution is to have."""

    contribution: str
    path: Path
    request: ReadRequest
    terms: Terms
    read: Reader


class _NothingTaken(Exception):
    """None of a batch's rows can be taken: it is to be refused by itself."""


@dataclass(slots=True)
class _Read:
    sent: Sent
    row: Contribution
    report: Report
    batches: list[FeatureBatch] = field(default_factory=list)


def contribute_together(
    record: Record,
    sent: Sequence[Sent],
    *,
    clock: Clock,
    data_dir: Path,
    foundation: Foundation,
) -> dict[str, Report]:
    """Take the first of some batches in as one change set; returns the reports of those it holds.

    None where fewer than two can be taken together, and where something is in their way: then nothing
    has changed.

    Parameters
    ----------
    sent
        Batches of one provider, in the order in which they came.
    """
    left_out: set[str] = set()
    while len(left_out) < _TRIES:
        found = _readable(record, [one for one in sent if one.contribution not in left_out], clock)
        if len(found) < 2:
            return {}
        try:
            return _take(record, found, clock, data_dir, foundation)
        except _NothingTaken as error:
            left_out.add(str(error))
        except GeoshareError:  # each by itself meets the same, and tells its sender
            return {}
    return {}


def _take(
    record: Record, found: Sequence[_Read], clock: Clock, data_dir: Path, foundation: Foundation
) -> dict[str, Report]:
    files = Files(data_dir)

    def clear() -> None:
        sweep(record, clock, data_dir)

    changeset = record.begin(clock, found[0].row.provider, found[0].row.series, clear)
    try:
        writers = [_write(record, changeset, one, foundation, files) for one in found]
        names = set().union(*(writer.written for writer in writers))
        conflation = Conflation(record, changeset, record.collections(), foundation)
        conflation.run(names, found[0].row.provider)
        for one in found:
            describe(changeset, one.row.id, one.report)
        changeset.commit()
    except BaseException:
        record.undo(changeset.id, files)
        raise
    return {one.row.id: one.report for one in found}


def _readable(record: Record, sent: Sequence[Sent], clock: Clock) -> list[_Read]:
    """Those that can be taken together, read."""
    found: list[_Read] = []
    spoken: set[tuple[str, str]] = set()
    for one in sent:
        row = contribution_row(one.path, one.request, one.terms, one.contribution, clock)
        if record.contribution(row.id) is not None or row.series in {two.row.series for two in found}:
            break
        earlier = record.replay_of(row)
        if earlier is not None and is_as_sent(record, earlier):
            continue  # its own turn finds it here, and takes nothing in
        taken = _Read(one, row, Report(file=row.file_name))
        try:
            if not _read(record, taken):
                break
        except BadData:
            continue  # refused when its turn comes, with its report
        except GeoshareError:
            break
        said = {(batch.collection, name) for batch in taken.batches for name in batch.record_ids}
        if not spoken.isdisjoint(said):
            break
        spoken |= said
        found.append(taken)
    return found


def _read(record: Record, taken: _Read) -> bool:
    """Read one; whether it is of the kind that may be taken with others."""
    request, report, terms = taken.sent.request, taken.report, taken.sent.terms
    checks = BatchChecks(request, report, knows(record, request.provider))
    for item in taken.sent.read(taken.sent.path, request, report):
        look(checks, item)
        about = known().get(item.collection)
        if not isinstance(item, FeatureBatch) or about is None or about.identity:
            return False
        taken.batches.append(item)
    report.find(mixed_epochs(record, request.provider, report))
    enforce(report, terms.refuse_on)
    if not taken.batches:
        raise BadData("no row could be read")
    return terms.complete is None


def _write(
    record: Record, changeset: ChangeSet, one: _Read, foundation: Foundation, files: Files
) -> FeatureWriter:
    writer = FeatureWriter(
        record,
        changeset,
        one.row,
        one.report,
        foundation,
        remember=False,
        accuracy_m=one.sent.request.accuracy_m,
        observed_us=one.sent.terms.observed_us,
    )
    changeset.apply(lambda chunk: chunk.add_contribution(one.row))
    files.keep_raw(one.sent.path, one.row.file_sha256)
    for batch in one.batches:
        writer.write(batch)
    if not writer.taken:
        raise _NothingTaken(one.row.id)
    return writer
