"""Sheets as they come off the printer, read back by PDFium."""

from __future__ import annotations

import json
import re
import zlib
from pathlib import Path

import numpy as np
import pypdfium2
import pyproj
import pytest
import zxingcpp
from PIL import Image
from shapely import Point

from geoshare.access.build import build_views
from geoshare.extracts.maps.paper import layout
from geoshare.extracts.maps.planning import plan
from geoshare.extracts.maps.request import PrintRequest
from geoshare.extracts.maps.style import BASE, STYLE
from geoshare.extracts.maps.write import write_prints
from geoshare.model.policy import Policy
from tests.access.town import Town, policy
from tests.extracts.maps.sample import CANARY, CENTRE, make_town

NOW_US = 1_789_700_000_000_000
LINK = "https://map.example.jp/map#map=15.5/36.25/140.9&lang=ja"
DPI = 150
WIDE = {"bbox": [140.88, 36.24, 140.92, 36.26], "scale": 10_000}


def make(made, path: Path, **said: object) -> bytes:
    town, held = made
    asked = {"center": list(CENTRE), "scale": 10_000, **said}
    if "bbox" in said or "area" in said:
        del asked["center"]
    request = PrintRequest.model_validate_json(json.dumps(asked))
    write_prints(plan(request, held, town.views), path / "map.pdf", link=LINK, now_us=NOW_US)
    return (path / "map.pdf").read_bytes()


def texts(pdf: bytes) -> list[str]:
    document = pypdfium2.PdfDocument(pdf)
    found = [page.get_textpage().get_text_range() for page in document]
    document.close()
    return found


def rendered(pdf: bytes, page: int = 0, dpi: float = DPI) -> Image.Image:
    document = pypdfium2.PdfDocument(pdf)
    image = document[page].render(scale=dpi / 72).to_pil().convert("RGB")
    document.close()
    return image


def streams(pdf: bytes) -> bytes:
    """Every stream of a file, unpacked; reportlab writes ASCII85 around deflate."""
    found = []
    for match in re.finditer(rb"(<<[^>]*>>)\s*stream\r?\n(.*?)endstream", pdf, re.S):
        data = match[2].strip()
        if b"ASCII85" in match[1]:
            import base64

            data = base64.a85decode(data, adobe=False) if not data.endswith(b"~>") else (
                base64.a85decode(b"<~" + data, adobe=True)
            )  # fmt: skip
        if b"FlateDecode" in match[1]:
            data = zlib.decompress(data)
        found.append(data)
    return b"\n".join(found)


SIZES = {"A4": 2_500, "A3": 10_000}  # and the scale that each is measured at
PLACES = {"A4": CENTRE, "A3": (141.0, 36.35)}


@pytest.fixture(scope="module")
def marked(tmp_path_factory) -> tuple[tuple[Town, Policy], dict[str, list[tuple[float, float]]]]:
    """Two points for each scale, 70 mm apart on paper by the geodesic between them."""
    geod = pyproj.Geod(ellps="GRS80")
    ends = {
        paper: [geod.fwd(*PLACES[paper], turn, 35.0 * scale / 1000)[:2] for turn in (30.0, 210.0)]
        for paper, scale in SIZES.items()
    }
    town = Town(tmp_path_factory.mktemp("marked"))
    held = policy({"collections": ["connectors"], "columns": ["subtype"]})
    rows = [
        (f"{paper}{n}", Point(end), {}) for paper, found in ends.items() for n, end in enumerate(found)
    ]
    town.packs.publish("connectors", rows)
    build_views([held], town.packs, town.views_dir)
    return (town, held), ends


