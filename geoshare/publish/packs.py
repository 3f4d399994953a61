"""What is published, as readers open it: current packs, kept open and swapped when a manifest is."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from geoshare.errors import Unavailable
from geoshare.model.collections import Collection, known
from geoshare.model.rasters import RasterAsset
from geoshare.publish.manifest import (
    RASTER,
    VECTOR,
    Manifest,
    RasterManifest,
    pack_folder,
    published_names,
    read_manifest,
    read_raster_manifest,
)
from tiles.errors import PartMissing, TileError
from tiles.pack import Pack, Part, PartInfo, open_part

MAX_OPEN = 300
_TRIES = 5

log = logging.getLogger(__name__)

Mark = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Published:
    """A collection's current pack: its parts, what the manifest says of them, and where they lie."""

    manifest: Manifest
    pack: Pack
    paths: tuple[str, ...]  # of the parts, under the packs folder

    @property
    def version(self) -> str:
        """The version, for the inside only."""
        return str(self.manifest.version)

    @property
    def infos(self) -> tuple[PartInfo, ...]:
        """What the manifest says of each part."""
        return self.manifest.parts


class Packs:
    """The current packs of a folder; any number of threads may ask.

    A look at the manifest's inode costs a microsecond, so every question makes one: a new version
    is seen by the first request after it is there, and those under way keep the one they have.
    """

    def __init__(
        self, packs_dir: Path, objects_dir: Path | None = None, max_open: int = MAX_OPEN
    ) -> None:
        self.folder = packs_dir
        self._objects_dir = objects_dir or packs_dir.parent / "objects"
        self._max_open = max_open
        self._open: OrderedDict[str, tuple[Mark, Published]] = OrderedDict()
        self._rasters: dict[str, tuple[Mark, RasterManifest]] = {}
        self._lock = threading.Lock()

    def collections(self) -> dict[str, Collection]:
        """Every collection there is: the product's own, and published layers of other names."""
        found = dict(known())
        for name in published_names(self.folder, VECTOR):
            if name in found:
                continue
            try:
                manifest = self.manifest(name)
            except (Unavailable, TileError, ValueError, KeyError, TypeError):
                log.exception("%s is left out: what is published of it cannot be read", name)
                continue
            if manifest is not None:
                found[name] = manifest.described
        return found

    def names(self) -> list[str]:
        """Collections that something is published of."""
        return sorted({*published_names(self.folder, VECTOR), *published_names(self.folder, RASTER)})

    def manifest(self, collection: str) -> Manifest | None:
        """What is published of a vector collection; None where nothing is."""
        published = self.source(collection)
        return None if published is None else published.manifest

    def source(self, collection: str) -> Published | None:
        """The current pack of a vector collection; None where nothing is published.

        Raises Unavailable where a part that the manifest names cannot be opened.
        """
        mark = _mark(pack_folder(self.folder, collection) / VECTOR)
        if mark is None:
            return None
        with self._lock:
            held = self._open.get(collection)
            if held is not None and held[0] == mark:
                self._open.move_to_end(collection)
                return held[1]
            return self._swap(collection, None if held is None else held[1])

    def rasters(self, collection: str) -> tuple[str, Sequence[RasterAsset]]:
        """Version and assets of a raster collection, in order of time; ("0", ()) for none."""
        mark = _mark(pack_folder(self.folder, collection) / RASTER)
        if mark is None:
            return "0", ()
        with self._lock:
            held = self._rasters.get(collection)
            if held is None or held[0] != mark:
                manifest = read_raster_manifest(self.folder, collection, self._objects_dir)
                if manifest is None:
                    return "0", ()
                held = self._rasters[collection] = mark, manifest
        return str(held[1].version), held[1].assets

    def _swap(self, collection: str, before: Published | None) -> Published | None:
        """Open the current version, keeping the parts that it shares with the one before."""
        for _ in range(_TRIES):
            mark = _mark(pack_folder(self.folder, collection) / VECTOR)
            manifest = read_manifest(self.folder, collection)
            if mark is None or manifest is None:
                return None
            try:
                published = self._opened(manifest, before)
            except PartMissing:
                continue  # a newer version took its place in between
            self._open[collection] = mark, published
            self._open.move_to_end(collection)
            while len(self._open) > self._max_open:
                self._open.popitem(last=False)
            return published
        raise Unavailable(f"{collection} cannot be read now", retry_after_s=1)

    def _opened(self, manifest: Manifest, before: Published | None) -> Published:
        held: dict[str, Part] = {}
        if before is not None:
            held = {part.path.name: part for part in before.pack.parts}
        folder = pack_folder(self.folder, manifest.collection)
        parts = [held.get(info.name) or open_part(folder / info.name, info) for info in manifest.parts]
        pack = Pack(parts, previous=None if before is None else before.pack)
        return Published(
            manifest, pack, tuple(f"{manifest.collection}/{info.name}" for info in manifest.parts)
        )


def _mark(path: Path) -> Mark | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
