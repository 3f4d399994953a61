"""Parts of real features against an independent read of the same file."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pyogrio
import shapely

from tests.tiles.packs import ids_of
from tiles.arrays import Kind
from tiles.geometry.convert import from_wkb
from tiles.grid import lon_lat_box_to_world
from tiles.pack import Pack, materialise, open_part, scan, search, verify_part, write_part

FILE = "admin/japan_admin_29cities_143polygons.geojson"


def test_administrative_areas_come_back_to_the_last_bit_and_are_found_by_place(tmp_path, real_data):
    _, source = pyogrio.read_arrow(real_data / FILE)
    wkb = source.column(source.column_names[-1]).combine_chunks()
    ids = [f"a{i}" for i in range(len(wkb))]
    names = pa.array(
        [
            json.dumps(row, ensure_ascii=False)
            for row in source.drop_columns([source.column_names[-1]]).to_pylist()
        ]
    )
    table = pa.table({"id": ids, "row": names})
    info = write_part(tmp_path / "part", table, from_wkb(wkb), {"row": Kind.JSON})
    verify_part(tmp_path / "part", info)
    pack = Pack([open_part(tmp_path / "part", info)])

    frame = pyogrio.read_dataframe(real_data / FILE)
    shapes = dict(zip(ids, frame.geometry, strict=True))
    out = materialise(scan(pack, None), ["id", "row"]).to_pylist()
    assert {row["id"]: row["row"] for row in out} == dict(zip(ids, names.to_pylist(), strict=True))
    for row in out:
        assert shapely.from_wkb(row["geometry"]).equals_exact(shapes[row["id"]], 0)

    tree = shapely.STRtree(frame.geometry)
    rng = np.random.default_rng(7)
    for lon, lat in rng.uniform([138, 34], [142, 40], (200, 2)):
        box = lon_lat_box_to_world(lon, lat, lon + 0.5, lat + 0.5)
        expected = {ids[i] for i in tree.query(shapely.box(lon, lat, lon + 0.5, lat + 0.5))}
        assert set(ids_of(search(pack, None, box))) == expected
