"""The composition root: opens what the rooms need and hands it to them. Knows no request."""

from __future__ import annotations

import logging
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

from geoshare.access.as_of import AsOf
from geoshare.access.audit import KEEPER, Audit, Party, Receipt
from geoshare.access.credentials import Authenticator, Principal, Sessions, Uses
from geoshare.access.credentials.links import Links
from geoshare.access.credentials.principal import CONTRIBUTOR, EDITOR
from geoshare.access.credentials.sessions import Life
from geoshare.access.credentials.tokens import AccessTokens
from geoshare.access.journal import Journals
from geoshare.access.outline import Outline
from geoshare.access.past import Past
from geoshare.access.tiers import Tiers
from geoshare.access.view import RasterView, View
from geoshare.access.views import Views
from geoshare.errors import BadRequest, NotFound, Unavailable
from geoshare.jobs import Queue
from geoshare.model.clock import Clock, Ids, RandomIds, SystemClock
from geoshare.model.collections import Collection, known
from geoshare.model.datum import use_grids
from geoshare.model.foundation import Foundation, load
from geoshare.model.policy import Action, Policy
from geoshare.model.times import parse_instant
from geoshare.publish import Packs
from geoshare.publish.keeper import read_state
from geoshare.query.cursors import Cursors
from geoshare.query.feed import Feed, Tokens
from geoshare.services.agreements import Agreements
from geoshare.services.audit_desk import AuditDesk
from geoshare.services.auditing import party_of
from geoshare.services.break_glass import BreakGlass
from geoshare.services.contributions import Contributions
from geoshare.services.deciding import Deciding
from geoshare.services.desk import Desk
from geoshare.services.desk_sheets import DeskSheets
from geoshare.services.emergencies import Emergencies
from geoshare.services.evacuation_proposals import Proposals
from geoshare.services.extracts import Extracts
from geoshare.services.forms import FORM
from geoshare.services.issuer import Issuer
from geoshare.services.keys import PEPPER, Keys
from geoshare.services.lettering import Lettering
from geoshare.services.mailing import Mail
from geoshare.services.people import HOUR_US, People
from geoshare.services.people import PEPPER as SESSIONS_PEPPER
from geoshare.services.pictures import Pictures
from geoshare.services.policies import Narrowed, Policies
from geoshare.services.prints import Prints
from geoshare.services.quotas import Quotas
from geoshare.services.rasters import Rasters
from geoshare.services.shared import Shared
from geoshare.services.shares import Shares
from geoshare.services.tiles import Tiles
from geoshare.services.tokens import issuer_of
from geoshare.services.warnings import Warnings
from geoshare.services.watching import Watching
from geoshare.services.webhooks import Webhooks
from geoshare.services.withheld import Withholding
from geoshare.services.written import witness
from geoshare.settings import Settings
from geoshare.store import Governance, Record, open_governance, open_record
from geoshare.store.bell import BELL

MAX_PARTS = 10_000
RETRY_FOUNDATION_S = 60
PICTURES_SHARE = 4  # of what tiles may take of the memory, one part in so many is for drawn ones
NOTHING = Policy(())

log = logging.getLogger(__name__)


