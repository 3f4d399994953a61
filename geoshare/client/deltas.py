"""The next version of files by its new blocks: what is here already is not fetched again.

The archives of road maps have an index of blocks (:mod:`geoshare.model.blocks`). The blocks that no
file here has are asked for by ranges of the archive; every file that is put together has the SHA-256
that the server says.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from geoshare.client.http import ClientError, Http
from geoshare.errors import BadData
from geoshare.model.blocks import Stored, blocks, name_of, read_comment, read_index

_TAIL: Final = 128  # bytes, which hold the comment of an archive
_WORTH: Final = 0.6  # of an archive: who needs more of it takes all of it
_MOST_REQUESTS: Final = 24
_GAP: Final = 256  # bytes between two ranges that are fetched as one
_PARTIAL: Final = 206


class _Place(NamedTuple):
    path: Path
    at: int
    length: int


class _Range(NamedTuple):
    first: int
    end: int  # behind the last byte


def rebuilt(line: Http, href: str, here: Iterable[Path], folder: Path) -> bool:
    """Put the files of an archive together in a folder, of blocks that are here and new ones.

    Parameters
    ----------
    href
        Address of the archive.
    here
        Files of an older version.

    Returns
    -------
    False where that is not worth it (most of it is new, or the archive has no index): then the folder
    is as it was.

    Raises
    ------
    ClientError
        where the server refuses, or what it sends is not what its index says.
    """
    found = _index(line, href)
    if found is None:
        return False
    files, size = found
    known = {name: place for path in here for name, place in _known(path)}
    wanted = {name: span for file in files for name, span in _spans(file) if name not in known}
    ranges = _joined(sorted(wanted.values()))
    if sum(end - first for first, end in ranges) > _WORTH * size:
        return False
    fetched = {span.first: _fetched(line, href, span) for span in ranges}
    new = {name: _unpacked(fetched, span) for name, span in wanted.items()}
    for file in files:
        _put_together(folder / file.name, file, known, new)
    return True


def _index(line: Http, href: str) -> tuple[list[Stored], int] | None:
    tail = line.ask("GET", href, headers=_range(f"-{_TAIL}"))
    place = read_comment(tail.body)
    size = tail.headers.get("content-range", "").rpartition("/")[2]
    if tail.status != _PARTIAL or place is None or not size.isdigit():
        return None
    try:
        return read_index(_fetched(line, href, _Range(place[0], sum(place)))), int(size)
    except BadData:
        return None


def _range(text: str) -> dict[str, str]:
    return {"Range": f"bytes={text}", "Accept-Encoding": "identity"}


def _fetched(line: Http, href: str, span: _Range) -> bytes:
    found = line.ask("GET", href, headers=_range(f"{span.first}-{span.end - 1}"))
    if found.status != _PARTIAL or len(found.body) != span.end - span.first:
        raise ClientError("The server did not send the part of the file that was asked for")
    return found.body


def _known(path: Path) -> Iterator[tuple[str, _Place]]:
    """The blocks of a file that is here."""
    at = 0
    try:
        with path.open("rb") as file:
            for block in blocks(file):
                yield name_of(block), _Place(path, at, len(block))
                at += len(block)
    except FileNotFoundError:
        return


def _spans(file: Stored) -> Iterator[tuple[str, _Range]]:
    """Where the blocks of a file lie in its archive."""
    at = file.at
    for name, _, packed in file.blocks:
        yield name, _Range(at, at + packed)
        at += packed


def _joined(spans: list[_Range]) -> list[_Range]:
    """Ranges that hold the spans: few, and with little between that is not asked for."""
    gap = _GAP
    while True:
        found: list[_Range] = []
        for span in spans:
            if found and span.first - found[-1].end <= gap:
                found[-1] = _Range(found[-1].first, max(span.end, found[-1].end))
            else:
                found.append(span)
        if len(found) <= _MOST_REQUESTS:
            return found
        gap *= 2


def _unpacked(fetched: dict[int, bytes], span: _Range) -> bytes:
    first = max(at for at in fetched if at <= span.first)
    packed = fetched[first][span.first - first : span.end - first]
    try:
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(packed)
    except zlib.error as error:
        raise ClientError("A part of the file that arrived is broken") from error


def _put_together(path: Path, file: Stored, known: dict[str, _Place], new: dict[str, bytes]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = hashlib.sha256()
    with path.open("wb") as out:
        for name, length, _ in file.blocks:
            block = new[name] if name in new else _read(known[name])
            if len(block) != length:
                break
            whole.update(block)
            out.write(block)
    if whole.hexdigest() != file.sha256:
        raise ClientError(f"{file.name} could not be put together")


def _read(place: _Place) -> bytes:
    with place.path.open("rb") as file:
        file.seek(place.at)
        return file.read(place.length)
