"""People of organisations: added, invited, let in, changed and erased; each act has its entry."""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection

from geoshare.access.audit import COMMAND_LINE, Party
from geoshare.access.credentials.principal import NARROWED, OPERATOR, ROLES, Principal
from geoshare.access.credentials.sessions import invited, new_invite, new_session
from geoshare.errors import BadRequest, Conflict, Denied, NotFound, Unauthenticated
from geoshare.model.collections import known
from geoshare.model.times import iso
from geoshare.publish import Packs
from geoshare.services.auditing import party_of
from geoshare.store.person_kinds import Also, Department, Invite, Person

if TYPE_CHECKING:
    from geoshare.services import Services

PEPPER: Final = "sessions"
HOUR_US: Final = 3_600_000_000
MAX_INVITE_HOURS: Final = 30 * 24
MAX_SESSIONS: Final = 20  # of one person; the oldest gives way
MAX_TEXT: Final = 200
LANGUAGES: Final = ("ja", "en")
_EMAIL: Final = re.compile(r"[^@\s]{1,64}@[^@\s]{1,190}")


class People:
    """What the operator's hand and an organisation's administrators do about people, and logging in."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._rows = services.governance.persons

    # Departments

    def add_department(self, organisation: str, name: str, by: Party = COMMAND_LINE) -> dict[str, Any]:
        """Add a department to an organisation."""
        services = self._services
        department = Department(
            services.ids.new(), organisation, _text(name, "name"), services.clock.now_us()
        )
        self._rows.add_department(department)
        services.trail.append("department.add", by, Party(organisation, subject=department.id))
        return _department(department)

    def departments(self, organisation: str | None = None) -> list[dict[str, Any]]:
        """All departments, or an organisation's."""
        return [_department(item) for item in self._rows.departments(organisation)]

    # Persons

    def add(self, organisation: str, said: dict[str, Any], by: Party = COMMAND_LINE) -> dict[str, Any]:
        """Add a person: ``name``, and if said ``email``, ``department``, ``roles``, ``language``.

        Raises
        ------
        BadRequest
            naming what cannot be.
        """
        services = self._services
        values = self._checked(organisation, {"roles": (), "language": "ja"} | said)
        person = Person(
            id=services.ids.new(),
            organisation=organisation,
            department=values.get("department"),
            name=values["name"],
            email=values.get("email"),
            roles=values["roles"],
            language=values["language"],
            created_us=services.clock.now_us(),
        )
        detail = {"roles": person.roles}
        self._rows.add(person, self._told("person.add", by, person, detail))
        return self._described(person)

    def change(self, person: Person, said: dict[str, Any], by: Party = COMMAND_LINE) -> dict[str, Any]:
        """Change what is said of a person; sessions go on with it within a second."""
        values = self._checked(person.organisation, said)
        if said.get("disabled") is False:
            values["disabled_us"] = None
        if values:
            detail = {"changed": sorted(values), "roles": values.get("roles", person.roles)}
            self._rows.change(person.id, values, self._told("person.change", by, person, detail))
        if said.get("disabled"):
            self.disable(person, by)
        self._services.sessions.forget()
        return self._described(self.person(person.id))

    def disable(self, person: Person, by: Party = COMMAND_LINE) -> None:
        """Let a person in no more; sessions and invites end within a second."""
        now_us = self._services.clock.now_us()
        self._rows.disable(person.id, now_us, self._told("person.disable", by, person, {}))
        self._services.sessions.forget()

    def erase(self, person: Person, by: Party = COMMAND_LINE) -> None:
        """Destroy name, address, identities and sessions, and what links log entries to the person."""
        now_us = self._services.clock.now_us()
        about = Party(organisation=person.organisation)

        def tell(connection: Connection) -> None:
            trail = self._services.trail
            trail.add(connection, trail.prepare("person.erase", by, about, {}))

        self._rows.erase(person.id, now_us, tell)
        self._services.sessions.forget()
        try:
            self._services.trail.forget("person", person.id, by)
        except NotFound:
            return  # nothing that can be opened names them

    def person(self, person: str, organisation: str | None = None) -> Person:
        """A person, of one organisation if said. Raises NotFound, also for who is erased."""
        found = self._rows.person(person)
        if found is None or found.erased_us is not None:
            raise NotFound("No such person")
        if organisation not in (None, found.organisation):
            raise NotFound("No such person")
        return found

    def listed(self, organisation: str | None = None) -> list[dict[str, Any]]:
        """All persons who are not erased, or an organisation's."""
        return [
            self._described(item) for item in self._rows.persons(organisation) if item.erased_us is None
        ]

    # Invites and logging in

    def invite(self, person: Person, hours: int, by: Party = COMMAND_LINE) -> tuple[str, str]:
        """Make an invite, in place of earlier ones: its text, which is kept nowhere, and its end."""
        services = self._services
        if not 1 <= hours <= MAX_INVITE_HOURS:
            raise BadRequest(
                "An invite must expire.", parameter="hours", allowed=f"1 to {MAX_INVITE_HOURS}"
            )
        stored, text = new_invite(
            person.id,
            hours * HOUR_US,
            made_by=by.person or None,
            pepper=services.governance.secret(PEPPER),
            clock=services.clock,
            ids=services.ids,
        )
        self._rows.add_invite(stored, self._told("person.invite", by, person, {"hours": hours}))
        return text, iso(stored.expires_us)

    def revoke_invites(self, person: Person, by: Party = COMMAND_LINE) -> int:
        """End a person's open invites; how many there were."""
        now_us = self._services.clock.now_us()
        told = self._told("person.uninvite", by, person, {})
        return self._rows.revoke_invites(person.id, now_us, told)

    def whose(self, text: str) -> dict[str, Any]:
        """Whom an open invite is for, so that they see it before they use it up."""
        services = self._services
        _, person = invited(
            text,
            self._rows.invite,
            pepper=services.governance.secret(PEPPER),
            now_us=services.clock.now_us(),
        )
        organisation = services.governance.organisation(person.organisation)
        return {
            "name": person.name,
            "organisation": person.organisation,
            "organisation_name": organisation.name if organisation else "",
        }

    def accept(self, text: str) -> tuple[str, Person]:
        """Use an invite up: the text of a new session, and whose it is. Raises Unauthenticated."""
        services = self._services
        invite, person = invited(
            text,
            self._rows.invite,
            pepper=services.governance.secret(PEPPER),
            now_us=services.clock.now_us(),
        )
        try:
            return self.begin(person, "invite", invite), person
        except (Conflict, NotFound) as error:  # somebody was faster
            raise Unauthenticated("The credential is not valid.") from error

    def begin(self, person: Person, how: str, invite: Invite | None = None) -> str:
        """Begin a session of a person who has shown who they are; its text."""
        services = self._services
        session, text = new_session(
            person.id,
            how,
            services.sessions.life,
            invited_by=invite.made_by if invite is not None else None,
            pepper=services.governance.secret(PEPPER),
            clock=services.clock,
            ids=services.ids,
        )
        by = Party(person.organisation, person.id, session.id)
        told = self._told("session.begin", by, person, {"how": how})
        used = invite.id if invite is not None else None
        self._rows.begin(session, told, invite=used, most=MAX_SESSIONS)
        return text

    # What a person sees of themselves

    def described(self, who: Principal) -> dict[str, Any] | None:
        """Who is logged in; None for a caller that is no person."""
        if not who.person:
            return None
        person = self.person(who.person)
        departments = {item.id: item.name for item in self._rows.departments(person.organisation)}
        return self._described(person) | {
            "department_name": departments.get(person.department or ""),
            "session": who.session,
        }

    def sessions(self, who: Principal) -> list[dict[str, Any]]:
        """The caller's own sessions that are not over, newest first."""
        _person_only(who)
        life, now_us = self._services.sessions.life, self._services.clock.now_us()
        return [
            {
                "id": item.id,
                "how": item.how,
                "current": item.id == who.session,
                "created": iso(item.created_us),
                "last_used": iso(item.last_used_us),
                "expires": iso(min(item.expires_us, item.last_used_us + life.idle_us)),
            }
            for item in self._rows.sessions(who.person)
            if now_us < min(item.expires_us, item.last_used_us + life.idle_us)
        ]

    def end_session(self, who: Principal, session: str) -> None:
        """End one of the caller's own sessions. Raises NotFound for any other."""
        _person_only(who)
        about = Party(who.organisation, who.person, subject=session)

        def tell(connection: Connection) -> None:
            trail = self._services.trail
            trail.add(connection, trail.prepare("session.end", party_of(who), about, {}))

        self._rows.end_session(who.person, session, self._services.clock.now_us(), tell)
        self._services.sessions.forget()

    def end_by_text(self, text: str) -> None:
        """End the session that a browser had, if it is one that counts."""
        with contextlib.suppress(Unauthenticated, NotFound):
            who = self._services.sessions.authenticate(text)
            self.end_session(who, who.session)

    # Help

    def _checked(self, organisation: str, said: dict[str, Any]) -> dict[str, Any]:
        """Values as they are stored, of what is said."""
        values: dict[str, Any] = {}
        if "name" in said:
            values["name"] = _text(said["name"], "name")
        if "email" in said:
            email = said["email"] or None
            if email is not None and not _EMAIL.fullmatch(email):
                raise BadRequest("This is no address", parameter="email", allowed="name@example.jp")
            values["email"] = email
        if "department" in said:
            values["department"] = said["department"] or None
        if "language" in said:
            if said["language"] not in LANGUAGES:
                raise BadRequest("No such language", parameter="language", allowed="ja, en")
            values["language"] = said["language"]
        if "roles" in said:
            roles = tuple(dict.fromkeys(said["roles"]))
            self._check_roles(organisation, roles)
            values["roles"] = ",".join(roles)
        return values

    def _check_roles(self, organisation: str, roles: tuple[str, ...]) -> None:
        held = self._services.policies.standing(organisation, None).role
        there = [name for name in ROLES if name != OPERATOR or held == "operator"]
        # a collection that the organisation may not know is as one that does not exist
        policy = self._services.policies.policy(organisation, None, "contribute")
        there_are = {*known(), *policy.collections}
        if policy.everything:
            there_are |= {*Packs(self._services.packs_dir).names()}
        for item in roles:
            role, _, collection = item.partition(":")
            if role not in there or (":" in item and role not in NARROWED):
                raise BadRequest(
                    "There is no such role here",
                    parameter="roles",
                    allowed=", ".join([*there, *(f"{name}:COLLECTION" for name in NARROWED)]),
                )
            if ":" in item and collection not in there_are:
                raise BadRequest(
                    "There is no such collection",
                    parameter="roles",
                    allowed=f"{role}: with one of {', '.join(sorted(known()))}",
                )

    def _told(self, kind: str, by: Party, person: Person, said: dict[str, Any]) -> Also:
        """What adds the entry of an act in the act's own transaction."""
        trail = self._services.trail
        about = Party(organisation=person.organisation, person=person.id)

        def tell(connection: Connection) -> None:
            trail.add(connection, trail.prepare(kind, by, about, said))

        return tell

    def _described(self, person: Person) -> dict[str, Any]:
        return {
            "id": person.id,
            "organisation": person.organisation,
            "department": person.department,
            "name": person.name,
            "email": person.email,
            "roles": [name for name in person.roles.split(",") if name],
            "language": person.language,
            "state": "active" if person.active else "disabled",
            "created": iso(person.created_us),
        }


def administrator(who: Principal) -> Principal:
    """The caller, who administers people of the own organisation. Raises Denied for all others."""
    if who.via != "session" or not who.may("admin"):
        raise Denied("Only an administrator of your organisation can do this")
    return who


def _person_only(who: Principal) -> None:
    if not who.person:
        raise Denied("Only a person who is logged in can do this")


def _text(value: str, parameter: str) -> str:
    text = value.strip()
    if not text or len(text) > MAX_TEXT or not text.isprintable():
        raise BadRequest(
            "A name is needed", parameter=parameter, allowed=f"1 to {MAX_TEXT} printable letters"
        )
    return text


def _department(item: Department) -> dict[str, Any]:
    return {"id": item.id, "organisation": item.organisation, "name": item.name}
