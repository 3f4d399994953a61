"""Files that come out the same byte for byte: GDAL's dates pinned, zip members dated alike."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pyogrio
import shapely

from sample_data.town.frame import FILE_DATE, GEODETIC_EPSG, geometry_to_lon_lat

ZIP_DATE = FILE_DATE.timetuple()[:6]


def pin_dates() -> None:
    """Make GDAL write one date instead of today's."""
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": FILE_DATE.strftime("%Y-%m-%dT%H:%M:%S.000Z")})


def write_layers(path: Path, layers: dict[str, pd.DataFrame], epsg: int) -> None:
    """A GeoPackage; each frame has its geometry, already in ``epsg``, in the column geometry."""
    path.unlink(missing_ok=True)
    # No spatial index: it would be a third of the file, and every reader builds its own.
    for name, frame in layers.items():
        data = gpd.GeoDataFrame(frame, geometry="geometry", crs=f"EPSG:{epsg}")
        pyogrio.write_dataframe(
            data, path, layer=name, driver="GPKG", append=path.exists(), SPATIAL_INDEX="NO"
        )


def write_shapefile(path: Path, name: str, frame: pd.DataFrame) -> None:
    """A zipped Shapefile in cp932 and JGD2011 degrees, as Japanese offices send them."""
    folder = path.parent / f".{path.stem}"
    folder.mkdir()
    data = gpd.GeoDataFrame(frame, geometry="geometry", crs=f"EPSG:{GEODETIC_EPSG}")
    pyogrio.write_dataframe(
        data,
        folder / f"{name}.shp",
        encoding="CP932",
        DBF_DATE_LAST_UPDATE=FILE_DATE.strftime("%Y-%m-%d"),
    )
    (folder / f"{name}.cpg").write_text("932", "ascii")  # as the usual desktop software writes it
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for file in sorted(folder.iterdir()):
            archive.writestr(_member(file.name), file.read_bytes())
            file.unlink()
    folder.rmdir()


def _member(name: str) -> zipfile.ZipInfo:
    member = zipfile.ZipInfo(name, ZIP_DATE)
    member.compress_type = zipfile.ZIP_DEFLATED
    member.external_attr = 0o644 << 16
    return member


def repack(path: Path, replace: dict[str, bytes]) -> None:
    """Rewrite a zip with pinned dates, some members replaced."""
    with zipfile.ZipFile(path) as archive:
        members = [(name, replace.get(name, archive.read(name))) for name in archive.namelist()]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, content in members:
            archive.writestr(_member(name), content)


def write_geojson(
    path: Path,
    name: str,
    features: list[tuple[dict[str, Any], shapely.Geometry]],
    decimals: int = 7,
) -> None:
    """A GeoJSON file, one feature a line, in degrees; exterior rings run counter-clockwise."""
    lines = []
    for properties, geometry in features:
        placed = shapely.orient_polygons(geometry_to_lon_lat(geometry, decimals))
        shape = shapely.geometry.mapping(placed)
        lines.append(
            json.dumps(
                {"type": "Feature", "properties": properties, "geometry": shape},
                ensure_ascii=False,
                separators=(",", ":"),
            )
        )
    head = json.dumps({"type": "FeatureCollection", "name": name}, ensure_ascii=False)[:-1]
    path.write_text(head + ', "features": [\n' + ",\n".join(lines) + "\n]}\n", "utf-8", newline="\n")
