"""Satellite and aerial scenes: any GeoTIFF becomes a COG with its time, bands, box and resolution."""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyproj
import rasterio
import rasterio.shutil
import shapely
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.transform import Affine

from geoshare.model.batch import Band, RasterItem, microseconds
from geoshare.model.box import Box
from geoshare.model.datum import Transform, to_foundation
from geoshare.model.report import Report
from geoshare.sources import messages, text
from geoshare.sources.request import ReadRequest
from tiles.raster.cog import write_cog
from tiles.raster.errors import RasterError
from tiles.raster.measure import statistics

EDGE_POINTS = 21  # per side of a footprint, so that a curved edge is followed
TIME_TAGS = (
    "datetime",
    "acquisition_datetime",
    "acquired",
    "acquisition_date",
    "date",
    "tifftag_datetime",
)
_IN_NAME = re.compile(
    r"(?<!\d)((?:19|20)\d\d)[-_]?(0[1-9]|1[0-2])[-_]?(0[1-9]|[12]\d|3[01])"
    r"(?:[T_-]?([01]\d|2[0-3])[-:]?([0-5]\d)(?:[-:]?([0-5]\d))?)?(?!\d)"
)
_YEAR = re.compile(r"(?<!\d)((?:19|20)\d\d)(?!\d)")
_GEOD = pyproj.Geod(ellps="WGS84")
_TIFF = (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")


class GeoTiffReader:
    """GeoTIFF, tiled or in strips, COG or not."""

    name = "geotiff"

    def recognises(self, path: Path, head: bytes) -> bool:
        """By the magic bytes."""
        return head.startswith(_TIFF)

    def read(self, path: Path, request: ReadRequest, report: Report) -> Iterator[RasterItem]:
        """One scene."""
        report.format = report.format or "GeoTIFF"
        report.rows_read += 1
        report.layers.append(path.stem)
        source = check(path, request, report)
        with rasterio.open(source) as dataset:
            when = scene_time(dataset.tags(), path.name, request, report)
            names = [name or f"band_{band}" for band, name in enumerate(dataset.descriptions, start=1)]
            tags = {key.lower(): value for key, value in dataset.tags().items()}
        target = request.work_dir / f"{path.stem}.cog.tif"
        properties = scene_properties(tags, path.stem, names)
        yield cog_item(
            source,
            target,
            report,
            request,
            collection=request.collection or "satellite",
            record_id=path.stem,
            kind="scene",
            datetime_us=when,
            names=names,
            properties=properties,
        )


def check(path: Path, request: ReadRequest, report: Report) -> Path:
    """Refuse what has no place; a CRS that the caller states is written beside the file.

    Raises
    ------
    BadData
        ``file-broken``, ``no-crs``, ``no-georeference``, ``too-large``.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            with rasterio.open(path, driver="GTiff") as dataset:
                placed = not dataset.transform.is_identity or bool(dataset.gcps[0])
                crs = dataset.crs
                pixels = dataset.width * dataset.height * dataset.count
                dataset.read(1, window=((dataset.height - 1, dataset.height), (0, dataset.width)))
    except (RasterioError, ValueError) as error:
        raise messages.refuse_and_note(report, messages.broken("a raster", "ラスタ")) from error
    if pixels > request.bounds.raster_pixels:
        message = messages.too_large("pixels", "画素数", request.bounds.raster_pixels)
        raise messages.refuse_and_note(report, message)
    if not placed:
        raise messages.refuse_and_note(report, messages.no_georeference())
    if crs is None and not request.crs:
        raise messages.refuse_and_note(report, messages.no_crs("raster", "ラスタ"))
    if not request.crs:
        return path
    declared = request.work_dir / f"{path.stem}.declared.vrt"
    rasterio.shutil.copy(path, declared, driver="VRT")
    with rasterio.open(declared, "r+") as dataset:
        dataset.crs = request.crs
    return declared


def cog_item(
    source: Path,
    target: Path,
    report: Report,
    request: ReadRequest,
    *,
    collection: str,
    record_id: str,
    kind: str,
    datetime_us: int,
    names: Sequence[str],
    properties: dict[str, object],
    units: Sequence[str] = (),
) -> RasterItem:
    """Convert to COG and describe it."""
    try:
        write_cog(source, target, descriptions=list(names))
    except RasterError as error:
        message = messages.broken("a raster", "ラスタ", str(error)[:120])
        raise messages.refuse_and_note(report, message) from error
    with rasterio.open(source) as dataset:  # the COG is padded; what it shows is the source's extent
        crs = str(dataset.crs.to_string())
        transform = raster_transform(crs, request, report)
        corners = (dataset.transform, dataset.width, dataset.height)
        resolution_m = ground_resolution_m(*corners, transform)
        footprint = outline(*corners, transform, report)
        bands = _bands(dataset, target, names, units)
    west, south, east, north = shapely.bounds(footprint).tolist()
    return RasterItem(
        collection=collection,
        record_id=record_id,
        path=target,
        kind=kind,
        datetime_us=datetime_us,
        box=Box(west, south, east, north),
        footprint_wkb=shapely.to_wkb(footprint),
        crs=crs,
        width=corners[1],
        height=corners[2],
        resolution_m=resolution_m,
        bands=bands,
        properties={"gsd_m": round(resolution_m, 3), **properties} if kind == "scene" else properties,
    )


def _bands(dataset: Any, cog: Path, names: Sequence[str], units: Sequence[str]) -> tuple[Band, ...]:
    measured = statistics(cog)
    out = []
    for index, (name, stats) in enumerate(zip(names, measured, strict=False)):
        nodata = dataset.nodatavals[index]
        out.append(
            Band(
                name=name,
                title=name,
                unit=units[index] if index < len(units) else (dataset.units[index] or ""),
                dtype=dataset.dtypes[index],
                nodata=None if nodata is None else float(nodata),
                scale=float(dataset.scales[index]),
                offset=float(dataset.offsets[index]),
                minimum=stats.minimum,
                maximum=stats.maximum,
                percentile_2=stats.percentile_2,
                percentile_98=stats.percentile_98,
            )
        )
    return tuple(out)


def raster_transform(crs: str, request: ReadRequest, report: Report) -> Transform:
    """The way from a raster's CRS to longitude and latitude; sound or refused, as for vectors."""
    source = "declared" if request.crs else "file"
    transform = to_foundation(crs, has_height=False, source=source, grids_dir=request.grids_dir)
    report.datum = replace(transform.datum, epoch=request.epoch)  # pixels are not moved by decimetres
    return transform


def outline(
    affine: Affine, width: int, height: int, transform: Transform, report: Report
) -> shapely.Polygon:
    """Footprint in CRS84, its edges followed point by point.

    Raises
    ------
    BadData
        ``coordinates-outside`` where the raster is no part of the earth.
    """
    share = np.linspace(0.0, 1.0, EDGE_POINTS)
    zero, one = np.zeros(EDGE_POINTS), np.ones(EDGE_POINTS)
    columns = np.concatenate([share, one, share[::-1], zero]) * width
    rows = np.concatenate([zero, share, one, share[::-1]]) * height
    x = affine.a * columns + affine.b * rows + affine.c
    y = affine.d * columns + affine.e * rows + affine.f
    lon_lat = transform.apply(np.column_stack([x, y, np.zeros(len(x))]))[:, :2]
    if not np.isfinite(lon_lat).all() or (np.abs(lon_lat) > (180.0 + 1e-6, 90.0 + 1e-6)).any():
        message = messages.coordinates_outside(transform.datum.horizontal or "")
        raise messages.refuse_and_note(report, message)
    return shapely.simplify(shapely.Polygon(lon_lat), 1e-9)  # straight edges need no points between


def ground_resolution_m(affine: Affine, width: int, height: int, transform: Transform) -> float:
    """Geodesic side of a pixel at the centre: the square root of its area's two sides."""
    column, row = width / 2, height / 2
    columns = np.array([column, column + 1, column])
    rows = np.array([row, row, row + 1])
    x = affine.a * columns + affine.b * rows + affine.c
    y = affine.d * columns + affine.e * rows + affine.f
    xyz = np.column_stack([x, y, np.zeros(3)])
    lon, lat = transform.apply(xyz)[:, :2].T
    across = _GEOD.inv(lon[0], lat[0], lon[1], lat[1])[2]
    down = _GEOD.inv(lon[0], lat[0], lon[2], lat[2])[2]
    return math.sqrt(across * down)


def scene_time(tags: dict[str, str], name: str, request: ReadRequest, report: Report) -> int:
    """When a scene was observed: its tags, its file name, or, said in the report, now.

    Times of satellite files are UTC where they name no zone.
    """
    lower = {key.lower(): value for key, value in tags.items()}
    for key in TIME_TAGS:
        try:
            found = text.moment(re.sub(r"^(\d{4}):(\d\d):(\d\d)", r"\1-\2-\3", lower.get(key, "")))
        except ValueError:
            continue
        if isinstance(found.value, datetime):
            local = found.value.astimezone(text.JAPAN).replace(tzinfo=UTC)  # no zone named: UTC
            return microseconds(local if found.repair else found.value)
    in_name = _IN_NAME.search(name)
    if in_name:
        numbers = [int(item or 0) for item in in_name.groups()]
        return microseconds(datetime(*numbers, tzinfo=UTC))  # type: ignore[misc,arg-type]
    year = _YEAR.search(name)
    if year:
        report.note(messages.year_only(year.group(1)))
        return microseconds(datetime(int(year.group(1)), 1, 1, tzinfo=UTC))
    report.note(messages.time_assumed())
    return request.now_us


def scene_properties(tags: dict[str, str], name: str, bands: Sequence[str]) -> dict[str, object]:
    """What the file says about the scene, in the words of the collection."""
    out: dict[str, object] = {
        "name": tags.get("title") or tags.get("name") or name,
        "bands": list(bands),
    }
    if tags.get("platform") or tags.get("satellite"):
        out["platform"] = tags.get("platform") or tags["satellite"]
    if tags.get("instrument") or tags.get("sensor"):
        out["instruments"] = [tags.get("instrument") or tags["sensor"]]
    for key in ("cloud_cover", "eo:cloud_cover", "cloudcover"):
        try:
            out["cloud_cover"] = float(tags[key])
        except (KeyError, ValueError):
            continue
    return out
