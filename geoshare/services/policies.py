"""The policies in force: read from governance, noticed by every process within half a second."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from geoshare.access.classes import Contributing
from geoshare.access.holdings import Holding, Holdings, Switched
from geoshare.access.tiers import OPEN, Tiers, load_tiers, read_tiers
from geoshare.errors import Conflict, GeoshareError, Unavailable
from geoshare.model.clock import Clock
from geoshare.model.collections import Collection
from geoshare.model.policy import (
    Action,
    Activation,
    Agreement,
    Policy,
    Rated,
    canonical_json,
)
from geoshare.settings import Settings
from geoshare.store import Governance
from geoshare.store.policy_kinds import Act, AgreementRow, Change, EmergencyRow, Witness

log = logging.getLogger("geoshare.policies")

LOOK_US = 300_000  # a change set is noticed within this time
POLICY_FOR_US = 300_000  # terms begin and end within this time
ALONE_US = 10_000_000  # keys are taken for so long where governance cannot be reached
MAX_REMEMBERED = 10_000
BUILT_IN, FILE = "built-in", "file"
GEOSHARE = "geoshare"
Narrowed = tuple[str, ...] | None  # tiers a credential is for; None: all that its organisation holds


@dataclass(frozen=True, slots=True)
class Standing:
    """Tiers held beside the open one, the strongest role among them, and rates and quotas."""

    tiers: tuple[str, ...]
    role: str
    rates: Rated


class _Stored(NamedTuple):
    """Rows of one moment."""

    version: int
    tiers: Change | None
    agreements: list[AgreementRow]
    emergencies: list[EmergencyRow]


class Policies:
    """What everybody holds, in one snapshot that is replaced whole when a change set is published."""

    def __init__(
        self,
        governance: Governance,
        settings: Settings,
        clock: Clock,
        collections: Mapping[str, Collection],
        witness: Witness,
    ) -> None:
        self._governance, self._clock, self._settings = governance, clock, settings
        self.collections, self._witness = collections, witness
        self._lock = threading.Lock()
        self._remembered: dict[tuple[str, Narrowed, Action], tuple[int, Policy]] = {}
        self._standings: dict[tuple[str, Narrowed], tuple[int, Standing]] = {}
        self._onward: dict[tuple[str, Action], tuple[int, Policy]] = {}
        self._version, self._looked_us = -1, 0
        self._reached_us = clock.now_us()
        self._alone = False  # governance could not be reached with the last look
        self._publish_file()
        self._holdings = self._read(self._stored())

    @property
    def version(self) -> int:
        """The newest change set that is known here."""
        self.holdings()
        return self._version

    def holdings(self) -> Holdings:
        """What is in force as far as it is known here.

        While governance cannot be reached, what was read before goes on; ``check_reached`` says for
        whom. Raises Unavailable where what is stored there cannot be read: never an allow.
        """
        now_us = self._clock.now_us()
        if not 0 <= now_us - self._looked_us < LOOK_US:
            self.look(now_us)
        return self._holdings

    def look(self, now_us: int) -> None:
        """Read governance again if there is a newer change set."""
        if not self._lock.acquire(blocking=not self._alone):
            return  # somebody is waiting for it already
        try:
            if 0 <= now_us - self._looked_us < LOOK_US and self._version >= 0:
                return
            try:
                stored = None
                if self._governance.policies.version() != self._version:
                    stored = self._stored()
            except Unavailable:
                if not self._alone:
                    log.exception("governance cannot be reached")
                self._alone, self._looked_us = True, now_us
                return
            except Exception as error:
                log.exception("governance cannot be read")
                raise Unavailable("the policies cannot be read", retry_after_s=2) from error
            if stored is not None:
                self._holdings = self._read(stored)
                self._remembered, self._standings = {}, {}
            self._alone, self._looked_us, self._reached_us = False, now_us, now_us
        finally:
            self._lock.release()

    def check_reached(self, organisation: str) -> None:
        """Raise Unavailable for organisations where governance has been out of reach for too long.

        What they hold may have ended since. Nobody in particular goes on with the open tier, and with
        emergencies that are on for everybody, until their end.
        """
        if organisation and self._alone and self._clock.now_us() - self._reached_us >= ALONE_US:
            raise Unavailable("the policies cannot be read", retry_after_s=2)

    def forget(self) -> None:
        """Look again with the next question: after a change of one's own."""
        self._looked_us = 0

    def held(self, organisation: str, narrowed: Narrowed = None) -> tuple[Holding, ...]:
        """What an organisation holds now, as far as its credential may use it."""
        holdings = self.holdings()
        self.check_reached(organisation)
        return holdings.held(organisation, self._clock.now_us(), narrowed)

    def policy(self, organisation: str, narrowed: Narrowed, action: Action) -> Policy:
        """What may be done now; remembered for a moment."""
        holdings, now_us = self.holdings(), self._clock.now_us()
        self.check_reached(organisation)
        key = (organisation, narrowed, action)
        found = self._remembered.get(key)
        if found is None or not 0 <= now_us - found[0] < POLICY_FOR_US:
            if len(self._remembered) > MAX_REMEMBERED:
                self._remembered = {}
            held = holdings.held(organisation, now_us, narrowed)
            found = self._remembered[key] = now_us, holdings.policy(held, action, now_us)
        return found[1]

    def passed_on(self, organisation: str, action: Action) -> Policy:
        """What an organisation may show to anybody now; remembered for a moment."""
        holdings, now_us = self.holdings(), self._clock.now_us()
        found = self._onward.get((organisation, action))
        if found is None or not 0 <= now_us - found[0] < POLICY_FOR_US:
            if len(self._onward) > MAX_REMEMBERED:
                self._onward = {}
            held = holdings.passed_on(organisation, now_us)
            found = self._onward[organisation, action] = now_us, holdings.policy(held, action, now_us)
        return found[1]

    def contributing(self, organisation: str, narrowed: Narrowed = None) -> Contributing:
        """Release classes under which an organisation contributes now."""
        return self.holdings().contributing(self.held(organisation, narrowed), self._clock.now_us())

    def of_tier(self, tier: str, action: Action) -> Policy:
        """What a tier gives beside the open one, whoever holds it. Raises BadRequest for no tier."""
        holdings, now_us = self.holdings(), self._clock.now_us()
        holdings.tiers.tier(tier)
        held = dict.fromkeys((Holding(OPEN, OPEN), Holding(tier, OPEN if tier == OPEN else "")))
        return holdings.policy(held, action, now_us)

    def standing(self, organisation: str, narrowed: Narrowed) -> Standing:
        """What a credential has by what its organisation holds now; remembered for a moment."""
        holdings, now_us = self.holdings(), self._clock.now_us()
        self.check_reached(organisation)
        key = (organisation, narrowed)
        found = self._standings.get(key)
        if found is None or not 0 <= now_us - found[0] < POLICY_FOR_US:
            if len(self._standings) > MAX_REMEMBERED:
                self._standings = {}
            held = holdings.held(organisation, now_us, narrowed)
            tiers = tuple(dict.fromkeys(item.tier for item in held[1:]))
            rate = holdings.rates(held, self._settings.rate_per_minute)
            found = self._standings[key] = now_us, Standing(tiers, holdings.role(held), rate)
        return found[1]

    # Reading what is stored

    def _stored(self) -> _Stored:
        """What governance has, unread."""
        rows = self._governance.policies
        # the number first: what comes in afterwards is read with the next look
        version = rows.version()
        return _Stored(version, rows.tiers(), rows.agreements_in_force(), rows.emergencies())

    def _read(self, found: _Stored) -> Holdings:
        """What is in force. Raises Unavailable where it cannot be told: never an allow."""
        stored = found.tiers
        if stored is None or stored.document is None:
            raise Unavailable("no tiers are published")
        try:
            tiers = self.checked(orjson.loads(stored.document), f"change set {stored.number}")
            agreements: dict[str, list[Agreement]] = {}
            for row in found.agreements:
                agreements.setdefault(row.organisation, []).append(read_agreement(row))
            emergencies = tuple(
                item for row in found.emergencies if (item := read_emergency(row)) is not None
            )
        except (GeoshareError, ValueError) as error:
            log.exception("the policies in governance cannot be read")
            raise Unavailable("the policies cannot be read") from error
        self._version = found.version
        held = {name: tuple(items) for name, items in agreements.items()}
        return Holdings(tiers, held, emergencies)

    def checked(self, document: Any, source: str) -> Tiers:
        """Tiers of a document, checked in every part. Raises BadRequest."""
        return read_tiers(document, source, self.collections)

    def from_file(self) -> Tiers:
        """The tiers of the operator's file, or the built-in ones."""
        return load_tiers(tiers_file(self._settings), self.collections)

    def _publish_file(self) -> None:
        """Publish the operator's file where it says something new; the built-in tiers where none is.

        A change set published since from elsewhere stays, until the file is edited again.
        """
        tiers, rows = self.from_file(), self._governance.policies
        source = FILE if tiers_file(self._settings) is not None else BUILT_IN
        document = canonical_json(tiers.document()).decode()
        newest, last = rows.tiers(), rows.newest_of(source)
        unchanged = last is not None and last.document == document
        foreign = newest is not None and newest.source != BUILT_IN and source == BUILT_IN
        if unchanged or foreign:
            return
        reason = f"{tiers.source} as it is found" if source == FILE else "the tiers of this version"
        act = Act(self._clock.now_us(), GEOSHARE, reason, self._witness)
        try:
            base = 0 if newest is None else newest.number
            rows.put_tiers(act, "publish", document, source, base)
        except Conflict:
            log.info("another process that starts has published the tiers")


def tiers_file(settings: Settings) -> Path | None:
    """The operator's tiers, or None for the built-in ones."""
    own = settings.data / "tiers.toml"
    return settings.tiers or (own if own.exists() else None)


def read_agreement(row: AgreementRow) -> Agreement:
    """The document of a stored agreement."""
    return Agreement.model_validate_json(row.document)


def read_emergency(row: EmergencyRow) -> Switched | None:
    """An emergency that was switched on; None for one that waits or has ended."""
    if row.activated_us is None or row.until_us is None or row.ended_us is not None:
        return None
    return Switched(Activation.model_validate_json(row.document), row.activated_us, row.until_us)
