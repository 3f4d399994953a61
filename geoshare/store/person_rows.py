"""Rows of people: departments, persons, invites and sessions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from sqlalchemy import BindParameter, Connection, and_, bindparam, or_, select, update
from sqlalchemy.exc import IntegrityError

from geoshare.errors import BadRequest, Conflict, NotFound
from geoshare.store.database import Database
from geoshare.store.organisations import check_organisation
from geoshare.store.person_kinds import Also, Department, Invite, Person, Session
from geoshare.store.person_tables import DEPARTMENTS, IDENTITIES, INVITES, PERSONS, SESSIONS

KEPT_US = 30 * 86_400_000_000  # after the end of an invite or a session
MAX_INVITERS = 1_000


class PersonRows:
    """Reads and writes people."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # Departments

    def add_department(self, department: Department) -> None:
        """Add a department. Raises BadRequest for an unknown organisation, Conflict for its name."""
        with self._database.write() as connection:
            check_organisation(connection, department.organisation)
            same = and_(
                DEPARTMENTS.c.organisation == department.organisation,
                DEPARTMENTS.c.name == department.name,
            )
            if connection.execute(select(DEPARTMENTS.c.id).where(same)).first():
                raise Conflict("a department of this name exists")
            connection.execute(DEPARTMENTS.insert().values(asdict(department)))

    def departments(self, organisation: str | None = None) -> list[Department]:
        """All departments, or those of an organisation, by name."""
        statement = select(DEPARTMENTS).order_by(DEPARTMENTS.c.organisation, DEPARTMENTS.c.name)
        if organisation is not None:
            statement = statement.where(DEPARTMENTS.c.organisation == organisation)
        with self._database.read() as connection:
            return [Department(*row) for row in connection.execute(statement).all()]

    def rename_department(self, organisation: str, department: str, name: str) -> None:
        """Give a department another name. Raises NotFound, Conflict."""
        mine = and_(DEPARTMENTS.c.id == department, DEPARTMENTS.c.organisation == organisation)
        try:
            with self._database.write() as connection:
                if not connection.execute(update(DEPARTMENTS).where(mine).values(name=name)).rowcount:
                    raise NotFound("No such department")
        except IntegrityError as error:
            raise Conflict("a department of this name exists") from error

    # Persons

    def add(self, person: Person, also: Also) -> None:
        """Add a person. Raises BadRequest for an unknown organisation or another's department."""
        with self._database.write() as connection:
            check_organisation(connection, person.organisation)
            _check_department(connection, person.organisation, person.department)
            connection.execute(PERSONS.insert().values(asdict(person)))
            also(connection)

    def person(self, person: str) -> Person | None:
        """The person of that id."""
        with self._database.read() as connection:
            row = connection.execute(select(PERSONS).where(PERSONS.c.id == person)).first()
        return None if row is None else Person(*row)

    def persons(self, organisation: str | None = None) -> list[Person]:
        """All persons, or those of an organisation, by time of creation."""
        statement = select(PERSONS).order_by(PERSONS.c.created_us, PERSONS.c.id)
        if organisation is not None:
            statement = statement.where(PERSONS.c.organisation == organisation)
        with self._database.read() as connection:
            return [Person(*row) for row in connection.execute(statement).all()]

    def change(self, person: str, values: Mapping[str, Any], also: Also) -> None:
        """Change name, email, department, roles, language or ``disabled_us`` of who is not erased."""
        with self._database.write() as connection:
            here = and_(PERSONS.c.id == person, PERSONS.c.erased_us.is_(None))
            organisation = connection.execute(select(PERSONS.c.organisation).where(here)).scalar()
            if organisation is None:
                raise NotFound("No such person")
            _check_department(connection, organisation, values.get("department"))
            connection.execute(update(PERSONS).where(here).values(**values))
            also(connection)

    def disable(self, person: str, now_us: int, also: Also) -> None:
        """Let a person in no more: sessions and invites end. A second time changes nothing."""
        with self._database.write() as connection:
            here = and_(PERSONS.c.id == person, PERSONS.c.erased_us.is_(None))
            if connection.execute(select(PERSONS.c.id).where(here)).first() is None:
                raise NotFound("No such person")
            still = and_(here, PERSONS.c.disabled_us.is_(None))
            if connection.execute(update(PERSONS).where(still).values(disabled_us=now_us)).rowcount:
                also(connection)
            _end_all(connection, person, now_us)

    def erase(self, person: str, now_us: int, also: Also) -> None:
        """Destroy name, address, identities, invites and sessions; the row stays without them."""
        with self._database.write() as connection:
            row = connection.execute(select(PERSONS).where(PERSONS.c.id == person)).first()
            if row is None or row.erased_us is not None:
                raise NotFound("No such person")
            for table in (IDENTITIES, INVITES, SESSIONS):
                connection.execute(table.delete().where(table.c.person == person))
            connection.execute(
                update(PERSONS)
                .where(PERSONS.c.id == person)
                .values(
                    name="",
                    email=None,
                    department=None,
                    roles="",
                    erased_us=now_us,
                    disabled_us=row.disabled_us or now_us,
                )
            )
            also(connection)
        if self._database.is_sqlite:
            self._database.empty_wal()  # or an earlier page with the name would stay there

    # Invites

    def add_invite(self, invite: Invite, also: Also) -> None:
        """Add an invite in place of earlier ones of an active person. Raises NotFound."""
        with self._database.write() as connection:
            check_active(connection, invite.person)
            _end_invites(connection, invite.person, invite.created_us)
            connection.execute(INVITES.insert().values(asdict(invite)))
            also(connection)

    def invite(self, invite: str) -> tuple[Invite, Person] | None:
        """The invite of that id and whom it is for."""
        statement = select(INVITES, PERSONS).join_from(
            INVITES, PERSONS, INVITES.c.person == PERSONS.c.id
        )
        with self._database.read() as connection:
            row = connection.execute(statement.where(INVITES.c.id == invite)).first()
        size = len(INVITES.c)
        return None if row is None else (Invite(*row[:size]), Person(*row[size:]))

    def revoke_invites(self, person: str, now_us: int, also: Also) -> int:
        """End a person's open invites; how many there were."""
        with self._database.write() as connection:
            ended = _end_invites(connection, person, now_us)
            if ended:
                also(connection)
        return ended

    # Sessions

    def begin(self, session: Session, also: Also, *, invite: str | None = None, most: int) -> None:
        """Begin a session of an active person, using an invite up; of too many the oldest ends.

        Raises Conflict where the invite has been used, revoked or is over: nothing has begun then.
        """
        now_us = session.created_us
        with self._database.write() as connection:
            check_active(connection, session.person)
            if invite is not None:
                there = and_(
                    INVITES.c.id == invite,
                    INVITES.c.person == session.person,
                    INVITES.c.used_us.is_(None),
                    INVITES.c.revoked_us.is_(None),
                    INVITES.c.expires_us > now_us,
                )
                if not connection.execute(update(INVITES).where(there).values(used_us=now_us)).rowcount:
                    raise Conflict("the invite has been used")
            live = (
                select(SESSIONS.c.id)
                .where(SESSIONS.c.person == session.person, SESSIONS.c.revoked_us.is_(None))
                .order_by(SESSIONS.c.created_us.desc(), SESSIONS.c.id)
                .offset(most - 1)
            )
            old = [row.id for row in connection.execute(live).all()]
            if old:
                connection.execute(
                    update(SESSIONS).where(SESSIONS.c.id.in_(old)).values(revoked_us=now_us)
                )
            connection.execute(SESSIONS.insert().values(asdict(session)))
            _forget_old(connection, session.person, now_us - KEPT_US)
            also(connection)

    def session(self, session: str) -> tuple[Session, Person] | None:
        """The session of that id and whose it is, also when it is over."""
        statement = select(SESSIONS, PERSONS).join_from(
            SESSIONS, PERSONS, SESSIONS.c.person == PERSONS.c.id
        )
        with self._database.read() as connection:
            row = connection.execute(statement.where(SESSIONS.c.id == session)).first()
        size = len(SESSIONS.c)
        return None if row is None else (Session(*row[:size]), Person(*row[size:]))

    def sessions(self, person: str) -> list[Session]:
        """A person's sessions that were not revoked, newest first."""
        statement = select(SESSIONS).where(SESSIONS.c.person == person, SESSIONS.c.revoked_us.is_(None))
        with self._database.read() as connection:
            rows = connection.execute(statement.order_by(SESSIONS.c.created_us.desc())).all()
        return [Session(*row) for row in rows]

    def end_session(self, person: str, session: str, now_us: int, also: Also) -> None:
        """Revoke a session of a person; a second time changes nothing. Raises NotFound."""
        mine = and_(SESSIONS.c.id == session, SESSIONS.c.person == person)
        with self._database.write() as connection:
            if connection.execute(select(SESSIONS.c.id).where(mine)).first() is None:
                raise NotFound("No such session")
            live = and_(mine, SESSIONS.c.revoked_us.is_(None))
            if connection.execute(update(SESSIONS).where(live).values(revoked_us=now_us)).rowcount:
                also(connection)

    def note_uses(self, uses: Mapping[str, int]) -> None:
        """Note when sessions were used last: many at once, never on the way to an answer."""
        at: BindParameter[int] = bindparam("at_us")
        statement = (
            update(SESSIONS)
            .where(SESSIONS.c.id == bindparam("session_id"), SESSIONS.c.last_used_us < at)
            .values(last_used_us=at)
        )
        if uses:
            with self._database.write(durable=False) as connection:
                connection.execute(
                    statement, [{"session_id": key, "at_us": at_us} for key, at_us in uses.items()]
                )

    def inviters(self, person: str, since_us: int, session: str = "") -> set[str]:
        """Everybody by whose invites a person is let in, from one to the next, themselves included.

        Sessions that were used since then count, and ``session``, whose use may not be noted yet.

        Raises
        ------
        Conflict
            where that cannot be told: somebody among them was erased, or there are too many.
        """
        found, news = {person}, {person}
        used = or_(SESSIONS.c.last_used_us >= since_us, SESSIONS.c.id == session)
        with self._database.read() as connection:
            while news:
                rule = and_(SESSIONS.c.person.in_(news), SESSIONS.c.invited_by.is_not(None), used)
                asked = select(SESSIONS.c.invited_by).where(rule).distinct().limit(MAX_INVITERS)
                names = {row.invited_by for row in connection.execute(asked).all()}
                news = names - found
                found |= news
                if max(len(found), len(names) + 1) > MAX_INVITERS:
                    raise Conflict("too many have let one another in")
            erased = and_(PERSONS.c.id.in_(found), PERSONS.c.erased_us >= since_us)
            if connection.execute(select(PERSONS.c.id).where(erased).limit(1)).first() is not None:
                raise Conflict("who has let you or the first person in has been erased")
        return found


