"""OGC API Features Part 8 (24-030, a draft), annex A: sortables, sorting, features-sorting."""

from __future__ import annotations

import pytest

from tests.conformance.server import SPEC, Server


@pytest.fixture
def sorting(served: Server) -> Server:
    if not any(name.startswith(f"{SPEC}/ogcapi-features-8/") for name in served.classes):
        pytest.skip("the server does not declare sorting")
    return served


def names(served: Server, collection: str) -> list[str]:
    found = served.get(f"/collections/{collection}/sortables", "application/schema+json")
    return [name for name, part in found["properties"].items() if part.get("x-ogc-role") != "id"]


@pytest.mark.parametrize("sign", ["", "+", "-"])
def test_sortby_param_and_response(sorting: Server, sign):
    for item in sorting.collections:
        for name in names(sorting, item["id"])[:3]:
            page = sorting.page(item["id"], sortby=sign + name, limit=200)
            values = [one["properties"][name] for one in page["features"]]
            known = [value for value in values if value is not None]
            assert known == sorted(known, reverse=sign == "-")
            assert values[: len(known)] == known


def test_sorted_pages_hold_every_feature_once(sorting: Server):
    for item in sorting.collections:
        whole = sorting.every(item["id"], limit=1000)
        if len(whole) > 300:
            continue
        name = names(sorting, item["id"])[0]
        found = sorting.every(item["id"], sortby=f"-{name}", limit=max(2, len(whole) // 5))
        assert sorted(one["id"] for one in found) == sorted(one["id"] for one in whole)


@pytest.mark.parametrize(
    "value", ["THIS IS NOT A SORTBY EXPRESSION", "this_is_not_a_sortable", "", " id", "--id"]
)
def test_expression_construction(sorting: Server, value):
    assert sorting.ask(sorting.items(sorting.collections[0]["id"]), sortby=value).status == 400
