"""Reading OpenDRIVE written in a test, and looking at it in the map's own metres."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyproj
import pytest
import shapely

from tests.sources.opendrive.maps import PLANE_9


@pytest.fixture
def load(read: Callable[..., Any], tmp_path: Path) -> Callable[..., Any]:
    """Read a map given as text."""

    def run(text: str, name: str = "map.xodr", **options: Any) -> Any:
        path = tmp_path / name
        path.write_text(text, "utf-8")
        return read(path, **options)

    return run


@pytest.fixture(scope="session")
def metres() -> Callable[..., np.ndarray]:
    """Coordinates (n, 3) of a geometry in metres of a projection."""

    def run(shape: shapely.Geometry, reference: str = PLANE_9) -> np.ndarray:
        xyz = shapely.get_coordinates(shape, include_z=True)
        to = pyproj.Transformer.from_crs("EPSG:4326", reference, always_xy=True)
        x, y = to.transform(xyz[:, 0], xyz[:, 1])
        return np.column_stack([x, y, xyz[:, 2]])

    return run


def ids(text: str | None) -> set[str]:
    """Ids of a JSON list."""
    return set(json.loads(text)) if text else set()
