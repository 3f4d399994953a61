"""The parts that a sheet is made of, each against another way to know."""

from __future__ import annotations

import io
import re
from itertools import combinations, pairwise

import numpy as np
import pypdfium2
import pyproj
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from reportlab.pdfgen.canvas import Canvas

from geoshare.errors import BadRequest
from geoshare.extracts.maps import symbols
from geoshare.extracts.maps.disaster_layers import DEPTHS, KINDS, LEVELS, depth_step, hatch_of
from geoshare.extracts.maps.fonts import MEDIUM, load_fonts, shortened, spelled, width, wrapped
from geoshare.extracts.maps.labels import ASCENT, DESCENT, Label, Labels, around
from geoshare.extracts.maps.paper import Rect, layout
from geoshare.extracts.maps.pen import Hatch, Pen
from geoshare.extracts.maps.plane import ZONE_OF_PREFECTURE, Zone, nearest_zone
from geoshare.extracts.maps.sheets import MOST_SHEETS, fitted_scale, on_plane, split

COARSE = settings(max_examples=40, deadline=None)


def drawn(paint, side: float = 40.0, dpi: int = 150) -> np.ndarray:
    """Grey values of what is painted on a square of paper, 0 to 1."""
    load_fonts()
    content = io.BytesIO()
    pen = Pen(Canvas(content, invariant=1, initialFontName=MEDIUM))
    pen.begin_page(side, side)
    paint(pen)
    pen.canvas.save()
    document = pypdfium2.PdfDocument(content.getvalue())
    image = document[0].render(scale=dpi / 72).to_pil().convert("L")
    document.close()
    return np.asarray(image, float) / 255


# Sheets


@COARSE
@given(
    lon=st.floats(138.0, 141.0),
    lat=st.floats(33.0, 39.0),
    wide=st.floats(0.001, 0.08),
    high=st.floats(0.001, 0.08),
    scale=st.sampled_from([5_000, 10_000, 25_000]),
    overlap=st.integers(0, 40),
    paper=st.sampled_from(["A4", "A3"]),
    orientation=st.sampled_from(["portrait", "landscape"]),
)
def test_sheets_cover_an_area_without_gaps_and_share_what_was_asked_for(
    lon, lat, wide, high, scale, overlap, paper, orientation
):
    zone, chart = Zone(9), layout(paper, orientation).map
    area = on_plane(zone, shapely.box(lon, lat, lon + wide, lat + high))
    refused = None
    try:
        found = split(zone, area, chart, scale, overlap)
    except BadRequest as error:
        refused = error.allowed
    if refused is not None:
        needed = int(re.search(rf"at most {MOST_SHEETS} sheets: scale from (\d+) on", refused)[1])
        assert needed > scale
        found = split(zone, area, chart, scale := needed, overlap)
    frames = found.frames
    boxes = [
        shapely.box(f.west_m, f.south_m, f.west_m + f.width_m, f.south_m + f.height_m) for f in frames
    ]
    assert shapely.difference(area, shapely.union_all(boxes)).area < 1e-6 * area.area
    assert [frame.number for frame in frames] == list(range(1, len(frames) + 1))
    at = {(frame.row, frame.column): frame for frame in frames}
    for frame in frames:
        beside = found.neighbours(frame)
        assert beside.get("east") is at.get((frame.row, frame.column + 1))
        assert beside.get("north") is at.get((frame.row - 1, frame.column))
        for side, other in beside.items():
            if side == "east":
                shared = frame.west_m + frame.width_m - other.west_m
                assert abs(shared - overlap * scale / 1000) < 1e-3
            if side == "south":
                shared = other.south_m + other.height_m - frame.south_m
                assert abs(shared - overlap * scale / 1000) < 1e-3


@COARSE
@given(wide=st.floats(1, 200_000), high=st.floats(1, 200_000))
def test_a_fitted_scale_is_round_and_the_next_finer_round_one_does_not_fit(wide, high):
    chart = Rect(0, 0, 200, 150)
    scale = fitted_scale(shapely.box(0, 0, wide, high), chart, 250, 2_000_000)
    assert scale == 250 or len(str(scale).rstrip("0")) <= 2
    assert max(wide / chart.w, high / chart.h) * 1000 <= scale * (1 + 1e-9)
    assert scale == 250 or max(wide / chart.w, high / chart.h) * 1000 > scale * 0.9


def test_an_area_of_odd_shape_takes_no_sheet_that_shows_nothing_of_it():
    chart = Rect(0, 0, 200, 200)
    ell = shapely.union(shapely.box(0, 0, 1_000, 10_000), shapely.box(0, 0, 10_000, 1_000))
    found = split(Zone(9), ell, chart, 10_000, 10)
    rows = {frame.row for frame in found.frames}
    columns = {frame.column for frame in found.frames}
    assert len(found.frames) == len(rows) + len(columns) - 1


# The plane


@COARSE
@given(zone=st.integers(1, 13), east=st.floats(-2, 2), north=st.floats(-2, 2))
def test_true_north_lies_where_proj_says(zone, east, north):
    from tiles.matrices.plane import ORIGINS_LAT_LON

    lat, lon = ORIGINS_LAT_LON[zone]
    place = (lon + east, lat + north)
    said = pyproj.Proj(6668 + zone).get_factors(*place).meridian_convergence
    assert abs(Zone(zone).convergence(place) - said) < 1e-3


def test_every_prefecture_of_one_zone_is_in_the_table():
    several = {"01", "13", "46", "47"}  # Hokkaido, Tokyo, Kagoshima and Okinawa have several zones
    assert set(ZONE_OF_PREFECTURE) == {f"{n:02d}" for n in range(1, 48)} - several


