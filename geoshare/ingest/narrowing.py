"""Schemas that were inferred, without what only a provider that has left had added to them."""

from __future__ import annotations

from collections.abc import Collection as Names

import orjson

from geoshare.merge.schema import narrowed
from geoshare.model.clock import Clock
from geoshare.model.collections import known
from geoshare.store import Record
from geoshare.store.contributions import save_schema
from geoshare.store.erase import reports_of, said_in


def narrow(record: Record, names: Names[str], untitled: Names[str], clock: Clock) -> None:
    """Let collections that are no part of the product have the columns that their rows need.

    A column stays where any version of a feature or any claim has a value for it, and where a
    contribution that is still here had it without values. Safe to do again.

    Parameters
    ----------
    untitled
        Collections whose title goes, too: it was that of a layer that is gone.
    """
    collections = record.collections()
    for name in sorted((set(names) & collections.keys()) - known().keys()):
        kinds: dict[str, set[type]] = {}
        with record.snapshot() as connection:
            for text in reports_of(connection, name):
                for column in (orjson.loads(text).get("columns") or {}).values():
                    kinds.setdefault(str(column), set())
            for text in said_in(connection, name):
                for column, value in orjson.loads(text).items():
                    kinds.setdefault(column, set()).add(type(value))
        found = narrowed(collections[name], kinds, titled=name not in untitled)
        if found.schema != collections[name].schema:
            with record.database.write() as connection:
                save_schema(connection, found, clock.now_us())
