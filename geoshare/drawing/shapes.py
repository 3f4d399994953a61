"""Rows of a view as shapes in pixels, and what expressions may ask about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from geoshare.access.view import View
from geoshare.drawing.frame import Frame
from tiles.arrays import Geometries, Rows
from tiles.geometry.convert import take
from tiles.matrices import in_matrix_set

_KINDS: Final = ("", "Point", "LineString", "Polygon", "Point", "LineString", "Polygon")
_POLYGONS: Final = (3, 6)
Starts = NDArray[np.int64]


@dataclass(frozen=True)
class Shapes:
    """Features in the order of their rows: flat arrays as ``Geometries`` has them, places in pixels."""

    types: NDArray[np.uint8]  # (n,) GeometryType
    parts: Starts  # (n + 1,)
    rings: Starts  # (p + 1,)
    vertices: Starts  # (r + 1,)
    xy: NDArray[np.float64]  # (v, 2)

    def __len__(self) -> int:
        return len(self.types)

    @cached_property
    def ring_bounds(self) -> Starts:
        """First ring of each feature, and the end (n + 1,)."""
        found: Starts = self.rings[self.parts]
        return found

    @cached_property
    def outer(self) -> NDArray[np.uint8]:
        """Which rings are the first of their part (r,)."""
        found = np.zeros(len(self.vertices) - 1, np.uint8)
        starts = self.rings[:-1]
        found[starts[starts < len(found)]] = 1
        return found

    @cached_property
    def lengths(self) -> NDArray[np.float64]:
        """Length of each ring or line in pixels (r,)."""
        steps = np.zeros(len(self.xy) + 1, np.float64)
        np.cumsum(np.hypot(*np.diff(self.xy, axis=0).T), out=steps[1 : len(self.xy)])
        last = np.maximum(self.vertices[1:] - 1, self.vertices[:-1])
        found: NDArray[np.float64] = steps[last] - steps[self.vertices[:-1]]
        return found

    def pieces(self, feature: int, shortest: float = 0.0) -> list[NDArray[np.float64]]:
        """Vertices of the rings of a feature, without those that are shorter than so many pixels."""
        first, end = int(self.ring_bounds[feature]), int(self.ring_bounds[feature + 1])
        return [
            self.xy[self.vertices[ring] : self.vertices[ring + 1]]
            for ring in range(first, end)
            if not self.lengths[ring] < shortest
        ]

    def rings_of(self, features: Starts) -> Starts:
        """The rings of some features, in their order."""
        first = self.ring_bounds[features]
        counts = self.ring_bounds[features + 1] - first
        ends = np.cumsum(counts)
        total = int(ends[-1]) if len(ends) else 0
        found: Starts = np.arange(total) + np.repeat(first - (ends - counts), counts)
        return found

    def lines(self, features: Starts) -> tuple[NDArray[np.float64], Starts, NDArray[np.uint8]]:
        """Vertices, starts and ``outer`` of the rings of some features."""
        rings = self.rings_of(features)
        first = self.vertices[rings]
        counts = self.vertices[rings + 1] - first
        starts = np.zeros(len(rings) + 1, np.int64)
        np.cumsum(counts, out=starts[1:])
        members = np.arange(starts[-1]) + np.repeat(first - starts[:-1], counts)
        return np.ascontiguousarray(self.xy[members]), starts, self.outer[rings]


class Drawable:
    """The features of one view that a picture may show."""

    def __init__(self, view: View, rows: Rows, frame: Frame) -> None:
        self.view, self.rows, self._frame = view, rows, frame
        self._columns: dict[str, list[Any]] = {}
        self._names = {column.name for column in view.columns} | {"id"}

    def __len__(self) -> int:
        return len(self.rows)

    @cached_property
    def shapes(self) -> Shapes:
        """Their shapes."""
        found = in_matrix_set(self.rows, self._frame.matrices)
        taken = [
            take(table.geometries, table.world_xy, numbers)
            for table, numbers in found.pairs
            if len(numbers)
        ]
        return _joined([shape for shape, _ in taken], [self._frame.pixels(world) for _, world in taken])

    @cached_property
    def kinds(self) -> list[str]:
        """Type of each geometry, as expressions name it."""
        return [_KINDS[kind] for kind in self.shapes.types.tolist()]

    def column(self, name: str) -> list[Any]:
        """Values of a visible column as expressions see them; None where there is none of that name."""
        found = self._columns.get(name)
        if found is None:
            if name in self._names:
                table = self.view.materialise(self.rows, [] if name == "id" else [name], None)
                found = table.column(name).to_pylist()
            else:
                found = [None] * len(self)
            self._columns[name] = found
        return found

    def combinations(self, names: Sequence[str]) -> dict[tuple[Any, ...], list[int]]:
        """Numbers of the features with the same values of some columns, by these values."""
        columns = [
            self.kinds if name == "$type" else self.column("id" if name == "$id" else name)
            for name in names
        ]
        found: dict[tuple[Any, ...], list[int]] = {}
        if not columns:
            return {(): list(range(len(self)))}
        for number, values in enumerate(zip(*columns, strict=True)):
            found.setdefault(values, []).append(number)
        return found


def _joined(pieces: list[Geometries], places: list[NDArray[np.float64]]) -> Shapes:
    """Several sets of geometries one after the other."""
    return Shapes(
        types=np.concatenate([np.zeros(0, np.uint8), *(piece.types for piece in pieces)]),
        parts=_chained([piece.part_starts for piece in pieces]),
        rings=_chained([piece.ring_starts for piece in pieces]),
        vertices=_chained([piece.vertex_starts for piece in pieces]),
        xy=np.concatenate([np.zeros((0, 2)), *places]),
    )


def _chained(starts: list[NDArray[np.int32]]) -> Starts:
    found, base = [np.zeros(1, np.int64)], 0
    for piece in starts:
        found.append(piece[1:].astype(np.int64) + base)
        base += int(piece[-1])
    return np.concatenate(found)
