"""Brings packs up to the record: what has changed since each manifest, and nothing else."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Collection
from collections.abc import Set as AbstractSet
from contextlib import suppress
from pathlib import Path

from geoshare.model.collections import check_name
from geoshare.publish.build import PART_ROWS
from geoshare.publish.fold import Fold, Folded, run
from geoshare.publish.manifest import (
    VECTOR,
    Manifest,
    pack_folder,
    published_names,
    read_manifest,
)
from geoshare.publish.packs import Packs
from geoshare.publish.rasters import publish_rasters
from geoshare.publish.vectors import publish_vectors, swap
from geoshare.store import Record, reading

Before = Callable[[int], None]
GRACE_S = 60.0  # how long parts that no manifest names any more stay for their readers


class PublishingFailed(Exception):
    """Some collections could not be published; the others are.

    ``sequences`` says of each that failed which change set was its newest.
    """

    def __init__(
        self, changed: set[str], failed: dict[str, Exception], sequences: dict[str, int]
    ) -> None:
        reasons = "; ".join(f"{name}: {error}" for name, error in failed.items())
        super().__init__(f"not published: {reasons}")
        self.changed = changed
        self.failed = failed
        self.sequences = sequences


class Publisher:
    """Publishes and folds; to be used by whoever holds the keeper's lock, from one thread.

    Parameters
    ----------
    part_rows
        Most rows of a part.
    grace_s
        How long a part that is no longer named stays. Who has opened a part keeps what is in it
        after its name is gone; the time is for who has read a manifest and not yet opened all.
    named
        Parts, as ``collection/name``, that something else still names.
    before
        Called with the newest change set that is about to be published, before anything is shown;
        while it raises, nothing is.
    """

    def __init__(
        self,
        record: Record,
        packs_dir: Path,
        part_rows: int = PART_ROWS,
        grace_s: float = GRACE_S,
        named: Callable[[], Collection[str]] = tuple,
        before: Before = lambda last: None,
    ) -> None:
        self._record = record
        self._packs = Packs(packs_dir)
        self._part_rows = part_rows
        self._grace_s = grace_s
        self._named = named
        self._before = before

    def publish(self, after: int = 0, again: AbstractSet[str] = frozenset()) -> set[str]:
        """Publish every collection that has changed since its manifest; returns their names.

        All collections are read from one snapshot of the record, those with the fewest changed rows
        first. A collection's readers see its old version or its new one.

        Parameters
        ----------
        after
            Only collections that change sets after this one touched are looked at; 0: all, also
            those whose schema has changed.
        again
            Collections that are looked at in any case.

        Raises
        ------
        PublishingFailed
            Some collections could not be published.
        """
        changed: set[str] = set()
        failed: dict[str, Exception] = {}
        with self._record.snapshot() as connection:
            self._before(reading.head(connection))
            pending = {item.collection: item for item in reading.changes_after(connection, after)}
            if not pending.keys() >= again:
                every = reading.changes_after(connection, 0)
                pending |= {item.collection: item for item in every if item.collection in again}
            collections = self._record.collections() if pending else {}
            for name, item in sorted(pending.items(), key=lambda pair: (pair[1].rows, pair[0])):
                try:
                    collection = collections[check_name(name)]
                    if collection.kind == "vector":
                        done = publish_vectors(
                            connection, collection, self._packs, item.sequence, self._part_rows
                        )
                    else:
                        done = publish_rasters(
                            connection, collection, self._packs.folder, item.sequence
                        )
                except Exception as error:  # one bad collection must not hold up the rest of the map
                    failed[name] = error
                    continue
                if done:
                    changed.add(name)
        if failed:
            raise PublishingFailed(changed, failed, {name: pending[name].sequence for name in failed})
        return changed

    def renew(self, names: Collection[str]) -> set[str]:
        """Write the packs of vector collections anew, from what is in force and nothing else.

        Parts of before go at once, whoever is about to open them; collections that the record does not
        know any more go as a whole. Returns those written.
        """
        done = set()
        with self._record.snapshot() as connection:
            sequence = reading.head(connection)
            collections = self._record.collections()
            for name in sorted(set(names) - set(collections)):
                # also where one of before was killed while it removed the folder
                shutil.rmtree(pack_folder(self._packs.folder, name), ignore_errors=True)
            for name in sorted(set(names) & set(collections) & set(self.collections())):
                publish_vectors(
                    connection,
                    collections[name],
                    self._packs,
                    sequence,
                    self._part_rows,
                    anew=True,
                )
                done.add(name)
        return done

    def drop_former(self, names: Collection[str]) -> None:
        """Remove everything of these packs that their manifests do not name."""
        for name in names:
            manifest = self.manifest(name)
            current = {part.name for part in manifest.parts} if manifest is not None else set()
            folder = pack_folder(self._packs.folder, name)
            for path in folder.iterdir() if folder.is_dir() else ():
                if path.name.startswith(".") or (path.suffix == ".arrow" and path.name not in current):
                    _remove(path)

    def manifest(self, collection: str) -> Manifest | None:
        """What is published of a vector collection."""
        return read_manifest(self._packs.folder, collection)

    def collections(self) -> list[str]:
        """Vector collections that something is published of."""
        return published_names(self._packs.folder, VECTOR)

    def swap(self, work: Fold, folded: Folded) -> bool:
        """Put the result of a fold in place; False where its parts are no longer current."""
        try:
            return swap(self._packs, work, folded)
        finally:
            shutil.rmtree(folded.folder, ignore_errors=True)

    def fold(self, work: Fold) -> bool:
        """Fold here and now; tells whether it did."""
        folder = pack_folder(self._packs.folder, work.collection)
        return self.swap(work, run(work, folder, folder / ".fold-here", self._part_rows))

    def sweep(self, busy: Collection[str] = ()) -> None:
        """Remove parts that nobody names and nobody is about to open, and what a killed keeper left.

        ``busy`` are folders, as ``collection/name``, that a fold is under way in.
        """
        named: Collection[str] | None = None
        for name in self.collections():
            folder = pack_folder(self._packs.folder, name)
            manifest = self.manifest(name)
            current = {part.name for part in manifest.parts} if manifest is not None else set()
            for path in folder.iterdir():
                if path.name.startswith("."):
                    if f"{name}/{path.name}" not in busy:
                        _remove(path)
                elif path.suffix == ".arrow" and path.name not in current and self._is_old(path):
                    named = self._named() if named is None else named
                    if f"{name}/{path.name}" not in named:
                        _remove(path)

    def _is_old(self, path: Path) -> bool:
        try:
            return time.time() - path.stat().st_mtime >= self._grace_s
        except FileNotFoundError:
            return False


def _remove(path: Path) -> None:
    with suppress(FileNotFoundError):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
