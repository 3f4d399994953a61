"""A value that is kept as another type than it came in is told of in the report."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from geoshare.merge import Conformer, Identities, inferred
from geoshare.model.batch import FeatureBatch
from geoshare.model.collections import known
from geoshare.model.report import Report


def conformed(kind: pa.DataType, values: pa.Array) -> tuple[list[Any], Report]:
    """Values of a column whose collection holds it as ``kind``, and what the report says."""
    collection = inferred("layer", pa.schema([("a", kind)]))
    conformer = Conformer(collection, Identities(bytes(32), known()), "someone")
    report = Report("file")
    ids = [str(row) for row in range(len(values))]
    shapes = np.full(len(values), None, dtype=object)
    found = conformer.conform(FeatureBatch("layer", ids, shapes, pa.table({"a": values})), report)
    return [json.loads(row).get("a") for row in found.properties], report


@pytest.mark.parametrize(
    ("kind", "values", "kept", "said"),
    [
        (pa.string(), pa.array([1.0, 2.5, None]), ["1", "2.5", None], ("numbers", "text", 2)),
        (pa.string(), pa.array([7, 8]), ["7", "8"], ("whole numbers", "text", 2)),
        (pa.string(), pa.array([True]), ["true"], ("yes or no", "text", 1)),
        (pa.int64(), pa.array([3.0, 4.0]), [3, 4], ("numbers", "whole numbers", 2)),
        (pa.int64(), pa.array(["5"]), [5], ("text", "whole numbers", 1)),
        (pa.float64(), pa.array(["5.5"]), [5.5], ("text", "numbers", 1)),
    ],
)
def test_each_change_is_counted_with_an_example(
    kind: pa.DataType, values: pa.Array, kept: list[Any], said: tuple[str, str, int]
) -> None:
    found, report = conformed(kind, values)
    assert found == kept
    [repair] = report.repairs.values()
    assert repair.message.code == f"values-converted:a:{said[0]}:{said[1]}"
    assert said[0] in repair.message.en
    assert said[1] in repair.message.en
    assert repair.count == said[2]
    assert "->" in repair.examples[0]


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (pa.float64(), pa.array([1, 2])),
        (pa.string(), pa.array(["x", None])),
        (pa.int64(), pa.array([1])),
        (pa.timestamp("us", "UTC"), pa.array(["2026-01-01T00:00:00Z"])),
    ],
)
def test_what_stays_the_same_is_not_told_of(kind: pa.DataType, values: pa.Array) -> None:
    _, report = conformed(kind, values)
    assert report.repairs == {}
