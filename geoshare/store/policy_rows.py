"""Policies in the governance database: change sets of tiers, offers, agreements, emergencies."""

from __future__ import annotations

import hashlib
from typing import Any

import orjson
from sqlalchemy import Connection, Table, func, select, update
from sqlalchemy.sql.elements import ColumnElement

from geoshare.errors import Conflict, NotFound, Unavailable
from geoshare.store.database import Database
from geoshare.store.organisations import check_organisation
from geoshare.store.policy_kinds import Act, AgreementRow, Change, EmergencyRow, OfferRow
from geoshare.store.policy_tables import AGREEMENTS, EMERGENCIES, OFFERS, POLICY_CHANGES

LISTED = 1_000


class PolicyRows:
    """Documents go in once; afterwards only signatures and ends are added to them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def version(self) -> int:
        """The number of the newest change set: while it stands, nothing has changed."""
        with self._database.read() as connection:
            return int(connection.execute(select(func.max(POLICY_CHANGES.c.number))).scalar() or 0)

    def changes(self, kind: str | None = None, after: int = 0, limit: int = LISTED) -> list[Change]:
        """Change sets without their documents, newest first."""
        table = POLICY_CHANGES.c
        columns = [column for column in table if column.name != "document"]
        statement = select(*columns).where(table.number > after).order_by(table.number.desc())
        if kind is not None:
            statement = statement.where(table.kind == kind)
        with self._database.read() as connection:
            return [Change(*row) for row in connection.execute(statement.limit(limit)).all()]

    # Tiers

    def put_tiers(
        self, act: Act, what: str, document: str, source: str, base: int | None = None
    ) -> int:
        """Add a change set of tiers, a ``draft`` or a ``publish``; returns its number.

        Raises Conflict where another one than ``base`` is in force.
        """
        with self._database.write() as connection:
            if base is not None and base != (_newest_tiers(connection) or 0):
                raise Conflict("other tiers have been published in between")
            return _note(connection, act, "tiers", what, "tiers", document, source)

    def tiers(self, number: int | None = None) -> Change | None:
        """The tiers in force, or those of a change set."""
        with self._database.read() as connection:
            number = number if number is not None else _newest_tiers(connection)
            row = connection.execute(
                select(POLICY_CHANGES).where(
                    POLICY_CHANGES.c.number == number, POLICY_CHANGES.c.kind == "tiers"
                )
            ).first()
        if row is None:
            return None
        found = Change(*row)
        _check_hash(found.document, found.sha256)
        return found

    def newest_of(self, source: str) -> Change | None:
        """The newest tiers published from a source, whether or not they are in force."""
        table = POLICY_CHANGES.c
        with self._database.read() as connection:
            number = connection.execute(
                select(func.max(table.number)).where(
                    table.kind == "tiers", table.act == "publish", table.source == source
                )
            ).scalar()
        return None if number is None else self.tiers(number)

    # Offers

    def put_offer(self, act: Act, offer: str, document: str) -> int:
        """Add a version of an offer; returns the version."""
        with self._database.write() as connection:
            version = _next_version(connection, OFFERS, offer)
            connection.execute(
                OFFERS.insert().values(
                    id=offer,
                    version=version,
                    document=document,
                    sha256=_sha256(document),
                    made_us=act.at_us,
                )
            )
            _note(connection, act, "offer", "offer", f"{offer}@{version}", document)
        return version

    def withdraw_offer(self, act: Act, offer: str) -> None:
        """Withdraw all versions of an offer. Raises NotFound."""
        with self._database.write() as connection:
            open_ = (OFFERS.c.id == offer) & OFFERS.c.withdrawn_us.is_(None)
            if not connection.execute(
                update(OFFERS).where(open_).values(withdrawn_us=act.at_us)
            ).rowcount:
                raise NotFound(f"no offer {offer!r}")
            _note(connection, act, "offer", "withdraw", offer)

    def offers(self) -> list[OfferRow]:
        """All versions of all offers, in order."""
        rows = self._all(select(OFFERS).order_by(OFFERS.c.id, OFFERS.c.version))
        return [OfferRow(*row) for row in rows]

    # Agreements

    def put_agreement(self, act: Act, agreement: str, organisation: str, document: str) -> int:
        """Add a version of an agreement, signed by nobody; the document must name that version.

        Raises BadRequest for an unknown organisation, Conflict for another version or organisation.
        """
        with self._database.write() as connection:
            check_organisation(connection, organisation)
            version = _next_version(connection, AGREEMENTS, agreement)
            if orjson.loads(document).get("version") != version:
                raise Conflict(f"the next version of {agreement} is {version}")
            held = select(AGREEMENTS.c.organisation).where(AGREEMENTS.c.id == agreement).distinct()
            if any(row.organisation != organisation for row in connection.execute(held)):
                raise Conflict("the agreement is of another organisation")
            connection.execute(
                AGREEMENTS.insert().values(
                    id=agreement,
                    version=version,
                    organisation=organisation,
                    document=document,
                    sha256=_sha256(document),
                    offered_us=act.at_us,
                )
            )
            _note(connection, act, "agreement", "offer", f"{agreement}@{version}", document)
        return version

    def sign(self, act: Act, agreement: str, version: int, signature: dict[str, Any]) -> bool:
        """Add one party's signature; true where all have signed by now.

        Then the version is in force for its term, and an earlier one that was ends.

        Raises
        ------
        NotFound, Conflict
            for no such version; for one that has ended, a newer one, or a party that has signed.
        """
        with self._database.write() as connection:
            here = (AGREEMENTS.c.id == agreement) & (AGREEMENTS.c.version == version)
            row = connection.execute(select(AGREEMENTS).where(here)).first()
            if row is None:
                raise NotFound(f"no agreement {agreement}@{version}")
            parties = [party["organisation"] for party in orjson.loads(row.document)["parties"]]
            signatures = orjson.loads(row.signatures)
            signed = {item["organisation"] for item in signatures}
            if row.ended_us is not None or row.signed_us is not None:
                raise Conflict("this version is signed, or has ended")
            if signature["organisation"] not in parties or signature["organisation"] in signed:
                raise Conflict("that party has signed, or is none")
            if version + 1 != _next_version(connection, AGREEMENTS, agreement):
                raise Conflict("there is a newer version")
            signatures.append(signature | {"at_us": act.at_us, "sha256": row.sha256})
            whole = signed | {signature["organisation"]} == set(parties)
            values: dict[str, Any] = {"signatures": orjson.dumps(signatures).decode()}
            if whole:
                values["signed_us"] = act.at_us
                earlier = (AGREEMENTS.c.id == agreement) & (AGREEMENTS.c.version < version)
                _end(connection, earlier, act.at_us, f"replaced by version {version}")
            connection.execute(update(AGREEMENTS).where(here).values(**values))
            _note(connection, act, "agreement", "sign", f"{agreement}@{version}")
        return whole

    def end_agreement(self, act: Act, agreement: str) -> None:
        """End all versions of an agreement, also one that is only offered. Raises NotFound."""
        with self._database.write() as connection:
            if not _end(connection, AGREEMENTS.c.id == agreement, act.at_us, act.reason):
                raise NotFound(f"no agreement {agreement!r} that could end")
            _note(connection, act, "agreement", "end", agreement)

    def agreements(self, organisation: str | None = None) -> list[AgreementRow]:
        """All versions of all agreements, or of one organisation's."""
        statement = select(AGREEMENTS).order_by(AGREEMENTS.c.id, AGREEMENTS.c.version)
        if organisation is not None:
            statement = statement.where(AGREEMENTS.c.organisation == organisation)
        return [_agreement(row) for row in self._all(statement)]

    def agreements_in_force(self) -> list[AgreementRow]:
        """Versions that are signed and not ended, whatever their term.

        Raises Unavailable where a document is not what was signed.
        """
        signed = AGREEMENTS.c.signed_us.is_not(None) & AGREEMENTS.c.ended_us.is_(None)
        found = [_agreement(row) for row in self._all(select(AGREEMENTS).where(signed))]
        for item in found:
            _check_hash(item.document, item.sha256)
        return found

    # Emergencies

    def propose(self, act: Act, emergency: str, document: str) -> None:
        """Add an emergency that waits for a second person."""
        with self._database.write() as connection:
            connection.execute(
                EMERGENCIES.insert().values(
                    id=emergency,
                    document=document,
                    sha256=_sha256(document),
                    proposed_us=act.at_us,
                    proposed_by=act.author,
                )
            )
            _note(connection, act, "emergency", "propose", emergency, document)

    def activate(self, act: Act, emergency: str, until_us: int, waits_us: int) -> None:
        """Switch an emergency on until a moment; by somebody else than who proposed it.

        Raises
        ------
        NotFound, Conflict
            for no such emergency; for one that is on or over, was proposed by the same person, or
            has waited for longer than ``waits_us``.
        """
        with self._database.write() as connection:
            here = EMERGENCIES.c.id == emergency
            row = connection.execute(select(EMERGENCIES).where(here)).first()
            if row is None:
                raise NotFound(f"no emergency {emergency!r}")
            if row.activated_us is not None or row.ended_us is not None:
                raise Conflict("the emergency is on, or over")
            if row.proposed_by == act.author:
                raise Conflict("a second person must switch it on")
            if act.at_us - row.proposed_us > waits_us:
                raise Conflict("the proposal is too old; propose it again")
            connection.execute(
                update(EMERGENCIES)
                .where(here)
                .values(activated_us=act.at_us, activated_by=act.author, until_us=until_us)
            )
            _note(connection, act, "emergency", "activate", emergency)

    def end_emergency(self, act: Act, emergency: str) -> None:
        """Switch an emergency off before its time, or give up a proposal. Raises NotFound."""
        with self._database.write() as connection:
            here = (EMERGENCIES.c.id == emergency) & EMERGENCIES.c.ended_us.is_(None)
            if not connection.execute(
                update(EMERGENCIES).where(here).values(ended_us=act.at_us)
            ).rowcount:
                raise NotFound(f"no emergency {emergency!r} that could end")
            _note(connection, act, "emergency", "end", emergency)

    def emergency(self, emergency: str) -> EmergencyRow:
        """One emergency, proposed or switched on. Raises NotFound."""
        found = self._all(select(EMERGENCIES).where(EMERGENCIES.c.id == emergency))
        if not found:
            raise NotFound(f"no emergency {emergency!r}")
        row = EmergencyRow(*found[0])
        _check_hash(row.document, row.sha256)
        return row

    def emergencies(self) -> list[EmergencyRow]:
        """The newest thousand, newest first."""
        statement = select(EMERGENCIES).order_by(EMERGENCIES.c.proposed_us.desc(), EMERGENCIES.c.id)
        return [EmergencyRow(*row) for row in self._all(statement.limit(LISTED))]

    def _all(self, statement: Any) -> list[Any]:
        with self._database.read() as connection:
            return list(connection.execute(statement).all())


