"""People of an organisation: who may do what about whom, and what is left when somebody is erased."""

from __future__ import annotations

import json
from pathlib import Path

import orjson
import pytest
from click.testing import CliRunner

from geoshare.cli import main
from geoshare.services.auditing import party_of
from tests.people import Browser


@pytest.fixture
def admin(own) -> Browser:
    return Browser(own, "org-municipal", "viewer", "admin", name="管理 太郎").log_in()


def test_an_administrator_adds_a_person_who_comes_in_by_the_link(own, admin):
    department = admin.ask("POST", "/me/departments", {"name": "防災課"}).json
    body = {"name": "鈴木 次郎", "roles": ["viewer", "editor:shelters"], "department": department["id"]}
    made = admin.ask("POST", "/me/persons", body)
    assert made.status_code == 201
    answer = admin.ask("POST", f"/me/persons/{made.json['id']}/invite", {"hours": 2})
    assert (answer.status_code, answer.headers["Cache-Control"]) == (201, "no-store")
    base, _, text = answer.json["link"].partition("/login#invite=")
    assert base == "http://localhost"
    officer = Browser(own, "org-municipal", "viewer")
    officer.log_in(text)
    told = officer.ask("GET", "/me").json["person"]
    assert (told["name"], told["department_name"]) == ("鈴木 次郎", "防災課")
    who = own.services.sessions.authenticate(officer.cookie)
    assert who.may("editor", "shelters")
    assert not who.may("editor", "events")
    assert not who.may("contributor")
    assert who.department == department["id"]
    listed = admin.ask("GET", "/me/persons").json["persons"]
    assert [item["name"] for item in listed if item["id"] == made.json["id"]] == ["鈴木 次郎"]


@pytest.mark.parametrize("role", ["viewer", "editor", "contributor"])
def test_nobody_but_an_administrator_manages_people(own, admin, role):
    other = Browser(own, "org-municipal", role).log_in()
    for method, path, body in (
        ("GET", "/me/persons", None),
        ("POST", "/me/persons", {"name": "x"}),
        ("PATCH", f"/me/persons/{other.person}", {"roles": ["admin"]}),
        ("DELETE", f"/me/persons/{admin.person}", None),
        ("POST", f"/me/persons/{admin.person}/invite", {}),
        ("DELETE", f"/me/persons/{admin.person}/invite", None),
        ("GET", "/me/departments", None),
        ("POST", "/me/departments", {"name": "x"}),
    ):
        assert other.ask(method, path, body).status_code == 403, (method, path)
        by_key = own.client.open(
            path, method=method, json=body, headers={"X-API-Key": own.keys["municipal"]}
        )
        assert by_key.status_code == 403, (method, path)


def test_people_of_another_organisation_are_not_there(own, admin):
    stranger = Browser(own, "org-developer", "viewer", name="secret")
    for method, path, body in (
        ("PATCH", "/me/persons/{}", {"name": "x"}),
        ("DELETE", "/me/persons/{}", None),
        ("POST", "/me/persons/{}/invite", {}),
        ("DELETE", "/me/persons/{}/invite", None),
    ):
        theirs = admin.ask(method, path.format(stranger.person), body)
        nobodys = admin.ask(method, path.format("0" * 16), body)
        assert (theirs.status_code, theirs.data) == (404, nobodys.data)
    assert "secret" not in json.dumps(admin.ask("GET", "/me/persons").json)
    department = own.services.people.add_department("org-developer", "theirs")["id"]
    refused = admin.ask("POST", "/me/persons", {"name": "x", "department": department})
    unknown = admin.ask("POST", "/me/persons", {"name": "x", "department": "0" * 16})
    assert (refused.status_code, refused.data) == (400, unknown.data)


