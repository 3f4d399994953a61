"""What a view says of itself without showing a row: count, digest, extents; part by part.

Facts of parts add up. Those of a part are worked out from all of its rows once; when some of its rows
are hidden or shown later, only these are looked at, unless one of them lay on the edge of an extent.
The result is the same either way: nothing in it is computed from a row that is not shown.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geoshare.filter.literals import DAY_US
from geoshare.model.box import Box
from tiles.arrays import Column, FeatureTable, Kind
from tiles.grid import world_to_lon_lat
from tiles.index.rtree import EMPTY_BOX
from tiles.pack import Part
from tiles.pack.bits import NOTHING_KNOWN, Bits, apart, extent, rows_set, span
from tiles.pack.model import count_set
from tiles.pack.sums import GEOMETRY, Sums, sums_of

DECIMALS = 7
FEW = 8  # rows are worth looking at one by one where they are at most this part of all

Span = tuple[int, int, int]  # known values, least, largest
WorldBox = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of rows: the columns that are shown, and those of them that hold times."""

    columns: tuple[str, ...]
    times: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """What some rows amount to; ``spans`` are of the columns of times."""

    rows: int = 0
    sums: Sums = (0, 0)
    box: WorldBox = EMPTY_BOX
    spans: tuple[Span, ...] = ()

    def __add__(self, other: Facts) -> Facts:
        if not self.rows or not other.rows:
            return other if other.rows else self
        pairs = zip(self.spans, other.spans, strict=True)
        return Facts(
            self.rows + other.rows,
            added(self.sums, other.sums),
            _around(self.box, other.box),
            tuple(_joined(one, two) for one, two in pairs),
        )

    @property
    def extent(self) -> Box | None:
        """Box in degrees that holds every geometry; None where there is none."""
        if self.box[0] > self.box[2]:
            return None
        west, south, east, north = self.box
        # a world unit's far corner
        corners = np.array([(west, south), (east + 1, north + 1)], np.int64)
        (west_deg, south_deg), (east_deg, north_deg) = world_to_lon_lat(corners)
        return Box(_down(west_deg), _down(south_deg), _up(east_deg), _up(north_deg))

    @property
    def time_extent(self) -> tuple[int | None, int | None] | None:
        """First and last instant in microseconds; None in it for an open end; None where none is."""
        if not self.rows or not self.spans:
            return None
        starts, ends = self.spans[0], self.spans[-1]
        if len(self.spans) == 1:
            return starts[1:] if starts[0] else None
        # a row without a start has always been there, one without an end is there still
        return (
            starts[1] if starts[0] == self.rows else None,
            ends[2] if ends[0] == self.rows else None,
        )


def facts_of(part: Part, asked: Asked, bits: Bits) -> Facts:
    """Work out what the rows of a part that are set amount to."""
    shown, table = count_set(bits, len(part)), part.table
    if not shown:
        return Facts()
    here = _present(part, asked.columns)
    if shown * 2 > len(part):
        hidden = rows_set(~bits, len(part)) if shown < len(part) else np.zeros(0, np.int32)
        sums = subtracted(_total(part.sums, here), _sums(table, here, hidden))
    else:
        sums = _sums(table, here, rows_set(bits, len(part)))
    spans = tuple(_span(table, name, bits) for name in asked.times)
    box = part.extent if shown == len(part) else extent(part.boxes, bits)
    return Facts(shown, sums, box, spans)


def facts_after(part: Part, asked: Asked, before: Facts, was: Bits, now: Bits) -> Facts:
    """The same for other rows of the part, from what the ones before amounted to."""
    gone, come = apart(was, now, len(part))
    if not len(gone) and not len(come):
        return before
    if not before.rows or (len(gone) + len(come)) * FEW > len(part):
        return facts_of(part, asked, now)
    here, table = _present(part, asked.columns), part.table
    sums = added(subtracted(before.sums, _sums(table, here, gone)), _sums(table, here, come))
    box = _box_after(part.boxes, before.box, gone, come, now)
    pairs = zip(asked.times, before.spans, strict=True)
    spans = tuple(_span_after(table, name, span, gone, come, now) for name, span in pairs)
    return Facts(before.rows - len(gone) + len(come), sums, box, spans)


