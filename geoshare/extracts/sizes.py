"""What an extract would hold, take and weigh, before any of it is made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from geoshare.extracts.request import ExtractRequest, Plan, plan
from geoshare.extracts.road_maps import LANES, OF_FORMAT
from geoshare.model.policy import Policy
from geoshare.query import View, Views
from geoshare.query.items import matching
from tiles.arrays import Rows

BYTES: Final[dict[str, tuple[int, int, int]]] = {
    "gpkg": (150, 12, 16), "geojson": (90, 30, 24), "geojsonseq": (90, 30, 24), "parquet": (12, 4, 9),
    "fgb": (110, 16, 16), "arrow": (24, 12, 18), "csv": (40, 10, 22), "xlsx": (60, 12, 8),
    "shp": (110, 24, 16), "dxf": (300, 30, 90), "pmtiles": (60, 10, 10), "opendrive": (900, 10, 40),
    "lanelet2": (700, 10, 120), "autoware": (700, 10, 120), "html": (90, 20, 16),
}  # fmt: skip
"""Bytes of a feature, of each of its values and of each vertex, about; measured on roads."""


@dataclass(frozen=True)
class Estimate:
    """Of each collection: features (at most), about how many bytes, and its version."""

    features: dict[str, int]
    size: dict[str, int]
    versions: dict[str, str]
    rasters: dict[str, int]

    @property
    def total(self) -> int:
        """Features of all collections, at most."""
        return sum(self.features.values())

    def described(self) -> dict[str, Any]:
        """As clients are told."""
        return {
            "features": self.total,
            "size_about": sum(self.size.values()),
            "collections": [
                {
                    "id": name,
                    "features": self.features.get(name, 0),
                    "rasters": self.rasters.get(name, 0),
                    "size_about": self.size[name],
                    "version": version,
                }
                for name, version in self.versions.items()
            ],
        }


def estimated(request: ExtractRequest, policy: Policy, views: Views) -> Estimate:
    """Count what lies in the box of the area and meets filter and time, without looking at shapes.

    Of a road map's lanes it is looked at whether they meet the area: without one there is no map.

    Raises
    ------
    NotFound, BadRequest
        as :func:`geoshare.extracts.request.plan`.
    TooLarge
        for a filter that is too costly on what the view shows.
    """
    made = plan(request, policy, views)
    features, size, rasters = {}, {}, {}
    for view in made.views:
        name = view.collection.name
        if isinstance(view, View):
            rows = _rows(made, view)
            features[name] = len(rows)
            wanted = request.columns_of(name)
            columns = len(view.columns if wanted is None else wanted)
            size[name] = _bytes(request.format, rows, columns)
        else:
            rasters[name] = view.count
            size[name] = 0
    versions = {view.collection.name: view.token for view in made.views}
    return Estimate(features, size, versions, rasters)


def _rows(made: Plan, view: View) -> Rows:
    if made.request.format in OF_FORMAT and view.collection.name == LANES:
        return made.select(view).rows
    name = view.collection.name
    return matching(
        view, made.box, made.request.datetime, made.request.filter_on(view, name), ordered=False
    )


def _bytes(form: str, rows: Rows, columns: int) -> int:
    feature, value, vertex = BYTES[form]
    vertices = 0
    for table, numbers in rows.pairs:
        shapes = table.geometries
        starts = shapes.vertex_starts[shapes.ring_starts[shapes.part_starts]]
        vertices += int((starts[numbers + 1] - starts[numbers]).sum(dtype=np.int64))
    return len(rows) * (feature + value * columns) + vertices * vertex
