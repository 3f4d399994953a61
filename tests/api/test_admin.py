"""The operator's routes: policies as change sets, explained before and after; nothing for others."""

from __future__ import annotations

import json
import re
import threading
import time
from typing import Any

import pytest

from geoshare.services.keeping import make_keeper
from tests.headers import steady
from tests.people import Browser

ROUTES = [
    ("GET", "/admin/tiers"),
    ("GET", "/admin/tiers/1"),
    ("POST", "/admin/tiers"),
    ("POST", "/admin/tiers/1/publish"),
    ("GET", "/admin/changes"),
    ("GET", "/admin/policies/diff"),
    ("POST", "/admin/policies/simulate"),
    ("GET", "/admin/offers"),
    ("POST", "/admin/offers"),
    ("POST", "/admin/offers/x/withdraw"),
    ("GET", "/admin/agreements"),
    ("POST", "/admin/agreements"),
    ("GET", "/admin/agreements/x"),
    ("POST", "/admin/agreements/x/signatures"),
    ("POST", "/admin/agreements/x/end"),
    ("GET", "/admin/access"),
    ("DELETE", "/admin/access/x"),
    ("POST", "/admin/contributions/x/access"),
    ("GET", "/admin/contributions/x/original"),
    ("GET", "/admin/emergencies"),
    ("POST", "/admin/emergencies"),
    ("POST", "/admin/emergencies/x/confirm"),
    ("POST", "/admin/emergencies/x/end"),
]


def ask(own: Any, method: str, path: str, body: Any = None, key: str | None = "operator") -> Any:
    headers = {"X-API-Key": own.keys.get(key, key)} if key else {}
    return own.client.open(path, method=method, json=body, headers=headers)


def done(answer: Any) -> Any:
    assert answer.status_code in (200, 201), answer.data
    return json.loads(answer.data)


def test_every_admin_route_is_listed_here(own):
    rules = own.client.application.url_map.iter_rules()
    found = {
        (method, rule.rule)
        for rule in rules
        if rule.rule.startswith("/admin")
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }
    assert len(found) == len(ROUTES)


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_for_others_an_admin_route_is_like_one_that_does_not_exist(own, method, path):
    for key in (None, "automaker", "provider"):
        nothing = ask(own, "GET", "/nothing/here", key=key)
        for target in (path, f"{path}?colour=red"):
            answer = ask(own, method, target, {"colour": 1} if method == "POST" else None, key)
            assert (answer.status_code, answer.data) == (404, nothing.data)
            assert steady(answer.headers) == steady(nothing.headers)


@pytest.mark.parametrize(("method", "path"), [item for item in ROUTES if item[0] == "POST"])
def test_a_wrong_body_is_refused_by_name_and_changes_nothing(own, method, path):
    before = own.services.governance.policies.version()
    for body in ({"colour": 1}, {"reason": ""}, {"reason": "x" * 501}, [], "x"):
        answer = ask(own, method, path, body)
        assert answer.status_code == 400, answer.data
    assert own.services.governance.policies.version() == before


def test_tiers_are_drafted_compared_published_and_listed(own):
    tiers = done(ask(own, "GET", "/admin/tiers"))
    document = tiers["tiers"]
    document["open"]["grants"] = [
        grant | {"columns": ["name"]} if grant["collections"] == ["shelters"] else grant
        for grant in document["open"]["grants"]
    ]
    body = {"tiers": document, "reason": "less is enough", "draft": True}
    draft = done(ask(own, "POST", "/admin/tiers", body))["number"]
    difference = done(ask(own, "GET", f"/admin/policies/diff?to={draft}"))["differences"]
    everybody = next(item for item in difference if item["who"] == "everybody")
    assert everybody["gains"] == []
    assert "shelters" in everybody["loses"][0]
    assert "phone" in everybody["loses"][0]
    assert ask(own, "GET", "/admin/policies/diff?to=999").status_code == 404
    published = done(ask(own, "POST", f"/admin/tiers/{draft}/publish", {"reason": "agreed"}))["number"]
    assert done(ask(own, "GET", "/admin/tiers"))["number"] == published
    assert done(ask(own, "GET", f"/admin/policies/diff?to={tiers['number']}"))["differences"]
    newest = done(ask(own, "GET", "/admin/changes"))["changes"][0]
    assert (newest["act"], newest["reason"]) == ("publish", "agreed")
    assert newest["author"].startswith("org-operator ")
    stale = body | {"draft": False, "base": draft}
    assert ask(own, "POST", "/admin/tiers", stale).status_code == 409


def test_wrong_tiers_say_where_and_what_is_allowed(own):
    document = done(ask(own, "GET", "/admin/tiers"))["tiers"]
    document["open"]["grants"][0]["columns"] = ["secret"]
    answer = ask(own, "POST", "/admin/tiers", {"tiers": document, "reason": "x"})
    said = json.loads(answer.data)
    assert answer.status_code == 400
    assert said["parameter"] == "open.grants[0].columns"
    assert "code" in said["allowed"]


