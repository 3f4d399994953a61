"""``geoshare doctor``: what is wrong with a data folder, whether or not a server runs on it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from geoshare.access.manifest import ViewManifest, ViewPart, manifest_path, map_bits
from geoshare.access.manifest import read_manifest as read_view
from geoshare.errors import BadData, BadRequest, GeoshareError
from geoshare.model.foundation import load
from geoshare.publish import Packs, read_manifest
from geoshare.publish.keeper import STATE, State, read_state
from geoshare.services import Services
from geoshare.services.forms import FORM
from geoshare.services.keeping import policies_held
from geoshare.store import reading
from tiles.errors import TileError
from tiles.pack import verify_part

_UNREADABLE = (GeoshareError, TileError, OSError, ValueError, KeyError, TypeError, AttributeError)


def doctor(services: Services) -> list[str]:
    """What is wrong with the data folder, a line each; empty where nothing is."""
    findings = []
    if not services.governance.ready():
        findings.append("the governance database does not answer")
    if not services.record.ready():
        findings.append("the record does not answer")
    try:
        services.trail.sequencer.published(services.trail.head())
    except BadData as error:
        findings.append(f"the audit log does not go on: {error.message}")
    try:
        load(services.settings.data)
    except BadRequest as error:
        findings.append(error.message)
    if findings:
        return findings + _packs(services)
    return [*_packs(services), *_published(services), *_Views(services).findings()]


def _packs(services: Services) -> list[str]:
    """Packs and rasters whose manifests are there, and the files that these name."""
    findings = []
    packs = Packs(services.packs_dir)
    for name in packs.names():
        try:
            findings += _pack(services, packs, name)
        except _UNREADABLE as error:
            findings.append(f"{name}: what is published cannot be read: {error}")
    return findings


def _pack(services: Services, packs: Packs, name: str) -> list[str]:
    manifest = read_manifest(services.packs_dir, name)
    if manifest is None:
        if not packs.rasters(name)[1]:
            return [f"{name}: what is published cannot be read by this version"]
        return [
            f"{name}: the file of {asset.id} is missing"
            for asset in packs.rasters(name)[1]
            if not Path(asset.path).exists()
        ]
    findings = []
    for part in manifest.parts:
        try:
            verify_part(services.packs_dir / name / part.name, part)
        except (TileError, OSError) as error:
            findings.append(f"{name}: part {part.name}: {error}")
    return findings


def _published(services: Services) -> Iterator[str]:
    """What the record holds and nothing is published of; and the state of publishing itself."""
    state = read_state(services.packs_dir)
    published = set(Packs(services.packs_dir).names())
    if state == State() and published:
        yield f"{STATE} is missing or torn: until the keeper has begun anew nothing counts as published"
    elif published and state.form != FORM:
        yield f"{STATE}: what is published is of another format; geoshare serve publishes it anew"
    for name, after in sorted(state.failed.items()):
        yield f"{name}: changes after number {after} cannot be published; the keeper's log says why"
    with services.record.snapshot() as connection:
        changed = reading.changes_after(connection, 0)
    for item in sorted(changed, key=lambda item: item.collection):
        due = state == State() or item.sequence <= state.sequence
        if due and item.collection not in published | state.failed.keys():
            yield f"{item.collection}: its manifest is missing, though the record holds features of it"


class _Views:
    """Looks at the views of policies that are held; each file that is missing is named once."""

    def __init__(self, services: Services) -> None:
        self._services = services
        packs = Packs(services.packs_dir)
        self._names = packs.names()
        self._seen: set[str] = set()  # files that were looked at
        for name in self._names:
            try:
                manifest = read_manifest(services.packs_dir, name)
            except _UNREADABLE:
                continue  # was said of the pack
            if manifest is not None:  # its parts were looked at as well
                self._seen |= {f"{name}/{part.name}" for part in manifest.parts}

    def findings(self) -> Iterator[str]:
        """Name what is wrong, a line each."""
        views_dir = self._services.views_dir
        for policy in policies_held(self._services):
            if not (views_dir / policy.hash).is_dir():
                continue  # it has come to be held since the keeper last looked
            for name in self._names:
                if policy.allows(name):
                    yield from self._view(policy.hash, name)

    def _view(self, policy: str, name: str) -> Iterator[str]:
        which = f"{name}: view {policy[:12]}"
        try:
            manifest = read_view(manifest_path(self._services.views_dir, policy, name))
        except FileNotFoundError:
            yield f"{which}: its manifest is missing"
            return
        except _UNREADABLE as error:
            yield f"{which}: its manifest cannot be read: {error}"
            return
        yield from self._files(policy, name, manifest, which)

    def _files(self, policy: str, name: str, manifest: ViewManifest, which: str) -> Iterator[str]:
        for parts, folder in (
            (manifest.base, self._services.packs_dir),
            (manifest.overlay, self._services.views_dir),
        ):
            for part in parts:
                yield from self._part(part, folder, which)
        if manifest.selection:
            try:
                map_bits(self._services.views_dir / policy / name / manifest.selection)
            except FileNotFoundError:
                yield f"{which}: selection {manifest.selection} is missing"
            except _UNREADABLE:
                yield f"{which}: selection {manifest.selection} is damaged"

    def _part(self, part: ViewPart, folder: Path, which: str) -> Iterator[str]:
        if part.path in self._seen:
            return
        self._seen.add(part.path)
        try:
            verify_part(folder / part.path, part.info)
        except (TileError, OSError) as error:
            yield f"{which}: part {part.path.rpartition('/')[2]}: {error}"
