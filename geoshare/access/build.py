"""Builds views: run by the keeper after each publication and when a policy takes effect."""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from geoshare.access.changes import MAX_STEPS, Boxes, Step
from geoshare.access.difference import difference
from geoshare.access.digest import rows_digest, token
from geoshare.access.draft import Draft, PartDraft, Source
from geoshare.access.manifest import (
    ViewManifest,
    ViewPart,
    manifest_path,
    read_manifest,
    write_bits,
    write_manifest,
)
from geoshare.access.overlay import reference_columns, settle, write_overlays
from geoshare.access.raster_views import raster_manifest
from geoshare.access.references import VisibleIds
from geoshare.access.summary import summarise, visible_schema
from geoshare.access.view import View
from geoshare.access.views import open_view
from geoshare.errors import Unavailable
from geoshare.model.collections import Collection
from geoshare.model.policy import Policy
from geoshare.model.rasters import RasterAsset
from tiles.errors import TileError
from tiles.pack import PartInfo, open_part

log = logging.getLogger("geoshare.access")

Mask = NDArray[np.bool_]

GRACE_S: Final = 60.0  # how long files that a manifest no longer names stay for their readers


class Packs(Protocol):
    """What is published: collections with their packs or rasters."""

    folder: Path

    def collections(self) -> dict[str, Collection]:
        """Every collection there is: the known ones, and published layers of other names."""
        ...

    def source(self, collection: str) -> Source | None:
        """Return the current pack; None where nothing is published."""
        ...

    def rasters(self, collection: str) -> tuple[str, Sequence[RasterAsset]]:
        """Version and assets of a raster collection; none where nothing is published."""
        ...


def build_views(
    policies: Iterable[Policy],
    packs: Packs,
    views_dir: Path,
    collections: Iterable[str] | None = None,
) -> list[tuple[str, str]]:
    """Bring the views of these policies up to date.

    Parameters
    ----------
    policies
        Those that somebody holds; equal ones are built once.
    packs
        What is published.
    views_dir
        Folder of the views.
    collections
        Only these changed (None: all may have); views that refer to them are built again too.

    Returns
    -------
    (policy hash, collection) of every view whose token has changed.
    """
    changed = []
    for policy_hash, policy in {policy.hash: policy for policy in policies}.items():
        builder = _Builder(policy, packs, views_dir / policy_hash, views_dir)
        wanted = None if collections is None else set(collections)
        changed += [(policy_hash, name) for name in builder.build(wanted)]
    return changed


def sweep_views(policies: Iterable[Policy], views_dir: Path, grace_s: float = GRACE_S) -> list[str]:
    """Remove the views of policies that nobody holds any more, once they have not changed for a while.

    Returns
    -------
    Hashes of the policies whose views are gone.
    """
    held = {policy.hash for policy in policies}
    gone = []
    for folder in views_dir.iterdir() if views_dir.is_dir() else ():
        if folder.name not in held and folder.is_dir() and _age_s(folder) > grace_s:
            shutil.rmtree(folder, ignore_errors=True)
            gone.append(folder.name)
    return gone