def test_an_agreement_is_drawn_up_signed_seen_and_ended(own):
    own.services.governance.add_organisation("newcomer", "New", 1)
    key = own.key("newcomer")
    document = {
        "id": "c-2031",
        "contract": "shared-use",
        "parties": [
            {"organisation": "operator", "part": "provider"},
            {"organisation": "newcomer", "part": "consumer"},
        ],
        "tiers": ["developer"],
        "term": {"starts": "2020-01-01T00:00:00Z", "ends": "2099-01-01T00:00:00Z"},
        "terms": {"purposes": ["navigation"], "training": "internal", "onward": "none"},
    }
    body = {"agreement": document, "reason": "contract 2031"}
    drawn = done(ask(own, "POST", "/admin/agreements", body))
    assert (drawn["state"], drawn["terms"]["derivatives"]) == ("offered", "none")
    path = "/admin/agreements/c-2031"
    for side, whole in (("newcomer", False), ("operator", True)):
        said = {"version": 1, "organisation": side, "name": "A. Person", "reason": "signed on paper"}
        assert done(ask(own, "POST", f"{path}/signatures", said))["in_force"] is whole
    me = done(ask(own, "GET", "/me", key=key))
    assert [tier["id"] for tier in me["tiers"]] == ["open", "developer"]
    (agreement,) = [item for item in me["agreements"] if item["id"] == "c-2031"]
    assert (agreement["state"], agreement["sha256"]) == ("in-force", drawn["sha256"])
    assert agreement["terms"]["training"] == "internal"
    roads = [item for item in me["grants"] if item["collections"] == ["segments"]]
    assert {item["agreement"] for item in roads} == {"open", "c-2031@1"}
    assert all(item["en"] and item["ja"] for item in roads)
    assert "10 m" in next(item["en"] for item in roads if item["tier"] == "open")
    done(ask(own, "POST", f"{path}/end", {"reason": "over"}))
    assert done(ask(own, "GET", path))["state"] == "ended"
    me = done(ask(own, "GET", "/me", key=key))
    assert [tier["id"] for tier in me["tiers"]] == ["open"]


def test_offers_are_public_until_they_are_withdrawn(own):
    offer = {"title": "Roads", "title_ja": "道路", "tiers": ["developer"], "price": "1"}
    done(ask(own, "POST", "/admin/offers", {"id": "roads", "offer": offer, "reason": "new"}))
    (listed,) = done(ask(own, "GET", "/offers", key=None))["offers"]
    assert (listed["id"], listed["version"], listed["tiers"]) == ("roads", 1, ["developer"])
    done(ask(own, "POST", "/admin/offers/roads/withdraw", {"reason": "old"}))
    assert done(ask(own, "GET", "/offers", key=None))["offers"] == []


def test_a_simulation_names_the_grants_that_decide_and_why_others_do_not(own):
    def simulate(**body: Any) -> Any:
        return done(ask(own, "POST", "/admin/policies/simulate", body))

    nobody = simulate(path="/collections/lanes/items?limit=1")
    assert (nobody["action"], nobody["allowed"]) == ("read", False)
    assert nobody["collections"] == [{"collection": "lanes", "allowed": False, "grants": []}]
    maker = simulate(organisation="org-automaker", path="/tiles/lanes,segments/14/1/1.mvt")
    assert (maker["action"], maker["allowed"]) == ("tile", True)
    lanes, segments = maker["collections"]
    assert [item["grant"] for item in lanes["grants"]] == ["automaker.grants[0]"]
    assert {item["tier"] for item in segments["grants"]} == {"open", "automaker"}
    city = simulate(organisation="org-municipal", action="contribute", collections=["shelters"])
    reasons = {item["grant"]: item["why_not"] for item in city["collections"][0]["grants"]}
    assert None in reasons.values()
    assert "it does not allow to contribute" in reasons.values()
    for wrong in ({}, {"path": "/me"}, {"action": "steal"}, {"path": "/collections/../items"}):
        assert ask(own, "POST", "/admin/policies/simulate", wrong).status_code == 400


# Routes that are about no collection, or about those in their body, or of the operator.
OTHERS = re.compile(
    r"/|/(admin|audit|me|map|contributions|jobs|processes|prints|extracts|s|tileMatrixSets|fonts|sprites|wms|wmts|docs)(/.*)?"
    r"|/(conformance|functions|openapi.json|healthz|readyz|collections|tiles|tiles/[^/]+|search|dcat|styles)"
    r"|/collections/catalogue(/.*)?"
    r"|/(emergency|offers|contribute|login|logout|account|desk|oauth|warnings|\.well-known)(/.*)?"
)
VALUES = {"collection": "lanes", "collections": "lanes", "style_id": "lanes", "feature_id": "x"}
VALUES["image_format"] = "png"


