"""OpenDRIVE maps as features: lanes and what leads where, against maps worked out by hand."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections import Counter

import numpy as np
import pytest

from tests.sources.opendrive.conftest import ids
from tests.sources.opendrive.maps import geometry, lane, road, section, xodr

MAPS = [
    "crest-curve",
    "curves",
    "curves_elevation",
    "e6mini",
    "e6mini-lht",
    "fabriksgatan",
    "multi_intersections",
    "two_plus_one",
]


@pytest.mark.real
@pytest.mark.parametrize("name", MAPS)
def test_every_lane_of_a_real_map_is_there_once(real_data, read, name: str) -> None:
    path = real_data / "opendrive" / f"{name}.xodr"
    expected = Counter()
    for one in ET.parse(path).getroot().iter("road"):
        for index, each in enumerate(one.findall("lanes/laneSection")):
            for item in [*each.findall("left/lane"), *each.findall("right/lane")]:
                expected[f"{one.get('id')}/{index}/{item.get('id')}"] += 1
    found = read(path, crs="EPSG:6677")
    assert set(found.rows("lanes")) == set(expected)
    assert set(expected.values()) == {1}
    assert found.report.refused == 0
    boundaries = found.rows("lane_boundaries")
    for row in found.rows("lanes").values():
        assert row["left_boundary_id"] in boundaries
        assert row["right_boundary_id"] in boundaries
        assert row["segment_id"] in found.rows("segments")


@pytest.mark.real
@pytest.mark.parametrize("name", ["fabriksgatan", "multi_intersections", "two_plus_one"])
def test_lanes_that_follow_each_other_meet(real_data, read, metres, name: str) -> None:
    found = read(real_data / "opendrive" / f"{name}.xodr", crs="EPSG:6677")
    shapes, rows = found.shapes("lanes"), found.rows("lanes")
    pairs = [
        (key, after)
        for key, row in rows.items()
        for after in ids(row.get("successor_ids"))
        if row["type"] == rows[after]["type"] == "driving"
    ]
    assert len(pairs) > 10
    apart = [
        float(np.linalg.norm(metres(shapes[a], "EPSG:6677")[-1] - metres(shapes[b], "EPSG:6677")[0]))
        for a, b in pairs
    ]
    # every map has a few steps of its own making; a link to the wrong end would be metres away
    assert np.quantile(apart, 0.9) < 0.02
    assert max(apart) < 0.5
    for key, row in rows.items():
        for after in ids(row.get("successor_ids")):
            assert key in ids(rows[after]["predecessor_ids"])


def test_lanes_run_as_traffic_does_on_either_side_of_the_world(load, metres) -> None:
    for rule, forward in (("RHT", "1/0/-1"), ("LHT", "1/0/1"), ("", "1/0/-1")):
        found = load(xodr(road(attributes=f'rule="{rule}"' if rule else "")))
        for key, shape in found.shapes("lanes").items():
            x = metres(shape)[:, 0]
            assert (x[-1] > x[0]) == (key == forward)
    left = found.rows("lanes")["1/0/1"]
    assert (left["left_boundary_id"], left["right_boundary_id"]) == ("1/0/0", "1/0/1")


def test_left_hand_traffic_in_an_old_file_is_believed_and_noted_once(load) -> None:
    found = load(xodr(road(attributes='rule="LHT"'), road("2", attributes='rule="LHT"'), version="1.4"))
    assert [note.code for note in found.report.notes].count("rule-before-1.7") == 1
    assert "rule-before-1.7" not in load(xodr(road(attributes='rule="LHT"'))).notes()


def test_lanes_turned_or_opened_both_ways_run_so(load, metres) -> None:
    turned = lane(-1).replace("<lane", '<lane direction="reversed"')
    both = lane(-2, kind="bidirectional")
    found = load(xodr(road(lanes=section(right=turned + both)), version="1.8"))
    shapes, rows = found.shapes("lanes"), found.rows("lanes")
    assert metres(shapes["1/0/-1"])[0, 0] > 50
    assert metres(shapes["1/0/-2"])[0, 0] < 50
    assert rows["1/0/-2"]["one_way"] is False
    assert rows["1/0/-1"]["one_way"] is True
    assert found.rows("segments")["1"]["one_way"] == "no"


def test_neighbours_are_those_that_run_the_same_way(load) -> None:
    found = load(xodr(road(lanes=section(lane(2) + lane(1), lane(-1) + lane(-2))))).rows("lanes")
    assert (found["1/0/-1"]["left_lane_id"], found["1/0/-1"]["right_lane_id"]) == (None, "1/0/-2")
    assert (found["1/0/2"]["left_lane_id"], found["1/0/2"]["right_lane_id"]) == ("1/0/1", None)


def link(kind: str, key: str, contact: str = "") -> str:
    target = "junction" if key.startswith("J") else "road"
    point = f'contactPoint="{contact}"' if contact else ""
    return f'<{kind} elementType="{target}" elementId="{key}" {point}/>'


def lanes_to(predecessor: int | None = None, successor: int | None = None) -> str:
    ends = (("predecessor", predecessor), ("successor", successor))
    said = "".join(f'<{name} id="{key}"/>' for name, key in ends if key is not None)
    return f"<link>{said}</link>"


def test_lanes_are_joined_across_sections_roads_and_ends_that_turn_the_line_around(load) -> None:
    """Road 2 runs against road 1: the ids of its lanes change sign where they meet."""
    first = section(lane(1, lanes_to(None, 1)), lane(-1, lanes_to(None, -1))) + section(
        lane(1, lanes_to(1, -1)), lane(-1, lanes_to(-1, 1)), s=60
    )
    second = section(lane(1, lanes_to(None, -1)), lane(-1, lanes_to(None, 1)))
    found = load(
        xodr(
            road("1", lanes=first, link=link("successor", "2", "end")),
            road(
                "2",
                plan=geometry(200, 0, heading=np.pi),
                lanes=second,
                link=link("successor", "1", "end"),
            ),
        )
    )
    rows = found.rows("lanes")
    follows = {key: ids(row.get("successor_ids")) for key, row in rows.items()}
    assert follows == {
        "1/0/-1": {"1/1/-1"},
        "1/1/-1": {"2/0/1"},
        "2/0/1": set(),
        "2/0/-1": {"1/1/1"},
        "1/1/1": {"1/0/1"},
        "1/0/1": set(),
    }
    assert not found.notes() & {"links-missing"}
    segments = found.rows("segments")
    assert segments["1"]["end_connector_id"] == segments["2"]["end_connector_id"]
    assert len(found.rows("connectors")) == 3


def crossing() -> str:
    """Road 1 leads into a junction, from which roads 2 and 3 lead out by the roads 10 and 11."""
    arms = [
        road("1", lanes=section(right=lane(-1)), link=link("successor", "J")),
        road("2", plan=geometry(120, 0), lanes=section(right=lane(-1)), link=link("predecessor", "J")),
        road(
            "3",
            plan=geometry(110, 10, heading=np.pi / 2),
            lanes=section(right=lane(-1)),
            link=link("predecessor", "J"),
        ),
    ]
    inside = [
        road(
            "10",
            plan=geometry(100, 0, 20),
            length=20,
            lanes=section(right=lane(-1, lanes_to(-1, -1))),
            link=link("predecessor", "1", "end") + link("successor", "2", "start"),
            junction="J",
        ),
        road(
            "11",
            plan=geometry(100, 0, 15.707963, shape='<arc curvature="0.1"/>'),
            length=15.707963,
            lanes=section(right=lane(-1, lanes_to(-1, -1))),
            link=link("predecessor", "1", "end") + link("successor", "3", "start"),
            junction="J",
        ),
    ]
    joined = "".join(
        f'<connection id="{n}" incomingRoad="1" connectingRoad="{key}" contactPoint="start">'
        '<laneLink from="-1" to="-1"/></connection>'
        for n, key in enumerate(("10", "11"))
    )
    return xodr(*arms, *inside, f'<junction id="J" name="辻" type="default">{joined}</junction>')


def test_junctions_join_lanes_and_cover_the_ground_between(load) -> None:
    found = load(crossing())
    rows = found.rows("lanes")
    assert ids(rows["1/0/-1"]["successor_ids"]) == {"10/0/-1", "11/0/-1"}
    assert ids(rows["10/0/-1"]["successor_ids"]) == {"2/0/-1"}
    assert ids(rows["3/0/-1"]["predecessor_ids"]) == {"11/0/-1"}
    assert rows["10/0/-1"]["turn_direction"] == "straight"
    assert rows["11/0/-1"]["turn_direction"] == "left"
    assert rows["1/0/-1"]["turn_direction"] is None
    segments = found.rows("segments")
    assert {key for key, row in segments.items() if row["junction_id"] == "J"} == {"10", "11"}
    assert segments["10"]["subclass"] == "link"
    meeting = {segments[key]["start_connector_id"] for key in ("10", "11")}
    assert meeting == {segments["1"]["end_connector_id"]}
    [(key, shape)] = found.shapes("junctions").items()
    assert key == "J"
    assert found.rows("junctions")["J"]["name"] == "辻"
    for lane_key in ("10/0/-1", "11/0/-1"):
        assert shape.buffer(1e-7).covers(found.shapes("lanes")[lane_key])


def test_heights_follow_elevation_and_header(load, metres) -> None:
    profile = '<elevationProfile><elevation s="0" a="5" b="0.1" c="0" d="0"/></elevationProfile>'
    found = load(xodr(road(more=profile), offset='<offset x="1000" y="2000" z="30" hdg="0"/>'))
    line = metres(found.shapes("segments")["1"])
    assert line[0] == pytest.approx((1000, 2000, 35), abs=1e-3)
    assert line[-1] == pytest.approx((1100, 2000, 45), abs=1e-3)


def test_a_header_that_turns_the_map_turns_it(load, metres) -> None:
    found = load(xodr(road(), offset=f'<offset x="10" y="20" z="0" hdg="{np.pi / 2}"/>'))
    line = metres(found.shapes("segments")["1"])
    assert line[-1, :2] == pytest.approx((10, 120), abs=1e-3)


def test_a_raised_lane_is_raised_in_its_middle_and_said(load) -> None:
    kerb = lane(-1) + lane(-2, '<height sOffset="0" inner="0.12" outer="0.14"/>', kind="sidewalk")
    found = load(xodr(road(lanes=section(right=kerb))))
    assert found.shapes("lanes")["1/0/-2"].coords[0][2] == pytest.approx(0.13)
    assert found.shapes("lanes")["1/0/-1"].coords[0][2] == 0
    assert "lane-heights" in found.notes()
    assert found.rows("lanes")["1/0/-2"]["participants"] == '["pedestrian"]'


def test_types_speeds_and_marks_become_the_vocabulary_s(load) -> None:
    mark = (
        '<roadMark sOffset="0" type="solid broken" weight="bold" color="yellow" width="0.2" '
        'laneChange="increase"/>'
    )
    lanes = section(
        lane(1, mark + '<speed sOffset="0" max="25" unit="mph"/>'),
        lane(-1, mark) + lane(-2, "", 1, "mwyEntry"),
    )
    kind = '<type s="0" type="townLocal"><speed max="36" unit="km/h"/></type>'
    found = load(xodr(road(lanes=lanes, more=kind)))
    rows, lines = found.rows("lanes"), found.rows("lane_boundaries")
    assert rows["1/0/1"]["speed_limit_kmh"] == pytest.approx(40.234)
    assert rows["1/0/-1"]["speed_limit_kmh"] == 36
    assert rows["1/0/-2"]["type"] == "entry"
    assert found.rows("segments")["1"]["class"] == "residential"
    right, left = lines["1/0/-1"], lines["1/0/1"]
    # seen along the line: on the right the solid line is on the inside, which is its left
    assert (right["type"], right["subtype"], right["color"]) == ("line_thick", "solid_dashed", "yellow")
    assert left["subtype"] == "dashed_solid"
    assert right["lane_change"] == "left"
    assert lines["1/0/-2"]["type"] == "virtual"


def test_curves_say_how_far_their_polylines_leave_them(load, metres) -> None:
    plan = geometry(length=80, shape='<spiral curvStart="0" curvEnd="0.05"/>')
    found = load(xodr(road(plan=plan, length=80)))
    assert "approximation" in found.notes()
    assert 8 < len(metres(found.shapes("lanes")["1/0/-1"])) < 80


def test_each_feature_keeps_its_element_and_says_links_itself(load) -> None:
    data = '<userData code="x" value="7"/>'
    found = load(
        xodr(road(lanes=section(right=lane(-1, lanes_to(None, -9) + data)), more=data), version="1.5")
    )
    kept = json.loads(found.rows("lanes")["1/0/-1"]["opendrive"])
    assert kept["section"] == 0
    element = ET.fromstring(kept["lane"])
    assert element.find("userData").get("value") == "7"
    assert element.find("width").get("a") == "3.5"
    assert element.find("link") is None
    source = json.loads(found.rows("segments")["1"]["opendrive"])
    assert source["version"] == "1.5"
    shell = ET.fromstring(source["road"])
    assert shell.find("planView/geometry/line") is not None
    assert shell.find("link") is None
    assert shell.find(".//right") is None
    assert shell.find("lanes/laneSection/center/lane") is not None
    assert ET.fromstring(source["header"]).find("geoReference") is not None
    assert "elements-kept-raw" in found.notes()


def test_several_maps_of_one_archive_keep_their_ids_apart(load) -> None:
    found = load(xodr(road()), part="north:")
    row = found.rows("lanes")["north:1/0/-1"]
    assert row["segment_id"] == "north:1"
    assert row["left_boundary_id"] == "north:1/0/0"
