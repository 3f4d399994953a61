"""Time series on a regular grid in CF-conforming NetCDF: one COG per time step and variable."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import rasterio
import xarray as xr
from numpy.typing import NDArray
from rasterio.transform import Affine

from geoshare.errors import BadData
from geoshare.model.batch import RasterItem
from geoshare.model.collections import slug
from geoshare.model.report import Report
from geoshare.sources import indirect, messages
from geoshare.sources.raster import cog_item
from geoshare.sources.request import ReadRequest

_LAT = frozenset(["latitude", "projection_y_coordinate"])
_LON = frozenset(["longitude", "projection_x_coordinate"])
_LAT_NAMES = frozenset(["lat", "latitude", "y"])
_LON_NAMES = frozenset(["lon", "longitude", "x"])
_REFERENCE = ("forecast_reference_time", "reference_time", "forecast_reference", "base_time")
_RAIN = ("rain", "precip", "tp", "rr", "降水", "雨")
NODATA = -9999.0
REGULAR = 1e-3  # of a step, by which spacing may vary (coordinates are often float32)


class _Grid(NamedTuple):
    """A north-up grid: affine, and whether rows or columns of the file run the other way."""

    affine: Affine
    flip_rows: bool
    flip_columns: bool
    crs: str


class NetCdfReader:
    """NetCDF 3 and 4 with time, latitude and longitude (or projected y and x)."""

    name = "netcdf"

    def recognises(self, path: Path, head: bytes) -> bool:
        """By the magic bytes."""
        return head.startswith((b"CDF\x01", b"CDF\x02", b"CDF\x05", b"\x89HDF\r\n\x1a\n"))

    def read(self, path: Path, request: ReadRequest, report: Report) -> Iterator[RasterItem]:
        """One raster per variable and time step."""
        report.format = "NetCDF"
        with path.open("rb") as file:
            engine = "scipy" if file.read(3) == b"CDF" else "h5netcdf"
        if engine == "h5netcdf":
            indirect.refuse_external_arrays(path, report)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                dataset = xr.open_dataset(path, engine=engine, decode_coords="all", cache=False)
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise messages.refuse_and_note(report, messages.broken("NetCDF", "NetCDF")) from error
        with dataset:
            yield from _variables(dataset, request, report)


def _variables(dataset: xr.Dataset, request: ReadRequest, report: Report) -> Iterator[RasterItem]:
    found = False
    for name in dataset.data_vars:
        variable = dataset[name]
        axes = _axes(dataset, variable)
        if axes is not None and np.issubdtype(variable.dtype, np.number):
            found = True
            report.layers.append(str(name))
            yield from _steps(dataset, variable, axes, request, report)
    if not found:
        raise messages.refuse_and_note(report, messages.no_grid())


def _axes(dataset: xr.Dataset, variable: xr.DataArray) -> tuple[str, str, str] | None:
    """Names of the time, y and x dimensions; None where the variable is no series on a grid."""
    roles: dict[str, str] = {}
    for dimension in map(str, variable.dims):
        if dimension not in dataset.coords:
            continue
        coordinate = dataset[dimension]
        standard = str(coordinate.attrs.get("standard_name", ""))
        axis = str(coordinate.attrs.get("axis", ""))
        if np.issubdtype(coordinate.dtype, np.datetime64):
            roles.setdefault("time", dimension)
        elif standard in _LAT or axis == "Y" or dimension.lower() in _LAT_NAMES:
            roles.setdefault("y", dimension)
        elif standard in _LON or axis == "X" or dimension.lower() in _LON_NAMES:
            roles.setdefault("x", dimension)
    if len(roles) != 3 or any(
        variable.sizes[str(d)] > 1 for d in set(variable.dims) - set(roles.values())
    ):
        return None
    return roles["time"], roles["y"], roles["x"]


def _steps(
    dataset: xr.Dataset,
    variable: xr.DataArray,
    axes: tuple[str, str, str],
    request: ReadRequest,
    report: Report,
) -> Iterator[RasterItem]:
    time, y, x = axes
    grid = _grid(dataset, variable, y, x, request, report)
    others = {str(d): 0 for d in variable.dims if str(d) not in axes}
    times = variable[time].values.astype("datetime64[us]").astype(np.int64)
    if len(times) > request.bounds.time_steps:
        message = messages.too_large("time steps", "時刻数", request.bounds.time_steps)
        raise messages.refuse_and_note(report, message)
    name = str(variable.name)
    reference = _reference(dataset, variable)
    for index, instant_us in enumerate(times.tolist()):
        report.rows_read += 1
        when = datetime.fromtimestamp(instant_us / 1e6, tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        try:
            values = variable.isel({time: index, **others}).transpose(y, x).values
        except (OSError, ValueError, RuntimeError) as error:
            raise messages.refuse_and_note(report, messages.broken("NetCDF", "NetCDF")) from error
        stem = f"{slug(name)}_{when}".replace(":", "")
        plain = request.work_dir / f"{stem}.tif"
        _write(values, grid, plain, name)
        properties: dict[str, object] = {
            "name": str(variable.attrs.get("long_name", name)),
            "variable": name,
            "unit": str(variable.attrs.get("units", "")),
        }
        if reference:
            properties["reference_time"] = reference
        item = cog_item(
            plain,
            request.work_dir / f"{stem}.cog.tif",
            report,
            request,
            collection=request.collection or _collection(variable),
            record_id=f"{name}/{when}",
            kind="step",
            datetime_us=int(instant_us),
            names=[name],
            properties=properties,
            units=[str(variable.attrs.get("units", ""))],
        )
        plain.unlink()
        yield item


def _collection(variable: xr.DataArray) -> str:
    said = " ".join(
        [
            str(variable.name),
            *(str(variable.attrs.get(key, "")) for key in ("standard_name", "long_name")),
        ]
    ).lower()
    return "rain" if any(word in said for word in _RAIN) else slug(str(variable.name))


def _reference(dataset: xr.Dataset, variable: xr.DataArray) -> str | None:
    """Base time of a forecast, where a scalar coordinate or variable tells it."""
    for name in (*_REFERENCE, *dataset.variables):
        if name in dataset.variables and dataset[name].size == 1:
            value = dataset[name]
            said = name in _REFERENCE or value.attrs.get("standard_name") == "forecast_reference_time"
            if said and np.issubdtype(value.dtype, np.datetime64):
                instant = value.values.astype("datetime64[s]").reshape(-1)[0]
                return f"{instant}Z"
    return None


def _grid(
    dataset: xr.Dataset, variable: xr.DataArray, y: str, x: str, request: ReadRequest, report: Report
) -> _Grid:
    rows, row_step = _regular(dataset[y].values.astype(np.float64), report)
    columns, column_step = _regular(dataset[x].values.astype(np.float64), report)
    degrees = "degree" in str(dataset[y].attrs.get("units", "")) or y.lower() in ("lat", "latitude")
    crs = request.crs or _crs_of(dataset, variable) or ("EPSG:4326" if degrees else "")
    if not crs:
        raise messages.refuse_and_note(report, messages.no_crs("grid", "格子"))
    if degrees and columns.max() > 180.0:  # 0..360 grids
        if columns.min() < 180.0 < columns.max():
            raise messages.refuse_and_note(report, messages.grid_irregular())
        columns = columns - 360.0
    affine = Affine(
        abs(column_step), 0.0, columns.min() - abs(column_step) / 2,
        0.0, -abs(row_step), rows.max() + abs(row_step) / 2,
    )  # fmt: skip
    return _Grid(affine, bool(row_step > 0), bool(column_step < 0), crs)


def _regular(values: NDArray[np.float64], report: Report) -> tuple[NDArray[np.float64], float]:
    if len(values) < 2:
        raise messages.refuse_and_note(report, messages.grid_irregular())
    steps = np.diff(values)
    step = float(values[-1] - values[0]) / (len(values) - 1)
    if step == 0 or (np.abs(steps - step) > REGULAR * abs(step) + 1e-6 * abs(step)).any():
        tolerance = np.finfo(np.float32).eps * np.abs(values).max() * 2
        if step == 0 or (np.abs(steps - step) > tolerance + REGULAR * abs(step)).any():
            raise messages.refuse_and_note(report, messages.grid_irregular())
    return values, step


def _crs_of(dataset: xr.Dataset, variable: xr.DataArray) -> str:
    name = variable.encoding.get("grid_mapping") or variable.attrs.get("grid_mapping")
    if not name or name not in dataset.variables:
        return ""
    attributes: dict[str, Any] = dict(dataset[name].attrs)
    for key in ("crs_wkt", "spatial_ref"):
        if attributes.get(key):
            return str(attributes[key])
    if attributes.get("grid_mapping_name") == "latitude_longitude":
        return "EPSG:4326"
    raise BadData(
        "The grid mapping of the file is not understood; state the CRS.", code="no-crs", parameter="crs"
    )


def _write(values: NDArray[np.generic], grid: _Grid, path: Path, name: str) -> None:
    data = np.asarray(values, dtype=np.float32)
    data = data[::-1] if grid.flip_rows else data
    data = data[:, ::-1] if grid.flip_columns else data
    data = np.where(np.isfinite(data), data, np.float32(NODATA))
    profile = {
        "driver": "GTiff", "width": data.shape[1], "height": data.shape[0], "count": 1,
        "dtype": "float32",
        "crs": grid.crs, "transform": grid.affine, "nodata": NODATA,
    }  # fmt: skip
    with rasterio.open(path, "w", **profile) as out:
        out.write(data, 1)
        out.set_band_description(1, name)
