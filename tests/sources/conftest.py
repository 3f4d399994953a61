"""Reading files in tests: one helper, and small files in the formats users send."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from geoshare.model.batch import FeatureBatch, RasterItem
from geoshare.model.report import Report
from geoshare.sources import Bounds, ReadRequest, read_file

NOW_US = 1_790_000_000_000_000


def _rows(batch: FeatureBatch) -> list[dict[str, Any]]:
    return batch.properties.to_pylist() or [{}] * len(batch.record_ids)


@dataclass
class Read:
    """Everything one file gave."""

    report: Report
    batches: list[FeatureBatch] = field(default_factory=list)
    rasters: list[RasterItem] = field(default_factory=list)

    def rows(self, collection: str) -> dict[str, dict[str, Any]]:
        """Properties by record id."""
        return {
            key: row
            for batch in self.batches
            if batch.collection == collection
            for key, row in zip(
                batch.record_ids,
                batch.properties.to_pylist() or [{}] * len(batch.record_ids),
                strict=True,
            )
        }

    def shapes(self, collection: str) -> dict[str, Any]:
        """Geometry by record id."""
        return {
            key: shape
            for batch in self.batches
            if batch.collection == collection
            for key, shape in zip(batch.record_ids, batch.geometry, strict=True)
        }

    def repairs(self) -> dict[str, int]:
        return {code: repair.count for code, repair in self.report.repairs.items()}

    def notes(self) -> set[str]:
        return {note.code for note in self.report.notes}


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., Read]:
    """Read a file with the given request options."""

    def run(path: Path, **options: Any) -> Read:
        work = tmp_path / "work"
        work.mkdir(exist_ok=True)
        out = Read(Report(path.name))
        request = ReadRequest("someone", work, NOW_US, **options)
        for item in read_file(path, request, out.report):
            (out.batches if isinstance(item, FeatureBatch) else out.rasters).append(item)
        return out

    return run


@pytest.fixture
def table(tmp_path: Path) -> Callable[..., Path]:
    """Write rows as a CSV file."""

    def write(
        rows: Sequence[Sequence[object]], name: str = "table.csv", encoding: str = "utf-8"
    ) -> Path:
        path = tmp_path / name
        with path.open("w", encoding=encoding, newline="") as file:
            csv.writer(file).writerows(rows)
        return path

    return write


@pytest.fixture
def small_bounds() -> Bounds:
    """Bounds that a test can reach."""
    return Bounds(file_bytes=1_000_000, unpacked_bytes=3_000_000, table_rows=50, xml_elements=20)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20260917)