@pytest.mark.parametrize(("paper", "orientation"), [("A4", "portrait"), ("A3", "landscape")])
def test_a_distance_on_the_ground_is_true_on_paper(marked, tmp_path, paper, orientation):
    (made, all_ends), scale = marked, SIZES[paper]
    ends = all_ends[paper]
    pdf = make(
        made,
        tmp_path,
        center=list(PLACES[paper]),
        scale=scale,
        paper=paper,
        orientation=orientation,
        collections=["connectors"],
        shelter_list=False,
    )
    page, to_mm = layout(paper, orientation), 25.4 / DPI
    edges = (page.map.x, page.height - page.map.top, page.map.right, page.height - page.map.y)
    chart = rendered(pdf).crop([round(edge / to_mm) for edge in edges])
    image = np.asarray(chart, np.int16)
    rows, columns = np.nonzero(np.abs(image - image_colour("connectors")).max(axis=2) < 12)
    upper = rows < rows.mean()
    one = np.array([columns[upper].mean(), rows[upper].mean()]) * to_mm
    other = np.array([columns[~upper].mean(), rows[~upper].mean()]) * to_mm
    forward = pyproj.Transformer.from_crs(6668, 6677, always_xy=True)
    plane = np.array([forward.transform(*end) for end in ends])
    on_plane = np.hypot(*(plane[0] - plane[1])) * 1000 / scale
    measured = np.hypot(*(one - other))
    assert abs(measured - on_plane) < 0.05
    assert abs(measured - 70.0) < 0.1  # of the ground itself: the zone's scale is within 0.01 % of 1
    turned = (one - other) * [1, -1] - (plane[0] - plane[1]) * 1000 / scale
    assert np.abs(turned).max() < 0.1  # and in its true direction


def image_colour(name: str) -> np.ndarray:
    from geoshare.extracts.maps.base_layers import colour_of

    text = colour_of(name)
    return np.array([int(text[at : at + 2], 16) for at in (1, 3, 5)])


def test_every_font_is_embedded_and_no_text_is_lost(made, tmp_path):
    pdf = make(made, tmp_path, title="潮見市・避難所 髙﨑 辻\U000e0100")
    fonts = re.findall(rb"/BaseFont /([^\s/]+)", pdf)
    assert fonts
    assert all(b"NotoSansJP" in name for name in fonts)
    assert pdf.count(b"/FontFile2") == len(set(re.findall(rb"/FontName /([^\s/]+)", pdf)))
    pages = texts(pdf)
    sheet, listed = "".join(pages[:-1]), pages[-1]
    for word in ("潮見市・避難所", "髙﨑小学校", "辻公民館", "中央公園", "中央通り", "満員"):
        assert word in sheet, word
    assert "〓" not in sheet
    for word in ("髙﨑小学校", "潮見市中央1-2", "12 / 300", "開設", "辻公民館", "― / 80"):
        assert word in listed, word


def test_a_sheet_says_its_scale_its_plane_its_time_and_whose_data_it_shows(made, tmp_path):
    sheet = texts(make(made, tmp_path, note="避難の前に確認"))[0]
    plain = "".join(sheet.split())
    convergence = pyproj.Proj(6677).get_factors(*CENTRE).meridian_convergence
    assert convergence > 0  # grid north lies right of true north, which is to its west
    for word in (
        "1:10,000",
        "第9系",
        "EPSG:6677",
        f"真北(N)は座標北(GN)の西へ0°{round(convergence * 60):02d}′",
        "2026年9月18日",
        "2026年9月17日14:30",
        "避難の前に確認",
        "契約による利用",
    ):
        assert word in plain, word


def test_the_code_leads_where_it_says(made, tmp_path):
    found = zxingcpp.read_barcodes(rendered(make(made, tmp_path), dpi=200))
    assert [code.text for code in found] == [LINK]


def test_no_hidden_value_is_in_any_byte_that_leaves(made, tmp_path):
    pdf = make(made, tmp_path)
    everything = pdf + streams(pdf)
    assert len(streams(pdf)) > 50_000
    for secret in (CANARY.encode(), CANARY.encode("utf-16-be"), b"736152893", b"736,152,893"):
        assert secret not in everything
    assert not any("canary" in page for page in texts(pdf))


