"""Against pyxodr 0.1.3 (MIT), which samples OpenDRIVE on its own, every 2 cm.

``data/opendrive_library.json`` holds places it gives for ``maps.shapes()`` and for the sample town's
map of car maker B: along reference lines (x, y, z), and on the outer borders of lanes (x, y). It knows
no superelevation, so the tilted road is left out.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from lxml import etree

from geoshare.model.report import Report
from geoshare.sources.opendrive.parse import parse_road
from tests.sources.opendrive.maps import shapes

ROOT = Path(__file__).parents[3]
LIBRARY = json.loads((ROOT / "tests/sources/data/opendrive_library.json").read_text())
NEAR_M = 0.003  # both sides are points on curves, and the library's are rounded to millimetres


def document(name: str) -> etree._Element:
    if name == "shapes":
        return etree.fromstring(shapes().encode())
    return etree.parse(ROOT / "sample_data/town_data/lanes_maker_b.xodr").getroot()


def away(places: list[list[float]], line: np.ndarray) -> float:
    found = np.array(places)[:, None, :2] - line[None, :, :2]
    return float(np.hypot(found[..., 0], found[..., 1]).min(axis=1).max())


@pytest.mark.parametrize("name", sorted(LIBRARY))
def test_lines_lie_where_another_library_puts_them(name: str) -> None:
    checked = 0
    for element in document(name).iter("road"):
        expected = LIBRARY[name].get(element.get("id"))
        if expected is None:
            continue
        road = parse_road(element, Report("")).road
        s = np.linspace(0, road.length, int(road.length / 0.005))
        line = road.reference(s)
        assert away(expected["reference"], line) < NEAR_M
        for x, y, z in expected["reference"]:
            nearest = np.hypot(line[:, 0] - x, line[:, 1] - y).argmin()
            assert line[nearest, 2] == pytest.approx(z, abs=0.002)
        for band in road.bands():
            s = np.linspace(band.start, band.end, int((band.end - band.start) / 0.005) + 2)
            for number, border in zip(band.borders, road.lines(band, s), strict=True):
                if number:
                    assert away(expected["borders"][f"{band.section.index}/{number}"], border) < NEAR_M
                    checked += 1
    assert checked >= 11
