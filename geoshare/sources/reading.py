"""Picks the reader of a file, keeps its bounds, and says what became of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path

from geoshare.model.batch import FeatureBatch, RasterItem
from geoshare.model.collections import check_name
from geoshare.model.reduction import is_reference
from geoshare.model.report import Report
from geoshare.sources import archives, messages, palsar
from geoshare.sources.jma import TelegramReader
from geoshare.sources.lanelet2 import LaneletReader
from geoshare.sources.netcdf import NetCdfReader
from geoshare.sources.opendrive import OpenDriveReader
from geoshare.sources.raster import GeoTiffReader
from geoshare.sources.request import ReadRequest, SourceReader
from geoshare.sources.table import CsvReader
from geoshare.sources.vector import ParquetReader, VectorReader
from geoshare.sources.xlsx import XlsxReader

ENTRY_POINTS = "geoshare.sources"
HEAD_BYTES = 4_096

READERS: dict[str, SourceReader] = {
    reader.name: reader
    for reader in (
        TelegramReader(),
        OpenDriveReader(),
        LaneletReader(),
        XlsxReader(),
        GeoTiffReader(),
        NetCdfReader(),
        ParquetReader(),
        VectorReader(),
        CsvReader(),
    )
}


@cache
def readers() -> dict[str, SourceReader]:
    """Built-in readers and installed ones; an installed one of the same name stands before."""
    installed = {entry.name: entry.load()() for entry in entry_points(group=ENTRY_POINTS)}
    return installed | {name: reader for name, reader in READERS.items() if name not in installed}


def read_file(path: Path, request: ReadRequest, report: Report) -> Iterator[FeatureBatch | RasterItem]:
    """Everything in a contributed file, in the vocabulary.

    Parameters
    ----------
    path
        The file as it was sent, under the name its sender gave it; archives are unpacked.
    request
        Who sent it and what was said about it.
    report
        Filled while reading: format, mapping, datum, rows, repairs, refused rows, counts.

    Raises
    ------
    BadData
        The file cannot be taken at all; nothing of it may be kept, whatever was handed over before.
    BadRequest
        The collection asked for, or one that an installed reader makes, has no lawful name.
    """
    if request.collection is not None:
        check_name(request.collection)
    size = _size(path)
    if size > request.bounds.file_bytes:
        raise messages.refuse_and_note(
            report, messages.too_large("bytes", "容量", request.bounds.file_bytes)
        )
    for item in _items(path, request, report):
        check_name(item.collection)
        if isinstance(item, FeatureBatch):
            report.took(item.collection, len(item.record_ids))
        else:
            report.took(item.collection, 1)
        yield item
    _say_moved(request, report)
    _judge(report)


def _say_moved(request: ReadRequest, report: Report) -> None:
    """Say how far grids moved the places, or that a stated epoch changed nothing."""
    for grid, (count, east, north, up, _) in report.moved.items():
        report.note(messages.moved(grid, int(count), east, north, up))
    if request.epoch is not None and not report.moved and not is_reference(request.epoch):
        report.note(messages.epoch_kept(request.epoch))


def _size(path: Path) -> int:
    if not path.is_file():
        raise messages.refuse_file(messages.no_file())
    size = path.stat().st_size
    if size == 0:
        raise messages.refuse_file(messages.empty_file())
    return size


def _items(path: Path, request: ReadRequest, report: Report) -> Iterator[FeatureBatch | RasterItem]:
    members = archives.members(path, request, report)
    mosaic = palsar.find(members)
    if mosaic:
        yield from palsar.read(mosaic, request, report)
        return
    for member in members:
        part = replace(request, part=f"{member.stem}:") if len(members) > 1 else request
        yield from pick(member, report).read(member, part, report)


def pick(path: Path, report: Report) -> SourceReader:
    """The first reader that recognises the file."""
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    if not head.strip(b"\x00 \r\n\t\xef\xbb\xbf"):
        raise messages.refuse_and_note(report, messages.empty_file())
    for reader in readers().values():
        if reader.recognises(path, head):
            return reader
    raise messages.refuse_and_note(report, messages.format_unknown())


def _judge(report: Report) -> None:
    """Refuse a file of which nothing could be taken."""
    if report.taken:
        return
    if report.refused:
        reasons = Counter(refusal.message for refusal in report.refusals)
        message = messages.nothing_taken(reasons.most_common(1)[0][0], report.refused)
        raise messages.refuse_and_note(report, message)
    raise messages.refuse_and_note(report, messages.no_rows())
