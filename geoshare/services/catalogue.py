"""Whose catalogue says what: records of what the caller may know, with the terms it is held under."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geoshare.access.credentials import ANONYMOUS, Principal
from geoshare.extracts.terms import licences_of
from geoshare.query.catalogue import Entry, entry

if TYPE_CHECKING:
    from geoshare.services import Services


def entries(services: Services, who: Principal) -> list[Entry]:
    """One record of each collection that the caller may know.

    What a stranger may know is open whoever asks; the licences are those of the caller's own grants.
    """
    policy = services.policy(who, "discover")
    strangers = services.policy(ANONYMOUS, "read")
    return [
        entry(view, licences_of(policy, name), "open" if strangers.allows(name) else "restricted")
        for name, view in services.listed(who).items()
    ]
