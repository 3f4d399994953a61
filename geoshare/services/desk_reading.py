"""What the desk tells: features with their versions, who said what of them, and edits made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import orjson
from shapely.geometry import shape

from geoshare.access.credentials import Principal
from geoshare.errors import BadRequest, NotFound
from geoshare.ingest.edits import version_token
from geoshare.query.items import ItemsQuery, items
from geoshare.services.desk_history import described_edit, histories, own_values, seconds
from geoshare.services.desk_rules import CLOSED, REQUIRED, Rules, not_there
from geoshare.services.desk_shapes import TYPES, Fence
from geoshare.store.edit_rows import (
    OwnClaim,
    edit_of,
    moments,
    newest_edits,
    own_claims,
    touched_by,
    undone,
)

if TYPE_CHECKING:
    from geoshare.services import Services

MOST: Final = 500  # wishes of one edit
PAGE: Final = 1_000
EDITS: Final = 100


class DeskReading:
    """What a caller edits, as it is now and how it came to be so."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self.rules = Rules(services)

    def rights(self, who: Principal) -> dict[str, Any]:
        """Which collections the caller edits, what can be said in each, and where."""
        listed = []
        for name in self.rules.editable(who):
            about = self.rules.check_collection(who, name)
            schema = about.schema["properties"]
            fence = self.rules.fence(who, name)
            listed.append(
                {
                    "id": name,
                    "title": about.title,
                    "title_ja": about.title_ja,
                    "geometry": list(TYPES[about.geometry]),
                    "required": list(REQUIRED[name]),
                    "properties": {key: value for key, value in schema.items() if key not in CLOSED},
                    "area": fence.box,
                    "area_names": list(fence.names),
                    "area_codes": list(fence.codes),
                }
            )
        return {
            "organisation": who.organisation,
            "department": who.department,
            "person": who.person,
            "collections": listed,
            "most_edits": MOST,
        }

    def items(
        self, who: Principal, collection: str, query: ItemsQuery
    ) -> tuple[list[dict[str, Any]], str | None, int | None]:
        """Features as the caller sees them, each with its version and who of the own people set it.

        ``editable`` is false of those that lie outside the area in which the caller edits.

        Returns
        -------
        Features, the cursor of the next page, and how many there are on all pages.
        """
        self.rules.check_collection(who, collection)
        view = self._services.view(who, collection)
        page = items(view, replace(query, limit=min(query.limit, PAGE)), self._services.cursors)
        features = orjson.loads(b"[" + page.geojson() + b"]")
        places = [(collection, str(feature["id"])) for feature in features]
        fence = self.rules.fence(who, collection)
        for feature, extra in zip(features, self.versions(who, places), strict=True):
            feature |= extra | {"editable": _lies_in(fence, feature)}
        return features, page.next_cursor, page.number_matched

    def item(self, who: Principal, collection: str, feature: str) -> dict[str, Any]:
        """One feature as the caller sees it, its version, and what the own people say of it."""
        self.rules.check_collection(who, collection)
        view = self._services.view(who, collection)
        rows = view.lookup([feature])
        (extra,) = self.versions(who, [(collection, feature)])
        if len(rows) == 0 and not extra["own"]:
            raise not_there()
        bare: dict[str, Any] = {"type": "Feature", "id": feature, "geometry": None, "properties": {}}
        found: dict[str, Any] = orjson.loads(view.geojson(rows)) if len(rows) else bare
        return found | extra | {"editable": _lies_in(self.rules.fence(who, collection), found)}

    def standing(
        self, who: Principal, collection: str, ids: Sequence[str]
    ) -> dict[str, dict[str, Any]]:
        """What ``items`` adds to features, by id: version, own words, who set it, whether editable."""
        self.rules.check_collection(who, collection)
        versions = self.versions(who, [(collection, feature) for feature in ids])
        found = dict(zip(ids, versions, strict=True))
        view, fence = self._services.view(who, collection), self.rules.fence(who, collection)
        for feature in orjson.loads(b"[" + view.geojson(view.lookup(ids)) + b"]"):
            found[feature["id"]]["editable"] = _lies_in(fence, feature)
        return found

    def history(self, who: Principal, collection: str, feature: str) -> list[dict[str, Any]]:
        """What the own people said of a feature, the newest first; NotFound where there is nothing."""
        self.rules.check_collection(who, collection)
        with self._services.record.snapshot() as connection:
            found = histories(connection, who.organisation, collection, feature)
        if not found and len(self._services.view(who, collection).lookup([feature])) == 0:
            raise not_there()
        return self.named(who, found)

    def edits(self, who: Principal, before: str | None, limit: int) -> list[dict[str, Any]]:
        """The newest edits of the own organisation."""
        self.rules.check_editor(who)
        with self._services.record.snapshot() as connection:
            start = edit_of(connection, who.organisation, before) if before else None
            if before and start is None:
                raise BadRequest(
                    "There is no such edit",
                    parameter="before",
                    allowed="an edit's id",
                    message_ja="この編集は見つかりません",
                    allowed_ja="編集のID",
                )
            rows = newest_edits(connection, who.organisation, start, min(limit, EDITS))
            touched = touched_by(connection, who.organisation, [row.changeset for row in rows])
            back = undone(connection, [row.id for row in rows])
        told = [described_edit(row, touched, row.id in back) for row in rows]
        self._name_features(who, [feature for edit in told for feature in edit["features"]])
        return self.named(who, told)

    def edit_made(self, who: Principal, edit: str) -> dict[str, Any]:
        """One edit of the own organisation."""
        self.rules.check_editor(who)
        with self._services.record.snapshot() as connection:
            row = edit_of(connection, who.organisation, edit)
            if row is None:
                raise NotFound("No such edit")
            touched = touched_by(connection, who.organisation, [row.changeset])
            found = described_edit(row, touched, bool(undone(connection, [edit])))
        return self.named(who, [found])[0]

    # How

    def claims_of(
        self, who: Principal, places: Sequence[tuple[str, str]]
    ) -> dict[tuple[str, str], list[OwnClaim]]:
        """What the own organisation says of each of these features, by collection and id."""
        found: dict[tuple[str, str], list[OwnClaim]] = {}
        with self._services.record.snapshot() as connection:
            for claim in own_claims(connection, who.organisation, places):
                found.setdefault((claim.collection, claim.feature), []).append(claim)
        return found

    def versions(self, who: Principal, places: Sequence[tuple[str, str]]) -> list[dict[str, Any]]:
        """Version of each feature, what the own people say of it at the desk, and who said it last."""
        standing, found = self.claims_of(who, places), []
        last = {place: max(item.changeset for item in claims) for place, claims in standing.items()}
        with self._services.record.snapshot() as connection:
            when = moments(connection, list(set(last.values())))
        for place in places:
            claims = standing.get(place, [])
            version = version_token(self._services.record, who.organisation, claims, place[1])
            extra: dict[str, Any] = {"version": version, "own": own_values(claims), "set": None}
            moment = when.get(last.get(place, -1))
            if moment is not None:
                edit = moment.edit
                extra["set"] = {
                    "at": seconds(moment.recorded_us),
                    "department": edit.department if edit else "",
                    "person": edit.person if edit else "",
                    "source": edit.source if edit else "",
                }
            found.append(extra)
        self.named(who, [item["set"] for item in found if item["set"] is not None])
        return found

    def _name_features(self, who: Principal, features: list[dict[str, Any]]) -> None:
        """Say what features are called in the caller's view."""
        for collection in self._services.visible(who).keys() & {
            item["collection"] for item in features
        }:
            view = self._services.view(who, collection)
            mine = [item for item in features if item["collection"] == collection]
            if view.has_column("name"):
                rows = view.lookup(list({item["id"] for item in mine}))
                table = view.materialise(rows, ["name"], None)
                pairs = zip(
                    table.column("id").to_pylist(), table.column("name").to_pylist(), strict=True
                )
                names = dict(pairs)
                for item in mine:
                    item["name"] = names.get(item["id"])

    def named(self, who: Principal, told: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Put names in the places of ids of colleagues and departments; who was erased has none."""
        if any(item.get("person") or item.get("department") for item in told):
            people = self._services.people
            listed = people.listed(who.organisation), people.departments(who.organisation)
            persons, departments = ({item["id"]: item["name"] for item in kind} for kind in listed)
            for item in told:
                item["person"] = persons.get(item.get("person", ""), "")
                item["department"] = departments.get(item.get("department", ""), "")
        return told


def _lies_in(fence: Fence, feature: dict[str, Any]) -> bool:
    """Whether a feature may be edited where it lies; of what has no place only an edit can tell."""
    geometry = feature["geometry"]
    return geometry is None or fence.meets(shape(geometry))
