"""GDAL reads the tiles: by OGC API Tiles from the server, and single tiles as files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyogrio
import pytest
import rasterio
import shapely

from tests.conftest import LiveServer
from tiles.matrices import MATRIX_SETS

AT_PLACE = "JGD2011Plane9"


@pytest.mark.parametrize("matrix", [10, 14])
def test_gdal_finds_and_reads_a_tile_set_by_its_links(live_server: LiveServer, matrix: int) -> None:
    found = pyogrio.read_dataframe(
        f"OGCAPI:{live_server.url}/collections/segments",
        layer=f"Zoom level {matrix}",
        API="TILES",
        TILEMATRIXSET="WorldCRS84Quad",
    )
    assert found.crs.to_string() == "OGC:CRS84"
    (bbox,) = live_server.json("/collections/segments")["extent"]["spatial"]["bbox"]
    shown, margin = shapely.box(*found.total_bounds), 2 * 180 / 2**matrix / 4096
    assert shapely.box(*bbox).buffer(margin).covers(shown)
    items = live_server.json("/collections/segments/items?limit=10000")["features"]
    assert set(found["id"]) <= {item["id"] for item in items}
    if matrix == 14:
        assert found.total_bounds == pytest.approx(bbox, abs=margin)
        assert set(found["id"]) == {item["id"] for item in items}


def test_gdal_reads_a_tile_of_a_plane_zone_where_it_lies(
    live_server: LiveServer, tmp_path: Path
) -> None:
    matrices = MATRIX_SETS[AT_PLACE]
    (bbox,) = live_server.json("/collections/segments")["extent"]["spatial"]["bbox"]
    lon_lat = np.array([[(bbox[0] + bbox[2]) / 2, (bbox[1] + bbox[3]) / 2]])
    z = 9
    spans = matrices.covering(z, (*lon_lat[0], *lon_lat[0]))
    assert spans is not None
    (column, _), (row, _) = spans
    status, _, body = live_server.get(
        f"/collections/segments/tiles/{AT_PLACE}/{z}/{row}/{column}", **{"Accept-Encoding": "identity"}
    )
    assert status == 200
    path = tmp_path / "tile.mvt"
    path.write_bytes(body)
    west, south, east, _ = matrices.box(z, column, row)
    found = pyogrio.read_dataframe(path, layer="segments", METADATA_FILE="")
    assert len(found) > 0
    assert found.geometry.is_valid.all()
    # GDAL leaves a tile without a place in its own units, y to the north
    scale = (east - west) / 4096
    lines = shapely.transform(found.geometry.to_numpy(), lambda xy: xy * scale + (west, south))
    assert shapely.total_bounds(lines)[0] >= west - 64 * scale - 1
    items = live_server.json("/collections/segments/items?limit=10000")["features"]
    exact = {
        item["id"]: shapely.transform(
            shapely.geometry.shape(item["geometry"]), lambda xy: matrices.to_crs(xy)
        )
        for item in items
    }
    for identity, line in zip(found["id"], lines, strict=True):
        near = shapely.distance(shapely.points(shapely.get_coordinates(line)), exact[identity])
        assert near.max() <= 1.3 * scale, identity


def a_road(live_server: LiveServer) -> tuple[float, float]:
    """Longitude and latitude of a place on a road that is drawn at any scale of a town."""
    found = live_server.json("/collections/segments/items?filter=class='primary'&limit=1")["features"]
    lon, lat = found[0]["geometry"]["coordinates"][0][:2]
    return lon, lat


@pytest.mark.parametrize("name", ["WebMercatorQuad", "WorldCRS84Quad", AT_PLACE])
def test_gdal_reads_wmts_where_things_lie(live_server: LiveServer, name: str) -> None:
    lon, lat = a_road(live_server)
    matrices = MATRIX_SETS[name]
    place = matrices.to_crs(np.array([[lon, lat]]))[0]
    chosen = f"layer=segments,tilematrixset={name},tilematrix={16 - matrices.mercator_zoom}"
    with rasterio.open(f"WMTS:{live_server.url}/wmts/1.0.0/WMTSCapabilities.xml,{chosen}") as map_:
        assert map_.crs.to_string() == matrices.crs
        [pixel] = map_.sample([tuple(place)])
    assert pixel[3] == 255


def test_gdal_reads_wms_where_things_lie(live_server: LiveServer) -> None:
    lon, lat = a_road(live_server)
    reach = 0.002
    asked = "SERVICE=WMS&VERSION=1.3.0&REQUEST=GetMap&LAYERS=segments&STYLES=&CRS=EPSG:4326"
    box = f"{lat - reach},{lon - reach},{lat + reach},{lon + reach}"
    where = f"{live_server.url}/wms?{asked}&BBOX={box}&FORMAT=image/png&TRANSPARENT=TRUE"
    with rasterio.open(f"WMS:{where}") as map_:
        assert map_.crs.to_string() == "EPSG:4326"
        assert map_.bounds == pytest.approx((lon - reach, lat - reach, lon + reach, lat + reach))
        alpha = map_.read(4, out_shape=(256, 256))
    assert alpha[126:130, 126:130].max() == 255
    assert 0 < (alpha > 0).mean() < 0.5
