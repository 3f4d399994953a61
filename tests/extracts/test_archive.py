"""Archives of tiles: what the server answers, tile by tile, and nothing a view does not hold."""

from __future__ import annotations

import gzip
import hashlib
import json
import zipfile
from pathlib import Path

import mapbox_vector_tile
import numpy as np
import pytest
from pmtiles.reader import MemorySource, Reader, all_tiles
from pydantic import ValidationError
from shapely import LineString, Point, box

from geoshare.access.build import build_views
from geoshare.access.view import View
from geoshare.errors import BadRequest, TooLarge
from geoshare.extracts import ExtractRequest, archive, write_extract
from geoshare.extracts.archive import write_archive
from geoshare.extracts.areas import mesh_area
from geoshare.extracts.sizes import estimated
from geoshare.extracts.terms import attribution
from geoshare.model.box import Box
from geoshare.model.policy import Policy
from geoshare.query.pyramid import pyramid
from geoshare.query.tiles import vector_tile
from geoshare.query.tilesets import tilejson
from tests.access.town import Town, policy

NOW_US = 1_767_225_600_000_000  # 2026-01-01
CANARY = "canary7391"
NUMBER = 736_152_893_417
SHOWN = {"op": "=", "args": [{"property": "status"}, "open"]}
Rows = list[tuple[str, object, dict]]


def shelters(hidden: str = CANARY) -> Rows:
    rows: Rows = []
    for number in range(40):
        is_hidden = number % 3 == 0
        said = {
            "name": f"{hidden} name" if is_hidden else f"避難所 {number}",
            "notes": f"{CANARY} notes",
            "max_capacity": NUMBER if is_hidden else (None if number == 7 else number),
            "status": "closed" if is_hidden else "open",
        }
        name = f"{hidden}{number}" if is_hidden else f"s{number}"
        rows.append((name, Point(139.7 + number / 1000, 35.6 + (number % 7) / 500), said))
    return rows


def town_of(folder: Path, hidden: str = CANARY) -> tuple[Town, Policy]:
    town = Town(folder)
    rows = shelters(hidden)
    town.packs.publish("shelters", rows[:25], rows[25:])
    street = LineString([(139.70, 35.60), (139.72, 35.60)])
    town.packs.publish("segments", [("street", street, {"name": "通り", "length_m": 1800.0})])
    grants = policy(
        {"collections": ["shelters"], "columns": ["name", "max_capacity"], "rows": SHOWN},
        {"collections": ["segments"], "columns": ["name", "length_m"]},
    )
    build_views([grants], town.packs, town.views_dir)
    return town, grants


def views_of(town: Town, grants: Policy, *names: str) -> list[View]:
    found = [town.views.get(grants, name) for name in names]
    assert all(isinstance(view, View) for view in found)
    return found  # type: ignore[return-value]


def write(town: Town, grants: Policy, path: Path, **options: object) -> Path:
    views = views_of(town, grants, "shelters", "segments")
    write_archive(path, grants, views, now_us=NOW_US, **{"zooms": (0, 14), **options})
    return path


def reader(path: Path) -> Reader:
    return Reader(MemorySource(path.read_bytes()))


def tiles_in(path: Path) -> dict[tuple[int, int, int], bytes]:
    return {place: gzip.decompress(packed) for place, packed in all_tiles(reader(path).get_bytes)}


def test_each_tile_is_the_one_the_server_makes_and_no_other_tile_has_anything(tmp_path: Path) -> None:
    town, grants = town_of(tmp_path)
    found = tiles_in(write(town, grants, tmp_path / "x.pmtiles", zooms=(2, 14)))
    views = views_of(town, grants, "shelters", "segments")
    for place, content in found.items():
        assert content == vector_tile(views, *place)
        assert content
    for z in (9, 12, 14):
        x0, y0 = next((x, y) for zoom, x, y in found if zoom == z)
        for x in range(max(x0 - 3, 0), min(x0 + 4, 1 << z)):
            for y in range(max(y0 - 3, 0), min(y0 + 4, 1 << z)):
                assert vector_tile(views, z, x, y) == found.get((z, x, y), b"")
    # far out the rules show nothing here; from there on no zoom is left out
    zooms = {z for z, _, _ in found}
    assert zooms == set(range(min(zooms), 15))


def test_a_file_says_of_its_layers_what_tilejson_says(tmp_path: Path) -> None:
    town, grants = town_of(tmp_path)
    views = views_of(town, grants, "shelters", "segments")
    said = tilejson(views, "", attribution(grants, views))
    found = reader(write(town, grants, tmp_path / "x.pmtiles", zooms=(0, 16))).metadata()
    for name in ("name", "description", "attribution"):
        assert found[name] == said[name], name
    assert [len(layer["detail"]) > 0 for layer in found["vector_layers"]] == [True, True]
    some = reader(write(town, grants, tmp_path / "x.pmtiles", zooms=(9, 12))).metadata()
    for last, file in ((16, found), (12, some)):
        first = 9 if file is some else 0
        for layer, whole in zip(file["vector_layers"], said["vector_layers"], strict=True):
            zooms = {"minzoom": max(first, whole["minzoom"]), "maxzoom": last}
            assert layer == whole | zooms


