"""What each tier is promised is there to be seen in the sample town."""

from __future__ import annotations

from typing import Any

import pytest

OPEN = {
    "admin_areas",
    "places",
    "evacuation_sites",
    "shelters",
    "hazard_zones",
    "events",
    "segments",
    "rain",
    "satellite",
    "warnings",
}
# Name of the demo key (None: no key) -> collections that its tier promises, beside the open ones.
PROMISED: dict[str | None, set[str]] = {
    None: set(),
    "municipal": {"buildings", "statistics", "people_flow"},
    "developer": {"buildings", "statistics", "people_flow"},
    "automaker": {"lanes", "lane_boundaries", "regulatory_elements", "structures", "roadside_features"},
    "operator": {
        "areas",
        "buildings",
        "connectors",
        "lane_boundaries",
        "lanes",
        "people_flow",
        "regulatory_elements",
        "roadside_features",
        "statistics",
        "structures",
        "water",
    },
}
CASES = [(key, name) for key, promised in PROMISED.items() for name in sorted(OPEN | promised)]


@pytest.mark.parametrize(("key", "name"), CASES)
def test_a_promised_collection_is_not_empty(live_server: Any, key: str | None, name: str) -> None:
    kind = live_server.json(f"/collections/{name}", key)["kind"]
    if kind == "vector":
        page = live_server.json(f"/collections/{name}/items?limit=1", key)
        assert page["numberMatched"] > 0
        assert page["features"]
    else:
        assert live_server.json(f"/raster/{name}.json", key)["times"]


@pytest.mark.parametrize(("name", "value"), [("statistics", "value"), ("people_flow", "count")])
def test_developers_read_figures_of_coarse_meshes_and_only_those(
    live_server: Any, name: str, value: str
) -> None:
    sizes = {}
    for key in ("developer", "municipal"):
        page = live_server.json(f"/collections/{name}/items?limit=10000", key)
        assert page["numberMatched"] == page["numberReturned"]
        rows = [feature["properties"] for feature in page["features"]]
        assert any(row.get(value) is not None for row in rows)
        assert any(row.get("suppressed") for row in rows)
        sizes[key] = {row["mesh_size_m"] for row in rows}
    assert sizes["developer"] == {500}
    assert {500, 250} <= sizes["municipal"]
