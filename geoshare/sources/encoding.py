"""In what a text is written: UTF-8, with or without byte-order mark, UTF-16 of Excel, or cp932."""

from __future__ import annotations

import codecs
import glob
import shutil
from pathlib import Path

SAMPLE_BYTES = 1_000_000


def detect(path: Path) -> str | None:
    """The codec of a text file, by its first and last parts; None where none fits.

    UTF-8 is tried strictly before cp932: Japanese text in cp932 is practically never valid UTF-8.
    """
    with path.open("rb") as file:
        head = file.read(SAMPLE_BYTES)
        more = len(head) == SAMPLE_BYTES
    if head.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    for codec in ("utf-8", "cp932"):
        if _decodes(head, codec, cut=more):
            return codec
    return None


def _decodes(data: bytes, codec: str, *, cut: bool) -> bool:
    try:
        text = codecs.getincrementaldecoder(codec)().decode(data, final=not cut)
    except UnicodeDecodeError:
        return False
    return "\x00" not in text


def shapefile_encoding(path: Path) -> str | None:
    """The codec of a Shapefile's attributes where its .cpg is missing or silent; None: GDAL knows.

    The code page byte of a .dbf is right so rarely that the bytes themselves are asked.
    """
    if path.suffix.lower() != ".shp":
        return None
    for suffix in (".cpg", ".CPG"):
        page = path.with_suffix(suffix)
        if page.exists():
            name = page.read_text("ascii", "replace").strip().lower()
            if name:
                return _codec(name)
    for suffix in (".dbf", ".DBF"):
        table = path.with_suffix(suffix)
        if table.exists():
            with table.open("rb") as file:
                data = file.read(SAMPLE_BYTES)
            body = data[int.from_bytes(data[8:10], "little") :]
            if body.isascii():
                return None
            return "utf-8" if _records_decode(body, "utf-8") else "cp932"
    return None


def _codec(name: str) -> str | None:
    """The codec a .cpg names: a code page's number, or a name that Python may know."""
    name = name.removeprefix("ansi ").removeprefix("windows-")
    try:
        found = codecs.lookup(f"cp{name}" if name.isdecimal() else name).name
    except (LookupError, ValueError):
        return None
    return "cp932" if found == "shift_jis" else found


def _records_decode(body: bytes, codec: str) -> bool:
    try:
        body[: len(body) // 2 * 2].decode(codec)
    except UnicodeDecodeError as error:
        return error.reason == "unexpected end of data"
    return True


def mend_column_names(path: Path, codec: str, folder: Path) -> Path:
    """A Shapefile whose column names can be decoded; a copy in ``folder`` where some could not.

    Column names of a .dbf have ten bytes, and writers cut them inside a letter.
    """
    table = next(
        (item for item in (path.with_suffix(".dbf"), path.with_suffix(".DBF")) if item.exists()), None
    )
    if table is None:
        return path
    with table.open("rb") as file:
        head = bytearray(file.read(32))
        head += file.read(max(0, int.from_bytes(head[8:10], "little") - 32))
    changed = False
    for at in range(32, len(head) - 31, 32):
        name = bytes(head[at : at + 11]).split(b"\x00")[0]
        if head[at] == 0x0D or _decodes(name, codec, cut=False):
            continue
        sound = name.decode(codec, "ignore").encode(codec) or b"column"
        head[at : at + 11] = sound[:10].ljust(11, b"\x00")
        changed = True
    if not changed:
        return path
    copies = folder / "names"
    copies.mkdir(parents=True, exist_ok=True)
    for item in path.parent.glob(f"{glob.escape(path.stem)}.*"):
        shutil.copyfile(item, copies / item.name)
    with (copies / table.name).open("r+b") as file:
        file.write(head)
    return copies / path.name