def test_every_visible_feature_is_in_the_deepest_tiles(tmp_path: Path) -> None:
    town, grants = town_of(tmp_path)
    found = tiles_in(write(town, grants, tmp_path / "x.pmtiles"))
    ids = {
        (name, feature["properties"]["id"])
        for (z, _, _), content in found.items()
        if z == 14
        for name, layer in mapbox_vector_tile.decode(content).items()
        for feature in layer["features"]
    }
    shown = {("shelters", f"s{number}") for number in range(40) if number % 3}
    assert ids == shown | {("segments", "street")}


def test_no_hidden_value_is_in_a_tile_the_metadata_or_the_bytes(tmp_path: Path) -> None:
    town, grants = town_of(tmp_path)
    path = write(town, grants, tmp_path / "x.pmtiles")
    texts = [CANARY.encode(), str(NUMBER).encode(), b"notes", b"status", b"closed"]
    numbers = [NUMBER.to_bytes(8, "little"), np.float64(NUMBER).tobytes(), _varint(NUMBER)]
    opened = [path.read_bytes(), json.dumps(reader(path).metadata()).encode()]
    for content in (*opened, *tiles_in(path).values()):
        assert not any(secret in content for secret in (*texts, *numbers, _varint(2 * NUMBER)))


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def test_a_file_is_the_same_to_the_byte_when_only_hidden_rows_differ(tmp_path: Path) -> None:
    digests = set()
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        town, grants = town_of(tmp_path / name, hidden=name)
        if name == "b":  # far away: whether there is more below a tile must not show either
            hidden = ("far", box(0, 0, 20, 20), {"status": "closed", "name": "x"})
            town.packs.change("shelters", [hidden])
            build_views([grants], town.packs, town.views_dir)
        path = write(town, grants, tmp_path / name / "x.pmtiles")
        digests.add(hashlib.sha256(path.read_bytes()).hexdigest())
    assert len(digests) == 1


def test_the_file_says_what_it_is_made_of(tmp_path: Path) -> None:
    town, grants = town_of(tmp_path)
    found = reader(write(town, grants, tmp_path / "x.pmtiles")).metadata()
    views = views_of(town, grants, "shelters", "segments")
    assert found["vector_layers"][0]["fields"] == {
        "id": "String",
        "name": "String",
        "max_capacity": "Number",
    }
    said = found["geoshare"]
    assert said["policy"] == grants.hash
    assert said["created"].startswith("2026-01-01T00:00:00")
    assert [item["version"] for item in said["collections"]] == [view.token for view in views]
    assert [item["features"] for item in said["collections"]] == [26, 1]
    assert all(item["licences"] for item in said["collections"])


def test_a_box_chooses_whole_tiles_that_meet_it(tmp_path: Path) -> None:
    town, grants = town_of(tmp_path)
    everything = tiles_in(write(town, grants, tmp_path / "all.pmtiles"))
    path = write(town, grants, tmp_path / "x.pmtiles", box=Box(139.705, 35.59, 139.706, 35.62))
    chosen = tiles_in(path)
    assert 0 < sum(z == 14 for z, _, _ in chosen) < sum(z == 14 for z, _, _ in everything)
    assert chosen.items() <= everything.items()
    header = reader(path).header()
    assert header["min_lon_e7"] == 1_397_050_000
    assert header["max_lon_e7"] == 1_397_060_000


def test_a_box_across_the_antimeridian_takes_both_sides(tmp_path: Path) -> None:
    town = Town(tmp_path)
    places = [("east", 179.9), ("west", -179.9), ("middle", 10.0)]
    town.packs.publish("places", [(name, Point(lon, 10), {"name": name}) for name, lon in places])
    grants = policy({"collections": ["places"], "columns": ["name"]})
    build_views([grants], town.packs, town.views_dir)
    views = views_of(town, grants, "places")
    path = tmp_path / "x.pmtiles"
    write_archive(path, grants, views, now_us=NOW_US, zooms=(12, 12), box=Box(179, 0, -179, 20))
    found = b"".join(tiles_in(path).values())
    assert b"east" in found
    assert b"west" in found
    assert b"middle" not in found


def test_nothing_there_is_a_file_that_opens(tmp_path: Path) -> None:
    town, grants = town_of(tmp_path)
    path = write(town, grants, tmp_path / "x.pmtiles", box=Box(0, 0, 1, 1))
    assert set(tiles_in(path).values()) == {b""}
    assert reader(path).metadata()["vector_layers"]


def test_the_walk_looks_only_where_rows_are(tmp_path: Path) -> None:
    town, grants = town_of(tmp_path)
    views = views_of(town, grants, "segments")
    looked_at = sum(batch.looked_at for batch in pyramid(views, (0, 18)))
    # a street of two kilometres crosses some 15 tiles of zoom 18
    assert looked_at < 500


