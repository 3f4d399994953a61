"""OpenDRIVE maps that are wrong: placed by nobody's guess, read as far as they make sense."""

from __future__ import annotations

import pytest

from geoshare.errors import BadData
from geoshare.sources import Bounds
from tests.sources.opendrive.maps import PLANE_9, geometry, lane, road, section, xodr

UTM = "+proj=utm +zone=54 +datum=WGS84 +units=m"


def refused(load, text: str, **options) -> BadData:
    with pytest.raises(BadData) as caught:
        load(text, **options)
    return caught.value


@pytest.mark.parametrize(
    "reference",
    [
        "+proj=utm +lat_0=37.35 +lon_0=-122.08 +zone=32 +datum=WGS84 +units=m",  # two places at once
        UTM,  # no origin: the road would lie in the sea off Africa's latitude
        "+proj=longlat +datum=WGS84",
        "+proj=tmerc +lat_0=95 +lon_0=0 +datum=WGS84",
    ],
)
def test_a_reference_that_cannot_be_right_places_nothing(load, reference: str) -> None:
    error = refused(load, xodr(road(), reference=reference))
    assert error.code in ("geo-reference-wrong", "unknown-crs")


def test_no_reference_at_all_is_asked_for(load) -> None:
    assert refused(load, xodr(road(), reference="")).code == "no-crs"


def test_the_contributor_s_word_holds_against_the_file(load, metres) -> None:
    wrong = "+proj=utm +lat_0=37.35 +lon_0=-122.08 +zone=32 +datum=WGS84 +units=m"
    found = load(xodr(road(), reference=wrong), crs="EPSG:6677", offset=(5000.0, -7000.0, 2.0, 0.0))
    start = metres(found.shapes("segments")["1"], "EPSG:6677")[0]
    assert start == pytest.approx((5000, -7000, 2), abs=1e-3)
    assert found.report.datum.source == "declared"


def test_a_reference_that_only_lacks_words_is_completed_and_says_so(load, metres) -> None:
    found = load(xodr(road(), reference="+lat_0=35.7 +lon_0=139.7"))
    assert "geo-reference-completed" in found.notes()
    lon, lat = found.shapes("segments")["1"].coords[0][:2]
    assert (lon, lat) == pytest.approx((139.7, 35.7), abs=1e-9)
    bare = (
        "+proj=tmerc +lat_0=36 +lon_0=139.8333333333333 +k=0.9999 +ellps=GRS80 +towgs84=0,0,0,0,0,0,0"
    )
    found = load(xodr(road(), reference=bare + " +geoidgrids=egm96_15.gtx +vunits=m"))
    assert {"geo-reference-datum", "geo-reference-geoid", "vertical-unknown"} <= found.notes()
    assert found.report.datum.vertical is None


def test_a_road_100_km_from_the_others_is_pointed_out(load) -> None:
    roads = [road(str(n), plan=geometry(x=n * 200.0)) for n in range(5)]
    far = road("9", plan=geometry(x=130_000.0))
    assert "roads-far-apart" in load(xodr(*roads, far)).notes()
    assert "roads-far-apart" not in load(xodr(*roads)).notes()


def test_a_box_in_the_header_that_roads_leave_is_pointed_out(load) -> None:
    box = 'west="0" south="-10" east="50" north="10"'
    far = road("2", plan=geometry(x=500.0))
    assert "header-box" in load(xodr(road(), far, box=box)).notes()
    assert "header-box" not in load(xodr(road(), box=box)).notes()


