"""What people did at a desk, as rows: edits, what each organisation said before and after, photos."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, case, func, or_, select

from geoshare.store.reading import open_changesets, visible
from geoshare.store.record_tables import CHANGESETS, CLAIMS, CONTRIBUTIONS, EDITS, FEATURES, PHOTOS


@dataclass(frozen=True, slots=True)
class EditRow:
    """Who changed something at a desk, when and why.

    ``said_us`` is by the clock of who made it, ``recorded_us`` by ours (microseconds since 1970, UTC).
    """

    id: str
    changeset: int
    organisation: str
    department: str
    person: str
    kind: str  # create, update, delete, several, sheet, undo
    reason: str
    source: str
    said_us: int | None
    undoes: str | None
    recorded_us: int | None = None


@dataclass(frozen=True, slots=True)
class OwnClaim:
    """What an organisation says or said of a feature, from one change set to another."""

    version: int
    collection: str
    feature: str
    changeset: int
    ended_by: int | None
    contribution: str
    record_id: str
    property: str
    geometry: bytes | None
    properties: str


@dataclass(frozen=True, slots=True)
class Moment:
    """A change set of an organisation: when, and from what; ``edit`` is None where it was a file."""

    changeset: int
    recorded_us: int
    file_name: str
    edit: EditRow | None


def own_claims(
    connection: Connection, organisation: str, wanted: Iterable[tuple[str, str]]
) -> list[OwnClaim]:
    """Claims in force of one organisation on features (collection, id), the oldest first."""
    rule = visible(CLAIMS, open_changesets(connection))
    return _of_features(connection, organisation, wanted, rule)


def all_claims(
    connection: Connection, organisation: str, collection: str, feature: str, limit: int
) -> list[OwnClaim]:
    """The newest claims of one organisation on a feature, in force and ended, the oldest first."""
    under_way = open_changesets(connection)
    rule = _claims().where(
        CLAIMS.c.collection == collection,
        CLAIMS.c.feature == feature,
        CLAIMS.c.provider == organisation,
    )
    if under_way:
        rule = rule.where(CLAIMS.c.changeset.not_in(under_way))
    rows = connection.execute(rule.order_by(CLAIMS.c.version.desc()).limit(limit)).all()
    return [OwnClaim(*tuple(row)) for row in reversed(rows)]


def touched_by(connection: Connection, organisation: str, changesets: Sequence[int]) -> list[OwnClaim]:
    """Claims of an organisation that began or ended with one of these change sets."""
    found = []
    for column in (CLAIMS.c.changeset, CLAIMS.c.ended_by):
        rows = _claims().where(column.in_(changesets), CLAIMS.c.provider == organisation)
        found += [OwnClaim(*tuple(row)) for row in connection.execute(rows)]
    return list({claim.version: claim for claim in found}.values())


def moments(connection: Connection, changesets: Sequence[int]) -> dict[int, Moment]:
    """When and from what change sets came, as far as they are committed."""
    table, source = CHANGESETS.c, CONTRIBUTIONS.c
    rows = connection.execute(
        select(table.id, table.committed_us, func.min(source.file_name))
        .join_from(CHANGESETS, CONTRIBUTIONS, source.changeset == table.id, isouter=True)
        .where(table.id.in_(changesets), table.sequence.is_not(None))
        .group_by(table.id, table.committed_us)
    ).all()
    made = {edit.changeset: edit for edit in _edits(connection, EDITS.c.changeset.in_(changesets))}
    return {
        number: Moment(number, recorded_us, file_name or "", made.get(number))
        for number, recorded_us, file_name in rows
    }


def edit_of(connection: Connection, organisation: str, edit: str) -> EditRow | None:
    """One edit of an organisation."""
    found = _edits(connection, and_(EDITS.c.id == edit, EDITS.c.organisation == organisation))
    return next(iter(found), None)


def newest_edits(
    connection: Connection, organisation: str, before: EditRow | None, limit: int
) -> list[EditRow]:
    """Edits of an organisation, the newest first."""
    rule: ColumnElement[bool] = EDITS.c.organisation == organisation
    if before is not None:
        rule = and_(rule, EDITS.c.changeset < before.changeset)
    return _edits(connection, rule, limit)


def undone(connection: Connection, edits: Sequence[str]) -> set[str]:
    """Which of these edits were taken back."""
    found = connection.execute(select(EDITS.c.undoes).where(EDITS.c.undoes.in_(edits))).scalars()
    return {edit for edit in found if edit is not None}


def add_edit(connection: Connection, row: EditRow) -> None:
    """Note who makes a change set."""
    connection.execute(
        EDITS.insert().values(
            id=row.id,
            changeset=row.changeset,
            organisation=row.organisation,
            department=row.department,
            person=row.person,
            kind=row.kind,
            reason=row.reason,
            source=row.source,
            said_us=row.said_us,
            undoes=row.undoes,
        )
    )


def has_photo(connection: Connection, organisation: str, sha256: str) -> bool:
    """Whether an organisation has sent this picture."""
    mine = PHOTOS.c.sha256 == sha256, PHOTOS.c.organisation == organisation
    return connection.execute(select(PHOTOS.c.bytes).where(*mine)).first() is not None


def add_photo(connection: Connection, row: dict[str, Any]) -> None:
    """Note who has sent a picture, once."""
    if not has_photo(connection, row["organisation"], row["sha256"]):
        connection.execute(PHOTOS.insert().values(**row))


def _edits(
    connection: Connection, rule: ColumnElement[bool], limit: int | None = None
) -> list[EditRow]:
    table = EDITS.c
    statement = (
        select(
            table.id,
            table.changeset,
            table.organisation,
            table.department,
            table.person,
            table.kind,
            table.reason,
            table.source,
            table.said_us,
            table.undoes,
            CHANGESETS.c.committed_us,
        )
        .join_from(EDITS, CHANGESETS, CHANGESETS.c.id == table.changeset)
        .where(rule)
        .order_by(table.changeset.desc())
        .limit(limit)
    )
    return [EditRow(*tuple(row)) for row in connection.execute(statement)]


def _of_features(
    connection: Connection,
    organisation: str,
    wanted: Iterable[tuple[str, str]],
    rule: ColumnElement[bool],
) -> list[OwnClaim]:
    by_collection: dict[str, list[str]] = {}
    for collection, feature in wanted:
        by_collection.setdefault(collection, []).append(feature)
    if not by_collection:
        return []
    chosen = or_(
        *(
            and_(CLAIMS.c.collection == collection, CLAIMS.c.feature.in_(features))
            for collection, features in by_collection.items()
        )
    )
    statement = _claims().where(chosen, CLAIMS.c.provider == organisation, rule)
    rows = connection.execute(statement.order_by(CLAIMS.c.version)).all()
    return [OwnClaim(*tuple(row)) for row in rows]


def _claims() -> Select[Any]:
    """Claims with their values; one without its own says what its change set's feature version does."""
    claim, version = CLAIMS.c, FEATURES.c
    same = and_(
        claim.properties.is_(None),
        version.collection == claim.collection,
        version.id == claim.feature,
        version.changeset == claim.changeset,
    )
    own = claim.properties.is_not(None)
    return select(
        claim.version,
        claim.collection,
        claim.feature,
        claim.changeset,
        claim.ended_by,
        claim.contribution,
        claim.record_id,
        claim.property,
        case((own, claim.geometry), else_=version.geometry),
        func.coalesce(claim.properties, version.properties),
    ).join_from(CLAIMS, FEATURES, same, isouter=True)
