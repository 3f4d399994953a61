"""Builds views: run by the keeper after each publication and when a policy takes effect."""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Protocol

from shapely.geometry.base import BaseGeometry

from geoshare.access.areas import ADMIN_AREAS, coded_area, looked_up, names_codes
from geoshare.access.assemble import assembled
from geoshare.access.difference import Shown
from geoshare.access.draft import Draft, HashKey, Source, rights_of
from geoshare.access.journal import KEPT_US
from geoshare.access.manifest import (
    ViewManifest,
    manifest_path,
    read_manifest,
    whole_path,
    write_aside,
    write_manifest,
)
from geoshare.access.memory import Memory
from geoshare.access.raster_views import raster_manifest
from geoshare.access.references import VisibleIds
from geoshare.access.succession import Succession
from geoshare.access.views import Files
from geoshare.model.collections import Collection
from geoshare.model.policy import Grant, Policy, sha256_of
from geoshare.model.rasters import RasterAsset

log = logging.getLogger("geoshare.access")

GRACE_S: Final = 60.0  # how long files that a manifest no longer names stay for their readers
MOST_FORMER: Final = 32  # policies that nobody holds any more and whose views are kept


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
    *,
    memory: Memory | None = None,
    tick_us: int | None = None,
    hash_key: HashKey | None = None,
    kept_us: int = KEPT_US,
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
    memory
        Of the last builds, so that only what has changed since is looked at; what is built is the
        same without.
    tick_us
        The keeper's tick, microseconds since 1970 (UTC), by which delays and windows move; None: what
        is under a rule on time is not shown.
    hash_key
        Gives the secret of an agreement; without it columns of hashes are null.
    kept_us
        How long it is known what changed in a view, in microseconds.

    Returns
    -------
    (policy hash, collection) of every view whose token has changed.
    """
    changed = []
    memory = Memory() if memory is None else memory
    for policy_hash, policy in {policy.hash: policy for policy in policies}.items():
        builder = _Builder(policy, packs, views_dir, memory, tick_us, hash_key, kept_us)
        wanted = None if collections is None else set(collections)
        changed += [(policy_hash, name) for name in builder.build(wanted)]
    return changed


def sweep_views(policies: Iterable[Policy], views_dir: Path, grace_s: float = GRACE_S) -> list[str]:
    """Remove the views of policies that nobody holds any more, once they have not changed for a while.

    They hold parts of packs that would be gone without them, so only the ``MOST_FORMER`` youngest stay
    as long as that.

    Returns
    -------
    Hashes of the policies whose views are gone.
    """
    held = {policy.hash for policy in policies}
    folders = [path for path in views_dir.glob("*") if path.name not in held and path.is_dir()]
    gone = []
    for place, (age_s, folder) in enumerate(sorted((_age_s(path), path) for path in folders)):
        if age_s > (grace_s if place < MOST_FORMER else min(grace_s, GRACE_S)):
            shutil.rmtree(folder, ignore_errors=True)
            gone.append(folder.name)
    return gone


class _Builder:
    def __init__(
        self,
        policy: Policy,
        packs: Packs,
        views_dir: Path,
        memory: Memory,
        tick_us: int | None,
        hash_key: HashKey | None,
        kept_us: int,
    ) -> None:
        self.policy = policy
        self.packs = packs
        self.folder = views_dir / policy.hash
        self.views_dir = views_dir
        self.memory = memory
        self.tick_us = tick_us
        self.hash_key = hash_key
        self.succession = Succession(policy.hash, Files(packs.folder, views_dir), memory, kept_us)
        self.known = packs.collections()
        self.names = [name for name in self.known if policy.allows(name)]
        self.drafts: dict[str, Draft] = {}
        self._areas: dict[str, BaseGeometry] = {}  # by administrative code

    def build(self, wanted: set[str] | None) -> list[str]:
        moved = wanted is not None and ADMIN_AREAS in wanted
        names = [
            name
            for name in self.names
            if wanted is None
            or name in wanted
            or self._missing(name)
            or (moved and names_codes(self.policy.grants_for(name)))
        ]
        vectors = self._with_referring([name for name in names if self.known[name].kind == "vector"])
        changed = []
        for name in [*vectors, *(name for name in names if self.known[name].kind != "vector")]:
            with self._apart(name):
                if self._bring_up(name):
                    changed.append(name)
        self._mark_whole()
        return changed

    def _mark_whole(self) -> None:
        """Let the collections be listed: those that have no view now could not be built."""
        mark = whole_path(self.views_dir, self.policy.hash)
        if not mark.exists():
            write_aside(mark, b"")

    @contextmanager
    def _apart(self, name: str) -> Iterator[None]:
        """Let no collection that cannot be built hold up the others; its view stays as it was."""
        try:
            yield
        except Exception:
            log.exception("the view of %s under %s cannot be built", name, self.policy.hash[:12])

    def _bring_up(self, name: str) -> bool:
        """Publish a view if there is anything new; tell whether readers will notice."""
        if self.known[name].kind == "vector":
            manifest, shown = self._features(name)
        else:
            version, assets = self.packs.rasters(name)
            grants = self._grants(name)
            manifest, shown = (
                raster_manifest(self.known[name], grants, version, assets, self.tick_us),
                None,
            )
        return self._write(name, manifest, shown)

    def _missing(self, name: str) -> bool:
        return not manifest_path(self.views_dir, self.policy.hash, name).exists()

    def _with_referring(self, names: list[str]) -> list[str]:
        """Add collections whose visible columns refer to one of these."""
        targets = set(names)
        return [
            name
            for name in self.names
            if self.known[name].kind == "vector"
            and (
                name in targets
                or any(targets & {*item.references} for item in self.known[name].properties)
            )
        ]

    def _draft(self, name: str) -> Draft:
        if name not in self.drafts:
            grants = self._grants(name)
            areas = sha256_of([grant.area for grant in grants]) if self._areas else ""
            key = ("rights", self.policy.hash, name, areas)
            self.drafts[name] = Draft(
                self.known[name],
                grants,
                self.packs.source(name),
                self.memory,
                self.memory.get_or_make(key, lambda: rights_of(grants)),
                self.tick_us,
                self.hash_key,
            )
        return self.drafts[name]

    def _grants(self, name: str) -> tuple[Grant, ...]:
        """Grants that speak of a collection, with the areas that codes stand for.

        Raises BadRequest for a code of no published area: then the view stays as it was, or is none.
        """
        return looked_up(self.policy.grants_for(name), self._area)

    def _area(self, code: str) -> BaseGeometry:
        if code not in self._areas:
            self._areas[code] = coded_area(self.packs, code)
        return self._areas[code]

    def _targets(self, names: str) -> VisibleIds:
        """Ids that a collection, or several named with blanks between, show under this policy."""
        found = [
            self._draft(name).visible_ids
            for name in names.split()
            if name in self.names and self.known[name].kind == "vector"
        ]
        return found[0] if len(found) == 1 else VisibleIds(tuple(p for ids in found for p in ids.parts))

    def _features(self, name: str) -> tuple[ViewManifest, Shown]:
        return assembled(
            self.policy.hash, self.folder / name, self._draft(name), self._targets, self.memory
        )

    def _kept_rights(self, name: str) -> str | None:
        """What beside the policy decides on what is shown: areas that codes stand for.

        None where a row may be shown for a while only: then what was shown is not kept.
        """
        grants = self.policy.grants_for(name)
        if any(grant.window is not None for grant in grants):
            return None
        return sha256_of([grant.area for grant in self._grants(name)]) if names_codes(grants) else ""

    def _write(self, name: str, manifest: ViewManifest, shown: Shown | None) -> bool:
        path = manifest_path(self.views_dir, self.policy.hash, name)
        try:
            old: ViewManifest | None = read_manifest(path)
        except Exception:  # a manifest that cannot be read is replaced
            old = None
        rights = self._kept_rights(name) if shown is not None else None
        manifest = self.succession.after(manifest, old, shown, self.tick_us or 0, rights)
        if old == manifest:
            return False
        write_manifest(path, manifest)
        _sweep(path.parent / name, manifest, old)
        return old is None or old.token != manifest.token


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
