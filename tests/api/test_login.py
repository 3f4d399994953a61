"""Logging in by an invite: once, from an own page alone, ended within a second; what a session may."""

from __future__ import annotations

import json
import sqlite3

import pytest

from geoshare.errors import TooMany, Unauthenticated
from geoshare.services import build_services
from tests.people import ORIGIN, Browser

FOREIGN = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}


@pytest.fixture
def officer(own) -> Browser:
    return Browser(own, "org-municipal", "viewer").log_in()


def test_an_invite_lets_its_person_in_with_what_the_organisation_holds(own, officer):
    told = officer.ask("GET", "/me").json
    by_key = own.get("/me", "municipal").json
    assert told["person"]["id"] == officer.person
    assert told["person"]["roles"] == ["viewer"]
    assert told["organisation"] == "org-municipal"
    assert [tier["id"] for tier in told["tiers"]] == [tier["id"] for tier in by_key["tiers"]]
    assert told["collections"] == by_key["collections"]
    assert by_key["person"] is None


def test_an_invite_works_once_and_a_newer_one_ends_it(own):
    person = Browser(own, "org-municipal", "viewer")
    first = person.invite()
    second = person.invite()
    assert person.accept(first).status_code == 401
    assert person.accept(second).status_code == 200
    again = own.client.application.test_client()
    answer = again.post("/login/invite", json={"invite": second}, headers={"Origin": ORIGIN})
    assert answer.status_code == 401
    assert again.get_cookie("geoshare-session") is None


def test_looking_at_an_invite_or_at_its_link_does_not_use_it_up(own):
    person = Browser(own, "org-municipal", "viewer", name="佐藤 一郎")
    invite = person.invite()
    for _ in range(2):
        answer = person.client.post(
            "/login/invite", json={"invite": invite, "look": True}, headers={"Origin": ORIGIN}
        )
        assert answer.json["name"] == "佐藤 一郎"
        assert "Set-Cookie" not in answer.headers
    assert person.client.get("/login").status_code in (200, 503)  # 503: pages that are not built
    assert person.accept(invite).status_code == 200


def test_every_invite_that_does_not_count_gets_the_same_answer(own):
    person = Browser(own, "org-municipal", "viewer")
    used = person.invite()
    person.accept(used)
    gone = Browser(own, "org-municipal", "viewer")
    revoked = gone.invite()
    own.services.people.revoke_invites(own.services.people.person(gone.person))
    disabled = Browser(own, "org-municipal", "viewer")
    theirs = disabled.invite()
    own.services.people.disable(own.services.people.person(disabled.person))
    fresh = Browser(own, "org-municipal", "viewer").invite()
    wrong = fresh[:-1] + ("0" if fresh[-1] != "0" else "1")
    unknown = fresh.replace(fresh.split("_")[1], "0" * 16)
    answers = {
        (answer.status_code, answer.data)
        for text in (used, revoked, theirs, wrong, unknown, "nonsense", "")
        if (answer := person.accept(text))
    }
    assert len(answers) == 1
    assert answers.pop()[0] == 401


def test_a_malformed_invite_is_told_what_an_invite_is(own):
    headers = {"Origin": ORIGIN, "Sec-Fetch-Site": "same-origin"}
    for invite, status in ((5, 400), ("gi_" + "0" * 200, 400), ("gi_0\u0000", 400), ("gi_x y", 401)):
        body = {"invite": invite}
        answer = own.client.post("/login/invite", json=body, headers=headers)
        assert answer.status_code == status, invite
        assert str(invite) not in answer.text
        if status == 400:
            assert answer.json["parameter"] == "invite"
            assert answer.json["allowed"]
        else:
            assert answer.json["title"] == "The credential is not valid"


def test_an_invite_and_a_session_end_by_themselves(own):
    person = Browser(own, "org-municipal", "viewer")
    invite = person.invite(hours=1)
    clock = _Moved(own.services.clock)
    own.services.clock = own.services.sessions._clock = clock
    clock.by_us = 3_600_000_000
    assert person.accept(invite).status_code == 401
    person.log_in(person.invite())
    text = person.cookie
    sessions = own.services.sessions
    clock.by_us += sessions.life.idle_us - 10_000_000
    assert sessions.authenticate(text).person == person.person
    own.services.session_uses.flush()
    clock.by_us += sessions.life.idle_us - 10_000_000  # used in between
    assert sessions.authenticate(text).person == person.person
    clock.by_us += sessions.life.idle_us
    with pytest.raises(Unauthenticated):
        sessions.authenticate(text)


def test_a_session_used_every_day_ends_all_the_same(own, officer):
    clock = _Moved(own.services.clock)
    own.services.sessions._clock = clock
    for _ in range(40):
        clock.by_us += 86_400_000_000
        own.services.governance.persons.note_uses({_id(officer): clock.now_us()})
        if clock.by_us < own.services.sessions.life.whole_us:
            own.services.sessions.authenticate(officer.cookie)
    with pytest.raises(Unauthenticated):
        own.services.sessions.authenticate(officer.cookie)


