"""Who may aggregate and not read is told of a fixed grid, through tiers and agreements as they are."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from geoshare.derive.requests import AreaInputs
from tests.api.conftest import Own

ROOT = Path(__file__).resolve().parents[2]
COUNTS = """
[counts]
title = "Counts"
title_ja = "集計"
description = "Counts alone."
[[counts.grants]]
collections = ["buildings"]
columns = ["use", "storeys"]
actions = ["aggregate"]
[[counts.grants]]
collections = ["statistics"]
columns = ["mesh_code", "mesh_size_m", "indicator", "year", "value", "suppressed"]
actions = ["aggregate"]
"""
AREA = [[140.893, 36.249], [140.906, 36.249], [140.906, 36.258], [140.893, 36.258], [140.893, 36.249]]


@pytest.fixture
def own(tmp_path: Path) -> Own:
    tiers = tmp_path / "tiers.toml"
    built_in = resources.files("geoshare.access").joinpath("tiers.toml").read_text("utf-8")
    tiers.write_text(built_in + COUNTS, "utf-8")
    made = Own(tmp_path / "data", tiers=tiers)
    town = ROOT / "sample_data" / "town_data"
    made.contribute(town / "buildings.zip", collection="buildings", mapping="buildings")
    made.contribute(town / "population_mesh250.csv")
    return made


def test_counts_of_a_tier_that_reads_no_rows_are_those_of_squares(own: Own) -> None:
    own.keys["counts"] = own.key("counter", "counts")
    own.local.wait_until_visible()
    said = AreaInputs(area={"type": "Polygon", "coordinates": [AREA]}, hazard_type="flood")
    less = AreaInputs(
        area={"type": "Polygon", "coordinates": [[*AREA[:2], [140.9059, 36.2575], *AREA[3:]]]},
        hazard_type="flood",
    )

    def told(key: str, inputs: AreaInputs) -> dict[str, Any]:
        who = own.services.principal(own.keys[key])
        return own.services.deciding.area_summary(who, inputs)

    exact, guarded = told("municipal", said), told("counts", said)
    assert exact["fixed_grid"] == {"people": False, "buildings": False}
    assert guarded["fixed_grid"] == {"people": True, "buildings": True}
    assert guarded["total"]["storeys"] is None
    assert guarded["total"]["buildings"]["value"] > 100
    assert any("250m" in line for line in guarded["method"]["ja"])
    assert told("counts", less)["total"]["people"] == guarded["total"]["people"]
    assert told("municipal", less)["total"]["buildings"] != exact["total"]["buildings"]
    for name in ("buildings", "statistics"):
        assert own.get(f"/collections/{name}/items", "counts").status_code in (403, 404)
    assert json.loads(json.dumps(guarded)) == guarded
