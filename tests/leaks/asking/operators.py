"""Questions of operators, and about the log, which the tiers under test must never see anything of."""

from __future__ import annotations

import re

from tests.leaks.asking.parts import Parts, Question, get
from tests.leaks.twins import Request

# What operators alone may ask; for the tiers under test all of it must be as if it were not there.
ADMIN = (
    "DELETE /admin/access/<access>",
    "GET /admin/access",
    "GET /admin/contributions/<contribution>/original",
    "POST /admin/contributions/<contribution>/access",
    "GET /admin/agreements",
    "GET /admin/agreements/<agreement>",
    "GET /admin/changes",
    "GET /admin/emergencies",
    "GET /admin/offers",
    "GET /admin/policies/diff",
    "GET /admin/tiers",
    "GET /admin/tiers/<int:number>",
    "POST /admin/agreements",
    "POST /admin/agreements/<agreement>/end",
    "POST /admin/agreements/<agreement>/signatures",
    "POST /admin/emergencies",
    "POST /admin/emergencies/<emergency>/confirm",
    "POST /admin/emergencies/<emergency>/end",
    "POST /admin/offers",
    "POST /admin/offers/<offer>/withdraw",
    "POST /admin/policies/simulate",
    "POST /admin/tiers",
    "POST /admin/tiers/<int:number>/publish",
)


def _admin(rule: str) -> Question:
    """Something that an operator may ask, about any of the first numbers."""
    method, path = rule.split()

    def ask(asker: Parts) -> Request:
        there = re.sub("<[^>]+>", lambda _: str(asker.rng.randint(1, 4)), path)
        body = asker.rng.choice((b"{}", b'{"reason": "asked"}', b"[", b""))
        if method == "DELETE":
            return Request(method, there)
        if method == "GET":
            return asker.get(there, *((("to", "1"),) if there.endswith("/diff") else ()))
        return asker.post(there, body, "application/json")

    return ask


ASKERS: dict[str, Question] = {
    "GET /audit/checkpoint": get("/audit/checkpoint"),
    "GET /audit/tile/<path:name>": lambda asker: asker.get(
        f"/audit/tile/{asker.rng.choice(('0/000', 'entries/000', '0/000.p/7', '../log', '1/x'))}"
    ),
    "GET /audit/vkey": get("/audit/vkey"),
    **{rule: _admin(rule) for rule in ADMIN},
}
