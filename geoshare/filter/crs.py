"""Geometries of a filter in another reference system (``filter-crs``), brought to CRS84.

Positions come in the axis order of the authority: latitude first in EPSG:4326 and EPSG:6668, northing
first in the Japanese plane zones.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from geoshare.errors import BadRequest
from geoshare.filter.literals import is_geometry
from geoshare.model import crs as systems
from geoshare.model.crs import CRS84
from geoshare.model.crs import KNOWN as FILTER_CRS
from geoshare.model.datum import to_foundation

__all__ = ["CRS84", "FILTER_CRS", "check_crs", "to_crs84"]

FARTHEST: Final = 5e7  # degrees or metres
_STEPS: Final = 16  # points on each side of a box in a plane


def check_crs(name: str, *, parameter: str = "filter-crs") -> str:
    """The reference system, if a filter may use it.

    Raises
    ------
    BadRequest
        naming ``parameter`` and those there are.
    """
    return systems.check_crs(name, parameter=parameter)


def to_crs84(tree: Any, crs: str) -> Any:
    """A filter whose geometries are in CRS84, of one whose geometries are in ``crs`` (``FILTER_CRS``).

    Raises
    ------
    BadRequest
        where a position has no place in longitude and latitude, or a geometry is none.
    """
    return tree if systems.is_native(crs) else _read(tree, systems.code_of(crs))


def _read(node: Any, code: int) -> Any:
    if isinstance(node, list):
        return [_read(item, code) for item in node]
    if not isinstance(node, dict):
        return node
    if is_geometry(node):
        try:
            return _geometry(node, code)
        except (ValueError, TypeError, IndexError, OverflowError) as error:
            raise BadRequest(
                "A geometry of the filter cannot be brought to longitude and latitude.",
                code="filter-check",
                parameter="filter",
                allowed=f"positions of EPSG:{code} in its own axis order",
            ) from error
    return {key: _read(value, code) for key, value in node.items()}


def _geometry(node: dict[str, Any], code: int) -> dict[str, Any]:
    if "geometries" in node:
        return {**node, "geometries": [_geometry(part, code) for part in node["geometries"]]}
    if "bbox" in node:
        return _box(node["bbox"], code)
    return {**node, "coordinates": _positions(node["coordinates"], code)}


def _positions(nested: Any, code: int) -> Any:
    """Nested lists of positions, each level as deep as it was."""
    if not isinstance(nested, list) or not nested:
        raise ValueError("no position")
    if not isinstance(nested[0], list):
        return _transformed(np.array([nested[:2]], np.float64), code)[0].tolist()
    if all(isinstance(item, list) and item and not isinstance(item[0], list) for item in nested):
        return _transformed(np.array([item[:2] for item in nested], np.float64), code).tolist()
    return [_positions(item, code) for item in nested]


def _box(numbers: Any, code: int) -> dict[str, Any]:
    half = len(numbers) // 2
    low, high = numbers[:2], numbers[half : half + 2]
    if len(numbers) not in (4, 6):
        raise ValueError("a bbox has four numbers")
    if not systems.flat(code).is_projected:
        corners = _transformed(np.array([low, high], np.float64), code)
        return {"bbox": corners.ravel().tolist()}
    first = np.linspace(low[0], high[0], _STEPS + 1)
    second = np.linspace(low[1], high[1], _STEPS + 1)
    edge = np.concatenate(
        [
            np.column_stack([first, np.full_like(first, low[1])]),
            np.column_stack([np.full_like(second, high[0]), second]),
            np.column_stack([first[::-1], np.full_like(first, high[1])]),
            np.column_stack([np.full_like(second, low[0]), second[::-1]]),
        ]
    )
    if low[0] > high[0] or low[1] > high[1]:
        raise ValueError("the corners of a bbox are turned")
    return {"type": "Polygon", "coordinates": [_transformed(edge, code).tolist()]}


def _transformed(positions: NDArray[np.float64], code: int) -> NDArray[np.float64]:
    """Longitude and latitude (n, 2) of positions (n, 2) in the authority's axis order."""
    if np.abs(positions).max(initial=0.0) > FARTHEST:
        raise ValueError("a position lies beyond the earth")
    east_north = positions[:, ::-1] if systems.north_first(code) else positions
    flat = np.column_stack([east_north, np.full(len(positions), np.nan)])
    found = to_foundation(f"EPSG:{code}", has_height=False).apply(flat)[:, :2]
    if not np.isfinite(found).all():
        raise ValueError("a position has no place")
    return found
