"""What somebody outside can check with public files alone: checkpoints, extracts, copies of the log."""

from __future__ import annotations

import hashlib
import struct
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Final

import orjson

from geoshare.access.audit.files import CHECKPOINT, VKEY, LogFolder, StoredNodes
from geoshare.access.audit.manifests import SMALL_BYTES, check_signature
from geoshare.access.audit.notes import MAX_NOTE_BYTES, Checkpoint, VerifierKey
from geoshare.access.audit.seal import (
    ENTRY,
    MANIFEST,
    OPENINGS,
    PROOF,
    SIGNATURE,
    TEXT,
    check_extract,
)
from geoshare.access.audit.tree import consistency_path, proves_consistency
from geoshare.access.audit.verify import Progress, Verified, verify_files
from geoshare.errors import BadData, BadRequest

_BLOCK: Final = 1 << 20
_LOCAL: Final = struct.Struct("<6xH18xHH")  # flags, lengths of name and extra field
_DESCRIBED: Final = 0x8  # sizes follow the content: of streams, which extracts are not
_EXTRA_BYTES: Final = 32  # of sizes of more than 4 GB
_ENTRY_BYTES: Final = 46
_END_BYTES: Final = 22
_END64_BYTES: Final = 76  # record and locator, where there is more than 4 GB


@dataclass
class PublicReport:
    """What holds, what was not compared and why, and what is wrong."""

    good: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)


def verify_public(
    paths: Sequence[Path],
    vkey: str | None = None,
    progress: Progress = lambda fraction, text: None,
) -> PublicReport:
    """Check whatever is given: zips of extracts, checkpoints, folders of a log, its public key.

    Parameters
    ----------
    vkey
        The key as text; else a file of it must be among ``paths``.

    Raises
    ------
    BadRequest
        where there is no key to check with.
    """
    report = PublicReport()
    key, rest = _key(paths, vkey, report)
    heads: dict[str, Checkpoint] = {}
    logs: dict[Path, Verified] = {}
    for path in rest:
        try:
            if path.is_dir():
                logs[path] = _check_log(path, key, report, progress)
                head = logs[path].checkpoint
            elif zipfile.is_zipfile(path):
                head = _check_zip(path, key)
                report.good.append(f"{path}: is recorded in the log, and complete")
            else:
                head = Checkpoint.open(_small(path), key)
                report.good.append(f"{path}: is signed by the log, at {head.size} entries")
        except BadData as error:
            report.findings.append(f"{path}: {error.message}")
            continue
        if head is not None:
            heads[str(path)] = head
    _compare_heads(heads, logs, report)
    progress(1.0, "")
    return report


def _key(
    paths: Sequence[Path], vkey: str | None, report: PublicReport
) -> tuple[VerifierKey, list[Path]]:
    """Return the key, and the paths that are something else."""
    found = VerifierKey.parse(vkey) if vkey else None
    rest = []
    for path in paths:
        if not path.exists():
            raise BadRequest(f"there is no {path}", parameter="FILES")
        key = _as_key(path)
        if key is None:
            rest.append(path)
        elif found is not None and key != found:
            report.findings.append(f"{path}: is another key")
        else:
            found = key
    if found is None:
        for path in rest:
            if path.is_dir() and (found := _as_key(path / VKEY)) is not None:
                report.notes.append(f"the key is taken from {path} itself: {found}")
                break
    if found is None:
        raise BadRequest("a public key is needed", parameter="--vkey", allowed="a vkey or a file of it")
    return found, rest


def _as_key(path: Path) -> VerifierKey | None:
    try:
        return VerifierKey.parse(_small(path).decode()) if path.is_file() else None
    except (BadData, UnicodeDecodeError):
        return None


