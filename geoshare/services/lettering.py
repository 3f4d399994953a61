"""Letters on the disk: what took a fraction of a second to draw is drawn once, and not once a process.

A file lies under the name of all that decides its bytes: the font's content, the code that draws, and
the versions of what draws for it. So no file is ever wrong, and none is replaced by another one. What
the disk does not take is drawn again; a file that is torn is, too. The folder can be deleted at any
time.
"""

from __future__ import annotations

import logging
import secrets
import shutil
from contextlib import suppress
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Final

import scipy
from blake3 import blake3
from PIL import __version__ as pillow_version
from PIL import features

from geoshare.extracts.maps import glyphs as drawing
from geoshare.extracts.maps.fonts import font_file

FOLDER: Final = "cache/glyphs"  # in the data folder
GENERATIONS: Final = 2  # of code or fonts, each with a folder for each font, that stay
_CHECK: Final = 16  # bytes before the letters that tell whether all of them are there
_log = logging.getLogger(__name__)


class Lettering:
    """Ranges of letters, from the disk where they have been drawn before."""

    def __init__(self, data: Path) -> None:
        self._folder = data / FOLDER

    def letters(self, font: str, first: int) -> bytes:
        """The letters of 256 characters of a font; see ``extracts.maps.glyphs``, also for errors."""
        path = self._folder / _generation(font) / f"{first}.pbf"
        kept = _read(path)
        if kept is not None:
            return kept
        made = drawing.glyphs(font, first)
        try:
            self._keep(path, made)
        except OSError as error:  # full, read-only, or swept away at this moment
            _log.warning("letters are not kept: %s", error)
        return made

    def _keep(self, path: Path, made: bytes) -> None:
        """Write aside and rename: several processes may draw the same letters at once."""
        if not path.parent.is_dir():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._sweep()
        aside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        try:
            aside.write_bytes(_check(made) + made)
            aside.replace(path)
        finally:
            aside.unlink(missing_ok=True)

    def _sweep(self) -> None:
        """Leave the newest folders alone: each holds at most 256 files, some 20 MB together."""
        found: list[tuple[int, Path]] = []
        for path in self._folder.iterdir():
            with suppress(FileNotFoundError):
                found.append((path.stat().st_mtime_ns, path))
        for _, path in sorted(found)[: -GENERATIONS * len(drawing.FONTS)]:
            shutil.rmtree(path, ignore_errors=True)


def _read(path: Path) -> bytes | None:
    """What a file holds; None where it is missing, cannot be read, or is not whole."""
    try:
        said = path.read_bytes()
    except OSError:
        return None
    made = said[_CHECK:]
    return made if said[:_CHECK] == _check(made) else None


def _check(made: bytes) -> bytes:
    digest: bytes = blake3(made).digest(_CHECK)
    return digest


@lru_cache(maxsize=len(drawing.FONTS))
def _generation(font: str) -> str:
    """A name of the font's content and of the code: other ones have another name."""
    content = font_file(drawing.FONTS[font]).getvalue()
    code = (files("geoshare.extracts.maps") / "glyphs.py").read_bytes()
    versions = [pillow_version, features.version("freetype2") or "", scipy.__version__]
    parts = [content, code, *(said.encode() for said in (*versions, font))]
    found: str = blake3(b"".join(blake3(part).digest() for part in parts)).hexdigest(16)
    return found
