"""A layer of a vector tile: Mapbox Vector Tile specification 2.1, section 4."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from tiles.addresses import ID_HASH, ROWS, source, uint64_view
from tiles.arrays import Rows
from tiles.buffers import with_room
from tiles.geometry.quantise import frame
from tiles.grid import Tile
from tiles.mvt.shapes import LINE, POINT, Shapes, shapes
from tiles.mvt.values import NO_VALUE, Values, layer_values
from tiles.mvt.wire import VARINT_ROOM, put_bytes, put_varint, varint_length, zigzag

TOLERANCE = 0.5
"""Of simplification, in tile units."""

MAX_EXTENT = 1 << 16

_MOVE_TO, _LINE_TO, _CLOSE_PATH = 1, 2, 15
_ID_MASK = (1 << 53) - 1  # numbers that JavaScript can hold


@njit(nogil=True, cache=True)
def _put_path(
    out: NDArray[np.uint8],
    at: int,
    xy: NDArray[np.int32],
    first: int,
    last: int,
    moves: int,
    cursor: NDArray[np.int64],
) -> int:
    """Write the vertices ``first:last``, the first ``moves`` of them as a MoveTo."""
    for i in range(first, last):
        if i == first:
            at = put_varint(out, at, (moves << 3) | _MOVE_TO)
        elif i == first + moves:
            at = put_varint(out, at, ((last - first - moves) << 3) | _LINE_TO)
        x, y = int(xy[i, 0]), int(xy[i, 1])
        at = put_varint(out, at, zigzag(x - cursor[0]))
        at = put_varint(out, at, zigzag(y - cursor[1]))
        cursor[0], cursor[1] = x, y
    return at


@njit(nogil=True, cache=True)
def put_geometry(
    out: NDArray[np.uint8],
    kind: int,
    xy: NDArray[np.int32],
    ring_starts: NDArray[np.int32],
    first_ring: int,
    last_ring: int,
) -> int:
    """Write the commands of a feature from the start of ``out``; the number of bytes."""
    at = 0
    cursor = np.zeros(2, np.int64)
    for ring in range(first_ring, last_ring):
        first, last = int(ring_starts[ring]), int(ring_starts[ring + 1])
        moves = last - first if kind == POINT else 1
        at = _put_path(out, at, xy, first, last, moves, cursor)
        if kind != POINT and kind != LINE:
            at = put_varint(out, at, _CLOSE_PATH)
    return at


@njit(nogil=True, cache=True)
def _tags_length(numbers: NDArray[np.int32], feature: int) -> int:
    length = 0
    for c in range(numbers.shape[0]):
        number = int(numbers[c, feature])
        if number != NO_VALUE:
            length += varint_length(c) + varint_length(number)
    return length


@njit(nogil=True, cache=True)
def _put_tags(
    out: NDArray[np.uint8], at: int, numbers: NDArray[np.int32], feature: int, length: int
) -> int:
    if length == 0:
        return at
    out[at] = 0x12
    at = put_varint(out, at + 1, length)
    for c in range(numbers.shape[0]):
        number = int(numbers[c, feature])
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
    numbers: NDArray[np.int32],
    feature: int,
    commands: NDArray[np.uint8],
    commands_length: int,
) -> int:
    """Write one feature; ``out`` has room for it."""
    tags = _tags_length(numbers, feature)
    length = 1 + varint_length(identity) + 2 + 1 + varint_length(commands_length) + commands_length
    if tags > 0:
        length += 1 + varint_length(tags) + tags
    out[at] = 0x12
    at = put_varint(out, at + 1, length)
    out[at] = 0x08
    at = put_varint(out, at + 1, identity)
    at = _put_tags(out, at, numbers, feature, tags)
    out[at], out[at + 1], out[at + 2] = 0x18, kind, 0x22
    at = put_varint(out, at + 3, commands_length)
    return put_bytes(out, at, commands, 0, commands_length)


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
def write_layer(
    head: NDArray[np.uint8],
    identities: NDArray[np.int64],
    shapes: Shapes,
    values: Values,
    numbers: NDArray[np.int32],
) -> Any:
    """Write the fields of a layer: ``head`` as it is, then features and values.

    Returns
    -------
    (bytes, how many of them are used).
    """
    fixed = numbers.shape[0] * 2 * VARINT_ROOM + 8 * VARINT_ROOM
    out = np.empty(len(head) + 64 * len(identities) + values.ends[values.count[0]] + 1024, np.uint8)
    commands = np.empty(4096, np.uint8)
    at = put_bytes(out, 0, head, 0, len(head))
    for feature in range(len(identities)):
        first, last = shapes.feature_starts[feature], shapes.feature_starts[feature + 1]
        vertices = int(shapes.ring_starts[last]) - shapes.ring_starts[first]
        # two varints of at most 5 bytes for a vertex; three commands for a ring
        commands = with_room(commands, 0, 10 * vertices + 15 * int(last - first))
        kind = int(shapes.types[feature])
        length = put_geometry(commands, kind, shapes.xy, shapes.ring_starts, first, last)
        out = with_room(out, at, fixed + length)
        at = _put_feature(out, at, identities[feature], kind, numbers, feature, commands, length)
    size = values.ends[values.count[0]]
    out = with_room(out, at, size)
    return out, put_bytes(out, at, values.encoded, 0, size)


def _start(tag: int, length: int) -> bytes:
    """The start of a field of a number of bytes."""
    start = bytearray([tag])
    while length >= 128:
        start.append(length & 127 | 128)
        length >>= 7
    start.append(length)
    return bytes(start)


def _field(tag: int, content: bytes) -> bytes:
    return _start(tag, len(content)) + content


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
        Leave out vertices that move a line by less than half a unit; the ends of lines stay.
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
    made = shapes(
        read, frame(place, extent, buffer), tolerance=TOLERANCE if simplify else 0.0, limit=limit
    )
    if not len(made.positions):
        return b""
    values, numbers = layer_values(read.columns, read.starts, read.numbers, made.positions)
    identities = _identities(read.tables, read.starts, read.numbers, made.positions)
    out, length = write_layer(
        _head(name, extent, tuple(columns)), identities, made, Values(*values), numbers
    )
    return _start(0x1A, length) + out[:length].tobytes()
