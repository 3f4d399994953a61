"""Road maps of an area, kept up to date: the server's own extract, of which the new blocks are fetched.

Which roads belong to a map of an area, cut nowhere, is the extract's to say, and how they are written.
So the files here are those of a fresh extract, to the byte, whatever has changed; the feed of changes
says when to ask, and blocks that are here already are not sent again.
"""

from __future__ import annotations

import hashlib
import shutil
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import orjson

from geoshare.client.client import GONE, BBox, Client
from geoshare.client.deltas import rebuilt
from geoshare.client.folder import STATE, Files
from geoshare.client.http import ClientError
from geoshare.client.transfer import fetched

_REPORT: Final = "conversion.json"
_MANIFEST: Final = "manifest.json"


class RoadMap:
    """The files of one road map in one folder."""

    def __init__(
        self, client: Client, folder: Path, files: Files, area: BBox | None, format: str
    ) -> None:
        self._client, self._folder, self._files = client, folder, files
        self._area, self._format = area, format

    def since(self, collection: str, token: str | None) -> tuple[str, bool]:
        """The token of now, and whether the map may have changed since the one that is known."""
        watched = self._watched()
        if token is not None:
            try:
                found = self._client.first_change(collection, token, watched)
            except ClientError as error:
                if error.status != GONE:
                    raise
            else:
                if found is not None:
                    return found, False
        return self._client.changes(collection, bbox=watched).token, True

    def take(self, names: Sequence[str]) -> int:
        """Bring the files up to date; how many of them are new or others than before."""
        state = self._folder / STATE
        fresh = state / "fresh"
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir()
        href = self._client.extract_at(names, format=self._format, bbox=self._area)
        here = self._files.intact()
        if not here or not rebuilt(self._client.http, href, here, fresh):
            self._whole(href, state / "extract.zip", fresh)
        _check(fresh)
        return self._put(fresh)

    def _whole(self, href: str, packed: Path, fresh: Path) -> None:
        fetched(self._client.http, href, packed, self._client.pause)
        try:
            with zipfile.ZipFile(packed) as archive:
                archive.extractall(fresh)  # the library keeps names inside of the folder
        except zipfile.BadZipFile as error:
            raise ClientError("The extract that arrived is broken; call again") from error
        finally:
            packed.unlink()

    def _put(self, fresh: Path) -> int:
        """Put files in place, each at once; those that are the same stay as they are."""
        files, count = [], 0
        for path in sorted(path for path in fresh.rglob("*") if path.is_file()):
            target = self._folder / path.relative_to(fresh)
            files.append(target)
            if target.is_file() and target.read_bytes() == path.read_bytes():
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            path.replace(target)
            count += 1
        shutil.rmtree(fresh)
        self._files.note(files)
        return count

    def _watched(self) -> BBox | None:
        """Where a change may be one of the map: roads are whole, so that is more than the area."""
        if self._area is None or self._area[0] > self._area[2]:
            return None
        try:
            said: list[Any] = orjson.loads((self._folder / _REPORT).read_bytes())["bounds"]
            west, south, east, north = (float(value) for value in said)
        except (OSError, ValueError, KeyError, TypeError):
            return self._area
        area = self._area
        return min(area[0], west), min(area[1], south), max(area[2], east), max(area[3], north)


def _check(fresh: Path) -> None:
    """Raise ClientError where files are not what the manifest of their archive says."""
    try:
        entries = orjson.loads((fresh / _MANIFEST).read_bytes())["files"]
        for entry in entries:
            content = (fresh / entry["name"]).read_bytes()
            if hashlib.sha256(content).hexdigest() != entry["sha256"]:
                raise ClientError(f"{entry['name']} is not what its manifest says; call again")
    except (FileNotFoundError, ValueError, KeyError, TypeError) as error:
        raise ClientError("The extract that arrived is not whole; call again") from error
