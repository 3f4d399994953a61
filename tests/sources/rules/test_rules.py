"""Rules on small maps made by hand: a good one raises nothing, and each fault its own rule."""

from __future__ import annotations

from pathlib import Path

import pytest

from geoshare.model.findings import MAX_FINDINGS, Finding
from geoshare.model.report import Report
from geoshare.sources.lanelet2.elements import read_elements
from geoshare.sources.lanelet2.places import locate
from geoshare.sources.lanelet2.rules import check
from geoshare.sources.opendrive.rules import Checks
from geoshare.sources.opendrive.xml import elements
from geoshare.sources.request import Bounds, ReadRequest

ROADS = """<OpenDRIVE><header revMajor="1" revMinor="8"/>
<road id="1" length="100" junction="-1"><link><successor elementType="road" elementId="2"
 contactPoint="start"/></link>
 <planView><geometry s="0" x="0" y="0" hdg="0" length="100"><line/></geometry></planView>
 <lanes><laneSection s="0"><right><lane id="-1" type="driving"><link><successor id="-1"/></link>
  <width sOffset="0" a="3.5" b="0" c="0" d="0"/></lane></right></laneSection></lanes></road>
<road id="2" length="50" junction="-1"><link><predecessor elementType="road" elementId="1"
 contactPoint="end"/></link>
 <planView><geometry s="0" x="100" y="0" hdg="0" length="50"><line/></geometry></planView>
 <lanes><laneSection s="0"><right><lane id="-1" type="driving"><link><predecessor id="-1"/></link>
  <width sOffset="0" a="3.5" b="0" c="0" d="0"/></lane></right></laneSection></lanes></road>
</OpenDRIVE>"""
ROAD_FAULTS = {
    'x="100" y="0"': ('x="100.5" y="0"', "road.geometry.contact_point"),
    'b="0" c="0" d="0"/></lane></right></laneSection></lanes></road>\n</OpenDRIVE>': (
        'b="0" c="0" d="0"/></lane></right></laneSection></lanes></road>\n'
        '<road id="2" length="9"/></OpenDRIVE>',
        "ids.id_unique_in_class",
    ),
    '<predecessor id="-1"/>': ("", "road.lane.link.lanes_across_lane_sections"),
    'a="3.5" b="0" c="0" d="0"/></lane></right></laneSection></lanes></road>\n<road id="2"': (
        'a="2.5" b="0" c="0" d="0"/></lane></right></laneSection></lanes></road>\n<road id="2"',
        "contact_point_no_horizontal_gaps",
    ),
    'revMinor="8"': ('revMinor="eight"', "xml.version_is_defined"),
    'a="3.5"': ('a="wide"', "xml.valid_schema"),
}
LANES = """<osm><node id="1" lat="35.0" lon="139.0"/><node id="2" lat="35.0" lon="139.001"/>
<node id="3" lat="35.00003" lon="139.0"/><node id="4" lat="35.00003" lon="139.001"/>
<way id="10"><nd ref="3"/><nd ref="4"/><tag k="type" v="line_thin"/></way>
<way id="11"><nd ref="1"/><nd ref="2"/><tag k="type" v="line_thin"/></way>
<relation id="20"><member type="way" ref="10" role="left"/><member type="way" ref="11" role="right"/>
<tag k="type" v="lanelet"/><tag k="subtype" v="road"/><tag k="location" v="urban"/>
<tag k="one_way" v="yes"/></relation></osm>"""
LANE_FAULTS = {
    '<nd ref="1"/><nd ref="2"/>': ('<nd ref="1"/><nd ref="2"/><nd ref="2"/>', "duplicated_points"),
    '<tag k="one_way" v="yes"/>': ('<tag k="one_way" v="sometimes"/>', "bool_tags"),
    '<tag k="subtype" v="road"/>': ("", "mandatory_tags"),
    '<node id="3" lat="35.00003"': ('<node id="3" lat="35.0000001"', "points_too_close"),
    '<nd ref="3"/><nd ref="4"/>': ('<nd ref="3"/><nd ref="4"/><nd ref="99"/>', "member_missing"),
    '<way id="11">': ('<way id="10">', "duplicate_id"),
    'ref="11" role="right"': ('ref="10" role="right"', "graph_is_valid"),
    'lat="35.00003" lon="139.001"': ('lat="34.99997" lon="139.001"', "borders_cross"),
    '<tag k="location" v="urban"/>': ('<tag k="location" v="moon"/>', "unknown_tag_value"),
}


