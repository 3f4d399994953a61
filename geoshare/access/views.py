"""Opens views in the processes that answer, and notices when the keeper has replaced one."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Final
from weakref import WeakValueDictionary

from geoshare.access.manifest import (
    ViewManifest,
    ViewPart,
    bits_at,
    manifest_path,
    map_bits,
    read_manifest,
    whole_path,
)
from geoshare.access.outline import Outline
from geoshare.access.view import Layer, RasterView, View, restrict
from geoshare.errors import NotFound, Unavailable
from geoshare.model.collections import is_name
from geoshare.model.policy import Policy
from tiles.arrays import Kind
from tiles.errors import TileError
from tiles.pack import Pack, Part, PartInfo, Selection, open_part
from tiles.pack.bits import Bits

MAX_OPEN: Final = 600  # views
LOADERS: Final = 61  # views that can be opened at once; a prime, so that keys spread
_Stamp = tuple[int, int, int]
_Opened = tuple[Path, _Stamp, View | RasterView]


class Views:
    """The views of a machine. Safe to use from several threads."""

    def __init__(self, views_dir: Path, packs_dir: Path) -> None:
        self._views_dir = views_dir
        self._open: OrderedDict[tuple[str, str], _Opened] = OrderedDict()
        self._files = Files(packs_dir, views_dir)
        self._lock = threading.Lock()
        self._loading = tuple(threading.Lock() for _ in range(LOADERS))

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
        view = self._current(policy.hash, collection)
        if view is not None:
            return view
        if policy.everything and collection not in policy.collections and self._is_built(policy):
            raise not_found()
        raise Unavailable("The view is being prepared.", retry_after_s=1)

    def of(self, policy_hash: str, collection: str) -> View | RasterView:
        """Return the view of a policy that somebody holds or held, by the policy's hash.

        Whoever asks must have been under that policy. Raises NotFound where it is not kept any more.
        """
        view = self._current(policy_hash, collection)
        if view is None:
            raise not_found()
        return view

    def policies(self) -> list[str]:
        """Hashes of the policies that somebody holds, or held not long ago."""
        return [path.name for path in self._views_dir.glob("*") if path.is_dir()]

    def _current(self, policy_hash: str, collection: str) -> View | RasterView | None:
        """The view as it is now; None where there is none."""
        key = (policy_hash, collection)
        with self._lock:
            found = self._open.get(key)
            if found is not None:
                self._open.move_to_end(key)
        path = found[0] if found else manifest_path(self._views_dir, policy_hash, collection)
        stamp = _stamp(path)
        if stamp is None:
            return None
        if found is not None and found[1] == stamp:
            return found[2]
        # Hundreds may ask in the moment in which a view is replaced: one thread opens it for all.
        with self._loading[hash(key) % LOADERS]:
            stamp = _stamp(path)
            if stamp is None:
                return None
            with self._lock:
                found = self._open.get(key)
            if found is not None and found[1] == stamp:
                return found[2]
            view = self._load(policy_hash, path)
            with self._lock:
                self._open[key] = (path, stamp, view)
                self._open.move_to_end(key)
                while len(self._open) > MAX_OPEN:
                    self._open.popitem(last=False)
            return view

    def outline(self, policy: Policy, collection: str) -> View | RasterView | Outline:
        """Return the view, or what there is to say of one that cannot be opened; raises NotFound."""
        try:
            return self.get(policy, collection)
        except Unavailable:
            path = manifest_path(self._views_dir, policy.hash, collection)
            try:
                return Outline(collection, read_manifest(path))
            except (OSError, Unavailable, KeyError, TypeError, ValueError, AttributeError):
                return Outline(collection, None)

    def names(self, policy: Policy) -> list[str]:
        """Return collections that have a view under this policy, in order."""
        folder = self._views_dir / policy.hash
        built = {path.stem for path in folder.glob("*.json")} if folder.is_dir() else set()
        return sorted(name for name in built if policy.allows(name))

    def check_whole(self, policy: Policy) -> None:
        """Raise Unavailable while the first views of a policy are being made.

        A list without those that are still to come would read as if there were no more.
        """
        if (self._views_dir / policy.hash).is_dir() and not self._is_built(policy):
            raise Unavailable("The views are being prepared.", retry_after_s=1)

    def _is_built(self, policy: Policy) -> bool:
        return whole_path(self._views_dir, policy.hash).exists()

    def _load(self, policy_hash: str, path: Path) -> View | RasterView:
        try:
            manifest = read_manifest(path)
            if manifest.kind != "vector":
                return RasterView(policy_hash, manifest)
            return open_view(policy_hash, manifest, self._files)
        except (OSError, TileError, KeyError, TypeError, ValueError, AttributeError) as error:
            # never an allow, and never a word about files
            raise Unavailable("The view is being prepared.", retry_after_s=1) from error


class Files:
    """What views are made of, opened once however many views share it, as long as one uses it.

    A part is one mapping of memory in a process, the bitmaps of a view are another one; which rows of
    a pack are alive is worked out once for all of its views.
    """

    def __init__(self, packs_dir: Path, views_dir: Path) -> None:
        self.packs_dir = packs_dir
        self.views_dir = views_dir
        self._parts: WeakValueDictionary[tuple[str, str], Part] = WeakValueDictionary()
        self._packs: WeakValueDictionary[tuple[Part, ...], Pack] = WeakValueDictionary()
        self._newest: WeakValueDictionary[Part, Pack] = WeakValueDictionary()
        self._lock = threading.Lock()

    def parts(self, parts: Sequence[ViewPart], root: Path) -> list[Part]:
        """Open the parts of a layer."""
        return [self._part(root / part.path, part.info) for part in parts]

    def pack(self, parts: Sequence[Part]) -> Pack:
        """Put opened parts together; what an earlier version of them knows is used."""
        key = tuple(parts)
        with self._lock:
            found = self._packs.get(key)
            if found is None:
                found = self._packs[key] = Pack(parts, previous=self._newest.get(parts[0]))
                self._newest[parts[0]] = found
            return found

    def _part(self, path: Path, info: PartInfo) -> Part:
        key = (str(path), info.checksum)
        with self._lock:
            found = self._parts.get(key)
            if found is None:
                found = self._parts[key] = open_part(path, info)
            return found


def open_view(policy_hash: str, manifest: ViewManifest, files: Files) -> View:
    """Open the parts that a manifest names and lay its selection over them."""
    content = map_bits(files.views_dir / policy_hash / manifest.collection / manifest.selection)
    kinds = {name: Kind(kind) for name, kind in manifest.kinds.items()}
    layers = []
    for parts, root, nulled in (
        (manifest.base, files.packs_dir, manifest.nulled),
        (manifest.overlay, files.views_dir, ()),
    ):
        if parts:
            pack = files.pack(files.parts(parts, root))
            bits = bits_at(content, [part.bits for part in parts])
            checksums = tuple(part.info.checksum for part in parts)
            layers.append(_layer(pack, bits, kinds, nulled, checksums))
    return View(policy_hash, manifest, layers)


def _layer(
    pack: Pack,
    bits: list[Bits | None],
    kinds: dict[str, Kind],
    nulled: tuple[str, ...],
    checksums: tuple[str, ...],
) -> Layer:
    selection = Selection(tuple(part.rows_digest for part in pack.parts), tuple(bits))
    shown = {id(part.table): restrict(part.table, kinds, nulled) for part in pack.parts}
    columns = tuple(name for name in kinds if name not in nulled)
    return Layer(pack, selection, shown, checksums, columns)


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