def _note(
    connection: Connection,
    act: Act,
    kind: str,
    what: str,
    subject: str,
    document: str | None = None,
    source: str = "",
) -> int:
    number: int = connection.execute(
        POLICY_CHANGES.insert()
        .values(
            at_us=act.at_us,
            kind=kind,
            act=what,
            subject=subject,
            author=act.author,
            reason=act.reason,
            source=source,
            sha256=None if document is None else _sha256(document),
            document=document,
        )
        .returning(POLICY_CHANGES.c.number)
    ).scalar_one()
    if act.witness is not None:
        sha256 = None if document is None else _sha256(document)
        change = Change(number, act.at_us, kind, what, subject, act.author, act.reason, source, sha256)
        act.witness(connection, change)
    return number


def _newest_tiers(connection: Connection) -> int | None:
    table = POLICY_CHANGES.c
    found: int | None = connection.execute(
        select(func.max(table.number)).where(table.kind == "tiers", table.act == "publish")
    ).scalar()
    return found


def _next_version(connection: Connection, table: Table, subject: str) -> int:
    newest = connection.execute(select(func.max(table.c.version)).where(table.c.id == subject)).scalar()
    return int(newest or 0) + 1


def _end(connection: Connection, which: ColumnElement[bool], at_us: int, reason: str) -> int:
    return connection.execute(
        update(AGREEMENTS)
        .where(which, AGREEMENTS.c.ended_us.is_(None))
        .values(ended_us=at_us, end_reason=reason)
    ).rowcount


def _agreement(row: Any) -> AgreementRow:
    return AgreementRow(
        id=row.id,
        version=row.version,
        organisation=row.organisation,
        document=row.document,
        sha256=row.sha256,
        offered_us=row.offered_us,
        signatures=tuple(orjson.loads(row.signatures)),
        signed_us=row.signed_us,
        ended_us=row.ended_us,
        end_reason=row.end_reason,
    )


def _sha256(document: str) -> str:
    return hashlib.sha256(document.encode()).hexdigest()


def _check_hash(document: str | None, sha256: str | None) -> None:
    """Never rely on a document that somebody has altered: no policy is better than another one."""
    if document is None or _sha256(document) != sha256:
        raise Unavailable("a policy in the governance database is not what was signed")
