"""Where an OpenDRIVE map lies: its geoReference and header offset, or what the contributor says.

A geoReference is often wrong: made up, of another continent, or cut short. It is believed only where
it is consistent in itself and the roads then lie where its projection may be used; else the file is
refused and the contributor states the CRS, and the offset if need be.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pyproj
from lxml import etree
from numpy.typing import NDArray

from geoshare.model.datum import Transform, to_foundation
from geoshare.model.report import Report
from geoshare.model.roads.reference import read_geo_reference
from geoshare.sources import messages
from geoshare.sources.opendrive.fragments import text_of
from geoshare.sources.opendrive.xml import BrokenError, number, word
from geoshare.sources.request import ReadRequest

_WIDEST_M: Final = 450_000.0  # from the central meridian of a transverse Mercator projection
_MARGIN_DEG: Final = 1.0
_APART_M: Final = 100_000.0
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Frame:
    """From a map's own metres to longitude, latitude and height."""

    transform: Transform
    offset: tuple[float, float, float, float]  # x, y, z in metres, heading in radians
    header: str  # the header element as it came
    crs: str  # as the file or the contributor says it, before repairs

    def apply(self, xyz: Array) -> Array:
        """Longitude, latitude (degrees), height (m) of points (n, 3); infinite where there is none."""
        return self.transform.apply(self.projected(xyz))

    def projected(self, xyz: Array) -> Array:
        """Points (n, 3) in metres of the CRS: turned by the header's heading, then moved."""
        x, y, z, heading = self.offset
        cos, sin = math.cos(heading), math.sin(heading)
        out = np.empty_like(xyz)
        out[:, 0] = x + xyz[:, 0] * cos - xyz[:, 1] * sin
        out[:, 1] = y + xyz[:, 0] * sin + xyz[:, 1] * cos
        out[:, 2] = z + xyz[:, 2]
        return out

    def bearing_deg(self, lon_lat: Array, heading: float) -> float:
        """Clockwise from north, of a heading in the map's own frame at a place; one decimal."""
        ahead = heading + self.offset[3]
        # meridians of a projection are not parallel: what north is there is asked of the projection
        return round((90.0 - math.degrees(ahead) + self._convergence(lon_lat)) % 360.0, 1)

    def _convergence(self, lon_lat: Array) -> float:
        operation = self.transform.operation
        if operation is None or not self.transform.projected:
            return 0.0
        x, y = operation.transform(lon_lat[0], lon_lat[1], direction="INVERSE")[:2]
        north = operation.transform(lon_lat[0], lon_lat[1] + 1e-4, direction="INVERSE")[:2]
        return -math.degrees(math.atan2(north[0] - x, north[1] - y))


def frame_of(header: etree._Element | None, request: ReadRequest, report: Report) -> Frame:
    """The frame of a map.

    Raises
    ------
    BadData
        ``no-crs``, ``geo-reference-wrong``, ``unknown-crs``, ``grid-missing``, ``no-transformation``.
    """
    text = "" if header is None else (header.findtext("geoReference") or "").strip()
    said = request.crs or text
    if not said:
        raise messages.refuse_and_note(report, messages.no_crs("map", "地図"))
    crs = _usable(said, report, declared=request.crs is not None)
    transform = to_foundation(
        crs,
        has_height=True,
        vertical=request.vertical,
        epoch=request.epoch,
        source="declared" if request.crs else "file",
        grids_dir=request.grids_dir,
        watch=report.moved_by,
    )
    if transform.datum.horizontal == "unknown":
        transform = replace(transform, datum=replace(transform.datum, horizontal=crs[:200]))
    if not transform.projected:
        raise messages.refuse_and_note(report, messages.not_in_metres(said[:80]))
    report.datum = transform.datum
    if transform.datum.vertical is None:
        report.note(messages.vertical_unknown())
    offset = request.offset or _offset(header, report)
    shown = "" if header is None else text_of(header)
    return Frame(transform, offset, shown, said)


