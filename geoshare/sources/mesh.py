"""Squares of the Japanese standard mesh (JIS X 0410) as polygons."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray

from geoshare.model.mesh import south_west


def squares(codes: list[str | None]) -> NDArray[np.object_]:
    """Polygons (CRS84) of mesh codes; None where a code is none."""
    known: dict[str, shapely.Polygon | None] = {}
    out = np.empty(len(codes), dtype=object)
    for index, code in enumerate(codes):
        if not code:
            continue
        if code not in known:
            found = south_west(code)
            known[code] = (
                shapely.box(found[0], found[1], found[0] + found[2], found[1] + found[3])
                if found
                else None
            )
        out[index] = known[code]
    return out
