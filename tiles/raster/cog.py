"""Any raster GDAL reads as a cloud-optimised GeoTIFF whose overviews are honest.

An overview pixel is the mean of its own footprint of full-resolution pixels and of nothing else,
and empty if less than half of them are valid. GDAL's own overviews promise neither (a size that is
no power of two makes footprints overlap; one valid pixel is enough), and a reader who may see coarse
pixels only, or only inside a fence, must not learn of what lies outside. The raster is therefore
padded with empty pixels to a multiple of the coarsest factor, and overviews are written by us.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple
from xml.sax.saxutils import escape

import numpy as np
import rasterio
import rasterio.shutil
from numpy.typing import NDArray
from rasterio.enums import ColorInterp, MaskFlags
from rasterio.errors import RasterioError
from rasterio.windows import Window

from tiles.raster.errors import RasterError
from tiles.raster.pool import HONEST, OVERVIEW_TAG, to_type, valid_of

_SMALLEST = 32  # overviews are made until both sides are at most this
_STRIP_BYTES = 48_000_000
_GDAL_TYPES = {
    "uint8": "Byte", "int8": "Int8", "uint16": "UInt16", "int16": "Int16", "uint32": "UInt32",
    "int32": "Int32", "float32": "Float32", "float64": "Float64",
}  # fmt: skip


class _Plan(NamedTuple):
    """What is written: padded size, number of overviews, and how validity is told."""

    bands: tuple[int, ...]  # 1-based, without alpha
    width: int
    height: int
    overviews: int
    dtype: str
    nodata: float | None
    masked: bool


def write_cog(
    source: str | Path,
    target: str | Path,
    *,
    bands: Sequence[int] | None = None,
    nodata: float | None = None,
    descriptions: Sequence[str] | None = None,
) -> None:
    """Convert a raster to a COG: DEFLATE, 512-pixel blocks, honest overviews, bounded memory.

    Parameters
    ----------
    source, target
        ``target`` is written whole or not at all (a neighbour file is renamed over it).
    bands
        1-based bands to take; all but alpha when None. Alpha and masks become a mask.
    nodata
        the number that means "no value", where the file does not say so itself.
    descriptions
        names of the bands taken.

    Raises
    ------
    RasterError
        if the source cannot be read, has no CRS, no place on the ground, or complex numbers.
    """
    target = Path(target)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".cog-") as folder:
        try:
            with rasterio.open(source) as dataset:
                plan = _plan(dataset, bands, nodata)
                files = _write_levels(dataset, plan, Path(folder))
                names = descriptions or [dataset.descriptions[band - 1] or "" for band in plan.bands]
                vrt = Path(folder) / "all.vrt"
                vrt.write_text(_vrt(dataset, plan, files, names), "utf-8")
            done = Path(folder) / "done.tif"
            predictor = {"predictor": "YES"} if np.dtype(plan.dtype).itemsize > 1 else {}
            with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True, GDAL_CACHEMAX=64_000_000):
                rasterio.shutil.copy(
                    vrt, done, driver="COG", compress="DEFLATE", blocksize=512, overviews="AUTO",
                    bigtiff="IF_SAFER", **predictor,
                )  # fmt: skip
        except RasterioError as error:
            raise RasterError(f"the raster cannot be read: {error}") from error
        done.replace(target)


def _plan(dataset: rasterio.DatasetReader, bands: Sequence[int] | None, nodata: float | None) -> _Plan:
    if dataset.crs is None:
        raise RasterError("the raster has no CRS")
    a, b, _, d, e, _ = tuple(dataset.transform)[:6]
    if dataset.transform.is_identity or a * e - b * d == 0:
        raise RasterError("the raster has no place on the ground")
    colours = [
        number for number in dataset.indexes if dataset.colorinterp[number - 1] != ColorInterp.alpha
    ]
    chosen = tuple(bands or colours)
    if not chosen or any(band not in dataset.indexes for band in chosen):
        raise RasterError("the raster has no such band")
    dtype = np.result_type(*(dataset.dtypes[band - 1] for band in chosen)).name
    if dtype not in _GDAL_TYPES:
        raise RasterError(f"numbers of type {dtype} cannot be shown")
    missing = dataset.nodatavals[chosen[0] - 1] if nodata is None else nodata
    if missing is None and np.issubdtype(np.dtype(dtype), np.floating):
        missing = math.nan
    flags = [flag for band in chosen for flag in dataset.mask_flag_enums[band - 1]]
    masked = MaskFlags.per_dataset in flags or MaskFlags.alpha in flags or missing is None
    count = max(0, math.ceil(math.log2(max(dataset.width, dataset.height) / _SMALLEST)))
    unit = 2**count
    return _Plan(
        bands=chosen,
        width=-(-dataset.width // unit) * unit,
        height=-(-dataset.height // unit) * unit,
        overviews=count,
        dtype=dtype,
        nodata=None if masked else missing,
        masked=masked,
    )


def _write_levels(dataset: rasterio.DatasetReader, plan: _Plan, folder: Path) -> list[Path]:
    """Write the padded raster and its overviews, one plain file each, strip by strip."""
    files = [folder / f"level{number}.tif" for number in range(plan.overviews + 1)]
    unit = 2**plan.overviews
    row_bytes = plan.width * len(plan.bands) * 24  # sums, counts and their copies
    strip = max(unit, _STRIP_BYTES // row_bytes // unit * unit)
    with ExitStack() as stack:
        stack.enter_context(rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True, GDAL_CACHEMAX=64_000_000))
        outputs = [
            stack.enter_context(rasterio.open(file, "w", **_profile(plan, dataset, number)))
            for number, file in enumerate(files)
        ]
        for row in range(0, plan.height, strip):
            data, valid = _strip(dataset, plan, row, min(strip, plan.height - row))
            _write_strip(outputs[0], plan, data, valid, row)
            totals = np.where(valid > 0, data, 0).astype(np.float64)
            counts = valid.astype(np.int64)
            for number, output in enumerate(outputs[1:], start=1):
                totals, counts = _fold(totals), _fold(counts)
                enough = (counts * 2 >= 4**number).astype(np.uint8)
                means = totals / np.maximum(counts, 1)
                small = to_type(means, enough, plan.dtype, plan.nodata)
                _write_strip(output, plan, small, enough, row >> number)
    return files


def _fold(values: NDArray) -> NDArray:
    """Sum of each 2 x 2 square; both sides are even."""
    folded: NDArray = (
        values[:, ::2, ::2] + values[:, 1::2, ::2] + values[:, ::2, 1::2] + values[:, 1::2, 1::2]
    )
    return folded


def _profile(plan: _Plan, dataset: rasterio.DatasetReader, number: int) -> dict[str, Any]:
    scale = 2**number
    return {
        "driver": "GTiff",
        "width": plan.width // scale,
        "height": plan.height // scale,
        "count": len(plan.bands),
        "dtype": plan.dtype,
        "nodata": plan.nodata,
        "crs": dataset.crs,
        "transform": dataset.transform @ dataset.transform.scale(scale),
        "tiled": True,
        "blockxsize": 512,
        "blockysize": 512,
        "interleave": "pixel",
        "compress": "DEFLATE",
        "zlevel": 1,
        "bigtiff": "IF_SAFER",
    }


def _strip(
    dataset: rasterio.DatasetReader, plan: _Plan, row: int, height: int
) -> tuple[NDArray, NDArray[np.uint8]]:
    """Rows of the padded raster: (bands, height, width) in the target's type, and validity."""
    shape = (len(plan.bands), height, plan.width)
    empty = 0 if plan.nodata is None else plan.nodata
    data = np.full(shape, empty, plan.dtype)
    valid = np.zeros(shape, np.uint8)
    rows = min(height, dataset.height - row)
    if rows > 0:
        window = Window(0, row, dataset.width, rows)
        found = dataset.read(list(plan.bands), window=window)
        if plan.masked:
            good = (dataset.read_masks(list(plan.bands), window=window) > 0).astype(np.uint8)
            good &= valid_of(found, None)
            # A mask is one for all bands: a pixel counts where any of them has a value.
            good[:] = good.max(axis=0)
        else:
            good = valid_of(found, plan.nodata)
        data[:, :rows, : dataset.width] = np.where(good > 0, found, empty)
        valid[:, :rows, : dataset.width] = good
    return data, valid


