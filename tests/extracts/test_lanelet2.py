"""Lanelet2 maps and Autoware's packages out of views: nothing lost, every reference closed."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import numpy as np
import pyproj
import pytest
import shapely
from pydantic import ValidationError

from geoshare.errors import BadRequest
from geoshare.extracts import ExtractRequest
from geoshare.model.mgrs import mgrs_origin, mgrs_square
from tests.extracts.lanelets import Extract, Holding, Osm, contribute, extract, metres_apart, osm
from tests.extracts.oracles import judged
from tests.sources.opendrive.maps import geometry, road, xodr
from tests.sources.opendrive.test_reading import crossing
from tests.sources.opendrive.test_things import TWO_AND_TWO, signal, signals

TOWN = Path(__file__).parents[2] / "sample_data" / "town_data"
MAPS = (
    "kashiwanoha_base.osm",
    "kashiwanoha_road_shoulder.osm",
    "kashiwanoha_private_road_walkway_ele_fix.osm",
    "tokyo_shinjuku_four_track_highway.osm",
    "karlsruhe_mapping_example.osm",
)
SMALL = """<?xml version="1.0"?><osm>{nodes}
  <way id="10"><nd ref="1"/><nd ref="2"/><nd ref="5"/><tag k="type" v="line_thin"/>
    <tag k="subtype" v="dashed"/><tag k="lane_change:left" v="yes"/>
    <tag k="note" v="a &lt;b&gt; &amp; c"/></way>
  <way id="11"><nd ref="3"/><nd ref="4"/><tag k="type" v="curbstone"/></way>
  <way id="12"><nd ref="6"/><nd ref="7"/><tag k="type" v="traffic_light"/>
    <tag k="height" v="1.2"/></way>
  <way id="13"><nd ref="8"/><nd ref="9"/><nd ref="6"/><tag k="type" v="parking_lot"/>
    <tag k="area" v="yes"/></way>
  <way id="14"><nd ref="1"/><nd ref="7"/><tag k="type" v="virtual"/></way>
  <way id="15"><nd ref="7"/><nd ref="8"/><nd ref="1"/><tag k="type" v="virtual"/></way>
  <way id="16"><nd ref="2"/><nd ref="8"/><tag k="type" v="wall"/><tag k="width" v="0.2"/></way>
  <relation id="20"><member type="way" ref="10" role="left"/><member type="way" ref="11" role="right"/>
    <member type="way" ref="14" role="centerline"/>
    <member type="relation" ref="30" role="regulatory_element"/>
    <tag k="type" v="lanelet"/><tag k="subtype" v="road"/><tag k="participant:vehicle:car" v="yes"/>
    <tag k="participant:pedestrian" v="no"/><tag k="speed_limit" v="30 mph"/><tag k="one_way" v="yes"/>
    <tag k="wobbly" v="very"/></relation>
  <relation id="30"><member type="way" ref="12" role="refers"/>
    <member type="way" ref="10" role="ref_line"/>
    <member type="way" ref="13" role="spare"/><member type="relation" ref="20" role="yield"/>
    <tag k="type" v="regulatory_element"/><tag k="subtype" v="traffic_light"/></relation>
  <relation id="40"><member type="way" ref="14" role="outer"/><member type="way" ref="15" role="outer"/>
    <tag k="type" v="multipolygon"/><tag k="subtype" v="parking"/><tag k="a" v="b"/></relation>
  <relation id="50"><member type="way" ref="16" role="edge"/><member type="node" ref="77" role="stop"/>
    <tag k="type" v="route"/><tag k="name" v="環状"/></relation></osm>"""


def small(tmp_path: Path, lon: float = 139.69, **tags: str) -> Path:
    """A map with every kind of element, odd tags, and roles that nobody has a word for."""
    places = {1: (0, 5), 2: (20, 5), 3: (40, 0), 4: (0, 0), 5: (40, 5), 6: (40, 8), 7: (38, 9)}
    places |= {8: (30, 20), 9: (45, 20), 77: (-3, -3), 78: (-9, -9)}
    nodes = "".join(
        f'<node id="{key}" lat="{35.68 + y * 9e-6}" lon="{lon + x * 1.1e-5}">'
        f'<tag k="ele" v="{key}.25"/>{tags.get(f"n{key}", "")}</node>'
        for key, (x, y) in places.items()
    )
    path = tmp_path / "map.osm"
    path.write_text(SMALL.format(nodes=nodes), "utf-8")
    return path


def written(made: Extract) -> Osm:
    return osm(made.folder / "geoshare.osm")


def check_the_same(path: Path, made: Extract, *, deleted: int = 0) -> None:
    """Nodes with places and tags, ways with nodes and tags, relations with members, roles and tags."""
    before, after = osm(path), written(made)
    assert before.nodes.keys() == after.nodes.keys()
    assert metres_apart(before, after) < 1e-3
    assert before.node_tags == after.node_tags
    assert before.relations == after.relations
    lost = before.ways.keys() - after.ways.keys()
    assert len(lost) == deleted
    assert {key: way for key, way in before.ways.items() if key not in lost} == after.ways
    assert after.dangling() == []
    for key, (x, y) in before.local.items():
        assert after.local[key] == pytest.approx((x, y), abs=0.002)


def test_a_map_with_every_kind_of_element_comes_back(tmp_path: Path) -> None:
    path = small(tmp_path, n7='<tag k="type" v="pole"/><tag k="x:y" v="z"/>', n2='<tag k="q" v="1"/>')
    held = contribute(path)
    assert held.report.refused == 0
    made = extract(held, tmp_path / "out")
    check_the_same(path, made)
    assert made.report["largest_error_m"] == {"horizontal": 0.0, "vertical": 0.0}
    assert made.report["dropped"] == made.report["approximated"] == {}


@pytest.mark.real
@pytest.mark.parametrize("name", MAPS)
def test_real_maps_come_back(real_data: Path, tmp_path: Path, name: str) -> None:
    path = real_data / "lanelet2" / name
    held = contribute(path)
    made = extract(held, tmp_path)
    check_the_same(path, made, deleted=1 if "karlsruhe" in name else 0)  # its editor deleted one way
    assert len(held.of["lanes"]) == len(osm(path).lanelets()) == made.report["lanelets"]


def test_references_of_rules_are_ids_of_the_foundation(tmp_path: Path) -> None:
    held = contribute(small(tmp_path))
    [(_, rule)] = [
        item
        for item in held.of["regulatory_elements"].values()
        if item[1]["subtype"] == "traffic_light"
    ]
    ids = {key for rows in held.of.values() for key in rows}
    roles = json.loads(rule["roles"])
    assert set(roles) == {"refers", "ref_line", "spare", "yield"}
    assert {key for items in roles.values() for key in items} <= ids
    assert json.loads(rule["refers_ids"]) == [held.ids["roadside_features"]["12"]]
    assert json.loads(rule["ref_line_ids"]) == [held.ids["lane_boundaries"]["10"]]


def test_what_the_view_says_stands_before_what_came_in(tmp_path: Path) -> None:
    held = contribute(small(tmp_path))
    lane = held.of["lanes"][held.ids["lanes"]["20"]][1]
    lane |= {"speed_limit_kmh": 40.0, "participants": '["bus"]', "subtype": None, "type": "bus"}
    line = held.of["lane_boundaries"][held.ids["lane_boundaries"]["10"]][1]
    line |= {"color": "yellow", "lane_change": "no", "subtype": "solid"}
    found = written(extract(held, tmp_path / "out"))
    tags = found.relations["20"][1]
    assert (tags["speed_limit"], tags["subtype"], tags["wobbly"]) == ("40", "bus_lane", "very")
    assert (tags["participant:bus"], tags["participant:pedestrian"]) == ("yes", "no")
    assert "participant:vehicle:car" not in tags
    line_tags = found.ways["10"][1]
    assert (line_tags["color"], line_tags["lane_change"], line_tags["subtype"]) == (
        "yellow",
        "no",
        "solid",
    )
    assert "lane_change:left" not in line_tags


def town(tmp_path: Path, form: str = "lanelet2", **options: object) -> tuple[Holding, Extract]:
    held = contribute(TOWN / "lanes_maker_a.osm")
    return held, extract(held, tmp_path, form, **options)


def test_an_area_of_a_map_has_no_loose_end(tmp_path: Path) -> None:
    held = contribute(TOWN / "lanes_maker_a.osm")
    west, south, east, north = shapely.total_bounds([shape for shape, _ in held.of["lanes"].values()])
    box = (west, south, (west + east) / 2, (south + north) / 2)
    made = extract(held, tmp_path, bbox=box)
    found = written(made)
    assert 0 < made.report["lanelets"] < len(held.of["lanes"])
    assert found.dangling() == []
    for members in found.lanelets().values():
        assert len(members["left"]) == len(members["right"]) == 1
    wanted = {k for k, (s, _) in held.of["lanes"].items() if s.intersects(shapely.box(*box))}
    ours = {
        json.loads(said["lanelet2"])["id"] for k, (_, said) in held.of["lanes"].items() if k in wanted
    }
    assert ours <= set(found.lanelets())


def test_hidden_features_leave_no_trace_in_the_map(tmp_path: Path) -> None:
    """A hidden light takes its rule along; the map is that of a holding without it, to the byte."""
    path = small(tmp_path)
    held = contribute(path)
    hidden = {"roadside_features": {"rows": {"op": "<>", "args": [{"property": "class"}, "signal"]}}}
    made = extract(held, tmp_path / "hidden", grants=hidden)
    gone = contribute(path)
    del gone.of["roadside_features"][gone.ids["roadside_features"]["12"]]
    other = extract(gone, tmp_path / "gone", grants=hidden)
    text = (made.folder / "geoshare.osm").read_bytes()
    assert text == (other.folder / "geoshare.osm").read_bytes()
    assert b"traffic_light" not in text
    assert made.report == other.report
    assert made.report["dropped"]["rules without what they refer to"] == 1
    assert written(made).dangling() == []


def test_a_view_without_the_kept_elements_still_gives_the_same_lanes(tmp_path: Path) -> None:
    held = contribute(TOWN / "lanes_maker_a.osm")
    for rows in held.of.values():
        for _, said in rows.values():
            said.pop("lanelet2", None)
    found = contribute(extract(held, tmp_path).folder / "geoshare.osm", "other")
    assert len(found.of["lanes"]) == len(held.of["lanes"])
    assert _pairs(found) == _pairs(held)
    kinds = [
        sorted(str(said.get("type")) for _, said in each.of["lanes"].values()) for each in (held, found)
    ]
    assert kinds[0] == kinds[1]


def _pairs(held: Holding) -> int:
    return sum(
        len(json.loads(said.get("successor_ids") or "[]")) for _, said in held.of["lanes"].values()
    )


def test_lanes_without_shown_boundaries_get_lines_beside_their_middle(tmp_path: Path) -> None:
    held, made = town(tmp_path, grants={"lane_boundaries": None})
    found = contribute(made.folder / "geoshare.osm", "other")
    assert made.report["approximated"]["boundaries beside a centre line"] > 0
    assert len(found.of["lanes"]) == len(held.of["lanes"])
    assert _pairs(found) >= 0.9 * _pairs(held)


def test_lanes_of_opendrive_share_lines_and_nodes_and_keep_their_rules(tmp_path: Path) -> None:
    path = tmp_path / "map.xodr"
    path.write_text(crossing(), "utf-8")
    held = contribute(path)
    again = contribute(extract(held, tmp_path / "out").folder / "geoshare.osm", "other")
    assert len(again.of["lanes"]) == len(held.of["lanes"])
    assert _pairs(again) == _pairs(held) > 0
    for name in ("type", "left_lane_id", "right_lane_id"):
        ours, theirs = (
            sorted(
                str(said.get(name)) if name == "type" else str(bool(said.get(name))) for _, said in rows
            )
            for rows in (held.of["lanes"].values(), again.of["lanes"].values())
        )
        assert ours == theirs


@pytest.mark.parametrize(
    ("said", "there"),
    [
        ({"type": "virtual"}, False),
        ({"type": "line_thin"}, True),
        ({"type": "virtual", "lanelet2": '{"id": "7"}'}, True),
    ],
)
def test_a_virtual_line_that_bounds_no_lane_any_more_does_not_leave(
    tmp_path: Path, said: dict[str, str], there: bool
) -> None:
    held = contribute(small(tmp_path))
    line = shapely.LineString([(139.6901, 35.6901, 0.0), (139.6903, 35.6901, 0.0)])
    before = osm(extract(held, tmp_path / "before").folder / "geoshare.osm").ways
    held.of["lane_boundaries"]["alone"] = (line, said)
    made = extract(held, tmp_path / "after")
    assert len(osm(made.folder / "geoshare.osm").ways) - len(before) == there
    told = made.report["dropped"].get("virtual lines that bound no lane", 0)
    assert told == (not there)


def test_signals_become_lights_and_signs_that_face_the_same_way(tmp_path: Path) -> None:
    limit = signal("8", 'type="274" subtype="50" value="50" unit="km/h" country="OpenDRIVE"')
    text = xodr(road(lanes=TWO_AND_TWO, more=signals(signal("7", 'dynamic="yes"') + limit)))
    path = tmp_path / "map.xodr"
    path.write_text(text, "utf-8")
    held = contribute(path)
    again = contribute(extract(held, tmp_path / "out").folder / "geoshare.osm", "other")

    def told(each: Holding) -> list[tuple[object, ...]]:
        return sorted(
            (str(said["class"]), round(said["orientation_deg"]), said.get("subtype") or "")
            for _, said in each.of["roadside_features"].values()
            if said.get("orientation_deg") is not None
        )

    def rules(each: Holding) -> list[tuple[object, ...]]:
        return sorted(
            (said["subtype"], said.get("speed_limit_kmh"), len(json.loads(said["lane_ids"])))
            for _, said in each.of["regulatory_elements"].values()
        )

    assert told(held) == told(again)
    assert rules(held) == rules(again)


def _metres(held: Holding) -> list[shapely.LineString]:
    """Boundaries on the ground, in metres about the town."""
    scale = np.array([91_000.0, 111_000.0])
    return [
        shapely.LineString(shapely.get_coordinates(shape) * scale)
        for shape, _ in held.of["lane_boundaries"].values()
    ]


@pytest.mark.parametrize(
    ("text", "bound_m"),
    [
        (xodr(road(lanes=TWO_AND_TWO)), 0.05),
        (xodr(road("1", geometry(length=100, shape='<arc curvature="0.03"/>'), TWO_AND_TWO)), 0.1),
        (crossing(), 0.2),
    ],
    ids=["straight", "curve", "junction"],
)
def test_lanes_go_to_lanelet2_and_back_within_centimetres(
    tmp_path: Path, text: str, bound_m: float
) -> None:
    path = tmp_path / "map.xodr"
    path.write_text(text, "utf-8")
    first = contribute(path)
    second = contribute(extract(first, tmp_path / "a").folder / "geoshare.osm", "other")
    made = extract(second, tmp_path / "b", "opendrive")
    third = contribute(made.folder / "geoshare.xodr", "third")
    assert len(third.of["lanes"]) == len(first.of["lanes"])
    before, after = shapely.union_all(_metres(first)), shapely.union_all(_metres(third))
    points = shapely.points(shapely.get_coordinates(before.segmentize(1.0)))
    assert shapely.distance(points, after).max() < bound_m
    heights = [
        shapely.get_coordinates([shape for shape, _ in each.of["lanes"].values()], include_z=True)[:, 2]
        for each in (first, third)
    ]
    assert np.ptp(heights[0]) == pytest.approx(np.ptp(heights[1]), abs=0.01)


def test_rules_survive_the_way_to_lanelet2_and_back(tmp_path: Path) -> None:
    limit = signal("8", 'type="274" subtype="50" value="50" unit="km/h" country="OpenDRIVE"')
    lamp = signal("7", 'dynamic="yes" type="1000001" country="OpenDRIVE" height="1.2"')
    path = tmp_path / "map.xodr"
    path.write_text(xodr(road(lanes=TWO_AND_TWO, more=signals(lamp + limit))), "utf-8")
    first = contribute(path)
    second = contribute(extract(first, tmp_path / "a").folder / "geoshare.osm", "other")
    made = extract(second, tmp_path / "b", "opendrive")
    third = contribute(made.folder / "geoshare.xodr", "third")
    assert made.report["dropped"] == {}

    def rules(each: Holding) -> list[tuple[object, ...]]:
        return sorted(
            (said["subtype"], said.get("speed_limit_kmh") or 0, len(json.loads(said["lane_ids"])))
            for _, said in each.of["regulatory_elements"].values()
        )

    def standing(each: Holding) -> list[tuple[object, ...]]:
        return sorted(
            (said["class"], said["subtype"], round(said["orientation_deg"]), said.get("height_m") or 0)
            for _, said in each.of["roadside_features"].values()
        )

    assert rules(third) == rules(first)
    assert standing(third) == standing(first)


# Autoware


def yaml(path: Path) -> dict[str, object]:
    """The few lines of YAML that these files are made of."""
    found: dict[str, object] = {}
    inner: dict[str, object] = {}
    for line in path.read_text("utf-8").splitlines():
        key, _, value = line.strip().partition(":")
        parsed: object = value.strip()
        with contextlib.suppress(ValueError):
            parsed = json.loads(value)
        if line.startswith(" "):
            inner[key] = parsed
        elif parsed == "":
            inner = found[key] = {}  # type: ignore[assignment]
        else:
            found[key] = parsed
    return found


@pytest.mark.parametrize("projector", ["MGRS", "TransverseMercator"])
def test_local_coordinates_are_those_of_the_stated_projector(tmp_path: Path, projector: str) -> None:
    _, made = town(tmp_path, "autoware", projector=projector)
    said = yaml(made.folder / "map_projector_info.yaml")
    assert said["projector_type"] == projector
    found = osm(made.folder / "lanelet2_map.osm")
    if projector == "MGRS":
        crs, east, north = mgrs_origin(str(said["mgrs_grid"]))
    else:
        origin = said["map_origin"]
        crs = (
            f"+proj=tmerc +lat_0={origin['latitude']} +lon_0={origin['longitude']}"
            f" +k={said['scale_factor']} +ellps=WGS84"
        )
        east = north = 0.0
    to_metres = pyproj.Transformer.from_crs("EPSG:4326", crs, always_xy=True)
    for key, (lon, lat, _) in found.nodes.items():
        x, y = to_metres.transform(lon, lat)
        assert found.local[key] == pytest.approx((x - east, y - north), abs=0.001)


def test_a_package_is_the_whole_map_and_the_same_in_closed_cells(tmp_path: Path) -> None:
    held, made = town(tmp_path, "autoware")
    whole = osm(made.folder / "lanelet2_map.osm")
    said = yaml(made.folder / "divided" / "lanelet2_map_metadata.yaml")
    assert (said.pop("x_resolution"), said.pop("y_resolution")) == (100.0, 100.0)
    folder = made.folder / "divided" / "lanelet2_map.osm"
    assert set(said) == {path.name for path in folder.iterdir()}
    assert len(said) == made.report["cells"] > 1
    seen = {"nodes": set(), "ways": set(), "relations": set()}
    for name, corner in said.items():
        cell = osm(folder / name)
        assert name == f"{corner[0]:.0f}_{corner[1]:.0f}.osm"
        assert cell.dangling() == []
        box = shapely.box(*corner, corner[0] + 100, corner[1] + 100)
        places = [*cell.local.values()]
        assert shapely.MultiPoint(places).convex_hull.intersects(box)
        for kind in seen:
            ours, theirs = getattr(cell, kind), getattr(whole, kind)
            assert ours.items() <= theirs.items() if kind != "nodes" else ours.keys() <= theirs.keys()
            seen[kind] |= ours.keys()
    for kind, keys in seen.items():
        assert keys == getattr(whole, kind).keys()
    files = {item["name"] for item in made.manifest["files"]}
    assert {
        "lanelet2_map.osm",
        "map_projector_info.yaml",
        "divided/lanelet2_map_metadata.yaml",
    } <= files
    text = (made.folder / "lanelet2_map.osm").read_text("utf-8")
    assert "<MetaInfo" in text
    assert "mgrs_code" in text
    assert len(whole.lanelets()) == len(held.of["lanes"])


def test_a_map_across_squares_has_a_projection_of_its_own(tmp_path: Path) -> None:
    """Squares of UTM end at meridians of zones: 144 E lies between 54 and 55."""
    held = contribute(small(tmp_path, lon=143.9999))
    made = extract(held, tmp_path / "out", "autoware")
    assert made.report["projector"]["projector_type"] == "TransverseMercator"
    with pytest.raises(BadRequest) as caught:
        extract(held, tmp_path / "no", "autoware", projector="MGRS")
    assert caught.value.parameter == "projector"


@pytest.mark.parametrize(
    ("lon", "lat", "square"),
    [
        (139.69, 35.68, "54SUE"),
        (136.9, 35.17, "53SPU"),
        (130.4, 33.59, "52SFC"),
        (8.4, 49.0, "32UMV"),
        (151.2, -33.86, "56HLH"),
        (5.3, 60.4, "32VKN"),
        (15.6, 78.2, "33XWG"),
        (0.0, 89.0, None),
    ],
)
def test_squares_are_found_by_place(lon: float, lat: float, square: str | None) -> None:
    assert mgrs_square(lon, lat) == square


# the libraries themselves


def check_by_library(library: str, path: Path, errors: int = 0) -> dict[str, object]:
    found = osm(path)
    middle = np.mean([place[:2] for place in found.nodes.values()], axis=0)
    told = judged(library, path, (float(middle[0]), float(middle[1])))
    assert len(told["errors"]) == errors, told["errors"][:3]
    assert told["lanelets"] == len(found.lanelets())
    return told


@pytest.mark.real
@pytest.mark.parametrize("library", ["upstream", "simple"])
def test_lanelet2_itself_loads_what_leaves(real_data: Path, tmp_path: Path, library: str) -> None:
    for name in ("kashiwanoha_base.osm", "karlsruhe_mapping_example.osm"):
        path = real_data / "lanelet2" / name
        made = extract(contribute(path), tmp_path / name).folder / "geoshare.osm"
        ours, theirs = check_by_library(library, made), check_by_library(library, path)
        assert ours == theirs
        assert ours["follows"]


@pytest.mark.real
@pytest.mark.parametrize("library", ["upstream", "simple"])
def test_lanelet2_itself_loads_packages_and_what_was_opendrive(
    real_data: Path, tmp_path: Path, library: str
) -> None:
    held = contribute(real_data / "opendrive" / "multi_intersections.xodr", crs="EPSG:6677")
    told = check_by_library(library, extract(held, tmp_path / "o").folder / "geoshare.osm")
    assert told["rules"] == len(held.of["regulatory_elements"])
    if library == "upstream":  # which knows nothing of Autoware's rules
        _, made = town(tmp_path / "a")
        assert made.report["dropped"]["rules that only Autoware's dialect has"] > 0
        check_by_library(library, made.folder / "geoshare.osm")
    else:
        _, made = town(tmp_path / "a", "autoware")
        assert made.report["dropped"] == {}
        check_by_library(library, made.folder / "lanelet2_map.osm")
        cell = sorted((made.folder / "divided" / "lanelet2_map.osm").iterdir())[0]
        check_by_library(library, cell)


# requests


@pytest.mark.parametrize(
    "said",
    [
        {"format": "lanelet2", "collections": ["lane_boundaries"]},
        {"format": "lanelet2", "collections": ["lanes", "segments"]},
        {"format": "autoware", "collections": ["lanes"], "mode": "clip"},
        {"format": "autoware", "collections": ["lanes"], "filter": "width_m > 2"},
        {"format": "autoware", "collections": ["lanes"], "projector": "Local"},
        {"format": "gpkg", "collections": ["lanes"], "projector": "MGRS"},
    ],
)
def test_what_no_such_map_can_be_is_refused(said: dict[str, object]) -> None:
    with pytest.raises((BadRequest, ValidationError)):
        ExtractRequest.model_validate(said)


def test_an_area_without_lanes_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(BadRequest, match="no lanes") as caught:
        extract(contribute(small(tmp_path)), tmp_path / "out", bbox=(0, 0, 1, 1))
    assert caught.value.parameter == "bbox"
