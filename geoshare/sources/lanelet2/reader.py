"""The reader of Lanelet2 maps."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from geoshare.model.batch import FeatureBatch
from geoshare.model.collections import known
from geoshare.model.report import Report
from geoshare.sources import messages, shape
from geoshare.sources.coerce import table_of
from geoshare.sources.lanelet2.build import MapBuilder, Record
from geoshare.sources.lanelet2.elements import read_elements
from geoshare.sources.lanelet2.places import locate
from geoshare.sources.plan import RecordIds
from geoshare.sources.request import BATCH_ROWS, ReadRequest

_RELATIONS = frozenset(["lanelet", "multipolygon", "regulatory_element"])


class LaneletReader:
    """OSM XML with lanelets: lanes, boundaries, rules, areas, structures, roadside features."""

    name = "lanelet2"

    def recognises(self, path: Path, head: bytes) -> bool:
        """By the root element."""
        return b"<osm" in head or (path.suffix.lower() == ".osm" and head.lstrip().startswith(b"<"))

    def read(self, path: Path, request: ReadRequest, report: Report) -> Iterator[FeatureBatch]:
        """Feature batches, collection by collection."""
        report.format = "Lanelet2"
        elements = read_elements(path, request.bounds, report)
        if not any(item.tags.get("type") in _RELATIONS for item in elements.relations.values()):
            raise messages.refuse_and_note(report, messages.no_lanelets())
        builder = MapBuilder(elements, locate(elements, request, report), report)
        waiting: dict[str, list[Record]] = {}
        ids: dict[str, RecordIds] = {}
        for record in builder.records():
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
    if collection == "regulatory_elements":  # a rule may hold without a place of its own
        faults = {row: message for row, message in faults.items() if geometry[row] is not None}
    for row, message in faults.items():
        report.refuse(records[row].id, message, dict(records[row].properties))
    keep = [row for row in range(len(records)) if row not in faults]
    if keep:
        names = ids.setdefault(collection, RecordIds(report)).unique([records[row].id for row in keep])
        table = table_of(known()[collection], [records[row].properties for row in keep])
        yield FeatureBatch(collection, names, mended[keep], table)
