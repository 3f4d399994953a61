"""The desk's rules: who edits what and where, and what has to be said of each thing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import shapely
from shapely.geometry.base import BaseGeometry

from geoshare.access.areas import ADMIN_AREAS, coded_area, looked_up
from geoshare.access.credentials import Principal
from geoshare.access.credentials.principal import EDITOR
from geoshare.access.view import View
from geoshare.errors import BadRequest, Denied, NotFound, Unauthenticated
from geoshare.filter.literals import read_geometry
from geoshare.model.collections import Collection
from geoshare.model.policy import Grant
from geoshare.publish import Packs
from geoshare.query.items import matching
from geoshare.services.desk_shapes import Fence
from tiles.geometry.convert import to_shapely

if TYPE_CHECKING:
    from geoshare.services import Services

COLLECTIONS: Final = ("shelters", "evacuation_areas", "events", "water_points", "damage_reports")
CLOSED: Final = frozenset({"common_id", "extra"})  # nobody states these by hand
REQUIRED: Final[Mapping[str, tuple[str, ...]]] = {
    "shelters": ("name",),
    "evacuation_areas": ("level",),
    "events": ("kind", "regulation_category"),
    "water_points": ("name",),
    "damage_reports": ("kind",),
}
DEFAULTS: Final[Mapping[str, Mapping[str, Any]]] = {
    "shelters": {"status": "not_open"},
    "evacuation_areas": {"status": "active"},
    "events": {"kind": "closure", "status": "active"},
    "water_points": {"status": "open"},
    "damage_reports": {"status": "reported"},
}
BEGINS: Final[Mapping[str, str]] = {  # the time that is now where nobody says it
    "evacuation_areas": "valid_from",
    "events": "valid_from",
    "damage_reports": "observed_at",
}
LEVELS: Final[Mapping[int, str]] = {3: "elderly", 4: "evacuate", 5: "emergency"}
STATE: Final = ("status", "people_count", "household_count", "care_count", "pet_count", "litres_left")
AHEAD_US: Final = 15 * 60_000_000  # clocks differ


class Rules:
    """Who may edit what, by the agreements in force."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._packs = Packs(services.packs_dir)
        self._fences: dict[tuple[str, str, str, str], Fence] = {}

    def editor(self, who: Principal) -> bool:
        """Whether the caller edits anything."""
        return not who.anonymous and bool(self._edited(who))

    def editable(self, who: Principal) -> tuple[str, ...]:
        """Collections that the caller edits; raises as ``check_editor`` does."""
        self.check_editor(who)
        return self._edited(who)

    def _edited(self, who: Principal) -> tuple[str, ...]:
        policy, visible = self._services.policy(who, "contribute"), self._services.visible(who)
        return tuple(
            name
            for name in COLLECTIONS
            if name in visible and policy.allows(name) and who.may(EDITOR, name)
        )

    def check_editor(self, who: Principal) -> None:
        """Raise Unauthenticated or Denied for who edits nothing."""
        if who.anonymous:
            raise Unauthenticated(
                "Editing needs a key or a login", message_ja="編集にはログインまたはキーが必要です"
            )
        if not who.may(EDITOR) or not self._services.policy(who, "contribute").grants:
            raise Denied(
                "Your agreement does not let you edit", message_ja="契約により編集は認められていません"
            )

    def check_collection(self, who: Principal, collection: str) -> Collection:
        """The collection, if the caller edits it.

        Raises
        ------
        NotFound
            for one that is hidden or does not exist: the same.
        Denied
            for one that the caller sees and does not edit.
        """
        self.check_editor(who)
        found = self._services.view(who, collection).collection
        policy = self._services.policy(who, "contribute")
        granted = collection in COLLECTIONS and policy.allows(collection)
        if not granted or not who.may(EDITOR, collection):
            allowed = ", ".join(self.editable(who))
            raise Denied(
                f"You do not edit {collection}",
                parameter="collection",
                allowed=allowed,
                message_ja="このデータは編集できません",
                allowed_ja=allowed,
            )
        return found

    def fence(self, who: Principal, collection: str) -> Fence:
        """Where the caller edits a collection: the areas of the agreements that say so, together."""
        policy = self._services.policy(who, "contribute")
        mark = self._packs.manifest(ADMIN_AREAS)
        seen = self._services.view(who, ADMIN_AREAS) if self._named(who) else None
        version = "" if mark is None else str(mark.version)
        key = (policy.hash, collection, version, "" if seen is None else seen.policy_hash)
        found = self._fences.get(key)
        if found is None:
            if len(self._fences) > 1_000:
                self._fences = {}
            found = self._fences[key] = self._fence(policy.grants_for(collection), seen)
        return found

    def _named(self, who: Principal) -> bool:
        return ADMIN_AREAS in self._services.visible(who)

    def _fence(self, grants: Sequence[Grant], seen: View | None) -> Fence:
        if any(grant.area is None for grant in grants):
            return Fence(None)
        areas = [
            read_geometry(grant.area)
            for grant in looked_up(grants, lambda code: coded_area(self._packs, code))
            if isinstance(grant.area, dict)
        ]
        joined = shapely.union_all(areas)
        shapely.prepare(joined)
        codes = tuple(dict.fromkeys(grant.area for grant in grants if isinstance(grant.area, str)))
        coded = all(isinstance(grant.area, str) for grant in grants)
        return Fence(joined, tuple(_called(seen, code) for code in codes), codes if coded else ())

    def blocks(self, who: Principal, codes: Sequence[str]) -> BaseGeometry:
        """The town blocks of these codes, joined, as the caller sees them.

        Raises
        ------
        BadRequest
            naming the first code that no visible area has.
        """
        view = self._services.view(who, ADMIN_AREAS)
        shapes: list[BaseGeometry] = []
        for code in dict.fromkeys(codes):
            found = _shapes(view, code)
            if not found:
                raise BadRequest(
                    f"There is no town block {code[:40]!a}",
                    parameter="area_codes",
                    allowed="codes of admin_areas",
                    allowed_ja="行政区域(admin_areas)の町丁目コード",
                    message_ja=f"町丁目コード「{code[:40]}」の区域がありません",
                )
            shapes += found
        joined = shapely.union_all([shapely.make_valid(shape) for shape in shapes])
        parts = [part for part in shapely.get_parts(joined) if part.geom_type == "Polygon"]
        return parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)


def _called(view: View | None, code: str) -> str:
    """What an administrative area is called in somebody's view, and its code; else the code alone."""
    if view is None or not view.has_column("code") or not view.has_column("name"):
        return code
    rows = matching(view, None, None, f"code = '{code}'")
    names = view.materialise(rows, ["name"], None).column("name").to_pylist()
    return f"{names[0]} ({code})" if names and names[0] else code


def _shapes(view: View, code: str) -> list[BaseGeometry]:
    if not view.has_column("code") or not code.isalnum():
        return []
    rows = matching(view, None, None, f"code = '{code}'")
    found = [shape for table, numbers in rows.pairs for shape in to_shapely(table.geometries, numbers)]
    return [shape for shape in found if shape is not None and shapely.get_dimensions(shape) == 2]


def not_there() -> NotFound:
    """The one answer for what is hidden and what does not exist."""
    return NotFound("No such feature", message_ja="この地物は見つかりません")