def added(one: Sums, other: Sums) -> Sums:
    """Two sums together, modulo 2^64."""
    return (one[0] + other[0]) % 2**64, (one[1] + other[1]) % 2**64


def subtracted(one: Sums, other: Sums) -> Sums:
    """One sum without another, modulo 2^64."""
    return (one[0] - other[0]) % 2**64, (one[1] - other[1]) % 2**64


def _box_after(
    boxes: NDArray[np.int32],
    before: WorldBox,
    gone: NDArray[np.int32],
    come: NDArray[np.int32],
    now: Bits,
) -> WorldBox:
    lost = boxes[gone]
    if (lost[lost[:, 0] <= lost[:, 2]] == np.array(before)).any():
        return extent(boxes, now)  # it lay on an edge
    return _around(before, box_around(boxes[come]))


def _span_after(
    table: FeatureTable,
    name: str,
    before: Span,
    gone: NDArray[np.int32],
    come: NDArray[np.int32],
    now: Bits,
) -> Span:
    lost, first, last = _span_of(table, name, gone)
    if lost and (first <= before[1] or last >= before[2]):
        return _span(table, name, now)
    left = before[0] - lost
    return _joined((left, *before[1:]) if left else NOTHING_KNOWN, _span_of(table, name, come))


def _present(part: Part, columns: Iterable[str]) -> list[str]:
    """Those columns the part has; one from before a column was there has nulls in it."""
    return [name for name in columns if name in part.sums]


def _total(sums: Mapping[str, Sums], names: Sequence[str]) -> Sums:
    total = sums[GEOMETRY]
    for name in names:
        total = added(total, sums[name])
    return total


def _sums(table: FeatureTable, names: Sequence[str], rows: NDArray[np.int32]) -> Sums:
    if not len(rows):
        return 0, 0
    return _total(sums_of(table, names, rows), names)


def _times(table: FeatureTable, name: str) -> Column | None:
    return next((column for column in table.columns if column.name == name), None)


def _span(table: FeatureTable, name: str, bits: Bits) -> Span:
    column = _times(table, name)
    if column is None:
        return NOTHING_KNOWN
    return span(_micros(column, column.values), column.valid, bits)


def _span_of(table: FeatureTable, name: str, rows: NDArray[np.int32]) -> Span:
    column = _times(table, name)
    if column is None:
        return NOTHING_KNOWN
    known = np.ones(len(rows), bool) if column.valid is None else column.valid[rows].astype(bool)
    values = _micros(column, column.values[rows][known])
    return (len(values), int(values.min()), int(values.max())) if len(values) else NOTHING_KNOWN


def _micros(column: Column, values: NDArray[np.generic]) -> NDArray[np.int64]:
    """Instants in microseconds; a day begins with its first."""
    whole = values.astype(np.int64, copy=False)
    return whole * DAY_US if column.kind is Kind.DATE else whole


def _joined(one: Span, other: Span) -> Span:
    if not one[0] or not other[0]:
        return one if one[0] else other
    return one[0] + other[0], min(one[1], other[1]), max(one[2], other[2])


def _around(one: WorldBox, other: WorldBox) -> WorldBox:
    if one[0] > one[2] or other[0] > other[2]:
        return other if one[0] > one[2] else one
    return (
        min(one[0], other[0]),
        min(one[1], other[1]),
        max(one[2], other[2]),
        max(one[3], other[3]),
    )


def box_around(boxes: NDArray[np.int32]) -> WorldBox:
    """World box around boxes (n, 4); west > east where none has a place."""
    placed = boxes[boxes[:, 0] <= boxes[:, 2]]
    if not len(placed):
        return EMPTY_BOX
    west, south = placed[:, :2].min(axis=0).tolist()
    east, north = placed[:, 2:].max(axis=0).tolist()
    return west, south, east, north


def _down(value: float) -> float:
    return float(math.floor(value * 10**DECIMALS) / 10**DECIMALS)


def _up(value: float) -> float:
    return float(math.ceil(value * 10**DECIMALS) / 10**DECIMALS)
