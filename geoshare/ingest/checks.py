"""Checks of what a contribution hands over, whatever its format, and what findings may refuse.

Readers find what breaks the rules of their formats. Here features are looked at as the foundation
will hold them: lines that cross themselves, times that have not come yet.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely

from geoshare.errors import BadData
from geoshare.ingest.complete import KEPT, Complete, Fences, Spoken, everywhere, gone, tell
from geoshare.ingest.epochs import mixed_epochs
from geoshare.ingest.naming import check_layer
from geoshare.model.batch import FeatureBatch, RasterItem
from geoshare.model.box import Box
from geoshare.model.collections import check_name
from geoshare.model.findings import SEVERITIES, Finding, Severity
from geoshare.model.policy import OPEN_CLASS
from geoshare.model.report import Report
from geoshare.sources import ReadRequest, read_file
from geoshare.store import Record
from geoshare.store.nearby import knows_place

Reader = Callable[[Path, ReadRequest, Report], Iterator[FeatureBatch | RasterItem]]

CROSSES: Final = "geoshare:segments.self_crossing"
FUTURE: Final = "geoshare:time.not_yet_come"
FAR: Final = "geoshare:place.far_from_known"
_FAR_M: Final = 50_000.0
_CLOCK_US: Final = 5 * 60 * 1_000_000  # by how much a sender's clock may be fast
_PAST: Final = ("observed_at", "status_updated_at", "from_time")  # nobody knows these ahead
_LINES: Final = frozenset(["segments"])  # linear references need lines along which every place is one
_EACH: Final = 100  # of one rule in one batch


class BatchChecks:
    """Looks at batches as they come; what it finds goes into the report."""

    def __init__(
        self, request: ReadRequest, report: Report, knows: Callable[[str, Box], bool | None]
    ) -> None:
        self._now_us, self._report, self._knows = request.now_us, report, knows
        self._collections: set[str] = set()
        if request.epoch is not None:
            report.find(_future_epoch(request))

    def look(self, batch: FeatureBatch) -> None:
        """Find what is wrong with one batch of features."""
        if batch.collection in _LINES:
            self._report.find(_self_crossing(batch))
        self._report.find(self._future(batch))
        if batch.collection not in self._collections:
            self._collections.add(batch.collection)
            self._report.find(self._strange(batch))

    def _strange(self, batch: FeatureBatch) -> list[Finding]:
        """Whether a file lies where nothing of its collection is known, and something is elsewhere."""
        boxes = shapely.bounds(batch.geometry)
        boxes = boxes[np.isfinite(boxes).all(axis=1)]
        if not len(boxes):
            return []
        lon, lat = np.median((boxes[:, :2] + boxes[:, 2:]) / 2.0, axis=0).tolist()
        north = _FAR_M / 111_000.0
        east = north / max(math.cos(math.radians(lat)), 0.01)
        near = self._knows(
            check_name(batch.collection), Box(lon - east, lat - north, lon + east, lat + north)
        )
        if near is not False:
            return []
        return [
            Finding(
                FAR,
                "warning",
                batch.collection,
                f"Nothing of {batch.collection} that was sent before lies within "
                f"{_FAR_M / 1000:.0f} km of here: is the place, the CRS or the geoReference wrong?",
                f"これまでに送られた{batch.collection}から{_FAR_M / 1000:.0f} km以上離れています。"
                "位置・座標参照系・geoReferenceを確認してください。",
                (round(lon, 7), round(lat, 7)),
            )
        ]

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


def check(
    record: Record,
    path: Path,
    request: ReadRequest,
    report: Report,
    read: Reader = read_file,
    *,
    against_all: bool = False,
    refuse_on: Severity | None = None,
    complete: Complete | None = None,
    series: str | None = None,
    fences: Fences = everywhere,
    release_class: str = OPEN_CLASS,
) -> None:
    """Read a file as if to take it in, and fill its report; nothing is recorded.

    Its place is compared with what its provider has sent; with ``against_all``, which is for the
    operator's eyes, with what anybody has.

    That the file would be refused, also for findings as grave as ``refuse_on``, is a finding, too.
    Of a ``complete`` file, of a series (None: that of its name), the report tells what would go.
    """
    named = request.provider, series or path.name
    spoken = None if complete is None else Spoken(record, *named, release_class)
    checks = BatchChecks(request, report, knows(record, None if against_all else request.provider))
    try:
        for item in read(path, request, report):
            check_layer(item.collection, release_class)
            look(checks, item)
            if spoken is not None:
                spoken.look(item)
        report.find(mixed_epochs(record, request.provider, report))
        if spoken is not None and complete is not None:
            _tell_gone((record, *named, complete), spoken, report, fences, release_class)
        enforce(report, refuse_on)
    except BadData as error:
        report.find([refusal(error)])


def _tell_gone(
    file: tuple[Record, str, str, Complete],
    spoken: Spoken,
    report: Report,
    fences: Fences,
    release_class: str,
) -> None:
    """Say what a complete file would end. Raises as ``gone``."""
    if report.refused or spoken.refused:
        report.note(KEPT)
        return
    found = {
        name: gone(*file, name, fences(name), spoken.says, release_class)
        for name in sorted(spoken.collections)
    }
    tell(report, found)


def knows(record: Record, provider: str | None) -> Callable[[str, Box], bool | None]:
    """Ask a record whether a provider (None: anybody) has sent anything of a collection in a box.

    A provider is not told of what others have sent, and where.
    """

    def ask(collection: str, box: Box) -> bool | None:
        with record.snapshot() as connection:
            return knows_place(connection, collection, box, provider)

    return ask


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


def _future_epoch(request: ReadRequest) -> list[Finding]:
    now = datetime.fromtimestamp(request.now_us / 1e6, UTC)
    year = now.year + (now.timetuple().tm_yday - 1) / 365.25
    if request.epoch is None or request.epoch <= year + 0.02:
        return []
    return [
        Finding(
            FUTURE,
            "error",
            "file",
            f"The coordinates are said to be of {request.epoch:g}, which has not come yet.",
            f"座標の時点({request.epoch:g}年)が未来です。",
        )
    ]


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