def test_another_worker_refuses_an_ended_session_within_a_second(own, officer):
    other = build_services(own.settings)
    clock = _Moved(other.clock)
    other.sessions._clock = clock
    text = officer.cookie
    assert other.sessions.authenticate(text).person == officer.person
    assert officer.ask("POST", "/logout").status_code == 204
    assert officer.client.get_cookie("geoshare-session") is None
    clock.by_us = 1_000_000
    with pytest.raises(Unauthenticated):
        other.sessions.authenticate(text)


def test_a_person_who_is_let_in_no_more_is_out_within_a_second(own, officer):
    other = build_services(own.settings)
    clock = _Moved(other.clock)
    other.sessions._clock = clock
    text = officer.cookie
    other.sessions.authenticate(text)
    own.services.people.disable(own.services.people.person(officer.person))
    clock.by_us = 1_000_000
    with pytest.raises(Unauthenticated):
        other.sessions.authenticate(text)
    answer = officer.ask("GET", "/me")
    assert answer.status_code == 401
    assert "geoshare-session=;" in answer.headers["Set-Cookie"]


def test_the_cookie_is_for_this_server_alone_and_for_no_script(own):
    person = Browser(own, "org-municipal", "viewer")
    plain = person.accept(person.invite()).headers["Set-Cookie"]
    assert plain.startswith("geoshare-session=")
    for word in ("HttpOnly", "SameSite=Strict", "Path=/"):
        assert word in plain
    assert "Domain" not in plain
    own.settings.__dict__["public_url"] = "https://map.example.jp"
    secure = person.accept(person.invite(), Origin="https://map.example.jp").headers["Set-Cookie"]
    assert secure.startswith("__Host-geoshare-session=")
    assert "Secure" in secure
    # a cookie without the prefix could have been set by another host: it is nobody's
    text = secure.partition("=")[2].partition(";")[0]
    other = own.client.application.test_client(use_cookies=False)
    for name, anonymous in (("__Host-geoshare-session", False), ("geoshare-session", True)):
        told = other.get("/me", headers={"Cookie": f"{name}={text}"}).json
        assert told["anonymous"] is anonymous


def test_two_cookies_of_the_name_are_nobodys(own, officer):
    other = Browser(own, "org-developer", "viewer").log_in()
    one, two = (f"geoshare-session={browser.cookie}" for browser in (other, officer))
    plain = own.client.application.test_client(use_cookies=False)
    for said, anonymous in ((one, False), (two, False), (f"{one}; {two}", True)):
        assert plain.get("/me", headers={"Cookie": said}).json["anonymous"] is anonymous


def test_another_site_cannot_log_anybody_in(own):
    person = Browser(own, "org-municipal", "viewer")
    invite = person.invite()
    for headers in (
        FOREIGN,
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "http://localhost.evil.example"},
        {},
    ):
        client = own.client.application.test_client()
        answer = client.post("/login/invite", json={"invite": invite}, headers=headers)
        assert answer.status_code == 403, headers
        assert "Set-Cookie" not in answer.headers
    assert person.accept(invite).status_code == 200


def test_another_site_changes_nothing_under_a_session(own, officer):
    right = {"Origin": ORIGIN, "X-CSRF-Token": officer.token}
    other = Browser(own, "org-municipal", "viewer").log_in()
    for headers in (
        {},
        {"Origin": ORIGIN},
        {"X-CSRF-Token": officer.token},
        right | {"Origin": "https://evil.example"},
        right | {"Sec-Fetch-Site": "cross-site"},
        right | {"X-CSRF-Token": other.token},
        right | {"X-CSRF-Token": "\u00e9"},
    ):
        for method, path in (("POST", "/logout"), ("POST", "/extracts"), ("DELETE", "/jobs/x")):
            answer = officer.client.open(path, method=method, headers=headers, json={})
            assert (answer.status_code, answer.json["type"]) == (403, "about:blank#cross-site")
    assert officer.client.post("/logout", headers=right).status_code == 204


def test_a_key_beside_a_session_is_what_counts(own, officer):
    told = officer.client.get("/me", headers={"X-API-Key": own.keys["developer"]}).json
    assert (told["organisation"], told["person"]) == ("org-developer", None)
    wrong = officer.client.get("/me", headers={"X-API-Key": "gs_wrong"})
    assert wrong.status_code == 401


def test_logging_in_gives_another_session_and_ends_the_one_before(own, officer):
    before = officer.cookie
    officer.log_in()
    assert officer.cookie != before
    with pytest.raises(Unauthenticated):
        own.services.sessions.authenticate(before)
    # a text that somebody else has put into the browser is not taken over
    planted = before[:-4] + "0000"
    victim = Browser(own, "org-municipal", "viewer")
    victim.client.set_cookie("geoshare-session", planted, domain="localhost")
    assert victim.log_in().cookie != planted