def _offset(header: etree._Element | None, report: Report) -> tuple[float, float, float, float]:
    item = None if header is None else header.find("offset")
    if item is None:
        return 0.0, 0.0, 0.0, 0.0
    try:
        x, y, z, heading = (number(item, name, 0.0) for name in ("x", "y", "z", "hdg"))
    except BrokenError as error:
        raise messages.refuse_and_note(report, messages.geo_reference_wrong(str(error))) from error
    return x, y, z, heading


def _usable(text: str, report: Report, *, declared: bool) -> str:
    """The CRS as PROJ understands it; what had to be assumed is noted."""
    found = read_geo_reference(text)
    if found.contradiction and not declared:
        raise messages.refuse_and_note(report, messages.geo_reference_wrong(found.contradiction))
    if found.completed:
        report.note(messages.geo_reference_completed())
    if found.geoid_left_out:
        report.note(messages.geoid_left_out())
    if found.datum_assumed:
        report.note(messages.datum_not_named())
    return found.crs


def check_places(frame: Frame, xyz: Array, header: etree._Element | None, report: Report) -> None:
    """Refuse a map whose roads lie where its projection has no business; note what is odd.

    ``xyz`` (n, 3) are places of its roads in its own metres.

    Raises
    ------
    BadData
        ``geo-reference-wrong``.
    """
    projected, placed = frame.projected(xyz), frame.apply(xyz)
    area = frame.transform.area
    fine = np.isfinite(placed[:, :2]).all(axis=1) & (np.abs(placed[:, 1]) <= 90.0)
    fine &= (placed[:, 1] >= area.south - _MARGIN_DEG) & (placed[:, 1] <= area.north + _MARGIN_DEG)
    if area.west <= area.east:
        fine &= (placed[:, 0] >= area.west - _MARGIN_DEG) & (placed[:, 0] <= area.east + _MARGIN_DEG)
    fine &= _near_meridian(frame, projected)
    if not fine.all():
        row = int(np.flatnonzero(~fine)[0])
        detail = f"x={projected[row, 0]:.0f}, y={projected[row, 1]:.0f}"
        raise messages.refuse_and_note(report, messages.geo_reference_wrong(detail))
    middle = np.median(xyz[:, :2], axis=0)
    away = np.hypot(*(xyz[:, :2] - middle).T)
    if away.max() > _APART_M:
        report.note(messages.roads_apart(float(away.max()) / 1000, int((away > _APART_M).sum())))
    _note_box(xyz, header, report)


def _near_meridian(frame: Frame, projected: Array) -> NDArray[np.bool_]:
    """Whether points lie where a transverse Mercator projection is used at all."""
    crs = frame.transform.operation.source_crs if frame.transform.operation is not None else None
    if crs is None:
        return np.ones(len(projected), bool)
    flat = crs.sub_crs_list[0] if crs.is_compound else crs
    conversion = pyproj.CRS(flat).coordinate_operation
    if conversion is None or conversion.method_name != "Transverse Mercator":
        return np.ones(len(projected), bool)
    false_east = [float(p.value) for p in conversion.params if p.name == "False easting"]
    return np.asarray(np.abs(projected[:, 0] - sum(false_east)) <= _WIDEST_M)


def _note_box(xyz: Array, header: etree._Element | None, report: Report) -> None:
    """Say where the header's box is stated and the roads lie outside of it."""
    try:
        west, south, east, north = (
            float(word(header, name) or 0.0) for name in ("west", "south", "east", "north")
        )
    except ValueError:
        return
    if not any((west, south, east, north)):
        return
    beyond = max(
        west - xyz[:, 0].min(), xyz[:, 0].max() - east, south - xyz[:, 1].min(), xyz[:, 1].max() - north
    )
    if beyond > 1.0:
        report.note(messages.header_box(float(beyond)))
