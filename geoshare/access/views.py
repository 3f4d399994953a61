"""Opens views in the processes that answer, and notices when the keeper has replaced one."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from geoshare.access.manifest import ViewManifest, manifest_path, read_bits, read_manifest
from geoshare.access.view import Layer, RasterView, View, restrict
from geoshare.errors import NotFound, Unavailable
from geoshare.model.collections import is_name
from geoshare.model.policy import Policy
from tiles.arrays import Kind
from tiles.errors import TileError
from tiles.pack import Pack, Part, PartInfo, Selection, open_part

MAX_OPEN: Final = 600  # views
OpenPart = Callable[[Path, PartInfo], Part]
_Stamp = tuple[int, int, int]


class Views:
    """The views of a machine. Safe to use from several threads."""

    def __init__(self, views_dir: Path, packs_dir: Path) -> None:
        self._views_dir = views_dir
        self._packs_dir = packs_dir
        self._open: OrderedDict[tuple[str, str], tuple[_Stamp, View | RasterView]] = OrderedDict()
        self._parts = _Parts()
        self._lock = threading.Lock()

    def get(self, policy: Policy, collection: str) -> View | RasterView:
        """Return the view of a collection.

        Raises
        ------
        NotFound
            the same whether the collection is hidden or does not exist.
        Unavailable
            where the keeper has not built the view yet.
        """
        if not is_name(collection) or not policy.allows(collection):
            raise not_found()
        path = manifest_path(self._views_dir, policy.hash, collection)
        stamp = _stamp(path)
        if stamp is None:
            if policy.everything and collection not in policy.collections and self._is_built(policy):
                raise not_found()
            raise Unavailable("The view is being prepared.", retry_after_s=1)
        key = (policy.hash, collection)
        with self._lock:
            found = self._open.get(key)
            if found is not None and found[0] == stamp:
                self._open.move_to_end(key)
                return found[1]
        view = self._load(policy.hash, path)
        with self._lock:
            self._open[key] = (stamp, view)
            self._open.move_to_end(key)
            while len(self._open) > MAX_OPEN:
                self._open.popitem(last=False)
        return view

    def names(self, policy: Policy) -> list[str]:
        """Return collections that have a view under this policy, in order."""
        folder = self._views_dir / policy.hash
        built = {path.stem for path in folder.glob("*.json")} if folder.is_dir() else set()
        return sorted(name for name in built if policy.allows(name))

    def _is_built(self, policy: Policy) -> bool:
        return (self._views_dir / policy.hash).is_dir()

    def _load(self, policy_hash: str, path: Path) -> View | RasterView:
        try:
            manifest = read_manifest(path)
            if manifest.kind != "vector":
                return RasterView(policy_hash, manifest)
            return open_view(policy_hash, manifest, self._packs_dir, self._views_dir, self._parts.open)
        except (OSError, TileError, KeyError, TypeError, ValueError) as error:
            # never an allow, and never a word about files
            raise Unavailable("The view is being prepared.", retry_after_s=1) from error


class _Parts:
    """Opened parts that several views share, as long as one of them is in use."""

    def __init__(self) -> None:
        self._open: OrderedDict[tuple[str, str], Part] = OrderedDict()
        self._lock = threading.Lock()

    def open(self, path: Path, info: PartInfo) -> Part:
        key = (str(path), info.checksum)
        with self._lock:
            if key in self._open:
                self._open.move_to_end(key)
                return self._open[key]
        part = open_part(path, info)
        with self._lock:
            self._open[key] = part
            while len(self._open) > MAX_OPEN:
                self._open.popitem(last=False)
        return part


def open_view(
    policy_hash: str, manifest: ViewManifest, packs_dir: Path, views_dir: Path, opened: OpenPart
) -> View:
    """Open the parts that a manifest names and lay its selection over them."""
    places = [part.bits for part in (*manifest.base, *manifest.overlay)]
    folder = views_dir / policy_hash / manifest.collection
    bits = read_bits(folder / manifest.selection, places)
    kinds = {name: Kind(kind) for name, kind in manifest.kinds.items()}
    layers = []
    for parts, root, first, nulled in (
        (manifest.base, packs_dir, 0, manifest.nulled),
        (manifest.overlay, views_dir, len(manifest.base), ()),
    ):
        if parts:
            found = [opened(root / part.path, part.info) for part in parts]
            checksums = tuple(part.info.checksum for part in parts)
            some = bits[first : first + len(parts)]
            layers.append(_layer(found, some, kinds, nulled, checksums))
    return View(policy_hash, manifest, layers)


def _layer(
    parts: list[Part],
    bits: list[NDArray[np.uint8] | None],
    kinds: dict[str, Kind],
    nulled: tuple[str, ...],
    checksums: tuple[str, ...],
) -> Layer:
    selection = Selection(tuple(part.rows_digest for part in parts), tuple(bits))
    shown = {id(part.table): restrict(part.table, kinds, nulled) for part in parts}
    return Layer(Pack(parts), selection, shown, checksums, nulled)


def _stamp(path: Path) -> _Stamp | None:
    """Tell what changes when a file is replaced; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def not_found() -> NotFound:
    """Make the one answer for what is hidden and what does not exist."""
    return NotFound("There is no such collection.")
