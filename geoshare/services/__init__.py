"""The composition root: opens what the rooms need and hands it to them. Knows no request."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from geoshare.access.audit import Audit, Party, Receipt
from geoshare.access.credentials import Authenticator, Principal
from geoshare.access.limits import FileLeases, Limiter
from geoshare.access.tiers import Tiers, load_tiers
from geoshare.access.view import RasterView, View
from geoshare.access.views import Views
from geoshare.errors import NotFound, Unavailable
from geoshare.jobs import Queue
from geoshare.model.clock import Clock, Ids, RandomIds, SystemClock
from geoshare.model.collections import Collection, known
from geoshare.model.policy import Action, Policy
from geoshare.query.cursors import Cursors
from geoshare.services.audit_desk import AuditDesk
from geoshare.services.auditing import party_of
from geoshare.services.contributions import Contributions
from geoshare.services.extracts import Extracts
from geoshare.services.rasters import Rasters
from geoshare.services.tiles import Tiles
from geoshare.settings import Settings
from geoshare.store import Governance, Record, open_governance, open_record
from geoshare.store.bell import BELL

POLICY_FOR_US = 1_000_000  # grants come into force and end within this time


class Services:
    """Everything a process of the server shares between its threads."""

    def __init__(self, settings: Settings, clock: Clock, ids: Ids) -> None:
        self.settings, self.clock, self.ids = settings, clock, ids
        settings.data.mkdir(parents=True, exist_ok=True)
        self.governance: Governance = open_governance(settings.governance_database)
        self.trail = Audit(self.governance, settings.data, clock, ids, log_origin(settings))
        self.tiers: Tiers = load_tiers(tiers_file(settings), collections_of(settings))
        pepper = self.governance.secret("api-keys")
        self.authenticator = Authenticator(self.governance, pepper, clock, self.tiers.role)
        self.queue = Queue(self.governance.jobs, clock, ids)
        self.views = Views(self.views_dir, self.packs_dir)
        self.limiter = Limiter(clock, FileLeases(settings.data / "rates.db", settings.workers))
        self.cursors = Cursors(self.governance.secret("cursors"))
        self.tiles = Tiles(settings.tile_cache_bytes // settings.workers)
        self.contributions = Contributions(self)
        self.extracts = Extracts(self)
        self.rasters = Rasters()
        self.desk = AuditDesk(self)
        self._record: Record | None = None
        self._policies: dict[tuple[tuple[str, ...], Action], tuple[int, Policy]] = {}
        self._lock = threading.Lock()

    @property
    def packs_dir(self) -> Path:
        """Folder of packs."""
        return self.settings.data / "packs"

    @property
    def views_dir(self) -> Path:
        """Folder of views."""
        return self.settings.data / "views"

    @property
    def record(self) -> Record:
        """The record; opened by those who write, never for an answer to a reader."""
        with self._lock:
            if self._record is None:
                self._record = open_record(self.settings.record_database, self.settings.data / BELL)
            return self._record

    def scratch(self) -> Path:
        """A folder for files that nobody misses."""
        folder = self.settings.data / "scratch"
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    # Who asks, and what they hold

    def principal(self, key: str | None) -> Principal:
        """The holder of a key; Unauthenticated for one that is not valid."""
        return self.authenticator.authenticate(key)

    def policy(self, who: Principal, action: Action) -> Policy:
        """What the caller may do now; remembered for a second."""
        now_us = self.clock.now_us()
        key = (who.tiers, action)
        found = self._policies.get(key)
        if found is None or not 0 <= now_us - found[0] < POLICY_FOR_US:
            if len(self._policies) > 10_000:
                self._policies.clear()
            found = self._policies[key] = now_us, self.tiers.policy(who.tiers, action, now_us)
        return found[1]

    def count_request(self, who: Principal, address: str) -> None:
        """Count against the caller's rate; TooMany above it."""
        rate = self.tiers.requests_per_minute(who.tiers, self.settings.rate_per_minute)
        self.limiter.count(who.key_id or f"anonymous {address}", rate)

    def visible(self, who: Principal) -> dict[str, Collection]:
        """The collections the caller may know, by name."""
        policy = self.policy(who, "discover")
        return {name: self.views.get(policy, name).collection for name in self.views.names(policy)}

    def collection(self, who: Principal, name: str) -> Collection:
        """One collection; NotFound where it is hidden or there is none."""
        return self.views.get(self.policy(who, "discover"), name).collection

    def view(self, who: Principal, name: str, action: Action = "read") -> View:
        """What the caller sees of a vector collection; NotFound for others and hidden ones."""
        found = self.views.get(self.policy(who, action), name)
        if not isinstance(found, View):
            raise NotFound("No such collection")
        return found

    def raster_view(self, who: Principal, name: str) -> RasterView:
        """What the caller sees of a raster collection; NotFound for others and hidden ones."""
        found = self.views.get(self.policy(who, "tile"), name)
        if not isinstance(found, RasterView):
            raise NotFound("No such collection")
        return found

    def any_view(self, who: Principal, name: str) -> View | RasterView:
        """What the caller sees of a collection of any kind."""
        return self.views.get(self.policy(who, "discover"), name)

    def describe_caller(self, who: Principal) -> dict[str, Any]:
        """What ``/me`` says."""
        organisation = self.governance.organisation(who.organisation) if who.organisation else None
        tiers = [name for name in ("open", *who.tiers) if name in self.tiers.tiers]
        return {
            "anonymous": who.anonymous,
            "organisation": who.organisation,
            "organisation_name": organisation.name if organisation else "",
            "role": who.role,
            "tiers": [
                {
                    "id": name,
                    "title": self.tiers.tier(name).title,
                    "title_ja": self.tiers.tier(name).title_ja,
                }
                for name in dict.fromkeys(tiers)
            ],
            "collections": sorted(self.visible(who)),
            "can_contribute": not who.anonymous and bool(self.policy(who, "contribute").grants),
            "contributable": self._contributable(who),
            "requests_per_minute": self.tiers.requests_per_minute(
                who.tiers, self.settings.rate_per_minute
            ),
        }

    def _contributable(self, who: Principal) -> list[dict[str, str]]:
        """Collections of the product that the caller may contribute to."""
        policy = self.policy(who, "contribute")
        if who.anonymous:
            return []
        return [
            {"id": name, "title": about.title, "title_ja": about.title_ja}
            for name, about in known().items()
            if policy.allows(name)
        ]

    def audit(
        self,
        who: Principal,
        kind: str,
        subject: str,
        detail: dict[str, Any],
        organisation: str | None = None,
    ) -> Receipt:
        """Note what was done, before its effect leaves; Unavailable where that cannot be.

        ``subject`` is the id of what it was done to, and ``organisation`` whose that is; the caller's
        unless said. Neither, nor who asks, is said in clear; ``detail`` is, so it names nobody.
        """
        about = Party(organisation=organisation or who.organisation, subject=subject)
        return self.trail.append(kind, party_of(who), about, detail)

    def check_ready(self) -> None:
        """Raise Unavailable until requests can be answered."""
        if not self.governance.ready():
            raise Unavailable("Governance does not answer", retry_after_s=2)
        self.views.names(self.policy(Principal("", ("open",)), "discover"))


def log_origin(settings: Settings) -> str:
    """Name of the audit log: the public address without its scheme; empty where there is none."""
    address = settings.public_url.partition("://")[2].strip("/")
    return f"{address}/audit" if address else ""


def tiers_file(settings: Settings) -> Path | None:
    """The operator's tiers, or None for the built-in ones."""
    own = settings.data / "tiers.toml"
    return settings.tiers or (own if own.exists() else None)


def collections_of(settings: Settings) -> dict[str, Collection]:
    """Collections that tiers may name."""
    return dict(known())


def build_services(settings: Settings, clock: Clock | None = None, ids: Ids | None = None) -> Services:
    """Services on the system's clock and random identifiers, unless others are handed in."""
    return Services(settings, clock or SystemClock(), ids or RandomIds())
