"""The geometry of a tile: features clipped, rounded, simplified and repaired."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from tiles.addresses import (
    PART_STARTS,
    PARTS,
    RING_STARTS,
    RINGS,
    ROWS,
    TYPES,
    VERTEX_STARTS,
    VERTICES,
    WORLD_XY,
    Source,
    borrowed,
    int32_view,
    uint8_view,
    world_xy_view,
)
from tiles.buffers import pairs_with_room, with_room
from tiles.geometry.clip import clip_line, clip_ring
from tiles.geometry.quantise import NOWHERE, Frame, opened, quantise, to_tile_units
from tiles.geometry.repair import drop_spikes, is_suspect, repaired, replace_rings, turn, twice_area
from tiles.geometry.simplify import simplify_line, simplify_ring

POINT, LINE, POLYGON = 1, 2, 3
"""Geometry types of MVT."""

MIN_TWICE_AREA = 2
"""Rings of less than one square unit are left out."""

START_VERTICES = 1024


class Shapes(NamedTuple):
    """Features that leave something in a tile, in the order of their rows."""

    positions: NDArray[np.int32]  # (f,) which of the source's chosen rows
    types: NDArray[np.uint8]  # (f,) POINT, LINE or POLYGON
    suspects: NDArray[np.uint8]  # (f,) 1 = a polygon that may be invalid
    feature_starts: NDArray[np.int32]  # (f + 1,) into the rings
    ring_starts: NDArray[np.int32]  # (r + 1,) into the vertices
    xy: NDArray[np.int32]  # (>= v, 2) tile units; rings open, points in one ring each


class _Table(NamedTuple):
    """The geometry of a table, opened."""

    types: NDArray[np.uint8]
    part_starts: NDArray[np.int32]
    ring_starts: NDArray[np.int32]
    vertex_starts: NDArray[np.int32]
    world_xy: NDArray[np.int32]


class _Work(NamedTuple):
    """Arrays to work in, and the rings made so far.

    They have room for whatever the next feature may leave, so that nothing below has to ask.
    Functions that work on one feature get them borrowed.
    """

    path: NDArray[np.float64]  # (m, 2)
    clipped: NDArray[np.float64]  # (m, 2)
    run_ends: NDArray[np.int64]  # (m,)
    keep: NDArray[np.uint8]  # as long as xy
    stack: NDArray[np.int64]  # (m, 2)
    xy: NDArray[np.int32]
    ring_starts: NDArray[np.int32]
    rings: NDArray[np.int64]  # (1,) how many


@njit(nogil=True, cache=True)
def room_needed(vertices: int) -> int:
    """Vertices that a feature can leave, whatever its shape.

    A side of the box leaves of a ring at most half as many again, plus one: four sides 5.07 times
    as many and 9 more. A line is left at most two vertices for each of its segments. Simplifying
    needs one besides.
    """
    return 6 * vertices + 16


@njit(nogil=True, cache=True)
def _work(features: int) -> _Work:
    size = room_needed(START_VERTICES)
    vertices = 8 * features + size
    return _Work(
        np.empty((size, 2), np.float64),
        np.empty((size, 2), np.float64),
        np.empty(size, np.int64),
        np.empty(vertices, np.uint8),
        np.empty((size, 2), np.int64),
        np.empty((vertices, 2), np.int32),
        np.zeros(features + START_VERTICES, np.int32),
        np.zeros(1, np.int64),
    )


@njit(nogil=True, cache=True)
def _has_room(work: _Work, vertices: int) -> bool:
    """Whether a feature of that many vertices fits."""
    need, rings = room_needed(vertices), work.rings[0]
    return (
        need <= work.path.shape[0]
        and work.ring_starts[rings] + need <= work.xy.shape[0]
        and rings + vertices + 2 <= work.ring_starts.shape[0]
    )


@njit(nogil=True, cache=True)
def _grown(work: _Work, vertices: int) -> _Work:
    """Make room for a feature of that many vertices."""
    need, rings = room_needed(vertices), work.rings[0]
    xy = pairs_with_room(work.xy, work.ring_starts[rings], need)
    return _Work(
        pairs_with_room(work.path, 0, need),
        pairs_with_room(work.clipped, 0, need),
        with_room(work.run_ends, 0, need),
        with_room(work.keep, 0, xy.shape[0]),
        pairs_with_room(work.stack, 0, need),
        xy,
        with_room(work.ring_starts, rings + 1, vertices + 1),
        work.rings,
    )


@njit(nogil=True, cache=True)
def _borrowed(work: _Work) -> _Work:
    return _Work(
        borrowed(work.path),
        borrowed(work.clipped),
        borrowed(work.run_ends),
        borrowed(work.keep),
        borrowed(work.stack),
        borrowed(work.xy),
        borrowed(work.ring_starts),
        borrowed(work.rings),
    )


@njit(nogil=True, cache=True)
def _finish_ring(work: _Work, end: int) -> None:
    work.rings[0] += 1
    work.ring_starts[work.rings[0]] = end


@njit(nogil=True, cache=True)
def _add_points(world_xy: NDArray[np.int32], first: int, last: int, frame: Frame, work: _Work) -> None:
    """Add the points within the box as one ring."""
    start = end = int(work.ring_starts[work.rings[0]])
    for i in range(first, last):
        if to_tile_units(world_xy, i, i + 1, frame, work.path) == 0:
            end = quantise(work.path, 0, 1, work.xy, end)
    if end > start:
        _finish_ring(work, end)


@njit(nogil=True, cache=True)
def _add_run(path: NDArray[np.float64], first: int, last: int, tolerance: float, work: _Work) -> None:
    """Add one line that lies within the box, unless it is shorter than a unit."""
    used = int(work.ring_starts[work.rings[0]])
    end = quantise(path, first, last, work.xy, used)
    if tolerance > 0.0:
        end = simplify_line(work.xy, used, end, tolerance, work.keep, work.stack)
    if end - used >= 2:
        _finish_ring(work, end)


@njit(nogil=True, cache=True)
def _add_line(
    world_xy: NDArray[np.int32],
    first: int,
    last: int,
    frame: Frame,
    tolerance: float,
    work: _Work,
) -> None:
    """Add what a line leaves within the box: a ring for each run."""
    n = last - first
    where = to_tile_units(world_xy, first, last, frame, work.path)
    if where == 0:
        _add_run(work.path, 0, n, tolerance, work)
    elif where != NOWHERE:
        runs = clip_line(work.path, n, frame.low, frame.high, work.clipped, work.run_ends)
        begin = 0
        for run in range(runs):
            _add_run(work.clipped, begin, work.run_ends[run], tolerance, work)
            begin = work.run_ends[run]


@njit(nogil=True, cache=True)
def _add_ring(
    world_xy: NDArray[np.int32],
    first: int,
    last: int,
    frame: Frame,
    tolerance: float,
    work: _Work,
    is_hole: bool,
) -> None:
    """Add what a ring leaves within the box: one ring or none."""
    n = max(last - first - 1, 0)
    where = to_tile_units(world_xy, first, first + n, frame, work.path)
    if where == NOWHERE:
        return
    if where != 0:
        n = clip_ring(work.path, n, frame.low, frame.high, work.clipped)
    xy, used = work.xy, int(work.ring_starts[work.rings[0]])
    end = opened(xy, used, quantise(work.path, 0, n, xy, used))
    if tolerance > 0.0:
        end = simplify_ring(xy, used, end, tolerance, work.keep, work.stack)
    end = drop_spikes(xy, used, end)
    area2 = twice_area(xy, used, end)
    if abs(area2) < MIN_TWICE_AREA:
        return
    if (area2 < 0) != is_hole:
        turn(xy, used, end)
    _finish_ring(work, end)


@njit(nogil=True, cache=True)
def _add_parts(
    kind: int, table: _Table, part: int, last_part: int, frame: Frame, tolerance: float, work: _Work
) -> None:
    """Add lines or polygons, part by part."""
    for p in range(part, last_part):
        exterior = table.ring_starts[p]
        for ring in range(exterior, table.ring_starts[p + 1]):
            first, last = table.vertex_starts[ring], table.vertex_starts[ring + 1]
            if kind == LINE:
                _add_line(table.world_xy, first, last, frame, tolerance, work)
                continue
            before = work.rings[0]
            _add_ring(table.world_xy, first, last, frame, tolerance, work, ring != exterior)
            if ring == exterior and work.rings[0] == before:
                break


@njit(nogil=True, cache=True)
def _opened(at: NDArray[np.int64]) -> _Table:
    return _Table(
        uint8_view(at[TYPES], at[ROWS]),
        int32_view(at[PART_STARTS], at[ROWS] + 1),
        int32_view(at[RING_STARTS], at[PARTS] + 1),
        int32_view(at[VERTEX_STARTS], at[RINGS] + 1),
        world_xy_view(at[WORLD_XY], at[VERTICES]),
    )


@njit(nogil=True, cache=True)
def _add_feature(table: _Table, row: int, frame: Frame, tolerance: float, work: _Work) -> int:
    """Add all parts of a feature, for which there is room; its MVT type."""
    kind = int(table.types[row])
    if kind > POLYGON:
        kind -= POLYGON  # multi-geometries follow the simple ones in the same order
    part, last_part = table.part_starts[row], table.part_starts[row + 1]
    if kind == POINT:
        first, last = table.ring_starts[part], table.ring_starts[last_part]
        _add_points(table.world_xy, table.vertex_starts[first], table.vertex_starts[last], frame, work)
    elif kind != 0:
        _add_parts(kind, table, part, last_part, frame, tolerance, work)
    return kind


@njit(nogil=True, cache=True)
def _vertices(table: _Table, row: int) -> int:
    """How many vertices a feature has."""
    first, last = table.part_starts[row], table.part_starts[row + 1]
    starts = table.vertex_starts
    return starts[table.ring_starts[last]] - starts[table.ring_starts[first]]


@njit(nogil=True, cache=True)
def _add_rows(
    table: _Table,
    numbers: NDArray[np.int32],
    first: int,
    last: int,
    frame: Frame,
    tolerance: float,
    work: _Work,
    made: Shapes,
    done: NDArray[np.int64],
) -> int:
    """Add the chosen rows ``first:last`` until one has no room; where it stopped."""
    for i in range(first, last):
        row, before = numbers[i], work.rings[0]
        if not _has_room(work, _vertices(table, row)):
            return i
        if done[0] == len(made.types):
            break
        kind = _add_feature(table, row, frame, tolerance, work)
        if work.rings[0] == before:
            continue
        made.positions[done[0]], made.types[done[0]] = i, kind
        if kind == POLYGON:
            made.suspects[done[0]] = is_suspect(work.xy, work.ring_starts, before, work.rings[0])
        done[0] += 1
        made.feature_starts[done[0]] = work.rings[0]
    return last


@njit(nogil=True, cache=True)
def shape_rows(
    tables: NDArray[np.int64],
    starts: NDArray[np.int64],
    numbers: NDArray[np.int32],
    frame: Frame,
    tolerance: float,
    limit: int,
) -> Shapes:
    """Clip, round and simplify the geometry of the chosen rows.

    Parameters
    ----------
    tables, starts, numbers
        As in ``addresses.Source``.
    frame
        The tile.
    tolerance
        In tile units; 0 leaves all vertices that differ after rounding.
    limit
        No more features than this are made.
    """
    n = min(len(numbers), limit)
    work = _work(n)
    made = Shapes(
        np.empty(n, np.int32),
        np.empty(n, np.uint8),
        np.zeros(n, np.uint8),
        np.zeros(n + 1, np.int32),
        work.ring_starts,
        work.xy,
    )
    done = np.zeros(1, np.int64)
    for t in range(tables.shape[0]):
        table, i, last = _opened(tables[t]), starts[t], starts[t + 1]
        while i < last:
            i = _add_rows(table, numbers, i, last, frame, tolerance, _borrowed(work), made, done)
            if i < last:
                work = _grown(work, _vertices(table, numbers[i]))
    count, rings = done[0], work.rings[0]
    return Shapes(
        made.positions[:count],
        made.types[:count],
        made.suspects[:count],
        made.feature_starts[: count + 1],
        work.ring_starts[: rings + 1],
        work.xy,
    )


def shapes(source: Source, frame: Frame, *, tolerance: float, limit: int | None) -> Shapes:
    """The geometry of a tile, with valid polygons.

    Parameters
    ----------
    source
        The chosen rows.
    frame
        The tile.
    tolerance
        Of simplification, in tile units; 0 for none.
    limit
        At most this many features: the first that leave anything. None: all.
    """
    most = len(source.numbers) if limit is None else limit
    made: Shapes = Shapes(
        *shape_rows(source.tables, source.starts, source.numbers, frame, tolerance, most)
    )
    suspects = np.flatnonzero(made.suspects)
    return _without_suspects(made, suspects) if len(suspects) else made


def _without_suspects(made: Shapes, suspects: NDArray[np.intp]) -> Shapes:
    changes = {}
    for feature in suspects.tolist():
        bounds = made.ring_starts[made.feature_starts[feature] : made.feature_starts[feature + 1] + 1]
        rings = repaired([made.xy[a:b] for a, b in pairwise(bounds)])
        if rings is not None:
            changes[feature] = rings
    if not changes:
        return made
    xy, ring_starts, feature_starts = replace_rings(
        changes, made.xy, made.ring_starts, made.feature_starts
    )
    kept = np.diff(feature_starts) > 0
    return Shapes(
        made.positions[kept],
        made.types[kept],
        made.suspects[kept],
        np.concatenate([feature_starts[:1], feature_starts[1:][kept]]),
        ring_starts,
        xy,
    )
