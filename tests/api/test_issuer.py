"""Logging in at an issuer: for persons who are known, bound to one browser, by tokens that count."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from joserfc.jwk import RSAKey

from tests.api.conftest import Own
from tests.issuer import CLIENT, SECRET, FakeIssuer
from tests.people import ORIGIN, Browser

FLOW = "geoshare-login"


@pytest.fixture(scope="module")
def running() -> Iterator[FakeIssuer]:
    found = FakeIssuer()
    yield found
    found.stop()


@pytest.fixture
def issuer(running: FakeIssuer, monkeypatch) -> FakeIssuer:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    running.claims, running.header, running.sign_with, running.subject = {}, {}, None, "subject-1"
    return running


@pytest.fixture
def there(tmp_path: Path, issuer: FakeIssuer) -> Own:
    """A geoshare with that issuer."""
    secret = tmp_path / "secret"
    secret.write_text(f"{SECRET}\n", "utf-8")
    said = {"oidc_issuer": issuer.url, "oidc_client_id": CLIENT, "oidc_secret_file": secret}
    return Own(tmp_path / "data", **said)


@pytest.fixture
def person(there: Own, issuer: FakeIssuer) -> Browser:
    """Somebody who has connected an account, and has logged out."""
    found = Browser(there, "org-municipal", "viewer").log_in()
    href = found.ask("POST", "/me/issuer", {}).json["href"]
    answer = found.client.get("/login/callback", query_string=issuer.visit(href))
    assert answer.headers["Location"] == "/account"
    found.token = found.ask("GET", "/me").json["csrf_token"]
    assert found.ask("POST", "/logout").status_code == 204
    return found


def begin(client) -> str:
    answer = client.post("/login/issuer", headers={"Origin": ORIGIN})
    assert answer.status_code == 200, answer.data
    return answer.json["href"]


def logged_in(client) -> bool:
    return client.get_cookie("geoshare-session") is not None


def test_who_has_connected_an_account_logs_in_by_it(there, issuer, person):
    client = there.client.application.test_client()
    answer = client.get("/login/callback", query_string=issuer.visit(begin(client)))
    assert (answer.status_code, answer.headers["Location"]) == (303, "/account")
    assert client.get("/me").json["person"]["id"] == person.person
    assert client.get_cookie(FLOW) is None
    assert client.get("/me/sessions").json["sessions"][0]["how"] == "oidc"


def test_an_account_of_nobody_here_makes_nobody(there, issuer, person):
    before = there.services.people.listed()
    issuer.subject = "somebody else"
    client = there.client.application.test_client()
    answer = client.get("/login/callback", query_string=issuer.visit(begin(client)))
    assert (answer.headers["Location"], logged_in(client)) == ("/login#failed", False)
    assert there.services.people.listed() == before


def test_a_person_who_is_let_in_no_more_is_not_let_in_this_way(there, issuer, person):
    there.services.people.disable(there.services.people.person(person.person))
    client = there.client.application.test_client()
    answer = client.get("/login/callback", query_string=issuer.visit(begin(client)))
    assert (answer.headers["Location"], logged_in(client)) == ("/login#failed", False)


def test_an_account_is_connected_to_one_person(there, issuer, person):
    other = Browser(there, "org-municipal", "viewer").log_in()
    href = other.ask("POST", "/me/issuer", {}).json["href"]
    answer = other.client.get("/login/callback", query_string=issuer.visit(href))
    assert answer.headers["Location"] == "/login#failed"
    assert other.ask("GET", "/me").json["person"]["id"] == other.person
    assert there.get("/me", "municipal").status_code == 200
    by_key = there.client.post("/me/issuer", headers={"X-API-Key": there.keys["municipal"]})
    assert by_key.status_code == 403


def test_a_login_is_bound_to_the_browser_that_began_it(there, issuer, person):
    attacker, victim = (there.client.application.test_client() for _ in range(2))
    brought = issuer.visit(begin(attacker))
    assert victim.get("/login/callback", query_string=brought).headers["Location"] == "/login#failed"
    begin(victim)  # a login of the victim's own does not help
    assert victim.get("/login/callback", query_string=brought).headers["Location"] == "/login#failed"
    assert not logged_in(victim)


@pytest.mark.parametrize(
    "change",
    [
        {"state": "x"},
        {"state": ""},
        {"code": "made up"},
        {"iss": "https://other.example"},
        {"error": "access_denied"},
    ],
)
def test_what_comes_back_changed_lets_nobody_in(there, issuer, person, change):
    client = there.client.application.test_client()
    brought = issuer.visit(begin(client)) | change
    assert client.get("/login/callback", query_string=brought).headers["Location"] == "/login#failed"
    assert not logged_in(client)


def test_a_code_and_a_login_work_once_and_not_for_long(there, issuer, person):
    client = there.client.application.test_client()
    brought = issuer.visit(begin(client))
    kept = client.get_cookie(FLOW).value
    assert client.get("/login/callback", query_string=brought).headers["Location"] == "/account"
    other = there.client.application.test_client()
    other.set_cookie(FLOW, kept, domain="localhost")
    assert other.get("/login/callback", query_string=brought).headers["Location"] == "/login#failed"
    late = there.client.application.test_client()
    brought = issuer.visit(begin(late))
    clock = there.services.clock

    class Later:
        def now_us(self) -> int:
            return clock.now_us() + 601_000_000

    there.services.clock = Later()
    assert late.get("/login/callback", query_string=brought).headers["Location"] == "/login#failed"


LIES = {
    "another issuer": {"claims": {"iss": "https://other.example"}},
    "another audience": {"claims": {"aud": "other"}},
    "several audiences and no party": {"claims": {"aud": [CLIENT, "other"]}},
    "several audiences, for another": {"claims": {"aud": [CLIENT, "other"], "azp": "other"}},
    "another login": {"claims": {"nonce": "x"}},
    "no login": {"claims": {"nonce": None}},
    "over": {"claims": {"exp": int(time.time()) - 120}},
    "no end": {"claims": {"exp": None}},
    "from the future": {"claims": {"iat": int(time.time()) + 3_600}},
    "nobody": {"claims": {"sub": ""}},
    "a number": {"claims": {"sub": 7}},
    "no signature": {"header": {"alg": "none"}},
    "its own key": {"header": {"jwk": {"kty": "oct", "k": "AAAA"}}},
    "a key elsewhere": {"header": {"jku": "https://other.example/keys"}},
    "an unknown key": {"header": {"kid": "two"}},
}


@pytest.mark.parametrize("lie", LIES)
def test_a_token_that_does_not_count_lets_nobody_in(there, issuer, person, lie):
    for name, value in LIES[lie].items():
        setattr(issuer, name, value)
    client = there.client.application.test_client()
    answer = client.get("/login/callback", query_string=issuer.visit(begin(client)))
    assert (answer.headers["Location"], logged_in(client)) == ("/login#failed", False)


def test_a_token_of_another_key_or_of_a_confused_algorithm_lets_nobody_in(there, issuer, person):
    for key, header in ((RSAKey.generate_key(2048), {}), (None, {"alg": "HS256"})):
        issuer.sign_with, issuer.header = key, header
        client = there.client.application.test_client()
        answer = client.get("/login/callback", query_string=issuer.visit(begin(client)))
        assert (answer.headers["Location"], logged_in(client)) == ("/login#failed", False)


def test_another_site_begins_no_login(there, issuer):
    asked = len(issuer.asked)
    for headers in ({}, {"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        assert there.client.post("/login/issuer", headers=headers).status_code == 403
    assert len(issuer.asked) == asked


def test_without_the_setting_nothing_is_there_and_nothing_is_asked(own, monkeypatch):
    monkeypatch.setattr(
        "urllib.request.OpenerDirector.open", lambda *args, **said: pytest.fail("asked")
    )
    assert own.client.post("/login/issuer", headers={"Origin": ORIGIN}).status_code == 404
    assert own.client.get("/login/callback?state=x&code=y").status_code == 404
    assert own.client.get("/map/settings.json").json["login"] is None


def test_an_issuer_that_is_away_is_unavailable_and_erasing_forgets_the_account(there, issuer, person):
    there.services.issuer._kept.clear()
    object.__setattr__(there.settings, "oidc_issuer", "http://127.0.0.1:9")
    assert there.client.post("/login/issuer", headers={"Origin": ORIGIN}).status_code == 503
    object.__setattr__(there.settings, "oidc_issuer", "http://issuer.example")  # not secure
    assert there.client.post("/login/issuer", headers={"Origin": ORIGIN}).status_code == 503
    there.services.people.erase(there.services.people.person(person.person))
    dump = "\n".join(sqlite3.connect(there.settings.data / "governance.db").iterdump())
    assert "subject-1" not in dump
