"""Committed change sets as a log tells of them: their order, sizes, and what they came from."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select

from geoshare.store.record_tables import CHANGESET_COLLECTIONS, CHANGESETS, CONTRIBUTIONS


@dataclass(frozen=True, slots=True)
class Commit:
    """One committed change set.

    ``counts`` are rows added, changed and removed, by collection; ``sources`` its contributions:
    id, provider and SHA-256 of the file.
    """

    sequence: int
    committed_us: int
    counts: dict[str, tuple[int, int, int]]
    sources: tuple[tuple[str, str, str], ...]


def commits_after(connection: Connection, after: int, last: int, limit: int = 500) -> list[Commit]:
    """Change sets after one sequence number up to another, in order; the first ``limit`` of them."""
    table = CHANGESETS.c
    found = connection.execute(
        select(table.id, table.sequence, table.committed_us)
        .where(table.sequence > after, table.sequence <= last)
        .order_by(table.sequence)
        .limit(limit)
    ).all()
    ids = [row.id for row in found]
    counts: dict[int, dict[str, tuple[int, int, int]]] = {}
    touched = CHANGESET_COLLECTIONS
    for row in connection.execute(select(touched).where(touched.c.changeset.in_(ids))):
        said = (row.added, row.changed, row.removed)
        counts.setdefault(row.changeset, {})[row.collection] = said
    sources: dict[int, list[tuple[str, str, str]]] = {}
    sent = CONTRIBUTIONS.c
    rows = connection.execute(
        select(sent.changeset, sent.id, sent.provider, sent.file_sha256)
        .where(sent.changeset.in_(ids))
        .order_by(sent.id)
    )
    for changeset, *source in rows:
        sources.setdefault(changeset, []).append((source[0], source[1], source[2]))
    return [
        Commit(row.sequence, row.committed_us, counts.get(row.id, {}), tuple(sources.get(row.id, ())))
        for row in found
    ]