def test_who_asks_without_the_browsers_word_is_told_which_header_is_missing(own):
    answer = own.client.post("/login/invite", json={"invite": "gi_0_0"})
    assert (answer.status_code, answer.json["parameter"]) == (403, "Origin")
    assert "Sec-Fetch-Site" in answer.json["allowed"]


def test_pages_load_with_a_session_that_is_over_and_it_is_forgotten(own, officer):
    officer.client.set_cookie("geoshare-session", officer.cookie[:-4] + "0000", domain="localhost")
    assert officer.ask("GET", "/me").status_code == 401
    officer.client.set_cookie("geoshare-session", "gb_made_up", domain="localhost")
    answer = officer.client.get("/", headers={"Accept": "text/html"})
    assert answer.status_code == 200
    assert "geoshare-session=;" in answer.headers["Set-Cookie"]
    for page in ("/map", "/contribute", "/account", "/desk"):
        officer.client.set_cookie("geoshare-session", "gb_made_up", domain="localhost")
        answer = officer.client.get(page)
        assert answer.status_code in (200, 503), page  # 503: pages that are not built
        assert "geoshare-session=;" in answer.headers["Set-Cookie"]


def test_answers_to_a_session_are_kept_by_no_shared_cache(own, officer):
    for path in ("/collections", "/me", "/tiles"):
        answer = officer.ask("GET", path)
        assert "private" in answer.headers["Cache-Control"], path
        assert "Cookie" in answer.headers["Vary"]


def test_own_sessions_are_listed_and_ended_and_others_are_not_there(own, officer):
    elsewhere = own.client.application.test_client()
    second = Browser.__new__(Browser)
    second.own, second.person, second.client, second.token = own, officer.person, elsewhere, ""
    second.log_in(officer.invite())
    listed = officer.ask("GET", "/me/sessions").json["sessions"]
    assert [item["current"] for item in listed].count(True) == 1
    assert len(listed) == 2
    assert officer.cookie.split("_")[2] not in json.dumps(listed)
    stranger = Browser(own, "org-municipal", "viewer", name="another").log_in()
    for number in (_id(second), "0000000000000000"):
        gone = stranger.ask("DELETE", f"/me/sessions/{number}")
        assert (gone.status_code, gone.json["title"]) == (404, "Not found")
    assert officer.ask("DELETE", f"/me/sessions/{_id(second)}").status_code == 204
    assert second.ask("GET", "/me").status_code == 401
    assert officer.ask("GET", "/me").status_code == 200
    assert own.get("/me/sessions", "municipal").status_code == 403
    assert own.get("/me/sessions", None).status_code == 403


def test_attempts_are_counted_by_address(own):
    client = own.client
    said = {"Origin": ORIGIN}
    answers = [
        client.post("/login/invite", json={"invite": f"gi_{n}"}, headers=said).status_code
        for n in range(32)
    ]
    assert answers.count(401) <= 30
    assert answers[-1] == 429
    with pytest.raises(TooMany):
        own.services.quotas.attempt("login", "127.0.0.1", 30)


def test_neither_an_invite_nor_a_session_is_stored_or_logged(own, caplog):
    person = Browser(own, "org-municipal", "viewer")
    invite = person.invite()
    with caplog.at_level("DEBUG"):
        person.log_in(invite)
    secrets = invite.split("_")[2], person.cookie.split("_")[2]
    own.services.session_uses.flush()
    database = sqlite3.connect(own.settings.data / "governance.db")
    dump = "\n".join(database.iterdump())
    for secret in secrets:
        assert secret not in dump
        assert secret not in caplog.text


def test_a_person_without_a_role_sees_what_everybody_sees(own):
    nobody = Browser(own, "org-automaker").log_in()
    told, everybody = nobody.ask("GET", "/me").json, own.get("/me", None).json
    assert told["tiers"] == everybody["tiers"]
    assert told["collections"] == everybody["collections"]
    assert told["can_contribute"] is False


def test_wrong_bodies_are_refused_by_name(own):
    for body in ({}, {"invite": 3}, {"invite": "x" * 201}, {"invite": "x", "next": "//evil"}):
        answer = own.client.post("/login/invite", json=body, headers={"Origin": ORIGIN})
        assert answer.status_code == 400
        assert answer.json["parameter"] in ("invite", "next")


def _id(browser: Browser) -> str:
    return browser.cookie.split("_")[1]


class _Moved:
    def __init__(self, clock) -> None:
        self._clock = clock
        self.by_us = 0

    def now_us(self) -> int:
        return self._clock.now_us() + self.by_us


@pytest.mark.parametrize("path", ["/me", "/collections", "/collections/shelters/items?limit=1"])
def test_a_page_of_who_was_logged_in_before_reads_nothing_as_somebody_else(own, officer, path):
    before = officer.token
    assert officer.ask("GET", path, **{"X-CSRF-Token": before}).status_code != 403
    officer.log_in()
    answer = officer.ask("GET", path, **{"X-CSRF-Token": before})
    assert answer.status_code == 403
    assert answer.json["type"].endswith("#other-session")
    assert officer.ask("GET", path, **{"X-CSRF-Token": officer.token}).status_code != 403
