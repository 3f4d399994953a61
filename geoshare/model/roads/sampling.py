"""Lines of a road as polylines that keep within a stated distance of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from geoshare.model.roads.cubics import Array
from geoshare.model.roads.road import Band, Road

CHORD_M: Final = 0.01
_INSIDE: Final = np.arange(1, 8) / 8.0  # where in an interval the chord is compared with the line
_LEFT_M: Final = 1e-7  # a station this far before another stands for its left side
_JUMP_M: Final = 1e-4
_SHORTEST_M: Final = 1e-3
_ROUNDS: Final = 32
Lines = Callable[[Array], Array]  # stations (m,) -> lines (k, m, 3)


@dataclass(frozen=True, slots=True)
class Sampled:
    """Lines (k, m, 3) at stations (m,), and how far at most their chords leave the true lines."""

    s: Array
    lines: Array
    error_m: float


def sample(road: Road, band: Band | None, chord_m: float = CHORD_M) -> Sampled:
    """Borders of a band, or the reference line where there is none, within ``chord_m`` of the truth.

    All lines of a band have their vertices at the same stations. Where a record jumps, both sides of
    the jump are vertices.
    """
    start, end = (0.0, road.length) if band is None else (band.start, band.end)

    def lines(s: Array) -> Array:
        return road.reference(s)[None] if band is None else road.lines(band, s)

    return refine(lines, _breaks(road, band, start, end), chord_m)


def refine(lines: Lines, breaks: Array, chord_m: float) -> Sampled:
    """Vertices between given stations, halved until every chord keeps within the bound."""
    stations = _with_jumps(lines, breaks)
    done, error = [], 0.0
    start, end = stations[:-1], stations[1:]
    use = end - start > _LEFT_M * 2
    start, end = start[use], end[use]
    for _ in range(_ROUNDS):
        if not len(start):
            break
        away = _away(lines, start, end)
        split = (away > chord_m) & (end - start > _SHORTEST_M)
        error = max(error, float(away[~split].max(initial=0.0)))
        middle = 0.5 * (start[split] + end[split])
        done.append(middle)
        start, end = np.concatenate([start[split], middle]), np.concatenate([middle, end[split]])
    s = np.unique(np.concatenate([stations, *done]))
    found = lines(s)
    keep = _apart(found)
    return Sampled(s[keep], found[:, keep], error)


def _apart(lines: Array) -> NDArray[np.bool_]:
    """Vertices (m,) that are no repetition of the one before: files round stations of one place.

    The last vertex stays, and the one before it goes.
    """
    moved = np.sqrt((np.diff(lines, axis=1) ** 2).sum(axis=-1)).max(axis=0) > _JUMP_M
    keep = np.concatenate([[True], moved])
    kept = np.flatnonzero(keep)
    if len(kept) > 1 and not keep[-1]:
        keep[kept[-1]] = False
    keep[-1] = True
    return keep


def _away(lines: Lines, start: Array, end: Array) -> Array:
    """Largest distance (n,) of any line from its chord within each interval."""
    count = len(start)
    share = np.concatenate([[0.0], _INSIDE, [1.0]])
    s = (start[:, None] + (end - start)[:, None] * share).ravel()
    points = lines(s).reshape(-1, count, len(share), 3)
    first, last = points[:, :, :1], points[:, :, -1:]
    along, inner = last - first, points[:, :, 1:-1] - first
    length2 = (along**2).sum(axis=-1, keepdims=True)
    part = (inner * along).sum(axis=-1, keepdims=True)
    part = np.clip(np.divide(part, length2, out=np.zeros_like(part), where=length2 > 0), 0.0, 1.0)
    away: Array = np.sqrt(((inner - part * along) ** 2).sum(axis=-1)).max(axis=(0, 2))
    return away


def _with_jumps(lines: Lines, breaks: Array) -> Array:
    """The stations with the left sides of jumps; of the last one the left side alone is ours."""
    before = breaks[1:] - _LEFT_M
    apart = np.sqrt(((lines(before) - lines(breaks[1:])) ** 2).sum(axis=-1)).max(axis=0)
    jumps = apart > _JUMP_M
    kept = breaks[:-1] if jumps[-1] else breaks
    return np.unique(np.concatenate([kept, before[jumps]]))


def _breaks(road: Road, band: Band | None, start: float, end: float) -> Array:
    """Stations at which some record begins."""
    found = [road.plan.starts, road.elevation.starts]
    if band is not None:
        found += [road.superelevation.starts, road.offset.starts]
        found += [part.starts for part in road.crossfall]
        found.append(np.array([s for s, _ in road.shapes], np.float64))
        for lane in band.lanes:
            found += [lane.width.starts + band.section.s, lane.border.starts + band.section.s]
    inner = np.concatenate(found)
    inner = inner[(inner > start + _SHORTEST_M) & (inner < end - _SHORTEST_M)]
    return np.unique(np.concatenate([[start], inner, [end]]))
