"""Files that must not get in: one clear line each, and nothing behind."""

from __future__ import annotations

import gzip
import io
import json
import sqlite3
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from geoshare.errors import BadData
from geoshare.sources import READERS, Bounds, SourceReader

ReadFile = Callable[..., Any]
LINE = {"type": "LineString", "coordinates": [[139, 35], [140, 36]]}
GOOD = json.dumps(
    {
        "type": "FeatureCollection",
        "features": [{"type": "Feature", "properties": {"a": 1}, "geometry": LINE}] * 40,
    }
)


def refused(read: ReadFile, path: Path, **options: Any) -> BadData:
    with pytest.raises(BadData) as caught:
        read(path, **options)
    error = caught.value
    assert "\n" not in error.message
    assert str(path.parent) not in error.message
    assert error.message_ja
    return error


@pytest.mark.parametrize(
    "name", ["a.osm", "a.geojson", "a.csv", "a.gpkg", "a.tif", "a.nc", "a.xlsx", "a.zip"]
)
def test_an_empty_file_is_refused(read: ReadFile, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"")
    assert refused(read, path).code == "empty-file"
    path.write_bytes(b"\r\n  \n")
    assert refused(read, path).code in ("empty-file", "no-rows", "no-header")


def test_a_file_that_is_not_there_is_refused(read: ReadFile, tmp_path: Path) -> None:
    assert refused(read, tmp_path / "none.csv").code == "no-file"


@pytest.mark.parametrize("head", [b"%PDF-1.7", b"\x89PNG\r\n", b"MZ\x90", b"<html></html>", b"hello"])
def test_a_format_that_nobody_reads_is_refused_with_those_that_are(
    read: ReadFile, tmp_path: Path, head: bytes
) -> None:
    path = tmp_path / "thing.bin"
    path.write_bytes(head * 20)
    error = refused(read, path)
    assert error.code == "format-unknown"
    assert "GeoPackage" in error.message


