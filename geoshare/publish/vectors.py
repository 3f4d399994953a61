"""Vector collections: the next version of a pack, as a delta where little has changed."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from sqlalchemy import Connection

from geoshare.errors import Unavailable
from geoshare.model.collections import Collection
from geoshare.publish.build import Built, build_delta, build_whole
from geoshare.publish.fold import Fold, Folded
from geoshare.publish.manifest import (
    Manifest,
    is_of_another_format,
    joined_extent,
    pack_folder,
    read_manifest,
    write_manifest,
)
from geoshare.publish.packs import Packs, Published
from geoshare.publish.schema import kinds_of
from geoshare.store import reading
from tiles.errors import TileError
from tiles.pack import Pack, PartInfo, open_part

DELTA_SHARE = 0.5  # of a collection; a larger change is sooner written as a whole
DELTA_LEAST_ROWS = 1_000

log = logging.getLogger(__name__)


def publish_vectors(
    connection: Connection,
    collection: Collection,
    packs: Packs,
    sequence: int,
    part_rows: int,
    *,
    anew: bool = False,
) -> bool:
    """Bring the pack of a vector collection up to ``sequence``; tells whether it was behind.

    ``anew``: all of it is written once more, from what is in force.
    """
    started = time.monotonic()
    kinds = kinds_of(collection, classed=reading.is_classed(connection, collection.name))
    folder = pack_folder(packs.folder, collection.name)
    folder.mkdir(parents=True, exist_ok=True)
    current, manifest = _current(packs, collection.name)
    same = manifest is not None and list(manifest.kinds.items()) == list(kinds.items())
    if current is not None and same and current.manifest.sequence >= sequence and not anew:
        return False
    if not same and manifest is not None:
        log.info("%s has another schema than its pack: built anew", collection.name)
    if current is not None and same and not anew and _is_small(connection, current.manifest):
        after = current.manifest.sequence
        built = build_delta(connection, collection.name, kinds, folder, after)
        parts, times = (*current.infos, *built.parts), _joined_times(current.manifest, built)
        base_sequence = current.manifest.base_sequence
    else:
        built = build_whole(connection, collection.name, kinds, folder, part_rows)
        parts, times, base_sequence = built.parts, built.time_extent, sequence
    new = Manifest(
        collection=collection.name,
        version=1 if manifest is None else manifest.version + 1,
        sequence=sequence,
        base_sequence=base_sequence,
        schema=collection.schema,
        kinds=kinds,
        parts=parts,
        count=_count(folder, parts, current),
        extent=joined_extent([part.box for part in parts]),
        time_extent=times,
    )
    put(packs.folder, new, manifest)
    log.info(
        "%s version %d: %d features in %d parts, %.0f ms",
        new.collection,
        new.version,
        new.count,
        len(new.parts),
        (time.monotonic() - started) * 1000,
    )
    return True


def _current(packs: Packs, name: str) -> tuple[Published | None, Manifest | None]:
    """What is published, as far as it can be read; the rest is built anew, and the log says why."""
    try:
        if is_of_another_format(packs.folder, name):
            log.warning("%s: the pack is of another format and is built anew", name)
            return None, None
        current = packs.source(name)
        return current, None if current is None else current.manifest
    except (TileError, Unavailable) as error:
        log.warning("%s: the pack is damaged or of another format and is built anew: %s", name, error)
        return None, read_manifest(packs.folder, name)
    except (ValueError, KeyError, TypeError) as error:
        log.warning("%s: the manifest is damaged, and the pack is built anew: %r", name, error)
        return None, None


def put(packs_dir: Path, new: Manifest, before: Manifest | None) -> None:
    """Make a version the current one.

    Parts that it no longer names are touched first: their age is how long readers have had to turn
    away from them.
    """
    folder = pack_folder(packs_dir, new.collection)
    kept = {part.name for part in new.parts}
    for part in () if before is None else before.parts:
        if part.name not in kept:
            with suppress(FileNotFoundError):
                os.utime(folder / part.name)
    write_manifest(packs_dir, new)


def swap(packs: Packs, fold: Fold, folded: Folded) -> bool:
    """Publish the result of a fold, if the parts it was made of are still in their place.

    What was published since stays on top of it.
    """
    published = packs.source(fold.collection)
    parts = None if published is None else fold.rebased(published.infos, folded)
    if published is None or parts is None:
        return False
    before = published.manifest
    folder = pack_folder(packs.folder, fold.collection)
    for info in folded.parts:
        (folded.folder / info.name).rename(folder / info.name)
    whole = not any(info.is_delta for info in folded.parts)
    new = replace(
        before,
        version=before.version + 1,
        base_sequence=fold.sequence if whole else before.base_sequence,
        parts=parts,
        count=_count(folder, parts, published),
        extent=joined_extent([part.box for part in parts]),
    )
    put(packs.folder, new, before)
    log.info("%s version %d: folded into %d parts", new.collection, new.version, len(new.parts))
    return True


def _is_small(connection: Connection, manifest: Manifest) -> bool:
    """Whether what has changed since is to be a delta."""
    if manifest.count < DELTA_LEAST_ROWS:
        return False
    changes = reading.changes_after(connection, manifest.sequence)
    weight = sum(item.rows for item in changes if item.collection == manifest.collection)
    return weight < DELTA_SHARE * manifest.count


def _count(folder: Path, infos: Sequence[PartInfo], before: Published | None) -> int:
    held = {} if before is None else {part.path.name: part for part in before.pack.parts}
    parts = [held.get(info.name) or open_part(folder / info.name, info) for info in infos]
    return len(Pack(parts, previous=None if before is None else before.pack))


def _joined_times(current: Manifest, built: Built) -> tuple[int | None, int | None]:
    starts = [item for item in (current.time_extent[0], built.time_extent[0]) if item is not None]
    ends = [item for item in (current.time_extent[1], built.time_extent[1]) if item is not None]
    return min(starts, default=None), max(ends, default=None)
