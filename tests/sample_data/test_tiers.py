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


OFFERED = {"wide_area_status", "wide_area_capacity", "wide_area_contact"}


def test_a_neighbours_offer_is_seen_by_whom_it_agreed_with_and_nobody_else(live_server: Any) -> None:
    def shelters(key: str | None, code: str) -> list[dict[str, Any]]:
        address = f"/collections/shelters/items?limit=100&filter=local_government_code='{code}'"
        return [item["properties"] for item in live_server.json(address, key)["features"]]

    agreed = shelters("municipal", "089982")
    assert {row["wide_area_status"] for row in agreed} == {"accepting", "full", "not_accepting", None}
    assert {row["name"] for row in shelters(None, "089982")} == {row["name"] for row in agreed}
    for key in (None, "developer", "automaker", "provider"):
        assert not any(OFFERED & set(row) for row in shelters(key, "089982"))
        status, _, _ = live_server.get("/collections/shelters/items?filter=wide_area_capacity%3E0", key)
        assert status == 400
    assert all(row["wide_area_status"] is None for row in shelters("municipal", "089991"))