def test_a_print_is_the_same_to_the_byte_when_only_hidden_rows_differ(tmp_path):
    made = make_town(tmp_path)
    town, held = made
    before = make(made, tmp_path, **WIDE)
    hidden = ("z", Point(140.9001, 36.2501), {"name": f"{CANARY} hidden", "status": "open"})
    town.packs.change("shelters", [hidden], removed=["c"])
    build_views([held], town.packs, town.views_dir)
    assert make(made, tmp_path, **WIDE) == before


def test_numbers_of_the_list_are_those_of_the_map(made, tmp_path):
    pdf = make(made, tmp_path)
    listed = [line for line in texts(pdf)[-1].splitlines() if line]
    names = ["辻公民館", "中央公園", "髙﨑小学校"]  # from north to south
    order = [next(at for at, line in enumerate(listed) if name in line) for name in names]
    assert order == sorted(order)
    assert texts(pdf)[-1].count("髙﨑小学校") == 1  # a site and a shelter of one place are one line


def test_the_legend_holds_what_the_sheet_shows_and_nothing_else(made, tmp_path):
    def legend(**said: object) -> str:
        return "".join(texts(make(made, tmp_path, shelter_list=False, **said)))

    everything = legend()
    for word in ("津波浸水想定", "高潮浸水想定", "警戒レベル4 避難指示", "通行止め", "鉄道"):
        assert word in everything, word
    flood = legend(hazards=["flood"])
    assert "洪水浸水想定" in flood
    assert "津波浸水想定" not in flood
    roads = legend(collections=["segments"])
    assert "国道・主要道" in roads
    for word in ("避難場所", "浸水", "通行止め", "高速道路", "水域"):
        assert word not in roads, word


@pytest.mark.parametrize("orientation", ["landscape", "portrait"])
def test_a_sheet_and_its_list_are_the_two_pages_that_were_promised(made, tmp_path, orientation):
    town, held = made
    asked = PrintRequest(center=CENTRE, scale=10_000, orientation=orientation)
    pages = texts(make(made, tmp_path, orientation=orientation))
    assert len(pages) == plan(asked, held, town.views).pages == 2
    assert "避難場所・避難所一覧" in pages[1]
    assert "9/17 14:30 更新" in pages[1]


def test_what_people_are_told_is_filled_and_dated(made, tmp_path):
    sheet = make(made, tmp_path, collections=["evacuation_areas"], shelter_list=False)
    assert texts(sheet)[0].count("9/17 14:30 発令") >= 3  # of three areas, each with its halo
    image, land = np.asarray(rendered(sheet), int), shade(BASE["land"])
    for level, colour in STYLE["alert"].items():
        filled = 0.28 * shade(colour) + 0.72 * land
        assert (np.abs(image - filled) < 6).all(axis=2).sum() > 1000, level


def shade(colour: str) -> np.ndarray:
    return np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)])


def test_a_wide_area_has_an_index_and_names_the_neighbours_of_each_sheet(made, tmp_path):
    pages = texts(make(made, tmp_path, **WIDE))
    assert len(pages) == 6
    assert "索引図" in pages[0]
    assert "図 1 / 4" in pages[1]
    assert "図 2" in pages[1]
    assert "図 3" in pages[1]
    assert "図 4" not in pages[1]
    assert "一覧" in pages[5]


def test_the_same_sheet_is_had_in_english(made, tmp_path):
    sheet, *_, listed = texts(make(made, tmp_path, language="en"))
    for word in ("Legend", "Evacuation site", "zone 9", "True N is", "Shiomi City"):
        assert word in sheet.replace("\r\n", " "), word
    assert "Designated for" in listed
    assert "避難所一覧" not in listed


def test_an_area_without_places_says_so(made, tmp_path):
    pages = texts(make(made, tmp_path, center=[140.93, 36.28]))
    assert "避難場所・避難所はありません" in pages[1]
