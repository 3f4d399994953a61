"""Taking an edit back: what was said before it is said again."""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from geoshare.ingest.edits import Change, NewSaying
from geoshare.services.desk_plan import Planned, Wish
from geoshare.store.edit_rows import OwnClaim
from geoshare.store.rows import DESK


def taken_back(
    place: tuple[str, str], changeset: int, touched: Sequence[OwnClaim], now: Sequence[OwnClaim]
) -> Planned:
    """The change that says again what was said before a change set; stale where more has happened.

    What stands is compared by what it says, so that edits can be taken back one after the other.
    """
    after = [claim for claim in touched if claim.changeset == changeset]
    before = [claim for claim in touched if claim.ended_by == changeset]
    layers = {claim.property for claim in touched}
    here = [claim for claim in now if claim.property in layers]
    seen = tuple(claim.version for claim in now)
    wish = Wish("update", place[0], place[1])
    if {_content(claim) for claim in here} != {_content(claim) for claim in after}:
        return Planned(wish, place[1], tuple(now), None, stale=True)
    begins = tuple(
        NewSaying(
            claim.property,
            claim.record_id,
            claim.geometry,
            orjson.loads(claim.properties),
            "" if claim.property == DESK else claim.contribution,
        )
        for claim in before
    )
    ends = tuple(claim.version for claim in here)
    return Planned(wish, place[1], tuple(now), Change(*place, seen, ends, begins))


def _content(claim: OwnClaim) -> tuple[str, str, bytes | None, str]:
    return claim.property, claim.record_id, claim.geometry, claim.properties
