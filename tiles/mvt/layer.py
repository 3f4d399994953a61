"""A layer of a vector tile: Mapbox Vector Tile specification 2.1, section 4."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from tiles.addresses import ID_HASH, ROWS, borrowed, source, uint64_view
from tiles.arrays import Rows
from tiles.buffers import with_room
from tiles.geometry.quantise import frame
from tiles.grid import Tile
from tiles.mvt.columns import layer_values
from tiles.mvt.shapes import POINT, POLYGON, Shapes, shapes
from tiles.mvt.values import NO_VALUE
from tiles.mvt.wire import VARINT_ROOM, put_bytes, put_varint, varint_length, zigzag

MAX_EXTENT = 1 << 16

START_BYTES = 4096
START_ROOM = 1 + VARINT_ROOM
"""Bytes before a layer for its own tag and length, which is known last."""
HEAD_ROOM = 5 * VARINT_ROOM
"""Bytes of a feature besides its tags and commands."""

_MOVE_TO, _LINE_TO, _CLOSE_PATH = 1, 2, 15
_ID_MASK = (1 << 53) - 1  # numbers that JavaScript can hold


@njit(nogil=True, cache=True)
def put_geometry(
    out: NDArray[np.uint8],
    at: int,
    kind: int,
    xy: NDArray[np.int32],
    ring_starts: NDArray[np.int32],
    rings: tuple[int, int],
) -> int:
    """Write the commands of a feature of the rings ``rings[0]:rings[1]``; return the place after."""
    x, y = 0, 0
    for ring in range(rings[0], rings[1]):
        first, last = ring_starts[ring], ring_starts[ring + 1]
        # all points of a feature are one MoveTo; of a line or ring only the first vertex is
        moves = last - first if kind == POINT else 1
        at = put_varint(out, at, (moves << 3) | _MOVE_TO)
        for i in range(first, last):
            if i == first + moves:
                at = put_varint(out, at, ((last - first - moves) << 3) | _LINE_TO)
            at = put_varint(out, at, zigzag(xy[i, 0] - x))
            at = put_varint(out, at, zigzag(xy[i, 1] - y))
            x, y = xy[i, 0], xy[i, 1]
        if kind == POLYGON:
            at = put_varint(out, at, _CLOSE_PATH)
    return at


@njit(nogil=True, cache=True)
def _put_tags(out: NDArray[np.uint8], at: int, numbers: NDArray[np.int32], feature: int) -> int:
    """Write pairs of the number of a key and the number of its value."""
    for c in range(numbers.shape[0]):
        number = numbers[c, feature]
        if number != NO_VALUE:
            at = put_varint(out, at, c)
            at = put_varint(out, at, number)
    return at


@njit(nogil=True, cache=True)
def _put_feature(
    out: NDArray[np.uint8],
    at: int,
    identity: int,
    kind: int,
    body: NDArray[np.uint8],
    tags: int,
    length: int,
) -> int:
    """Write one feature whose tags are ``body[:tags]`` and commands ``body[tags:length]``."""
    commands = length - tags
    size = 1 + varint_length(identity) + 2 + 1 + varint_length(commands) + commands
    if tags > 0:
        size += 1 + varint_length(tags) + tags
    out[at] = 0x12
    at = put_varint(out, at + 1, size)
    out[at] = 0x08
    at = put_varint(out, at + 1, identity)
    if tags > 0:
        out[at] = 0x12
        at = put_varint(out, at + 1, tags)
        at = put_bytes(out, at, body, 0, tags)
    out[at], out[at + 1], out[at + 2] = 0x18, kind, 0x22
    at = put_varint(out, at + 3, commands)
    return put_bytes(out, at, body, tags, length)


@njit(nogil=True, cache=True)
def _body_room(shapes: Shapes, n_columns: int, feature: int) -> int:
    """Bytes that tags and commands of a feature take at most."""
    first, last = shapes.feature_starts[feature], shapes.feature_starts[feature + 1]
    vertices = shapes.ring_starts[last] - shapes.ring_starts[first]
    # a vertex is two varints of at most 5 bytes, a ring has three commands of at most 5
    return 10 * vertices + 15 * (last - first) + 2 * VARINT_ROOM * n_columns


@njit(nogil=True, cache=True)
def _put_features(
    out: NDArray[np.uint8],
    at: int,
    body: NDArray[np.uint8],
    begin: int,
    identities: NDArray[np.int64],
    shapes: Shapes,
    numbers: NDArray[np.int32],
) -> tuple[int, int]:
    """Write features from ``begin`` until one has no room; (where it stopped, the place after)."""
    xy, ring_starts, n_columns = shapes.xy, shapes.ring_starts, numbers.shape[0]
    for feature in range(begin, len(identities)):
        room = _body_room(shapes, n_columns, feature)
        if room > len(body) or at + room + HEAD_ROOM > len(out):
            return feature, at
        kind = int(shapes.types[feature])
        rings = (shapes.feature_starts[feature], shapes.feature_starts[feature + 1])
        tags = _put_tags(body, 0, numbers, feature)
        length = put_geometry(body, tags, kind, xy, ring_starts, rings)
        at = _put_feature(out, at, identities[feature], kind, body, tags, length)
    return len(identities), at


@njit(nogil=True, cache=True)
def _identities(
    tables: NDArray[np.int64],
    starts: NDArray[np.int64],
    numbers: NDArray[np.int32],
    positions: NDArray[np.int32],
) -> NDArray[np.int64]:
    """The MVT id of each feature."""
    out = np.empty(len(positions), np.int64)
    t = 0
    for i in range(len(positions)):
        while positions[i] >= starts[t + 1]:
            t += 1
        hashes = uint64_view(tables[t, ID_HASH], tables[t, ROWS])
        out[i] = np.int64(hashes[numbers[positions[i]]] & np.uint64(_ID_MASK))
    return out


@njit(nogil=True, cache=True)
def _borrowed(shapes: Shapes) -> Shapes:
    return Shapes(
        borrowed(shapes.positions),
        borrowed(shapes.types),
        borrowed(shapes.suspects),
        borrowed(shapes.feature_starts),
        borrowed(shapes.ring_starts),
        borrowed(shapes.xy),
    )


@njit(nogil=True, cache=True)
def _write_fields(
    head: NDArray[np.uint8],
    identities: NDArray[np.int64],
    shapes: Shapes,
    values: NDArray[np.uint8],
    size: int,
    numbers: NDArray[np.int32],
) -> Any:
    """Write ``head`` as it is after ``START_ROOM`` free bytes, then features and ``values[:size]``.

    Returns
    -------
    (bytes, the place after the last).
    """
    n = len(identities)
    guess = START_ROOM + len(head) + size + (HEAD_ROOM + 2 * numbers.shape[0]) * n
    out = np.empty(guess + 4 * len(shapes.ring_starts) + 4 * shapes.ring_starts[-1], np.uint8)
    body = np.empty(START_BYTES, np.uint8)
    feature, lent = 0, _borrowed(shapes)
    at = put_bytes(out, START_ROOM, head, 0, len(head))
    while feature < n:
        feature, at = _put_features(
            borrowed(out), at, borrowed(body), feature, identities, lent, numbers
        )
        if feature < n:
            room = _body_room(shapes, numbers.shape[0], feature)
            body = with_room(body, 0, room)
            out = with_room(out, at, room + HEAD_ROOM)
    out = with_room(out, at, size)
    return out, put_bytes(out, at, values, 0, size)


@njit(nogil=True, cache=True)
def write_layer(
    head: NDArray[np.uint8],
    tables: NDArray[np.int64],
    columns: NDArray[np.int64],
    starts: NDArray[np.int64],
    rows: NDArray[np.int32],
    shapes: Shapes,
) -> Any:
    """Write the layer whose first fields are ``head``.

    Parameters
    ----------
    head
        Version, name, extent and keys.
    tables, columns, starts, rows
        As in ``addresses.Source``.
    shapes
        Features that leave something.

    Returns
    -------
    (bytes, the place of the layer's first, the place after its last).
    """
    values, size, numbers = layer_values(columns, starts, rows, shapes.positions)
    identities = _identities(tables, starts, rows, shapes.positions)
    out, end = _write_fields(head, identities, shapes, values, size, numbers)
    length = end - START_ROOM
    first = START_ROOM - 1 - varint_length(length)
    out[first] = 0x1A
    put_varint(out, first + 1, length)
    return out, first, end


def _field(tag: int, content: bytes) -> bytes:
    """A field of some bytes."""
    start, length = bytearray([tag]), len(content)
    while length >= 128:
        start.append(length & 127 | 128)
        length >>= 7
    start.append(length)
    return bytes(start) + content


@lru_cache(maxsize=1024)
def _head(name: str, extent: int, columns: tuple[str, ...]) -> NDArray[np.uint8]:
    """Version, name, extent and keys of a layer."""
    low, middle, high = extent & 127, extent >> 7 & 127, extent >> 14
    head = b"\x78\x02" + _field(0x0A, name.encode()) + bytes([0x28, low | 128, middle | 128, high])
    head += b"".join(_field(0x1A, column.encode()) for column in columns)
    return np.frombuffer(head, dtype=np.uint8).copy()


def encode_layer(
    name: str,
    rows: Rows,
    tile: tuple[int, int, int],
    *,
    columns: Sequence[str],
    extent: int = 4096,
    buffer: int = 64,
    simplify: bool = True,
    limit: int | None = None,
) -> bytes:
    """Write one layer of a vector tile. Layers one after the other make a tile.

    Parameters
    ----------
    name
        Of the layer.
    rows
        Features that may lie in the tile, in the order in which they are to stand there.
    tile
        (z, x, y).
    columns
        Names of the properties to write; ``id`` stands for the identity. Nulls, and numbers that
        are not finite, are left out. Times become RFC 3339 texts.
    extent, buffer
        Size of the tile, and how far beyond its edge features are kept, in tile units.
    simplify
        Leave out vertices that move a line by less than half a unit of 4096 to a tile. The ends of
        lines stay, and from zoom 12 on vertices where two of the lines meet.
    limit
        At most this many features: the first that leave anything in the tile.

    Returns
    -------
    The layer, empty where no feature leaves anything in the tile: lines and points outside,
    polygons and holes of less than one square unit.

    Raises
    ------
    ValueError
        There is no such tile, or extent or buffer is out of range.
    KeyError
        There is no such column.
    """
    place = Tile(*tile)
    if not place.exists:
        raise ValueError(f"there is no tile {tile}")
    if not (1 <= extent <= MAX_EXTENT and 0 <= buffer <= extent):
        raise ValueError(f"extent must be 1 to {MAX_EXTENT} and buffer 0 to extent")
    read = source(rows, columns)
    made = shapes(read, frame(place, extent, buffer), simplify=simplify, limit=limit)
    if not len(made.positions):
        return b""
    head = _head(name, extent, tuple(columns))
    out, first, end = write_layer(head, read.tables, read.columns, read.starts, read.numbers, made)
    written: bytes = out[first:end].tobytes()
    return written
