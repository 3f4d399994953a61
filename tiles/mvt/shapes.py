"""The geometry of a tile: features clipped, rounded, simplified and repaired."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

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
    VERTEX_ZOOMS,
    VERTICES,
    WORLD_XY,
    Source,
    float64_pairs_view,
    int32_pairs_view,
    int32_view,
    int64_view,
    uint8_view,
)
from tiles.geometry.clip import clip_line, clip_ring
from tiles.geometry.polygons import repaired, replace_rings
from tiles.geometry.quantise import NOWHERE, Frame, lies, opened, outcode, quantise, to_tile_units
from tiles.geometry.repair import drop_spikes, is_suspect, turn, twice_area
from tiles.geometry.simplify import NEVER
from tiles.grid import MAX_ZOOM
from tiles.mvt.junctions import FROM_ZOOM, is_junction, junctions, place_of
from tiles.mvt.work import (
    CLIPPED,
    JUNCTION_SHIFT,
    JUNCTIONS,
    MADE,
    PATH,
    PATH_ROOM,
    RUN_ENDS,
    STARTS,
    STARTS_ROOM,
    WORK_LENGTH,
    XY,
    XY_ROOM,
    finish_ring,
    grown,
    has_room,
    new_memory,
    note,
    used_vertices,
)

POINT, LINE, POLYGON = 1, 2, 3
"""Geometry types of MVT."""

MIN_TWICE_AREA = 2
"""Rings of less than one square unit are left out."""


class Shapes(NamedTuple):
    """Features that leave something in a tile, in the order of their rows."""

    positions: NDArray[np.int32]  # (f,) which of the source's chosen rows
    types: NDArray[np.uint8]  # (f,) POINT, LINE or POLYGON
    suspects: NDArray[np.uint8]  # (f,) 1 = a polygon that may be invalid
    feature_starts: NDArray[np.int32]  # (f + 1,) into the rings
    ring_starts: NDArray[np.int32]  # (r + 1,) into the vertices
    xy: NDArray[np.int32]  # (>= v, 2) tile units; rings open, points in one ring each


@njit(nogil=True, cache=True)
def _add_points(
    at: NDArray[np.int64], first: int, last: int, frame: Frame, work: NDArray[np.int64]
) -> None:
    """Add the points within the box as one ring."""
    world_xy, xy = int32_pairs_view(at[WORLD_XY], at[VERTICES]), int32_pairs_view(work[XY], 1)
    path = float64_pairs_view(work[PATH], 1)
    start = end = used_vertices(work)
    for i in range(first, last):
        path[0, 0], path[0, 1] = to_tile_units(world_xy[i, 0], world_xy[i, 1], frame)
        if outcode(path[0, 0], path[0, 1], frame.low, frame.high) == 0:
            end = quantise(path, 0, 1, xy, end)
    if end > start:
        finish_ring(work, end)


@njit(nogil=True, cache=True)
def _to_path(
    at: NDArray[np.int64],
    first: int,
    last: int,
    frame: Frame,
    z: int,
    work: NDArray[np.int64],
    shift: int,
) -> Any:
    """Write vertices that matter, or are junctions where ``shift`` is not 0, to the path.

    Returns
    -------
    (how many they are, where they lie as ``lies`` says).
    """
    path, zooms = float64_pairs_view(work[PATH], work[PATH_ROOM]), uint8_view(at[VERTEX_ZOOMS], 1)
    world_xy = int32_pairs_view(at[WORLD_XY], at[VERTICES])
    counts = uint8_view(work[JUNCTIONS], 1)
    n, west, north, east, south = 0, np.inf, np.inf, -np.inf, -np.inf
    for i in range(first, last):
        if zooms[i] > z and not (
            shift != 0 and is_junction(counts, place_of(world_xy[i, 0], world_xy[i, 1], shift))
        ):
            continue
        x, y = to_tile_units(world_xy[i, 0], world_xy[i, 1], frame)
        path[n, 0], path[n, 1] = x, y
        west, east = min(west, x), max(east, x)
        north, south = min(north, y), max(south, y)
        n += 1
    return n, lies(west, north, east, south, frame.low, frame.high)


@njit(nogil=True, cache=True)
def _add_line(
    at: NDArray[np.int64], first: int, last: int, frame: Frame, z: int, work: NDArray[np.int64]
) -> None:
    """Add what a line leaves within the box: a ring for each run that is as long as a unit."""
    n, where = _to_path(at, first, last, frame, z, work, work[JUNCTION_SHIFT])
    if where == NOWHERE:
        return
    path = float64_pairs_view(work[PATH], work[PATH_ROOM])
    xy, used = int32_pairs_view(work[XY], work[XY_ROOM]), used_vertices(work)
    if where == 0:
        end = quantise(path, 0, n, xy, used)
        if end - used >= 2:
            finish_ring(work, end)
        return
    clipped = float64_pairs_view(work[CLIPPED], work[PATH_ROOM])
    run_ends = int64_view(work[RUN_ENDS], work[PATH_ROOM])
    begin = 0
    for run in range(clip_line(path, n, frame.low, frame.high, clipped, run_ends)):
        used = used_vertices(work)
        end = quantise(clipped, begin, run_ends[run], xy, used)
        if end - used >= 2:
            finish_ring(work, end)
        begin = run_ends[run]


@njit(nogil=True, cache=True)
def _add_ring(
    at: NDArray[np.int64],
    first: int,
    last: int,
    frame: Frame,
    z: int,
    work: NDArray[np.int64],
    is_hole: bool,
) -> None:
    """Add what a ring leaves within the box: one ring or none."""
    n, where = _to_path(at, first, last - 1, frame, z, work, 0)
    if where == NOWHERE:
        return
    path = float64_pairs_view(work[PATH], work[PATH_ROOM])
    if where != 0:
        clipped = float64_pairs_view(work[CLIPPED], work[PATH_ROOM])
        n = clip_ring(path, n, frame.low, frame.high, clipped)
    used, xy = used_vertices(work), int32_pairs_view(work[XY], work[XY_ROOM])
    end = opened(xy, used, quantise(path, 0, n, xy, used))
    end = drop_spikes(xy, used, end)
    area2 = twice_area(xy, used, end)
    # By Pick's theorem no plain ring of four vertices is smaller: one that is crosses itself, has
    # lobes that cancel out, and is for mending to judge.
    if abs(area2) < MIN_TWICE_AREA and (is_hole or end - used < 4):
        return
    if (area2 < 0) != is_hole:
        turn(xy, used, end)
    finish_ring(work, end)


@njit(nogil=True, cache=True)
def _add_parts(
    at: NDArray[np.int64],
    kind: int,
    part: int,
    last_part: int,
    frame: Frame,
    z: int,
    work: NDArray[np.int64],
) -> None:
    """Add lines or polygons, part by part."""
    ring_starts = int32_view(at[RING_STARTS], at[PARTS] + 1)
    vertex_starts = int32_view(at[VERTEX_STARTS], at[RINGS] + 1)
    for p in range(part, last_part):
        exterior = ring_starts[p]
        for ring in range(exterior, ring_starts[p + 1]):
            first, last = vertex_starts[ring], vertex_starts[ring + 1]
            if kind == LINE:
                _add_line(at, first, last, frame, z, work)
                continue
            before = work[MADE]
            _add_ring(at, first, last, frame, z, work, ring != exterior)
            if ring == exterior and work[MADE] == before:
                break


@njit(nogil=True, cache=True, inline="always")
def _vertices(at: NDArray[np.int64], row: int) -> tuple[int, int]:
    """First and last + 1 of the vertices of a feature."""
    part_starts = int32_view(at[PART_STARTS], at[ROWS] + 1)
    ring_starts = int32_view(at[RING_STARTS], at[PARTS] + 1)
    vertex_starts = int32_view(at[VERTEX_STARTS], at[RINGS] + 1)
    first, last = ring_starts[part_starts[row]], ring_starts[part_starts[row + 1]]
    return vertex_starts[first], vertex_starts[last]


@njit(nogil=True, cache=True)
def _add_feature(at: NDArray[np.int64], row: int, frame: Frame, z: int, work: NDArray[np.int64]) -> int:
    """Add all parts of a feature, for which there is room; its MVT type."""
    kind = int(uint8_view(at[TYPES], at[ROWS])[row])
    if kind > POLYGON:
        kind -= POLYGON  # multi-geometries follow the simple ones in the same order
    if kind == POINT:
        first, last = _vertices(at, row)
        _add_points(at, first, last, frame, work)
    elif kind != 0:
        part_starts = int32_view(at[PART_STARTS], at[ROWS] + 1)
        _add_parts(at, kind, part_starts[row], part_starts[row + 1], frame, z, work)
    return kind


@njit(nogil=True, cache=True)
def _add_rows(
    at: NDArray[np.int64],
    numbers: NDArray[np.int32],
    bounds: tuple[int, int],
    frame: Frame,
    z: int,
    work: NDArray[np.int64],
    made: Shapes,
    done: int,
) -> tuple[int, int]:
    """Add the chosen rows within ``bounds`` until one has no room.

    Returns
    -------
    (where it stopped, how many features there are now).
    """
    xy = int32_pairs_view(work[XY], work[XY_ROOM])
    ring_starts = int32_view(work[STARTS], work[STARTS_ROOM])
    for i in range(bounds[0], bounds[1]):
        row, before = numbers[i], work[MADE]
        first, last = _vertices(at, row)
        if not has_room(work, last - first):
            return i, done
        if done == len(made.types):
            break
        kind = _add_feature(at, row, frame, z, work)
        if work[MADE] == before:
            continue
        made.positions[done], made.types[done] = i, kind
        if kind == POLYGON:
            made.suspects[done] = is_suspect(xy, ring_starts, before, work[MADE])
        done += 1
        made.feature_starts[done] = work[MADE]
    return bounds[1], done


@njit(nogil=True, cache=True)
def shape_rows(
    tables: NDArray[np.int64],
    starts: NDArray[np.int64],
    numbers: NDArray[np.int32],
    frame: Frame,
    z: int,
    limit: int,
) -> Shapes:
    """Clip, round and simplify the geometry of the chosen rows.

    Parameters
    ----------
    tables, starts, numbers
        As in ``addresses.Source``.
    frame
        The tile.
    z
        The zoom whose vertices are looked at; from ``simplify.NEVER`` on all are.
    limit
        No more features than this are made.
    """
    n, done = min(len(numbers), limit), 0
    memory, work = new_memory(n), np.zeros(WORK_LENGTH, np.int64)
    note(memory, work)
    counts = np.zeros(1, np.uint8)
    if FROM_ZOOM <= z < NEVER:
        counts, work[JUNCTION_SHIFT] = junctions(tables, starts, numbers)
    work[JUNCTIONS] = counts.ctypes.data
    made = Shapes(
        np.empty(n, np.int32),
        np.empty(n, np.uint8),
        np.zeros(n, np.uint8),
        np.zeros(n + 1, np.int32),
        memory.ring_starts,
        memory.xy,
    )
    for t in range(tables.shape[0]):
        i, last = starts[t], starts[t + 1]
        while i < last:
            i, done = _add_rows(tables[t], numbers, (i, last), frame, z, work, made, done)
            if i < last:
                first_vertex, last_vertex = _vertices(tables[t], numbers[i])
                memory = grown(memory, work[MADE], last_vertex - first_vertex)
                note(memory, work)
    return Shapes(
        made.positions[:done],
        made.types[:done],
        made.suspects[:done],
        made.feature_starts[: done + 1],
        memory.ring_starts[: work[MADE] + 1],
        memory.xy,
    )


def shapes(source: Source, frame: Frame, *, simplify: bool, limit: int | None) -> Shapes:
    """The geometry of a tile, with valid polygons.

    Parameters
    ----------
    source
        The chosen rows.
    frame
        The tile.
    simplify
        Leave out vertices that do not matter at its scale.
    limit
        At most this many features: the first that leave anything. None: all.
    """
    most = len(source.numbers) if limit is None else limit
    z = zoom_of(frame) if simplify else NEVER
    made: Shapes = Shapes(*shape_rows(source.tables, source.starts, source.numbers, frame, z, most))
    suspects = np.flatnonzero(made.suspects)
    return _without_suspects(made, suspects) if len(suspects) else made


def zoom_of(frame: Frame) -> int:
    """The zoom at which 4096 units to a tile are as long as a frame's, or shorter."""
    return min(max(math.ceil(math.log2(frame.scale)) + 20, 0), MAX_ZOOM)


def _without_suspects(made: Shapes, suspects: NDArray[np.intp]) -> Shapes:
    """The same with valid polygons for those that may be invalid."""
    changes = {}
    for feature in suspects.tolist():
        starts = made.ring_starts[made.feature_starts[feature] : made.feature_starts[feature + 1] + 1]
        first, last = starts[0], starts[-1]
        changes[feature] = repaired(made.xy[first:last], starts - first, MIN_TWICE_AREA)
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
