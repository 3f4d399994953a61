"""Features of a view as they lie on a sheet: moved to millimetres, cut at its edge, simplified."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
import shapely
from numpy.typing import NDArray

from geoshare.errors import TooLarge
from geoshare.extracts.maps.frame import Frame, Shapes
from geoshare.query import View
from geoshare.query.detail import detail_rule

MARGIN_MM: Final = 6.0  # read and drawn beyond the edge, where it is cut away
TOLERANCE_MM: Final = 0.04
MOST_FEATURES: Final = 150_000  # of one collection on one sheet


@dataclass(frozen=True)
class Features:
    """What one sheet shows of one collection.

    ``shapes[i]`` lies in millimetres from the frame's lower left corner; ``columns`` has a list for
    each column that was asked for, of nulls where it is not visible.
    """

    collection: str
    ids: list[str]
    shapes: Shapes
    columns: dict[str, list[Any]]

    def __len__(self) -> int:
        return len(self.ids)

    def where(self, chosen: NDArray[np.bool_]) -> Features:
        """Those of the features that are chosen."""
        at = np.flatnonzero(chosen)
        return Features(
            self.collection,
            [self.ids[i] for i in at],
            self.shapes[at],
            {name: [values[i] for i in at] for name, values in self.columns.items()},
        )

    def being(self, column: str, *values: Any) -> NDArray[np.bool_]:
        """Which features have one of the values."""
        return np.array([value in values for value in self.columns[column]], bool)

    def of_dimension(self, dimension: int) -> NDArray[np.bool_]:
        """Which features are points (0), lines (1) or areas (2)."""
        found: NDArray[np.bool_] = shapely.get_dimensions(self.shapes) == dimension
        return found


def read(view: View, frame: Frame, columns: Sequence[str]) -> Features:
    """Read what a frame shows of a view, as finely as a map of its scale shows it.

    Raises
    ------
    TooLarge
        where it is more than a sheet can hold.
    """
    rule = detail_rule(view.collection.name)
    rows = view.search(frame.box(MARGIN_MM), detail=(rule, frame.detail_zoom))
    if len(rows) > MOST_FEATURES:
        raise TooLarge(
            f"A sheet would hold more than {MOST_FEATURES} features of {view.collection.name}.",
            parameter="scale",
            allowed="a larger scale, or fewer collections",
            message_ja="1枚の図に入る地物が多すぎます。縮尺を大きくするか、レイヤを減らしてください。",
        )
    visible = [name for name in columns if view.has_column(name)]
    table = view.materialise(rows, visible, "wkb")
    shapes = frame.drawn(shapely.force_2d(shapely.from_wkb(table.column("geometry").to_numpy())))
    cut = _cut(shapes, frame)
    kept = ~(shapely.is_missing(cut) | shapely.is_empty(cut))
    table = table.filter(pa.array(kept))
    found = {name: table.column(name).to_pylist() for name in visible}
    absent = {name: [None] * table.num_rows for name in columns if name not in found}
    return Features(
        view.collection.name, table.column("id").to_pylist(), cut[kept], {**found, **absent}
    )


def _cut(shapes: Shapes, frame: Frame) -> Shapes:
    """What lies on the sheet, with a margin so that no edge of a cut is seen."""
    edges = (-MARGIN_MM, -MARGIN_MM, frame.width_mm + MARGIN_MM, frame.height_mm + MARGIN_MM)
    area = shapely.box(*edges)
    shapely.prepare(area)
    out = shapes.copy()
    flat = shapely.get_dimensions(out) == 2
    broken = flat & ~shapely.is_valid(out)
    out[broken] = shapely.make_valid(out[broken])
    crossing = ~shapely.contains_properly(area, out)
    out[crossing] = shapely.clip_by_rect(out[crossing], *edges)
    lined = shapely.get_dimensions(out) > 0
    out[lined] = shapely.simplify(out[lined], TOLERANCE_MM, preserve_topology=False)
    return out
