from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from geoshare.access.build import build_views
from geoshare.errors import BadRequest, NotFound
from geoshare.extracts.maps import drawn_views, picture
from geoshare.extracts.maps.style import BASE, STYLE
from geoshare.model.box import Box
from tests.extracts.maps.sample import AREA, CANARY, make_town, views_of


def pixels(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"), int)


def near(image: np.ndarray, colour: str, within: int = 6) -> np.ndarray:
    wanted = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)])
    return (np.abs(image - wanted) <= within).all(axis=2)


def test_a_picture_shows_roads_shelters_and_water_in_the_colours_of_the_map(made):
    image = pixels(picture(views_of(made), AREA, 1200, 630))
    assert image.shape == (630, 1200, 3)
    for colour in (
        BASE["land"],
        BASE["water"],
        STYLE["roads"]["fill"]["main"],
        STYLE["site"],
        STYLE["shelter"]["open"],
    ):
        assert near(image, colour).sum() > 40, colour


def test_a_shelter_whose_state_nobody_knows_is_grey_and_no_green_one(tmp_path):
    town, held = made = make_town(tmp_path)
    town.packs.change("shelters", [("a", made_point(), {"name": "辻"})], removed=["b", "c"])
    build_views([held], town.packs, town.views_dir)
    image = pixels(picture({"shelters": views_of(made)["shelters"]}, AREA, 1200, 630))
    assert near(image, STYLE["shelter"]["unknown"]).sum() > 100
    assert near(image, STYLE["shelter"]["open"]).sum() == 0
    red, green, blue = (int(STYLE["shelter"]["unknown"][at : at + 2], 16) for at in (1, 3, 5))
    assert max(red, green, blue) - min(red, green, blue) < 32


def test_a_picture_has_the_whole_box_in_its_middle(made):
    views = {"segments": views_of(made)["segments"]}
    image = pixels(picture(views, AREA, 400, 400))
    road = near(image, STYLE["roads"]["fill"]["main"], 3)
    rows = np.flatnonzero(road.sum(axis=1) > 100)
    assert abs(rows.mean() - 199.5) < 2  # the road along the middle of the box


def test_a_picture_is_the_same_when_only_hidden_things_differ(tmp_path):
    made = make_town(tmp_path)
    before = picture(views_of(made), AREA, 600, 315)
    town, held = made
    hidden = ("c", made_point(), {"name": f"{CANARY} hidden", "status": "open"})
    town.packs.change("shelters", [hidden], removed=["c"])
    build_views([held], town.packs, town.views_dir)
    assert picture(views_of(made), AREA, 600, 315) == before


def made_point():
    from shapely import Point

    return Point(140.9005, 36.2505)


def test_names_change_with_the_language(made):
    views = views_of(made)
    assert picture(views, AREA, 300, 200, "ja") != picture(views, AREA, 300, 200, "en")


@pytest.mark.parametrize(
    ("box", "width_px", "height_px", "parameter"),
    [
        (AREA, 0, 100, "width_px"),
        (AREA, 100, 5000, "width_px"),
        (Box(141, 36, 140, 37), 100, 100, "box"),
        (Box(float("nan"), 36, 141, 37), 100, 100, "box"),
    ],
)
def test_sizes_and_boxes_out_of_range_are_refused_by_name(made, box, width_px, height_px, parameter):
    with pytest.raises(BadRequest) as caught:
        picture(views_of(made), box, width_px, height_px)
    assert caught.value.parameter == parameter
    assert caught.value.allowed


@pytest.mark.parametrize(
    "box", [Box(140.9, 36.25, 140.9, 36.25), Box(-180, -85, 180, 85), Box(0, 0, 1, 1)]
)
def test_a_point_the_world_and_a_place_without_data_can_be_drawn(made, box):
    assert pixels(picture(views_of(made), box, 120, 63)).shape == (63, 120, 3)


def test_a_hidden_collection_is_as_one_that_does_not_exist(made):
    town, held = made
    for name in ("lanes", "nothing"):
        with pytest.raises(NotFound) as caught:
            drawn_views(held, town.views, [name])
        assert "lanes" not in caught.value.message
