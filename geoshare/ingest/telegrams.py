"""A telegram comes in: kept as received, put among the others of its stream, and what follows written.

The state of a stream is a function of the set of its telegrams, and is worked out anew with each one,
so it does not matter in what order they come or how often. What is written is what differs.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from geoshare.ingest.contribute import IngestResult, Terms, contribute
from geoshare.model.batch import FeatureBatch, RasterItem
from geoshare.model.clock import Clock, Ids
from geoshare.model.report import Report
from geoshare.sources import ReadRequest, jma, messages
from geoshare.store import Record, telegrams

PROVIDER = "jma"
LICENCE = "LicenseRef-PDL-1.0"  # 公共データ利用規約(第1.0版), the terms of the agency's site


def take_telegram(
    record: Record,
    path: Path,
    *,
    clock: Clock,
    ids: Ids,
    data_dir: Path,
    place_of: jma.PlaceOf,
    report: Report,
) -> IngestResult | None:
    """Take one telegram into the record; None for a kind that holds no warnings.

    Parameters
    ----------
    path
        The file as it came, at most :data:`geoshare.sources.jma.MAX_BYTES` long.
    place_of
        The polygon of an administrative code, or None.
    report
        Filled while reading; says which items could not be used.

    Raises
    ------
    BadData
        The telegram cannot be used; the record is as before.
    Conflict
        Another contribution of the same features is under way.
    """
    now_us = clock.now_us()
    with path.open("rb") as file:
        data = file.read(jma.MAX_BYTES + 1)
    telegram = jma.parse_telegram(data, report, now_us)
    if telegram is None:
        return None
    telegrams.add(record.database, telegram.as_dict(), data, now_us)

    def read(path: Path, request: ReadRequest, report: Report) -> Iterator[FeatureBatch | RasterItem]:
        """What follows from the telegrams so far; read when no other change set is under way."""
        stream = telegram.stream
        known = [jma.from_dict(found) for found in telegrams.of_stream(record.database, stream)]
        found = jma.fold(known)
        if telegram.info_type != "issued" and jma.unmatched(jma.in_order(known), telegram):
            report.note(messages.telegram_nothing_former())
        if not found:
            report.note(messages.telegram_nothing_changes())
            return
        batch = jma.as_batch(stream, found, place_of, report)
        report.took(batch.collection, len(batch.record_ids))
        yield batch

    return contribute(
        record,
        path,
        ReadRequest(provider=PROVIDER, work_dir=data_dir, now_us=now_us),
        clock=clock,
        ids=ids,
        data_dir=data_dir,
        terms=Terms(licence=LICENCE),
        file_name=f"telegram-{telegram.digest[:24]}.xml",
        report=report,
        read=read,
    )
