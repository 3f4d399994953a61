"""Emergencies: a tier that two persons switch on for an area and a time; it goes off by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import orjson

from geoshare.access.areas import coded_area
from geoshare.access.credentials import Principal
from geoshare.access.grant_faults import area_faults
from geoshare.errors import BadRequest, Conflict
from geoshare.model.policy import Activation, canonical_json
from geoshare.model.times import iso
from geoshare.publish import Packs
from geoshare.services.written import Author, act, written
from geoshare.store.policy_kinds import EmergencyRow

if TYPE_CHECKING:
    from geoshare.services import Services

HOUR_US: Final = 3_600_000_000
WAITS_US: Final = 24 * HOUR_US  # a proposal that nobody confirms within a day is void


class Emergencies:
    """What is proposed by one person is switched on by another, and needs nobody to be switched off."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._rows = services.governance.policies

    def propose(self, said: dict[str, Any], by: Author) -> str:
        """Propose to switch an emergency tier on; returns the proposal's id."""
        services = self._services
        number = services.ids.new()
        activation = written(Activation, said | {"id": number}, "emergency")
        emergency = services.tiers.tier(activation.tier).emergency
        if emergency is None:
            tiers = services.tiers.tiers.items()
            allowed = ", ".join(name for name, tier in tiers if tier.emergency is not None)
            raise BadRequest(
                f"{activation.tier} is no emergency tier.", parameter="tier", allowed=allowed
            )
        if activation.hours > emergency.longest_hours:
            raise BadRequest(
                "That is too long.", parameter="hours", allowed=f"1 to {emergency.longest_hours}"
            )
        if isinstance(activation.area, dict):
            for _, message, allowed in area_faults(activation.area):
                raise BadRequest(message, parameter="area", allowed=allowed)
        else:
            coded_area(Packs(services.packs_dir), activation.area)
        document = canonical_json(activation.model_dump(mode="json")).decode()
        self._rows.propose(act(services, by), number, document)
        return number

    def check_second(self, number: str, who: Principal) -> None:
        """Refuse a confirmation by somebody who let the other one in, or whom the same person let in.

        Who makes an invite could use it, and with it make the next one: it takes two persons whom
        nobody but the operator's own hand, or their organisation's login, has let in.

        Raises
        ------
        Conflict
            for the same person, and for such a pair.
        """
        row = self._rows.emergency(number)
        first = row.proposed_by.rpartition(" ")[2]
        since_us = self._services.clock.now_us() - 2 * WAITS_US
        inviters = self._services.governance.persons.inviters
        if first == who.person:
            raise Conflict("a second person must switch it on")
        if inviters(first, since_us) & inviters(who.person, since_us, who.session):
            raise Conflict(
                "two persons of whom one let the other in, or whom one person let in, are not two"
            )

    def confirm(self, number: str, by: Author) -> None:
        """Switch a proposed emergency on, by another person than who proposed it; at once."""
        row = self._rows.emergency(number)
        activation = Activation.model_validate_json(row.document)
        until_us = self._services.clock.now_us() + activation.hours * HOUR_US
        self._rows.activate(act(self._services, by), number, until_us, WAITS_US)
        self._services.policies.forget()

    def end(self, number: str, by: Author) -> None:
        """Switch an emergency off before its time, or give a proposal up."""
        self._rows.end_emergency(act(self._services, by), number)
        self._services.policies.forget()

    def listed(self) -> list[dict[str, Any]]:
        """Proposals and emergencies, newest first, and how they stand."""
        now_us = self._services.clock.now_us()
        return [
            {"state": _state(row, now_us), "proposed_by": row.proposed_by}
            | orjson.loads(row.document)
            | {
                "proposed": iso(row.proposed_us),
                "activated_by": row.activated_by,
                "until": None if row.until_us is None else iso(row.until_us),
            }
            for row in self._rows.emergencies()
        ]


def _state(row: EmergencyRow, now_us: int) -> str:
    """proposed, void, on, over or ended."""
    if row.ended_us is not None:
        return "ended"
    if row.until_us is None:
        return "proposed" if now_us - row.proposed_us <= WAITS_US else "void"
    return "on" if now_us < row.until_us else "over"
