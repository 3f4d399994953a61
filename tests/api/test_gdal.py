"""GDAL reads our tiles and archives: its MVT and PMTiles drivers, by pyogrio and by Debian's tools."""

from __future__ import annotations

import math
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pyogrio
import pytest
import shapely
from click.testing import CliRunner

from geoshare.cli import main
from tests.clients import LAT, LON, NAMES, VALUES, X, Y, Z, typed_collections

UNIT_M = 40_075_016.68557849 / 2**Z / 4096


@pytest.fixture(scope="module")
def tile(live_server) -> str:
    """Address of a tile of both collections, as GDAL opens it."""
    names = typed_collections(live_server)
    pyogrio.set_gdal_config_options(
        {
            "GDAL_HTTP_HEADERS": f"X-API-Key: {live_server.keys['operator']}",
            "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
        }
    )
    yield f"/vsicurl/{live_server.url}/tiles/{names}/{Z}/{X}/{Y}.mvt"
    pyogrio.set_gdal_config_options({"GDAL_HTTP_HEADERS": None, "GDAL_DISABLE_READDIR_ON_OPEN": None})


def mercator(lon: float, lat: float) -> tuple[float, float]:
    radius = 6_378_137.0
    x = math.radians(lon) * radius
    return x, math.asinh(math.tan(math.radians(lat))) * radius


def test_every_layer_of_a_tile_opens_with_its_values_and_their_types(tile):
    assert {str(name) for name, _ in pyogrio.list_layers(tile)} == set(NAMES)
    for name in NAMES:
        frame = pyogrio.read_dataframe(tile, layer=name).sort_values("whole")
        assert frame.crs.to_epsg() == 3857
        found = frame[["whole", "real", "flag", "text"]].to_dict("records")
        assert found == list(VALUES)
        assert [frame[key].dtype.kind for key in ("whole", "real", "flag")] == ["i", "f", "b"]
        assert all(isinstance(value, str) for value in frame["text"])
        start = shapely.get_coordinates(frame.geometry.iloc[0])[0]
        assert np.abs(start - mercator(LON, LAT)).max() <= UNIT_M


def test_tilejson_serves_as_metadata(live_server, tile):
    names = ",".join(NAMES)
    options = {"METADATA_FILE": f"/vsicurl/{live_server.url}/tiles/{names}.json"}
    layers = live_server.json(f"/tiles/{names}.json", "operator")["vector_layers"]
    for layer in layers:
        frame = pyogrio.read_dataframe(tile, layer=layer["id"], **options)
        assert set(layer["fields"]) <= set(frame.columns)
        assert sorted(frame["text"]) == ["1", "true"]
        assert sorted(float(value) for value in frame["real"]) == [1.0, 2.5]


def test_debians_gdal_reads_a_tile(live_server, tile):
    ogrinfo = shutil.which("ogrinfo")
    if ogrinfo is None:
        pytest.skip("no ogrinfo (apt-get install gdal-bin)")
    command = [ogrinfo, "-ro", "-q", "-al", tile]
    key = live_server.keys["operator"]
    said = subprocess.run(
        [*command, "--config", "GDAL_HTTP_HEADERS", f"X-API-Key: {key}"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout
    for name in NAMES:
        assert f"Layer name: {name}" in said
    for line in ("whole (Integer) = 1", "real (Real) = 2.5", "flag (Integer(Boolean)) = 1"):
        assert line in said
    assert "text (String) = true" in said


def test_the_pmtiles_driver_reads_an_archive(live_server, tile, tmp_path: Path):
    path = tmp_path / "typed.pmtiles"
    names = ["collections", "export", ",".join(NAMES), "--tier", "operator", "--max-zoom", str(Z)]
    environ = {"GEOSHARE_DATA": str(live_server.data)}
    done = CliRunner(env=environ).invoke(main, [*names, "--pmtiles", str(path)])
    assert done.exit_code == 0, done.output
    if "PMTiles" not in pyogrio.list_drivers():
        pytest.skip("this GDAL has no PMTiles driver (3.8 and later do)")
    assert {str(name) for name, _ in pyogrio.list_layers(path)} == set(NAMES)
    frame = pyogrio.read_dataframe(path, layer="typed_points").drop_duplicates("id")
    assert sorted(frame["text"]) == ["1", "true"]
    assert sorted(frame["real"]) == [1.0, 2.5]
    assert sorted(frame["whole"]) == [1, 2]
    assert sorted(bool(value) for value in frame["flag"]) == [False, True]
    first = frame[frame["text"] == "1"].geometry.iloc[0]
    assert np.abs(np.array([first.x, first.y]) - mercator(LON, LAT)).max() <= UNIT_M
