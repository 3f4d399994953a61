"""Files in any format, times of a collection, and pictures of what changed between them."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from pyproj import Transformer

from geoshare.cli import main
from geoshare.errors import BadRequest
from geoshare.extracts.maps.changes import COLOURS
from geoshare.services.differing import compare_files, picture_of
from tests.sources.opendrive.maps import shapes


def shops(path: Path, **places: tuple[float, str]) -> Path:
    features = [
        {
            "type": "Feature",
            "id": name,
            "properties": {"id": name, "name": text},
            "geometry": {"type": "Point", "coordinates": [139.7 + at / 1000, 35.6]},
        }
        for name, (at, text) in places.items()
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), "utf-8")
    return path


@pytest.fixture
def two(tmp_path) -> tuple[Path, Path]:
    before = shops(tmp_path / "a.geojson", a=(0, "A"), b=(1, "B"), c=(2, "C"))
    after = shops(tmp_path / "b.geojson", a=(0, "A"), b=(1.1, "B"), c=(2, "D"), d=(3, "E"))
    return before, after


def test_features_of_two_files_are_compared_by_their_ids(two, tmp_path):
    found = compare_files(*two, tmp_path / "work")
    assert {item.thing.id: (item.what, item.aspects) for item in found.changes} == {
        "b": ("changed", ("moved",)),
        "c": ("changed", ("attributes",)),
        "d": ("added", ()),
    }


def test_the_picture_shows_each_kind_of_change_in_its_colour(two, tmp_path):
    found = compare_files(*two, tmp_path / "work")
    image = Image.open(io.BytesIO(picture_of(found, (1200, 900), "en")))
    assert image.size == (1200, 900)
    seen = {tuple(colour) for colour in np.asarray(image).reshape(-1, 3).tolist()}
    for kind in ("added", "moved", "other", "same"):
        assert tuple(bytes.fromhex(COLOURS[kind][1:])) in seen, kind
    assert tuple(bytes.fromhex(COLOURS["removed"][1:])) not in seen


def test_what_did_not_change_has_no_picture(two, tmp_path):
    found = compare_files(two[0], two[0], tmp_path / "work")
    assert not found.changes
    with pytest.raises(BadRequest, match="has a place"):
        picture_of(found)


def test_the_command_line_tells_of_files_and_writes_the_change_set(two, tmp_path):
    said = ["diff", *map(str, two), "--picture", str(tmp_path / "x.png")]
    run = CliRunner(env={"GEOSHARE_DATA": str(tmp_path / "data")}).invoke(main, said)
    assert run.exit_code == 0, run.output
    assert "+1, moved 1, attributes 1 (1 unchanged)" in run.output
    assert (tmp_path / "x.png").read_bytes().startswith(b"\x89PNG")
    run = CliRunner(env={"GEOSHARE_DATA": str(tmp_path / "data")}).invoke(main, [*said, "--json"])
    kinds = {item["properties"]["change"] for item in json.loads(run.stdout)["features"]}
    assert kinds == {"added", "changed"}


def test_folders_of_extracts_are_compared_by_the_maps_in_them(tmp_path):
    folders = [tmp_path / "before", tmp_path / "after"]
    for folder, lat in zip(folders, (35.60001, 35.60003), strict=True):
        (folder / ".geoshare").mkdir(parents=True)
        nodes = [f'<node id="1" lat="{lat}" lon="139.7"/>', '<node id="2" lat="35.601" lon="139.7"/>']
        line = '<way id="3"><nd ref="1"/><nd ref="2"/><tag k="type" v="curbstone"/></way>'
        (folder / "geoshare.osm").write_text(f"<osm>{''.join(nodes)}{line}</osm>", "utf-8")
    said = ["diff", *map(str, folders)]
    run = CliRunner(env={"GEOSHARE_DATA": str(tmp_path / "data")}).invoke(main, said)
    assert run.exit_code == 0, run.output
    assert "node: moved 1 (1 unchanged)" in run.output
    run = CliRunner(env={"GEOSHARE_DATA": str(tmp_path / "data")}).invoke(main, ["diff", said[1], "/"])
    assert run.exit_code == 1
    assert "there is no file /" in run.output


def test_road_maps_whose_headers_are_wrong_are_compared_where_they_are_said_to_lie(tmp_path):
    """Neither has a reference, so that without one said beside it nothing could be placed."""
    text = shapes()
    first, end = text.index("<geoReference>"), text.index("</header>")
    paths = [tmp_path / "old.xodr", tmp_path / "new.xodr"]
    paths[0].write_text(text[:first] + text[end:], "utf-8")
    paths[1].write_text(
        (text[:first] + text[end:]).replace('name="" length', 'name="国道" length', 1), "utf-8"
    )
    said = ["diff", *map(str, paths), "--crs", "EPSG:6677", "--offset", "95860,28270", "--json"]
    run = CliRunner().invoke(main, said)
    assert run.exit_code == 0, run.output
    found = json.loads(run.output)
    assert found["summary"]["segments"]["attributes"] == 1
    lon, lat = np.array(found["features"][0]["geometry"]["coordinates"])[0][:2]
    north, east = Transformer.from_crs("EPSG:6668", "EPSG:6677").transform(lat, lon)
    assert (east, north) == pytest.approx((95860, 28270), abs=200)
    assert CliRunner().invoke(main, said[:3]).exit_code == 1
    assert CliRunner().invoke(main, [*said[:6], "east"]).exit_code == 1
