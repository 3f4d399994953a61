"""Questions of people, with a session: about themselves, colleagues and keys of the organisation."""

from __future__ import annotations

import json
import re
from typing import Any

from tests.leaks.asking.desk import JSON, NAMES
from tests.leaks.asking.parts import Parts, Question, get
from tests.leaks.twins import Request

# What people alone may ask, with a session; a key gets the same refusal in both records.
PEOPLE = (
    "DELETE /me/organisation/keys/<key>",
    "DELETE /me/persons/<person>",
    "DELETE /me/persons/<person>/invite",
    "DELETE /me/sessions/<session>",
    "GET /me/access",
    "GET /me/departments",
    "GET /me/organisation/keys",
    "GET /me/persons",
    "GET /me/sessions",
    "PATCH /me/persons/<person>",
    "POST /login/invite",
    "POST /login/issuer",
    "POST /logout",
    "POST /me/departments",
    "POST /me/issuer",
    "POST /me/organisation/keys",
    "POST /me/organisation/keys/<key>/links",
    "POST /me/organisation/keys/<key>/rotate",
    "POST /me/persons",
    "POST /me/persons/<person>/invite",
)


def person(rule: str) -> Question:
    """Something that a page asks for somebody who is logged in."""
    method, path = rule.split()

    def ask(asker: Parts) -> Request:
        rng, known = asker.rng, asker.known
        lists = {"key": known.keys, "person": known.persons, "session": known.sessions}
        there = re.sub("<([^>]+)>", lambda found: rng.choice(lists[found[1]][-6:]), path)
        said = (("Origin", "http://localhost"), ("Content-Type", JSON))
        if method in ("GET", "DELETE"):
            return Request(method, there, (), said)
        body = (
            rng.choice((b"{}", b"[")) if rng.random() < 0.1 else json.dumps(_said(rule, asker)).encode()
        )
        return Request(method, there, (), said, body)

    return ask


def _said(rule: str, asker: Parts) -> dict[str, Any]:
    """A body that mostly fits."""
    rng, known = asker.rng, asker.known
    roles = rng.sample(("viewer", "editor", "editor:events", "admin", "operator", "x"), 1)
    department = rng.choice((None, None, known.departments[-1]))
    return {
        "POST /me/persons": {"name": rng.choice(NAMES), "roles": roles, "department": department},
        "PATCH /me/persons/<person>": rng.choice(
            ({"roles": roles}, {"name": rng.choice(NAMES)}, {"disabled": rng.random() < 0.5})
        ),
        "POST /me/persons/<person>/invite": {"hours": rng.choice((1, 72, 0))},
        "POST /me/departments": {"name": f"{rng.choice(NAMES)} {rng.randint(1, 99)}"},
        "POST /me/organisation/keys": {"label": rng.choice(NAMES), "days": rng.choice((1, 20, 0))},
        "POST /me/organisation/keys/<key>/rotate": {"overlap_hours": rng.choice((0, 1))},
        "POST /me/organisation/keys/<key>/links": {
            "path": f"/collections/{asker.collection()}/items", "seconds": rng.choice((60, 600))
        },
        "POST /login/invite": {"invite": rng.choice(known.invites[-3:]), "look": rng.random() < 0.5},
    }.get(rule, {"name": "asked"})  # fmt: skip


ASKERS: dict[str, Question] = {
    "GET /account": get("/account"),
    "GET /login/callback": lambda asker: asker.get(
        "/login/callback", *((("state", "x"),) if asker.rng.random() < 0.5 else ())
    ),
    "GET /login": get("/login"),
    **{rule: person(rule) for rule in PEOPLE},
}
