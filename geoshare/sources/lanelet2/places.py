"""Where the nodes of a Lanelet2 map are: latitude and longitude, or local metres and an origin."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from geoshare.model.box import Box
from geoshare.model.datum import Transform, to_foundation
from geoshare.model.mgrs import mgrs_origin
from geoshare.model.report import Report
from geoshare.sources import messages
from geoshare.sources.lanelet2.elements import Elements
from geoshare.sources.request import ReadRequest


def locate(elements: Elements, request: ReadRequest, report: Report) -> NDArray[np.float64]:
    """Longitude, latitude, height (n, 3) of all nodes; infinite or NaN where a node has no place.

    Latitude and longitude stand where the file has them; a file that leaves them out or writes
    zeros (Autoware) is placed by ``local_x``, ``local_y`` in the MGRS square that its nodes or the
    caller name, or in the caller's CRS. Heights are kept as they come unless their datum is stated.

    Raises
    ------
    BadData
        ``local-without-origin``, ``grid-missing``, ``coordinates-outside``.
    """
    lat_lon = elements.lat_lon
    placed = np.asarray(np.isfinite(lat_lon).all(axis=1) & (lat_lon != 0.0).any(axis=1))
    height = bool(np.isfinite(elements.ele_m).any())
    if placed.any() or not len(lat_lon):
        declared = request.crs if request.crs and not request.crs.upper().startswith("MGRS:") else None
        transform = _transform(
            declared or "EPSG:4326", request, report, height, declared=bool(declared)
        )
        xyz = np.column_stack([lat_lon[:, 1], lat_lon[:, 0], elements.ele_m])
        xyz[~placed] = np.nan
        return _within(transform.apply(xyz), placed, transform.area, report)
    crs, east, north = _origin(elements, request, report)
    local = np.asarray(np.isfinite(elements.local_xy).all(axis=1))
    transform = _transform(crs, request, report, height, declared=request.crs is not None)
    xyz = np.column_stack(
        [elements.local_xy[:, 0] + east, elements.local_xy[:, 1] + north, elements.ele_m]
    )
    return _within(transform.apply(xyz), local, transform.area, report)


def _origin(elements: Elements, request: ReadRequest, report: Report) -> tuple[str, float, float]:
    if not np.isfinite(elements.local_xy).any():
        raise messages.refuse_and_note(report, messages.local_without_origin())
    named = request.crs or ""
    if named.upper().startswith("MGRS:"):
        square: str | None = named[5:]
    elif named:
        return named, 0.0, 0.0
    else:
        square = max(elements.mgrs, key=lambda key: elements.mgrs[key]) if elements.mgrs else None
    origin = mgrs_origin(square) if square else None
    if origin is None:
        raise messages.refuse_and_note(report, messages.local_without_origin())
    return origin


def _transform(
    crs: str, request: ReadRequest, report: Report, height: bool, *, declared: bool
) -> Transform:
    transform = to_foundation(
        crs,
        has_height=height,
        vertical=request.vertical,
        epoch=request.epoch,
        source="declared" if declared else "file",
        grids_dir=request.grids_dir,
        watch=report.moved_by,
    )
    report.datum = transform.datum
    if height and transform.datum.vertical is None:
        report.note(messages.vertical_unknown())
    return transform


def _within(
    lon_lat_z: NDArray[np.float64], placed: NDArray[np.bool_], area: Box, report: Report
) -> NDArray[np.float64]:
    """Nodes whose coordinates are a place; swapped axes are set right where every node proves it."""
    some = lon_lat_z[placed]
    if len(some) and (np.abs(some[:, 1]) > 90.0).all() and (np.abs(some[:, 0]) <= 90.0).all():
        lon_lat_z = lon_lat_z[:, [1, 0, 2]]
        report.repaired(messages.repaired_swap(), "", int(placed.sum()))
    with np.errstate(invalid="ignore"):
        good = (
            np.isfinite(lon_lat_z[:, :2]).all(axis=1)
            & (np.abs(lon_lat_z[:, 1]) <= 90.0)
            & (np.abs(lon_lat_z[:, 0]) <= 180.0)
            & (lon_lat_z[:, 1] >= area.south - 1.0)
            & (lon_lat_z[:, 1] <= area.north + 1.0)
        )
    if placed.any() and not good[placed].any():
        message = messages.coordinates_outside(report.datum.horizontal or "CRS84")
        raise messages.refuse_and_note(report, message)
    out = lon_lat_z.copy()
    out[~good, :2] = np.nan
    return out
