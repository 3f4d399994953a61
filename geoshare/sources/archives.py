"""Zip, gzip and tar archives, unpacked into the working folder with every byte counted.

Sizes that an archive states about itself are looked at first and then not believed.
"""

from __future__ import annotations

import gzip
import tarfile
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import Protocol

from geoshare.model.report import Report
from geoshare.sources import messages
from geoshare.sources.request import Bounds, ReadRequest

CHUNK = 1_048_576
MIN_SUSPICIOUS_BYTES = 100_000_000  # a ratio says nothing about small archives
SIDE_FILES = (".dbf", ".shx", ".prj", ".cpg", ".qix", ".sbn", ".sbx", ".xml")
# Of the same data in several formats in one archive (as MLIT publishes), the first of these is read.
PREFERRED = (
    ".gpkg",
    ".shp",
    ".geojson",
    ".json",
    ".fgb",
    ".parquet",
    ".osm",
    ".csv",
    ".xlsx",
    ".tif",
    ".tiff",
    ".nc",
)


def members(path: Path, request: ReadRequest, report: Report) -> list[Path]:
    """The files to read: the file itself, or what an archive holds."""
    with path.open("rb") as file:
        head = file.read(512)
    if head.startswith(b"PK\x03\x04") and not _is_workbook(path, request.bounds, report):
        return _chosen(_unzip(path, request, report), report)
    if head.startswith(b"\x1f\x8b"):
        return _chosen(_ungzip(path, request, report), report)
    if head[257:262] == b"ustar":
        return _chosen(_untar(path, request, report), report)
    return [path]


def _is_workbook(path: Path, bounds: Bounds, report: Report) -> bool:
    """Whether a zip file is an .xlsx; its parts are bounded too."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, OSError) as error:
        raise messages.refuse_and_note(report, messages.archive_broken()) from error
    if not any(entry.filename == "xl/workbook.xml" for entry in entries):
        return False
    _refuse_bomb(sum(entry.file_size for entry in entries), path, bounds.sheet_bytes, bounds, report)
    return True


def _refuse_bomb(unpacked: int, path: Path, limit: int, bounds: Bounds, report: Report) -> None:
    ratio = unpacked / max(path.stat().st_size, 1)
    if unpacked > limit or (unpacked > MIN_SUSPICIOUS_BYTES and ratio > bounds.unpacked_ratio):
        raise messages.refuse_and_note(
            report, messages.archive_bomb(f"{unpacked / 1e6:,.0f} MB, ×{ratio:,.0f}")
        )


def _unzip(path: Path, request: ReadRequest, report: Report) -> list[Path]:
    bounds = request.bounds
    folder = _folder(request, path)
    try:
        with zipfile.ZipFile(path) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            _count(len(entries), bounds, report)
            _refuse_bomb(
                sum(item.file_size for item in entries), path, bounds.unpacked_bytes, bounds, report
            )
            names = [_decoded(entry) for entry in entries]
            meter = _Meter(path, bounds, report)
            for entry, name in zip(entries, names, strict=True):
                with archive.open(entry) as source:
                    meter.copy(source, _target(folder, name, report))
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise messages.refuse_and_note(report, messages.archive_broken()) from error
    return sorted(item for item in folder.rglob("*") if item.is_file())


def _decoded(entry: zipfile.ZipInfo) -> str:
    """A member's name; without the UTF-8 mark Japanese tools write cp932."""
    if entry.flag_bits & 0x800:
        return entry.filename
    try:
        return entry.filename.encode("cp437").decode("cp932")
    except (UnicodeEncodeError, UnicodeDecodeError):
        return entry.filename


def _ungzip(path: Path, request: ReadRequest, report: Report) -> list[Path]:
    meter = _Meter(path, request.bounds, report)
    folder = _folder(request, path)
    stem = path.name[: -len(path.suffix)] if path.suffix.lower() in (".gz", ".tgz") else path.name
    target = folder / (stem or "data")
    try:
        with gzip.open(path) as source:
            meter.copy(source, target)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise messages.refuse_and_note(report, messages.archive_broken()) from error
    if tarfile.is_tarfile(target):
        files = _untar(target, request, report)
        target.unlink()
        return files
    return [target]


def _untar(path: Path, request: ReadRequest, report: Report) -> list[Path]:
    folder = _folder(request, path, "tar")
    meter = _Meter(path, request.bounds, report)
    try:
        with tarfile.open(path, "r:") as archive:
            for count, member in enumerate(archive):
                _count(count, request.bounds, report)
                source = archive.extractfile(member) if member.isfile() else None
                if source is not None:
                    meter.copy(source, _target(folder, member.name, report))
    except (tarfile.TarError, EOFError) as error:
        raise messages.refuse_and_note(report, messages.archive_broken()) from error
    return sorted(item for item in folder.rglob("*") if item.is_file())


class _Readable(Protocol):
    def read(self, size: int = -1, /) -> bytes: ...


class _Meter:
    """Copies members and refuses once they are more than the archive may hold."""

    def __init__(self, path: Path, bounds: Bounds, report: Report) -> None:
        self._path, self._bounds, self._report, self._bytes = path, bounds, report, 0

    def copy(self, source: _Readable, target: Path) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("wb") as out:
            while chunk := source.read(CHUNK):
                self._bytes += len(chunk)
                _refuse_bomb(
                    self._bytes, self._path, self._bounds.unpacked_bytes, self._bounds, self._report
                )
                out.write(chunk)


def _count(members: int, bounds: Bounds, report: Report) -> None:
    if members > bounds.archive_members:
        raise messages.refuse_and_note(
            report, messages.too_large("members", "ファイル数", bounds.archive_members)
        )


def _target(folder: Path, name: str, report: Report) -> Path:
    parts = PurePosixPath(name.replace("\\", "/")).parts
    if not parts or ".." in parts or name.startswith(("/", "\\")) or ":" in parts[0]:
        raise messages.refuse_and_note(report, messages.archive_unsafe(name[:80]))
    return folder.joinpath(*parts)


def _folder(request: ReadRequest, path: Path, kind: str = "unpacked") -> Path:
    folder = request.work_dir / kind / path.name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _chosen(files: list[Path], report: Report) -> list[Path]:
    """The members worth reading: of each folder and stem one format, side files left out."""
    usable = [
        item
        for item in files
        if item.suffix.lower() in PREFERRED and not item.name.startswith((".", "_"))
    ]
    usable = [item for item in usable if "__MACOSX" not in item.parts]
    if not usable:
        if len(files) == 1:
            return files
        raise messages.refuse_and_note(report, messages.archive_nothing())
    best: dict[str, Path] = {}
    for item in sorted(usable, key=lambda found: PREFERRED.index(found.suffix.lower())):
        best.setdefault(item.stem, item)
    return sorted(best.values())
