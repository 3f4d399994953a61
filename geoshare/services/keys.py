"""Keys as their holders and the operator handle them; every act has its entry in the audit log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection

from geoshare.access.audit import COMMAND_LINE, Party
from geoshare.access.credentials import Part, Principal, new_key, rotated, sub_key
from geoshare.access.credentials.keys import listed
from geoshare.access.limits import month_at
from geoshare.errors import BadRequest, Conflict, Denied, NotFound
from geoshare.model.times import iso
from geoshare.services.auditing import party_of
from geoshare.store.governance import Also, ApiKey

if TYPE_CHECKING:
    from geoshare.services import Services

MAX_SUB_KEYS: Final = 100  # that are valid, of one key
PEPPER: Final = "api-keys"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A key to be made by another key; see ``Part``."""

    part: Part
    label: str
    days: int


class Keys:
    """Makes, shares out, replaces, revokes and lists keys."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def create(
        self,
        organisation: str,
        tiers: tuple[str, ...],
        *,
        days: int,
        label: str = "",
        by: Party = COMMAND_LINE,
    ) -> str:
        """Make a key of an organisation and return its text, which is kept nowhere."""
        services = self._services
        stored, text = new_key(
            organisation,
            tiers,
            label=label,
            days=days,
            pepper=services.governance.secret(PEPPER),
            clock=services.clock,
            ids=services.ids,
        )
        said = {"tiers": list(tiers), "days": days}
        services.governance.add_key(stored, self._told("key.create", by, stored, said))
        return text

    def share(self, who: Principal, wanted: Wanted) -> tuple[dict[str, Any], str]:
        """Make a key out of the caller's own: what it is, and its text, which is kept nowhere.

        Raises
        ------
        Denied
            where the caller is no key, or one that was made by a key.
        BadRequest
            for what the caller does not have itself, or where it has made too many.
        """
        services, part = self._services, wanted.part
        parent = self._own(who)
        _subset(part.tiers, who.tiers, "tiers")
        if part.collections is not None:
            _subset(part.collections, sorted(services.visible(who)), "collections")
        valid = [key for key in services.governance.children(parent.id) if self._valid(key)]
        if len(valid) >= MAX_SUB_KEYS:
            raise BadRequest("The key has made too many keys.", allowed=f"{MAX_SUB_KEYS} valid ones")
        stored, text = sub_key(
            parent,
            part,
            label=wanted.label,
            days=wanted.days,
            pepper=services.governance.secret(PEPPER),
            clock=services.clock,
            ids=services.ids,
        )
        said = {"tiers": list(part.tiers), "days": wanted.days, "shared": True}
        services.governance.add_key(stored, self._told("key.create", party_of(who), stored, said))
        return self._described(stored), text

    def shared(self, who: Principal) -> list[dict[str, Any]]:
        """The caller's own key and those it has made, without their secrets."""
        own = self._own(who)
        return [self._described(key) for key in (own, *self._services.governance.children(own.id))]

    def take_back(self, who: Principal, key_id: str) -> None:
        """Revoke a key that the caller's has made. Raises NotFound for any other."""
        own = self._own(who)
        if key_id not in {key.id for key in self._services.governance.children(own.id)}:
            raise NotFound("No such key")
        self._revoke(key_id, party_of(who))

    def rotate_own(self, who: Principal, key_id: str, overlap_s: int) -> tuple[dict[str, Any], str]:
        """Give the caller's own key, or one that it has made, another secret; its end stays.

        Raises
        ------
        NotFound
            for any other key.
        Denied
            where the caller's secret has itself been replaced: it does not replace its successor.
        Conflict
            while the key's old secret is still valid: that was promised.
        """
        own = self._own(who)
        if key_id not in {own.id, *(key.id for key in self._services.governance.children(own.id))}:
            raise NotFound("No such key")
        if who.replaced:
            raise Denied("This secret has been replaced; use the new one")
        asker = (own.id, who.secret)  # what a worker remembers of the key may be half a second old
        text = self.rotate(key_id, overlap_us=overlap_s * 1_000_000, by=party_of(who), asker=asker)
        return self._described(self._key(key_id)), text

    def rotate(
        self,
        key_id: str,
        *,
        overlap_us: int,
        days: int | None = None,
        by: Party = COMMAND_LINE,
        asker: tuple[str, bytes] | None = None,
        end_overlap: bool = False,
    ) -> str:
        """Give a key another secret and return its text; the old one is valid for the overlap.

        ``asker`` is the key that asks, and the mark of its secret. Raises Conflict while an earlier
        secret is still valid, unless ``end_overlap`` says that it is to end at once.
        """
        services = self._services
        before = self._key(key_id)
        until_us = before.old_until_us or 0
        if services.clock.now_us() < until_us and not end_overlap:
            raise Conflict(
                f"The secret before this one is valid until {iso(until_us)}; rotate after that",
                parameter="key",
                allowed="one rotation at a time; revoke a key that somebody else may know",
                message_ja=f"以前の秘密は {iso(until_us)} まで有効です。その後に更新してください",
            )
        after, text = rotated(
            before,
            overlap_us=overlap_us,
            days=days,
            pepper=services.governance.secret(PEPPER),
            clock=services.clock,
        )
        said = {"overlap_s": overlap_us // 1_000_000, "days": days or 0}
        told = self._told("key.rotate", by, after, said)
        services.governance.rotate_key(before, after, told, asker)
        return text

    def revoke(self, key_id: str, by: Party = COMMAND_LINE) -> None:
        """Revoke a key, and those it has made, for good."""
        self._revoke(key_id, by)

    def of(self, organisation: str) -> list[dict[str, Any]]:
        """All keys of an organisation without their secrets."""
        return [self._described(key) for key in self._services.governance.keys(organisation)]

    def listed(self) -> list[dict[str, Any]]:
        """All keys without their secrets: whose, until when, when used last, how much this month."""
        services = self._services
        used = services.quotas.used(month_at(services.clock.now_us()).number)
        none = {"requests": 0, "cost": 0}
        return [
            self._described(key) | {"month": used.get(key.id, none)}
            for key in services.governance.keys(None)
        ]

    def _revoke(self, key_id: str, by: Party) -> None:
        services = self._services
        key = self._key(key_id)
        now_us = services.clock.now_us()
        services.governance.revoke_key(key_id, now_us, self._told("key.revoke", by, key, {}))

    def _own(self, who: Principal) -> ApiKey:
        if who.via != "key" or not who.whole:
            raise Denied("Only a key that your organisation was given can do this")
        return self._key(who.key_id)

    def _key(self, key_id: str) -> ApiKey:
        found = self._services.governance.key(key_id)
        if found is None:
            raise NotFound(f"no key {key_id!r}")
        return found

    def _valid(self, key: ApiKey) -> bool:
        return key.revoked_us is None and self._services.clock.now_us() < key.expires_us

    def _told(self, kind: str, by: Party, key: ApiKey, said: dict[str, Any]) -> Also:
        """What adds the entry of an act in the act's own transaction."""
        trail = self._services.trail
        about = Party(organisation=key.organisation, credential=key.id)

        def tell(connection: Connection) -> None:
            trail.add(connection, trail.prepare(kind, by, about, said))

        return tell

    def _described(self, key: ApiKey) -> dict[str, Any]:
        now_us = self._services.clock.now_us()
        overlap = key.old_until_us if key.old_until_us and key.old_until_us > now_us else None
        return {
            "id": key.id,
            "organisation": key.organisation,
            "label": key.label,
            "parent": key.parent,
            "tiers": list(listed(key.tier)),
            "collections": None if key.collections is None else list(listed(key.collections)),
            "requests_per_minute": key.per_minute,
            "cost_per_minute": key.cost_per_minute,
            "requests_per_month": key.per_month,
            "cost_per_month": key.cost_per_month,
            "state": "active" if self._valid(key) else "revoked" if key.revoked_us else "expired",
            "created": iso(key.created_us),
            "expires": iso(key.expires_us),
            "last_used": iso(key.last_used_us) if key.last_used_us else None,
            "old_secret_until": iso(overlap) if overlap else None,
        }


def _subset(wanted: tuple[str, ...], there: Any, parameter: str) -> None:
    if not set(wanted) <= set(there):
        raise BadRequest(
            "A key gives no more than it has itself.",
            parameter=parameter,
            allowed=", ".join(there) or "nothing",
        )
