"""All tiles of views, from the whole world down, only where the views have rows."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from geoshare.access.view import View
from geoshare.model.box import Box
from geoshare.query.detail import EXTENT
from geoshare.query.tiles import BUFFER, Whole, never_whole, vector_tile
from tiles.archive import compressed, first_id, tiles_at
from tiles.grid import Tile, lon_lat_box_to_world

PARENTS = 8  # tiles whose children one thread makes at a time
_WAITING = 3  # batches of each thread that are under way or wait to be taken


class Batch(NamedTuple):
    """Some tiles of a zoom, in order.

    ``ids`` and ``tiles`` are those in which anything is, packed as an archive holds them; ``places``
    (n,) along the curve of the zoom are those that may have more below. ``looked_at`` counts all.
    ``zoom`` and ``done``, 0 to 1, say how far the zoom is.
    """

    ids: list[int]
    tiles: list[bytes]
    places: NDArray[np.int64]
    looked_at: int
    zoom: int
    done: float


def pyramid(
    views: Sequence[View],
    zooms: tuple[int, int],
    box: Box | None = None,
    threads: int = 2,
    whole: Whole = never_whole,
) -> Generator[Batch, None, None]:
    """Make all tiles in ascending order of their ids.

    Parameters
    ----------
    views
        In the order of the layers of each tile; tiles are those of ``vector_tile``.
    zooms
        The first and the last.
    box
        Only tiles that meet it; each is whole. Degrees.
    threads
        That make tiles at once. A few batches of each are held, and for one zoom at a time eight
        bytes for each tile in which rows are.
    whole
        As of ``vector_tile``.
    """
    world = None if box is None else lon_lat_box_to_world(*box)
    pool = ThreadPoolExecutor(threads, "pyramid")
    try:
        above = np.zeros(0, np.int64)
        for z in range(zooms[1] + 1):
            make = partial(_batch, views, z, z >= zooms[0], world, whole)
            below = []
            for batch in _in_order(pool, make, above, z, threads * _WAITING):
                yield batch
                below.append(batch.places)
            above = np.concatenate([np.zeros(0, np.int64), *below])
    finally:
        pool.shutdown(cancel_futures=True)


def _in_order(
    pool: ThreadPoolExecutor, make: partial[Batch], above: NDArray[np.int64], z: int, most: int
) -> Iterator[Batch]:
    """Make the tiles below others, batch by batch, a few ahead of the one that is taken."""
    waiting: deque[tuple[float, Future[Batch]]] = deque()
    for done, places in _families(above, z):
        waiting.append((done, pool.submit(make, places)))
        if len(waiting) >= most:
            yield _taken(*waiting.popleft())
    while waiting:
        yield _taken(*waiting.popleft())


def _taken(done: float, made: Future[Batch]) -> Batch:
    return made.result()._replace(done=done)


def _families(above: NDArray[np.int64], z: int) -> Iterable[tuple[float, NDArray[np.int64]]]:
    """Places of the children of a few tiles at a time, with the share of all of them."""
    if z == 0:
        yield 1.0, np.zeros(1, np.int64)
        return
    for first in range(0, len(above), PARENTS):
        parents = above[first : first + PARENTS]
        children = (parents[:, None] * 4 + np.arange(4)).reshape(-1)
        yield min(1.0, (first + PARENTS) / len(above)), children


def _batch(
    views: Sequence[View],
    z: int,
    wanted: bool,
    world: NDArray[np.int64] | None,
    whole: Whole,
    places: NDArray[np.int64],
) -> Batch:
    ids: list[int] = []
    tiles: list[bytes] = []
    going_on: list[int] = []
    for place, (x, y) in zip(places.tolist(), tiles_at(z, places).tolist(), strict=True):
        tile = Tile(z, x, y)
        if world is not None and not _meets(tile, world):
            continue
        content = vector_tile(views, z, x, y, whole=whole) if wanted else b""
        if content:
            ids.append(first_id(z) + place)
            tiles.append(compressed(content))
        if content or _has_rows(views, tile):
            going_on.append(place)
    return Batch(ids, tiles, np.array(going_on, np.int64), len(places), z, 0.0)


def _meets(tile: Tile, world: NDArray[np.int64]) -> bool:
    west, south, east, north = tile.world_box()
    return any(box[0] < east and box[2] >= west and box[1] < north and box[3] >= south for box in world)


def _has_rows(views: Sequence[View], tile: Tile) -> bool:
    """Whether a tile without visible features may have some below; with its buffer."""
    west, south, east, north = tile.world_box()
    margin = (east - west) * BUFFER // EXTENT + 1
    around = np.array([west - margin, south - margin, east + margin, north + margin], np.int64)
    return any(len(view.search(around, limit=1)) for view in views)
