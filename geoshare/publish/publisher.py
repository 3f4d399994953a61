"""Brings packs up to the record: what has changed since each manifest, and nothing else."""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Set as AbstractSet
from dataclasses import replace
from pathlib import Path

from sqlalchemy import Connection

from geoshare.model.batch import Band
from geoshare.model.clock import Clock
from geoshare.model.collections import Collection, check_name
from geoshare.model.rasters import RasterAsset
from geoshare.publish.build import PART_ROWS, Built, build_delta, build_whole
from geoshare.publish.manifest import (
    Manifest,
    RasterManifest,
    Retired,
    joined_extent,
    pack_folder,
    read_manifest,
    read_raster_manifest,
    write_manifest,
    write_raster_manifest,
)
from geoshare.publish.schema import kinds_of
from geoshare.store import Record, reading
from geoshare.store.files import Files
from geoshare.store.rows import StoredRaster
from tiles.errors import TileError
from tiles.pack import Pack, PartInfo, open_part

DELTA_SHARE = 0.10  # of a collection; a larger change is cheaper to read when all is written anew
DELTA_LEAST_ROWS = 1_000
MAX_DELTAS = 8
GRACE_S = 600.0  # how long parts that no manifest names any more stay for their readers

log = logging.getLogger(__name__)


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


def publish_pending(
    record: Record,
    packs_dir: Path,
    clock: Clock,
    *,
    after: int = 0,
    again: AbstractSet[str] = frozenset(),
    part_rows: int = PART_ROWS,
    grace_s: float = GRACE_S,
) -> set[str]:
    """Publish every collection that has changed since its manifest; returns their names.

    All collections are read from one snapshot of the record. A collection's readers see its old
    version or its new one. To be called by whoever holds the keeper's lock.

    Parameters
    ----------
    after
        Only collections that change sets after this one touched are looked at; 0: all, also those
        whose schema has changed.
    again
        Collections that are looked at in any case.

    Raises
    ------
    PublishingFailed
        Some collections could not be published.
    """
    objects_dir = packs_dir.parent / "objects"
    changed: set[str] = set()
    failed: dict[str, Exception] = {}
    with record.snapshot() as connection:
        pending = {item.collection: item for item in reading.changes_after(connection, after)}
        if not pending.keys() >= again:
            every = reading.changes_after(connection, 0)
            pending |= {item.collection: item for item in every if item.collection in again}
        collections = record.collections() if pending else {}
        for name, item in sorted(pending.items()):
            try:
                collection = collections[check_name(name)]
                if collection.kind == "vector":
                    publisher = _Vectors(connection, collection, packs_dir, clock, part_rows, grace_s)
                    done = publisher.publish(item.sequence)
                else:
                    done = _publish_rasters(
                        connection, collection, packs_dir, objects_dir, item.sequence
                    )
            except Exception as error:  # one bad collection must not hold up the rest of the map
                failed[name] = error
                continue
            if done:
                changed.add(name)
    if failed:
        raise PublishingFailed(changed, failed, {name: pending[name].sequence for name in failed})
    return changed


