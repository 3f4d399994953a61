"""Zip files of texts whose next version can be fetched by its new blocks (see ``model.blocks``).

Every tool reads them. Deflate begins anew at each block (a full flush, as dictzip and pigz do it), and
the index of blocks lies between the last file and the central directory, where zip files may hold what
is no file (signed packages of Android do); the comment says where.
"""

from __future__ import annotations

import hashlib
import struct
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Final

from geoshare.extracts.zips import stamp
from geoshare.model.blocks import Stored, blocks, name_of, write_comment, write_index

LARGEST: Final = 2_000_000_000  # bytes of all files; beyond it zip needs other fields
_LEVEL: Final = 6
_VERSION: Final = 20
_UTF8: Final = 0x800
_MADE_ON_UNIX: Final = 3 << 8
_LOCAL: Final = struct.Struct("<4s5H3I2H")
_CENTRAL: Final = struct.Struct("<4s6H3I5H2I")
_END: Final = struct.Struct("<4s4H2IH")


def fits(files: Iterable[Path]) -> bool:
    """Whether files are small enough together."""
    return sum(file.stat().st_size for file in files) < LARGEST


def pack_blocks(folder: Path, files: Iterable[Path], target: Path, now_us: int) -> None:
    """Pack files of a folder in their order, dated as the extract is."""
    stored: list[Stored] = []
    central: list[bytes] = []
    with target.open("wb") as out:
        for file in files:
            entry = stamp(file.relative_to(folder).as_posix(), now_us)
            stored.append(_add(out, entry, file))
            central.append(_central(entry))
        index = write_index(stored)
        comment = write_comment(out.tell(), len(index))
        out.write(index)
        begin, listed = out.tell(), b"".join(central)
        out.write(listed)
        count = len(central)
        out.write(_END.pack(b"PK\5\6", 0, 0, count, count, len(listed), begin, len(comment)) + comment)


def _add(out: IO[bytes], entry: zipfile.ZipInfo, file: Path) -> Stored:
    """Write a file after a header that is filled in when its sizes are known."""
    entry.header_offset, entry.CRC = out.tell(), 0
    out.write(_local(entry))
    at, whole, pieces = out.tell(), hashlib.sha256(), []
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    with file.open("rb") as content:
        for block in blocks(content):
            packed = packer.compress(block) + packer.flush(zlib.Z_FULL_FLUSH)
            out.write(packed)
            pieces.append((name_of(block), len(block), len(packed)))
            whole.update(block)
            entry.CRC = zlib.crc32(block, entry.CRC)
            entry.file_size += len(block)
    out.write(packer.flush(zlib.Z_FINISH))
    entry.compress_size = out.tell() - at
    out.seek(entry.header_offset)
    out.write(_local(entry))
    out.seek(0, 2)
    return Stored(entry.filename, whole.hexdigest(), at, tuple(pieces))


def _moment(entry: zipfile.ZipInfo) -> tuple[int, int]:
    year, month, day, hour, minute, second = entry.date_time
    return hour << 11 | minute << 5 | second // 2, (year - 1980) << 9 | month << 5 | day


def _local(entry: zipfile.ZipInfo) -> bytes:
    name, (clock, date) = entry.filename.encode(), _moment(entry)
    sizes = (entry.CRC, entry.compress_size, entry.file_size)
    method = zipfile.ZIP_DEFLATED
    return _LOCAL.pack(b"PK\3\4", _VERSION, _UTF8, method, clock, date, *sizes, len(name), 0) + name


def _central(entry: zipfile.ZipInfo) -> bytes:
    name, (clock, date) = entry.filename.encode(), _moment(entry)
    said = (_MADE_ON_UNIX | _VERSION, _VERSION, _UTF8, zipfile.ZIP_DEFLATED, clock, date)
    sizes = (entry.CRC, entry.compress_size, entry.file_size)
    more = (len(name), 0, 0, 0, 0, entry.external_attr, entry.header_offset)
    return _CENTRAL.pack(b"PK\1\2", *said, *sizes, *more) + name
