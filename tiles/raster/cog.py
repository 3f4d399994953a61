"""Any raster GDAL reads as a cloud-optimised GeoTIFF whose overviews are honest.

An overview pixel is the mean of its own footprint of full-resolution pixels and of nothing else,
and empty if less than half of them are valid. GDAL's own overviews promise neither (a size that is
no power of two makes footprints overlap; one valid pixel is enough), and a reader who may see coarse
pixels only, or only inside a fence, must not learn of what lies outside. The raster is therefore
padded with empty pixels to a multiple of the coarsest factor, and overviews are written by us.
Numbers of classes (a band with a colour table) have no mean: there it is the most frequent class.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import escape

import numpy as np
import rasterio
import rasterio.shutil
from rasterio.enums import ColorInterp, MaskFlags
from rasterio.errors import RasterioError

from tiles.raster.errors import RasterError
from tiles.raster.frame import HONEST, OVERVIEW_TAG, is_categorical
from tiles.raster.pyramid import LARGEST_CLASSED, Plan, write_levels

_SMALLEST = 32  # overviews are made until both sides are at most this
_GDAL_TYPES = {
    "uint8": "Byte", "int8": "Int8", "uint16": "UInt16", "int16": "Int16", "uint32": "UInt32",
    "int32": "Int32", "float32": "Float32", "float64": "Float64",
}  # fmt: skip


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
                files = write_levels(dataset, plan, Path(folder))
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


def _plan(dataset: rasterio.DatasetReader, bands: Sequence[int] | None, nodata: float | None) -> Plan:
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
    missing = _missing(dataset.nodatavals[chosen[0] - 1] if nodata is None else nodata, dtype)
    flags = [flag for band in chosen for flag in dataset.mask_flag_enums[band - 1]]
    masked = MaskFlags.per_dataset in flags or MaskFlags.alpha in flags or missing is None
    count = max(0, math.ceil(math.log2(max(dataset.width, dataset.height) / _SMALLEST)))
    categorical = len(chosen) == 1 and is_categorical(dataset, chosen[0])
    if categorical:
        count = min(count, LARGEST_CLASSED)
    unit = 2**count
    return Plan(
        bands=chosen,
        width=-(-dataset.width // unit) * unit,
        height=-(-dataset.height // unit) * unit,
        overviews=count,
        dtype=dtype,
        nodata=None if masked else missing,
        masked=masked,
        categorical=categorical,
    )


def _missing(nodata: float | None, dtype: str) -> float | None:
    """Say which number means "no value", if the type can hold it at all; NaN for real numbers."""
    kind = np.dtype(dtype)
    if np.issubdtype(kind, np.floating):
        return math.nan if nodata is None else nodata
    limits = np.iinfo(kind)
    if nodata is None or not math.isfinite(nodata) or nodata != int(nodata):
        return None
    return nodata if limits.min <= nodata <= limits.max else None


def _vrt(dataset: rasterio.DatasetReader, plan: Plan, files: list[Path], names: Sequence[str]) -> str:
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
            f"{_colours(dataset, plan)}{_scale(dataset, plan.bands[number - 1])}"
            f"{_sources(files, str(number))}</VRTRasterBand>"
        )
    if plan.masked:
        lines.append(
            f'<MaskBand><VRTRasterBand dataType="Byte">{_sources(files, "mask,1")}'
            "</VRTRasterBand></MaskBand>"
        )
    return "\n".join([*lines, "</VRTDataset>"])


def _colours(dataset: rasterio.DatasetReader, plan: Plan) -> str:
    """Give the classes of a map their colours."""
    if not plan.categorical:
        return ""
    entries = "".join(
        f'<Entry c1="{red}" c2="{green}" c3="{blue}" c4="{alpha}"/>'
        for _, (red, green, blue, alpha) in sorted(dataset.colormap(plan.bands[0]).items())
    )
    return f"<ColorInterp>Palette</ColorInterp><ColorTable>{entries}</ColorTable>"


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