def test_no_role_widens_what_the_organisation_holds(own, admin):
    for roles in (
        ["operator"],
        ["root"],
        ["admin:shelters"],
        ["viewer", "operator"],
        ["editor:nosuch"],
    ):
        answer = admin.ask("POST", "/me/persons", {"name": "x", "roles": roles})
        assert answer.status_code in (400, 403), roles
        assert answer.json["parameter"] == "roles"
    everything = Browser(own, "org-developer", "viewer", "editor", "contributor", "admin").log_in()
    told, by_key = everything.ask("GET", "/me").json, own.get("/me", "developer").json
    for name in ("tiers", "collections", "grants", "can_contribute", "role"):
        assert told[name] == by_key[name], name
    assert everything.ask("GET", "/admin/tiers").status_code == 404


def test_an_operators_person_is_an_operator_by_role_alone(own):
    viewer = Browser(own, "org-operator", "viewer", "admin").log_in()
    operator = Browser(own, "org-operator", "operator").log_in()
    assert viewer.ask("GET", "/admin/tiers").status_code == 404
    assert operator.ask("GET", "/admin/tiers").status_code == 200
    # whoever could invite an operator could become one
    for method, path, body in (
        ("POST", f"/me/persons/{operator.person}/invite", {}),
        ("PATCH", f"/me/persons/{viewer.person}", {"roles": ["operator"]}),
        ("PATCH", f"/me/persons/{operator.person}", {"name": "x"}),
        ("POST", "/me/persons", {"name": "x", "roles": ["operator"]}),
    ):
        assert viewer.ask(method, path, body).status_code == 403, (method, path)


def test_a_change_of_roles_counts_for_a_session_under_way(own, admin):
    officer = Browser(own, "org-operator", "operator").log_in()
    assert officer.ask("GET", "/admin/tiers").status_code == 200
    own.services.people.change(own.services.people.person(officer.person), {"roles": ["viewer"]})
    assert officer.ask("GET", "/admin/tiers").status_code == 404


def test_a_contributor_sends_files_in_the_organisations_name_and_a_viewer_none(own):
    sent = {
        name: Browser(own, "org-provider", *roles)
        .log_in()
        .ask(
            "POST",
            "/contributions?filename=a.csv&collection=shelters",
            **{"Content-Type": "application/octet-stream"},
        )
        for name, roles in (
            ("viewer", ["viewer"]),
            ("editor", ["editor"]),
            ("contributor", ["contributor"]),
            ("here", ["contributor:shelters"]),
            ("elsewhere", ["contributor:events"]),
        )
    }
    assert {name: answer.status_code for name, answer in sent.items()} == {
        "viewer": 403,
        "editor": 403,
        "contributor": 202,
        "here": 202,
        "elsewhere": 403,
    }


def test_erasing_a_person_destroys_name_address_and_what_links_entries_to_them(own, admin):
    person = Browser(own, "org-municipal", "viewer", name="消える 人")
    people = own.services.people
    people.change(people.person(person.person), {"email": "kieru@example.jp"})
    person.log_in()
    person.ask("GET", "/collections/shelters/items")
    own.services.trail.append("test.read", _party(own, person))
    text = person.cookie
    assert admin.ask("DELETE", f"/me/persons/{person.person}").status_code == 204
    assert person.ask("GET", "/me").status_code == 401
    assert admin.ask("DELETE", f"/me/persons/{person.person}").status_code == 404
    assert person.person not in json.dumps(admin.ask("GET", "/me/persons").json)
    rows = own.services.trail.rows
    opened = own.services.trail.opened(rows.newest(1_000), None)
    values = {item["value"] for entry in opened for item in entry["opened"]}
    assert person.person not in values
    assert text.split("_")[1] not in values
    kinds = [orjson.loads(row.leaf)["kind"] for row in rows.newest(1_000)]
    assert {"person.erase", "person.add", "session.begin"} <= set(kinds)
    for path in Path(own.settings.data).glob("governance.db*"):
        content = path.read_bytes()
        assert "消える 人".encode() not in content, path
        assert b"kieru@example.jp" not in content, path


def test_acts_about_people_have_their_entries_with_person_and_session(own, admin):
    made = admin.ask("POST", "/me/persons", {"name": "x"}).json
    rows = own.services.trail.rows.newest(1)
    (entry,) = own.services.trail.opened(rows, None)
    assert entry["entry"]["kind"] == "person.add"
    said = {(item["side"], item["what"]): item["value"] for item in entry["opened"]}
    assert said["by", "person"] == admin.person
    assert said["by", "credential"] == admin.cookie.split("_")[1]
    assert said["about", "person"] == made["id"]
    assert "x" not in json.dumps(entry["entry"]["detail"])


