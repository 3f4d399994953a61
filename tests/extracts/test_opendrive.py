"""OpenDRIVE out of views: without loss where it came in as such, fitted and measured elsewhere."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path

import pytest
from lxml import etree
from pydantic import ValidationError

from geoshare.errors import BadRequest
from geoshare.extracts import ExtractRequest
from tests.extracts.roads import apart, read, roads, same_places, successors, write
from tests.sources.opendrive.maps import geometry, lane, road, section, shapes, xodr
from tests.sources.opendrive.test_reading import MAPS, crossing
from tests.sources.opendrive.test_things import TWO_AND_TWO, objects, signal, signals

TOWN = Path(__file__).parents[2] / "sample_data" / "town_data"


def source(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "map.xodr"
    path.write_text(text, "utf-8")
    return path


def unlike(one: dict, two: dict) -> set[str]:
    """Properties that differ; lists of ids are sets."""

    def plain(value):
        return sorted(json.loads(value)) if str(value).startswith("[") else value

    return {key for key in {*one, *two} if plain(one.get(key)) != plain(two.get(key))}


def check_the_same(path: Path, tmp_path: Path, **options) -> None:
    """In, out and in again: lines at stations of a metre, and every property of every feature."""
    first = read(path, **options)
    made = write(first, tmp_path / "out")
    before, after = roads(path), roads(made.path)
    assert before.keys() == after.keys()
    for key, one in before.items():
        assert apart(one, after[key]) < 1e-3
    assert made.report["roads_kept_exactly"] == len(before)
    assert made.report["roads_fitted"] == 0
    again = read(made.path)
    assert again.of.keys() == first.of.keys()
    repeated = first.report.repairs.get("record-id-repeated")
    for name, features in first.of.items():
        assert again[name].keys() == features.keys()
        for key, (shape, said) in features.items():
            if repeated and name in ("roadside_features", "regulatory_elements", "lanes"):
                continue  # signals that share an id are told apart by their order alone
            other = again[name][key][0]
            # a hull may begin at, or leave out, another vertex by rounding alone
            assert shape.equals_exact(other, 1e-9) or shape.hausdorff_distance(other) < 1e-9
            assert unlike(said, again[name][key][1]) <= {"opendrive"}


@pytest.mark.parametrize("version", ["1.4", "1.5", "1.6", "1.7", "1.8"])
def test_every_geometry_comes_back_as_it_was_in_every_version(tmp_path: Path, version: str) -> None:
    check_the_same(source(tmp_path, shapes(version)), tmp_path)
    header = etree.parse(tmp_path / "out" / "geoshare.xodr").getroot().find("header")
    assert f"{header.get('revMajor')}.{header.get('revMinor')}" == version


def test_junctions_links_and_heights_come_back(tmp_path: Path) -> None:
    check_the_same(source(tmp_path, crossing()), tmp_path)


def test_the_sample_town_s_map_comes_back(tmp_path: Path) -> None:
    check_the_same(TOWN / "lanes_maker_b.xodr", tmp_path)


@pytest.mark.real
@pytest.mark.parametrize("name", MAPS)
def test_real_maps_come_back(real_data: Path, tmp_path: Path, name: str) -> None:
    check_the_same(real_data / "opendrive" / f"{name}.xodr", tmp_path, crs="EPSG:6677")


def test_signals_with_their_validities_and_objects_come_back(tmp_path: Path) -> None:
    there = '<signalReference id="7" s="10" t="0" orientation="-"><validity fromLane="1" toLane="2"/>'
    inside = '<validity fromLane="-2" toLane="-2"/>'
    text = xodr(
        road(
            lanes=TWO_AND_TWO,
            more=objects(
                '<object id="5" type="pole" s="70" t="-5" zOffset="0">'
                '<userData code="a" value="b"/></object>',
                '<object id="6" type="trafficIsland" s="80" t="0" length="6" width="2"/>',
                '<bridge id="8" s="20" length="30" type="concrete"/>',
            )
            + signals(signal(inside=inside), signal("8", 'dynamic="yes"')),
        ),
        road("2", geometry(y=50), TWO_AND_TWO, more=signals(there + "</signalReference>")),
        '<controller id="c1" name=""><control signalId="8" type="0"/></controller>',
    )
    check_the_same(source(tmp_path, text), tmp_path)
    root = etree.parse(tmp_path / "out" / "geoshare.xodr").getroot()
    assert root.find(".//object[@id='5']/userData").get("value") == "b"
    assert root.find(".//signal[@id='7']/validity").get("fromLane") == "-2"
    assert root.find(".//signal[@id='8']/validity") is None
    assert root.find("controller/control").get("signalId") == "8"
    assert [item.tag for item in root.find("road")] == [
        "link",
        "planView",
        "lanes",
        "objects",
        "signals",
    ]


def test_what_the_contributor_said_of_the_place_goes_out_with_it(tmp_path: Path) -> None:
    path = source(tmp_path, xodr(road(), reference=""))
    first = read(path, crs="EPSG:6677", offset=(1000.0, 2000.0, 3.0, 0.5))
    made = write(first, tmp_path / "out")
    again = read(made.path)
    for key, (shape, _) in first["lanes"].items():
        assert shape.equals_exact(again["lanes"][key][0], 1e-9)
    offset = made.root.find("header/offset")
    assert [float(offset.get(name)) for name in ("x", "y", "z", "hdg")] == [1000, 2000, 3, 0.5]


def test_roads_are_whole_where_the_area_meets_a_part_of_them(tmp_path: Path) -> None:
    lanes = section(right=lane(-1)) + section(right=lane(-1), s=60)
    text = xodr(road(lanes=lanes), road("2", geometry(x=500)))
    first = read(source(tmp_path, text))
    west, south, _, north = first["lanes"]["1/0/-1"][0].bounds
    box = (west, south - 1e-6, west + 1e-5, north + 1e-6)
    made = write(first, tmp_path / "out", bbox=box)
    assert [item.get("id") for item in made.root.iter("road")] == ["1"]
    assert len(made.root.findall("road/lanes/laneSection/right/lane")) == 2


def fitted(tmp_path: Path, path: Path, **options):
    first = read(path, **options)
    made = write(first, tmp_path / "out", without=("opendrive",))
    assert made.report["roads_kept_exactly"] == 0
    return first, made, read(made.path)


@pytest.mark.parametrize(
    ("plan", "bound_m"),
    [
        (geometry(length=100), 0.05),
        (geometry(length=100, shape='<arc curvature="0.03"/>'), 0.1),
        (geometry(length=100, shape='<spiral curvStart="0" curvEnd="0.05"/>'), 0.1),
    ],
    ids=["straight", "curve", "clothoid"],
)
@pytest.mark.parametrize("rule", ["RHT", "LHT"])
def test_lanes_alone_become_roads_within_the_bounds_of_a_conversion(
    tmp_path: Path, plan: str, bound_m: float, rule: str
) -> None:
    tilted = (
        '<elevationProfile><elevation s="0" a="5" b="0.03" c="-0.0002" d="0"/></elevationProfile>'
        '<lateralProfile><superelevation s="0" a="0.02" b="0.0003" c="0" d="0"/></lateralProfile>'
    )
    path = source(
        tmp_path, xodr(road(plan=plan, lanes=TWO_AND_TWO, more=tilted, attributes=f'rule="{rule}"'))
    )
    first, made, again = fitted(tmp_path, path)
    error = made.report["largest_error_m"]
    assert error["horizontal"] < bound_m
    assert error["vertical"] < 0.02
    assert {item.get("rule") for item in made.root.iter("road")} == {rule}
    assert len(again["lanes"]) == len(first["lanes"])
    for key, other in same_places(first, again).items():
        one, two = first["lanes"][key][0], again["lanes"][other][0]
        assert one.hausdorff_distance(two) < 0.12 / 90_000
        assert (first["lanes"][key][1]["type"]) == again["lanes"][other][1]["type"]


@pytest.mark.real
def test_a_real_junction_is_fitted_within_20_cm_and_joins_the_same_lanes(
    real_data: Path, tmp_path: Path
) -> None:
    path = real_data / "opendrive" / "fabriksgatan.xodr"
    first, made, again = fitted(tmp_path, path, crs="EPSG:6677")
    assert made.report["largest_error_m"]["horizontal"] < 0.2
    check_the_same_links(first, again)


def check_the_same_links(first, again) -> None:
    place = same_places(first, again)
    assert len(set(place.values())) == len(first["lanes"])
    expected = {place[key]: {place[item] for item in items} for key, items in successors(first).items()}
    assert successors(again) == expected
    assert "links-missing" not in {note.code for note in again.report.notes}


def test_fitted_roads_part_and_join_in_junctions(tmp_path: Path) -> None:
    first, made, again = fitted(tmp_path, source(tmp_path, crossing()))
    check_the_same_links(first, again)
    assert made.root.find("junction").get("type") == "default"
    inside = {item.get("id") for item in made.root.iter("road") if item.get("junction") != "-1"}
    assert inside == {item.get("connectingRoad") for item in made.root.iter("connection")}


def test_the_town_of_car_maker_a_becomes_a_map_that_reads_back(tmp_path: Path) -> None:
    first = read(TOWN / "lanes_maker_a.osm")
    made = write(first, tmp_path / "out")
    again = read(made.path)
    assert len(again["lanes"]) == len(first["lanes"])
    assert again.report.refused == 0
    assert {item.get("rule") for item in made.root.iter("road")} == {"LHT"}
    lights = [
        said for _, said in first["regulatory_elements"].values() if said["subtype"] == "traffic_light"
    ]
    signs = made.root.findall(".//signal[@dynamic='yes']")
    assert len(signs) == len(lights)
    # what ends askew within a few metres of a sharp bend: the report says by how much, and of how many
    assert made.report["horizontal_error_m"]["median line"] < 0.01
    assert made.report["largest_error_m"]["horizontal"] < 0.1
    assert made.report["dropped"]["rule crosswalk"] > 0


def test_roads_that_part_without_a_road_between_are_joined_directly(tmp_path: Path) -> None:
    """Road 1 ends where 2 and 3 begin, and 3 is followed by 4: nothing lies in a junction's middle."""
    ramp = section(right=lane(-1))
    roads_ = [
        road("1", lanes=ramp),
        road("2", geometry(x=100), ramp),
        road("3", geometry(x=100, heading=-0.2), ramp),
    ]
    first = read(source(tmp_path, xodr(*roads_)))
    first["lanes"]["1/0/-1"][1]["successor_ids"] = '["2/0/-1", "3/0/-1"]'
    for key in ("2/0/-1", "3/0/-1"):
        first["lanes"][key][1]["predecessor_ids"] = '["1/0/-1"]'
    made = write(first, tmp_path / "out")
    [junction] = made.root.findall("junction")
    assert junction.get("type") == "direct"
    assert {item.get("linkedRoad") for item in junction} == {"2", "3"}
    assert successors(read(made.path))["1/0/-1"] == {"2/0/-1", "3/0/-1"}


