"""Links that a key gives away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from geoshare.access.audit import Party
from geoshare.access.credentials import Principal
from geoshare.errors import Denied
from geoshare.model.times import iso
from geoshare.services.auditing import party_of

if TYPE_CHECKING:
    from geoshare.services import Services


def make_link(services: Services, who: Principal, address: str, seconds: int) -> dict[str, Any]:
    """A link to an address of this server. Raises Denied where the caller is no key."""
    if who.via != "key":
        raise Denied("Only a key can give links away")
    expires_s = services.links.expiry(seconds)
    about = Party(organisation=who.organisation, credential=who.key_id)
    signed = services.links.sign(who.key_id, expires_s, address)
    services.trail.append("link.create", party_of(who), about, {"expires_s": expires_s})
    return {"href": signed, "expires": iso(expires_s * 1_000_000)}
