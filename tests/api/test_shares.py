"""Shared maps: who makes them, what they show to whom, and that nothing is learnt from guessing."""

from __future__ import annotations

import json
import re

import pytest
from click.testing import CliRunner
from PIL import Image

from geoshare.app import create_app
from geoshare.cli import main
from geoshare.errors import Unavailable
from geoshare.model.policy import Terms
from geoshare.services import build_services
from geoshare.services.local import Local
from geoshare.services.shares import KEPT_US
from geoshare.services.written import Author
from tests.api.conftest import Own

BOX = [139.65, 35.55, 139.75, 35.65]
SHELTERS = (
    "id,name,status,people_count,care_count,max_capacity,lon,lat\n"
    "a,北小学校,open,12,3,200,139.70,35.60\n"
    "b,南小学校,not_open,,,90,139.71,35.61\n"
    "c,遠い学校,open,,,90,140.70,35.61\n"
)
EVENTS = "id,kind,name,lon,lat\n1,closure,通行止め,139.70,35.60\n2,roadwork,工事,139.70,35.61\n"
BODY = {"title": "避難所", "layers": ["shelters"], "bbox": BOX, "hours": 2}
HOUR_US = 3_600_000_000


class Clock:
    """The time, and how much later it is made to be."""

    def __init__(self) -> None:
        self.us = 1_800_000_000_000_000

    def now_us(self) -> int:
        return self.us


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("shares")
    own = Own(folder / "data")
    path = folder / "shelters.csv"
    path.write_text(SHELTERS, "utf-8")
    own.contribute(path, collection="shelters", crs="EPSG:4326")
    events = folder / "events.csv"
    events.write_text(EVENTS, "utf-8")
    own.contribute(events, collection="events", crs="EPSG:4326")
    own.clock = Clock()
    own.clock.us = own.services.clock.now_us()
    own.services = build_services(own.settings, own.clock)
    own.client = create_app(own.settings, own.services).test_client()
    return own


def make(town, key: str = "municipal", status: int = 201, **more):
    body = {name: value for name, value in (BODY | more).items() if value is not None}
    answer = town.client.post("/me/shares", headers={"X-API-Key": town.keys[key]}, json=body)
    assert answer.status_code == status, answer.data
    return answer.json


def test_a_stranger_sees_the_layers_inside_the_box_and_nothing_that_is_not_for_everybody(town):
    share = make(town)
    path = f"/s/{share['id']}"
    assert share["href"].endswith(path)
    told = _shelters(town, share["id"])
    assert [row["name"] for row in told] == ["北小学校", "南小学校"]
    assert told[0]["people_count"] == 12
    assert "care_count" not in json.dumps(told)  # the municipality sees it, strangers do not
    assert town.client.get(path).headers["Referrer-Policy"] == "no-referrer"
    page = town.client.get(path)
    assert page.headers["Cache-Control"] == "public, max-age=5, stale-while-revalidate=15"
    state = re.search(rb'id="state">(.*?)</script>', page.data, re.S)
    assert len(json.loads(state[1])["lists"]["shelters"]["features"]) == len(told)


def test_the_answer_is_the_same_whoever_asks_and_however_often(town):
    path = f"/s/{make(town)['id']}/data.json"
    first = town.client.get(path)
    again = [town.client.get(path, headers=said) for said in ({}, {"X-API-Key": "wrong"})]
    assert {answer.data for answer in again} == {first.data}
    assert all(dict(answer.headers) == dict(first.headers) for answer in again)
    known = town.client.get(path, headers={"If-None-Match": first.headers["ETag"]})
    assert (known.status_code, known.data) == (304, b"")


@pytest.mark.parametrize("part", ["", "/data.json", "/preview.png", "/code.svg", "/tiles/5/28/12.mvt"])
def test_unknown_revoked_and_over_are_one_answer(town, part):
    over, revoked = make(town, hours=1)["id"], make(town, hours=50)["id"]
    unknown = town.client.get(f"/s/{'0' * 32}{part}")
    assert unknown.status_code == 404
    for share in (over, revoked):
        assert town.client.get(f"/s/{share}{part}").status_code in (200, 204)
    key = {"X-API-Key": town.keys["municipal"]}
    assert town.client.delete(f"/me/shares/{revoked}", headers=key).status_code == 204
    town.clock.us += HOUR_US
    for share in (over, revoked, "a b", "ü", "x" * 5_000):
        answer = town.client.get(f"/s/{share}{part}")
        assert (answer.status_code, answer.data) == (404, unknown.data)
        assert dict(answer.headers) == dict(unknown.headers)