BROKEN = {
    "not a number": road("1", plan=geometry().replace('x="0.0"', 'x="nan"')),
    "infinite": road("1", plan=geometry().replace('length="100.0"', 'length="inf"')),
    "no shape": road("1", plan=geometry(shape="")),
    "no plan": road("1", plan=""),
    "no lanes": road("1", lanes=""),
    "without end": road("1", plan=geometry(length=1e9), length=1e9),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_road_is_refused_and_the_others_are_taken(load, case: str) -> None:
    found = load(xodr(BROKEN[case], road("2", plan=geometry(y=50))))
    assert [refusal.row for refusal in found.report.refusals] == ["1"]
    assert set(found.rows("segments")) == {"2"}
    assert found.report.refusals[0].message.code == "road-broken"


def test_ids_that_contradict_each_other_are_taken_once_and_told(load) -> None:
    twice = section(right=lane(-1) + lane(-1) + lane(2) + lane(0))
    found = load(xodr(road(lanes=twice), road("1", plan=geometry(y=90))))
    assert set(found.rows("lanes")) == {"1/0/-1"}
    codes = [refusal.message.code for refusal in found.report.refusals]
    assert sorted(codes) == ["lane-broken"] * 3 + ["road-twice"]


def test_sections_that_overlap_or_lie_outside_are_refused(load) -> None:
    lanes = (
        section(right=lane(-1))
        + section(right=lane(-1), s=50)
        + section(right=lane(-1), s=50)
        + section(right=lane(-1), s=400)
    )
    found = load(xodr(road(lanes=lanes)))
    assert set(found.rows("lanes")) == {"1/0/-1", "1/1/-1"}
    assert [refusal.row for refusal in found.report.refusals] == ["1/2", "1/3"]


def test_lengths_and_stations_that_do_not_fit_are_counted_anew(load, metres) -> None:
    plan = geometry(length=40) + geometry(x=40, s=55, length=60) + geometry(x=100, s=100, length=0)
    found = load(xodr(road(plan=plan, length=250)))
    assert {"road-length", "stations-apart", "geometry-without-length"} <= set(found.repairs())
    assert metres(found.shapes("segments")["1"])[-1, 0] == pytest.approx(100, abs=1e-3)


def test_a_lane_without_width_has_none_and_the_report_says_so(load) -> None:
    found = load(xodr(road(lanes=section(right=lane(-1, width=-1)))))
    assert found.rows("lanes")["1/0/-1"]["width_m"] == 0
    assert found.repairs()["lane-width-missing"] == 1


def test_links_to_what_is_not_there_are_left_out_and_told(load) -> None:
    gone = '<successor elementType="road" elementId="77" contactPoint="start"/>'
    lanes = section(right=lane(-1, '<link><successor id="-1"/></link>'))
    found = load(xodr(road(lanes=lanes, link=gone)))
    assert "links-missing" in found.notes()
    assert found.rows("lanes")["1/0/-1"].get("successor_ids") is None


def test_a_road_that_crosses_itself_is_taken_and_told(load) -> None:
    loop = geometry(length=100, shape='<arc curvature="0.08"/>')
    found = load(xodr(road(plan=loop)))
    assert "self-crossing" in found.notes()
    assert len(found.rows("lanes")) == 2


def test_gaps_in_a_reference_line_are_measured(load) -> None:
    plan = geometry(length=50) + geometry(x=50, y=0.4, s=50, length=50)
    found = load(xodr(road(plan=plan)))
    [note] = [note for note in found.report.notes if note.code == "plan-view-gaps"]
    assert "0.400 m" in note.en


def test_a_curve_that_is_longer_than_stated_ends_where_it_ends(load, metres) -> None:
    cubic = (
        '<paramPoly3 pRange="normalized" aU="0" bU="100" cU="0" dU="0" aV="0" bV="0" cV="0" dV="0"/>'
    )
    found = load(xodr(road(plan=geometry(length=90, shape=cubic), length=90)))
    assert "curve-lengths" in found.notes()
    assert metres(found.shapes("segments")["1"])[-1, 0] == pytest.approx(100, abs=1e-3)


ENTITY = '<!DOCTYPE OpenDRIVE [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;">]>'


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (xodr(road()).replace("<OpenDRIVE>", ENTITY + "<OpenDRIVE>"), "xml-doctype"),
        (xodr(road())[:300], "xml-broken"),
        ("<osmosis/>", "file-broken"),
        (xodr(), "no-rows"),
        (xodr(road(plan="")), "no-rows"),
    ],
)
def test_files_that_are_no_map_are_refused_whole(load, text: str, code: str) -> None:
    assert refused(load, text).code == code


def test_a_file_larger_than_its_bound_is_refused_before_it_is_held(load) -> None:
    error = refused(load, xodr(*[road(str(n)) for n in range(50)]), bounds=Bounds(xml_elements=200))
    assert error.code == "too-large"


def test_what_stands_beside_the_roads_and_is_not_taken_is_counted(load) -> None:
    found = load(xodr(road(), '<station id="1" name="x"/>', '<userData code="a"/>'))
    [note] = [note for note in found.report.notes if note.code == "elements-dropped"]
    assert "station 1" in note.en
    assert "userData 1" in note.en


def test_a_map_in_a_namespace_is_a_map(load) -> None:
    text = xodr(road(), reference=PLANE_9).replace(
        "<OpenDRIVE>", '<OpenDRIVE xmlns="http://x.example">'
    )
    assert len(load(text).rows("lanes")) == 2
