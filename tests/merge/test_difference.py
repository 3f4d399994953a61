"""What really changed between two maps: exactly the edits that were made, whatever else differs."""

from __future__ import annotations

import dataclasses
import random
from pathlib import Path

import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geoshare.merge.difference import as_geojson, compare
from geoshare.model.report import Report
from geoshare.model.things import Member, Thing
from geoshare.sources import ReadRequest
from geoshare.sources.lanelet2 import read_primitives

METRE = 1 / 111_319.49  # degrees of longitude at the equator


def read(path: Path) -> list[Thing]:
    return list(read_primitives(path, ReadRequest("x", path.parent, 0), Report(path.name)))


@pytest.fixture(scope="module")
def kashiwanoha(real_data) -> dict[str, list[Thing]]:
    names = {
        "base": "kashiwanoha_base",
        "shoulder": "kashiwanoha_road_shoulder",
        "private": "kashiwanoha_private_road_walkway_ele_fix",
    }
    return {key: read(real_data / "lanelet2" / f"{name}.osm") for key, name in names.items()}


def renumbered(things: list[Thing], seed: int, prefix: str = "") -> list[Thing]:
    """The same map with every id drawn anew: numbers that others have, or names that nobody has."""
    names: dict[tuple[str, str], str] = {}
    for kind in ("node", "way", "relation"):
        ids = [thing.id for thing in things if thing.kind == kind]
        numbers = random.Random(seed).sample(ids, len(ids))
        names |= {(kind, old): prefix + new for old, new in zip(ids, numbers, strict=True)}
    return [
        dataclasses.replace(
            thing,
            id=names[thing.kind, thing.id],
            members=tuple(
                Member(item.kind, names.get((item.kind, item.id), item.id), item.role)
                for item in thing.members
            ),
        )
        for thing in things
    ]


def test_three_lanes_were_added_to_a_map_whose_every_coordinate_is_written_anew(kashiwanoha):
    found = compare(kashiwanoha["base"], kashiwanoha["shoulder"]).summary()
    counts = {kind: (said["added"], said["removed"], said["moved"]) for kind, said in found.items()}
    assert counts == {"node": (4, 0, 0), "way": (3, 0, 0), "relation": (3, 0, 0)}
    assert found["relation"]["types"]["added"] == {"lanelet": 3}
    assert (found["node"]["height"], found["node"]["unchanged"]) == (0, 660)


def test_the_third_edition_moved_raised_added_and_removed_what_its_makers_did(kashiwanoha):
    found = compare(kashiwanoha["base"], kashiwanoha["private"])
    node, relation = found.summary()["node"], found.summary()["relation"]
    assert (node["moved"], node["height"], node["added"], node["removed"]) == (29, 22, 35, 8)
    assert (relation["added"], relation["removed"]) == (5, 1)
    document = as_geojson(found)
    moved = [item for item in document["features"] if "moved" in item["properties"].get("aspects", ())]
    assert len(moved) == 29
    assert all(item["properties"]["was"] != item["geometry"] for item in moved)


@pytest.mark.parametrize("prefix", ["", "n"])
def test_a_map_that_was_numbered_anew_is_the_same_map(kashiwanoha, prefix):
    base = kashiwanoha["base"]
    found = compare(base, renumbered(base, 7, prefix))
    assert not found.ids_believed
    for kind, said in found.summary().items():
        others = {name: said[name] for name in ("added", "removed", "moved", "attributes", "topology")}
        assert not any(others.values()), (kind, others)


def test_edits_of_a_map_that_was_numbered_anew_are_found_by_geometry(kashiwanoha):
    found = compare(kashiwanoha["base"], renumbered(kashiwanoha["shoulder"], 3, "n")).summary()
    assert {kind: (said["added"], said["removed"]) for kind, said in found.items()} == {
        "node": (4, 0),
        "way": (3, 0),
        "relation": (3, 0),
    }


def point(id_: str, x_m: float, y_m: float = 0.0, z_m: float = 5.0, **attributes: object) -> Thing:
    place = shapely.Point(x_m * METRE, y_m * METRE, z_m)
    return Thing("signs", id_, place, attributes=attributes)


def test_an_accuracy_decides_what_is_a_move_and_what_is_a_height():
    before = [point("a", 0), point("b", 10)]
    after = [point("a", 0.4), point("b", 10, z_m=5.4)]
    assert not compare(before, after, accuracy_m=0.5).changes
    found = {item.thing.id: item for item in compare(before, after, accuracy_m=0.3).changes}
    assert (found["a"].aspects, found["b"].aspects) == (("moved",), ("height",))
    assert found["a"].moved_m == pytest.approx(0.4, rel=1e-3)
    assert found["b"].height.by_m == pytest.approx(0.4)


def test_an_empty_text_is_no_attribute_and_a_height_that_went_is_told():
    before = [point("a", 0, name="", kind="x"), point("b", 5)]
    flat = dataclasses.replace(before[1], shape=shapely.force_2d(before[1].shape))
    found = compare(before, [point("a", 0, kind="y"), flat]).changes
    assert [dict(item.attributes) for item in found] == [{"kind": ("x", "y")}, {}]
    assert found[1].aspects == ("height",)
    assert found[1].height.by_m is None


def test_vertices_and_references_are_topology():
    line = shapely.LineString([(0, 0), (1, 0)])
    one = Thing("lanes", "1", line, members=(Member("lanes", "2", "successor_ids"),))
    other = Thing("lanes", "1", shapely.segmentize(line, 0.6), members=())
    (change,) = compare([one], [other]).changes
    assert change.aspects == ("topology",)
    assert dict(change.topology) == {"successor_ids": (["2"], []), "vertices": ([2], [3])}


@settings(max_examples=50)
@given(
    st.lists(st.integers(0, 60), unique=True, max_size=30),
    st.lists(st.integers(0, 60), unique=True, max_size=30),
    st.booleans(),
)
def test_what_is_found_leads_from_one_map_to_the_other(before, after, alike):
    """Grid places 20 m apart: sets tell exactly what came and went, by id or by place alone."""

    def things(places: list[int], mark: str) -> list[Thing]:
        return [point(mark + str(place), 20 * place) for place in places]

    found = compare(things(before, ""), things(after, "" if alike else "n"))
    came = {item.thing.id.lstrip("n") for item in found.changes if item.what == "added"}
    went = {item.thing.id for item in found.changes if item.what == "removed"}
    assert came == {str(place) for place in set(after) - set(before)}
    assert went == {str(place) for place in set(before) - set(after)}
    assert not any(item.moved_m for item in found.changes)


@pytest.mark.parametrize("accuracy_m", [0.0, -1.0, float("nan"), float("inf")])
def test_an_accuracy_that_is_none_is_refused(accuracy_m):
    with pytest.raises(ValueError, match="accuracy_m"):
        compare([], [], accuracy_m=accuracy_m)
