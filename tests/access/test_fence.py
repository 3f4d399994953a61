"""Boxes of runs of rows decide as geometry would."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import shapely

from geoshare.access.fence import RUN_ROWS, against_area
from tiles.geometry.convert import from_shapely, to_shapely
from tiles.pack import open_part, write_part

AREA = shapely.Polygon([(139, 35), (141, 35.2), (140.2, 36), (141, 37), (139.4, 36.5), (138.8, 35.6)])
HOLED = shapely.difference(AREA, shapely.Point(139.7, 35.7).buffer(0.2))
APART = shapely.MultiPolygon([HOLED, shapely.box(-180, -90, -170, 90)])


def _shapes(count: int) -> np.ndarray:
    random = np.random.default_rng(7)
    start = random.uniform([138.5, 34.5], [141.5, 37.5], (count, 2))
    end = start + random.normal(0, 0.02, (count, 2))
    shapes = shapely.linestrings(np.stack([start, end], axis=1)).astype(object)
    shapes[::9] = shapely.points(start[::9])
    shapes[::11] = shapely.box(*start[::11].T, *(start[::11] + 0.03).T)
    shapes[::97] = None
    corners = shapely.get_coordinates(AREA)[:-1]
    shapes[1 : 1 + len(corners)] = shapely.points(corners)  # on the edge: they touch and no more
    shapes[50] = shapely.LineString([(139, 35), (141, 35.2)])  # along the edge
    shapes[51] = shapely.LineString([(-175, 89), (-175, 89.5)])  # beyond the world of tiles
    shapes[52] = shapely.LineString([(139.5, 35.5), (139.5, 89)])
    shapes[53] = shapely.LineString([(179.99, 35.5), (180, 35.5)])
    return shapes


@pytest.mark.parametrize("area", [AREA, HOLED, APART], ids=["plain", "holed", "two"])
@pytest.mark.parametrize("every", [1, 3])
def test_rows_meet_and_lie_within_an_area_as_geometry_says(
    tmp_path: Path, area: shapely.Geometry, every: int
) -> None:
    shapes = _shapes(40 * RUN_ROWS + 5)
    ids = pa.table({"id": [f"f{number}" for number in range(len(shapes))]})
    info = write_part(tmp_path / "part", ids, from_shapely(shapes), {})
    table = open_part(tmp_path / "part", info).table
    rows = np.arange(0, len(table), every, dtype=np.int32)
    shapely.prepare(area)
    meets, within = against_area(area, table, rows)
    found = to_shapely(table.geometries, rows)
    covered = shapely.covers(area, found)
    assert (within == covered).all()
    inside = shapely.intersects(area, found) & ~shapely.touches(area, found)
    assert (meets == (covered | inside)).all()
    assert within.any()
    assert (meets & ~within).any()
    assert (~meets).any()