class _Builder:
    def __init__(self, policy: Policy, packs: Packs, folder: Path, views_dir: Path) -> None:
        self.policy = policy
        self.packs = packs
        self.folder = folder
        self.views_dir = views_dir
        self.known = packs.collections()
        self.names = [name for name in self.known if policy.allows(name)]
        self.drafts: dict[str, Draft] = {}
        self._built_ids: dict[str, VisibleIds] = {}

    def build(self, wanted: set[str] | None) -> list[str]:
        names = [name for name in self.names if wanted is None or name in wanted or self._missing(name)]
        vectors = self._with_referring([name for name in names if self.known[name].kind == "vector"])
        for name in vectors:
            with self._apart(name):
                self.drafts[name] = self._draft(name)
        changed = []
        for name in [*vectors, *(name for name in names if self.known[name].kind != "vector")]:
            with self._apart(name):
                if self._write(name, self._manifest(name)):
                    changed.append(name)
        return changed

    @contextmanager
    def _apart(self, name: str) -> Iterator[None]:
        """Let no collection that cannot be built hold up the others; its view stays as it was."""
        try:
            yield
        except Exception:
            log.exception("the view of %s under %s cannot be built", name, self.policy.hash[:12])

    def _manifest(self, name: str) -> ViewManifest:
        if self.known[name].kind == "vector":
            return self._finish(name, self.drafts[name])
        version, assets = self.packs.rasters(name)
        return raster_manifest(self.known[name], self.policy.grants_for(name), version, assets)

    def _missing(self, name: str) -> bool:
        return not manifest_path(self.views_dir, self.policy.hash, name).exists()

    def _with_referring(self, names: list[str]) -> list[str]:
        """Add collections whose visible columns refer to one of these."""
        targets = set(names)
        return [
            name
            for name in self.names
            if self.known[name].kind == "vector"
            and (name in targets or targets & {item.reference for item in self.known[name].properties})
        ]

    def _draft(self, name: str) -> Draft:
        return Draft(self.known[name], self.policy.grants_for(name), self.packs.source(name))

    def _targets(self, name: str) -> VisibleIds:
        """Ids a collection shows under this policy: of its draft, or of its view as it stands."""
        if name in self.drafts:
            return self.drafts[name].visible_ids
        if name not in self._built_ids:
            ids = VisibleIds(np.zeros(0, np.uint64))
            if name in self.names and self.known[name].kind == "vector":
                ids = self._draft(name).visible_ids
            self._built_ids[name] = ids
        return self._built_ids[name]

    def _finish(self, name: str, draft: Draft) -> ViewManifest:
        """Settle references, write overlays and bitmaps, and say what the view holds."""
        nulled = tuple(
            column
            for column, target in reference_columns(draft)
            if not len(self._targets(target).hashes)
        )
        folder = self.folder / name
        masks: list[Mask | None] = []
        overlays: list[tuple[PartInfo, Mask | None]] = []
        for part in draft.parts:
            settled = settle(draft, part, nulled, self._targets)
            masks.append(_mask(settled))
            overlays += write_overlays(folder, draft, settled, nulled, self._targets)
        selection, places = write_bits(folder, [*masks, *(mask for _, mask in overlays)])
        source = draft.source
        base = () if source is None else zip(source.paths, source.infos, places, strict=False)
        rewritten = zip(overlays, places[len(masks) :], strict=True)
        manifest = ViewManifest(
            collection=name,
            kind=draft.collection.kind,
            schema=visible_schema(draft.collection, draft.columns),
            columns=draft.columns,
            kinds={key: str(kind) for key, kind in draft.kinds.items()},
            nulled=nulled,
            selection=selection,
            base=tuple(ViewPart(path, info, place) for path, info, place in base),
            overlay=tuple(
                ViewPart(f"{self.policy.hash}/{name}/{info.name}", info, place)
                for (info, _), place in rewritten
            ),
            source={"version": None if source is None else source.version},
        )
        return self._with_summary(manifest)

    def _with_summary(self, manifest: ViewManifest) -> ViewManifest:
        """Open the view that is about to be published and let it say what it shows."""
        view = self._open(manifest)
        rows = view.scan()
        said = summarise(view, rows)
        mark = token(
            manifest.collection, manifest.schema, manifest.columns, *rows_digest(rows), len(rows)
        )
        return replace(manifest, **said, token=mark)

    def _write(self, name: str, manifest: ViewManifest) -> bool:
        """Publish a manifest if it says anything new; tell whether readers will notice."""
        path = manifest_path(self.views_dir, self.policy.hash, name)
        try:
            old: ViewManifest | None = read_manifest(path)
        except Exception:  # a manifest that cannot be read is replaced
            old = None
        manifest = self._after(manifest, old)
        if old == manifest:
            return False
        write_manifest(path, manifest)
        _sweep(path.parent / name, manifest, old)
        return old is None or old.token != manifest.token

    def _after(self, manifest: ViewManifest, old: ViewManifest | None) -> ViewManifest:
        """Add to a manifest the steps that lead to it from the one before."""
        if old is None:
            return manifest
        if old.token == manifest.token:
            return replace(manifest, steps=old.steps)
        step = Step.of(old.token, self._difference(old, manifest))
        return replace(manifest, steps=(*old.steps, step)[-MAX_STEPS:])

    def _difference(self, old: ViewManifest, manifest: ViewManifest) -> Boxes | None:
        """Where two versions differ; None (everywhere) where the old one cannot be opened any more."""
        if manifest.kind != "vector" or old.schema != manifest.schema:
            return None
        try:
            return difference(*(self._open(item) for item in (old, manifest)))
        except (OSError, TileError, Unavailable):
            return None

    def _open(self, manifest: ViewManifest) -> View:
        return open_view(self.policy.hash, manifest, self.packs.folder, self.views_dir, open_part)


def _mask(part: PartDraft) -> Mask | None:
    """Rows of a part that are shown as they are; None for all."""
    mask = np.zeros(len(part.part), bool)
    mask[part.kept] = True
    mask &= part.alive
    return None if mask.all() else mask


def _sweep(folder: Path, manifest: ViewManifest, old: ViewManifest | None) -> None:
    """Remove files that neither this manifest nor the one before it names, after a while."""
    if not folder.is_dir():
        return
    named = manifest.files | (old.files if old is not None else set())
    for path in folder.iterdir():
        if path.name.removesuffix(".json") not in named and _age_s(path) > GRACE_S:
            path.unlink(missing_ok=True)


def _age_s(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return 0.0