class _Vectors:
    """Publishes one vector collection."""

    def __init__(
        self,
        connection: Connection,
        collection: Collection,
        packs_dir: Path,
        clock: Clock,
        part_rows: int,
        grace_s: float,
    ) -> None:
        self._connection = connection
        self._collection = collection
        self._packs_dir = packs_dir
        self._folder = pack_folder(packs_dir, collection.name)
        self._now_us = clock.now_us()
        self._part_rows = part_rows
        self._grace_s = grace_s
        self._kinds = kinds_of(collection)

    def publish(self, sequence: int) -> bool:
        current = read_manifest(self._packs_dir, self._collection.name)
        if current is not None and list(current.kinds.items()) != list(self._kinds.items()):
            log.info("%s has another schema than its pack: built anew", self._collection.name)
            current = replace(current, sequence=-1)
        if current is not None and current.sequence >= sequence:
            return False
        self._folder.mkdir(parents=True, exist_ok=True)
        started = time.monotonic()
        try:
            new = self._delta(current, sequence) if current is not None else None
        except TileError as error:
            log.warning("%s is damaged and built anew: %s", self._collection.name, error)
            new = None
        new = new or self._whole(current, sequence)
        write_manifest(self._packs_dir, new)
        self._clean(new)
        log.info(
            "%s version %d: %d features in %d parts, %.0f ms",
            new.collection,
            new.version,
            new.count,
            len(new.parts),
            (time.monotonic() - started) * 1000,
        )
        return True

    def _whole(self, current: Manifest | None, sequence: int) -> Manifest:
        name = self._collection.name
        built = build_whole(self._connection, name, self._kinds, self._folder, self._part_rows)
        return self._manifest(current, sequence, sequence, built.parts, built.time_extent)

    def _delta(self, current: Manifest, sequence: int) -> Manifest | None:
        """The next version as a delta; None where all is to be written anew."""
        if current.sequence < 0 or current.count < DELTA_LEAST_ROWS:
            return None
        base = tuple(part for part in current.parts if not part.is_delta)
        fold = len(current.deltas) >= MAX_DELTAS
        kept = base if fold else current.parts
        after = current.base_sequence if fold else current.sequence
        changes = {
            item.collection: item.rows for item in reading.changes_after(self._connection, after)
        }
        weight = changes.get(current.collection, 0)
        weight += sum(part.rows + part.tombstones for part in kept if part.is_delta)
        if weight >= DELTA_SHARE * sum(part.rows for part in base):
            return None
        built = build_delta(self._connection, current.collection, self._kinds, self._folder, after)
        times = _joined_times(current, built)
        return self._manifest(current, sequence, current.base_sequence, (*kept, *built.parts), times)

    def _manifest(
        self,
        current: Manifest | None,
        sequence: int,
        base_sequence: int,
        parts: tuple[PartInfo, ...],
        time_extent: tuple[int | None, int | None],
    ) -> Manifest:
        before = () if current is None else current.parts
        names = {part.name for part in parts}
        retired = tuple(Retired(part.name, self._now_us) for part in before if part.name not in names)
        return Manifest(
            collection=self._collection.name,
            version=1 if current is None else current.version + 1,
            sequence=sequence,
            base_sequence=base_sequence,
            schema=self._collection.schema,
            kinds=self._kinds,
            parts=parts,
            count=len(Pack([open_part(self._folder / part.name, part) for part in parts])),
            extent=joined_extent([part.box for part in parts]),
            time_extent=time_extent,
            retired=(*self._still_read(current), *retired),
        )

    def _still_read(self, current: Manifest | None) -> tuple[Retired, ...]:
        grace_us = int(self._grace_s * 1_000_000)
        before = () if current is None else current.retired
        return tuple(item for item in before if self._now_us - item.at_us < grace_us)

    def _clean(self, manifest: Manifest) -> None:
        """Remove parts that no version in use names, and what a killed keeper left.

        Nobody else writes into the folder: whoever publishes holds the keeper's lock.
        """
        named = {part.name for part in manifest.parts} | {item.name for item in manifest.retired}
        for path in self._folder.iterdir():
            if path.name.startswith("."):
                shutil.rmtree(path) if path.is_dir() else path.unlink()
            elif path.suffix == ".arrow" and path.name not in named:
                path.unlink()


def _joined_times(current: Manifest, built: Built) -> tuple[int | None, int | None]:
    starts = [item for item in (current.time_extent[0], built.time_extent[0]) if item is not None]
    ends = [item for item in (current.time_extent[1], built.time_extent[1]) if item is not None]
    return min(starts, default=None), max(ends, default=None)


def _publish_rasters(
    connection: Connection, collection: Collection, packs_dir: Path, objects_dir: Path, sequence: int
) -> bool:
    current = read_raster_manifest(packs_dir, collection.name, objects_dir)
    if current is not None and current.sequence >= sequence:
        return False
    files = Files(packs_dir.parent)
    assets = [
        _asset(collection.name, row, files.object(row.object_sha256).relative_to(objects_dir))
        for row in reading.rasters(connection, collection.name)
    ]
    write_raster_manifest(
        packs_dir,
        RasterManifest(
            collection=collection.name,
            version=1 if current is None else current.version + 1,
            sequence=sequence,
            schema=collection.schema,
            assets=tuple(assets),
        ),
    )
    return True


def _asset(collection: str, row: StoredRaster, path: Path) -> RasterAsset:
    said = row.content
    return RasterAsset(
        id=row.id,
        collection=collection,
        path=str(path),
        kind=row.kind,
        datetime_us=row.datetime_us,
        box=row.box,
        crs=said["crs"],
        width=said["width"],
        height=said["height"],
        resolution_m=said["resolution_m"],
        bands=tuple(Band(**band) for band in said["bands"]),
        properties=said["properties"],
    )
