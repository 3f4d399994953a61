"""A workbench for contributions: batches instead of files, a clock set by hand."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pytest
import shapely

from geoshare.ingest import IngestResult, Terms, contribute
from geoshare.model.batch import FeatureBatch, RasterItem
from geoshare.model.report import Report
from geoshare.sources import ReadRequest
from geoshare.store import Record, reading
from tests.store.databases import KINDS

HALF_OFFSET = 0.001

on_both_databases = pytest.mark.parametrize("bench", KINDS, indirect=True)


class Counting:
    """Ids and times that count."""

    def __init__(self) -> None:
        self._ids = itertools.count(1)
        self.now = 1_700_000_000_000_000

    def new(self) -> str:
        return f"contribution{next(self._ids):04d}"

    def now_us(self) -> int:
        self.now += 1_000_000
        return self.now


class Workbench:
    """A record with a data folder, and files made of what they are to be read as."""

    def __init__(self, record: Record, folder: Path) -> None:
        self.record = record
        self.folder = folder
        self.data = folder / "data"
        self.counting = Counting()

    def contribute(
        self,
        items: Sequence[FeatureBatch | RasterItem | Exception],
        provider: str = "mapco",
        name: str = "file.bin",
        content: str | None = None,
        **options: Any,
    ) -> IngestResult:
        """Contribute a file that reads as these items; an exception among them is raised there."""
        path = self.folder / "inbox" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(content if content is not None else repr(items))
        work = self.folder / "work"
        work.mkdir(exist_ok=True)

        def read(path: Path, request: ReadRequest, report: Report) -> Iterator[Any]:
            for item in items:
                if isinstance(item, Exception):
                    raise item
                if isinstance(item, FeatureBatch):
                    report.rows_read += len(item.record_ids)
                    report.took(item.collection, len(item.record_ids))
                else:
                    report.took(item.collection, 1)
                yield item

        return contribute(
            self.record,
            path,
            ReadRequest(
                provider,
                work,
                self.counting.now_us(),
                accuracy_m=options.pop("accuracy_m", None),
            ),
            clock=self.counting,
            ids=self.counting,
            data_dir=self.data,
            terms=Terms(
                **{one.name: options.pop(one.name) for one in fields(Terms) if one.name in options}
            ),
            read=options.pop("read", read),
            **options,
        )

    def visible(self, collection: str) -> dict[str, dict[str, Any]]:
        """Properties of every feature in force, by id."""
        with self.record.snapshot() as connection:
            chunks = list(reading.scan_features(connection, collection))
        return {
            id_: orjson.loads(text)
            for chunk in chunks
            for id_, text in zip(chunk.ids, chunk.properties, strict=True)
        }

    def files(self) -> set[str]:
        """Every file of the data folder."""
        return {
            str(path.relative_to(self.data))
            for path in self.data.rglob("*")
            if path.is_file() and not path.name.startswith("record")
        }


def batch(collection: str, rows: dict[str, dict[str, Any]], lon: float = 139.0) -> FeatureBatch:
    """A batch of points from properties by record id, one point a hundred metres after the other."""
    names = sorted({name for row in rows.values() for name in row})
    table = pa.table({name: pa.array([row.get(name) for row in rows.values()]) for name in names})
    if not names:
        table = pa.table({"": pa.nulls(len(rows))}).select([])
    points = shapely.points([lon + number * HALF_OFFSET for number in range(len(rows))], 35.0)
    return FeatureBatch(collection, list(rows), np.asarray(points, dtype=object), table)
