"""Who asks: a consumer of the tier under test, and somebody who sees everything and asks before."""

from __future__ import annotations

import base64
import random
import re

from tests.leaks import desk_town
from tests.leaks.asking.parts import Parts
from tests.leaks.asking.people import PEOPLE
from tests.leaks.asking.routes import ASKERS, OFTEN, RULES, SOMETIMES
from tests.leaks.town import COLLECTIONS
from tests.leaks.twins import Request

ONLOOKS = 0.3  # of the questions that another consumer asks before
ITEMS = "GET /collections/<collection>/items"


class Asker(Parts):
    """Makes requests of one consumer: of all rules, or of those that ``only`` is found in."""

    def __init__(self, seed: int, key: str, organisation: str = "org-rows", only: str = "") -> None:
        super().__init__(seed, key, organisation)
        self.session = self.csrf = ""  # of a person of the same organisation
        self._only = [rule for rule in RULES if only and re.search(only, rule)]
        self._looks = [*COLLECTIONS, *desk_town.COLLECTIONS]  # which it begins with

    def next(self) -> tuple[str, Request]:
        """The next request, and the rule it is for."""
        if self._looks:
            path = f"/collections/{self._looks.pop()}/items"
            return ITEMS, Request("GET", path, (("limit", "50"),), (("X-API-Key", self.key),))
        often = self.rng.random()
        every = OFTEN if often < 0.5 else SOMETIMES if often < 0.7 else RULES
        rule = self.rng.choice(self._only or every)
        made = ASKERS[rule](self)
        if self.rng.random() < 0.01:
            made = _preflight(made)
        signed = any(name == "sig" for name, _ in made.query) and self.rng.random() < 0.8
        by = [] if signed else self._credential(rule)
        headers = (*made.headers, *by, *self._headers())
        return rule, Request(made.method, made.path, made.query, headers, made.body)

    def _credential(self, rule: str) -> list[tuple[str, str]]:
        """Who asks: by a key, a key that was made, a token, a session, as nobody, or wrongly."""
        rng = self.rng
        by = rng.random()
        if by < (0.8 if rule in PEOPLE else 0.12):
            return self._by_session()
        by = rng.random()
        if by < 0.08:
            return [("Authorization", f"Bearer {rng.choice(self.known.tokens)}")]
        if by < 0.12 and self.known.texts:
            return [("X-API-Key", rng.choice(self.known.texts[-20:]))]
        if by < 0.16:  # as old clients can; refused for what changes something
            said = base64.b64encode(f"qgis:{self.key}".encode()).decode()
            return [("Authorization", f"Basic {said}")]
        if by < 0.95:
            return [("X-API-Key", self.key)]
        return [("X-API-Key", self.key[:-1] + "0")] if by < 0.975 else []

    def _by_session(self) -> list[tuple[str, str]]:
        """As a page of the server asks, mostly."""
        found = [("Cookie", f"geoshare-session={self.session}"), ("X-CSRF-Token", self.csrf)]
        site = "same-origin" if self.rng.random() < 0.95 else "cross-site"
        return [*found[: self.rng.choice((2,) * 30 + (1,))], ("Sec-Fetch-Site", site)]

    def _headers(self) -> list[tuple[str, str]]:
        rng, headers = self.rng, []
        if rng.random() < 0.15:
            headers.append(("If-None-Match", rng.choice(self.known.tags)))
        if rng.random() < 0.3:
            headers.append(
                ("Accept-Encoding", rng.choice(("gzip", "zstd", "br, gzip;q=0.5", "identity")))
            )
        if rng.random() < 0.1:
            headers.append(("Accept", rng.choice(("text/html", "application/json", "image/png"))))
        if rng.random() < 0.05:
            headers.append(("Origin", "https://map.example"))
        return headers


class Onlooker:
    """Another consumer, who sees everything: what it reads warms every cache on the way."""

    def __init__(self, seed: int, key: str) -> None:
        self._rng = random.Random(seed + 1)
        self._key = key

    def before(self, request: Request) -> Request | None:
        """The same question, asked before by somebody else; None where it does not look on."""
        if request.method != "GET" or self._rng.random() >= ONLOOKS:
            return None
        kept = [pair for pair in request.headers if pair[0] in ("Accept", "Accept-Encoding")]
        query = tuple(pair for pair in request.query if pair[0] not in ("sig", "cursor"))
        headers = (*kept, ("X-API-Key", self._key))
        return Request("GET", request.path, query, headers)


def _preflight(request: Request) -> Request:
    """What a browser asks before it asks this of another origin."""
    said = (("Origin", "https://map.example"), ("Access-Control-Request-Method", request.method))
    return Request("OPTIONS", request.path, request.query, said)
