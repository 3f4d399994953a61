"""Real files through record and pack: as many features as the file holds, and references that hold."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import shapely

from geoshare.ingest import contribute
from geoshare.model.clock import RandomIds, SystemClock
from geoshare.publish import Packs, Publisher
from geoshare.sources import ReadRequest
from geoshare.store import open_record
from tiles.pack import materialise, scan

Contribute = Callable[[Path, str], Packs]


@pytest.fixture
def published(tmp_path: Path, real_data: Path) -> Iterator[Contribute]:
    """Contributes a real file and opens what is published then."""
    record = open_record(tmp_path / "record.db")

    def take(path: Path, provider: str) -> Packs:
        work = tmp_path / "work"
        work.mkdir(exist_ok=True)
        contribute(
            record,
            path,
            ReadRequest(provider, work, SystemClock().now_us()),
            clock=SystemClock(),
            ids=RandomIds(),
            data_dir=tmp_path,
        )
        Publisher(record, tmp_path / "packs").publish()
        return Packs(tmp_path / "packs")

    yield take
    record.close()


def table(packs: Packs, collection: str) -> pa.Table:
    published = packs.source(collection)
    assert published is not None
    return materialise(scan(published.pack, None), ["id", *published.manifest.kinds])


@pytest.mark.real
def test_every_lanelet_and_what_it_refers_to_is_there(published: Contribute, real_data: Path) -> None:
    path = real_data / "lanelet2" / "kashiwanoha_base.osm"
    tree = ElementTree.parse(path)
    kinds = [
        tag.get("v")
        for relation in tree.iter("relation")
        for tag in relation.iter("tag")
        if tag.get("k") == "type"
    ]
    heights = {float(tag.get("v", "")) for tag in tree.iter("tag") if tag.get("k") == "ele"}
    packs = published(path, "automaker-a")
    lanes, boundaries = table(packs, "lanes"), table(packs, "lane_boundaries")
    assert lanes.num_rows == kinds.count("lanelet") == 81
    assert table(packs, "regulatory_elements").num_rows == kinds.count("regulatory_element")
    known = set(boundaries.column("id").to_pylist())
    for side in ("left_boundary_id", "right_boundary_id"):
        assert set(lanes.column(side).to_pylist()) <= known
    neighbours = {
        id_
        for name in ("predecessor_ids", "successor_ids")
        for text in lanes.column(name).drop_null().to_pylist()
        for id_ in json.loads(text)
    }
    assert neighbours
    assert neighbours <= set(lanes.column("id").to_pylist())
    shapes = shapely.from_wkb(boundaries.column("geometry").to_pylist())
    assert set(shapely.get_coordinates(shapes, include_z=True)[:, 2].tolist()) <= heights


@pytest.mark.real
@pytest.mark.parametrize(
    ("file", "collection", "count"),
    [
        ("emergency_401307.json", "evacuation_sites", 786),
        ("evacuation_401307.json", "shelters", 439),
        ("emergency_122173.json", "evacuation_sites", 146),
        ("evacuation_122173.json", "shelters", 112),
    ],
)
def test_every_shelter_of_a_list_is_there(
    published: Contribute, real_data: Path, file: str, collection: str, count: int
) -> None:
    packs = published(real_data / "shelters" / file, "gsi")
    rows = table(packs, collection)
    assert rows.num_rows == count
    assert rows.column("name").null_count == 0
    assert rows.column("geometry").null_count == 0


@pytest.mark.real
def test_segments_refer_to_the_connectors_of_the_same_file(
    published: Contribute, real_data: Path
) -> None:
    path = real_data / "roads" / "overture_shinjuku_segments_connectors_2024-05.geojson"
    packs = published(path, "mapco")
    segments, connectors = table(packs, "segments"), table(packs, "connectors")
    said = json.loads(path.read_text("utf-8"))["features"]
    assert segments.num_rows + connectors.num_rows == len(said)
    known = set(connectors.column("id").to_pylist())
    ends = segments.column("start_connector_id").drop_null().to_pylist()
    assert ends
    assert len(set(ends) & known) > len(set(ends)) / 2  # others lie outside the file's area


@pytest.mark.real
def test_every_administrative_area_is_there_and_valid(published: Contribute, real_data: Path) -> None:
    packs = published(real_data / "admin" / "japan_admin_29cities_143polygons.geojson", "mlit")
    rows = table(packs, "admin_areas")
    assert rows.num_rows == 143
    assert np.all(shapely.is_valid(shapely.from_wkb(rows.column("geometry").to_pylist())))
