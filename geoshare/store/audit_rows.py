"""Rows of the audit log: entries with their places, the salts that open them, reads of open minutes.

What cannot be written is Unavailable: nothing is released without its entry.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, bindparam, func, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError

from geoshare.errors import Conflict, NotFound, Unavailable
from geoshare.store.database import Database
from geoshare.store.governance_tables import (
    AUDIT_ENTRIES,
    AUDIT_LOG,
    AUDIT_OPENINGS,
    AUDIT_READS,
)

RETRY_AFTER_S = 2
_ONE = 1  # there is one log
_READ_KEY = ("minute", "organisation", "credential", "collection", "action")


@dataclass(frozen=True, slots=True)
class Head:
    """The tree that may be signed: its name, entries that have their place, and the root over them."""

    origin: str
    size: int
    root: bytes


@dataclass(frozen=True, slots=True)
class EntryRow:
    """An entry as it is stored."""

    number: int
    id: str
    place: int | None
    leaf: bytes


@dataclass(frozen=True, slots=True)
class OpeningRow:
    """What opens one commitment of an entry."""

    entry: int
    side: str
    what: str
    value: str
    salt: bytes


ReadCount = tuple[int, str, str, str, str, int]  # minute, organisation, credential, collection, action


class AuditRows:
    """Reads and writes rows of the audit log."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Open a durable write transaction; Unavailable where that cannot be."""
        try:
            with self._database.write() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise _unavailable() from error

    @contextmanager
    def _read(self) -> Iterator[Connection]:
        try:
            with self._database.read() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise _unavailable() from error

    # The head

    def head(self, origin: Callable[[], str], empty_root: bytes) -> Head:
        """Return the head; the first time a log of that origin is begun."""
        statement = select(AUDIT_LOG.c.origin, AUDIT_LOG.c.size, AUDIT_LOG.c.root)
        with self._read() as connection:
            found = connection.execute(statement).first()
        if found is None:
            with self.write() as connection:
                insert = _insert(connection, AUDIT_LOG)
                connection.execute(
                    insert.values(
                        id=_ONE, origin=origin(), size=0, root=empty_root
                    ).on_conflict_do_nothing()
                )
                found = connection.execute(statement).one()
        return Head(found.origin, int(found.size), bytes(found.root))

    def place(self, before: Head, numbers: Sequence[int], root: bytes) -> None:
        """Give pending entries the next places, with the root that results, or nothing at all.

        Raises Conflict where the head has moved on, or an entry has its place already.
        """
        with self.write() as connection:
            self._move(connection, before, len(numbers), root)
            entries = AUDIT_ENTRIES.c
            pending = and_(entries.number == bindparam("entry"), entries.place.is_(None))
            placed = connection.execute(
                update(AUDIT_ENTRIES).where(pending).values(place=bindparam("its_place")),
                [{"entry": n, "its_place": place} for place, n in enumerate(numbers, before.size)],
            ).rowcount
            if placed != len(numbers):
                raise _taken()

    def adopt(
        self, before: Head, entries: Sequence[tuple[str, bytes, str | None]], root: bytes
    ) -> None:
        """Take entries that were published: id, bytes and ``once``, at the next places.

        Raises Conflict where the head has moved on, or the database has another entry of an id.
        """
        with self.write() as connection:
            self._move(connection, before, len(entries), root)
            for place, (entry, leaf, once) in enumerate(entries, before.size):
                table = AUDIT_ENTRIES.c
                mine = and_(table.id == entry, table.leaf == leaf, table.place.is_(None))
                if not connection.execute(
                    update(AUDIT_ENTRIES).where(mine).values(place=place)
                ).rowcount:
                    insert = _insert(connection, AUDIT_ENTRIES).values(
                        id=entry, leaf=leaf, once=once, place=place
                    )
                    if not connection.execute(insert.on_conflict_do_nothing()).rowcount:
                        raise _taken()

    @staticmethod
    def _move(connection: Connection, before: Head, number: int, root: bytes) -> None:
        moved = connection.execute(
            update(AUDIT_LOG)
            .where(AUDIT_LOG.c.size == before.size, AUDIT_LOG.c.root == before.root)
            .values(size=before.size + number, root=root)
        ).rowcount
        if not moved:
            raise _taken()

    # Entries

    def add(
        self,
        connection: Connection,
        entry: str,
        leaf: bytes,
        openings: Iterable[tuple[str, str, str, bytes]],
        once: str | None = None,
    ) -> int | None:
        """Add a pending entry in a transaction under way; None where there is one of ``once``."""
        insert = _insert(connection, AUDIT_ENTRIES).values(id=entry, leaf=leaf, once=once)
        number = connection.execute(
            insert.on_conflict_do_nothing(index_elements=["once"]).returning(AUDIT_ENTRIES.c.number)
        ).scalar()
        if number is None:
            return None
        rows = [
            {"entry": number, "side": side, "what": what, "value": value, "salt": salt}
            for side, what, value, salt in openings
        ]
        if rows:
            connection.execute(AUDIT_OPENINGS.insert(), rows)
        return int(number)

    def pending(self, limit: int) -> list[EntryRow]:
        """Entries without a place, in order of their arrival."""
        return self._entries(AUDIT_ENTRIES.c.place.is_(None), AUDIT_ENTRIES.c.number, limit)

    def placed(self, first: int, limit: int) -> list[EntryRow]:
        """Entries from a place on, in order."""
        return self._entries(AUDIT_ENTRIES.c.place >= first, AUDIT_ENTRIES.c.place, limit)

    def entry(self, entry: str) -> EntryRow | None:
        """Return the entry of that id."""
        return next(iter(self._entries(AUDIT_ENTRIES.c.id == entry, AUDIT_ENTRIES.c.number, 1)), None)

    def of_once(self, once: str) -> EntryRow:
        """Return the entry of what there is one of. Raises NotFound where there is none."""
        found = self._entries(AUDIT_ENTRIES.c.once == once, AUDIT_ENTRIES.c.number, 1)
        if not found:
            raise NotFound("No such entry")
        return found[0]

    def newest_once(self, prefix: str) -> str | None:
        """Return the last, in alphabetical order, of what begins so and has an entry."""
        once = AUDIT_ENTRIES.c.once
        statement = select(func.max(once)).where(once >= prefix, once < prefix + "\U0010ffff")
        with self._read() as connection:
            return connection.execute(statement).scalar()

    def of_entry(self, entry: str, organisation: str) -> int | None:
        """Return the number of an entry that an organisation is a party of."""
        openings = AUDIT_OPENINGS.c
        statement = (
            select(AUDIT_ENTRIES.c.number)
            .join_from(AUDIT_ENTRIES, AUDIT_OPENINGS, openings.entry == AUDIT_ENTRIES.c.number)
            .where(AUDIT_ENTRIES.c.id == entry)
            .where(openings.what == "organisation", openings.value == organisation)
        )
        with self._read() as connection:
            return connection.execute(statement.limit(1)).scalar()

    def of_organisation(self, organisation: str, before: int | None, limit: int) -> list[EntryRow]:
        """Entries that an organisation is a party of, the newest first, before a number."""
        openings = AUDIT_OPENINGS.c
        mine = select(openings.entry).where(
            openings.what == "organisation", openings.value == organisation
        )
        rule: ColumnElement[bool] = AUDIT_ENTRIES.c.number.in_(mine)
        if before is not None:
            rule = and_(rule, AUDIT_ENTRIES.c.number < before)
        return self._entries(rule, AUDIT_ENTRIES.c.number.desc(), limit)

    def newest(self, limit: int) -> list[EntryRow]:
        """Return the newest entries, the newest first."""
        return self._entries(AUDIT_ENTRIES.c.number > 0, AUDIT_ENTRIES.c.number.desc(), limit)

    def _entries(self, rule: Any, order: Any, limit: int) -> list[EntryRow]:
        table = AUDIT_ENTRIES.c
        statement = select(table.number, table.id, table.place, table.leaf).where(rule)
        with self._read() as connection:
            rows = connection.execute(statement.order_by(order).limit(limit)).all()
        return [EntryRow(row.number, row.id, row.place, bytes(row.leaf)) for row in rows]

    # Salts

    def openings(self, entries: Sequence[int]) -> list[OpeningRow]:
        """What opens these entries, by number."""
        table = AUDIT_OPENINGS
        statement = select(table).where(table.c.entry.in_(entries))
        with self._read() as connection:
            rows = connection.execute(
                statement.order_by(table.c.entry, table.c.side, table.c.what)
            ).all()
        return [OpeningRow(row.entry, row.side, row.what, row.value, bytes(row.salt)) for row in rows]

    def forget(self, connection: Connection, what: str, value: str) -> int:
        """Destroy what opens a party's side of every entry; returns how many entries that were.

        Of an organisation everything on its side goes; of a person, person and credential, also where
        the credential alone says who it was.
        """
        table = AUDIT_OPENINGS.c
        said = ("person", "credential") if what == "person" else (what,)
        theirs = (
            select(table.entry, table.side).where(table.what.in_(said), table.value == value).distinct()
        )
        pairs = connection.execute(theirs).all()
        for first in range(0, len(pairs), 500):
            some = [(row.entry, row.side) for row in pairs[first : first + 500]]
            rule: ColumnElement[bool] = tuple_(table.entry, table.side).in_(some)
            if what == "person":
                rule = and_(rule, table.what.in_(("person", "credential")))
            connection.execute(AUDIT_OPENINGS.delete().where(rule))
        return len(pairs)

    def scrub(self) -> None:
        """Let no earlier page of a destroyed salt stay in the write-ahead log."""
        if self._database.is_sqlite:
            self._database.empty_wal()

    # Reads

    def note_reads(self, counts: Sequence[ReadCount]) -> None:
        """Add to the reads of minutes that are not closed, in one small transaction."""
        with self.write() as connection:
            insert = _insert(connection, AUDIT_READS)
            connection.execute(
                insert.on_conflict_do_update(
                    index_elements=list(_READ_KEY),
                    set_={"number": AUDIT_READS.c.number + insert.excluded.number},
                ),
                [dict(zip((*_READ_KEY, "number"), row, strict=True)) for row in counts],
            )

    def minutes_to_close(self, before: int) -> bool:
        """Whether there are reads of minutes before that one."""
        with self._read() as connection:
            oldest = connection.execute(select(func.min(AUDIT_READS.c.minute))).scalar()
        return oldest is not None and oldest < before

    def take_reads(self, connection: Connection, before: int, limit: int) -> list[ReadCount]:
        """Take reads of closed minutes away, to be made into entries in the same transaction.

        At most ``limit`` credentials and collections of a minute are taken, each with all its actions:
        whether what one did is one entry or two must not depend on how much others read.
        """
        entry = [AUDIT_READS.c[name] for name in _READ_KEY[:4]]
        oldest = select(*entry).distinct().where(AUDIT_READS.c.minute < before)
        taken = connection.execute(
            AUDIT_READS.delete()
            .where(tuple_(*entry).in_(oldest.order_by(*entry).limit(limit)))
            .returning(AUDIT_READS)
        ).all()
        return sorted((*(row[at] for at in range(5)), int(row.number)) for row in taken)


def _insert(connection: Connection, table: Any) -> Any:
    """An INSERT that knows ON CONFLICT, which both databases spell the same."""
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    return dialect.insert(table)


def _taken() -> Conflict:
    return Conflict("another process has gone on with the audit log")


def _unavailable() -> Unavailable:
    return Unavailable("the audit log cannot be written or read", retry_after_s=RETRY_AFTER_S)
