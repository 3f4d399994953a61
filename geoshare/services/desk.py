"""The desk: a municipality's people keep shelters, closures and evacuation areas as they are now.

Writing goes straight into the record, one small transaction an edit, and rings the keeper's bell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import shapely

from geoshare.access.credentials import Principal
from geoshare.errors import BadRequest, NotFound, Stale
from geoshare.ingest.edits import Author, Change, MovedOn, edit_id, write_edit
from geoshare.ingest.photos import MEDIA_TYPE, read_photo
from geoshare.services.desk_history import stale_members
from geoshare.services.desk_plan import Planned, Planner, Wish
from geoshare.services.desk_reading import MOST, DeskReading
from geoshare.services.desk_shapes import check_place
from geoshare.services.desk_undo import taken_back
from geoshare.services.releasing import check_classes
from geoshare.store.edit_rows import add_photo, edit_of, own_claims, touched_by
from geoshare.store.files import Files
from geoshare.store.places import release_classes

if TYPE_CHECKING:
    from geoshare.services import Services


@dataclass(frozen=True, slots=True)
class About:
    """What an editor says about an edit: why, who told it, and when by the editor's own clock."""

    reason: str = ""
    source: str = ""
    said_us: int | None = None


class Desk(DeskReading):
    """What a caller edits, and what has become of it."""

    def __init__(self, services: Services) -> None:
        super().__init__(services)
        self._files = Files(services.settings.data)

    def edit(
        self,
        who: Principal,
        wishes: Sequence[Wish],
        about: About,
        kind: str,
        key: str | None = None,
        *,
        most: int = MOST,
    ) -> dict[str, Any]:
        """Do all of it or nothing, up to ``most`` wishes; in the record when this returns.

        What was done under the caller's ``key`` before is not done again, but answered again.

        Raises
        ------
        NotFound, Denied, BadRequest, Unseen
            as the planner does, for the first wish that cannot be done.
        Stale
            where somebody else has changed one of the features; tells both sides.
        """
        self.rules.check_editor(who)
        if not 0 < len(wishes) <= most:
            raise BadRequest(
                "Too many edits at once",
                parameter="edits",
                allowed=f"1 to {most}",
                message_ja="一度に編集できる件数を超えています",
                allowed_ja=f"1～{most}件",
            )
        number = self._number(who, key)
        before = None if key is None else self._again(who, number)
        if before is not None:
            return before
        named = [replace(wish, name=wish.name or self._services.ids.new()) for wish in wishes]
        planner = Planner(self._services, self.rules, who)
        planned = self._planned(who, planner, named)
        stale = [item for item in planned if item.stale]
        if stale:
            raise self._stale(who, stale)
        changes = [item.change for item in planned if item.change is not None]
        self._check_classes(who, changes)
        about = about if about.reason else replace(about, reason=_reason(named))
        edit = self._write(who, kind, about, changes, planned, number) if changes else None
        return self._done(who, edit, [item.place for item in planned])

    def undo(self, who: Principal, edit: str, about: About) -> dict[str, Any]:
        """Say again what was said before an edit, in a new one.

        Raises
        ------
        NotFound
            for an edit that is none of the own organisation's.
        Stale
            where somebody has changed one of its features since; then nothing is undone.
        """
        self.rules.check_editor(who)
        with self._services.record.snapshot() as connection:
            row = edit_of(connection, who.organisation, edit)
            if row is None:
                raise NotFound("No such edit")
            touched = touched_by(connection, who.organisation, [row.changeset])
            places = sorted({(claim.collection, claim.feature) for claim in touched})
            standing = own_claims(connection, who.organisation, places)
        planned = []
        for place in places:
            self.rules.check_collection(who, place[0])
            mine = [claim for claim in touched if (claim.collection, claim.feature) == place]
            drawn = [claim.geometry for claim in mine if claim.geometry is not None]
            for shape in shapely.from_wkb(drawn):
                check_place(shape, self.rules.fence(who, place[0]))
            now = [claim for claim in standing if (claim.collection, claim.feature) == place]
            planned.append(taken_back(place, row.changeset, mine, now))
        stale = [item for item in planned if item.stale]
        if stale:
            raise self._stale(who, stale)
        changes = [item.change for item in planned if item.change is not None]
        self._check_classes(who, changes)
        number = self._services.ids.new()
        made = self._write(who, "undo", about, changes, planned, number, undoes=edit)
        return self._done(who, made, places)

    def keep_photo(self, who: Principal, content: bytes) -> dict[str, Any]:
        """Keep a photo without what the camera noted, which is handed back as a suggestion."""
        self.rules.check_collection(who, "damage_reports")
        photo = read_photo(content)
        self._files.keep_photo(photo.content, photo.sha256)
        record, now_us = self._services.record, self._services.clock.now_us()
        with record.database.write() as connection:
            row = {
                "sha256": photo.sha256,
                "organisation": who.organisation,
                "media_type": MEDIA_TYPE,
                "bytes": len(photo.content),
                "received_us": now_us,
            }
            add_photo(connection, row)
        return {
            "photo": photo.sha256,
            "width": photo.width,
            "height": photo.height,
            "bytes": len(photo.content),
            "suggested": {"lon_lat": photo.lon_lat, "taken": photo.taken},
        }

    def photo(self, who: Principal, collection: str, feature: str) -> str:
        """Path of a feature's photo, where the caller's view shows the feature and its photo."""
        view = self._services.view(who, collection)
        rows = view.lookup([feature])
        if len(rows) == 0 or not view.has_column("photo"):
            raise NotFound("No such photo")
        named = view.materialise(rows, ["photo"], None).column("photo")[0].as_py()
        if not isinstance(named, str) or len(named) != 64 or not named.isalnum():
            raise NotFound("No such photo")
        path = self._files.photo(named)
        if not path.is_file():
            raise NotFound("No such photo")
        return str(path.resolve())

    # How

    def _planned(self, who: Principal, planner: Planner, wishes: Sequence[Wish]) -> list[Planned]:
        for name in dict.fromkeys(wish.collection for wish in wishes):
            self.rules.check_collection(who, name)
        places = [(wish.collection, planner.feature(wish)) for wish in wishes]
        if len(set(places)) != len(places):
            raise BadRequest(
                "A feature is edited twice at once",
                parameter="edits",
                allowed="each feature once",
                allowed_ja="1件につき1回",
                message_ja="同じ地物が二度指定されています",
            )
        standing = self.claims_of(who, places)
        return [
            planner.plan(wish, place[1], standing.get(place, ()))
            for wish, place in zip(wishes, places, strict=True)
        ]

    def _write(
        self,
        who: Principal,
        kind: str,
        about: About,
        changes: Sequence[Change],
        planned: Sequence[Planned],
        edit: str,
        undoes: str | None = None,
    ) -> str:
        services = self._services
        counts: dict[str, int] = {}
        for change in changes:
            counts[change.collection] = counts.get(change.collection, 0) + 1
        services.audit(who, "desk.edit", edit, {"kind": kind, "collections": counts})
        author = Author(
            who.organisation,
            department=who.department,
            person=who.person,
            reason=about.reason,
            source=about.source,
            said_us=about.said_us,
        )
        try:
            write_edit(
                services.record,
                services.clock,
                edit,
                kind,
                author,
                changes,
                undoes=undoes,
                foundation=services.foundation(),
            )
        except MovedOn as moved:
            stale = [item for item in planned if item.place in moved.features]
            raise self._stale(who, stale) from moved
        return edit

    def _check_classes(self, who: Principal, changes: Sequence[Change]) -> None:
        """Raise Denied where a feature is of a release class that the caller may not speak under."""
        with self._services.record.snapshot() as connection:
            classes = {
                found
                for name in {change.collection for change in changes}
                for found in release_classes(
                    connection, name, [one.feature for one in changes if one.collection == name]
                ).values()
            }
        check_classes(self._services, who, classes)

    def _number(self, who: Principal, key: str | None) -> str:
        """The id of an edit: a new one, or the one that a key leads to."""
        if key is None:
            return self._services.ids.new()
        return edit_id(self._services.record, who.organisation, who.person or "", key)

    def _again(self, who: Principal, edit: str) -> dict[str, Any] | None:
        """What is answered to an edit that has been made before; None where it has not."""
        with self._services.record.snapshot() as connection:
            row = edit_of(connection, who.organisation, edit)
            if row is None:
                return None
            touched = touched_by(connection, who.organisation, [row.changeset])
        places = sorted({(claim.collection, claim.feature) for claim in touched})
        for collection, _ in places:
            self.rules.check_collection(who, collection)
        return self._done(who, edit, places)

    def _done(
        self, who: Principal, edit: str | None, places: Sequence[tuple[str, str]]
    ) -> dict[str, Any]:
        features = [
            {"collection": place[0], "id": place[1], "version": extra["version"], "own": extra["own"]}
            for place, extra in zip(places, self.versions(who, places), strict=True)
        ]
        return {"edit": edit, "features": features}

    def _stale(self, who: Principal, planned: Sequence[Planned]) -> Stale:
        with self._services.record.snapshot() as connection:
            members = [
                stale_members(connection, self._services.record, who.organisation, item)
                for item in planned
            ]
        self.named(who, [item["set"] for item in members if item["set"] is not None])
        return Stale(
            "Somebody else has changed it meanwhile; nothing was done",
            members={"features": members},
            message_ja="他の人が先に変更しました。内容を確認してください(まだ反映されていません)",
        )


def _reason(wishes: Sequence[Wish]) -> str:
    """The reason that wishes state as a value (of a closure), for the history; empty: none does."""
    said = ((wish.properties or {}).get("reason") for wish in wishes)
    return next((text[:500] for text in said if isinstance(text, str)), "")
