"""GeoJSON features that are called one thing by their ``id`` member and another by ``properties.id``.

GDAL hands over one of the two without a word. Which one a provider goes by decides what its next file
replaces, so it is told where they differ. The text is looked through token by token, whatever its size:
nothing of it is kept but the ids of the feature at hand.
"""

from __future__ import annotations

import mmap
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

import orjson

from geoshare.model.findings import Finding

RULE: Final = "geoshare:geojson.id_contradicts"
_NUMBER: Final = b"-0123456789"
_EACH: Final = 20  # told one by one; of the others how many there are
_TOKEN: Final = re.compile(
    rb'"coordinates"\s*:\s*(?:[\[\]\d\s,.eE+-]*+)'  # no token of its own: most of a file is this
    rb'|"(?P<key>(?:[^"\\]|\\.)*+)"\s*:'
    rb'|(?P<value>"(?:[^"\\]|\\.)*+"|-?\d[\d.eE+-]*+|true|false|null)'
    rb"|(?P<open>[\[{])|(?P<close>[\]}])"
)


@dataclass(slots=True)
class _Level:
    """An object or array that is open."""

    feature: _Level | None = None  # whose properties it is
    within: bool = False  # in the properties of a feature, at any depth
    key: bytes = b""
    id: str | None = None
    own_id: str | None = None  # of its properties


@dataclass(slots=True)
class _Member:
    """An object or array that is open, as far as ids of features are looked for."""

    within: bool = False  # a geometry or properties, at any depth
    feature: bool = False
    key: bytes = b""
    id: tuple[int, int] | None = None  # where it stands


def contradictions(path: Path) -> Iterator[tuple[str, str]]:
    """Both ids, the feature's and that of its properties, of each feature whose ids differ."""
    if not path.stat().st_size:
        return
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as text:
        stack = [_Level()]
        for token in _TOKEN.finditer(text):
            kind = token.lastgroup
            level = stack[-1]
            if kind == "key":
                level.key = token["key"]
            elif kind == "value":
                if level.key == b"id":
                    _note(level, token["value"])
                level.key = b""
            elif kind == "open":
                stack.append(_opened(level, token["open"] == b"{"))
                level.key = b""
            elif kind == "close" and len(stack) > 1:
                stack.pop()
                if level.id is not None and level.own_id is not None and level.id != level.own_id:
                    yield level.id, level.own_id


def id_findings(path: Path) -> list[Finding]:
    """What is to be told of a GeoJSON file whose features have two ids each that differ."""
    found: list[Finding] = []
    more = 0
    for outer, inner in contradictions(path):
        if len(found) == _EACH:
            more += 1
            continue
        found.append(
            Finding(
                RULE,
                "warning",
                f"feature/{inner}",
                f"The feature's id is {outer!r}, and the id among its properties is {inner!r}: "
                "it is known by the one among its properties.",
                f"地物のidは「{outer}」ですが、属性のidは「{inner}」です。属性のidで識別します。",
            )
        )
    if more:
        found.append(
            Finding(
                RULE,
                "warning",
                "file",
                f"The ids of {more} more features differ from those among their properties.",
                f"ほか{more}件の地物でも、idと属性のidが異なります。",
            )
        )
    return found


def named_by_text(path: Path, folder: Path) -> Path:
    """The file, or a copy in a folder in which features are named by text where it has numbers.

    GDAL makes row numbers of numbers: of two features with one number the second gets another, and
    those of a file without any cannot be told from them. The first feature that has an id decides.
    """
    with path.open("rb") as file:
        if not path.stat().st_size or not _numbered(file):
            return path
    copy = folder / "named" / path.name
    copy.parent.mkdir(parents=True, exist_ok=True)
    with (
        path.open("rb") as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as text,
        copy.open("wb") as out,
    ):
        after = 0
        for start, stop in _feature_ids(text):
            if text[start : start + 1] in _NUMBER:
                out.write(text[after:start] + b'"' + text[start:stop] + b'"')
                after = stop
        out.write(text[after:])
    return copy


def _numbered(file: BinaryIO) -> bool:
    """Whether the first id of a feature is a number."""
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as text:
        first = next(_feature_ids(text, only_first=True), None)
        return first is not None and text[first[0] : first[0] + 1] in _NUMBER


def _feature_ids(text: mmap.mmap, *, only_first: bool = False) -> Iterator[tuple[int, int]]:
    """Where the ids of features stand: those of objects that have a geometry or properties beside.

    With ``only_first`` those of the first feature alone, or nothing.
    """
    stack = [_Member()]
    for token in _TOKEN.finditer(text):
        kind, level = token.lastgroup, stack[-1]
        if kind == "key":
            level.key = token["key"]
            level.feature |= level.key in (b"geometry", b"properties")
        elif kind == "value":
            if level.key == b"id":
                level.id = token.span("value")
            level.key = b""
        elif kind == "open":
            stack.append(_Member(within=level.within or level.key in (b"properties", b"geometry")))
            level.key = b""
        elif kind == "close" and len(stack) > 1:
            stack.pop()
            if level.feature and not level.within:
                if level.id is not None:
                    yield level.id
                if only_first:
                    return


def _opened(level: _Level, is_object: bool) -> _Level:
    if level.within:
        return _Level(within=True)
    if is_object and level.key == b"properties":
        return _Level(feature=level, within=True)
    return _Level()


def _note(level: _Level, said: bytes) -> None:
    try:
        value = orjson.loads(said)
    except orjson.JSONDecodeError:  # the reader says what is wrong with the file
        return
    if value is None or value == "":
        return
    text = str(value)
    if level.feature is not None:
        level.feature.own_id = text
    elif not level.within:
        level.id = text
