"""Checks of what a contribution hands over, whatever its format, and what findings may refuse.

Readers find what breaks the rules of their formats. Here features are looked at as the foundation
will hold them: lines that cross themselves, times that have not come yet.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely

from geoshare.errors import BadData
from geoshare.model.batch import FeatureBatch, RasterItem
from geoshare.model.findings import SEVERITIES, Finding, Severity
from geoshare.model.report import Report
from geoshare.sources import ReadRequest, read_file

Reader = Callable[[Path, ReadRequest, Report], Iterator[FeatureBatch | RasterItem]]

CROSSES: Final = "geoshare:segments.self_crossing"
FUTURE: Final = "geoshare:time.not_yet_come"
_CLOCK_US: Final = 5 * 60 * 1_000_000  # by how much a sender's clock may be fast
_PAST: Final = ("observed_at", "status_updated_at", "from_time")  # nobody knows these ahead
_LINES: Final = frozenset(["segments"])  # linear references need lines along which every place is one
_EACH: Final = 100  # of one rule in one batch


class BatchChecks:
    """Looks at batches as they come; what it finds goes into the report."""

    def __init__(self, request: ReadRequest, report: Report) -> None:
        self._now_us, self._report = request.now_us, report

    def look(self, batch: FeatureBatch) -> None:
        """Find what is wrong with one batch of features."""
        if batch.collection in _LINES:
            self._report.find(_self_crossing(batch))
        self._report.find(self._future(batch))

    def _future(self, batch: FeatureBatch) -> list[Finding]:
        """Times of observation that lie after now; when a thing is valid from may well be announced."""
        names = [name for name in _PAST if name in batch.properties.schema.names]
        limit = datetime.fromtimestamp((self._now_us + _CLOCK_US) / 1e6, UTC)
        found = []
        for name in names:
            column = batch.properties.column(name)
            if not pa.types.is_timestamp(column.type):
                continue
            late = pc.fill_null(pc.greater(column, pa.scalar(limit, column.type)), False)
            for row in np.flatnonzero(np.array(late.to_pylist(), bool))[:_EACH].tolist():
                said = column[row].as_py()
                found.append(
                    Finding(
                        FUTURE,
                        "error",
                        _name(batch, row),
                        f"{name} is {said:%Y-%m-%dT%H:%M:%SZ}, which has not come yet: "
                        "is the sender's clock wrong?",
                        f"{name}({said:%Y-%m-%dT%H:%M:%SZ})が未来の時刻です。"
                        "送信元の時計を確認してください。",
                        _place(batch.geometry[row]),
                    )
                )
        return found


def check(path: Path, request: ReadRequest, report: Report, read: Reader = read_file) -> None:
    """Read a file as if to take it in, and fill its report; nothing is recorded.

    That the file would be refused is a finding, too.
    """
    checks = BatchChecks(request, report)
    try:
        for item in read(path, request, report):
            look(checks, item)
    except BadData as error:
        report.find([refusal(error)])


def look(checks: BatchChecks, item: FeatureBatch | RasterItem) -> None:
    """Look at what came, as far as there are rules for it."""
    if isinstance(item, FeatureBatch):
        checks.look(item)


def refusal(error: BadData) -> Finding:
    """The refusal of a file as a finding."""
    rule = f"geoshare:file.{error.code}"
    return Finding(rule, "error", "file", error.message, error.message_ja or error.message)


def enforce(report: Report, refuse_on: Severity | None) -> None:
    """Refuse a contribution whose findings are as grave as its provider refuses.

    Raises
    ------
    BadData
        ``findings``.
    """
    if refuse_on is None:
        return
    grave = SEVERITIES[: SEVERITIES.index(refuse_on) + 1]
    count = sum(report.found.get(severity, 0) for severity in grave)
    if count:
        first = next(item for item in report.findings if item.severity in grave)
        raise BadData(
            f"The checks found {count} fault(s) for which it is refused, the first one at "
            f"{first.feature}: {first.en}",
            code="findings",
            message_ja=f"検査で{count}件の問題が見つかったため、受け付けません。"
            f"最初の問題({first.feature}): {first.ja}",
        )


def _self_crossing(batch: FeatureBatch) -> list[Finding]:
    kinds = shapely.get_type_id(batch.geometry)
    lines = np.flatnonzero(kinds == shapely.GeometryType.LINESTRING)
    crossing = lines[~shapely.is_simple(batch.geometry[lines])]
    return [
        Finding(
            CROSSES,
            "error",
            _name(batch, row),
            "The segment crosses or touches itself, so a place along it is not one place.",
            "線分が自分自身と交差または接触しているため、線上の位置が一つに決まりません。",
            _place(batch.geometry[row]),
        )
        for row in crossing[:_EACH].tolist()
    ]


def _name(batch: FeatureBatch, row: int) -> str:
    return f"{batch.collection}/{batch.record_ids[row]}"


def _place(geometry: shapely.Geometry | None) -> tuple[float, float] | None:
    if geometry is None or shapely.is_empty(geometry):
        return None
    lon, lat = shapely.get_coordinates(geometry)[0].tolist()
    return round(lon, 7), round(lat, 7)
