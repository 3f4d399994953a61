"""The local copy behind synchronised files: features by collection and id, with the hash of each.

One SQLite file. A batch of changes and the token that goes with it are one transaction, so that an
interruption leaves the copy as it was before the batch or as it is after it.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import orjson

_SCHEMA: Final = """
create table if not exists features (
    collection text not null, id text not null, sha256 blob not null, body blob not null,
    primary key (collection, id)
) without rowid;
create table if not exists tokens (collection text primary key, token text not null, count integer);
create table if not exists said (name text primary key, value text not null);
"""


class Store:
    """Features that were fetched, the tokens they stand at, and what they are a copy of."""

    def __init__(self, path: Path) -> None:
        self._base = sqlite3.connect(path, isolation_level=None)
        self._base.execute("pragma journal_mode = wal")
        self._base.execute("pragma synchronous = normal")
        self._base.executescript(_SCHEMA)

    def close(self) -> None:
        """Close the file."""
        self._base.close()

    def said(self, name: str) -> str | None:
        """A note; None where there is none."""
        row = self._base.execute("select value from said where name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def say(self, name: str, value: str) -> None:
        """Write a note."""
        self._base.execute("insert or replace into said values (?, ?)", (name, value))

    def tokens(self) -> dict[str, str]:
        """The token of each collection that is copied."""
        return dict(self._base.execute("select collection, token from tokens order by collection"))

    def forget(self, collection: str | None = None) -> None:
        """Remove the copy of a collection, or everything."""
        self._base.execute("begin immediate")
        for table in ("features", "tokens"):
            if collection is None:
                self._base.execute(f"delete from {table}")
            else:
                self._base.execute(f"delete from {table} where collection = ?", (collection,))
        self._base.execute("commit")

    def apply(
        self,
        collection: str,
        features: Iterable[Mapping[str, Any]],
        deleted: Iterable[str],
        token: str,
        *,
        anew: bool = False,
    ) -> int:
        """Put features, remove ids, and note the token, at once; returns how many there are then.

        ``anew`` removes what is there before.
        """
        rows = ((collection, str(item["id"]), *_written(item)) for item in features)
        self._base.execute("begin immediate")
        try:
            if anew:
                self._base.execute("delete from features where collection = ?", (collection,))
            self._base.executemany("insert or replace into features values (?, ?, ?, ?)", rows)
            self._base.executemany(
                "delete from features where collection = ? and id = ?",
                ((collection, gone) for gone in deleted),
            )
            count = self.count(collection)
            self._base.execute(
                "insert or replace into tokens values (?, ?, ?)", (collection, token, count)
            )
        except BaseException:
            self._base.execute("rollback")
            raise
        self._base.execute("commit")
        return count

    def count(self, collection: str) -> int:
        """How many features of a collection there are."""
        found = self._base.execute("select count(*) from features where collection = ?", (collection,))
        return int(found.fetchone()[0])

    def features(self, collection: str) -> Iterator[dict[str, Any]]:
        """All features of a collection, by id."""
        query = "select body from features where collection = ? order by id"
        for (body,) in self._base.execute(query, (collection,)):
            yield orjson.loads(body)

    def damaged(self, collection: str) -> list[str]:
        """Ids of features that are not what was fetched, by their hashes."""
        query = "select id, sha256, body from features where collection = ?"
        return [
            str(id_)
            for id_, known, body in self._base.execute(query, (collection,))
            if hashlib.sha256(body).digest() != known
        ]

    def hashes(self, collection: str) -> dict[str, bytes]:
        """The hash of each feature, by id."""
        query = "select id, sha256 from features where collection = ?"
        return dict(self._base.execute(query, (collection,)))


def hash_of(feature: Mapping[str, Any]) -> bytes:
    """SHA-256 of a feature in one spelling: JSON with sorted names, whatever it came as."""
    return _written(feature)[0]


def _written(feature: Mapping[str, Any]) -> tuple[bytes, bytes]:
    body = orjson.dumps(dict(feature), option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(body).digest(), body