class Services:
    """Everything a process of the server shares between its threads."""

    def __init__(self, settings: Settings, clock: Clock, ids: Ids) -> None:
        self.settings, self.clock, self.ids = settings, clock, ids
        settings.data.mkdir(parents=True, exist_ok=True)
        self.governance: Governance = open_governance(settings.governance_database)
        self.trail = Audit(self.governance, settings.data, clock, ids, log_origin(settings))
        self.policies = Policies(
            self.governance, settings, clock, collections_of(settings), witness(self.trail, KEEPER)
        )
        pepper = self.governance.secret(PEPPER)
        self.uses = Uses(self.governance.note_key_uses)
        self.authenticator = Authenticator(
            self.governance, pepper, clock, self._standing, self.uses.note
        )
        persons = self.governance.persons
        self.session_uses = Uses(persons.note_uses)
        self.sessions = Sessions(
            persons,
            self.governance.secret(SESSIONS_PEPPER),
            clock,
            self._standing,
            Life(settings.session_days * 24 * HOUR_US, settings.session_idle_hours * HOUR_US),
            self.session_uses.note,
        )
        self.people = People(self)
        self.issuer = Issuer(self)
        self.break_glass = BreakGlass(self)
        self.links = Links(self.governance.secret("links"), self.authenticator, clock)
        self.tokens = AccessTokens(
            self.authenticator,
            issuer_of(settings),
            self.governance.secret,
            self.governance.drop_secrets,
            clock,
            ids,
        )
        self.keys = Keys(self)
        self.queue = Queue(self.governance.jobs, clock, ids)
        self.views = Views(self.views_dir, self.packs_dir)
        self.withholding = Withholding(self)
        self.quotas = Quotas(self)
        self.cursors = Cursors(self.governance.secret("cursors"))
        past = Past(self.views, Journals(self.views_dir))
        self.feed = Feed(past, Tokens(self.governance.secret("changes")), self.cursors)
        self.as_of = AsOf(self.views_dir, settings.data / "scratch")
        self.webhooks = Webhooks(self)
        self.mail = Mail(self)
        kept_bytes = settings.tile_cache_bytes // settings.workers
        self.tiles = Tiles(kept_bytes - kept_bytes // PICTURES_SHARE)
        self.pictures = Pictures(kept_bytes // PICTURES_SHARE)
        self.lettering = Lettering(settings.data)
        self.agreements = Agreements(self)
        self.emergencies = Emergencies(self)
        self.contributions = Contributions(self)
        self.extracts = Extracts(self)
        self.prints = Prints(self)
        self.rasters = Rasters()
        self.deciding = Deciding(self)
        self.desk = AuditDesk(self)
        self.live = Desk(self)
        self.sheets = DeskSheets(self)
        self.proposals = Proposals(self)
        self.warnings = Warnings(self)
        self.watching = Watching(self)
        self.shares = Shares(self)
        self.shared = Shared(self)
        self._record: Record | None = None
        self._parts: dict[tuple[Any, ...], Policy] = {}
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

    def foundation(self) -> Foundation:
        """The rules by which claims become one foundation, as they are now.

        Raises
        ------
        Unavailable
            where the operator's file cannot be understood: what is wrong is for the log and for
            ``geoshare doctor``, not for those who contribute.
        """
        try:
            return load(self.settings.data)
        except BadRequest as error:
            log.error("%s", error.message)
            raise Unavailable(
                "The rules for merging contributions cannot be read. The operator has to mend them.",
                message_ja="データ統合の規則を読み取れません。運営者による修正が必要です",
                retry_after_s=RETRY_FOUNDATION_S,
            ) from error

    # Who asks, and what they hold

    @property
    def tiers(self) -> Tiers:
        """The tiers in force."""
        return self.policies.holdings().tiers

    def _standing(self, organisation: str, narrowed: Narrowed) -> tuple[tuple[str, ...], str]:
        found = self.policies.standing(organisation, narrowed)
        return found.tiers, found.role

    def principal(self, key: str | None) -> Principal:
        """The holder of a key or an access token; Unauthenticated for one that is not valid."""
        if key is not None and "." in key:  # no key has one
            return self.tokens.open(key)
        return self.authenticator.authenticate(key)

    def policy(self, who: Principal, action: Action) -> Policy:
        """What the caller may do now, by the agreements in force; remembered for a moment."""
        found = self.policies.policy(who.organisation, who.tiers, action)
        if action == "contribute" and not (who.may(CONTRIBUTOR) or who.may(EDITOR)):
            return NOTHING  # a key that was made by a key, or a link, speaks in nobody's name
        if who.collections is None and who.scope is None:
            return found
        return self._part(found, who.collections, who.scope)

    def _part(
        self, policy: Policy, collections: tuple[str, ...] | None, scope: tuple[str, ...] | None
    ) -> Policy:
        """A policy on some collections alone; remembered, since its hash takes long."""
        key = policy.hash, collections, scope
        found = self._parts.get(key)
        if found is None:
            if len(self._parts) > MAX_PARTS:
                self._parts = {}
            found = policy if collections is None else policy.only(collections)
            found = self._parts[key] = found if scope is None else found.within(scope)
        return found

    def visible(self, who: Principal) -> dict[str, Collection]:
        """The collections the caller may know, by name."""
        return {name: found.collection for name, found in self.outlines(who).items()}

    def drawable(self, who: Principal) -> list[View | RasterView | Outline]:
        """Views of the collections whose tiles the caller may have; see ``outlines``."""
        policy = self.policy(who, "tile")
        names = [name for name in self.listed(who) if policy.allows(name)]
        return [self.views.outline(policy, name) for name in names]

    def listed(self, who: Principal) -> dict[str, View | RasterView | Outline]:
        """What ``outlines`` returns; raises Unavailable where some of it is still to come."""
        self.views.check_whole(self.policy(who, "discover"))
        return self.outlines(who)

    def outlines(self, who: Principal) -> dict[str, View | RasterView | Outline]:
        """Views of the collections the caller may know, by name.

        One that cannot be opened is among them, as far as anything is known of it: it must not take
        the others with it.
        """
        policy = self.policy(who, "discover")
        found = {}
        for name in self.views.names(policy):
            with suppress(NotFound):  # gone since
                found[name] = self.views.outline(policy, name)
        return found

    def view(self, who: Principal, name: str, action: Action = "read") -> View:
        """What the caller sees of a vector collection.

        Raises
        ------
        NotFound
            for others and hidden ones.
        Withheld
            where the caller may know it, and not do this with it.
        """
        found = self.withholding.get(who, name, action, View)
        assert isinstance(found, View)
        return found

    def view_at(self, who: Principal, name: str, as_of: str | None, action: Action = "read") -> View:
        """What the caller sees of a vector collection, or saw of it at a time.

        ``as_of`` is an RFC 3339 instant; a date is the end of that day. What was seen then is what the
        view showed under the policy of now, and nothing of what it never showed.

        Raises
        ------
        BadRequest
            for a text that is no instant.
        Gone
            where it is not known what was shown then.
        NotFound, Withheld
            as ``view`` does.
        """
        found = self.view(who, name, action)
        return found if as_of is None else self.as_of.view(found, parse_instant(as_of, "as_of"))

    def raster_view(self, who: Principal, name: str) -> RasterView:
        """What the caller sees of a raster collection; raises as ``view`` does."""
        found = self.withholding.get(who, name, "tile", RasterView)
        assert isinstance(found, RasterView)
        return found

    def any_view(self, who: Principal, name: str) -> View | RasterView:
        """What the caller sees of a collection of any kind."""
        return self.views.get(self.policy(who, "discover"), name)

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
        """Raise Unavailable until requests can be answered.

        Also while what is published is of another format than this version reads: until the keeper
        has published all of it anew, most of it would be refused.
        """
        if not self.governance.ready():
            raise Unavailable("Governance does not answer", retry_after_s=2)
        self.views.names(self.policy(Principal("", ("open",)), "discover"))
        if read_state(self.packs_dir).form != FORM and Packs(self.packs_dir).names():
            raise Unavailable("What is published is published anew", retry_after_s=2)


def log_origin(settings: Settings) -> str:
    """Name of the audit log: the public address without its scheme; empty where there is none."""
    address = settings.public_url.partition("://")[2].strip("/")
    return f"{address}/audit" if address else ""


def collections_of(settings: Settings) -> dict[str, Collection]:
    """Collections that tiers may name."""
    return dict(known())


def build_services(settings: Settings, clock: Clock | None = None, ids: Ids | None = None) -> Services:
    """Services on the system's clock and random identifiers, unless others are handed in."""
    use_grids(settings.grids)
    return Services(settings, clock or SystemClock(), ids or RandomIds())
