"""Grids over time (weather) of an extract: all steps in one CF NetCDF file, or as rows of a CSV.

The steps of one variable that lie on the same grid are one file. A value is what the policy leaves of
it, in the variable's unit; unknown is NaN in NetCDF and no row in CSV, never zero.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

import h5netcdf
import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyproj
from numpy.typing import NDArray

from geoshare.extracts.rasters import (
    MAX_PIXELS,
    TOO_LARGE,
    UNREADABLE,
    Reason,
    affine,
    chosen,
    grid_of,
    strips,
)
from geoshare.extracts.request import Plan
from geoshare.extracts.tables import BOM
from geoshare.imagery import Pixels
from geoshare.model.batch import Band
from geoshare.model.collections import slug
from geoshare.model.rasters import RasterAsset, RasterLimits
from geoshare.model.times import iso
from geoshare.query import RasterView
from geoshare.weather import Steps
from tiles.raster import RasterError, TargetGrid
from tiles.raster.grid import transformer

MAX_ROWS: Final = 20_000_000  # of a table
_SECOND_US: Final = 1_000_000
_SINCE: Final = "seconds since 1970-01-01 00:00:00"
_HEADS: Final = (("time", "日時"), ("lon", "経度"), ("lat", "緯度"))


class Series(NamedTuple):
    """Steps of one grid, ascending in time, with the bands that all of them have."""

    steps: list[RasterAsset]
    limits: RasterLimits
    grid: TargetGrid
    bands: tuple[Band, ...]


def write_grids(
    made: Plan, view: RasterView, folder: Path, report: Callable[[int], None]
) -> tuple[list[dict[str, Any]], Reason | None]:
    """Write the series of one collection that meet the request, unless GeoTIFFs are asked for.

    Returns
    -------
    What the manifest says of each file, and why files are missing, if any are.
    """
    form = made.request.grid_form
    if form == "cog":
        return [], None
    pixels, done = Pixels(), 0
    written: list[dict[str, Any]] = []
    try:
        for number, series in enumerate(_series(made, view, pixels)):
            cells = series.grid.width * series.grid.height * len(series.steps)
            if cells * len(series.bands) > MAX_PIXELS or (form == "csv" and cells > MAX_ROWS):
                return written, TOO_LARGE
            stem = view.collection.name + (f"-{number + 1}" if number else "")
            path = folder / f"{stem}.{'nc' if form == 'netcdf' else 'csv'}"
            (_write_netcdf if form == "netcdf" else _write_csv)(path, made, pixels, series)
            written.append(_said(series, path.name))
            done += len(series.steps)
            report(done)
    except RasterError:
        return written, UNREADABLE
    return written, None


def _series(made: Plan, view: RasterView, pixels: Pixels) -> Iterator[Series]:
    """The steps by variable and grid, as many files as there are of both."""
    found: dict[tuple[Any, ...], list[RasterAsset]] = defaultdict(list)
    for asset in chosen(made, view):
        limits = view.limits_of(asset)
        bands = tuple(asset.bands[index] for index in limits.band_indexes(asset))
        if asset.kind != "step" or not bands:
            continue
        grid = grid_of(made, asset, limits, pixels.pool.frame(asset.path))
        if grid is not None:
            found[limits, grid, tuple(band.name for band in bands)].append(asset)
    for (limits, grid, _), assets in found.items():
        steps = Steps(assets).assets
        bands = tuple(steps[0].bands[index] for index in limits.band_indexes(steps[0]))
        yield Series(steps, limits, grid, bands)


def _values(
    made: Plan, pixels: Pixels, series: Series, step: RasterAsset
) -> Iterator[tuple[int, NDArray[np.float64]]]:
    """First row and values (rows, columns, bands) in their units, NaN where unknown."""
    own = [step.bands[index] for index in series.limits.band_indexes(step)]
    scale = np.array([band.scale for band in own])
    offset = np.array([band.offset for band in own])
    for strip in strips(pixels, step, series.limits, series.grid, made.cutting):
        values = strip.data.astype(np.float64) * scale + offset
        yield strip.first, np.where(strip.valid[..., None], values, np.nan)


def _write_netcdf(path: Path, made: Plan, pixels: Pixels, series: Series) -> None:
    """Write CF-1.11: coordinates of cell centres, grid mapping, instants as seconds since 1970."""
    grid, system = series.grid, pyproj.CRS.from_user_input(series.grid.crs)
    y, x = ("y", "x") if system.is_projected else ("lat", "lon")
    with h5netcdf.File(path, "w") as out:
        out.attrs["Conventions"] = "CF-1.11"
        out.attrs["title"] = made.views[0].collection.title if len(made.views) == 1 else path.stem
        out.dimensions = {"time": len(series.steps), y: grid.height, x: grid.width}
        times = out.create_variable("time", ("time",), "i8")
        times[:] = np.array([step.datetime_us // _SECOND_US for step in series.steps])
        _say(times, standard_name="time", units=_SINCE, calendar="standard")
        for name, values, said in _axes(system, grid):
            axis = out.create_variable(name, (name,), "f8")
            axis[:] = values
            _say(axis, **said)
        mapping = out.create_variable("crs", (), "i4")
        _say(mapping, **{name: value for name, value in system.to_cf().items() if value is not None})
        place = affine(grid)
        _say(mapping, GeoTransform=" ".join(map(repr, place.to_gdal())))
        chunks = (1, min(grid.height, 512), min(grid.width, 512))
        variables = []
        for name, band in zip(_names(series.bands), series.bands, strict=True):
            kind = "f8" if band.dtype == "float64" else "f4"
            variable = out.create_variable(
                name, ("time", y, x), kind, chunks=chunks, compression="gzip", fillvalue=np.nan
            )
            _say(variable, long_name=band.title or band.name, units=band.unit or "1")
            _say(variable, grid_mapping="crs")
            variables.append(variable)
        for number, step in enumerate(series.steps):
            for first, values in _values(made, pixels, series, step):
                for index, variable in enumerate(variables):
                    variable[number, first : first + len(values), :] = values[..., index]


def _axes(
    system: pyproj.CRS, grid: TargetGrid
) -> list[tuple[str, NDArray[np.floating], dict[str, str]]]:
    east = grid.west + (np.arange(grid.width) + 0.5) * grid.pixel_width
    north = grid.north - (np.arange(grid.height) + 0.5) * grid.pixel_height
    if system.is_projected:
        return [
            ("y", north, {"standard_name": "projection_y_coordinate", "units": "m", "axis": "Y"}),
            ("x", east, {"standard_name": "projection_x_coordinate", "units": "m", "axis": "X"}),
        ]
    return [
        ("lat", north, {"standard_name": "latitude", "units": "degrees_north", "axis": "Y"}),
        ("lon", east, {"standard_name": "longitude", "units": "degrees_east", "axis": "X"}),
    ]


def _say(variable: Any, **said: Any) -> None:
    for name, value in said.items():
        variable.attrs[name] = value


def _names(bands: tuple[Band, ...]) -> list[str]:
    """Names that are lawful in CF, each once."""
    taken = {"time", "lat", "lon", "y", "x", "crs"}
    names = []
    for number, band in enumerate(bands):
        name = slug(band.name) or "value"
        names.append(f"{name}_{number + 1}" if name in taken else name)
        taken.add(names[-1])
    return names


def _write_csv(path: Path, made: Plan, pixels: Pixels, series: Series) -> None:
    """Write a row of each step and cell that has a value: instant, its centre in CRS84, values."""
    asked, grid = made.request, series.grid
    heads = [ja if asked.headings == "ja" else name for name, ja in _HEADS]
    heads += [f"{band.name} ({band.unit})" if band.unit else band.name for band in series.bands]
    change = transformer(grid.crs, "OGC:CRS84")
    with _table(path, bom=asked.bom) as write:
        write([pa.array([head]) for head in heads])
        for step in series.steps:
            for first, values in _values(made, pixels, series, step):
                rows, columns = np.nonzero(~np.isnan(values).all(axis=2))
                if not len(rows):
                    continue
                x, y = affine(grid) @ (columns + 0.5, rows + first + 0.5)
                lon, lat = change.transform(x, y)
                cells = values[rows, columns]
                instant = pa.array([iso(step.datetime_us)] * len(rows))
                places = [pa.array(np.round(part, 7)) for part in (lon, lat)]
                found = [_numbers(cells[:, index], band) for index, band in enumerate(series.bands)]
                write([instant, *places, *found])


def _numbers(values: NDArray[np.float64], band: Band) -> pa.Array:
    """Values with as many digits as they were stored with; unknown ones are empty."""
    stored = values if band.dtype == "float64" else values.astype(np.float32)
    return pa.array(stored, from_pandas=True)


@contextmanager
def _table(path: Path, *, bom: bool) -> Iterator[Callable[[list[pa.Array]], None]]:
    options = pyarrow.csv.WriteOptions(include_header=False, quoting_style="needed")
    with open(path, "wb") as file:
        file.write(BOM if bom else b"")

        def write(columns: list[pa.Array]) -> None:
            names = [str(number) for number in range(len(columns))]
            pyarrow.csv.write_csv(pa.table(columns, names=names), file, options)

        yield write


def _said(series: Series, name: str) -> dict[str, Any]:
    first = series.steps[0]
    return {
        "file": name,
        "datetimes": [iso(step.datetime_us) for step in series.steps],
        "bands": [band.name for band in series.bands],
        "units": [band.unit for band in series.bands],
        "resolution_m": max(first.resolution_m, series.limits.finest_m),
        "width": series.grid.width,
        "height": series.grid.height,
        "properties": first.properties,
    }
