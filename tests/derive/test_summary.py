"""Summaries of areas, as far as a view goes and no further."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import jismesh.utils as ju
import openpyxl
import pytest
import shapely

from geoshare.derive.reading import find_area
from geoshare.derive.requests import AreaInputs
from geoshare.derive.sheet import HEADERS, write_sheet
from geoshare.derive.summary import Sources, summarise
from geoshare.errors import BadRequest, TooLarge
from geoshare.model.mesh import south_west
from tests.access.town import Packs, Town, policy

WIDE, HIGH = 1 / 320, 1 / 480
WEST, SOUTH = 45_088 * WIDE, 17_397 * HIGH  # a corner of the 250 m mesh, 140.9 E 36.24375 N
EVERYTHING = {"collections": "all", "columns": "all"}


def code(column: int, row: int) -> str:
    return str(ju.to_meshcode(SOUTH + (row + 0.5) * HIGH, WEST + (column + 0.5) * WIDE, 5))


def square(column: float, row: float, columns: float = 1.0, rows: float = 1.0) -> shapely.Polygon:
    west, south = WEST + column * WIDE, SOUTH + row * HIGH
    return shapely.box(west, south, west + columns * WIDE, south + rows * HIGH)


def publish(packs: Packs) -> None:
    """Four mesh squares of 100, 60, withheld and missing; a flood over the left half; houses."""
    figures = [(0, 0, 100.0, None), (1, 0, 60.0, None), (0, 1, None, True)]
    packs.publish(
        "statistics",
        [
            (
                f"m{column}{row}",
                square(column, row),
                {"mesh_code": code(column, row), "mesh_size_m": 250.0, "indicator": "population",
                 "year": 2020, "value": value, "suppressed": withheld},
            )
            for column, row, value, withheld in figures
        ],
    )  # fmt: skip
    flood = {"hazard_type": "flood", "scenario": "L2", "depth_min_m": 0.5, "depth_max_m": 3.0}
    packs.publish("hazard_zones", [("z", square(0, 0, 0.5, 2), flood)])
    houses = [(0.02 + 0.04 * number, 0.5, 1 + number % 3) for number in range(24)] + [(1.5, 0.5, 2)]
    packs.publish(
        "buildings",
        [
            (f"b{number:02}", square(x, y, 0.005, 0.005), {"storeys": storeys})
            for number, (x, y, storeys) in enumerate(houses)
        ],
    )


@pytest.fixture
def town(tmp_path: Path) -> Town:
    made = Town(tmp_path)
    publish(made.packs)
    return made


def ask(town: Town, shape: shapely.Geometry, grant: dict[str, Any] | None = None, **said: Any) -> Any:
    held = policy(grant or EVERYTHING)
    is_open = said.pop("is_open", True)
    inputs = AreaInputs(area=shape.__geo_interface__, hazard_type="flood", **said)
    sources = Sources(
        town.view(held, "hazard_zones"), town.view(held, "statistics"), is_open,
        town.view(held, "buildings"), is_open,
    )  # fmt: skip
    return summarise(find_area(inputs, None, None), inputs, sources)


def people(summary: Any) -> dict[str, tuple[Any, str]]:
    rows = {row["class"]: row for row in summary["rows"]} | {"total": summary["total"]}
    told = {name: row["people"]["population"] for name, row in rows.items()}
    return {name: (figure["value"], figure["state"]) for name, figure in told.items()}


def test_figures_are_given_by_area_and_lacking_ones_are_never_zero(town: Town) -> None:
    known = ask(town, square(0, 0, 2, 1))
    assert people(known) == {
        "0.5-3": (50, "estimated"), "unknown": (110, "estimated"), "total": (160, "estimated"),
    }  # fmt: skip
    every = people(ask(town, square(0, 0, 2, 2)))
    assert every["total"] == (160, "at_least")
    assert people(ask(town, square(0, 1)))["total"] == (None, "suppressed")
    assert people(ask(town, square(1, 1)))["total"] == (None, "unknown")


def test_a_tiny_area_tells_of_no_household(town: Town) -> None:
    assert people(ask(town, square(0.6, 0.4, 0.05, 0.05)))["total"] == (None, "below")


def test_buildings_are_counted_by_class_and_storeys(town: Town) -> None:
    found = ask(town, square(0, 0))
    rows = {row["class"]: row for row in found["rows"]}
    assert rows["0.5-3"]["buildings"] == {"value": 13, "state": "counted"}
    assert found["total"]["buildings"]["value"] == 24
    assert found["total"]["storeys"] == {"1": 8, "2": 8, "3+": 8, "unknown": 0}


def test_another_scenario_has_no_zones_and_is_unknown(town: Town) -> None:
    found = ask(town, square(0, 0), scenario="L1")
    assert found["hazard"]["state"] == "unknown"
    assert [row["class"] for row in found["rows"]] == ["unknown"]


def test_what_may_only_be_aggregated_is_told_by_squares_and_never_of_few(town: Town) -> None:
    def told(shape: shapely.Geometry) -> Any:
        return ask(town, shape, is_open=False)

    whole = told(square(0, 0, 2, 1))
    assert whole["total"]["buildings"] == {"value": 24, "state": "at_least"}  # one stands alone
    assert whole["total"]["storeys"] is None
    assert whole["fixed_grid"] == {"people": True, "buildings": True}
    a_house_less = square(0, 0, 2, 1).difference(square(0.01, 0.49, 0.03, 0.03))
    less = told(a_house_less)
    for one, other in zip(
        [*less["rows"], less["total"]], [*whole["rows"], whole["total"]], strict=True
    ):
        assert one | {"km2": None} == other | {"km2": None}
    assert told(square(0.6, 0.4, 0.05, 0.05))["total"]["buildings"]["value"] in (None, 0)


def test_figures_of_squares_that_a_tier_cuts_are_shared_by_the_whole_square(town: Town) -> None:
    half = square(0, 0, 0.5, 1).__geo_interface__
    area = {"type": half["type"], "coordinates": [[list(pair) for pair in half["coordinates"][0]]]}
    grant = {**EVERYTHING, "area": area, "area_mode": "clip"}
    found = people(ask(town, square(0, 0), grant))
    assert found["total"][0] in (None, 50)
    assert found["0.5-3"] == (50, "estimated")


def test_columns_that_are_not_visible_leave_nothing_known(town: Town) -> None:
    grant = {"collections": "all", "columns": ["mesh_code"]}
    found = ask(town, square(0, 0), grant)
    assert people(found) == {"unknown": (None, "unknown"), "total": (None, "unknown")}
    assert found["total"]["storeys"]["unknown"] == 24


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ({"area": {"type": "Point", "coordinates": [140.9, 36.2]}}, BadRequest),
        ({"area": {"type": "Polygon", "coordinates": []}}, BadRequest),
        ({"area": shapely.box(138, 35, 141, 37).__geo_interface__}, TooLarge),
        (
            {"area": shapely.Point(140.9, 36.2).buffer(0.01, quad_segs=2000).__geo_interface__},
            BadRequest,
        ),
        ({"meshes": ("99999999",)}, BadRequest),
        ({"codes": ("089991",)}, BadRequest),
        ({"evacuation_area": "nothing"}, BadRequest),
    ],
)
def test_areas_that_are_none_are_refused_by_name(said: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error) as refused:
        find_area(AreaInputs(hazard_type="flood", **said), None, None)
    assert refused.value.parameter in said or refused.value.parameter == "area"
    assert refused.value.message_ja


def test_mesh_squares_are_those_of_jismesh() -> None:
    west, south, width, height = south_west(code(1, 0)) or (0, 0, 0, 0)
    assert (west, south) == pytest.approx((WEST + WIDE, SOUTH), abs=1e-9)
    assert (width, height) == pytest.approx((WIDE, HIGH), abs=1e-12)


def test_the_workbook_has_japanese_headers_text_codes_and_the_same_bytes_again(town: Town) -> None:
    said = {
        "made_at": "2026-11-23T01:02:03Z",
        "method": {"ja": ["推計です。"], "en": []},
        "sources": [{"title_ja": "=統計", "detail_ja": "2020年"}],
    }
    content = write_sheet(ask(town, square(0, 0, 2, 2)) | said)
    assert content == write_sheet(ask(town, square(0, 0, 2, 2)) | said)
    book = openpyxl.load_workbook(io.BytesIO(content))
    rows = [list(row) for row in book["集計"].iter_rows()]
    top = next(number for number, row in enumerate(rows) if row[0].value == HEADERS[0])
    assert tuple(cell.value for cell in rows[top]) == HEADERS
    first = rows[top + 1]
    assert (first[0].value, first[0].number_format) == ("0.5-3", "@")
    assert first[5].value == "50以上"
    assert "推計" in str(rows[0][0].value)
    assert all(cell.data_type != "f" for sheet in book for row in sheet.iter_rows() for cell in row)
