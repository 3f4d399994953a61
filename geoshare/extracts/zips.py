"""Zip files whose bytes depend on their content and the stated moment alone."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from geoshare.model.times import iso

_BLOCK: Final = 1 << 20
PACKED: Final = (".parquet", ".pmtiles", ".tif", ".xlsx", ".zip")  # have nothing left to compress


def stamp(name: str, now_us: int) -> zipfile.ZipInfo:
    """An entry dated ``now_us``, in UTC; zip files know no time before 1980."""
    text = iso(now_us)[:19].replace("T", "-").replace(":", "-")
    year, month, day, hour, minute, second = (int(part) for part in text.split("-"))
    moment = (year, month, day, hour, minute, second)
    entry = zipfile.ZipInfo(name, max(moment, (1980, 1, 1, 0, 0, 0)))
    entry.compress_type = zipfile.ZIP_STORED if name.endswith(PACKED) else zipfile.ZIP_DEFLATED
    entry.external_attr = 0o644 << 16
    return entry


def pack(folder: Path, files: Iterable[Path], target: Path, now_us: int) -> None:
    """Pack files of a folder in their order, dated as the extract is, block by block."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for file in files:
            entry = stamp(file.relative_to(folder).as_posix(), now_us)
            with open(file, "rb") as content, archive.open(entry, "w", force_zip64=True) as out:
                while block := content.read(_BLOCK):
                    out.write(block)
