"""Quotas as a consumer meets them: costs, headers, refusals, and what is left."""

from __future__ import annotations

import json
import re
import time

import pytest
from click.testing import CliRunner

from geoshare.api.costs import asked_of, extract_asked
from geoshare.app import create_app
from geoshare.cli import main
from geoshare.services import build_services
from geoshare.services.local import Local
from geoshare.settings import Settings
from tests.api.conftest import Own
from tests.leaks.twins import StandingClock

ITEM = re.compile(r'"([a-z0-9-]+)"((?:;[a-z]+=(?:\d+|"[a-z-]+"))+)')
PLACES = {
    "type": "FeatureCollection",
    "features": [
        {
            "type": "Feature",
            "id": f"p{number}",
            "geometry": {"type": "Point", "coordinates": [139.7 + number / 1000, 35.6]},
            "properties": {"name": f"Place {number}", "class": "site"},
        }
        for number in range(5)
    ],
}
TIERS = """
[open]
title = "Open"
title_ja = "公開"
licence = "CC-BY-4.0"
cost_per_minute = 60
requests_per_month = 500
[[open.grants]]
collections = ["places"]
columns = ["name"]

[small]
title = "Small"
title_ja = "小"
requests_per_minute = 100
cost_per_minute = 40
requests_per_month = 12
cost_per_month = 1000
[[small.grants]]
collections = ["shelters"]
columns = ["name"]
requests_per_month = 3

[large]
title = "Large"
title_ja = "大"
requests_per_month = 100000
cost_per_minute = 100000
[[large.grants]]
collections = ["shelters"]
columns = ["name", "address"]
"""


def items(header: str) -> dict[str, dict[str, object]]:
    """A list of a structured field, read without the code that wrote it."""
    found = {}
    for part in header.split(", "):
        match = ITEM.fullmatch(part)
        assert match, part
        pairs = (pair.split("=") for pair in match[2][1:].split(";"))
        found[match[1]] = {
            name: value.strip('"') if value.startswith('"') else int(value) for name, value in pairs
        }
    return found


