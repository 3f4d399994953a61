"""Keys of an organisation, as its own administrators handle them in a browser."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from geoshare.access.audit import Party
from geoshare.access.credentials.principal import OPERATOR, Principal
from geoshare.errors import BadRequest, Denied, NotFound
from geoshare.model.times import iso
from geoshare.services.auditing import party_of
from geoshare.services.people import administrator

if TYPE_CHECKING:
    from geoshare.services import Services

MAX_KEYS: Final = 1_000  # of an organisation, that are valid


class OrganisationKeys:
    """Keys of the caller's organisation, never of another.

    An operator's key administers this geoshare, so an operator alone handles keys of the operator.
    """

    def __init__(self, services: Services, who: Principal) -> None:
        self._services, self._who = services, administrator(who)
        held = services.policies.standing(who.organisation, None).role
        if held == "operator" and not who.may(OPERATOR):
            raise Denied("Only an operator handles the operator's keys")

    def listed(self) -> list[dict[str, Any]]:
        """All of them without their secrets."""
        return self._services.keys.of(self._who.organisation)

    def create(self, tiers: tuple[str, ...], *, label: str, days: int) -> tuple[str, str]:
        """Make a key for some of the tiers that are held, or for all: its id, and its text."""
        services, who = self._services, self._who
        held = services.policies.standing(who.organisation, None).tiers
        if not set(tiers) <= set(held):
            raise BadRequest(
                "A key gives no more than is held.",
                parameter="tiers",
                allowed=", ".join(held) or "nothing",
            )
        valid = [key for key in self.listed() if key["state"] == "active"]
        if len(valid) >= MAX_KEYS:
            raise BadRequest("There are too many keys.", allowed=f"{MAX_KEYS} valid ones")
        text = services.keys.create(who.organisation, tiers, days=days, label=label, by=party_of(who))
        return text.split("_")[1], text

    def rotate(self, key_id: str, *, overlap_us: int, days: int | None) -> str:
        """Give a key another secret; its text."""
        self._check(key_id)
        return self._services.keys.rotate(
            key_id, overlap_us=overlap_us, days=days, by=party_of(self._who)
        )

    def revoke(self, key_id: str) -> None:
        """Revoke a key for good, and those it has made."""
        self._check(key_id)
        self._services.keys.revoke(key_id, party_of(self._who))

    def link(self, key_id: str, address: str, seconds: int) -> dict[str, Any]:
        """Sign a link in the name of a key: it ends with the key."""
        self._check(key_id)
        services = self._services
        expires_s = services.links.expiry(seconds)
        signed = services.links.sign(key_id, expires_s, address)
        about = Party(organisation=self._who.organisation, credential=key_id)
        services.trail.append("link.create", party_of(self._who), about, {"expires_s": expires_s})
        return {"href": signed, "expires": iso(expires_s * 1_000_000)}

    def _check(self, key_id: str) -> None:
        if key_id not in {key["id"] for key in self.listed()}:
            raise NotFound("No such key")
