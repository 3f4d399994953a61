"""Files to and from a server, in pieces that survive a broken line and a process that was ended."""

from __future__ import annotations

import errno
import hashlib
import http.client
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import orjson

from geoshare.client.http import TRIES, Answer, ClientError, Http

PIECE: Final = 4 << 20
_TYPE: Final = "application/offset+octet-stream"
_NOT_THERE: Final = 404
_CONFLICT: Final = 409
_LOCAL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EIO)


def fetched(line: Http, href: str, path: Path, pause: Callable[[float], object]) -> Path:
    """Download to ``path``, which appears whole or not at all.

    What arrived before the line broke, or the process ended, lies beside it as ``.part``, and the tag
    of the file it is of as ``.part.tag``: as long as the server has that file, the download goes on.
    """
    part, note = path.with_name(path.name + ".part"), path.with_name(path.name + ".part.tag")
    broken = 0
    while True:
        tag = _noted(note, href)
        try:
            with part.open("ab+" if tag else "wb+") as file:
                file.seek(0, os.SEEK_END)
                line.download(href, file, file.tell(), tag, _noting(note, href))
            os.replace(part, path)
            note.unlink(missing_ok=True)
            return path
        except (OSError, http.client.HTTPException) as error:
            line.close()
            broken += 1
            if isinstance(error, OSError) and error.errno in _LOCAL:
                raise
            if broken == TRIES:
                raise ClientError(f"The download broke off: {error}", parameter="url") from error
            pause(0.5 * 2**broken)


def _noted(note: Path, href: str) -> str | None:
    """The tag of what has arrived of an address."""
    try:
        said = orjson.loads(note.read_bytes())
        return str(said["tag"]) if said["href"] == href else None
    except (OSError, orjson.JSONDecodeError, KeyError, TypeError):
        return None


def _noting(note: Path, href: str) -> Callable[[Mapping[str, str]], None]:
    def write(headers: Mapping[str, str]) -> None:
        tag = headers.get("etag", "")
        if tag.startswith('"'):  # a weak one says nothing of bytes
            note.write_bytes(orjson.dumps({"href": href, "tag": tag}))
        else:
            note.unlink(missing_ok=True)

    return write


class Uploads:
    """Resumable uploads (tus 1.0).

    Parameters
    ----------
    line
        To the server.
    pause
        Waits so many seconds.
    notes
        Folder of notes about uploads under way; None: the user's cache.
    """

    def __init__(self, line: Http, pause: Callable[[float], object], notes: Path | None = None) -> None:
        self._line, self._pause = line, pause
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        self._notes = notes or cache / "geoshare" / "uploads"

    def send(
        self, path: Path, options: dict[str, Any], progress: Callable[[float], object]
    ) -> dict[str, Any]:
        """Send a file; returns the contribution that the server makes of it.

        ``progress`` is told at the beginning, too: there above 0 where an upload is gone on with.
        """
        size = path.stat().st_size
        note = self._note(path, size, options)
        place, offset = self._resumed(note)
        if place is None:
            place, offset = self._begun(path, size, options), 0
            note.parent.mkdir(parents=True, exist_ok=True)
            note.write_bytes(orjson.dumps({"place": place}))
        progress(offset / max(size, 1))  # not at 0: it goes on
        with path.open("rb") as file:
            found = self._pieces(file, place, offset, size, progress)
        note.unlink(missing_ok=True)
        taken: dict[str, Any] = found.json()
        return taken

    def _pieces(
        self, file: Any, place: str, offset: int, size: int, progress: Callable[[float], object]
    ) -> Answer:
        broken = 0
        while True:
            file.seek(offset)
            headers = {"Content-Type": _TYPE, "Upload-Offset": str(offset), "Tus-Resumable": "1.0.0"}
            try:
                found = self._line.ask("PATCH", place, None, file.read(PIECE), headers, again=False)
            except ClientError as error:
                broken += 1
                if error.status not in (0, _CONFLICT) or broken >= TRIES:
                    raise
                self._pause(0.5 * 2**broken)
                offset = self._offset(place)
                continue
            broken, offset = 0, int(found.headers["upload-offset"])
            progress(offset / size)
            if offset == size:
                return found

    def _begun(self, path: Path, size: int, options: dict[str, Any]) -> str:
        headers = {"Upload-Length": str(size), "Tus-Resumable": "1.0.0"}
        query = {"filename": path.name, **options}
        answer = self._line.ask("POST", "/contributions/uploads", query, headers=headers, again=False)
        return answer.headers["location"]

    def _resumed(self, note: Path) -> tuple[str | None, int]:
        """Where an upload that was interrupted goes on; None where the server has none."""
        try:
            place = str(orjson.loads(note.read_bytes())["place"])
            return place, self._offset(place)
        except (OSError, orjson.JSONDecodeError, KeyError, TypeError):
            return None, 0
        except ClientError as error:
            if error.status != _NOT_THERE:
                raise
            return None, 0

    def _offset(self, place: str) -> int:
        return int(self._line.ask("HEAD", place).headers["upload-offset"])

    def _note(self, path: Path, size: int, options: dict[str, Any]) -> Path:
        """The note of this file as it is now, for this server, with these options."""
        said = [self._line.base, str(path.resolve()), size, path.stat().st_mtime_ns, options]
        content = orjson.dumps(said, option=orjson.OPT_SORT_KEYS)
        return self._notes / f"{hashlib.sha256(content).hexdigest()[:32]}.json"
