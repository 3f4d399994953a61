"""What an administrator of an organisation does about its own people, and about nobody else's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from geoshare.access.credentials.principal import OPERATOR, Principal
from geoshare.errors import Denied
from geoshare.services.auditing import party_of
from geoshare.services.people import administrator
from geoshare.store.person_kinds import Person

if TYPE_CHECKING:
    from geoshare.services import Services


class Colleagues:
    """The people of the caller's organisation; Denied where the caller does not administer them."""

    def __init__(self, services: Services, who: Principal) -> None:
        self._people, self._who = services.people, administrator(who)
        self._by = party_of(who)

    def listed(self) -> list[dict[str, Any]]:
        """All of them who are not erased."""
        return self._people.listed(self._who.organisation)

    def add(self, said: dict[str, Any]) -> dict[str, Any]:
        """Add one."""
        self._check_given(said)
        return self._people.add(self._who.organisation, said, self._by)

    def change(self, person: str, said: dict[str, Any]) -> dict[str, Any]:
        """Change one; what is None stays, but for an address and a department."""
        kept = {
            name: value
            for name, value in said.items()
            if value is not None or name in ("email", "department")
        }
        self._check_given(kept)
        return self._people.change(self._one(person), kept, self._by)

    def erase(self, person: str) -> None:
        """Erase one."""
        self._people.erase(self._one(person), self._by)

    def invite(self, person: str, hours: int) -> tuple[str, str]:
        """Invite one: the invite's text, and its end."""
        return self._people.invite(self._one(person), hours, self._by)

    def uninvite(self, person: str) -> None:
        """Take an open invite back."""
        self._people.revoke_invites(self._one(person), self._by)

    def departments(self) -> list[dict[str, Any]]:
        """Departments of the organisation."""
        return self._people.departments(self._who.organisation)

    def add_department(self, name: str) -> dict[str, Any]:
        """Add a department."""
        return self._people.add_department(self._who.organisation, name, self._by)

    def _one(self, person: str) -> Person:
        """One of them. Who is no operator does not touch operators: to invite is to become."""
        found = self._people.person(person, self._who.organisation)
        if OPERATOR in found.roles.split(",") and not self._who.may(OPERATOR):
            raise Denied("Only an operator can change an operator")
        return found

    def _check_given(self, said: dict[str, Any]) -> None:
        if OPERATOR in (said.get("roles") or ()) and not self._who.may(OPERATOR):
            raise Denied("Only an operator can make somebody an operator", parameter="roles")
