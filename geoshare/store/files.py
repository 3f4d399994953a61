"""Files of the record: raw contributions and raster objects, named by their SHA-256.

A row that names a file is written, in a change set under way, before the file is put in place, so
a crash leaves no file that nothing knows of: the sweep of that change set finds it.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
from contextlib import suppress
from pathlib import Path

from geoshare.store.writer import is_alive, this_writer

_BLOCK = 1 << 20
_PART = ".part"
_SHAPEFILE_PARTS = (".shp", ".shx", ".dbf", ".prj", ".cpg", ".qix", ".sbn", ".sbx", ".shp.xml")


def parts_of(path: Path) -> list[Path]:
    """All files of a contribution; a Shapefile is several of one stem, its ``.shp`` first."""
    if path.suffix.lower() != ".shp":
        return [path]
    names = {path.with_suffix("").name.lower() + end for end in _SHAPEFILE_PARTS}
    others = sorted(
        item for item in path.parent.iterdir() if item.name.lower() in names and item != path
    )
    return [path, *others]


def digest(path: Path) -> tuple[str, int]:
    """SHA-256 (hexadecimal) and size in bytes of a contribution's files."""
    parts = parts_of(path)
    found = [(item.suffix.lower(), *_digest_one(item)) for item in parts]
    if len(found) == 1:
        return found[0][1], found[0][2]
    text = "".join(f"{suffix} {sha}\n" for suffix, sha, _ in found)
    return hashlib.sha256(text.encode()).hexdigest(), sum(size for _, _, size in found)


def _digest_one(path: Path) -> tuple[str, int]:
    state, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            state.update(block)
            size += len(block)
    return state.hexdigest(), size


class Files:
    """The folders ``raw/`` and ``objects/`` of a data folder."""

    def __init__(self, data_dir: Path) -> None:
        self._raw = data_dir / "raw"
        self._objects = data_dir / "objects"
        self._photos = data_dir / "photos"

    def raw(self, sha256: str) -> Path:
        """Folder of a contribution's files as they came."""
        return self._raw / sha256[:2] / sha256

    def object(self, sha256: str) -> Path:
        """A raster's file."""
        return self._objects / sha256[:2] / f"{sha256}.tif"

    def keep_raw(self, path: Path, sha256: str) -> None:
        """Copy a contribution's files as they are."""
        folder = self.raw(sha256)
        for part in parts_of(path):
            _put(part, folder / part.name, move=False)

    def keep_object(self, path: Path, sha256: str) -> None:
        """Move a prepared raster into its place."""
        _put(path, self.object(sha256), move=True)

    def photo(self, sha256: str) -> Path:
        """A photo's file."""
        return self._photos / sha256[:2] / f"{sha256}.jpg"

    def keep_photo(self, content: bytes, sha256: str) -> None:
        """Write a photo to its place, where it is not there yet."""
        target = self.photo(sha256)
        if target.exists():
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        aside = _aside(target)
        aside.write_bytes(content)
        _put(aside, target, move=True)

    def drop_raw(self, sha256: str) -> None:
        """Delete a contribution's files."""
        shutil.rmtree(self.raw(sha256), ignore_errors=True)

    def drop_object(self, sha256: str) -> None:
        """Delete a raster's file."""
        self.object(sha256).unlink(missing_ok=True)

    def sweep_parts(self, now_us: int) -> None:
        """Delete files in the making whose writers are dead."""
        for folder in (self._raw, self._objects, self._photos):
            for path in folder.rglob(f".*{_PART}"):
                with suppress(FileNotFoundError):  # its writer has just put it in its place
                    writer = path.name.removesuffix(_PART).partition(".")[2].partition(".")[2]
                    heartbeat_us = round(path.stat().st_ctime * 1e6)
                    if writer.count("|") != 2 or not is_alive(writer, heartbeat_us, now_us):
                        path.unlink()


def sync_folder(folder: Path) -> None:
    """Make the names in a folder survive a power failure."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _aside(target: Path) -> Path:
    """Where a file is made that is to be put in a place; its name says who makes it."""
    return target.with_name(f".{secrets.token_hex(8)}.{this_writer()}{_PART}")


def _put(source: Path, target: Path, *, move: bool) -> None:
    if target.exists():
        if move:
            source.unlink()
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    aside = _aside(target)
    try:
        # A rename is impossible between file systems, so a move is a copy there.
        shutil.move(source, aside) if move else shutil.copyfile(source, aside)
        with aside.open("rb") as file:
            os.fsync(file.fileno())
        aside.replace(target)
    except OSError:
        aside.unlink(missing_ok=True)
        raise
    sync_folder(target.parent)
