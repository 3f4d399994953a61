"""What appears from which zoom, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Value = str | int | bool

TILE_BITS = 12  # 4096 units
WORLD_BITS = 32


@dataclass(frozen=True, slots=True, eq=False)
class DetailRule:
    """What appears from which zoom.

    Rules are equal only to themselves, so that what one makes of a table can be remembered.

    Parameters
    ----------
    min_zoom_by_value
        Column to value to the zoom from which features with that value appear. With several
        columns, a feature appears as soon as one of its values lets it.
    min_zoom_default
        For features with none of those values. It holds only where at least one of those columns is
        there; where none is, geometry alone decides.
    by_size
        Lines and polygons appear once the longer side of their box has ``min_units``.
    min_units
        In tile units, 4096 to a tile.
    thin_points_below
        Each zoom below this shows a quarter of the points of the next, by their identity. None:
        every zoom shows all.
    """

    min_zoom_by_value: Mapping[str, Mapping[Value, int]] = field(default_factory=dict)
    min_zoom_default: int = 0
    by_size: bool = True
    min_units: float = 2.0
    thin_points_below: int | None = None

    def min_side(self, z: int) -> float:
        """World units that the longer side of a line or polygon has where it appears at a zoom."""
        return self.min_units * 2.0 ** (WORLD_BITS - TILE_BITS - z) if self.by_size else 0.0
