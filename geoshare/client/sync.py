"""Files of an area that are kept up to date: fetched once, then brought forward by what has changed.

A GeoPackage is written from a local copy of the features, which takes deltas alone. Of road maps
(Autoware, Lanelet2, OpenDRIVE) the feed of changes says when to ask the server's extract again, of
which only the new blocks are fetched (:mod:`geoshare.client.roadmap`).
"""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeVar

import orjson

from geoshare.client.client import GONE, BBox, Client
from geoshare.client.folder import OF, STATE, Files, alone, prepared
from geoshare.client.http import ClientError
from geoshare.client.roadmap import RoadMap
from geoshare.client.store import Store, hash_of

T = TypeVar("T")
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
_NAME: Final = "map.gpkg"
_ROOM: Final = ("SQLITE_FULL", "SQLITE_IOERR", "SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_BUSY")
_NOT_THERE: Final = 404


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
        naming what was said wrongly and what is allowed; or where the server refuses or does not
        answer, or the folder cannot be written: what is there stays, and the next call goes on.
    """
    if format not in FORMATS:
        allowed = ", ".join(FORMATS)
        raise ClientError(f"There is no format {format}", parameter="format", allowed=allowed)
    if area is not None:
        check_area(area)
    if collections is not None and not collections:
        raise ClientError("No collection is named", parameter="collections", allowed="one or several")
    try:
        return _held(client, folder, area, format, collections, verify)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        raise _unwritten(folder, where + (error.strerror or str(error))) from error
    except sqlite3.Error as error:
        raise _unwritten(folder, str(error)) from error


def check_area(area: BBox) -> None:
    """Raise ClientError for what is no box on this world; west above east crosses 180 degrees."""
    west, south, east, north = area
    wrong = None
    if not all(math.isfinite(item) for item in area):
        wrong = "has a number that is none"
    elif max(abs(west), abs(east)) > 180 or max(abs(south), abs(north)) > 90:
        wrong = "lies outside the world"
    elif south > north:
        wrong = "has its south above its north"
    if wrong is not None:
        raise ClientError(
            f"The area {','.join(map(repr, area))} {wrong}",
            parameter="area",
            allowed="west,south,east,north in degrees, longitude -180 to 180, latitude -90 to 90",
        )


def _unwritten(folder: Path, why: str) -> ClientError:
    return ClientError(
        f"{folder} cannot be written: {why}; what was there before is as it was, call again",
        parameter="folder",
        allowed="a folder that can be written, on a disk with room",
    )


def _held(
    client: Client,
    folder: Path,
    area: BBox | None,
    format: str,
    collections: Sequence[str] | None,
    verify: bool,
) -> Synced:
    state = prepared(folder)
    with alone(state):
        try:
            return _Sync(client, folder, area, format, verify).run(collections)
        except sqlite3.DatabaseError as error:  # torn or foreign: everything is fetched anew
            if str(getattr(error, "sqlite_errorname", "")).startswith(_ROOM):
                raise
            for path in state.glob("copy.sqlite*"):
                path.unlink()
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
        self._files = Files(folder, self._store)

    def run(self, collections: Sequence[str] | None) -> Synced:
        try:
            names = self._names(collections)
            changed = self._features(names) if self._format == "gpkg" else self._map(names)
        finally:
            self._store.close()
        written = changed.pop("", 0) > 0
        received = self._client.http.received - self._received
        return Synced(changed, written, received, self._files.paths)

    def _names(self, wanted: Sequence[str] | None) -> list[str]:
        """Which collections; a folder that was of something else begins anew."""
        asked = [self._client.http.base, self._format, self._area, wanted and sorted(wanted)]
        said = orjson.dumps(asked).decode()
        if self._store.said(OF) == said:
            return (self._store.said("names") or "").split(",")
        names = self._chosen(wanted)
        self._store.forget()
        self._store.say("names", ",".join(names))
        self._store.say(OF, said)
        return names

    def _chosen(self, wanted: Sequence[str] | None) -> list[str]:
        """The collections that are wanted, or all that are seen and the format is made of."""
        seen = [item["id"] for item in self._client.collections() if item["kind"] == "vector"]
        fit = [name for name in ROAD_MAPS.get(self._format, seen) if name in seen]
        unknown = [name for name in wanted or () if name not in fit]
        if unknown:
            raise ClientError(
                f"{', '.join(unknown)} is no collection that you see and {self._format} is made of",
                parameter="collections",
                allowed=", ".join(fit),
            )
        names = list(dict.fromkeys(wanted or fit))
        if not names or (self._format in ROAD_MAPS and "lanes" not in names):
            raise ClientError(
                f"You see nothing that {self._format} could be made of",
                parameter="format" if wanted is None else "collections",
                allowed="a format of collections that your key sees; road maps need lanes",
            )
        return names

    def _moved(self, names: Sequence[str]) -> list[str]:
        """Those of the collections that have to be asked for: new ones, and changed ones."""
        tokens = self._store.tokens()
        new = [name for name in names if name not in tokens]
        moved = _followed(self._client.changed, tokens) if tokens else set()
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
        if changed or not self._files.whole(read=self._verify):
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
        token = _followed(self._client.changes, name, None, self._area).token
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
        self._files.note([self._folder / _NAME])

    def _map(self, names: Sequence[str]) -> dict[str, int]:
        """Ask for the extract again where anything of the map has changed."""
        made = RoadMap(self._client, self._folder, self._files, self._area, self._format)
        tokens, touched = self._store.tokens(), self._verify
        for name in self._moved(names):
            tokens[name], moved = _followed(made.since, name, tokens.get(name))
            touched |= moved
        changed: dict[str, int] = {}
        if touched or not self._files.whole(read=self._verify):
            changed = {"files": made.take(names), "": 1}
            if not changed["files"]:
                changed = {}
        for name, token in tokens.items():
            self._store.apply(name, (), (), token)
        return changed


def _followed(ask: Callable[..., T], *said: object) -> T:
    """What the feed of changes answers; where there is none for the caller, why."""
    try:
        return ask(*said)
    except ClientError as error:
        if error.status != _NOT_THERE:
            raise
        raise ClientError(
            "The server has no feed of changes for you",
            error.status,
            parameter="key",
            allowed="a key whose tier may follow changes (action stream)",
        ) from error