@pytest.mark.parametrize("part", ["", "/data.json", "/preview.png", "/code.svg", "/tiles/5/28/12.mvt"])
def test_while_it_cannot_be_told_what_is_shared_nothing_is_shown_and_no_id_told_apart(
    town, part, monkeypatch
):
    share, other = make(town)["id"], "0" * 32
    assert town.client.get(f"/s/{share}{part}").status_code in (200, 204)

    def fail(_: str) -> None:
        raise Unavailable("governance does not answer", retry_after_s=2)

    monkeypatch.setattr(town.services.shares._rows, "find", fail)
    town.clock.us += KEPT_US  # what was seen half a second ago is asked for again
    told, unknown = (town.client.get(f"/s/{number}{part}") for number in (share, other))
    assert told.status_code == 503
    assert int(told.headers["Retry-After"]) > 0
    assert told.headers["Cache-Control"] == "no-store"
    assert "避難所".encode() not in told.data
    assert (told.data, dict(told.headers)) == (unknown.data, dict(unknown.headers))


def test_another_worker_shows_a_revoked_share_no_more_within_half_a_second(town):
    share = make(town)["id"]
    other = create_app(town.settings, build_services(town.settings, town.clock)).test_client()
    assert other.get(f"/s/{share}").status_code == 200
    key = {"X-API-Key": town.keys["municipal"]}
    assert town.client.delete(f"/me/shares/{share}", headers=key).status_code == 204
    town.clock.us += KEPT_US
    assert other.get(f"/s/{share}").status_code == 404
    assert town.client.delete(f"/me/shares/{share}", headers=key).status_code == 404


def test_a_share_ends_with_the_key_that_made_it(town):
    town.keys["ending"] = town.key("org-municipal")
    share = make(town, "ending")["id"]
    town.services.keys.revoke(town.keys["ending"].split("_")[1])
    town.clock.us += HOUR_US // 1_000
    assert town.client.get(f"/s/{share}").status_code == 404


def test_only_terms_that_let_copies_go_to_anybody_widen_what_is_shown(town):
    services, now = town.services, town.services.clock.now_us()
    town.keys["free"] = town.key("org-free", "municipal")
    wanted = {"layers": ["events"]}
    assert _told(town, make(town, "free", **wanted)["id"], "events") == ["通行止め"]
    (row,) = services.agreements.rows("org-free")
    document = json.loads(row.document)
    by = Author("an operator", "passed on freely")
    free = document | {"version": 2, "terms": Terms(onward="free").model_dump(mode="json")}
    services.agreements.draw_up(free, by)
    for side in ("operator", "org-free"):
        services.agreements.sign(row.id, 2, side, "somebody", by)
    town.clock.us = now + 10_000_000
    Local(services).wait_until_visible()
    share = make(town, "free", **wanted)["id"]
    assert _told(town, share, "events") == ["工事", "通行止め"]
    assert _told(town, make(town, **wanted)["id"], "events") == ["通行止め"]
    services.agreements.end(row.id, by)
    town.clock.us += 10_000_000
    assert _told(town, share, "events") == ["通行止め"]


def _told(town, share: str, layer: str) -> list[str]:
    answer = town.client.get(f"/s/{share}/data.json")
    return sorted(row["name"] for row in answer.json["lists"][layer]["features"])


def _shelters(town, share: str) -> list:
    answer = town.client.get(f"/s/{share}/data.json")
    return sorted(answer.json["lists"]["shelters"]["features"], key=lambda row: row["name"])


REFUSED = [
    ({"title": ""}, "title"),
    ({"title": "x" * 81}, "title"),
    ({"title": "\u202emoc.knab"}, "title"),
    ({"title": "a\u0000b"}, "title"),
    ({"note": "\u2066x"}, "note"),
    ({"layers": []}, "layers"),
    ({"layers": ["damage_reports"]}, "layers"),
    ({"layers": ["nothing"]}, "layers"),
    ({"bbox": [139, 35, 139, 35]}, "bbox"),
    ({"bbox": [100, 20, 150, 50]}, "bbox"),
    ({"bbox": [139, 35, float("nan"), 36]}, "bbox"),
    ({"hours": 0}, "hours"),
    ({"hours": 87_600}, "hours"),
    ({"hours": None}, "hours"),
    ({"hours": None, "until": "2020-01-01T00:00:00Z"}, "until"),
    ({"hours": None, "until": "2099-01-01T00:00:00Z"}, "until"),
    ({"hours": None, "until": "2099-01-01T00:00:00"}, "until"),
    ({"hours": 3, "until": "2099-01-01T00:00:00Z"}, "hours"),
    ({"language": "fr"}, "language"),
    ({"tiers": ["operator"]}, "tiers"),
]


def test_what_cannot_be_shared_is_refused_by_name(town):
    key = town.keys["refused"] = town.key("org-refused", "municipal")
    for said, named in REFUSED:
        problem = make(town, "refused", 400, **said)
        assert problem["parameter"].startswith(named), said
    assert town.client.get("/me/shares", headers={"X-API-Key": key}).json["shares"] == []


def test_markup_in_a_title_stays_text_in_the_page_and_in_what_messengers_read(town):
    title = '"><script>alert(1)</script><!--head-->'
    page = town.client.get(f"/s/{make(town, title=title)['id']}").text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page
    state = re.search(r'id="state">(.*?)</script>', page, re.S)
    assert json.loads(state[1])["title"] == title


