"""Files of an area that are kept up to date: fetched once, then brought forward by what has changed.

A GeoPackage is written from a local copy of the features, which takes deltas alone. Road maps
(Autoware, Lanelet2, OpenDRIVE) have rules of their own about what belongs to a map of an area, which
the server's extract knows: for them the feed says whether anything in the area has changed, and only
then the extract is asked for again.
"""

from __future__ import annotations

import shutil
import sqlite3
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import orjson

from geoshare.client.client import GONE, BBox, Client, sha256_of
from geoshare.client.http import ClientError
from geoshare.client.store import Store, hash_of

Format = Literal["gpkg", "opendrive", "lanelet2", "autoware"]
FORMATS: Final[tuple[Format, ...]] = ("gpkg", "opendrive", "lanelet2", "autoware")
_LANE_MAP: Final = (
    "lanes",
    "lane_boundaries",
    "regulatory_elements",
    "roadside_features",
    "structures",
    "areas",
)
ROAD_MAPS: Final[dict[str, tuple[str, ...]]] = {
    "opendrive": (*_LANE_MAP, "segments", "junctions"),
    "lanelet2": _LANE_MAP,
    "autoware": _LANE_MAP,
}
"""The collections that a road map is made of, by format."""
STATE: Final = ".geoshare"  # folder of the state, beside the files
_FILES: Final = "files"
_NAME: Final = "map.gpkg"


@dataclass(frozen=True)
class Synced:
    """What a synchronisation did.

    ``changed`` counts features that were put or removed, by collection (of a road map: ``files``);
    ``written`` tells whether files were; ``received`` are the bytes of answers.
    """

    changed: dict[str, int]
    written: bool
    received: int
    files: tuple[Path, ...]


def sync(
    client: Client,
    folder: Path,
    area: BBox | None,
    format: str = "gpkg",
    *,
    collections: Sequence[str] | None = None,
    verify: bool = False,
) -> Synced:
    """Bring the files of an area up to date.

    Parameters
    ----------
    folder
        Where the files are; what they stand at lies in ``.geoshare`` below it.
    area
        West, south, east, north in degrees; None: everything that may be seen.
    format
        ``gpkg``, ``opendrive``, ``lanelet2`` or ``autoware``.
    collections
        Which; None: those of a road map, or all collections of features.
    verify
        Compare the copy with the server, feature by feature, and mend it. Without this it is looked
        at that there are as many features as the server says, and that files are as they were written.

    Raises
    ------
    ClientError
        where the server refuses or does not answer; what is there stays as it was.
    """
    if format not in FORMATS:
        raise ClientError(f"there is no format {format}; there are {', '.join(FORMATS)}")
    state = folder / STATE
    state.mkdir(parents=True, exist_ok=True)
    try:
        return _Sync(client, folder, area, format, verify).run(collections)
    except sqlite3.DatabaseError:  # torn or foreign: everything is fetched anew
        shutil.rmtree(state)
        state.mkdir()
        return _Sync(client, folder, area, format, verify).run(collections)


