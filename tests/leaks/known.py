"""What an asker has learnt from answers so far: what the next questions are made of."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from werkzeug.test import TestResponse

from tests.leaks.declared import declared_of, plain
from tests.leaks.twins import Request

MOST = 200  # of a kind
NOWHERE = "0000000000000001"


def _listed(found: dict[str, Any], name: str) -> list[Any]:
    member = found.get(name)
    return member if isinstance(member, list) else []


def _one() -> list[str]:
    return [NOWHERE]


@dataclass
class Known:
    """Identifiers, links, tags and credentials that answers named; each list begins with nonsense."""

    ids: list[str] = field(default_factory=lambda: ["0000000000000000", "nothing", "a b"])
    features: dict[str, list[str]] = field(default_factory=dict)  # ids by collection
    links: list[str] = field(default_factory=list)
    feeds: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=lambda: ['"none"'])
    jobs: list[str] = field(default_factory=_one)
    uploads: list[str] = field(default_factory=_one)
    contributions: list[str] = field(default_factory=_one)
    keys: list[str] = field(default_factory=_one)
    texts: list[str] = field(default_factory=list)  # keys that were made, to ask with
    tokens: list[str] = field(default_factory=lambda: ["a.b.c"])
    entries: list[str] = field(default_factory=_one)
    edits: list[str] = field(default_factory=_one)
    hooks: list[str] = field(default_factory=_one)
    shares: list[str] = field(default_factory=_one)
    persons: list[str] = field(default_factory=_one)
    departments: list[str] = field(default_factory=_one)
    invites: list[str] = field(default_factory=lambda: ["gi_x"])
    sessions: list[str] = field(default_factory=_one)
    sheets: list[tuple[str, int]] = field(default_factory=lambda: [(NOWHERE, 1)])
    photos: list[str] = field(default_factory=lambda: ["0" * 64])
    warned: dict[str, str] = field(default_factory=dict)  # versions of proposals, by warning
    versions: dict[str, str] = field(default_factory=dict)  # of features, as the desk tells them

    def learn(self, request: Request, answer: TestResponse) -> None:
        """Remember what an answer names."""
        if "ETag" in answer.headers and declared_of(request.path) is None:
            self._keep(self.tags, answer.headers["ETag"])
        if "Location" in answer.headers:
            self._learn_place(urlsplit(answer.headers["Location"]).path)
        coded = answer.content_encoding not in (None, "", "gzip")
        kind = answer.mimetype or ""
        if "json" not in kind or kind.endswith("-seq") or not answer.data or coded:
            return
        found = json.loads(plain(answer))
        if not isinstance(found, dict):
            return
        self._learn_features(request.path, found)
        for link in found.get("links") or ():
            if isinstance(link, dict) and "href" in link:
                feed = "/changes?" in link["href"]
                self._keep(self.feeds if feed else self.links, link["href"])
        self._learn_of_the_desk(request.path, found)
        for entry in found.get("entries") or ():
            self._keep(self.entries, str(entry.get("entry", entry).get("id")))
        if answer.status_code in (200, 201, 202):
            self._learn_made(request, found)

    def _learn_place(self, path: str) -> None:
        at = path.rsplit("/", 1)[-1]
        if "/uploads/" in path:
            self._keep(self.uploads, at)
        elif "/contributions/" in path:
            self._keep(self.contributions, at)
        else:
            self._keep(self.jobs, at)

    def _learn_features(self, path: str, found: dict[str, Any]) -> None:
        parts = path.split("/")
        name = parts[parts.index("collections") + 1] if "collections" in parts[:-1] else ""
        for feature in _listed(found, "features") or _listed(found, "results"):
            self._keep(self.ids, str(feature.get("id")))
            if parts[-1] == "items":
                self._keep(self.features.setdefault(name, _one()), str(feature.get("id")))

    def _learn_made(self, request: Request, found: dict[str, Any]) -> None:
        """Remember what was made."""
        path, made = request.path, found.get("id")
        if path.endswith("/links") and "href" in found:
            self._keep(self.links, found["href"])
        if path == "/oauth/token" and "access_token" in found:
            self._keep(self.tokens, found["access_token"])
        if path.endswith("/invite") and "link" in found:
            self._keep(self.invites, found["link"].partition("#invite=")[2])
        job = found.get("job", made)
        if path.startswith(("/extracts", "/prints")) and isinstance(job, str):
            self._keep(self.jobs, job)
        kinds = {
            "/me/keys": self.keys,
            "/me/organisation/keys": self.keys,
            "/me/webhooks": self.hooks,
            "/me/shares": self.shares,
            "/me/persons": self.persons,
            "/me/departments": self.departments,
            "/contributions": self.contributions,
        }
        if request.method == "POST" and path in kinds and isinstance(made, str):
            self._keep(kinds[path], made)
        if isinstance(found.get("key"), str):
            self._keep(self.texts, found["key"])
        for session in found.get("sessions") or ():
            self._keep(self.sessions, str(session["id"]))

    def _learn_of_the_desk(self, path: str, found: dict[str, Any]) -> None:
        for feature in [found, *_listed(found, "features")]:
            if isinstance(feature, dict) and "version" in feature and "id" in feature:
                self.versions[str(feature["id"])] = feature["version"]
            if isinstance(feature, dict) and isinstance(feature.get("collection"), str):
                ids = self.features.setdefault(feature["collection"], _one())
                self._keep(ids, str(feature.get("id")))
        if isinstance(found.get("edit"), str):
            self._keep(self.edits, found["edit"])
        if "revision" in found and "sheet" in found:
            self.sheets = [*self.sheets[-20:], (found["sheet"], found["revision"])]
        if "photo" in found and path == "/desk/photos":
            self._keep(self.photos, str(found["photo"]))
        if "proposed" in found:
            self.warned[path.split("/")[2]] = found["version"]

    @staticmethod
    def _keep(kept: list[str], value: str) -> None:
        if value not in kept:
            kept.append(value)
        del kept[1 : max(1, len(kept) - MOST)]
