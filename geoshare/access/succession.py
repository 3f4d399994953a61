"""From one version of a view to the next: what it says of the change between them."""

from __future__ import annotations

from dataclasses import replace

from geoshare.access.changes import MAX_STEPS, Step
from geoshare.access.difference import Difference, Shown, difference, everything, shown_by
from geoshare.access.journal import Writer, journal_path
from geoshare.access.kept import Keeping, kept_path
from geoshare.access.manifest import ViewManifest
from geoshare.access.memory import Memory
from geoshare.access.views import Files, open_view
from geoshare.errors import Unavailable
from tiles.errors import TileError


class Succession:
    """Compares versions of the views of one policy, and writes their journals.

    Parameters
    ----------
    policy_hash
        Whose views they are.
    files
        Where packs and views lie.
    memory
        Of the last builds: what a view showed is compared from there where it still is.
    kept_us
        How long a journal goes back, in microseconds.
    """

    def __init__(self, policy_hash: str, files: Files, memory: Memory, kept_us: int) -> None:
        self._policy_hash = policy_hash
        self._files = files
        self._memory = memory
        self._kept_us = kept_us

    def after(
        self,
        manifest: ViewManifest,
        old: ViewManifest | None,
        shown: Shown | None,
        now_us: int,
        rights: str | None = "",
    ) -> ViewManifest:
        """Add to a manifest the steps that lead to it from the one before, and one to the journal.

        ``shown`` is all that the new version shows; None for rasters, which have no journal.
        ``rights`` tells what beside the policy decides on what is shown; None: what was shown may not
        be shown again (see ``kept``).
        """
        steps = self._steps(manifest, old, shown, now_us, rights)
        if shown is not None:
            key = ("shown", self._policy_hash, manifest.collection)
            self._memory.put(key, (manifest.token, shown))
        return replace(manifest, steps=steps)

    def _steps(
        self,
        manifest: ViewManifest,
        old: ViewManifest | None,
        shown: Shown | None,
        now_us: int,
        rights: str | None,
    ) -> tuple[Step, ...]:
        if old is None:
            if shown is not None:
                self._journal(manifest.collection).begin(manifest.token)
                if rights is not None:
                    self._kept(manifest.collection).begin(manifest.token, now_us, rights)
            return ()
        if old.token == manifest.token:
            return old.steps
        same = old.schema == manifest.schema and old.kinds == manifest.kinds
        found = None if shown is None else self._difference(old, shown, same)
        if shown is not None:
            sides = None if found is None else (found.gone.features, found.come.features)
            places = None if found is None else found.gone.places
            journal = self._journal(manifest.collection)
            journal.add(old.token, manifest.token, now_us, sides, places)
            self._keep(old.token, manifest, now_us, found if same else None, rights)
        boxes = found.boxes if found is not None and same else None
        return (*old.steps, Step.of(old.token, boxes))[-MAX_STEPS:]

    def _journal(self, name: str) -> Writer:
        path = journal_path(self._files.views_dir, self._policy_hash, name)
        key = ("journal", self._policy_hash, name)
        return self._memory.get_or_make(key, lambda: Writer(path, self._kept_us))

    def _keep(
        self,
        before: str,
        manifest: ViewManifest,
        now_us: int,
        found: Difference | None,
        rights: str | None,
    ) -> None:
        """Keep what was shown before, where it may be shown again."""
        kept = self._kept(manifest.collection)
        if rights is None:
            kept.forget()
        else:
            kept.add(before, manifest.token, now_us, found, rights)

    def _kept(self, name: str) -> Keeping:
        path = kept_path(self._files.views_dir, self._policy_hash, name)
        key = ("kept", self._policy_hash, name)
        return self._memory.get_or_make(key, lambda: Keeping(path, self._kept_us))

    def _difference(self, old: ViewManifest, shown: Shown, same: bool) -> Difference | None:
        """Where two versions differ; in every row where they do not tell of the same properties.

        None where there are too many, or the old version cannot be opened any more.
        """
        compare = difference if same else everything
        held: tuple[str, Shown] | None = self._memory.get(("shown", self._policy_hash, old.collection))
        if held is not None and held[0] == old.token:
            return compare(held[1], shown)
        try:
            return compare(shown_by(open_view(self._policy_hash, old, self._files)), shown)
        except (OSError, TileError, Unavailable):
            return None
