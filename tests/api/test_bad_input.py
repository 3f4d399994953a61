"""Bad files: one clear sentence each, and a record that is as it was before."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile

import numpy as np
import pytest
import rasterio
from rasterio.transform import from_origin

from geoshare.errors import GeoshareError


def feature(geometry: dict, **properties: object) -> dict:
    return {"type": "Feature", "geometry": geometry, "properties": properties}


def geojson(path, features: list[dict], **extra: object):
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features, **extra}))
    return path


def truncated_xml(folder):
    path = folder / "map.osm"
    path.write_text(
        '<?xml version="1.0"?><osm version="0.6"><node id="1" lat="35.1" lon="139.1"/><way id="2'
    )
    return path


def entity_bomb(folder):
    path = folder / "bomb.osm"
    entities = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 9))
    path.write_text(f'<?xml version="1.0"?><!DOCTYPE osm [<!ENTITY a0 "ha">{entities}]><osm>&a8;</osm>')
    return path


def zip_bomb(folder):
    path = folder / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        archive.writestr("roads.shp", b"\0" * 300_000_000)
    return path


def empty_file(folder):
    path = folder / "empty.csv"
    path.touch()
    return path


def no_features(folder):
    return geojson(folder / "none.geojson", [])


def outside_the_crs(folder):
    points = [feature({"type": "Point", "coordinates": [139e6 + n, 35e6]}, name="x") for n in range(3)]
    return geojson(folder / "far.geojson", points)


def raster_without_crs(folder):
    path = folder / "scene.tif"
    profile = {"driver": "GTiff", "width": 32, "height": 32, "count": 1, "dtype": "uint8"}
    with rasterio.open(path, "w", **profile, transform=from_origin(0, 32, 1, 1)) as file:
        file.write(np.ones((1, 32, 32), np.uint8))
    return path


def truncated_raster(folder):
    path = raster_without_crs(folder)
    path.write_bytes(path.read_bytes()[:300])
    return path


def unknown_format(folder):
    path = folder / "thing.docx"
    path.write_bytes(b"PK\x03\x04 not a zip at all")
    return path


MAKERS = [
    truncated_xml,
    entity_bomb,
    zip_bomb,
    empty_file,
    no_features,
    outside_the_crs,
    raster_without_crs,
    truncated_raster,
    unknown_format,
]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
def test_a_bad_file_is_refused_with_one_sentence_and_leaves_nothing(own, tmp_path, make):
    path = make(tmp_path)
    before = own.state()
    with pytest.raises(GeoshareError) as caught:
        own.contribute(path)
    message = caught.value.message
    assert 10 < len(message) < 400
    assert "\n" not in message
    assert str(tmp_path) not in message
    assert own.state() == before


def test_heights_that_need_a_missing_grid_are_refused_by_its_name(own, tmp_path):
    path = geojson(
        tmp_path / "heights.geojson",
        [feature({"type": "Point", "coordinates": [139.7, 35.6, 12.0]}, name="x")],
    )
    before = own.state()
    with pytest.raises(GeoshareError, match=r"grid|geoid"):
        own.contribute(path, collection="places", crs="EPSG:6697", vertical="EPSG:6695")
    assert own.state() == before


def test_swapped_coordinates_are_mended_where_that_is_certain_and_said(own, tmp_path):
    points = [
        feature({"type": "Point", "coordinates": [35.0 + n / 100, 139.0]}, name=f"p{n}")
        for n in range(9)
    ]
    report = own.contribute(geojson(tmp_path / "swapped.geojson", points), collection="places")
    assert sum(repair.count for repair in report.repairs.values()) >= 9
    for item in own.items("places"):
        assert item["geometry"]["coordinates"][0] == 139.0


def test_invalid_polygons_are_mended_and_counted(own, tmp_path):
    bow_tie = {
        "type": "Polygon",
        "coordinates": [[[139, 35], [139.1, 35.1], [139.1, 35], [139, 35.1], [139, 35]]],
    }
    report = own.contribute(
        geojson(tmp_path / "tie.geojson", [feature(bow_tie, name="x")]), collection="buildings"
    )
    assert sum(repair.count for repair in report.repairs.values()) == 1
    assert len(own.items("buildings")) == 1


def test_a_refused_row_does_not_stop_the_others(own, tmp_path):
    points = [feature({"type": "Point", "coordinates": [139.0, 35.0]}, name=f"p{n}") for n in range(10)]
    points[4]["geometry"]["coordinates"] = [999.0, 999.0]
    report = own.contribute(geojson(tmp_path / "partly.geojson", points), collection="places")
    assert (report.rows_read, report.refused) == (10, 1)
    assert report.refusals[0].message.ja
    assert len(own.items("places")) == 9


def test_columns_in_any_order_are_found_by_their_names(own, tmp_path):
    path = tmp_path / "sites.csv"
    path.write_text('経度,備考,名称,緯度,想定収容人数\n139.1,,中央公園,35.1,"50,700 "\n', "cp932")
    own.contribute(path, collection="evacuation_sites")
    site = own.items("evacuation_sites")[0]
    assert site["geometry"]["coordinates"] == [139.1, 35.1]
    assert site["properties"]["max_capacity"] == 50_700


def test_a_large_file_is_read_in_bounded_memory(tmp_path):
    path = tmp_path / "large.geojson"
    start = '{"type":"Feature","properties":{"name":"%d","class":"quarter"},'
    line = start + '"geometry":{"type":"Point","coordinates":[%f,%f]}}'
    count = 100_000
    with path.open("w") as file:
        file.write('{"type":"FeatureCollection","features":[')
        for n in range(count):
            file.write((",\n" if n else "") + line % (n, 139 + n % 1000 / 1000, 35 + n // 1000 / 1000))
        file.write("]}")
    code = (
        "import sys, resource; from pathlib import Path; from geoshare.services import build_services;"
        "from geoshare.services.local import Local; from geoshare.settings import Settings;"
        "local = Local(build_services(Settings(data=Path(sys.argv[2]))));"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss;"
        "report = local.contribute("
        "    Path(sys.argv[1]), 'x', collection='places', progress=lambda d, t='': None);"
        "print(report.rows_read, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path), str(tmp_path / "data")],
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    rows, grown = map(int, done.stdout.split())
    grown_bytes = grown if sys.platform == "darwin" else grown * 1024
    assert rows == count
    # Read whole, features of this file take more than ten times its size in memory.
    assert grown_bytes < 100_000_000