class _Sync:
    """One synchronisation of one folder."""

    def __init__(
        self, client: Client, folder: Path, area: BBox | None, format: str, verify: bool
    ) -> None:
        self._client, self._folder, self._area = client, folder, area
        self._format, self._verify = format, verify
        self._store = Store(folder / STATE / "copy.sqlite")
        self._received = client.http.received
        self._known: dict[str, list[Any]] = orjson.loads(self._store.said(_FILES) or "{}")

    def run(self, collections: Sequence[str] | None) -> Synced:
        try:
            names = self._names(collections)
            changed = self._features(names) if self._format == "gpkg" else self._map(names)
        finally:
            self._store.close()
        written = changed.pop("", 0) > 0
        received = self._client.http.received - self._received
        return Synced(changed, written, received, tuple(self._folder / name for name in self._known))

    def _names(self, wanted: Sequence[str] | None) -> list[str]:
        """Which collections; a folder that was of something else begins anew."""
        asked = [self._client.http.base, self._format, self._area, wanted and sorted(wanted)]
        said = orjson.dumps(asked).decode()
        if self._store.said("of") == said:
            return (self._store.said("names") or "").split(",")
        self._store.forget()
        self._known = {}
        self._store.say(_FILES, "{}")
        names = list(wanted or self._offered())
        self._store.say("names", ",".join(names))
        self._store.say("of", said)
        return names

    def _offered(self) -> list[str]:
        seen = [item["id"] for item in self._client.collections() if item["kind"] == "vector"]
        wanted = ROAD_MAPS.get(self._format, seen)
        names = [name for name in wanted if name in seen]
        if not names:
            raise ClientError("There is no collection that could be kept")
        return names

    def _moved(self, names: Sequence[str]) -> list[str]:
        """Those of the collections that have to be asked for: new ones, and changed ones."""
        tokens = self._store.tokens()
        new = [name for name in names if name not in tokens]
        moved = self._client.changed(tokens) if tokens else set()
        return [*new, *(name for name in tokens if name in moved)]

    # Features

    def _features(self, names: Sequence[str]) -> dict[str, int]:
        changed: dict[str, int] = {}
        for name in self._moved(names):
            count = self._bring_up(name)
            if count:
                changed[name] = count
        if self._verify:
            for name in self._store.tokens():
                mended = self._mend(name)
                if mended:
                    changed[name] = changed.get(name, 0) + mended
        if changed or not self._whole():
            self._write()
            changed[""] = 1
        return changed

    def _bring_up(self, name: str) -> int:
        """Apply what has changed in a collection, or fetch it anew; how many features that were."""
        token = self._store.tokens().get(name)
        if token is not None:
            try:
                found = self._client.changes(name, token, self._area)
            except ClientError as error:
                if error.status != GONE:
                    raise
                return self._fetch(name)
            count = self._store.apply(name, found.features, found.deleted, found.token)
            if count != found.matched:  # never expected: then nothing of it is believed
                return self._fetch(name)
            return len(found.features) + len(found.deleted)
        return self._fetch(name)

    def _fetch(self, name: str) -> int:
        """Take a copy: the token first, so that what changes meanwhile comes with the next changes."""
        token = self._client.changes(name, bbox=self._area).token
        return self._store.apply(name, self._client.items(name, self._area), (), token, anew=True)

    def _mend(self, name: str) -> int:
        """Compare all features of a collection by their hashes; how many were not as they should be."""
        token = self._client.changes(name, bbox=self._area).token
        known, wrong = self._store.hashes(name), []
        damaged = set(self._store.damaged(name))
        for item in self._client.items(name, self._area):
            kept = known.pop(item["id"], None)
            if kept != hash_of(item) or item["id"] in damaged:
                wrong.append(item)
        self._store.apply(name, wrong, list(known), token)
        return len(wrong) + len(known)

    def _write(self) -> None:
        from geoshare.client.frames import write_gpkg  # noqa: PLC0415 - pandas is slow to import

        write_gpkg(
            self._folder / _NAME, {name: self._store.features(name) for name in self._store.tokens()}
        )
        self._note([self._folder / _NAME])

    # Road maps

    def _map(self, names: Sequence[str]) -> dict[str, int]:
        """Ask for the extract again where anything of the area has changed."""
        tokens, touched = self._store.tokens(), False
        for name in self._moved(names):
            token, moved = self._since(name, tokens.get(name))
            touched |= moved
            tokens[name] = token
        changed: dict[str, int] = {}
        if touched or not self._whole():
            changed = self._taken(list(tokens)) | {"": 1}
        for name, token in tokens.items():
            self._store.apply(name, (), (), token)
        return changed

    def _since(self, name: str, token: str | None) -> tuple[str, bool]:
        """The token of now, and whether the area has changed since the one that is known."""
        if token is not None:
            try:
                found = self._client.changes(name, token, self._area)
            except ClientError as error:
                if error.status != GONE:
                    raise
            else:
                return found.token, bool(found)
        return self._client.changes(name, bbox=self._area).token, True

    def _taken(self, names: list[str]) -> dict[str, int]:
        """Fetch the extract and put its files in place."""
        state = self._folder / STATE
        packed = self._client.extract(
            names, state / "extract.zip", format=self._format, bbox=self._area
        )
        fresh = state / "fresh"
        shutil.rmtree(fresh, ignore_errors=True)
        with zipfile.ZipFile(packed) as archive:
            archive.extractall(fresh)  # the library keeps names inside of the folder
        packed.unlink()
        files = []
        for path in sorted(path for path in fresh.rglob("*") if path.is_file()):
            target = self._folder / path.relative_to(fresh)
            target.parent.mkdir(parents=True, exist_ok=True)
            path.replace(target)
            files.append(target)
        shutil.rmtree(fresh)
        for name in set(self._known) - {str(path.relative_to(self._folder)) for path in files}:
            (self._folder / name).unlink(missing_ok=True)
        self._note(files)
        return {"files": len(files)}

    # Files

    def _note(self, files: Sequence[Path]) -> None:
        """Note size, time and SHA-256 of each file."""
        self._known = {
            str(path.relative_to(self._folder)): [
                path.stat().st_size,
                path.stat().st_mtime_ns,
                sha256_of(path),
            ]
            for path in files
        }
        self._store.say(_FILES, orjson.dumps(self._known).decode())

    def _whole(self) -> bool:
        """Whether all files are as they were written; read where only their time differs."""
        return bool(self._known) and all(
            self._is_as_written(self._folder / name, said) for name, said in self._known.items()
        )

    def _is_as_written(self, path: Path, said: list[Any]) -> bool:
        try:
            found = path.stat()
        except OSError:
            return False
        same = [found.st_size, found.st_mtime_ns] == said[:2]
        return (same and not self._verify) or (found.st_size == said[0] and sha256_of(path) == said[2])