@pytest.fixture
def town(tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    (data / "tiers.toml").write_text(TIERS, "utf-8")
    made = Metered(data)
    path = tmp_path / "places.geojson"
    path.write_text(json.dumps(PLACES), "utf-8")
    made.contribute(path, collection="places")
    return made


class Metered(Own):
    """A geoshare whose tiers have quotas."""

    def __init__(self, data) -> None:
        self.settings = Settings(data=data)
        # it stands still, or a minute might end in the middle of a test
        self.clock = StandingClock(time.time_ns() // 60_000_000_000 * 60_000_000)
        self.services = build_services(self.settings, self.clock)
        self.local = Local(self.services)
        self.keys = {tier: self.key(f"org-{tier}", tier) for tier in ("small", "large")}
        self.client = create_app(self.settings, self.services).test_client()

    def ask(self, path: str, key: str | None = "small", **said):
        headers = {"X-API-Key": self.keys.get(key, key)} if key else {}
        return self.client.open(path, headers=headers | said.pop("headers", {}), **said)


def left(answer, name: str) -> int:
    return items(answer.headers["RateLimit"])[name]["r"]


def test_every_answer_names_the_limits_and_what_is_left_of_them(town):
    answer = town.ask("/conformance")
    assert items(answer.headers["RateLimit-Policy"]) == {
        "requests-minute": {"q": 100, "w": 60},
        "cost-minute": {"q": 40 + 20, "w": 60, "qu": "cost-units"},
        "requests-month": {"q": 500, "w": 2_678_400},
        "cost-month": {"q": 1000, "w": 2_678_400, "qu": "cost-units"},
    }
    told = items(answer.headers["RateLimit"])
    assert [told[name]["r"] for name in told] == [99, 59, 499, 999]
    assert 1 <= told["requests-minute"]["t"] <= 60
    assert 1 <= told["requests-month"]["t"] <= 2_678_400
    assert left(town.ask("/conformance"), "requests-minute") == 98
    exposed = town.ask("/conformance", headers={"Origin": "https://map.example"})
    assert "RateLimit, RateLimit-Policy" in exposed.headers["Access-Control-Expose-Headers"]


PAGE = "/collections/places/items"
TILE = "/tiles/places/14/14550/6450.mvt"


@pytest.mark.parametrize(
    ("path", "cost"),
    [
        ("/conformance", 1),
        ("/collections/places/changes", 10),
        (PAGE, 1),
        (f"{PAGE}?limit=1", 1),
        (f"{PAGE}?limit=101", 2),
        (f"{PAGE}?limit=1000", 10),
        (f"{PAGE}?limit=900&filter=name='x'", 18),
        (f"{PAGE}?limit=x", 1),
        (f"{PAGE}?limit=999999999999999999999", 1),
        (TILE, 1),
        ("/tiles/places,shelters,places2/14/14550/6450.mvt", 3),
        ("/tiles/WebMercatorQuad/14/6450/14550", 8),
        ("/tiles/WebMercatorQuad/14/6450/14550?collections=places,shelters", 2),
        ("/raster/satellite/14/14550/6450.png", 2),
        ("/raster/satellite.json", 1),
        ("/collections/satellite/map/tiles/WebMercatorQuad/14/6450/14550", 2),
        ("/search?q=x", 2),
        ("/jobs/x/result", 10),
    ],
)
def test_costs_are_those_of_the_table_whatever_the_answer_is(town, path, cost):
    before = left(town.ask("/me"), "cost-month")
    for method in ("GET", "HEAD"):
        answer = town.ask(path, method=method)
        assert before - left(answer, "cost-month") == cost
        before = left(answer, "cost-month")
    tag = answer.headers.get("ETag")
    if tag:
        answer = town.ask(path, headers={"If-None-Match": tag})
        assert answer.status_code == 304
        assert before - left(answer, "cost-month") == cost


def test_a_page_costs_the_same_for_a_hidden_collection_and_none_at_all():
    for name in ("lanes", "nothing", ".."):
        asked = asked_of("GET", f"/collections/{name}/items", "limit=500", 10_000)
        assert (asked.cost, asked.collections) == (5, (name,))
    assert asked_of("GET", PAGE, "limit=100000", 10_000).cost == 100
    assert extract_asked(("a", "b"), 2_001).cost == 3


def test_what_costs_nothing_counts_nothing(town):
    before = left(town.ask("/me"), "requests-month")
    for _ in range(5):
        assert "RateLimit" not in town.ask("/healthz").headers
        assert town.ask("/me", method="OPTIONS").status_code == 200
        assert town.ask("/me", key="gs_wrong").status_code == 401
    assert left(town.ask("/me"), "requests-month") == before - 1


def test_above_a_limit_every_way_to_an_answer_says_429_and_when(town):
    spent = town.ask(f"{PAGE}?limit=6000")
    assert (spent.status_code, left(spent, "cost-minute")) == (200, 0)
    for path in (TILE, PAGE, "/me", "/collections/nothing"):
        answer = town.ask(path)
        assert answer.status_code == 429, path
        assert 1 <= int(answer.headers["Retry-After"]) <= 60
        assert answer.json["parameter"] == "cost-minute"
        assert left(answer, "cost-minute") == 0
    assert town.ask("/me", key="large").status_code == 200


def test_a_request_that_costs_more_than_a_minute_has_takes_the_minute_whole(town):
    answer = town.ask(f"{PAGE}?limit=10000")
    assert (answer.status_code, left(answer, "cost-minute")) == (200, 0)
    assert left(answer, "cost-month") == 1000 - 100
    assert town.ask(f"{PAGE}?limit=10000").status_code == 429


def test_a_month_is_counted_over_restarts_and_addresses_are_not_kept(town):
    for _ in range(7):
        town.ask("/conformance")
    for _ in range(3):
        town.ask("/conformance", key=None)
    town.services.quotas.months.close()
    again = build_services(town.settings, town.clock)
    key_id = town.keys["small"].split("_")[1]
    assert again.quotas.months.used(key_id) == (7, 7)
    who = again.principal(town.keys["small"])
    limits = {item["name"]: item["left"] for item in again.quotas.described(who, "")["limits"]}
    assert (limits["requests-month"], limits["cost-month"]) == (493, 993)
    again.governance.close()
    town.services.governance.close()
    held = b"".join(path.read_bytes() for path in town.settings.data.glob("*.db*"))
    assert b"127.0.0.1" not in held
    assert b"anonymous-" in held


def test_a_shared_key_counts_against_both_and_tells_of_itself_alone(town):
    body = {"days": 1, "requests_per_month": 5, "cost_per_minute": 30}
    made = town.ask("/me/keys", method="POST", json=body).json
    assert (made["requests_per_month"], made["cost_per_minute"]) == (5, 30)
    answers = [town.ask("/conformance", key=made["key"]) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    assert answers[5].json["parameter"] == "requests-month"
    policy = items(answers[0].headers["RateLimit-Policy"])
    assert (policy["requests-month"]["q"], policy["cost-minute"]["q"]) == (5, 30)
    assert left(answers[0], "requests-month") == 4
    assert left(town.ask("/conformance"), "requests-month") == 500 - 1 - 5 - 1
    # what the maker has used up is not the shared key's to see, but it holds for it
    other = town.ask("/me/keys", method="POST", json={"days": 1}).json["key"]
    town.ask(f"{PAGE}?limit=5200")
    refused = town.ask("/conformance", key=other)
    assert (refused.status_code, left(refused, "cost-minute")) == (429, 60)


def test_a_limited_grant_is_counted_by_those_who_read_by_it(town):
    """The tier small limits shelters to three requests a month; large gives more without a limit."""
    first = town.ask("/collections/shelters/items")
    name = next(name for name in items(first.headers["RateLimit"]) if name.count("-") == 2)
    assert left(first, name) == 2
    assert town.ask("/tiles/shelters/14/14550/6450.mvt").status_code != 429
    assert town.ask("/tiles/places,shelters/14/14550/6450.mvt").status_code != 429
    for path in (
        "/collections/shelters/items",
        "/collections/shelters/tiles/WebMercatorQuad/14/6450/14550",
        "/tiles/WebMercatorQuad/14/6450/14550?collections=shelters",
        "/tiles/WebMercatorQuad/14/6450/14550",
        "/search?q=a",
    ):
        answer = town.ask(path)
        assert (answer.status_code, answer.json["parameter"]) == (429, name), path
    body = {"collections": ["shelters"], "format": "geojson"}
    assert town.ask("/extracts", method="POST", json=body).status_code == 429
    assert town.ask(PAGE).status_code == 200
    both = town.key("org-both", "small", "large")
    for _ in range(5):
        assert town.ask("/collections/shelters/items", key=both).status_code != 429


def test_me_says_what_is_left_until_when_and_what_was_used(town):
    town.ask(f"{PAGE}?limit=1000")
    town.ask("/collections/shelters/items")
    quota = town.ask("/me").json["quota"]
    told = {item["name"]: item for item in quota["limits"]}
    assert told["cost-minute"]["limit"] - told["cost-minute"]["left"] == 12
    assert told["requests-month"]["left"] == 497
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", told["requests-minute"]["until"])
    assert quota["month"]["requests"] == 3
    assert quota["month"]["cost"] == 12
    assert quota["month"]["until"].endswith("-01T00:00:00Z")
    (grant,) = quota["grants"]
    assert grant["collections"] == ["shelters"]
    assert [item["left"] for item in grant["limits"]] == [2]
    nobody = town.ask("/me", key=None).json["quota"]
    assert {item["name"] for item in nobody["limits"]} >= {"cost-minute", "requests-month"}
    assert "month" not in nobody


def test_the_command_line_lists_what_was_used_this_month(town, tmp_path):
    for _ in range(4):
        town.ask(f"{PAGE}?limit=200")
    town.services.quotas.months.close()
    said = tmp_path / "settings.toml"
    said.write_text(f'data = "{town.settings.data}"\n', "utf-8")
    run = CliRunner().invoke(main, ["--settings", str(said), "keys", "list"])
    key_id = town.keys["small"].split("_")[1]
    (line,) = [row for row in run.output.splitlines() if row.startswith(key_id)]
    assert "this month 4 requests, cost 8" in line


def test_an_extract_costs_what_it_holds_at_most_before_it_is_made(town):
    body = {"collections": ["places"], "format": "geojson"}
    before = left(town.ask("/me"), "cost-month")
    answer = town.ask("/extracts", method="POST", json=body, headers={"Prefer": "respond-async"})
    assert answer.status_code == 202
    assert before - left(answer, "cost-month") == 10 + 1