def _small(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(MAX_NOTE_BYTES + 1)


def _check_log(path: Path, key: VerifierKey, report: PublicReport, progress: Progress) -> Verified:
    found = verify_files(LogFolder(path), key, progress=progress)
    report.findings += [f"{path}: {text}" for text in found.findings]
    if not found.findings and found.checkpoint is not None:
        report.good.append(f"{path}: all {found.checkpoint.size} entries are as signed")
    return found


def _check_zip(path: Path, key: VerifierKey) -> Checkpoint:
    """Check the record of an extract, and every file that its manifest lists."""
    try:
        with zipfile.ZipFile(path) as archive:
            known = (MANIFEST, SIGNATURE, ENTRY, PROOF, OPENINGS)
            small = {name: _read_small(archive, name) for name in known}
            files = {name: content for name, content in small.items() if content is not None}
            head = check_extract(files, key)
            if SIGNATURE in files:  # earlier extracts have none: their proof signs the manifest too
                check_signature(files[SIGNATURE], files[MANIFEST], key)
            listed = {item["name"]: item["sha256"] for item in orjson.loads(files[MANIFEST])["files"]}
            if sorted(archive.namelist()) != sorted({*listed, *files, TEXT}):
                raise BadData("The extract has files that are not recorded, or lacks some")
            _check_nothing_else(archive, path.stat().st_size)
            for name, sha256 in listed.items():
                digest = hashlib.sha256()
                with archive.open(name) as content:
                    while block := content.read(_BLOCK):
                        digest.update(block)
                if digest.hexdigest() != sha256:
                    raise BadData(f"{name} is not the file that is recorded")
    except (zipfile.BadZipFile, KeyError, ValueError, TypeError, OSError) as error:
        raise BadData(f"The extract cannot be read: {error}") from error
    return head


def _check_nothing_else(archive: zipfile.ZipFile, size: int) -> None:
    """Refuse bytes before, between and behind the files, which readers of zips pass over.

    Files are laid out as an extract is written (PKWARE's APPNOTE, 4.3): header, name, content, one
    after the other; then the directory and its end.
    """
    file, at, directory = archive.fp, 0, 0
    if file is None or archive.comment:
        raise BadData("The extract has a comment, which is not recorded")
    for info in sorted(archive.infolist(), key=lambda item: item.header_offset):
        file.seek(info.header_offset)
        header = file.read(_LOCAL.size)
        if info.header_offset != at or len(header) != _LOCAL.size:
            raise BadData("The extract has bytes between its files that are not recorded")
        flags, name, extra = _LOCAL.unpack(header)
        if info.comment or flags & _DESCRIBED or max(extra, len(info.extra)) > _EXTRA_BYTES:
            raise BadData(f"{info.filename} is not packed as an extract is")
        at += _LOCAL.size + name + extra + info.compress_size
        directory += _ENTRY_BYTES + name + len(info.extra)
    ends = at + directory + _END_BYTES
    if at != archive.start_dir or size not in (ends, ends + _END64_BYTES):
        raise BadData("The extract has bytes behind its files that are not recorded")


def _read_small(archive: zipfile.ZipFile, name: str) -> bytes | None:
    try:
        info = archive.getinfo(name)
    except KeyError:
        return None
    if info.file_size > SMALL_BYTES:
        raise BadData(f"{name} is too large")
    return archive.read(info)


def _compare_heads(
    heads: dict[str, Checkpoint], logs: dict[Path, Verified], report: PublicReport
) -> None:
    """Say whether all signed heads are of one tree, as far as the given logs let it be told."""
    ordered = sorted(heads.items(), key=lambda item: item[1].size)
    for (name, head), (other, later) in pairwise(ordered):
        if head.size == later.size and head.root != later.root:
            report.findings.append(f"{name} and {other}: two trees of one size are signed")
    for path, verified in logs.items():
        newest = verified.checkpoint
        if newest is None or verified.findings:
            continue
        for name, head in ordered:
            if name == str(path):
                continue
            if head.size > newest.size:
                report.notes.append(f"{name}: is newer than {path}; not compared")
            elif _consistent(path, head, newest):
                report.good.append(f"{name}: its tree is the beginning of {path}/{CHECKPOINT}")
            else:
                report.findings.append(f"{name}: is not a beginning of the tree of {path}")
    if not logs and len({head.size for head in heads.values()}) > 1:
        report.notes.append("trees of different sizes: a copy of the log is needed to compare them")


def _consistent(path: Path, old: Checkpoint, new: Checkpoint) -> bool:
    nodes = StoredNodes(LogFolder(path), new.size)
    proof = consistency_path(nodes, old.size, new.size) if old.size else []
    return proves_consistency(old.size, new.size, proof, old.root, new.root)
