"""Features of a map file one by one, gathered into batches by collection."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import shapely

from geoshare.model.batch import FeatureBatch
from geoshare.model.collections import known
from geoshare.model.report import Report
from geoshare.sources import shape
from geoshare.sources.coerce import table_of
from geoshare.sources.repeating import RecordIds
from geoshare.sources.request import BATCH_ROWS

PLACELESS = frozenset(["regulatory_elements"])  # a rule may hold without a place of its own


@dataclass(slots=True)
class Record:
    """One feature on its way into a batch."""

    collection: str
    id: str
    geometry: shapely.Geometry | None
    properties: dict[str, Any] = field(default_factory=dict)


def batches(records: Iterable[Record], report: Report) -> Iterator[FeatureBatch]:
    """Feature batches; shapes that are none are refused, repeated ids are told apart."""
    waiting: dict[str, list[Record]] = {}
    ids: dict[str, RecordIds] = {}
    for record in records:
        report.rows_read += 1
        queue = waiting.setdefault(record.collection, [])
        queue.append(record)
        if len(queue) >= BATCH_ROWS:
            yield from _batch(waiting.pop(record.collection), ids, report)
    for queue in waiting.values():
        yield from _batch(queue, ids, report)


def _batch(records: list[Record], ids: dict[str, RecordIds], report: Report) -> Iterator[FeatureBatch]:
    collection = records[0].collection
    geometry = np.empty(len(records), dtype=object)
    geometry[:] = [record.geometry for record in records]
    mended, faults = shape.mend(geometry, known()[collection].geometry, report)
    if collection in PLACELESS:
        faults = {row: message for row, message in faults.items() if geometry[row] is not None}
    for row, message in faults.items():
        report.refuse(records[row].id, message, dict(records[row].properties))
    keep = [row for row in range(len(records)) if row not in faults]
    if keep:
        table = table_of(known()[collection], [records[row].properties for row in keep])
        apart = ids.setdefault(collection, RecordIds(report)).apart
        names, kept = apart(collection, [records[row].id for row in keep], mended[keep], table)
        if len(kept) < len(keep):
            table = table.take(kept)
        yield FeatureBatch(collection, names, mended[keep][kept], table)