def test_a_hidden_lane_leaves_no_trace_and_the_lanes_beside_it_stay(tmp_path: Path) -> None:
    lanes = section(right=lane(-1, kind="bus", width=4.321) + lane(-2) + lane(-3))
    first = read(source(tmp_path, xodr(road(lanes=lanes))))
    seen = {"lanes": {"rows": {"op": "<>", "args": [{"property": "type"}, "bus"]}}}
    made = write(first, tmp_path / "out", grants=seen, names=("lanes", "lane_boundaries", "segments"))
    text = made.path.read_text()
    assert "bus" not in text
    assert "4.321" not in text
    again = read(made.path)
    assert len(again["lanes"]) == 2
    for key, other in same_places(first, again).items():
        if first["lanes"][key][1]["type"] != "bus":
            distance = first["lanes"][key][0].hausdorff_distance(again["lanes"][other][0])
            assert distance < 0.02 / 90_000


def test_a_view_that_is_coarse_gives_no_parametric_geometry(tmp_path: Path) -> None:
    curve = geometry(length=97.531, shape='<arc curvature="0.01234"/>')
    first = read(source(tmp_path, xodr(road(plan=curve, length=97.531))))
    coarse = {name: {"precision_m": 5} for name in ("lanes", "segments", "lane_boundaries")}
    made = write(first, tmp_path / "out", grants=coarse)
    assert "0.01234" not in made.path.read_text()
    assert "97.531" not in made.path.read_text()
    assert made.report["roads_kept_exactly"] == 0