def test_messengers_read_title_description_and_an_absolute_picture(town):
    share = make(town, title="台風の避難所", note="最新です")
    page = town.client.get(f"/s/{share['id']}").text
    found = dict(re.findall(r'<meta property="og:(\w+)" content="([^"]*)">', page))
    assert (found["title"], found["description"]) == ("台風の避難所", "最新です")
    assert found["image"] == share["href"] + "/preview.png"
    picture = town.client.get(f"/s/{share['id']}/preview.png")
    (folder := town.settings.data / "seen.png").write_bytes(picture.data)
    assert Image.open(folder).size == (1200, 630)


def test_strangers_sub_keys_and_viewers_share_nothing(town):
    made = town.client.post("/me/shares", json=BODY)
    assert made.status_code == 401
    headers = {"X-API-Key": town.keys["municipal"]}
    sub = town.client.post("/me/keys", headers=headers, json={"days": 1}).json["key"]
    answers = [
        town.client.get("/me/shares", headers={"X-API-Key": sub}),
        town.client.post("/me/shares", headers={"X-API-Key": sub}, json=BODY),
    ]
    assert [answer.status_code for answer in answers] == [403, 403]


def test_shares_are_listed_with_their_maker_to_their_organisation_alone(town):
    key = town.keys["listing"] = town.key("org-listing", "municipal")
    share = make(town, "listing")
    (listed,) = town.client.get("/me/shares", headers={"X-API-Key": key}).json["shares"]
    assert listed == share
    assert listed["made_by"] == {"key": key.split("_")[1]}
    other = {"X-API-Key": town.keys["developer"]}
    assert town.client.get("/me/shares", headers=other).json["shares"] == []
    assert town.client.delete(f"/me/shares/{share['id']}", headers=other).status_code == 404
    assert town.client.get(f"/s/{share['id']}").status_code == 200


def test_an_organisation_shows_so_many_at_a_time_and_no_more(town, monkeypatch):
    monkeypatch.setattr("geoshare.services.shares.MOST", 2)
    key = town.keys["many"] = town.key("org-many", "municipal")
    first = make(town, "many")["id"]
    make(town, "many")
    assert "2 at a time" in make(town, "many", 400)["allowed"]
    town.client.delete(f"/me/shares/{first}", headers={"X-API-Key": key})
    make(town, "many")


def test_making_and_revoking_are_in_the_log_without_the_address(town):
    share = make(town)["id"]
    headers = {"X-API-Key": town.keys["municipal"]}
    town.client.delete(f"/me/shares/{share}", headers=headers)
    entries = town.client.get("/me/audit?limit=50", headers=headers)
    kinds = [item["entry"]["kind"] for item in entries.json["entries"]]
    assert {"share.create", "share.revoke"} <= set(kinds)
    assert share not in json.dumps([item["entry"] for item in entries.json["entries"]])


def test_tiles_beyond_the_box_are_not_told_from_tiles_that_are_none(town):
    share = make(town)["id"]
    inside = town.client.get(f"/s/{share}/tiles/14/14550/6451.mvt")
    assert inside.status_code in (200, 204)
    beyond = [
        town.client.get(f"/s/{share}/tiles/{place}.mvt")
        for place in ("14/14650/6451", "17/116400/51608", "14/999999/6451", "3/7/3")
    ]
    assert {answer.status_code for answer in beyond} == {404}


def test_what_is_kept_is_answered_to_thousands_behind_one_address(town, monkeypatch):
    share = make(town)["id"]
    first = town.client.get(f"/s/{share}")
    monkeypatch.setattr(town.services.quotas, "counting", None)  # whoever counts now fails
    assert all(town.client.get(f"/s/{share}").data == first.data for _ in range(20))


def test_the_operators_hand_lists_and_ends_them(town, monkeypatch):
    share = make(town)["id"]
    monkeypatch.setenv("GEOSHARE_DATA", str(town.settings.data))
    listed = CliRunner().invoke(main, ["shares", "list", "--organisation", "org-municipal"])
    assert f"/s/{share}" in listed.output.replace("\n", "")
    address = f"https://map.example.jp/s/{share}/"
    assert CliRunner().invoke(main, ["shares", "revoke", address]).output == "revoked\n"
    assert CliRunner().invoke(main, ["shares", "revoke", address]).exit_code == 1
    town.clock.us += KEPT_US
    assert town.client.get(f"/s/{share}").status_code == 404


def test_the_public_sees_no_drill_unless_its_maker_chose_so(town, tmp_path):
    path = tmp_path / "events.csv"
    path.write_text("id,kind,name,status,lon,lat\n3,closure,訓練通り,drill,139.70,35.60\n", "utf-8")
    town.contribute(path, collection="events", crs="EPSG:4326")

    def states(**said) -> list[str]:
        share = make(town, layers=["events"], **said)
        told = town.client.get(f"/s/{share['id']}/data.json").json
        assert told["drills"] is share["drills"] is said.get("drills", False)
        return [row.get("status") for row in told["lists"]["events"]["features"]]

    assert "drill" not in states()
    assert "drill" in states(drills=True)
