"""Edits made at a desk: what an organisation says of a few features, as one small change set.

What is said at the desk is a claim of its own (``rows.DESK``), laid over what the organisation's files
and other providers say: a property that it states wins by being fresher, one it does not state stays
theirs, and a later file of the same organisation does not end it. Everything happens in one
transaction, in which what the edit rests on is compared once more with what stands.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

from geoshare.ingest.settling import Settler
from geoshare.merge import Identities
from geoshare.model.clock import Clock
from geoshare.model.collections import Collection, known
from geoshare.model.foundation import Foundation, built_in
from geoshare.model.policy import OPEN_CLASS
from geoshare.store import Record, places
from geoshare.store.chunk import Chunk
from geoshare.store.edit_rows import EditRow, OwnClaim
from geoshare.store.rows import Contribution, NewClaim

SERIES = "desk:"  # no file has this name: a colon is taken out of uploaded names
_HASH_BYTES = 16


@dataclass(frozen=True, slots=True)
class Author:
    """Who edits, as far as it is known, and why."""

    organisation: str
    department: str = ""
    person: str = ""
    reason: str = ""
    source: str = ""  # who told it, in words
    said_us: int | None = None  # by the clock of who edits
    licence: str = "LicenseRef-unstated"


@dataclass(frozen=True, slots=True)
class NewSaying:
    """What an organisation is to say of a feature, in one of its layers (see ``rows.DESK``).

    ``properties`` may hold null: nothing, whatever others say.
    """

    layer: str
    record_id: str
    geometry: bytes | None
    properties: Mapping[str, Any]
    contribution: str = ""  # empty: this edit's


@dataclass(frozen=True, slots=True)
class Change:
    """One feature's part of an edit.

    ``seen`` are the versions of the organisation's claims that it rests on: if others stand, nothing is
    done. ``ends`` are those that end, ``begins`` what is said from now on. ``release_class`` is that of
    a feature that is made; what is said of one that is there is of its class.
    """

    collection: str
    feature: str
    seen: tuple[int, ...]
    ends: tuple[int, ...]
    begins: tuple[NewSaying, ...]
    release_class: str = OPEN_CLASS

    @property
    def place(self) -> tuple[str, str]:
        """Collection and id."""
        return self.collection, self.feature


class MovedOn(Exception):
    """Something else stands than what an edit rests on; ``features`` are (collection, id)."""

    def __init__(self, features: Sequence[tuple[str, str]]) -> None:
        super().__init__("moved on")
        self.features = tuple(features)


def feature_id(
    record: Record, collection: str, organisation: str, name: str, release_class: str = OPEN_CLASS
) -> str:
    """The id of a feature that an organisation made at its desk under a name of its own."""
    identities = Identities(record.secret, known(), release_class)
    return identities.of_records(collection, organisation, [f"{SERIES}{name}"])[0]


def edit_id(record: Record, organisation: str, person: str, key: str) -> str:
    """The id of the edit that somebody asks for under a key of their own, however often they ask."""
    said = orjson.dumps([organisation, person, key])
    found = hashlib.blake2b(said, key=record.secret, digest_size=10, person=b"desk-key").digest()
    return base64.b32encode(found).decode().lower()


def version_token(record: Record, organisation: str, claims: Sequence[OwnClaim], feature: str) -> str:
    """What stands of an organisation's own words on a feature, as a tag that tells nothing else.

    Another word of the same organisation gives another tag; what other providers say gives none.
    """
    marks = [[claim.contribution, claim.property, claim.record_id] for claim in claims]
    said = orjson.dumps([organisation, feature, sorted(marks)])  # no row numbers: those tell of others
    return hashlib.blake2b(said, key=record.secret, digest_size=12, person=b"desk").hexdigest()


def write_edit(
    record: Record,
    clock: Clock,
    edit: str,
    kind: str,
    author: Author,
    changes: Sequence[Change],
    *,
    undoes: str | None = None,
    foundation: Foundation | None = None,
) -> None:
    """Make an edit: all of its changes, or none.

    Parameters
    ----------
    edit
        Its id, chosen by the caller; also that of its contribution.
    kind
        create, update, delete, several, sheet or undo.
    undoes
        The edit that is taken back.
    foundation
        What decides between claims; None: the product's own rules.

    Raises
    ------
    MovedOn
        where something else stands than the changes rest on.
    Conflict
        where a file with the same features is being read in.
    """
    content = orjson.dumps([_plain(change) for change in changes])
    row = Contribution(
        id=edit,
        provider=author.organisation,
        series=SERIES,
        file_name=SERIES,
        file_sha256=hashlib.sha256(content).hexdigest(),
        file_bytes=len(content),
        options="{}",
        licence=author.licence,
        release_class=OPEN_CLASS,
        received_us=clock.now_us(),
    )

    with record.snapshot() as connection:
        settler = Settler(foundation or built_in(), places.homes(connection))

    def work(chunk: Chunk) -> None:
        _compare(chunk, author.organisation, changes)
        by_class = _by_class(chunk, changes)
        rows = _rows(row, sorted(by_class))
        for one in rows.values():
            chunk.add_contribution(one)
        chunk.add_edit(
            EditRow(
                id=edit,
                changeset=0,
                organisation=author.organisation,
                department=author.department,
                person=author.person,
                kind=kind,
                reason=author.reason,
                source=author.source,
                said_us=author.said_us,
                undoes=undoes,
            )
        )
        for release_class, said in by_class.items():
            by_collection: dict[str, list[Change]] = {}
            for change in said:
                by_collection.setdefault(change.collection, []).append(change)
            for name, some in by_collection.items():
                _write(chunk, known()[name], rows[release_class], some, settler)

    record.at_once(clock, author.organisation, author.reason, work)


def _by_class(chunk: Chunk, changes: Sequence[Change]) -> dict[str, list[Change]]:
    """Changes by the release class of their features: what is said of one is of its class."""
    by_collection: dict[str, list[str]] = {}
    for change in changes:
        by_collection.setdefault(change.collection, []).append(change.feature)
    classes = {
        (name, feature): release_class
        for name, features in by_collection.items()
        for feature, release_class in chunk.places.release_classes(name, features).items()
    }
    found: dict[str, list[Change]] = {}
    for change in changes:
        found.setdefault(classes.get(change.place, change.release_class), []).append(change)
    return found


def _rows(row: Contribution, classes: Sequence[str]) -> dict[str, Contribution]:
    """A contribution for each release class; the first of them has the edit's own id."""
    return {
        name: replace(row, id=row.id if number == 0 else f"{row.id}-{number}", release_class=name)
        for number, name in enumerate(classes or [OPEN_CLASS])
    }