def test_the_command_line_adds_invites_and_disables(own):
    def run(*arguments: str) -> str:
        found = CliRunner().invoke(main, arguments, env={"GEOSHARE_DATA": str(own.settings.data)})
        assert found.exit_code == 0, found.output
        return found.stdout.strip()

    run("departments", "add", "道路課", "--organisation", "org-municipal")
    person = run(
        "persons", "add", "高橋 三郎", "--organisation", "org-municipal",
        "--department", "道路課", "--role", "viewer", "--role", "editor:events",
    )  # fmt: skip
    link = run("persons", "invite", person, "--hours", "1")
    browser = Browser(own, "org-municipal", "viewer").log_in(link.partition("#invite=")[2])
    told = browser.ask("GET", "/me").json["person"]
    assert (told["name"], told["department_name"]) == ("高橋 三郎", "道路課")
    assert "高橋 三郎" in run("persons", "list", "--organisation", "org-municipal")
    run("persons", "disable", person)
    own.services.sessions.forget()
    assert browser.ask("GET", "/me").status_code == 401


def test_wrong_bodies_are_refused_by_name(own, admin):
    for body, parameter in (
        ({}, "name"),
        ({"name": " "}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"name": "x", "email": "no address"}, "email"),
        ({"name": "x", "language": "fr"}, "language"),
        ({"name": "x", "roles": ["Viewer!"]}, "roles.0"),
        ({"name": "x", "colour": 1}, "colour"),
    ):
        answer = admin.ask("POST", "/me/persons", body)
        assert (answer.status_code, answer.json["parameter"]) == (400, parameter), body
    refused = admin.ask("POST", f"/me/persons/{admin.person}/invite", {"hours": 0})
    assert (refused.status_code, refused.json["parameter"]) == (400, "hours")


def _party(own, browser: Browser):
    return party_of(own.services.sessions.authenticate(browser.cookie))


def test_only_administrators_read_what_their_people_did(own, admin):
    viewer = Browser(own, "org-municipal", "viewer").log_in()
    entries = admin.ask("GET", "/me/audit").json["entries"]
    assert viewer.person in json.dumps(entries)
    assert viewer.ask("GET", "/me/audit").json == {"entries": []}
    proof = f"/me/audit/{entries[0]['entry']['id']}/proof"
    assert viewer.ask("GET", proof).status_code == 404


def test_a_viewer_does_not_go_on_with_an_upload_of_a_contributor(own):
    contributor = Browser(own, "org-provider", "contributor").log_in()
    viewer = Browser(own, "org-provider", "viewer").log_in()
    tus = {"Tus-Resumable": "1.0.0"}
    begun = contributor.ask(
        "POST",
        "/contributions/uploads?filename=a.csv&collection=shelters",
        **tus | {"Upload-Length": "9"},
    )
    path = begun.headers["Location"].removeprefix("http://localhost")
    piece = {"Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
    for person, status in ((viewer, 404), (contributor, 204)):
        assert person.ask("PATCH", path, **tus | piece).status_code == status


def test_sessions_that_ended_long_ago_are_not_kept(own):
    person = Browser(own, "org-municipal", "viewer").log_in()
    clock = own.services.clock

    class Later:
        def now_us(self) -> int:
            return clock.now_us() + 100 * 86_400_000_000

    own.services.clock = own.services.sessions._clock = Later()
    person.log_in()
    assert len(own.services.governance.persons.sessions(person.person)) == 1


def test_a_server_below_a_path_knows_its_own_pages(own):
    object.__setattr__(own.settings, "public_url", "https://Example.jp/geo")
    person = Browser(own, "org-municipal", "viewer")
    assert person.accept(person.invite(), Origin="https://example.jp").status_code == 200
    assert person.accept(person.invite(), Origin="https://example.jp.evil").status_code == 403
