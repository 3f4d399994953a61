"""Areas that are drawn or stated: one that crosses itself is refused at every door, with its place."""

from __future__ import annotations

import pytest

from geoshare.access.grant_faults import area_faults
from geoshare.errors import BadRequest
from geoshare.extracts.areas import asked_area
from geoshare.filter.literals import read_area, read_geometry
from tests.access.town import policy

BOW_TIE = {"type": "Polygon", "coordinates": [[[139, 35], [140, 36], [140, 35], [139, 36], [139, 35]]]}
SQUARE = {"type": "Polygon", "coordinates": [[[139, 35], [140, 35], [140, 36], [139, 36], [139, 35]]]}
OVERLAPPING = {"type": "MultiPolygon", "coordinates": [SQUARE["coordinates"], SQUARE["coordinates"]]}
OUTER_HOLE = {
    "type": "Polygon",
    "coordinates": [
        SQUARE["coordinates"][0],
        [[150, 35], [151, 35], [151, 36], [150, 35]],
    ],
}
LINE = {"type": "LineString", "coordinates": [[139, 35], [140, 36]]}


def test_an_area_is_read_as_it_was_said():
    assert read_area(SQUARE).equals(read_geometry(SQUARE))


@pytest.mark.parametrize(
    ("area", "why"),
    [
        (BOW_TIE, "the polygon crosses itself near 139.500000, 35.500000"),
        (OVERLAPPING, "the polygon (is not valid|crosses itself)"),
        (OUTER_HOLE, r"the polygon is not valid \(hole lies outside shell\) near 150"),
        (LINE, "LineString is no Polygon or MultiPolygon"),
        ({"bbox": [139, 35, 140, 36]}, "a box is no Polygon"),
        ({"type": "Polygon", "coordinates": []}, "empty"),
    ],
)
def test_what_is_no_area_is_refused_with_its_reason(area, why):
    with pytest.raises(ValueError, match=why):
        read_area(area)


def test_extracts_prints_grants_agreements_and_emergencies_say_the_same_of_it():
    with pytest.raises(BadRequest, match="crosses itself near") as found:
        asked_area(None, BOW_TIE, policy(), None)
    assert found.value.parameter == "area"
    assert found.value.message_ja
    [(key, message, allowed)] = area_faults(BOW_TIE)
    assert (key, "crosses itself" in message, "Polygon" in allowed) == ("area", True, True)


def test_a_literal_of_a_filter_is_mended_as_the_standard_s_own_tests_need_it():
    assert read_geometry(BOW_TIE).area == pytest.approx(0.5)