def test_threads_change_no_byte(tmp_path: Path) -> None:
    town, grants = town_of(tmp_path)
    written = [
        write(town, grants, tmp_path / f"{threads}.pmtiles", threads=threads).read_bytes()
        for threads in (1, 3)
    ]
    assert written[0] == written[1]


def test_too_many_tiles_are_refused_and_leave_nothing(tmp_path: Path) -> None:
    town, grants = town_of(tmp_path / "town")
    with pytest.raises(TooLarge) as caught:
        write(town, grants, tmp_path / "x.pmtiles", most_tiles=20)
    assert caught.value.parameter == "max_zoom"
    assert [path.name for path in tmp_path.iterdir()] == ["town"]


@pytest.mark.parametrize("after", [0.0, 0.5, 0.985])
def test_who_interrupts_finds_the_old_file_and_nothing_else(tmp_path: Path, after: float) -> None:
    town, grants = town_of(tmp_path / "town")
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "x.pmtiles").write_bytes(b"old")

    def interrupt(done: float) -> None:
        if done >= after:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write(town, grants, folder / "x.pmtiles", report=interrupt)
    assert [path.name for path in folder.iterdir()] == ["x.pmtiles"]
    assert (folder / "x.pmtiles").read_bytes() == b"old"


def test_progress_grows_from_nothing_to_nearly_all(tmp_path: Path) -> None:
    town, grants = town_of(tmp_path)
    told: list[float] = []
    write(town, grants, tmp_path / "x.pmtiles", report=told.append)
    assert told == sorted(told)
    assert told[0] < 0.01
    assert 0.97 < told[-1] <= 1.0


def test_an_extract_holds_the_same_archive_with_its_terms_and_checksum(tmp_path: Path) -> None:
    town, grants = town_of(tmp_path)
    request = ExtractRequest(collections=("shelters", "segments"), format="pmtiles", max_zoom=14)
    path = tmp_path / "extract.zip"
    write_extract(request, grants, town.views, path, now_us=NOW_US, work_dir=tmp_path)
    with zipfile.ZipFile(path) as opened:
        assert set(opened.namelist()) == {
            "geoshare.pmtiles",
            "LICENCES.txt",
            "data-dictionary.csv",
            "manifest.json",
            "terms.csv",
        }
        manifest = json.loads(opened.read("manifest.json"))
        content = opened.read("geoshare.pmtiles")
    sums = {entry["name"]: entry["sha256"] for entry in manifest["files"]}
    assert sums["geoshare.pmtiles"] == hashlib.sha256(content).hexdigest()
    assert [item["features"] for item in manifest["collections"]] == [26, 1]
    assert content == write(town, grants, tmp_path / "x.pmtiles").read_bytes()


def test_the_tiles_of_a_mesh_are_those_of_its_box(tmp_path: Path) -> None:
    town, grants = town_of(tmp_path)
    files = {}
    square = mesh_area(["53393526"]).bounds
    for name, said in (("mesh", {"mesh": ["53393526"]}), ("box", {"bbox": square})):
        request = ExtractRequest(collections=("segments",), format="pmtiles", max_zoom=12, **said)
        path = tmp_path / f"{name}.zip"
        write_extract(request, grants, town.views, path, now_us=NOW_US, work_dir=tmp_path)
        with zipfile.ZipFile(path) as opened:
            files[name] = opened.read("geoshare.pmtiles")
    assert files["mesh"] == files["box"]


def test_a_format_that_is_not_granted_is_refused(tmp_path: Path) -> None:
    town = Town(tmp_path)
    town.packs.publish("places", [("a", Point(139, 35), {"name": "x"})])
    grants = policy({"collections": ["places"], "columns": ["name"], "formats": ["gpkg"]})
    build_views([grants], town.packs, town.views_dir)
    with pytest.raises(BadRequest) as caught:
        estimated(ExtractRequest(collections=("places",), format="pmtiles"), grants, town.views)
    assert caught.value.parameter == "format"
    assert caught.value.allowed == "gpkg"


@pytest.mark.parametrize(
    "wrong",
    [
        {"format": "pmtiles", "max_zoom": archive.DEEPEST + 1},
        {"format": "pmtiles", "min_zoom": -1},
        {"format": "pmtiles", "min_zoom": 9, "max_zoom": 8},
        {"format": "pmtiles", "mode": "clip"},
        {"format": "pmtiles", "filter": "name = 'x'"},
        {"format": "pmtiles", "datetime": "2026-01-01T00:00:00Z"},
        {"format": "gpkg", "max_zoom": 8},
    ],
)
def test_what_tiles_cannot_be_asked_for_is_refused(wrong: dict) -> None:
    with pytest.raises((BadRequest, ValidationError)):
        ExtractRequest.model_validate({"collections": ["a"], **wrong})
