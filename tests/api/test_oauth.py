"""Client credentials as an OAuth client meets them."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote

import pytest

from geoshare.api.oauth import MAX_BODY
from geoshare.services import build_services
from tests.api.conftest import Own

GRANT = "client_credentials"


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Own:
    return Own(tmp_path_factory.mktemp("own") / "data")


def client(town: Own, tier: str = "municipal") -> tuple[str, str]:
    _, key_id, secret, _ = town.keys[tier].split("_")
    return key_id, secret


def ask(town: Own, form: dict | str, basic: tuple[str, str] | None = None, **headers: str):
    if basic is not None:
        said = ":".join(quote(part, safe="") for part in basic)
        headers["Authorization"] = f"Basic {base64.b64encode(said.encode()).decode()}"
    kind = headers.pop("content_type", "application/x-www-form-urlencoded")
    address = headers.pop("address", "192.0.2.1")
    return town.client.post(
        "/oauth/token",
        data=form,
        headers=headers,
        content_type=kind,
        environ_overrides={"REMOTE_ADDR": address},
    )


def token(town: Own, tier: str = "municipal", **form: str) -> str:
    answer = ask(town, {"grant_type": GRANT, **form}, client(town, tier), address=f"{tier}{form}")
    assert answer.status_code == 200, answer.data
    return answer.json["access_token"]


def get(town: Own, path: str, text: str, **said):
    return town.client.open(path, headers={"Authorization": f"Bearer {text}"}, **said)


def test_id_and_secret_give_a_token_in_either_way(town):
    key_id, secret = client(town)
    ways = (
        ask(town, {"grant_type": GRANT}, (key_id, secret)),
        ask(town, {"grant_type": GRANT, "client_id": key_id, "client_secret": secret}),
        ask(town, {"grant_type": GRANT, "client_id": key_id, "client_secret": town.keys["municipal"]}),
    )
    for answer in ways:
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Pragma"] == "no-cache"
        assert (answer.json["token_type"], answer.json["expires_in"]) == ("Bearer", 600)
        assert set(answer.json) == {"access_token", "token_type", "expires_in"}
        told = get(town, "/me", answer.json["access_token"]).json
        assert told["organisation"] == "org-municipal"
    assert len({answer.json["access_token"] for answer in ways}) == 3


@pytest.mark.parametrize(
    ("form", "basic", "status", "code"),
    [
        ({}, True, 400, "invalid_request"),
        ({"grant_type": ""}, True, 400, "invalid_request"),
        ({"grant_type": "password"}, True, 400, "unsupported_grant_type"),
        ({"grant_type": "authorization_code"}, True, 400, "unsupported_grant_type"),
        (f"grant_type={GRANT}&grant_type={GRANT}", True, 400, "invalid_request"),
        (f"grant_type={GRANT}&scope=a&scope=b", True, 400, "invalid_request"),
        ("&".join(f"a{n}=1" for n in range(30)), True, 400, "invalid_request"),
        (b"\xff=\xfe", True, 400, "invalid_request"),
        ("x" * (MAX_BODY + 1), True, 400, "invalid_request"),
        ({"grant_type": GRANT, "client_secret": "x"}, True, 400, "invalid_request"),
        ({"grant_type": GRANT, "client_id": "other"}, True, 400, "invalid_request"),
        ({"grant_type": GRANT}, False, 401, "invalid_client"),
        ({"grant_type": GRANT, "client_id": "x" * 16}, False, 401, "invalid_client"),
        ({"grant_type": GRANT, "client_id": "a", "client_secret": "b"}, False, 401, "invalid_client"),
        ({"grant_type": GRANT, "scope": "nowhere"}, True, 400, "invalid_scope"),
        ({"grant_type": GRANT, "scope": "lanes nowhere"}, True, 400, "invalid_scope"),
        ({"grant_type": GRANT, "scope": "  "}, True, 400, "invalid_scope"),
    ],
)
def test_what_is_wrong_is_said_as_the_standard_says_it(town, form, basic, status, code):
    answer = ask(town, form, client(town) if basic else None, address=f"{form}{basic}"[:60])
    assert (answer.status_code, answer.json["error"]) == (status, code)
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.content_type == "application/json"
    assert ("WWW-Authenticate" in answer.headers) == (status == 401)


def test_other_schemes_and_second_credentials_are_refused(town):
    form = {"grant_type": GRANT}
    for said in ("Bearer x", "Basic", "Basic !!!", "Basic eA==", "Digest x"):
        answer = ask(town, form, Authorization=said, address=said)
        assert (answer.status_code, answer.json["error"]) == (401, "invalid_client")
        assert answer.headers["WWW-Authenticate"].startswith("Basic")
    answer = ask(town, form, client(town), **{"X-API-Key": town.keys["municipal"]})
    assert (answer.status_code, answer.json["error"]) == (400, "invalid_request")
    for kind in ("application/json", "multipart/form-data", ""):
        answer = ask(town, json.dumps(form), client(town), content_type=kind)
        assert (answer.status_code, answer.json["error"]) == (400, "invalid_request")
    assert town.client.post("/oauth/token?x=1", data=form).status_code == 400
    assert town.client.get("/oauth/token").status_code == 405


def test_an_unknown_id_and_a_wrong_secret_are_not_told_apart(town):
    key_id, secret = client(town)
    wrong = [
        (key_id, "0" * 64),
        ("0" * 16, secret),
        (client(town, "operator")[0], secret),
        (key_id, ""),
        (key_id, town.keys["developer"]),
        ("", ""),
        ("a:b", "c"),
    ]
    answers = {ask(town, {"grant_type": GRANT}, pair, address="wrong").data for pair in wrong}
    assert len(answers) == 1


def test_attempts_are_counted_by_address_and_tokens_by_key(town):
    form = {"grant_type": GRANT}
    said = [ask(town, form, ("0" * 16, "x"), address="198.51.100.9") for _ in range(62)]
    assert [answer.status_code for answer in said[:2]] == [401, 401]
    assert said[-1].status_code == 429
    assert int(said[-1].headers["Retry-After"]) >= 1
    # others go on, also for the id that was tried
    assert ask(town, form, client(town), address="198.51.100.10").status_code == 200
    many = [
        ask(town, form, client(town, "developer"), address=f"203.0.113.{n}").status_code
        for n in range(62)
    ]
    assert many[0] == 200
    assert many[-1] == 429


def test_a_token_reads_and_manages_no_keys(town):
    text = token(town)
    for path, body in (("/me/keys", {"days": 1}), ("/me/links", {"path": "/me"})):
        assert get(town, path, text, method="POST", json=body).status_code == 403
    assert get(town, "/me/keys", text).status_code == 403
    again = ask(town, {"grant_type": GRANT}, Authorization=f"Bearer {text}", address="again")
    assert again.status_code == 401
    assert get(town, "/admin/tiers", token(town, "operator")).status_code == 200
    for wrong in (text[:-3], text + "x", "a.b.c", "."):
        answer = get(town, "/me", wrong)
        assert (answer.status_code, answer.json["title"]) == (401, "The credential is not valid")


def test_a_scope_is_all_that_there_is_for_a_token(town, tmp_path):
    place = {"type": "Point", "coordinates": [139.7, 35.6]}
    for name in ("places", "shelters"):
        path = tmp_path / f"{name}.geojson"
        feature = {"type": "Feature", "properties": {"name": "x"}, "geometry": place}
        path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}), "utf-8")
        town.contribute(path, collection=name)
    text = token(town, scope="places")
    assert get(town, "/collections/places/items", text).json["numberReturned"] == 1
    assert town.get("/collections/shelters/items", "municipal").status_code == 200
    hidden = get(town, "/collections/shelters/items", text)
    nothing = get(town, "/collections/nowhere_at_all/items", text)
    assert (hidden.status_code, hidden.data) == (404, nothing.data)
    assert [item["id"] for item in get(town, "/collections", text).json["collections"]] == [
        "places",
        "catalogue",
    ]
    told = get(town, "/me", text)
    assert b"shelters" not in told.data.replace(b"shelters_", b"")
    assert (told.json["collections"], told.json["can_contribute"]) == (["places"], False)
    assert [item["id"] for item in told.json["agreements"]] == ["open"]
    assert get(town, "/search?q=x", text).json["results"][0]["collection"] == "places"
    admin = token(town, "operator", scope="places")
    assert get(town, "/admin/tiers", admin).status_code == 404
    assert get(town, "/jobs", text).json == {"jobs": []}


def test_what_a_token_asks_counts_for_its_key(town):
    text = token(town)
    limits = get(town, "/conformance", text).headers["RateLimit"]
    assert int(limits.split("r=")[1].split(";")[0]) < 30_000
    before = town.services.quotas.months.used(client(town)[0]).requests
    get(town, "/conformance", text)
    assert town.services.quotas.months.used(client(town)[0]).requests == before + 1


def test_a_revoked_key_takes_its_tokens_with_it_in_every_worker(own):
    text = token(own)
    other = build_services(own.settings)
    assert other.principal(text).organisation == "org-municipal"
    own.services.keys.revoke(client(own)[0])
    for services in (own.services, other):
        services.authenticator.forget()  # which happens within half a second
        with pytest.raises(Exception, match="not valid"):
            services.principal(text)


def test_every_token_has_its_entry_and_none_is_stored(own):
    text = token(own)
    rows = own.services.trail.rows.of_organisation("org-municipal", None, 100)
    assert json.loads(rows[0].leaf)["kind"] == "token.issue"
    own.services.governance.close()
    held = b"".join(path.read_bytes() for path in own.settings.data.glob("governance.db*"))
    assert text.split(".")[2].encode() not in held


def test_the_server_says_where_tokens_are_to_be_had(town):
    answer = town.get("/.well-known/oauth-authorization-server", None)
    assert answer.json["token_endpoint"] == f"{answer.json['issuer']}/oauth/token"
    assert answer.json["grant_types_supported"] == [GRANT]
    assert "jwks_uri" not in answer.json
    assert "scopes_supported" not in answer.json  # which would name collections
