"""What an organisation's people said of a feature, one change set after the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import orjson
import shapely
from sqlalchemy import Connection

from geoshare.ingest.edits import version_token
from geoshare.model.times import iso
from geoshare.services.desk_plan import UNSAID, Planned
from geoshare.store import Record
from geoshare.store.edit_rows import EditRow, Moment, OwnClaim, all_claims, moments, own_claims
from geoshare.store.rows import DESK

if TYPE_CHECKING:
    from collections.abc import Iterable

MOST: Final = 400  # claims of one feature that are looked at
GEOMETRY: Final = "geometry"


def own_values(claims: Iterable[OwnClaim]) -> dict[str, Any]:
    """What an organisation says: its files, and over them its desk; null is nothing."""
    found: dict[str, Any] = {}
    for claim in sorted(claims, key=lambda item: item.property == DESK):
        found |= orjson.loads(claim.properties)
    return {name: value for name, value in found.items() if value is not None}


def _said(claims: Sequence[OwnClaim]) -> dict[str, Any]:
    """The same, with the geometry as one more value."""
    found = own_values(claims)
    shapes = [claim.geometry for claim in sorted(claims, key=lambda item: item.property == DESK)]
    last = next((shape for shape in reversed(shapes) if shape is not None), None)
    if last is not None:
        found[GEOMETRY] = orjson.loads(shapely.to_geojson(shapely.from_wkb(last)))
    return found


def _states(claims: Sequence[OwnClaim]) -> list[tuple[int, list[OwnClaim]]]:
    """After each change set, in order, the claims that stood."""
    numbers = sorted(
        {claim.changeset for claim in claims}
        | {claim.ended_by for claim in claims if claim.ended_by is not None}
    )
    return [
        (
            number,
            [
                claim
                for claim in claims
                if claim.changeset <= number and (claim.ended_by is None or claim.ended_by > number)
            ],
        )
        for number in numbers
    ]


def histories(
    connection: Connection, organisation: str, collection: str, feature: str
) -> list[dict[str, Any]]:
    """Who said what of a feature and when, the newest first."""
    claims = all_claims(connection, organisation, collection, feature, MOST)
    states = _states(claims)
    when = moments(connection, [number for number, _ in states])
    found: list[dict[str, Any]] = []
    before: dict[str, Any] = {}
    for number, standing in states:
        after, moment = _said(standing), when.get(number)
        if moment is not None:  # an import that is still under way ends nothing yet
            found.append(_who(moment) | {"changes": _changes(before, after)})
            before = after
    return found[::-1]


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {"property": name, "before": before.get(name), "after": after.get(name)}
        for name in sorted({*before, *after})
        if before.get(name) != after.get(name)
    ]


def _who(moment: Moment) -> dict[str, Any]:
    edit = moment.edit
    if edit is None:
        return {
            "edit": None,
            "at": seconds(moment.recorded_us),
            "kind": "file",
            "file": moment.file_name,
        }
    return _edit(edit)


def seconds(moment_us: int) -> str:
    """A time of the record to the second: its microseconds tell of other writers."""
    return iso(moment_us // 1_000_000 * 1_000_000)


def _edit(edit: EditRow) -> dict[str, Any]:
    return {
        "edit": edit.id,
        "at": seconds(edit.recorded_us or 0),
        "said_at": None if edit.said_us is None else iso(edit.said_us),
        "kind": edit.kind,
        "department": edit.department,
        "person": edit.person,
        "reason": edit.reason,
        "source": edit.source,
        "undoes": edit.undoes,
    }


def described_edit(edit: EditRow, touched: Sequence[OwnClaim], undone: bool) -> dict[str, Any]:
    """One edit with what it changed of each feature."""
    features = []
    for place in sorted({(claim.collection, claim.feature) for claim in touched}):
        mine = [claim for claim in touched if (claim.collection, claim.feature) == place]
        before = _said([claim for claim in mine if claim.ended_by == edit.changeset])
        after = _said([claim for claim in mine if claim.changeset == edit.changeset])
        if before or after:
            features.append(
                {"collection": place[0], "id": place[1], "changes": _changes(before, after)}
            )
    return _edit(edit) | {"undone": undone, "features": features}


def stale_members(
    connection: Connection, record: Record, organisation: str, planned: Planned
) -> dict[str, Any]:
    """Both sides of a conflict: what the caller wants, what stands, and what the caller had seen."""
    collection, feature = planned.place
    claims = all_claims(connection, organisation, collection, feature, MOST)
    now = own_claims(connection, organisation, [planned.place])
    theirs, wish = _said(now), planned.wish
    yours = dict(wish.properties or {})
    if wish.geometry is not UNSAID:
        yours[GEOMETRY] = wish.geometry
    base = _base(record, organisation, feature, claims, wish.version)
    changed = None if base is None else {item["property"] for item in _changes(base, theirs)}
    names = {name for name, value in yours.items() if theirs.get(name) != value} | (changed or set())
    last = max((claim.changeset for claim in now), default=None)
    ended = max((claim.ended_by or 0 for claim in claims), default=0)
    when = moments(connection, [last if last is not None else ended])
    return {
        "collection": collection,
        "id": feature,
        "version": version_token(record, organisation, now, feature),
        "set": next((_who(moment) for moment in when.values()), None),
        "removed": not now and bool(claims),
        "differing": [
            {
                "property": name,
                "yours": yours.get(name) if name in yours else None,
                "wanted": name in yours,
                "theirs": theirs.get(name),
                "before": None if base is None else base.get(name),
                "both": changed is None or (name in yours and name in changed),
            }
            for name in sorted(names)
        ],
    }


def _base(
    record: Record,
    organisation: str,
    feature: str,
    claims: Sequence[OwnClaim],
    version: str | None,
) -> dict[str, Any] | None:
    """What stood at the version that the caller had seen; None where that is not known."""
    for standing in ([], *(found for _, found in _states(claims))):
        if version_token(record, organisation, standing, feature) == version:
            return _said(standing)
    return None