def _write_strip(
    output: rasterio.io.DatasetWriter, plan: _Plan, data: NDArray, valid: NDArray[np.uint8], row: int
) -> None:
    window = Window(0, row, data.shape[2], data.shape[1])
    output.write(data, window=window)
    if plan.masked:
        output.write_mask(valid[0] * np.uint8(255), window=window)


def _vrt(dataset: rasterio.DatasetReader, plan: _Plan, files: list[Path], names: Sequence[str]) -> str:
    """Describe the levels as one raster with overviews, which GDAL's COG driver copies as they are."""
    transform = ",".join(repr(float(value)) for value in dataset.transform.to_gdal())
    lines = [
        f'<VRTDataset rasterXSize="{plan.width}" rasterYSize="{plan.height}">',
        f"<SRS>{escape(dataset.crs.to_wkt())}</SRS><GeoTransform>{transform}</GeoTransform>",
        f'<Metadata><MDI key="{OVERVIEW_TAG}">{HONEST}</MDI></Metadata>',
    ]
    for number, name in enumerate(names, start=1):
        missing = "" if plan.nodata is None else f"<NoDataValue>{plan.nodata!r}</NoDataValue>"
        lines.append(
            f'<VRTRasterBand dataType="{_GDAL_TYPES[plan.dtype]}" band="{number}">'
            f"<Description>{escape(name)}</Description>{missing}"
            f"{_scale(dataset, plan.bands[number - 1])}{_sources(files, str(number))}</VRTRasterBand>"
        )
    if plan.masked:
        lines.append(
            f'<MaskBand><VRTRasterBand dataType="Byte">{_sources(files, "mask,1")}'
            "</VRTRasterBand></MaskBand>"
        )
    return "\n".join([*lines, "</VRTDataset>"])


def _scale(dataset: rasterio.DatasetReader, band: int) -> str:
    unit = dataset.units[band - 1] or ""
    return (
        f"<UnitType>{escape(unit)}</UnitType><Offset>{dataset.offsets[band - 1]!r}</Offset>"
        f"<Scale>{dataset.scales[band - 1]!r}</Scale>"
    )


def _sources(files: list[Path], band: str) -> str:
    named = [
        f'<SourceFilename relativeToVRT="1">{file.name}</SourceFilename><SourceBand>{band}</SourceBand>'
        for file in files
    ]
    overviews = "".join(f"<Overview>{name}</Overview>" for name in named[1:])
    return f"<SimpleSource>{named[0]}</SimpleSource>{overviews}"