def _check_department(connection: Connection, organisation: str, department: str | None) -> None:
    if department is None:
        return
    mine = and_(DEPARTMENTS.c.id == department, DEPARTMENTS.c.organisation == organisation)
    if connection.execute(select(DEPARTMENTS.c.id).where(mine)).first() is None:
        raise BadRequest(
            "There is no such department", parameter="department", allowed="a department's id"
        )


def check_active(connection: Connection, person: str) -> None:
    """Raise NotFound unless the person is let in."""
    active = and_(
        PERSONS.c.id == person, PERSONS.c.disabled_us.is_(None), PERSONS.c.erased_us.is_(None)
    )
    if connection.execute(select(PERSONS.c.id).where(active)).first() is None:
        raise NotFound("No such person")


def _forget_old(connection: Connection, person: str, before_us: int) -> None:
    """Delete invites and sessions of a person that ended long ago; entries of the log stay."""
    for table in (INVITES, SESSIONS):
        over = or_(table.c.expires_us < before_us, table.c.revoked_us < before_us)
        connection.execute(table.delete().where(table.c.person == person, over))


def _end_invites(connection: Connection, person: str, now_us: int) -> int:
    open_ones = and_(
        INVITES.c.person == person, INVITES.c.used_us.is_(None), INVITES.c.revoked_us.is_(None)
    )
    return connection.execute(update(INVITES).where(open_ones).values(revoked_us=now_us)).rowcount


def _end_all(connection: Connection, person: str, now_us: int) -> None:
    _end_invites(connection, person, now_us)
    live = and_(SESSIONS.c.person == person, SESSIONS.c.revoked_us.is_(None))
    connection.execute(update(SESSIONS).where(live).values(revoked_us=now_us))
