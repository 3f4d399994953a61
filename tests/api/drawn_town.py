"""A town to be drawn: a street, a place, a house that is not open to all, and a picture from above."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from affine import Affine

from tests.api.conftest import Own

LON, LAT = 139.7, 35.6
SECRET = "buildings"  # not in the open tier


def features(*shapes: dict[str, Any]) -> dict[str, Any]:
    found = [
        {"type": "Feature", "properties": {"id": f"f{n}", "name": f"場所{n}"}, "geometry": shape}
        for n, shape in enumerate(shapes)
    ]
    return {"type": "FeatureCollection", "features": found}


def make(folder: Path) -> Own:
    """The town, in a folder of its own."""
    ring = [[LON, LAT], [LON + 2e-3, LAT], [LON + 2e-3, LAT + 2e-3], [LON, LAT + 2e-3], [LON, LAT]]
    street = {"type": "LineString", "coordinates": [[LON - 0.01, LAT], [LON + 0.01, LAT + 0.001]]}
    return with_scene(
        folder,
        segments=features(street),
        places=features({"type": "Point", "coordinates": [LON, LAT]}),
        **{SECRET: features({"type": "Polygon", "coordinates": [ring]})},
    )


def with_scene(folder: Path, **collections: dict[str, Any]) -> Own:
    """Collections of GeoJSON, and a picture from above north-east of the town's place."""
    own = Own(folder / "data")
    for name, content in collections.items():
        path = folder / f"{name}.geojson"
        path.write_text(json.dumps(content))
        own.contribute(path, collection=name)
    scene = folder / "scene.tif"
    place = {"crs": "EPSG:4326", "transform": Affine(1e-4, 0, LON, 0, -1e-4, LAT + 0.01)}
    with rasterio.open(
        scene, "w", driver="GTiff", dtype="uint8", width=100, height=100, count=3, **place
    ) as file:
        file.write(np.full((3, 100, 100), 90, np.uint8))
    own.contribute(scene, collection="satellite")
    return own
