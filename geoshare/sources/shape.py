"""Geometries as they come, made fit for the foundation: placed, valid, of one kind; or refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numpy as np
import shapely
import shapely.errors
from numpy.typing import NDArray

from geoshare.model.box import Box
from geoshare.model.datum import Transform
from geoshare.model.report import Message, Report
from geoshare.sources import antimeridian, messages

EDGE_DEG = 1e-6  # beyond the poles or the antimeridian by rounding alone
SNAP_DEG = 1e-9  # 0.1 mm: what uniting broken parts may move
MARGIN_DEG = 1.0  # around a CRS's area of use: areas are drawn generously, coasts and EEZs are not
_DIMENSION = {"point": 0, "line": 1, "polygon": 2}
_NAMES = {0: "point", 1: "line", 2: "polygon"}
Faults = dict[int, Message]


def closed(
    values: NDArray[np.object_], read: Callable[..., NDArray[np.object_]], report: Report
) -> tuple[NDArray[np.object_], NDArray[np.bool_]]:
    """Read shapes, and close rings that do not end where they began.

    Parameters
    ----------
    values
        (n,) WKB or WKT; None where there is nothing.
    read
        ``shapely.from_wkb`` or ``shapely.from_wkt``.

    Returns
    -------
    (n,) shapes, None where there is none, and (n,) which values are there and cannot be read.
    """
    shapes = read(values, on_invalid="ignore")
    failed = shapely.is_missing(shapes) & np.array([bool(value) for value in values], dtype=bool)
    if failed.any():
        shapes[failed] = read(values[failed], on_invalid="fix")
        left = failed & shapely.is_missing(shapes)
        mended = int(failed.sum() - left.sum())
        if mended:
            report.repaired(messages.repaired_ring(), "", mended)
        failed = left
    return shapes, failed


def place(
    geometry: NDArray[np.object_], transform: Transform, report: Report
) -> tuple[NDArray[np.object_], Faults]:
    """Geometries in CRS84h, and the rows that have no place there.

    Swapped axes are repaired where they are certain: a latitude beyond 90 degrees that is a fine
    longitude, or a projected layer of which no vertex lies where its CRS is used and every vertex
    does once swapped. What crosses the antimeridian is cut there.

    Raises
    ------
    BadData
        ``coordinates-outside`` where degrees were sent for a CRS in metres.
    """
    _refuse_degrees(geometry, transform, report)
    placed = _transformed(geometry, _on_earth(transform))
    outside = _outside(placed, transform.area)
    if outside.any():
        swapped = _swapped(geometry, placed, outside, transform)
        if swapped.any():
            geometry = geometry.copy()
            geometry[swapped] = _transformed(geometry[swapped], _swap)
            placed[swapped] = _transformed(geometry[swapped], _on_earth(transform))
            report.repaired(messages.repaired_swap(), "", int(swapped.sum()))
            outside &= ~swapped
    crossing = antimeridian.split(placed, ~outside)
    if crossing.any():
        report.repaired(messages.split_at_antimeridian(), "", int(crossing.sum()))
    message = messages.coordinates_outside(transform.datum.horizontal or "CRS84")
    return placed, dict.fromkeys(np.flatnonzero(outside).tolist(), message)


def _refuse_degrees(geometry: NDArray[np.object_], transform: Transform, report: Report) -> None:
    if not transform.projected:
        return
    bounds = shapely.total_bounds(geometry)
    area = transform.area
    if (
        np.isfinite(bounds).all()
        and area.west - MARGIN_DEG <= bounds[0] <= bounds[2] <= area.east + MARGIN_DEG
        and area.south - MARGIN_DEG <= bounds[1] <= bounds[3] <= area.north + MARGIN_DEG
    ):
        raise messages.refuse_and_note(
            report, messages.degrees_in_metres(transform.datum.horizontal or "")
        )


def _on_earth(transform: Transform) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    """The transformation, with what rounding put just beyond the edge of the world set back on it."""

    def apply(xyz: NDArray[np.float64]) -> NDArray[np.float64]:
        out = transform.apply(xyz)
        for axis, edge in ((0, 180.0), (1, 90.0)):
            beyond = (np.abs(out[:, axis]) > edge) & (np.abs(out[:, axis]) <= edge + EDGE_DEG)
            if beyond.any():
                out = out.copy()
                out[beyond, axis] = np.copysign(edge, out[beyond, axis])
        return out

    return apply


def _swap(xyz: NDArray[np.float64]) -> NDArray[np.float64]:
    return xyz[:, [1, 0, 2]]


def _transformed(
    geometry: NDArray[np.object_], change: Callable[[NDArray[np.float64]], NDArray[np.float64]]
) -> NDArray[np.object_]:
    """Geometries with changed coordinates; flat ones stay flat."""
    out = geometry.copy()
    upright = shapely.has_z(geometry)
    if upright.any():
        out[upright] = shapely.transform(geometry[upright], change, include_z=True)
    if not upright.all():
        out[~upright] = shapely.transform(geometry[~upright], _flat(change))
    return out


def _flat(
    change: Callable[[NDArray[np.float64]], NDArray[np.float64]],
) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    def apply(xy: NDArray[np.float64]) -> NDArray[np.float64]:
        return change(np.column_stack([xy, np.full(len(xy), np.nan)]))[:, :2]

    return apply


def _outside(placed: NDArray[np.object_], area: Box) -> NDArray[np.bool_]:
    """Rows with a vertex that is no place of the CRS's area of use (with a margin), or none at all."""
    bounds = shapely.bounds(placed)
    present = ~(shapely.is_missing(placed) | shapely.is_empty(placed))
    west, south = max(area.west - MARGIN_DEG, -180.0), max(area.south - MARGIN_DEG, -90.0)
    east, north = min(area.east + MARGIN_DEG, 180.0), min(area.north + MARGIN_DEG, 90.0)
    if area.west > area.east:  # the area crosses the antimeridian
        west, east = -180.0, 180.0
    with np.errstate(invalid="ignore"):
        inside = (
            (bounds[:, 0] >= west)
            & (bounds[:, 1] >= south)
            & (bounds[:, 2] <= east)
            & (bounds[:, 3] <= north)
        )
    finite = np.ones(len(placed), dtype=bool)
    coordinates, index = shapely.get_coordinates(placed, return_index=True)
    finite[index[~np.isfinite(coordinates).all(axis=1)]] = False
    return present & ~(inside & finite)


