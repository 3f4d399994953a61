"""A provider's word taken back: all claims and rasters end, and what rested on them is decided anew."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from geoshare.ingest.conflation import Conflation
from geoshare.ingest.contribute import sweep
from geoshare.ingest.settling import Settler
from geoshare.model.clock import Clock
from geoshare.model.collections import Collection
from geoshare.model.foundation import Foundation, built_in
from geoshare.store import Record, places
from geoshare.store.chunk import Chunk
from geoshare.store.database import CHUNK_ROWS


def withdraw(
    record: Record,
    provider: str,
    *,
    clock: Clock,
    data_dir: Path,
    foundation: Foundation | None = None,
    release_class: str | None = None,
) -> int | None:
    """End everything that a provider has in force, of one release class or all, as one change set.

    Consumers see the same as if it had never been: features that rested on it alone are gone, others
    are what the remaining claims make of them.

    Returns
    -------
    The sequence number of the change set; None where there was nothing to end.

    Raises
    ------
    Conflict
        where another contribution of the same features is under way.
    """
    rules = foundation or built_in()
    with record.snapshot() as connection:
        held = places.held_by(connection, provider, release_class)
        homes = places.homes(connection)
    if not held:
        return None
    collections = record.collections()
    changeset = record.begin(clock, "", "", lambda: sweep(record, clock, data_dir))
    settler = Settler(rules, homes)
    try:
        for collection, contribution in held:
            about = collections[collection]
            last: int | None = 0
            while last is not None:
                work = partial(
                    _end, settler=settler, collection=about, contribution=contribution, after=last
                )
                last = changeset.apply(work)
        names = {collection for collection, _ in held if collections[collection].kind == "vector"}
        Conflation(record, changeset, collections, rules).run(names, provider)
        return changeset.commit()
    except BaseException:
        record.discard(changeset.id)
        raise


def _end(
    chunk: Chunk, settler: Settler, collection: Collection, contribution: str, after: int
) -> int | None:
    """End one page of claims, or all rasters; returns where the next begins, None at the end."""
    if collection.kind != "vector":
        chunk.remove_rasters(collection.name, chunk.places.rasters_of(collection.name, contribution))
        return None
    page = chunk.standing_of(collection.name, contribution, after, CHUNK_ROWS)
    chunk.remove_claims([version for version, _ in page])
    settler.settle(chunk, collection, {feature for _, feature in page})
    return page[-1][0] if len(page) == CHUNK_ROWS else None