def test_every_route_about_a_collection_can_be_simulated(own):
    for rule in own.client.application.url_map.iter_rules():
        path = re.sub(r"<(?:\w+:)?(\w+)>", lambda part: VALUES.get(part[1], "1"), rule.rule)
        about = "collection" in "".join(rule.arguments) and not rule.rule.startswith("/desk")
        if (not about and OTHERS.fullmatch(path)) or "GET" not in rule.methods:
            continue
        if not any(name in rule.arguments for name in ("collection", "collections")):
            path += "?collections=lanes"
        said = done(ask(own, "POST", "/admin/policies/simulate", {"path": path}))
        assert [item["collection"] for item in said["collections"]] == ["lanes"], path
        assert said["action"] in ("discover", "read", "tile", "stream"), path


def test_an_emergency_shows_its_area_at_once_and_no_more(own, tmp_path):
    places = {"in": [0.5, 0.5], "out": [5, 5]}
    features = [
        {
            "type": "Feature",
            "id": name,
            "geometry": {"type": "Point", "coordinates": place},
            "properties": {"name": name, "kind": "bridge"},
        }
        for name, place in places.items()
    ]
    file = tmp_path / "structures.geojson"
    file.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    own.contribute(file, collection="structures", crs="EPSG:4326")
    assert own.get("/collections/structures/items", "municipal").status_code == 404
    area = {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]]}
    body = {"tier": "emergency", "area": area, "hours": 1, "reason": "Flood"}
    one, two = (Browser(own, "org-operator", "operator").log_in() for _ in range(2))
    number = done(one.ask("POST", "/admin/emergencies", body))["emergency"]
    done(two.ask("POST", f"/admin/emergencies/{number}/confirm", {"reason": "yes"}))
    stop = threading.Event()
    keeper = threading.Thread(target=make_keeper(own.services).run, args=(stop,))
    keeper.start()
    try:
        for _ in range(200):
            answer = own.get("/collections/structures/items", "municipal")
            if answer.status_code != 503:
                break
            time.sleep(0.05)
    finally:
        stop.set()
        keeper.join()
    found = json.loads(answer.data)["features"]
    assert [item["properties"]["name"] for item in found] == ["in"]
    assert own.get("/collections/structures/items", "developer").status_code == 404
    done(ask(own, "POST", f"/admin/emergencies/{number}/end", {"reason": "over"}))
    assert own.get("/collections/structures/items", "municipal").status_code == 404


def test_two_persons_switch_an_emergency_on_and_everybody_can_see_that(own):
    area = {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]]}
    body = {"tier": "emergency", "area": area, "hours": 2, "reason": "Flood", "reason_ja": "洪水"}
    one, two = (Browser(own, "org-operator", "operator").log_in() for _ in range(2))
    number = done(one.ask("POST", "/admin/emergencies", body))["emergency"]
    path = f"/admin/emergencies/{number}"
    assert one.ask("POST", f"{path}/confirm", {"reason": "mine"}).status_code == 409
    again = Browser(own, "org-operator", "operator")
    again.person = one.person  # the same person in another browser
    assert again.log_in().ask("POST", f"{path}/confirm", {"reason": "mine"}).status_code == 409
    assert done(ask(own, "GET", "/emergency", key=None))["emergencies"] == []
    done(two.ask("POST", f"{path}/confirm", {"reason": "seen it"}))
    (told,) = done(ask(own, "GET", "/emergency", key=None))["emergencies"]
    assert (told["reason_ja"], told["area"], told["held"]) == ("洪水", area, False)
    (mine,) = done(ask(own, "GET", "/me", key="municipal"))["emergencies"]
    assert mine["held"]
    assert "lanes" in {
        name
        for item in done(ask(own, "GET", "/me", key="municipal"))["grants"]
        for name in item["collections"]
    }
    done(ask(own, "POST", f"{path}/end", {"reason": "over"}))
    assert done(ask(own, "GET", "/emergency", key=None))["emergencies"] == []
    (listed,) = done(ask(own, "GET", "/admin/emergencies"))["emergencies"]
    assert listed["state"] == "ended"


def test_a_tier_of_operators_is_not_offered_and_no_offer_of_one_is_shown(own):
    offer = {"title": "All", "title_ja": "全て", "tiers": ["operator"]}
    body = {"id": "all", "offer": offer, "reason": "new"}
    assert ask(own, "POST", "/admin/offers", body).status_code == 400
    done(ask(own, "POST", "/admin/offers", body | {"offer": offer | {"tiers": ["provider"]}}))
    document = done(ask(own, "GET", "/admin/tiers"))["tiers"]
    document["provider"]["role"] = "operator"
    done(ask(own, "POST", "/admin/tiers", {"tiers": document, "reason": "others run it now"}))
    assert done(ask(own, "GET", "/offers", key=None))["offers"] == []


