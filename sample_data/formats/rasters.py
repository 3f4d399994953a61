"""The weather service's forecast and the satellite operator's scenes."""

from __future__ import annotations

from datetime import UTC, timedelta
from pathlib import Path

import numpy as np
import rasterio.shutil
import xarray as xr
from rasterio.io import MemoryFile

from sample_data.town.frame import RAIN_DAY, SCENE_AFTER, SCENE_BEFORE
from sample_data.town.rain import HOURS
from sample_data.town.scene import SCENE_EPSG, SIZE, render, scene_transform
from sample_data.town.town import Town

BANDS = ("blue", "green", "red", "nir")
PACKING_MM = 0.1
EPOCH = "hours since 2026-09-16 15:00:00"  # midnight in Japan, said in UTC


def write_scene(town: Town, path: Path, after: bool) -> None:
    """Four uint16 bands of reflectance times 10000 as a cloud-optimised GeoTIFF with overviews."""
    pixels = render(town, after)
    moment = (SCENE_AFTER if after else SCENE_BEFORE).astimezone(UTC)
    profile = {
        "driver": "GTiff",
        "width": SIZE,
        "height": SIZE,
        "count": 4,
        "dtype": "uint16",
        "nodata": 0,
        "crs": f"EPSG:{SCENE_EPSG}",
        "transform": scene_transform(),
    }
    with MemoryFile() as memory:
        with memory.open(**profile) as scene:
            scene.write(pixels)
            for number, name in enumerate(BANDS, 1):
                scene.set_band_description(number, name)
            scene.update_tags(
                TIFFTAG_DATETIME=moment.strftime("%Y:%m:%d %H:%M:%S"),
                ACQUISITION_DATETIME=moment.isoformat(),
                PLATFORM="MADOKA-2",
                CLOUD_COVER="4" if after else "0",
                REFLECTANCE_SCALE="0.0001",
            )
        rasterio.shutil.copy(
            memory.name,
            path,
            driver="COG",
            COMPRESS="DEFLATE",
            LEVEL="9",
            PREDICTOR="2",
            BLOCKSIZE="256",
            OVERVIEW_RESAMPLING="AVERAGE",
            NUM_THREADS="1",
        )


def write_rain(town: Town, path: Path) -> None:
    """Hourly rain of the day before it fell: CF conventions, 0.01 degrees, packed in tenths of a mm."""
    rain = town.rain
    hours = np.arange(1, HOURS + 1, dtype="int32")
    data = xr.Dataset(
        {
            "rain": (
                ("time", "lat", "lon"),
                rain.amount_mm.astype("float32"),
                {
                    "long_name": "1時間降水量 / hourly precipitation",
                    "units": "mm",
                    "cell_methods": "time: sum",
                    "standard_name": "lwe_thickness_of_precipitation_amount",
                    "grid_mapping": "crs",
                },
            ),
            "time_bounds": (("time", "bounds"), np.column_stack([hours - 1, hours]).astype("int32")),
            "crs": (
                (),
                np.int32(0),
                {
                    "grid_mapping_name": "latitude_longitude",
                    "semi_major_axis": 6378137.0,
                    "inverse_flattening": 298.257222101,
                },
            ),
        },
        coords={
            "time": (
                "time",
                hours,
                {
                    "standard_name": "time",
                    "units": EPOCH,
                    "calendar": "standard",
                    "bounds": "time_bounds",
                    "axis": "T",
                },
            ),
            "lat": (
                "lat",
                rain.latitude,
                {"standard_name": "latitude", "units": "degrees_north", "axis": "Y"},
            ),
            "lon": (
                "lon",
                rain.longitude,
                {"standard_name": "longitude", "units": "degrees_east", "axis": "X"},
            ),
            "forecast_reference_time": (
                (),
                np.int32(-3),
                {"standard_name": "forecast_reference_time", "units": EPOCH, "calendar": "standard"},
            ),
        },
        attrs={
            "Conventions": "CF-1.10",
            "title": "潮見島 24時間雨量予測 / 24-hour rain forecast, Shiomi Island",
            "institution": "Weather service (fictional)",
            "source": "synthetic",
            "history": f"issued {(RAIN_DAY - timedelta(hours=3)).isoformat()}",
        },
    )
    packing = {
        "dtype": "int16",
        "scale_factor": PACKING_MM,
        "_FillValue": np.int16(-1),
        "zlib": True,
        "complevel": 9,
    }
    plain = {
        name: {"_FillValue": None}
        for name in ("lat", "lon", "time", "time_bounds", "crs", "forecast_reference_time")
    }
    data.to_netcdf(path, engine="h5netcdf", encoding={"rain": packing, **plain})