def test_lanes_without_boundaries_are_drawn_beside_their_middle(tmp_path: Path) -> None:
    first = read(
        source(tmp_path, xodr(road(plan=geometry(length=100, shape='<arc curvature="0.01"/>'))))
    )
    made = write(first, tmp_path / "out", names=("lanes",), without=("opendrive",))
    assert made.report["approximated"]["boundaries beside a centre line"] == 4
    again = read(made.path)
    for key, other in same_places(first, again).items():
        assert again["lanes"][other][1]["width_m"] == pytest.approx(3.5, abs=0.02)
        assert first["lanes"][key][0].hausdorff_distance(again["lanes"][other][0]) < 0.05 / 90_000


@pytest.mark.parametrize(
    "said",
    [
        {"collections": ["segments"]},
        {"collections": ["lanes", "buildings"]},
        {"collections": ["lanes"], "mode": "clip", "bbox": [0, 0, 1, 1]},
        {"collections": ["lanes"], "filter": "width_m > 3"},
    ],
)
def test_what_a_road_map_cannot_be_made_of_is_refused(said: dict) -> None:
    with pytest.raises((BadRequest, ValidationError)):
        ExtractRequest.model_validate_json(json.dumps({"format": "opendrive", **said}))


def test_files_are_valid_against_the_standard_s_schema(tmp_path: Path) -> None:
    folder = os.environ.get("OPENDRIVE_XSD")
    if not folder:
        pytest.skip("no schema: set OPENDRIVE_XSD to the folder of opendrive_17_core.xsd")
    schema = etree.XMLSchema(etree.parse(Path(folder) / "opendrive_17_core.xsd"))
    kept = write(read(TOWN / "lanes_maker_b.xodr"), tmp_path / "kept")
    made = write(read(TOWN / "lanes_maker_a.osm"), tmp_path / "made")
    for one in (kept, made):
        assert schema.validate(one.root), schema.error_log


def test_numbers_are_written_so_that_they_read_back_as_they_are(tmp_path: Path) -> None:
    path = source(tmp_path, xodr(road(plan=geometry(x=math.pi * 1e5, heading=1 / 3))))
    made = write(read(path), tmp_path / "out")
    item = made.root.find("road/planView/geometry")
    assert float(item.get("x")) == math.pi * 1e5
    assert float(item.get("hdg")) == 1 / 3
