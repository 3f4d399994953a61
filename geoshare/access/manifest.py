"""View manifests: which files make up a view, and what it says of itself."""

from __future__ import annotations

import hashlib
import mmap
import os
import secrets
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson

from geoshare.access.changes import Step
from geoshare.errors import Unavailable
from geoshare.model.box import Box
from geoshare.model.collections import check_name
from tiles.pack import PartInfo
from tiles.pack.bits import Bits

FORMAT: Final = 3


@dataclass(frozen=True, slots=True)
class ViewPart:
    """One part file of a view and the rows of it that are shown."""

    path: str  # under the packs folder (base parts) or the views folder (overlay parts)
    info: PartInfo
    bits: tuple[int, int] | None  # first byte and length in the selection file; None: all rows

    # Of a base part also rows are set that a later part hides; of an overlay part only living ones.


@dataclass(frozen=True, slots=True)
class ViewManifest:
    """What a worker needs to open a view; everything in it is computed from visible rows."""

    collection: str
    kind: str  # vector, raster or cube
    schema: dict[str, Any]  # of the collection, hidden properties left out
    columns: tuple[str, ...]
    kinds: dict[str, str]
    unchanged: tuple[str, ...] = ()  # columns that every row has as they are
    nulled: tuple[str, ...] = ()  # columns that are null in every row of the base parts
    selection: str = ""  # file of bitmaps
    base: tuple[ViewPart, ...] = ()
    overlay: tuple[ViewPart, ...] = ()
    count: int = 0
    extent: Box | None = None
    time_extent: tuple[int | None, int | None] | None = None
    token: str = ""
    steps: tuple[Step, ...] = ()  # the last changes of what is shown, the newest last
    assets: tuple[dict[str, Any], ...] = ()  # rasters, each with its limits
    source: dict[str, Any] = field(default_factory=dict)  # the pack's version, for the keeper alone

    @property
    def files(self) -> set[str]:
        """Names of the view's own files."""
        return {part.path.rpartition("/")[2] for part in self.overlay} | {self.selection}


def manifest_path(views_dir: Path, policy_hash: str, collection: str) -> Path:
    """Where the manifest of a view lies; BadRequest for what cannot be a collection's name."""
    return views_dir / policy_hash / f"{check_name(collection)}.json"


def whole_path(views_dir: Path, policy_hash: str) -> Path:
    """The mark that every view of a policy that could be made has been made once."""
    return views_dir / policy_hash / "whole"


def write_manifest(path: Path, manifest: ViewManifest) -> None:
    """Replace a manifest in one step."""
    said = {item.name: getattr(manifest, item.name) for item in fields(manifest)}
    write_aside(path, orjson.dumps({"format": FORMAT, **said}, default=_plain))


def read_manifest(path: Path) -> ViewManifest:
    """Read a manifest.

    Raises
    ------
    FileNotFoundError
        where no view has been built.
    Unavailable
        where the file is of another version: the keeper will write it anew.
    """
    said = orjson.loads(path.read_bytes())
    if said.pop("format", None) != FORMAT:
        raise Unavailable("The view is being prepared.", retry_after_s=1)
    said["extent"] = None if said["extent"] is None else Box(*said["extent"])
    said["steps"] = tuple(Step(step["token"], step["boxes"]) for step in said["steps"])
    said["time_extent"] = None if said["time_extent"] is None else tuple(said["time_extent"])
    for name in ("columns", "unchanged", "nulled", "assets"):
        said[name] = tuple(said[name])
    for name in ("base", "overlay"):
        said[name] = tuple(
            ViewPart(
                part["path"],
                PartInfo.from_json(part["info"]),
                None if part["bits"] is None else tuple(part["bits"]),
            )
            for part in said[name]
        )
    return ViewManifest(**said)


def named_parts(views_dir: Path) -> set[str]:
    """Paths, under the packs folder, of parts that some view names; an unreadable view names none."""
    found: set[str] = set()
    for path in views_dir.glob("*/*.json"):
        with suppress(OSError, ValueError, KeyError, TypeError, Unavailable):
            found |= {part.path for part in read_manifest(path).base}
    return found


def write_bits(folder: Path, bitmaps: Sequence[Bits]) -> tuple[str, list[tuple[int, int] | None]]:
    """Write bitmaps into one file named after its content.

    Returns
    -------
    The file's name, and where in it each bitmap lies (None for one without bytes: all rows).
    """
    places: list[tuple[int, int] | None] = []
    end = 0
    for bits in bitmaps:
        places.append((end, len(bits)) if len(bits) else None)
        end += len(bits)
    content = b"".join(bits.tobytes() for bits in bitmaps)
    name = _name(content)
    if not (folder / name).exists():
        write_aside(folder / name, content)
    return name, places


def map_bits(path: Path) -> Bits:
    """All bitmaps of a selection file, where they lie in the mapped file.

    Raises
    ------
    Unavailable
        where the file is not what its name says, after a power cut for example.
    """
    content = np.zeros(0, np.uint8)
    if path.stat().st_size:
        with open(path, "rb") as file:
            content = np.frombuffer(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ), np.uint8)
    if _name(content.data) != path.name:
        raise Unavailable("The view is being prepared.", retry_after_s=1)
    return content


def bits_at(content: Bits, places: Sequence[tuple[int, int] | None]) -> list[Bits | None]:
    """Bitmaps at some places of a selection file, None where all rows are shown."""
    found: list[Bits | None] = []
    for place in places:
        if place is None:
            found.append(None)
            continue
        bits = content[place[0] : place[0] + place[1]]
        if len(bits) != place[1]:
            raise Unavailable("The view is being prepared.", retry_after_s=1)
        found.append(bits)
    return found


def _name(content: bytes | memoryview) -> str:
    return hashlib.blake2b(content, digest_size=12).hexdigest() + ".bits"


def write_aside(path: Path, content: bytes) -> None:
    """Write a file that appears whole or not at all.

    The disk is not waited for: what a power cut tears is noticed when it is read, and made again.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with open(aside, "wb") as file:
            file.write(content)
        os.replace(aside, path)
    finally:
        aside.unlink(missing_ok=True)


def _plain(value: object) -> object:
    if isinstance(value, tuple):  # a named one, e.g. a box
        return list(value)
    raise TypeError(f"{type(value).__name__} in a manifest")
