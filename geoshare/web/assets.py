"""The built scripts, styles and fonts straight from memory: the same for everybody, for a year.

Their names carry a hash of their content, so that nothing about them has to be looked up. They need
no credential and count for nobody: thousands of phones behind one address fetch them at once.
"""

from __future__ import annotations

import mimetypes
import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

from werkzeug.datastructures import Accept
from werkzeug.http import parse_accept_header

Environ = dict[str, Any]
Wsgi = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]
Found = tuple[list[tuple[str, str]], bytes]

PREFIX: Final = "/map/assets/"
FOLDER: Final = Path(__file__).parent / "dist" / "assets"
CODINGS: Final = (("br", ".br"), ("gzip", ".gz"))
MAX_FILE, MAX_KEPT = 2_000_000, 16_000_000  # bytes
MAX_HEADER: Final = 500
_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,120}")


class Assets:
    """WSGI in front of the application; what it does not know is handed on."""

    def __init__(self, app: Wsgi, folder: Path = FOLDER) -> None:
        self._app = app
        self._folder = folder
        self._kept: OrderedDict[tuple[str, str], Found] = OrderedDict()
        self._used = 0
        self._lock = threading.Lock()

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer a plain request for a built file."""
        path = environ["PATH_INFO"]
        if not path.startswith(PREFIX) or environ["REQUEST_METHOD"] != "GET" or "HTTP_RANGE" in environ:
            return self._app(environ, start_response)
        found = self._find(path.removeprefix(PREFIX), environ.get("HTTP_ACCEPT_ENCODING", ""))
        if found is None:
            return self._app(environ, start_response)
        headers, content = found
        start_response("200 OK", list(headers))
        return [content]

    def _find(self, name: str, accepts: str) -> Found | None:
        key = name, accepts
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
                return found
        if not _NAME.fullmatch(name) or name.endswith(tuple(ending for _, ending in CODINGS)):
            return None
        found = self._read(name, accepts)
        if found is not None and len(accepts) <= MAX_HEADER:
            self._keep(key, found)
        return found

    def _read(self, name: str, accepts: str) -> Found | None:
        said = parse_accept_header(accepts[:MAX_HEADER], Accept)
        wanted = [(coding, ending) for coding, ending in CODINGS if said.quality(coding) > 0]
        wanted.sort(key=lambda pair: -said.quality(pair[0]))
        for coding, ending in (*wanted, ("", "")):
            file = self._folder / (name + ending)
            try:
                if file.stat().st_size > MAX_FILE:
                    return None
                content = file.read_bytes()
            except OSError:
                continue
            headers = [
                ("Content-Type", mimetypes.guess_type(name)[0] or "application/octet-stream"),
                ("Content-Length", str(len(content))),
                ("Cache-Control", "public, max-age=31536000, immutable"),
                ("Vary", "Accept-Encoding"),
                ("X-Content-Type-Options", "nosniff"),
                ("Cross-Origin-Resource-Policy", "same-origin"),
            ]
            return ([*headers, ("Content-Encoding", coding)] if coding else headers), content
        return None

    def _keep(self, key: tuple[str, str], found: Found) -> None:
        with self._lock:
            if key in self._kept:
                return
            self._kept[key] = found
            self._used += len(found[1])
            while self._used > MAX_KEPT:
                _, (_, gone) = self._kept.popitem(last=False)
                self._used -= len(gone)