def _swapped(
    geometry: NDArray[np.object_],
    placed: NDArray[np.object_],
    outside: NDArray[np.bool_],
    transform: Transform,
) -> NDArray[np.bool_]:
    """Rows whose axes are certainly swapped."""
    candidate = np.zeros(len(geometry), dtype=bool)
    rows = np.flatnonzero(outside)
    turned = _transformed(_transformed(geometry[rows], _swap), transform.apply)
    good = ~_outside(turned, transform.area)
    if transform.projected:
        present = ~(shapely.is_missing(placed) | shapely.is_empty(placed))
        if outside.sum() == present.sum() and good.all():
            candidate[rows] = True
        return candidate
    bounds = shapely.bounds(geometry[rows])
    impossible = (np.abs(bounds[:, 1]) > 90.0) & (np.abs(bounds[:, 3]) > 90.0)
    candidate[rows[good & impossible]] = True
    return candidate


def mend(
    geometry: NDArray[np.object_], wanted: str, report: Report
) -> tuple[NDArray[np.object_], Faults]:
    """Valid geometries of the wanted kind (point, line, polygon, any), and the rows that are none.

    Polygons are made valid by GEOS's structure method: rings keep their roles, overlaps merge, what
    collapses is left out. Mixed collections keep the parts of the wanted dimension.
    """
    out = geometry.copy()
    faults: Faults = {}
    present = ~(shapely.is_missing(out) | shapely.is_empty(out))
    for row in np.flatnonzero(~present).tolist():
        faults[row] = messages.geometry_missing()
    broken = present & (shapely.get_dimensions(out) == 2) & ~shapely.is_valid(out)
    if broken.any():
        for row in np.flatnonzero(broken).tolist():
            out[row] = _valid_polygon(out[row])
            if out[row] is None:
                faults[row] = messages.geometry_unusable()
            else:
                report.repaired(messages.repaired_polygon(), shapely.to_wkt(geometry[row].centroid, 5))
    _drop_pointlike_lines(out, present, faults)
    _unify(out, wanted, faults, report)
    return out, faults


def _valid_polygon(geometry: shapely.Geometry) -> shapely.Geometry | None:
    """A valid polygon or multipolygon; None where nothing with an area is left.

    The structure method can leave nothing of a ring that runs over itself, and parts that overlap;
    then the line work decides, and parts are united.
    """
    options: tuple[dict[str, Any], ...] = (
        {"method": "structure", "keep_collapsed": False},
        {"method": "linework"},
    )
    for option in options:
        try:
            kept = keep_dimension(shapely.make_valid(geometry, **option), 2)
            if kept is not None and not shapely.is_valid(kept):
                parts = shapely.make_valid(shapely.get_parts(kept))
                kept = keep_dimension(shapely.union_all(parts, grid_size=SNAP_DEG), 2)
        except shapely.errors.GEOSException:
            continue
        if kept is not None and shapely.is_valid(kept) and shapely.area(kept) > 0:
            return kept
    return None


def _drop_pointlike_lines(out: NDArray[np.object_], present: NDArray[np.bool_], faults: Faults) -> None:
    lines = present & (shapely.get_dimensions(out) == 1) & (shapely.length(out) == 0)
    for row in np.flatnonzero(lines).tolist():
        faults.setdefault(row, messages.geometry_unusable())


def _unify(out: NDArray[np.object_], wanted: str, faults: Faults, report: Report) -> None:
    types = shapely.get_type_id(out)
    for row in np.flatnonzero(types == 7).tolist():  # GeometryCollection
        if row in faults:
            continue
        dimension = _DIMENSION.get(wanted, int(shapely.get_dimensions(out[row])))
        kept = keep_dimension(out[row], dimension)
        if kept is None:
            faults[row] = messages.geometry_kind("collection", wanted)
        else:
            out[row] = kept
            report.repaired(messages.repaired_point_count())
    if wanted in _DIMENSION:
        found = shapely.get_dimensions(out)
        for row in np.flatnonzero((found >= 0) & (found != _DIMENSION[wanted])).tolist():
            faults.setdefault(row, messages.geometry_kind(_NAMES[int(found[row])], wanted))


def keep_dimension(geometry: shapely.Geometry | None, dimension: int) -> shapely.Geometry | None:
    """The parts of one dimension, as one geometry; None where there are none."""
    if geometry is None or shapely.is_empty(geometry):
        return None
    parts = [part for part in _leaves(geometry) if shapely.get_dimensions(part) == dimension]
    if not parts:
        return None
    if len(parts) == 1:
        return parts[0]
    joined: Any = (shapely.MultiPoint, shapely.MultiLineString, shapely.MultiPolygon)[dimension]
    return cast("shapely.Geometry", joined(parts))


def _leaves(geometry: shapely.Geometry) -> list[shapely.Geometry]:
    parts = list(shapely.get_parts(geometry))
    if shapely.get_type_id(geometry) < 4:
        return [geometry]
    return [leaf for part in parts for leaf in _leaves(part)]