def test_a_truncated_geojson_is_refused(read: ReadFile, tmp_path: Path) -> None:
    path = tmp_path / "cut.geojson"
    path.write_text(GOOD[: len(GOOD) * 2 // 3])
    assert refused(read, path).code == "file-broken"


def test_an_empty_collection_is_refused(read: ReadFile, tmp_path: Path) -> None:
    path = tmp_path / "none.geojson"
    path.write_text('{"type":"FeatureCollection","features":[]}')
    assert refused(read, path).code == "no-rows"


def test_a_truncated_geopackage_is_refused(read: ReadFile, tmp_path: Path) -> None:
    path = tmp_path / "cut.gpkg"
    path.write_bytes(b"SQLite format 3\x00" + bytes(200))
    assert refused(read, path).code == "file-broken"


@pytest.mark.parametrize(
    "magic", [b"PAR1", b"II*\x00", b"\x89HDF\r\n\x1a\n", b"CDF\x01", b"PK\x03\x04", b"\x1f\x8b"]
)
def test_a_file_of_only_magic_bytes_is_refused(read: ReadFile, tmp_path: Path, magic: bytes) -> None:
    path = tmp_path / "magic.dat"
    path.write_bytes(magic + b"\x00" * 300)
    assert refused(read, path).code in ("file-broken", "archive-broken", "no-grid")


def test_a_zip_bomb_is_refused_before_it_unpacks(read: ReadFile, tmp_path: Path) -> None:
    path = tmp_path / "bomb.zip"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("big.geojson", "w") as member,
    ):
        for _ in range(120):
            member.write(bytes(1_000_000))
    error = refused(read, path)
    assert error.code == "archive-too-large"
    assert not list((tmp_path / "work").rglob("big.geojson"))


def test_an_archive_that_lies_about_its_size_is_stopped_while_it_unpacks(
    read: ReadFile, tmp_path: Path, small_bounds: Bounds
) -> None:
    path = tmp_path / "bomb.geojson.gz"
    path.write_bytes(gzip.compress(bytes(5_000_000)))
    assert refused(read, path, bounds=small_bounds).code == "archive-too-large"


def test_a_workbook_bomb_is_refused(read: ReadFile, tmp_path: Path) -> None:
    path = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
        archive.writestr("xl/sharedStrings.xml", bytes(3_000_000))
    assert refused(read, path, bounds=Bounds(sheet_bytes=2_000_000)).code == "archive-too-large"


@pytest.mark.parametrize(
    "name", ["../out.geojson", "/etc/out.geojson", "a/../../out.geojson", "C:\\out.geojson"]
)
def test_an_archive_never_writes_outside_its_folder(read: ReadFile, tmp_path: Path, name: str) -> None:
    path = tmp_path / "slip.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, GOOD)
    assert refused(read, path).code == "archive-unsafe"
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        member = tarfile.TarInfo(name)
        member.size = len(GOOD)
        tar.addfile(member, io.BytesIO(GOOD.encode()))
    (tmp_path / "slip.tar.gz").write_bytes(packed.getvalue())
    assert refused(read, tmp_path / "slip.tar.gz").code == "archive-unsafe"


def test_links_in_archives_are_not_followed(read: ReadFile, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "link.tar", "w") as tar:
        link = tarfile.TarInfo("data.geojson")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/hostname"
        tar.addfile(link)
    assert refused(read, tmp_path / "link.tar").code == "archive-nothing"


def test_a_truncated_archive_is_refused(read: ReadFile, tmp_path: Path) -> None:
    whole = tmp_path / "whole.zip"
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.geojson", GOOD)
    cut = tmp_path / "cut.zip"
    cut.write_bytes(whole.read_bytes()[:-60])
    assert refused(read, cut).code == "archive-broken"


def test_an_archive_of_one_good_file_is_read(read: ReadFile, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "good.zip", "w") as archive:
        archive.writestr("道路/segments.geojson", GOOD)
        archive.writestr("道路/README.txt", "hello")
    assert read(tmp_path / "good.zip").report.taken == {"segments": 40}


POINTERS = {
    "vrt.geojson": '{"type":"x"} <OGRVRTDataSource><OGRVRTLayer name="a"><SrcDataSource>/etc/passwd',
    "alg.json": '{"type": "gdal_streamed_alg", "command_line": "gdal vector read /etc/passwd"}',
    "vrt.gml": '<OGRVRTDataSource><OGRVRTLayer name="a"><SrcDataSource>CSV:/etc/passwd</SrcDataSource>',
}


@pytest.mark.parametrize("name", sorted(POINTERS))
def test_descriptions_of_other_sources_are_never_followed(
    read: ReadFile, tmp_path: Path, name: str
) -> None:
    (tmp_path / name).write_text(POINTERS[name])
    assert refused(read, tmp_path / name).code == "points-elsewhere"


def test_virtual_tables_of_a_geopackage_are_refused(read: ReadFile, tmp_path: Path) -> None:
    path = tmp_path / "virtual.gpkg"
    with sqlite3.connect(path) as base:
        base.execute("CREATE TABLE plain (a)")
        base.execute("PRAGMA writable_schema = 1")
        base.execute(
            "INSERT INTO sqlite_master VALUES ('table', 't', 't', 0, "
            "'CREATE VIRTUAL TABLE t USING VirtualOGR(''/etc/passwd'')')"
        )
    base.close()
    assert refused(read, path).code == "points-elsewhere"


@pytest.mark.parametrize("how", ["link", "storage", "virtual"])
def test_arrays_that_lie_in_other_files_are_refused(read: ReadFile, tmp_path: Path, how: str) -> None:
    path = tmp_path / "outside.nc"
    secret = tmp_path / "secret.h5"
    with h5py.File(secret, "w") as other:
        other["a"] = np.arange(8.0)
    with h5py.File(path, "w") as file:
        group = file.create_group("deep")
        if how == "link":
            group["rain"] = h5py.ExternalLink(str(secret), "/a")
        elif how == "storage":
            group.create_dataset("rain", (8,), "u1", external=[(str(secret), 0, 8)])
        else:
            layout = h5py.VirtualLayout((8,), "f8")
            layout[:] = h5py.VirtualSource(str(secret), "a", shape=(8,))
            group.create_virtual_dataset("rain", layout)
    assert refused(read, path).code == "points-elsewhere"


def test_every_reader_is_one_by_protocol() -> None:
    for name, reader in READERS.items():
        assert isinstance(reader, SourceReader)
        assert reader.name == name
