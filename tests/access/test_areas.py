"""Areas by administrative code: what they stand for is looked up, and nothing is shown otherwise."""

from __future__ import annotations

import json

import pytest
import shapely

from geoshare.access.areas import coded_area, looked_up, names_codes
from geoshare.access.build import build_views
from geoshare.errors import BadRequest, Unavailable
from tests.access.town import Town, features, policy

WEST, EAST = shapely.box(0, 0, 1, 1), shapely.box(1, 0, 2, 1)
# a bow tie: not valid until it is made so
BOW = shapely.Polygon([(0, 2), (1, 3), (1, 2), (0, 3)])
ROADS = [
    ("r1", shapely.LineString([(0.2, 0.5), (0.8, 0.5)]), {"class": "primary"}),
    ("r2", shapely.LineString([(0.5, 0.4), (1.5, 0.4)]), {"class": "primary"}),
    ("r3", shapely.LineString([(1.2, 0.5), (1.8, 0.5)]), {"class": "primary"}),
]


def admin(town: Town, *areas: tuple[str, str, shapely.Geometry]) -> None:
    town.packs.publish("admin_areas", [(name, shape, {"code": code}) for name, code, shape in areas])


@pytest.fixture
def land(town: Town) -> Town:
    admin(town, ("w", "13101", WEST), ("e", "13102", EAST), ("b", "13103", BOW), ("w2", "13101", BOW))
    town.packs.publish("segments", ROADS)
    return town


def roads(**said):
    return policy({"collections": ["segments"], "columns": ["class"], **said})


def polygon(shape: shapely.Geometry):
    return json.loads(shapely.to_geojson(shape))


def test_a_code_stands_for_all_features_of_that_code_made_valid(land):
    area = coded_area(land.packs, "13101")
    assert area.is_valid
    assert area.equals(shapely.union(WEST, shapely.make_valid(BOW)))
    assert coded_area(land.packs, "13103").area == pytest.approx(0.5)


@pytest.mark.parametrize("code", ["99999", "", "13101' OR 1=1"])
def test_an_unknown_code_is_refused_in_both_languages_and_is_never_the_world(land, code):
    with pytest.raises(BadRequest) as caught:
        coded_area(land.packs, code)
    assert caught.value.parameter == "area"
    assert caught.value.message_ja


@pytest.mark.parametrize("mode", ["clip", "whole"])
def test_a_view_by_code_is_the_view_by_its_polygon(land, mode):
    by_code = features(land.view(roads(area="13102", area_mode=mode), "segments"))
    by_shape = features(land.view(roads(area=polygon(EAST), area_mode=mode), "segments"))
    assert by_code == by_shape
    assert set(by_code) == {"r2", "r3"}


def test_a_view_of_an_unknown_code_is_not_there_and_harms_no_other(land):
    unknown, other = roads(area="99999"), roads(area="13101")
    build_views([unknown, other], land.packs, land.views_dir)
    with pytest.raises(Unavailable):
        land.views.get(unknown, "segments")
    assert set(features(land.view(other, "segments"))) == {"r1", "r2"}


def test_a_view_by_code_follows_the_published_area(land):
    held = roads(area="13102")
    land.view(held, "segments")
    admin(land, ("e", "13102", WEST))
    build_views([held], land.packs, land.views_dir, {"admin_areas"})
    assert set(features(land.views.get(held, "segments"))) == {"r1", "r2"}


def test_two_fences_leave_what_they_have_in_common_and_nothing_where_that_is_nothing(land):
    grant = roads(area="13101").grants[0]

    def fenced(*areas):
        both = grant.model_copy(update={"area": {"all_of": list(areas)}})
        return looked_up([both], lambda code: coded_area(land.packs, code))

    (found,) = fenced("13101", polygon(shapely.box(0.5, 0, 1.5, 1)))
    assert shapely.from_geojson(json.dumps(found.area)).equals(shapely.box(0.5, 0, 1, 1))
    assert fenced("13101", "13102") == ()  # they share an edge, which is no area
    assert names_codes([grant])
    assert not names_codes([found])
