"""The labelled validation maps: what a name says is wrong with a map is found, and nothing else of it.

A map that is named after a fault has to raise a rule that speaks of this fault; one that is named valid
has to raise none of the rules of its folder. ``REASONS`` lists where we differ, and why.
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from geoshare.model.findings import Finding
from geoshare.model.report import Report
from geoshare.sources.lanelet2.elements import read_elements
from geoshare.sources.lanelet2.places import locate
from geoshare.sources.lanelet2.rules import check
from geoshare.sources.opendrive.rules import Checks
from geoshare.sources.opendrive.xml import elements
from geoshare.sources.request import Bounds, ReadRequest

AGREEMENT = 0.95
# folder of the OpenDRIVE cases -> parts of the rule ids that speak of its fault
OPENDRIVE = {
    "junction_connection_linkage": ("start_along_linkage", "end_opposite_linkage"),
    "junctions_connection_connect_road_no_incoming_road": ("connect_road_no_incoming_road",),
    "junctions_connection_one_connection_element": ("one_connection_element",),
    "junctions_connection_one_link_to_incoming": ("one_link_to_incoming",),
    "performance_avoid_redundant_info": ("avoid_redundant_info",),
    "road_geometry_contact_point": ("road.geometry.contact_point",),
    "road_geometry_elem_asc_order": ("elem_asc_order",),
    "road_geometry_param_poly3_length_match": ("length_match",),
    "road_geometry_parampoly3_arclength_range": ("arclength_range",),
    "road_geometry_parampoly3_valid_parameters": ("valid_parameters",),
    "road_lane_access_no_mix_of_deny_or_allow": ("no_mix_of_deny_or_allow",),
    "road_lane_border_overlap_with_inner_lanes": ("overlap_with_inner_lanes",),
    "road_lane_level_true_one_side": ("level_true_one_side",),
    "road_lane_level_true_one_side_junction": ("level_true_one_side",),
    "road_lane_level_true_one_side_road": ("level_true_one_side",),
    "road_lane_link_lanes_across_lane_sections": ("lanes_across_lane_sections",),
    "road_lane_link_new_lane_appear": ("new_lane_appear",),
    "road_linkage_is_junction_needed": ("is_junction_needed",),
    "smoothness_example": ("contact_point_no_horizontal_gaps",),
    "valid_schema": ("valid_schema",),
    "version_is_defined": ("version_is_defined",),
    "utils": ("",),
    "examples": ("valid_schema",),
    "rule_104": ("no_offset_if_border_defined",),
    "rule_178": ("junctions.priority",),
    "rule_242": ("road.object.orientation",),
    "rule_247": ("outline_followed_by_corner",),
    "rule_253": ("corner_road.element_min_amount",),
    "rule_255": ("corner_local.element_min_amount",),
    "rule_257": ("vertex_",),
    "rule_263": ("vertex_road.element_min_amount",),
    "rule_267": ("vertex_local.element_min_amount",),
    "rule_286": ("border_without_corner_references",),
    "rule_305": ("part_of_another_type",),
    "rule_341": ("multi_board_have_sub_boards",),
    "rule_343": ("multi_board_use_dynamic_true",),
    "rule_371": ("circular_vs_angular",),
}
# Lanelet2 cases -> the code expected; one that ends in "!" must not come
LANELET2 = {
    "buffer_zone_validity_with_partial_overlap": "BufferZoneValidity-003",
    "buffer_zone_validity_with_point_not_shared": "BufferZoneValidity-001",
    "bus_stop_area": "MissingRegulatoryElementsForBusStopAreas!",
    "detection_area_with_invalid_polygon_refer": "DetectionArea-003",
    "detection_area_with_invalid_ref_line": "DetectionArea-004",
    "detection_area_with_multiple_polygon_refer": "DetectionArea-002",
    "detection_area_with_non_road_refer": "DetectionArea-005",
    "detection_area_without_road_lanelet_ref": "DetectionArea-005",
    "no_parking_area": "NoParkingArea!",
    "no_parking_area_with_multiple_polygon_refer": "NoParkingArea-002",
    "no_parking_area_without_polygon_refer": "NoParkingArea-001",
    "no_stopping_area_with_invalid_polygon_refer": "NoStoppingArea-003",
    "no_stopping_area_with_invalid_ref_line": "NoStoppingArea-005",
    "no_stopping_area_with_multiple_stop_line": "NoStoppingArea-004",
    "no_stopping_area_without_road_lanelet_ref": "NoStoppingArea-006",
    "crosswalk_out_of_bound": "Crosswalk.RegulatoryElementDetails-012",
    "crosswalk_regulatory_element_with_multiple_ref_lines": "Crosswalk.RegulatoryElementDetails-009",
    "crosswalk_regulatory_element_without_refers": "Crosswalk.RegulatoryElementDetails-001",
    "crosswalk_with_non_numerical_distance_speed": "Crosswalk.SafetyAttributes-001",
    "crosswalk_with_regulatory_element": "Crosswalk!",
    "crosswalk_without_participant_pedestrian": "Crosswalk.RegulatoryElementDetails-010",
    "crosswalk_without_stop_line": "Crosswalk.RegulatoryElementDetails-003",
    "correct_virtual_traffic_light": "VirtualTrafficLight!",
    "intersection_area_with_invalid_turn_direction_tag": "TurnDirectionTagging-002",
    "intersection_area_with_wrong_linestring_type": "IntersectionAreaSegmentType-001",
    "intersection_area_with_wrong_orientation": "IntersectionAreaValidity!",
    "intersection_area_without_straight_tag": "TurnDirectionTagging-001",
    "intersection_lanelet_invalid_border_type": "LaneletBorderType-001",
    "intersection_with_wrong_turn_signal_distance": "TurnSignalDistanceOverlap-001",
    "right_of_way_traffic_light_multiple_elements": "RightOfWayWithTrafficLights-002",
    "right_of_way_virtual_traffic_light": "RightOfWayForVirtualTrafficLights!",
    "right_of_way_virtual_traffic_light_missing_reference": "RightOfWayForVirtualTrafficLights-001",
    "right_of_way_without_traffic_light_missing_right_of_way_intersection": (
        "RightOfWayWithoutTrafficLights-005"
    ),
    "right_of_way_without_traffic_light_missing_yield_role": "RightOfWayWithoutTrafficLights-003",
    "right_of_way_without_traffic_light_with_unnecessary_yield": "RightOfWayWithoutTrafficLights-004",
    "right_of_way_without_traffic_light_with_wrong_role": "RightOfWayWithoutTrafficLights-002",
    "virtual_traffic_light_missing_ref_line": "ForVirtualTrafficLights-002",
    "virtual_traffic_light_missing_refers": "ForVirtualTrafficLights-005",
    "virtual_traffic_light_not_overlapping_but_sharing_a_lanelet": "SectionOverlap!",
    "virtual_traffic_light_ordered_start_end_stop": "VirtualTrafficLightLineOrder-006",
    "virtual_traffic_light_ordered_stop_start_end": "VirtualTrafficLightLineOrder-006",
    "virtual_traffic_light_with_derailed_start_line": "VirtualTrafficLightLineOrder-001",
    "virtual_traffic_light_with_derailed_stop_line": "VirtualTrafficLightLineOrder-005",
    "virtual_traffic_light_with_invalid_path": "VirtualTrafficLightLineOrder-004",
    "virtual_traffic_light_with_messy_stop_line": "VirtualTrafficLightLineOrder-006",
    "virtual_traffic_light_with_start_line_covering_referrer": "VirtualTrafficLightLineOrder-003",
    "virtual_traffic_light_with_wrong_end_line_type": "ForVirtualTrafficLights-004",
    "border_sharing_base": "BorderSharing!",
    "border_sharing_with_wrong_subtype": "LateralSubtypeConnection-001",
    "centerline_ending_too_early": "CenterlineGeometry-001",
    "centerline_overpassing_lanes": "CenterlineGeometry-002",
    "centerline_with_strange_height_point": "CenterlineGeometry-003",
    "correct_border_sharing_lane_split": "BorderSharing!",
    "curve_lanes_completely_different_borders": "BorderSharing-001",
    "curve_lanes_completely_different_jaggy_borders": "BorderSharing-001",
    "lane_change_attribute_missing_attribute": "LaneChangeAttribute-001",
    "lane_change_attribute_with_wrong_value": "LaneChangeAttribute-002",
    "lanes_with_correct_centerlines": "CenterlineGeometry!",
    "pedestrian_lane_empty_side_no_road_border": "PedestrianLane-003",
    "pedestrian_lane_with_non_road_adjacent": "PedestrianLane-002",
    "pedestrian_lane_without_adjacent": "PedestrianLane-001",
    "pseudo_bidirectional_lanes": "BorderSharing!",
    "road_lanelet_wrong_one_way_attributes": "RoadLaneletAttribute-002",
    "shoulder_road_empty_side_no_road_border": "RoadShoulder-003",
    "single_lanelet_partially_defected_local_coordinates": "LocalCoordinatesDeclaration-002",
    "speed_limit_with_over_the_limit_value": "SpeedLimitValidity-002",
    "straight_lanes_completely_different_borders": "BorderSharing-001",
    "straight_lanes_completely_different_jaggy_borders": "BorderSharing-001",
    "walkway_intersection": "WalkwayIntersection!",
    "walkway_intersection_with_no_road": "WalkwayIntersection-001",
    "walkway_intersection_with_short_walkway": "WalkwayIntersection-002",
    "stop_line_with_road_marking": "StopLine.Missing!",
    "stop_line_with_traffic_sign": "StopLine.!",
    "stop_line_without_regulatory_elements": "StopLine.MissingRegulatoryElements-001",
    "traffic_signs_with_invalid_refers_type": "ForTrafficSigns-002",
    "traffic_signs_without_ref_line": "ForTrafficSigns-003",
    "traffic_signs_without_refers": "ForTrafficSigns-001",
    "traffic_light_regulatory_element_without_ref_line": "TrafficLight.RegulatoryElementDetails-001",
    "traffic_light_regulatory_element_without_refers": "TrafficLight.RegulatoryElement-refers",
    "traffic_light_with_invalid_height": "BodyHeight-002",
    "traffic_light_with_wrong_light_bulbs_type": "TrafficLight.RegulatoryElementDetails-004",
    "traffic_light_with_wrong_refers_type": "TrafficLight.RegulatoryElementDetails-002",
    "traffic_light_without_height_tag": "BodyHeight-001",
    "traffic_light_without_referrer": "TrafficLight.MissingReferrers-001",
}
# Where our findings and a map's name differ.
REASONS = {
    "road_lane_level_true_one_side_invalid_older_schema_version": (
        "the rule holds from 1.7 on, and the map is of 1.0"
    ),
}


def _members(archive: Path, suffix: str) -> Iterator[tuple[Path, bytes]]:
    with tarfile.open(archive) as packed:
        for member in packed.getmembers():
            content = packed.extractfile(member)
            if member.name.endswith(suffix) and content is not None:
                yield Path(member.name), content.read()


def _opendrive(path: Path, content: bytes, folder: Path) -> list[Finding]:
    file = folder / path.name
    file.write_bytes(content)
    checks = Checks()
    for element in elements(file, Bounds(), Report(path.name)):
        checks.take(element)
    return checks.findings(None)


def _lanelet2(path: Path, content: bytes, folder: Path) -> list[Finding]:
    file = folder / path.name
    file.write_bytes(content)
    report = Report(path.name)
    found = read_elements(file, Bounds(), report)
    return check(found, locate(found, ReadRequest("provider", folder, 0), report))


def _disagreements(cases: list[tuple[str, bool, bool]]) -> list[str]:
    return sorted(name for name, expected, found in cases if expected != found)


def test_opendrive_maps_are_found_to_be_what_their_names_say(real_data: Path, tmp_path: Path) -> None:
    cases = []
    for path, content in _members(real_data / "validation" / "opendrive_rule_cases.tar.gz", ".xodr"):
        key = path.name[:8] if path.name.startswith("rule_") else path.parent.name
        rules = [finding.rule for finding in _opendrive(path, content, tmp_path)]
        found = any(part in rule for rule in rules for part in OPENDRIVE[key])
        invalid = any(word in path.stem for word in ("invalid", "negative", "single_issue"))
        cases.append((path.stem, invalid, found))
    differing = _disagreements(cases)
    assert len(cases) == 89, differing
    assert len(differing) <= (1 - AGREEMENT) * len(cases), differing
    assert set(differing) <= REASONS.keys()


def test_lanelet2_maps_are_found_to_be_what_their_names_say(real_data: Path, tmp_path: Path) -> None:
    cases = []
    for path, content in _members(real_data / "validation" / "lanelet2_rule_cases.tar.gz", ".osm"):
        expected = LANELET2[path.stem]
        rules = [finding.rule for finding in _lanelet2(path, content, tmp_path)]
        found = any(expected.rstrip("!") in rule for rule in rules)
        cases.append((path.stem, not expected.endswith("!"), found))
    differing = _disagreements(cases)
    assert len(cases) == len(LANELET2)
    assert len(differing) <= (1 - AGREEMENT) * len(cases), differing
    assert set(differing) <= REASONS.keys()


@pytest.mark.parametrize("name", ["e6mini", "curves", "fabriksgatan", "two_plus_one", "crest-curve"])
def test_real_opendrive_maps_without_faults_have_none(
    real_data: Path, tmp_path: Path, name: str
) -> None:
    content = io.BytesIO((real_data / "opendrive" / f"{name}.xodr").read_bytes()).getvalue()
    assert _opendrive(Path(f"{name}.xodr"), content, tmp_path) == []


def test_a_real_map_has_the_faults_that_the_checker_of_asam_finds(
    real_data: Path, tmp_path: Path
) -> None:
    content = (real_data / "opendrive" / "multi_intersections.xodr").read_bytes()
    rules = {finding.rule for finding in _opendrive(Path("m.xodr"), content, tmp_path)}
    assert rules == {"asam.net:xodr:1.4.0:road.lane.link.lanes_across_lane_sections"}
