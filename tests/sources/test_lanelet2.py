"""Lanelet2 maps: against Lanelet2's own library, an independent parse, and small maps by hand."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyproj
import pytest
import shapely

from geoshare.errors import BadData
from geoshare.model.mgrs import mgrs_origin
from geoshare.model.roads.lanelets import side
from geoshare.sources import Bounds

LIBRARY = json.loads((Path(__file__).parent / "data" / "lanelet2_library.json").read_text())
MAPS = sorted(LIBRARY)


@pytest.mark.real
@pytest.mark.parametrize("name", MAPS)
def test_every_boundary_runs_as_lanelet2_says(
    real_data: Path, read: Callable[..., Any], name: str
) -> None:
    lanes = read(real_data / "lanelet2" / name).rows("lanes")
    ours = {}
    for key, row in lanes.items():
        turned = json.loads(row.get("extra") or "{}").get("reversed", "")
        ours[key] = ("l" if "left" in turned else "") + ("r" if "right" in turned else "")
    assert ours == LIBRARY[name]["lanelets"]


@pytest.mark.real
@pytest.mark.parametrize("name", MAPS)
def test_every_lane_follows_and_neighbours_those_that_lanelet2_says(
    real_data: Path, read: Callable[..., Any], name: str
) -> None:
    lanes = read(real_data / "lanelet2" / name).rows("lanes")
    follows = {
        key: set(json.loads(row["successor_ids"])) for key, row in lanes.items() if row["successor_ids"]
    }
    assert follows == {key: set(ids) for key, ids in LIBRARY[name]["follows"].items()}
    before: dict[str, set[str]] = {}
    for key, ids in follows.items():
        for after in ids:
            before.setdefault(after, set()).add(key)
    said = {
        key: set(json.loads(row["predecessor_ids"]))
        for key, row in lanes.items()
        if row["predecessor_ids"]
    }
    assert said == before
    left = {key: row["left_lane_id"] for key, row in lanes.items() if row.get("left_lane_id")}
    assert left == LIBRARY[name]["left"]


@pytest.mark.real
@pytest.mark.parametrize(
    ("name", "lanelets", "areas", "rules"),
    [("kashiwanoha_base.osm", 81, 0, 3), ("karlsruhe_mapping_example.osm", 371, 76, 9)],
)
def test_every_element_of_a_real_map_can_be_found_with_its_coordinates(
    real_data: Path, read: Callable[..., Any], name: str, lanelets: int, areas: int, rules: int
) -> None:
    path = real_data / "lanelet2" / name
    root = ET.parse(path).getroot()
    nodes = {node.get("id"): node for node in root.iter("node")}
    found = read(path)
    assert len(found.rows("lanes")) == lanelets
    assert len(found.rows("regulatory_elements")) == rules
    relations = [r for r in root.iter("relation") if _tag(r, "type") == "multipolygon"]
    assert len(relations) == areas
    assert {r.get("id") for r in relations} <= set(found.rows("areas"))
    assert found.report.refused == 0
    ways = [way for way in root.iter("way") if way.get("action") != "delete"]
    shapes: dict[str, Any] = {}
    for collection in ("lane_boundaries", "roadside_features", "structures", "areas"):
        shapes |= found.shapes(collection)
    for way in ways:
        shape = shapes[way.get("id")]
        vertices = [nodes[nd.get("ref")] for nd in way.iter("nd")]
        ours = shapely.get_coordinates(shape, include_z=True)[: len(vertices)]
        theirs = [(float(n.get("lon")), float(n.get("lat")), _ele(n)) for n in vertices]
        if shape.geom_type == "LineString":
            np.testing.assert_allclose(ours[:, :2], np.array(theirs)[:, :2], rtol=0, atol=1e-12)
            np.testing.assert_array_equal(ours[:, 2], np.array(theirs)[:, 2])
        else:
            assert {tuple(v[:2]) for v in ours} == {v[:2] for v in theirs}


def _ids(rows: dict[str, Any], name: str) -> dict[str, set[str]]:
    return {key: set(json.loads(row[name])) for key, row in rows.items() if row[name]}


def _tag(element: ET.Element, key: str) -> str | None:
    return next((str(tag.get("v")) for tag in element.iter("tag") if tag.get("k") == key), None)


def _ele(node: ET.Element) -> float:
    return float(_tag(node, "ele") or "nan")


@pytest.mark.real
def test_local_coordinates_alone_give_the_same_map(
    real_data: Path, read: Callable[..., Any], tmp_path: Path
) -> None:
    path = real_data / "lanelet2" / "tokyo_shinjuku_four_track_highway.osm"
    tree = ET.parse(path)
    for node in tree.getroot().iter("node"):
        node.set("lat", "0.0")
        node.set("lon", "0.0")
    bare = tmp_path / "bare.osm"
    tree.write(bare)
    placed, local = read(path).shapes("lanes"), read(bare).shapes("lanes")
    geod = pyproj.Geod(ellps="WGS84")
    for key, line in placed.items():
        a, b = shapely.get_coordinates(line), shapely.get_coordinates(local[key])
        assert max(geod.inv(*a.T, *b.T)[2]) < 0.02


@pytest.mark.parametrize(
    ("square", "crs", "easting", "northing"),
    [
        ("54SUE", "EPSG:32654", 300_000, 3_900_000),  # Tokyo
        ("53SPU", "EPSG:32653", 600_000, 3_800_000),  # Nagoya
        ("52SFC", "EPSG:32652", 600_000, 3_700_000),  # Fukuoka
        ("32UMV", "EPSG:32632", 400_000, 5_400_000),  # Karlsruhe
        ("56HLH", "EPSG:32756", 300_000, 6_200_000),  # Sydney
    ],
)
def test_squares_of_the_military_grid_lie_where_they_lie(
    square: str, crs: str, easting: float, northing: float
) -> None:
    assert mgrs_origin(square) == (crs, easting, northing)


@pytest.mark.parametrize("square", ["", "54", "99SUE", "54IUE", "54SIE", "54SAE", "54SUE815"])
def test_what_is_no_square_has_no_origin(square: str) -> None:
    assert mgrs_origin(square) is None


def straight_map(tags: str = "", *, head: str = "") -> str:
    """A lane 30 m to the east, 3 m wide; its right border is stored backwards."""
    places = {1: (35.000027, 139.0), 2: (35.000027, 139.00033), 3: (35.0, 139.00033), 4: (35.0, 139.0)}
    nodes = "".join(
        f'<node id="{key}" lat="{lat}" lon="{lon}"><tag k="ele" v="{key}.5"/>{tags}</node>'
        for key, (lat, lon) in places.items()
    )
    return f"""<?xml version="1.0"?>{head}<osm>{nodes}
      <way id="10"><nd ref="1"/><nd ref="2"/><tag k="type" v="line_thin"/><tag k="subtype" v="dashed"/>
        <tag k="lane_change:left" v="yes"/><tag k="lane_change:right" v="no"/>
        <tag k="colour_code" v="9"/></way>
      <way id="11"><nd ref="3"/><nd ref="4"/><tag k="type" v="curbstone"/></way>
      <relation id="20"><member type="way" ref="10" role="left"/>
        <member type="way" ref="11" role="right"/>
        <member type="relation" ref="30" role="regulatory_element"/>
        <tag k="type" v="lanelet"/><tag k="subtype" v="road"/><tag k="participant:vehicle" v="yes"/>
        <tag k="one_way" v="yes"/><tag k="wobbly" v="very"/></relation>
      <relation id="30"><tag k="type" v="regulatory_element"/><tag k="subtype" v="speed_limit"/>
        <tag k="speed_limit" v="30 mph"/></relation></osm>"""


@pytest.fixture
def osm(tmp_path: Path) -> Callable[[str], Path]:
    def write(content: str) -> Path:
        path = tmp_path / "map.osm"
        path.write_text(content, "utf-8")
        return path

    return write


def test_a_lane_is_its_centre_line_with_words_of_the_foundation(
    osm: Callable[[str], Path], read: Callable[..., Any]
) -> None:
    found = read(osm(straight_map()))
    lane = found.rows("lanes")["20"]
    assert lane["type"] == "driving"
    assert lane["one_way"] is True
    assert json.loads(lane["participants"]) == ["vehicle"]
    assert lane["speed_limit_kmh"] == pytest.approx(30 * 1.609344)
    assert lane["width_m"] == pytest.approx(3.0, abs=0.02)
    assert lane["length_m"] == pytest.approx(30.1, abs=0.1)
    assert json.loads(lane["extra"]) == {"wobbly": "very", "reversed": "right"}
    line = shapely.get_coordinates(found.shapes("lanes")["20"], include_z=True)
    np.testing.assert_allclose(
        line, [(139.0, 35.0000135, 3.0), (139.00033, 35.0000135, 3.0)], atol=1e-9
    )
    rule = found.rows("regulatory_elements")["30"]
    assert json.loads(rule["lane_ids"]) == ["20"]
    border = found.rows("lane_boundaries")["10"]
    assert (border["type"], border["subtype"], border["lane_change"]) == ("line_thin", "dashed", "left")
    assert json.loads(border["extra"]) == {"colour_code": "9"}
    assert "vertical-unknown" in found.notes()


def test_local_coordinates_count_from_what_the_caller_says(
    osm: Callable[[str], Path], read: Callable[..., Any]
) -> None:
    local = straight_map().replace('lat="35', 'lat="" a="').replace('lon="139', 'lon="" b="')
    for key, (x, y) in {1: (0, 3), 2: (30, 3), 3: (30, 0), 4: (0, 0)}.items():
        local = local.replace(
            f'<tag k="ele" v="{key}.5"/>',
            f'<tag k="ele" v="{key}.5"/><tag k="local_x" v="{x}"/><tag k="local_y" v="{y}"/>',
        )
    path = osm(local)
    with pytest.raises(BadData) as caught:
        read(path)
    assert caught.value.code == "local-without-origin"
    line = shapely.get_coordinates(read(path, crs="EPSG:6677").shapes("lanes")["20"])
    assert line[0] == pytest.approx((139 + 50 / 60, 36.0000135), abs=1e-6)
    square = read(path, crs="MGRS:54SUE").shapes("lanes")["20"]
    assert square.bounds[0] == pytest.approx(138.78, abs=0.1)


def test_a_lanelet_without_a_border_is_refused_and_the_rest_stays(
    osm: Callable[[str], Path], read: Callable[..., Any]
) -> None:
    broken = straight_map().replace(
        "</osm>",
        '<relation id="21"><member type="way" ref="10" role="left"/>'
        '<member type="way" ref="99" role="right"/>'
        '<tag k="type" v="lanelet"/></relation><way id="12"><nd ref="1"/><nd ref="77"/></way></osm>',
    )
    found = read(osm(broken))
    assert set(found.rows("lanes")) == {"20"}
    assert {refusal.row for refusal in found.report.refusals} == {"21", "12"}
    assert {refusal.message.code for refusal in found.report.refusals} == {"member-missing"}


def test_deleted_elements_of_an_editors_file_are_left_out(
    osm: Callable[[str], Path], read: Callable[..., Any]
) -> None:
    found = read(
        osm(straight_map().replace('<relation id="20">', '<relation id="20" action="delete">'))
    )
    assert not found.rows("lanes")
    assert set(found.rows("lane_boundaries")) == {"10", "11"}


def test_a_truncated_map_is_refused_with_the_line(
    osm: Callable[[str], Path], read: Callable[..., Any]
) -> None:
    whole = straight_map()
    with pytest.raises(BadData, match="line 3") as caught:
        read(osm(whole[: whole.index("lane_change:right")]))
    assert caught.value.code == "xml-broken"
    assert "行目" in caught.value.message_ja


def test_entities_are_never_expanded(osm: Callable[[str], Path], read: Callable[..., Any]) -> None:
    head = (
        '<!DOCTYPE osm [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;"><!ENTITY f SYSTEM "file:///etc/hosts">]>'
    )
    with pytest.raises(BadData) as caught:
        read(osm(straight_map(head=head, tags='<tag k="x" v="&b;"/>')))
    assert caught.value.code == "xml-doctype"


def test_more_elements_than_allowed_are_refused(
    osm: Callable[[str], Path], read: Callable[..., Any]
) -> None:
    with pytest.raises(BadData) as caught:
        read(osm(straight_map()), bounds=Bounds(xml_elements=5))
    assert caught.value.code == "too-large"


def test_an_osm_file_without_lanelets_is_no_such_map(
    osm: Callable[[str], Path], read: Callable[..., Any]
) -> None:
    with pytest.raises(BadData) as caught:
        read(osm('<osm><node id="1" lat="35" lon="139"/></osm>'))
    assert caught.value.code == "no-lanelets"


@pytest.mark.real
def test_a_declared_height_datum_without_its_grid_refuses_the_map(
    real_data: Path, read: Callable[..., Any]
) -> None:
    with pytest.raises(BadData, match="jp_gsi_gsigeo2011"):
        read(real_data / "lanelet2" / "kashiwanoha_base.osm", vertical="EPSG:6695")


def test_a_point_beside_a_bend_is_on_the_side_of_both_segments() -> None:
    bend = np.array([[0.0, 0.0], [10.0, 0.0], [10.0, 10.0]])
    assert side(bend, np.array([11.0, -1.0])) < 0
    assert side(bend, np.array([9.0, 1.0])) > 0
    assert side(bend, np.array([5.0, 0.0])) == 0