@pytest.mark.parametrize(
    ("lon_lat", "zone"),
    [((139.69, 35.69), 9), ((141.35, 43.06), 12), ((127.68, 26.21), 15), ((130.56, 31.6), 2)],
)
def test_places_without_a_known_prefecture_get_the_nearest_zone(lon_lat, zone):
    assert nearest_zone(*lon_lat) == zone


# Letters


def test_characters_that_a_font_lacks_are_spelled_otherwise_or_marked():
    assert spelled("髙﨑・潮見市・避難所") == "髙﨑・潮見市・避難所"
    assert spelled("辻\U000e0100") == "辻"  # a variant is set in its plain form
    assert spelled("か\u3099") == "が"
    assert spelled("\U0001f300") == "〓"
    assert spelled("a\u200bb\u202ec\u0007d") == "abc d"
    assert spelled("\ufa19") == "神"  # a compatibility ideograph


@COARSE
@given(st.text(max_size=30), st.floats(5, 60))
def test_wrapped_lines_fit_and_lose_nothing_but_blanks_until_the_last(text, room):
    lines = wrapped(text, 3.0, room, 50)
    assert all(width(line, 3.0) <= room + 3.0 for line in lines)
    joined = "".join(lines).replace(" ", "").replace("…", "")
    assert "".join(spelled(text).split()).replace("…", "").startswith("".join(joined.split()))


def test_what_is_too_long_ends_in_an_ellipsis():
    assert shortened("潮見市立第一小学校", 3.0, 12.0).endswith("…")
    assert width(shortened("潮見市立第一小学校", 3.0, 12.0), 3.0) <= 12.5


# Labels


@COARSE
@given(
    st.lists(
        st.tuples(st.floats(0, 80), st.floats(0, 60), st.text("避難所ABC", min_size=1, max_size=9)),
        max_size=40,
    )
)
def test_no_two_labels_cover_each_other_and_none_leaves_the_sheet(wanted):
    load_fonts()
    labels = Labels(80, 60)
    signs = [(x - 1, y - 1, x + 1, y + 1) for x, y, _ in wanted[:5]]
    for sign in signs:
        labels.reserve(sign)
    for x, y, text in wanted:
        labels.add(Label(text, around(x, y, 1.2, 3.0), 3.0, rank=len(text)))
    pen = Pen(Canvas(io.BytesIO(), invariant=1))
    written = labels.draw(pen)
    boxes = [shapely.box(*sign) for sign in signs]
    for label, place in written:
        wide = width(label.text, label.size)
        left = place.x - place.anchor * wide
        boxes.append(
            shapely.box(left, place.y - DESCENT * 3.0, left + wide, place.y + ASCENT * 3.0)
        )  # fmt: skip
        assert shapely.box(0, 0, 80, 60).covers(boxes[-1])
    for at, one in enumerate(boxes):
        for other in boxes[max(at + 1, len(signs)) :]:
            assert shapely.intersection(one, other).area < 1e-9


# Black and white


def texture(hatch: Hatch) -> tuple[np.ndarray, float]:
    """Where the strokes of a pattern point (shares of eight directions), and how much of it is ink."""
    area = shapely.box([0], [0], [40], [40])
    grey = drawn(lambda pen: pen.hatch(area, Hatch(**{**hatch.__dict__, "colour": "#000000"})))
    down, across = np.gradient(grey)
    strength = np.hypot(down, across)
    turn = np.mod(np.arctan2(down, across), np.pi)
    shares = np.histogram(turn, bins=8, range=(-np.pi / 16, np.pi * 15 / 16), weights=strength)[0]
    shares[0] += strength[turn >= np.pi * 15 / 16].sum()
    return shares / shares.sum(), 1 - grey.mean()


def test_kinds_of_hazard_and_alert_levels_are_told_apart_without_colour():
    patterns = {kind: texture(hatch_of(kind, 2)) for kind in KINDS}
    patterns |= {f"level {level}": texture(hatch) for level, hatch in LEVELS.items()}
    for (one, (turn, ink)), (other, (other_turn, other_ink)) in combinations(patterns.items(), 2):
        apart = np.abs(turn - other_turn).sum() / 2
        darker = max(ink, other_ink) / min(ink, other_ink)
        assert apart > 0.25 or darker > 1.5, (one, other, apart, darker)


def test_deeper_water_is_darker_without_colour():
    for kind in ("flood", "tsunami", "storm_surge", "inland_flood"):
        inks = [texture(hatch_of(kind, step))[1] for step in range(len(DEPTHS))]
        assert all(deep > 1.12 * shallow for shallow, deep in pairwise(inks)), (kind, inks)


def test_states_of_a_shelter_are_told_apart_without_colour():
    def grey(state: str) -> np.ndarray:
        found = drawn(lambda pen: symbols.shelter(pen, 10, 10, 18, state), 20)
        return (found < 0.65).astype(float)  # ink or paper: shades of grey do not count

    looks = {state: grey(state) for state in ("open", "full", "preparing", "not_open", "closed")}
    for (one, look), (other, other_look) in combinations(looks.items(), 2):
        assert np.abs(look - other_look).mean() > 0.02, (one, other)


@pytest.mark.parametrize(
    ("low", "step"), [(None, None), (0, 0), (0.4, 0), (0.5, 1), (3, 2), (19.9, 4), (20, 5), (99, 5)]
)
def test_depths_fall_into_the_steps_of_the_official_legend(low, step):
    assert depth_step(low) == step