def _compare(chunk: Chunk, organisation: str, changes: Sequence[Change]) -> None:
    standing: dict[tuple[str, str], list[int]] = {}
    wanted = [(change.collection, change.feature) for change in changes]
    for claim in chunk.own_claims(organisation, wanted):
        standing.setdefault((claim.collection, claim.feature), []).append(claim.version)
    moved = [item for item in changes if tuple(standing.get(item.place, ())) != item.seen]
    if moved:
        raise MovedOn([item.place for item in moved])


def _write(
    chunk: Chunk,
    collection: Collection,
    row: Contribution,
    changes: Sequence[Change],
    settler: Settler,
) -> None:
    ids = [change.feature for change in changes]
    chunk.claims(collection.name, ids)  # refuses what a file under way holds
    begins = [_claim(change.feature, saying) for change in changes for saying in change.begins]
    ends = [version for change in changes for version in change.ends]
    chunk.put_claims(collection.name, row.id, row.provider, begins, sorted(ends))
    settler.settle(chunk, collection, ids)


def _claim(feature: str, saying: NewSaying) -> NewClaim:
    properties = orjson.dumps(dict(saying.properties), option=orjson.OPT_SORT_KEYS)
    content = (saying.geometry or b"") + properties
    return NewClaim(
        feature,
        saying.record_id,
        hashlib.blake2b(content, digest_size=_HASH_BYTES).digest(),
        geometry=saying.geometry,
        properties=properties.decode(),
        property=saying.layer,
        contribution=saying.contribution,
    )


def _plain(change: Change) -> dict[str, Any]:
    """A change as it is hashed into the record's list of what came in."""
    begins = [
        {
            "layer": saying.layer,
            "geometry": None if saying.geometry is None else saying.geometry.hex(),
            "properties": dict(saying.properties),
        }
        for saying in change.begins
    ]
    return {"collection": change.collection, "feature": change.feature, "says": begins}
