"""Signals and objects of OpenDRIVE maps: where they stand, what they rule, what they become."""

from __future__ import annotations

import json
import math

import pytest

from tests.sources.opendrive.conftest import ids
from tests.sources.opendrive.maps import lane, road, section, xodr

TWO_AND_TWO = section(lane(2) + lane(1), lane(-1) + lane(-2))


def signals(*items: str) -> str:
    return f"<signals>{''.join(items)}</signals>"


def signal(key: str = "7", more: str = "", inside: str = "") -> str:
    return f'<signal id="{key}" s="40" t="-8" zOffset="5" orientation="+" {more}>{inside}</signal>'


def objects(*items: str) -> str:
    return f"<objects>{''.join(items)}</objects>"


def test_a_traffic_light_stands_beside_the_road_and_rules_the_lanes_it_faces(load, metres) -> None:
    found = load(
        xodr(
            road(
                lanes=TWO_AND_TWO,
                more=signals(signal(more='dynamic="yes" type="1000001" country="JP"')),
            ),
            '<controller id="c1"><control signalId="7" type="0"/></controller>',
        )
    )
    key = "1/signal/7"
    standing, rule = found.rows("roadside_features")[key], found.rows("regulatory_elements")[key]
    assert metres(found.shapes("roadside_features")[key])[0] == pytest.approx((40, -8, 5), abs=1e-3)
    assert (standing["class"], standing["side"], standing["segment_id"]) == ("signal", "right", "1")
    # traffic runs to the east here, so the lamp looks west; grid north is true north to a degree
    assert standing["orientation_deg"] == pytest.approx(270, abs=0.2)
    assert standing["subtype"] == "jp1000001"
    assert (rule["subtype"], rule["dynamic"]) == ("traffic_light", True)
    assert ids(rule["lane_ids"]) == {"1/0/-1", "1/0/-2"}
    assert ids(rule["refers_ids"]) == {f"roadside_features/{key}"}
    assert json.loads(rule["opendrive"])["controllers"] == ["c1"]
    assert ids(found.rows("lanes")["1/0/-1"]["regulatory_element_ids"]) == {key}
    assert found.rows("lanes")["1/0/1"].get("regulatory_element_ids") is None


def test_a_validity_and_a_reference_from_another_road_name_the_lanes(load) -> None:
    there = '<signalReference id="7" s="10" t="0" orientation="-"><validity fromLane="1" toLane="2"/>'
    found = load(
        xodr(
            road(
                lanes=TWO_AND_TWO, more=signals(signal(inside='<validity fromLane="-2" toLane="-2"/>'))
            ),
            road("2", lanes=TWO_AND_TWO, more=signals(there + "</signalReference>")),
        )
    )
    rule = found.rows("regulatory_elements")["1/signal/7"]
    assert ids(rule["lane_ids"]) == {"1/0/-2", "2/0/1", "2/0/2"}
    assert (
        "validity"
        not in json.loads(found.rows("roadside_features")["1/signal/7"]["opendrive"])["signal"]
    )


def test_a_sign_with_a_limit_is_a_limit(load) -> None:
    sign = signal(more='dynamic="no" type="274" subtype="-1" country="DE" value="50" unit="km/h"')
    found = load(xodr(road(more=signals(sign))))
    rule = found.rows("regulatory_elements")["1/signal/7"]
    assert (rule["subtype"], rule["speed_limit_kmh"]) == ("speed_limit", 50)
    assert found.rows("roadside_features")["1/signal/7"]["class"] == "sign"
    assert found.rows("roadside_features")["1/signal/7"]["subtype"] == "de274"


def test_objects_take_the_shape_that_says_most_of_them(load, metres) -> None:
    corners = "".join(
        f'<cornerLocal u="{u}" v="{v}" z="0"/>' for u, v in ((0, 0), (4, 0), (4, 2), (0, 2))
    )
    crossing = "".join(
        f'<cornerRoad s="{s}" t="{t}" dz="0"/>' for s, t in ((50, -4), (54, -4), (54, 4), (50, 4))
    )
    found = load(
        xodr(
            road(
                more=objects(
                    f'<object id="1" type="building" s="10" t="20" hdg="{math.pi / 2}">'
                    f"<outlines><outline>{corners}</outline></outlines></object>",
                    f'<object id="2" type="crosswalk" s="50" t="0"><outline>{crossing}</outline>'
                    "</object>",
                    '<object id="3" type="barrier" s="0" t="6"><repeat s="0" length="60" distance="0" '
                    'tStart="6" tEnd="9" zOffsetStart="0" zOffsetEnd="1"/></object>',
                    '<object id="4" type="tree" s="0" t="9"><repeat s="0" length="30" distance="10" '
                    'tStart="9" tEnd="9"/></object>',
                    '<object id="5" type="pole" s="70" t="-5" height="4"/>',
                    '<object id="6" type="trafficIsland" s="80" t="0" length="6" width="2"/>',
                    '<bridge id="7" s="20" length="30" name="潮見橋" type="concrete"/>',
                )
            )
        )
    )
    shapes = {
        **found.shapes("roadside_features"),
        **found.shapes("structures"),
        **found.shapes("areas"),
    }
    house = metres(shapes["1/object/1"])
    assert sorted(map(tuple, house[:4, :2].round(3))) == [(8, 20), (8, 24), (10, 20), (10, 24)]
    assert shapes["1/object/2"].geom_type == "Polygon"
    rail = metres(shapes["1/object/3"])
    assert rail[-1] == pytest.approx((60, 9, 1), abs=1e-3)
    assert len(shapes["1/object/4"].geoms) == 4
    assert shapes["1/object/5"].geom_type == "Point"
    assert shapes["1/object/6"].geom_type == "Polygon"
    structures = found.rows("structures")
    assert structures["1/object/3"]["kind"] == "barrier"
    assert (structures["1/bridge/7"]["kind"], structures["1/bridge/7"]["name"]) == ("bridge", "潮見橋")
    assert metres(shapes["1/bridge/7"])[[0, -1], 0] == pytest.approx([20, 50], abs=1e-3)
    assert found.rows("roadside_features")["1/object/5"]["height_m"] == 4
    assert found.report.refused == 0


def test_an_object_without_a_place_is_refused_and_the_road_stays(load) -> None:
    found = load(xodr(road(more=objects('<object id="1" type="pole" s="nan" t="0"/>'))))
    assert [refusal.row for refusal in found.report.refusals] == ["1/object/1"]
    assert len(found.rows("lanes")) == 2
