"""Checks a log: every hash is computed again from the entries, every byte of every file compared."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from geoshare.access.audit.entries import Opening, parse
from geoshare.access.audit.files import (
    CHECKPOINT,
    ENTRIES,
    HEIGHT,
    VKEY,
    WIDTH,
    LogFolder,
    bundle,
    parse_name,
    tile_name,
    tiles_of,
    unbundle,
)
from geoshare.access.audit.notes import Checkpoint, VerifierKey
from geoshare.access.audit.tree import fold, leaf_hash, root
from geoshare.errors import BadData
from geoshare.store.audit_rows import AuditRows, EntryRow, Head

Progress = Callable[[float, str], None]
EachBundle = Callable[[int, list[bytes]], None]
MAX_FINDINGS: Final = 200


class ComputedNodes:
    """Hashes of subtrees over leaf hashes that were computed here."""

    def __init__(self, leaves: Iterable[bytes] = ()) -> None:
        self._levels: list[list[bytes]] = [[]]
        for leaf in leaves:
            self.append(leaf)

    @property
    def size(self) -> int:
        """How many leaves there are."""
        return len(self._levels[0])

    def append(self, leaf: bytes) -> None:
        """Add a leaf hash."""
        level = 0
        while True:
            if level == len(self._levels):
                self._levels.append([])
            hashes = self._levels[level]
            hashes.append(leaf)
            if len(hashes) % WIDTH:
                return
            leaf, level = fold(hashes[-WIDTH:]), level + 1

    def node(self, level: int, index: int) -> bytes:
        """MTH of a complete subtree."""
        tile_level, within = divmod(level, HEIGHT)
        first = index << within
        return fold(self._levels[tile_level][first : first + (1 << within)])

    def tile(self, level: int, number: int, width: int) -> bytes | None:
        """Bytes of a tile; None where the tree has no such one."""
        hashes = self._levels[level] if level < len(self._levels) else []
        found = hashes[number * WIDTH : number * WIDTH + width]
        return b"".join(found) if len(found) == width else None


@dataclass
class Verified:
    """What was found: the signed head, the tree over the entries, and what is wrong, a line each."""

    checkpoint: Checkpoint | None = None
    nodes: ComputedNodes = field(default_factory=ComputedNodes)
    findings: list[str] = field(default_factory=list)

    def say(self, text: str) -> None:
        """Note something wrong; a log that is wrong all over is not listed to its end."""
        if len(self.findings) < MAX_FINDINGS:
            self.findings.append(text)


def verify_files(
    folder: LogFolder,
    key: VerifierKey,
    *,
    progress: Progress = lambda fraction, text: None,
    each: EachBundle = lambda first, entries: None,
) -> Verified:
    """Check a log's files alone.

    Parameters
    ----------
    key
        The log's public key, known from elsewhere.
    each
        Given the entries of every bundle with the place of the first, for further comparisons.
    """
    found = Verified()
    note = folder.read(CHECKPOINT)  # first: a log that grows meanwhile is ahead of it, never behind
    try:
        found.checkpoint = Checkpoint.open(note or b"", key)
    except BadData as error:
        found.say(f"{CHECKPOINT}: {error.message if note is not None else 'is missing'}")
    names = set(folder.names())
    if folder.read(VKEY) != f"{key}\n".encode():
        found.say(f"{VKEY}: is not the log's key")
    _read_entries(folder, names, found, progress, each)
    for name in sorted(names - {CHECKPOINT, VKEY}):
        _compare(folder, name, found)
    if found.checkpoint is not None:
        _check_head(found, found.checkpoint, names)
    progress(1.0, "")
    return found


def _read_entries(
    folder: LogFolder, names: set[str], found: Verified, progress: Progress, each: EachBundle
) -> None:
    """Hash the entries of all bundles, in order, taking of each the widest copy."""
    number = 0
    total = found.checkpoint.size if found.checkpoint else 0
    while True:
        widths = (width for width in range(WIDTH, 0, -1) if tile_name(ENTRIES, number, width) in names)
        width = next(widths, 0)
        if not width:
            return
        name = tile_name(ENTRIES, number, width)
        try:
            entries = unbundle(folder.read(name) or b"")
        except BadData as error:
            found.say(f"{name}: {error.message}")
            return
        if len(entries) != width:
            found.say(f"{name}: has {len(entries)} entries")
            return
        for place, entry in enumerate(entries, number * WIDTH):
            found.nodes.append(leaf_hash(entry))
            try:
                parse(entry)
            except BadData as error:
                found.say(f"entry {place}: {error.message}")
        _compare_partial_bundles(folder, names, number, entries, found)
        each(number * WIDTH, entries)
        progress(min(1.0, found.nodes.size / total) if total else 0.0, "entries")
        if width < WIDTH:
            return
        number += 1


def _compare_partial_bundles(
    folder: LogFolder, names: set[str], number: int, entries: Sequence[bytes], found: Verified
) -> None:
    for width in range(1, len(entries)):
        name = tile_name(ENTRIES, number, width)
        if name in names and folder.read(name) != bundle(entries[:width]):
            found.say(f"{name}: is not the beginning of the later bundle")


def _compare(folder: LogFolder, name: str, found: Verified) -> None:
    """Compare a tile with what the entries say; note what does not belong here."""
    said = parse_name(name)
    if said is None:
        found.say(f"{name}: does not belong to the log")
        return
    level, number, width = said
    if level == ENTRIES:
        if number * WIDTH + width > found.nodes.size:
            found.say(f"{name}: follows a gap")
        return
    if folder.read(name) != found.nodes.tile(int(level), number, width):
        found.say(f"{name}: is not what the entries hash to")


def _check_head(found: Verified, head: Checkpoint, names: set[str]) -> None:
    if found.nodes.size < head.size:
        found.say(f"{CHECKPOINT}: signs {head.size} entries, there are {found.nodes.size}")
        return
    if root(found.nodes, head.size) != head.root:
        found.say(f"{CHECKPOINT}: the root is not that of the entries")
    for level, number, width in tiles_of(head.size):
        for kind in (level, ENTRIES) if level == 0 else (level,):
            if not {tile_name(kind, number, width), tile_name(kind, number)} & names:
                found.say(f"{tile_name(kind, number, width)}: is missing")


class DatabaseCheck:
    """Compares a log's entries with the database's, and the salts with what they open."""

    def __init__(self, rows: AuditRows, head: Head) -> None:
        self._rows = rows
        self._head = head
        self.findings: list[str] = []
        self.manifests: set[str] = set()  # SHA-256 of the manifests of all recorded extracts

    def bundle(self, first: int, entries: list[bytes]) -> None:
        """Compare a bundle of the files."""
        rows = self._rows.placed(first, len(entries))
        stored = {row.place: row.leaf for row in rows}
        for place, entry in enumerate(entries, first):
            if stored.get(place) != entry:
                self.findings.append(f"entry {place}: is not what the database has")
        self._check_rows([row for row in rows if row.place is not None and row.place < first + WIDTH])

    def finish(self, found: Verified, extracts: Iterable[tuple[str, str]]) -> list[str]:
        """Compare the head, entries that are not in the files yet, and finished extracts.

        ``extracts`` are ids of jobs with the SHA-256 of their manifests.
        """
        nodes = found.nodes
        while nodes.size < self._head.size and (rows := self._rows.placed(nodes.size, WIDTH)):
            for row in rows:
                nodes.append(leaf_hash(row.leaf))
            self._check_rows(rows)
        if nodes.size < self._head.size or root(nodes, self._head.size) != self._head.root:
            self.findings.append("the database's root is not that of the entries")
        if found.checkpoint is not None and found.checkpoint.size > self._head.size:
            self.findings.append("the files are ahead of the database, which is an older copy")
        pending = self._rows.pending(MAX_FINDINGS * WIDTH)
        self._check_rows(pending)
        for job, manifest in extracts:
            if manifest not in self.manifests:
                self.findings.append(f"extract {job}: has no entry")
        return self.findings

    def _check_rows(self, rows: Sequence[EntryRow]) -> None:
        said = {}
        for row in rows:
            try:
                said[row.number] = parse(row.leaf)
            except BadData as error:
                self.findings.append(f"entry {row.id}: {error.message}")
                continue
            if said[row.number]["id"] != row.id:
                self.findings.append(f"entry {row.id}: has another id")
            if said[row.number]["kind"] == "extract.create":
                self.manifests.add(said[row.number]["detail"].get("manifest_sha256", ""))
        for item in self._rows.openings(list(said)):
            opening = Opening(item.side, item.what, item.value, item.salt)
            if said[item.entry].get(item.side, {}).get(item.what) != opening.commitment():
                name = f"{item.side}.{item.what}"
                self.findings.append(f"entry {said[item.entry]['id']}: {name} is not committed to")
