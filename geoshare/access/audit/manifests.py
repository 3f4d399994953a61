"""An extract checked offline: its manifest's signature, every file, and the proof of its entry.

The signature is a C2SP signed note over two lines, the first of which no log can be named like, so
that it is never mistaken for a checkpoint.
"""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final, Protocol

import orjson

from geoshare.access.audit.notes import Signer, VerifierKey, open_note
from geoshare.access.audit.seal import (
    ENTRY,
    MANIFEST,
    OPENINGS,
    PROOF,
    SIGNATURE,
    TEXT,
    check_extract,
)
from geoshare.access.audit.single import Single
from geoshare.errors import BadData, BadRequest

SMALL_BYTES: Final = 20_000_000  # of a file that is read whole
PAGE_BYTES: Final = 100_000_000  # of a map in one page, which is read whole
_FIRST: Final = "geoshare extract manifest"
_KEY_LINE: Final = "The key at the time: "
_BLOCK: Final = 1 << 20


@dataclass
class Checked:
    """What holds, what is to be known beside it, and what is wrong."""

    good: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)


def sign_manifest(signer: Signer, manifest_sha256: str) -> bytes:
    """The content of ``manifest.sig``."""
    return signer.sign(_text(manifest_sha256))


def check_signature(note: bytes, manifest: bytes, key: VerifierKey) -> None:
    """Raise BadData unless the note is the key's signature of the manifest."""
    if open_note(note, key) != _text(hashlib.sha256(manifest).hexdigest()):
        raise BadData("The signature is of another manifest")


def verify_extract(path: Path, vkey: str | None = None) -> Checked:
    """Check an extract with nothing but itself and a public key: a zip, its folder, or a page.

    Parameters
    ----------
    vkey
        The operator's key as text. None: the one the extract names, which proves that nothing was
        changed since, and not by whom it was made; that is noted.

    Raises
    ------
    BadRequest
        where there is no such file, or it is no extract.
    """
    found = Checked()
    with _opened(path) as files:
        small = {name: files.small(name) for name in (MANIFEST, SIGNATURE, ENTRY, PROOF, OPENINGS)}
        given = {name: content for name, content in small.items() if content is not None}
        if MANIFEST not in given:
            raise BadRequest(f"{path} is no extract", parameter="FILE", allowed=f"one with {MANIFEST}")
        key = _key(vkey, files, found)
        for check in (_check_files, _check_note, _check_entry):
            try:
                found.good.append(check(files, given, key))
            except (BadData, ValueError, KeyError, TypeError, OSError, zipfile.BadZipFile) as error:
                found.findings.append(getattr(error, "message", None) or f"cannot be read: {error}")
    return found


def _text(manifest_sha256: str) -> bytes:
    return f"{_FIRST}\n{manifest_sha256}\n".encode()


class _Files(Protocol):
    def names(self) -> set[str]: ...
    def open(self, name: str) -> IO[bytes]: ...
    def small(self, name: str) -> bytes | None: ...


class _Zip:
    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive

    def names(self) -> set[str]:
        return set(self._archive.namelist())

    def open(self, name: str) -> IO[bytes]:
        return self._archive.open(name)

    def small(self, name: str) -> bytes | None:
        if name not in self.names():
            return None
        with self._archive.open(name) as file:
            return file.read(SMALL_BYTES)


_SYNC_STATE = ".geoshare/"  # what ``geoshare sync`` keeps beside the files of an extract


class _Folder:
    def __init__(self, path: Path) -> None:
        self._path = path

    def names(self) -> set[str]:
        inside = (item for item in self._path.rglob("*") if item.is_file())
        names = {item.relative_to(self._path).as_posix() for item in inside}
        return {name for name in names if not name.startswith(_SYNC_STATE)}

    def open(self, name: str) -> IO[bytes]:
        if name not in self.names():
            raise FileNotFoundError(name)
        return open(self._path / name, "rb")

    def small(self, name: str) -> bytes | None:
        if name not in self.names():
            return None
        with self.open(name) as file:
            return file.read(SMALL_BYTES)


@contextmanager
def _opened(path: Path) -> Iterator[_Files]:
    if path.is_dir():
        yield _Folder(path)
    elif path.is_file() and zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            yield _Zip(archive)
    elif path.is_file() and path.suffix == ".html" and path.stat().st_size <= PAGE_BYTES:
        yield Single(path.read_bytes())
    else:
        allowed = "a zip, its folder, or a map in one page (.html)"
        raise BadRequest(f"{path} is no extract", parameter="FILE", allowed=allowed)


def _key(vkey: str | None, files: _Files, found: Checked) -> VerifierKey:
    if vkey is not None:
        return VerifierKey.parse(vkey)
    text = (files.small(TEXT) or b"").decode("utf-8", "replace")
    line = next((line for line in text.splitlines() if _KEY_LINE in line), "")
    if not line:
        raise BadRequest(
            "A public key is needed", parameter="--vkey", allowed="what the operator has at /audit/vkey"
        )
    key = VerifierKey.parse(line.partition(_KEY_LINE)[2])
    found.notes.append(f"the key is the one that the file names: compare it with /audit/vkey: {key}")
    return key


def _check_files(files: _Files, given: dict[str, bytes], key: VerifierKey) -> str:
    listed: list[dict[str, Any]] = orjson.loads(given[MANIFEST])["files"]
    names = {item["name"] for item in listed}
    extra = files.names() - names - set(given) - {TEXT}
    if extra or names - files.names():
        changed = ", ".join(sorted(extra | (names - files.names())))
        raise BadData(f"There are files that are not listed, or some are missing: {changed}")
    for item in listed:
        digest = hashlib.sha256()
        with files.open(item["name"]) as content:
            while block := content.read(_BLOCK):
                digest.update(block)
        if digest.hexdigest() != item["sha256"]:
            raise BadData(f"{item['name']} is not the file that is listed")
    return f"{len(listed)} files are as {MANIFEST} lists them"


def _check_note(files: _Files, given: dict[str, bytes], key: VerifierKey) -> str:
    if SIGNATURE not in given:
        raise BadData(f"{SIGNATURE} is missing")
    check_signature(given[SIGNATURE], given[MANIFEST], key)
    return f"{MANIFEST} is signed by {key.name}"


def _check_entry(files: _Files, given: dict[str, bytes], key: VerifierKey) -> str:
    head = check_extract(given, key)
    return f"its entry is in the audit log of {head.origin}, among the first {head.size}"