def of_roads(text: str, folder: Path) -> list[Finding]:
    path = folder / "map.xodr"
    path.write_text(text, "utf-8")
    checks = Checks()
    for element in elements(path, Bounds(), Report(path.name)):
        checks.take(element)
    return checks.findings(lambda xyz: xyz * 1e-5)


def of_lanes(text: str, folder: Path) -> list[Finding]:
    path = folder / "map.osm"
    path.write_text(text, "utf-8")
    report = Report(path.name)
    found = read_elements(path, Bounds(), report)
    return check(found, locate(found, ReadRequest("provider", folder, 0), report))


def test_good_maps_raise_nothing(tmp_path: Path) -> None:
    assert of_roads(ROADS, tmp_path) == []
    assert of_lanes(LANES, tmp_path) == []


@pytest.mark.parametrize("good", ROAD_FAULTS)
def test_each_fault_of_a_road_map_raises_its_rule(good: str, tmp_path: Path) -> None:
    bad, rule = ROAD_FAULTS[good]
    assert good in ROADS
    findings = of_roads(ROADS.replace(good, bad, 1), tmp_path)
    assert any(rule in finding.rule for finding in findings), findings
    assert all(finding.en and finding.ja for finding in findings)


@pytest.mark.parametrize("good", LANE_FAULTS)
def test_each_fault_of_a_lane_map_raises_its_rule(good: str, tmp_path: Path) -> None:
    bad, rule = LANE_FAULTS[good]
    assert good in LANES
    findings = of_lanes(LANES.replace(good, bad, 1), tmp_path)
    assert any(rule in finding.rule for finding in findings), findings


def test_a_finding_lies_where_its_fault_is(tmp_path: Path) -> None:
    (finding,) = [
        found
        for found in of_roads(ROADS.replace('<predecessor id="-1"/>', "", 1), tmp_path)
        if "lanes_across" in found.rule
    ]
    assert finding.feature == "road/1/section/0/lane/-1"
    assert finding.lon_lat == pytest.approx((100e-5, -1.75e-5), abs=1e-7)


def test_autowares_requirements_are_asked_of_its_maps_alone(tmp_path: Path) -> None:
    plain = LANES.replace('v="urban"', 'v="nonurban"')
    assert not any(found.rule.startswith("vm-") for found in of_lanes(plain, tmp_path))
    theirs = plain.replace("<osm>", '<osm><MetaInfo format_version="1"/>')
    assert "vm-01-01:Lane.RoadLaneletAttribute-001" in {
        found.rule for found in of_lanes(theirs, tmp_path)
    }


def test_local_coordinates_that_contradict_the_geographic_ones_are_found(tmp_path: Path) -> None:
    east_m = {"139.0": 0.0, "139.001": 91.19}
    text = LANES
    for number, (lon, north) in enumerate(
        [("139.0", 0.0), ("139.001", 0.0), ("139.0", 3.34), ("139.001", 3.34)], 1
    ):
        tags = f'<tag k="local_x" v="{east_m[lon] + 500}"/><tag k="local_y" v="{north + 700}"/>'
        start = text.index(f'<node id="{number}"')
        end = text.index("/>", start)
        text = text[:end] + ">" + tags + "</node>" + text[end + 2 :]
    rule = "geoshare:lanelet2.local_coordinates_disagree"
    assert rule not in {found.rule for found in of_lanes(text, tmp_path)}
    wrong = text.replace('v="703.34"', 'v="733.34"', 1)
    assert rule in {found.rule for found in of_lanes(wrong, tmp_path)}


def test_of_too_many_findings_the_errors_are_kept(tmp_path: Path) -> None:
    report = Report("a")
    report.find(Finding("w", "warning", str(n), "en", "ja") for n in range(MAX_FINDINGS))
    report.find([Finding("e", "error", "x", "en", "ja")])
    assert len(report.findings) == MAX_FINDINGS
    assert report.findings[0].rule == "e"
    assert report.found == {"warning": MAX_FINDINGS, "error": 1}
