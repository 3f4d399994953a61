"""A person in a browser of their own, for tests: logged in by an invite, asking as a page would."""

from __future__ import annotations

from typing import Any

from werkzeug.test import TestResponse

ORIGIN = "http://localhost"


class Browser:
    """A client that keeps cookies, and sends what pages of this server send."""

    def __init__(self, own: Any, organisation: str, *roles: str, name: str = "山田 花子") -> None:
        self.own = own
        self.person = own.services.people.add(organisation, {"name": name, "roles": roles})["id"]
        self.client = own.client.application.test_client()
        self.token = ""

    def invite(self, hours: int = 1) -> str:
        """A new invite of the operator's own hand."""
        people = self.own.services.people
        return people.invite(people.person(self.person), hours)[0]

    def log_in(self, invite: str | None = None) -> Browser:
        """Use an invite up."""
        answer = self.accept(invite or self.invite())
        assert answer.status_code == 200, answer.data
        self.token = self.ask("GET", "/me").json["csrf_token"]
        return self

    def accept(self, invite: str, **headers: str) -> TestResponse:
        """Send an invite as the login page does."""
        said = {"Origin": ORIGIN, "Sec-Fetch-Site": "same-origin"} | headers
        return self.client.post("/login/invite", json={"invite": invite}, headers=said)

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> TestResponse:
        """Ask as a page of this server does."""
        said = {"Sec-Fetch-Site": "same-origin"}
        if method != "GET":
            said |= {"Origin": ORIGIN, "X-CSRF-Token": self.token}
        return self.client.open(path, method=method, json=body, headers=said | headers)

    @property
    def cookie(self) -> str:
        """The session's text."""
        found = self.client.get_cookie("geoshare-session")
        assert found is not None
        return found.value
