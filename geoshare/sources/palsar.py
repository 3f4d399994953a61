"""JAXA's yearly PALSAR-2 mosaic: an archive of one file per polarisation becomes one scene."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import rasterio
from rasterio.errors import RasterioError

from geoshare.model.batch import RasterItem, microseconds
from geoshare.model.report import Report
from geoshare.sources import messages
from geoshare.sources.raster import check, cog_item
from geoshare.sources.request import ReadRequest

# N23W161_20_sl_HH_F02DAR.tif: tile, year, slope-corrected backscatter, polarisation, mode.
_BACKSCATTER = re.compile(r"([NS]\d{2}[EW]\d{3})_(\d{2})_sl_(HH|HV|VH|VV)_(\w+)\.tif", re.IGNORECASE)
STRIP_ROWS = 512


def find(files: Sequence[Path]) -> list[Path]:
    """The backscatter files of one mosaic tile, in the order of their polarisations; empty: none."""
    return sorted(item for item in files if _BACKSCATTER.fullmatch(item.name))


def read(files: list[Path], request: ReadRequest, report: Report) -> Iterator[RasterItem]:
    """One scene with a band per polarisation.

    Stored numbers are amplitudes: backscatter in dB is 20 log10(number) - 83 (JAXA, PALSAR-2 mosaic
    product description). The mask, date and incidence layers stay in the raw file.
    """
    report.format = "PALSAR-2 mosaic"
    report.rows_read += 1
    parts = [_BACKSCATTER.fullmatch(item.name) for item in files]
    bands = [part.group(3).upper() for part in parts if part]
    first = parts[0]
    assert first is not None
    name = f"{first.group(1)}_{first.group(2)}_{first.group(4)}"
    report.layers.append(name)
    checked = [check(item, request, report) for item in files]
    stacked = request.work_dir / f"{name}.stack.tif"
    try:
        stack(checked, bands, stacked)
    except (RasterioError, ValueError) as error:
        raise messages.refuse_and_note(report, messages.broken("a raster", "ラスタ")) from error
    year = 2000 + int(first.group(2))
    report.note(messages.year_only(str(year)))
    yield cog_item(
        stacked,
        request.work_dir / f"{name}.cog.tif",
        report,
        request,
        collection=request.collection or "satellite",
        record_id=name,
        kind="scene",
        datetime_us=microseconds(datetime(year, 1, 1, tzinfo=UTC)),
        names=bands,
        properties={
            "name": name,
            "platform": "ALOS-2",
            "instruments": ["PALSAR-2"],
            "bands": bands,
            "calibration": "gamma0_dB = 20 * log10(DN) - 83.0",
        },
    )


def stack(files: Sequence[Path], names: Sequence[str], target: Path) -> None:
    """Several one-band files of one grid as one file, strip by strip; ValueError where grids differ."""
    with rasterio.open(files[0]) as first:
        profile = first.profile | {"count": len(files), "driver": "GTiff", "interleave": "band"}
        profile.pop("compress", None)
    grid = [profile[key] for key in ("width", "height", "dtype", "transform", "crs")]
    with rasterio.open(target, "w", **profile) as out:
        for band, file in enumerate(files, start=1):
            with rasterio.open(file) as source:
                if [
                    source.profile[key] for key in ("width", "height", "dtype", "transform", "crs")
                ] != grid:
                    raise ValueError(f"{file.name} lies on another grid")
                for row in range(0, source.height, STRIP_ROWS):
                    window = ((row, min(row + STRIP_ROWS, source.height)), (0, source.width))
                    out.write(source.read(1, window=window), band, window=window)
                out.set_band_description(band, names[band - 1])