def test_nobody_becomes_an_operator_by_a_slip(own):
    parties = [
        {"organisation": "operator", "part": "provider"},
        {"organisation": "org-automaker", "part": "consumer"},
    ]
    term = {"starts": "2020-01-01T00:00:00Z", "ends": "2099-01-01T00:00:00Z"}
    said = {"id": "slip", "parties": parties, "tiers": ["automaker", "operator"], "term": term}
    body = {"agreement": said, "reason": "new"}
    refused = ask(own, "POST", "/admin/agreements", body)
    assert (refused.status_code, refused.json["parameter"]) == (400, "tiers")
    for consumer in ("operator", "org-operator"):  # by name, and because it holds one
        sides = [parties[0], parties[1] | {"organisation": consumer}]
        mine = said | {"id": f"of-{consumer}", "parties": sides}
        own.local.add_organisation(consumer, consumer)
        done(ask(own, "POST", "/admin/agreements", body | {"agreement": mine}))
    done(ask(own, "POST", "/admin/agreements", body | {"operator": True}))


EMERGENCY = {
    "tier": "emergency",
    "area": {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]]},
    "hours": 1,
    "reason": "Flood",
}


def test_keys_are_no_persons_where_two_are_needed(own):
    person = Browser(own, "org-operator", "operator").log_in()
    assert ask(own, "POST", "/admin/emergencies", EMERGENCY).status_code == 403
    number = done(person.ask("POST", "/admin/emergencies", EMERGENCY))["emergency"]
    second = own.local.create_key("org-operator", (), days=1)
    path = f"/admin/emergencies/{number}/confirm"
    assert ask(own, "POST", path, {"reason": "yes"}, key=second).status_code == 403
    assert done(ask(own, "GET", "/emergency", key=None))["emergencies"] == []


@pytest.mark.parametrize("proposer", ["one who invites", "one who is invited"])
def test_nobody_is_the_second_person_by_an_invite_of_their_own(own, proposer):
    boss = Browser(own, "org-operator", "operator", "admin").log_in()
    puppet = Browser(own, "org-operator", "operator")
    made = boss.ask("POST", f"/me/persons/{puppet.person}/invite", {}).json
    puppet.log_in(made["link"].partition("#invite=")[2])
    first, second = (boss, puppet) if proposer == "one who invites" else (puppet, boss)
    number = done(first.ask("POST", "/admin/emergencies", EMERGENCY))["emergency"]
    path = f"/admin/emergencies/{number}/confirm"
    assert second.ask("POST", path, {"reason": "yes"}).status_code == 409
    third = Browser(own, "org-operator", "operator").log_in()
    assert third.ask("POST", path, {"reason": "yes"}).status_code == 201


def invited_by(one, own):
    """A new person who was let in by an invite that this one made."""
    other = Browser(own, "org-operator", "operator", "admin")
    made = one.ask("POST", f"/me/persons/{other.person}/invite", {}).json
    return other.log_in(made["link"].partition("#invite=")[2])


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("pair", ["siblings", "grandchild", "cousins"])
def test_all_whom_one_person_has_let_in_are_no_two_persons(own, pair, turned):
    boss = Browser(own, "org-operator", "operator", "admin").log_in()
    child = invited_by(boss, own)
    two = {
        "siblings": lambda: (child, invited_by(boss, own)),
        "grandchild": lambda: (boss, invited_by(child, own)),
        "cousins": lambda: (invited_by(child, own), invited_by(invited_by(boss, own), own)),
    }[pair]()
    first, second = reversed(two) if turned else two
    number = done(first.ask("POST", "/admin/emergencies", EMERGENCY))["emergency"]
    path = f"/admin/emergencies/{number}/confirm"
    assert second.ask("POST", path, {"reason": "yes"}).status_code == 409
    third = Browser(own, "org-operator", "operator", "admin").log_in()
    whom_third_let_in = invited_by(third, own)
    assert whom_third_let_in.ask("POST", path, {"reason": "yes"}).status_code == 201


def test_erasing_who_stood_between_them_makes_no_two_persons(own):
    boss = Browser(own, "org-operator", "operator", "admin").log_in()
    child = invited_by(boss, own)
    grandchild = invited_by(child, own)
    number = done(boss.ask("POST", "/admin/emergencies", EMERGENCY))["emergency"]
    assert boss.ask("DELETE", f"/me/persons/{child.person}").status_code < 300
    path = f"/admin/emergencies/{number}/confirm"
    assert grandchild.ask("POST", path, {"reason": "yes"}).status_code == 409
