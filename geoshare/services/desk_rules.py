"""The desk's rules: who edits what and where, and what has to be said of each thing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import orjson
import shapely
from pyproj import Geod
from shapely.geometry.base import BaseGeometry

from geoshare.access.areas import coded_area, looked_up
from geoshare.access.credentials import Principal
from geoshare.access.credentials.principal import EDITOR
from geoshare.access.view import View
from geoshare.errors import BadRequest, Denied, NotFound, Unauthenticated
from geoshare.filter.literals import read_geometry
from geoshare.model.collections import Collection
from geoshare.model.policy import Grant
from geoshare.publish import Packs
from geoshare.query.items import matching
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
MAX_VERTICES: Final = 20_000
MAX_KM2: Final = 5_000  # more than the largest municipality
MAX_LINE_KM: Final = 300
MARGIN_DEG: Final = 0.0005  # about 50 m: boundaries of different sources differ by as much
TYPES: Final[Mapping[str, tuple[str, ...]]] = {
    "point": ("Point",),
    "polygon": ("Polygon", "MultiPolygon"),
    "any": ("Point", "LineString", "MultiLineString", "Polygon", "MultiPolygon"),
}
_GEOD: Final = Geod(ellps="GRS80")


@dataclass(frozen=True, slots=True)
class Fence:
    """Where somebody edits; ``area`` is None where no agreement limits it."""

    area: BaseGeometry | None

    @property
    def box(self) -> list[float] | None:
        """West, south, east, north in degrees."""
        return None if self.area is None else [round(side, 5) for side in self.area.bounds]

    @property
    def words(self) -> str:
        """What is allowed, for a refusal."""
        where = "" if self.box is None else f", inside your agreement's area {self.box}"
        return f"at most {MAX_KM2} km2, {MAX_LINE_KM} km, {MAX_VERTICES} vertices{where}"

    def holds(self, shape: BaseGeometry) -> bool:
        """Whether a geometry lies in it, but for the width of a road."""
        return self.area is None or bool(shapely.covers(shapely.buffer(self.area, MARGIN_DEG), shape))

    def meets(self, shape: BaseGeometry) -> bool:
        """Whether some of a geometry lies in it."""
        return self.area is None or bool(shapely.intersects(self.area, shape))


class Rules:
    """Who may edit what, by the agreements in force."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._packs = Packs(services.packs_dir)
        self._fences: dict[tuple[str, str, str], Fence] = {}

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
            )
        return found

    def fence(self, who: Principal, collection: str) -> Fence:
        """Where the caller edits a collection: the areas of the agreements that say so, together."""
        policy = self._services.policy(who, "contribute")
        mark = self._packs.manifest("admin_areas")
        key = (policy.hash, collection, "" if mark is None else str(mark.version))
        found = self._fences.get(key)
        if found is None:
            if len(self._fences) > 1_000:
                self._fences = {}
            found = self._fences[key] = self._fence(policy.grants_for(collection))
        return found

    def _fence(self, grants: Sequence[Grant]) -> Fence:
        if any(grant.area is None for grant in grants):
            return Fence(None)
        areas = [
            read_geometry(grant.area)
            for grant in looked_up(grants, lambda code: coded_area(self._packs, code))
            if isinstance(grant.area, dict)
        ]
        joined = shapely.union_all(areas)
        shapely.prepare(joined)
        return Fence(joined)

    def blocks(self, who: Principal, codes: Sequence[str]) -> BaseGeometry:
        """The town blocks of these codes, joined, as the caller sees them.

        Raises
        ------
        BadRequest
            naming the first code that no visible area has.
        """
        view = self._services.view(who, "admin_areas")
        shapes: list[BaseGeometry] = []
        for code in dict.fromkeys(codes):
            found = _shapes(view, code)
            if not found:
                raise BadRequest(
                    f"There is no town block {code[:40]!a}",
                    parameter="area_codes",
                    allowed="codes of admin_areas",
                    message_ja=f"町丁目コード「{code[:40]}」の区域がありません",
                )
            shapes += found
        joined = shapely.union_all([shapely.make_valid(shape) for shape in shapes])
        parts = [part for part in shapely.get_parts(joined) if part.geom_type == "Polygon"]
        return parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)


def _shapes(view: View, code: str) -> list[BaseGeometry]:
    if not view.has_column("code") or not code.isalnum():
        return []
    rows = matching(view, None, None, f"code = '{code}'")
    found = [shape for table, numbers in rows.pairs for shape in to_shapely(table.geometries, numbers)]
    return [shape for shape in found if shape is not None and shapely.get_dimensions(shape) == 2]


def read_shape(said: Any, about: Collection, fence: Fence) -> bytes:
    """Read a GeoJSON geometry: plane, of a known type, of bounded size, inside the fence; as WKB.

    Raises
    ------
    BadRequest
        saying what is allowed and where.
    """
    allowed = TYPES[about.geometry]
    if not isinstance(said, dict) or said.get("type") not in allowed:
        raise _unfit(
            "is of another type", f"の種類が正しくありません({about.title_ja})", ", ".join(allowed)
        )
    try:
        shape = shapely.force_2d(shapely.from_geojson(orjson.dumps(said)))
    except (shapely.GEOSException, TypeError, ValueError) as error:
        raise _unfit(
            "cannot be read", "を読み取れません", "GeoJSON in degrees, longitude first"
        ) from error
    check_shape(shape, fence)
    rounded = shapely.transform(shape, lambda points: points.round(7))
    shape = rounded if rounded.is_valid and not rounded.is_empty else shape
    wkb: bytes = shapely.to_wkb(shapely.orient_polygons(shape))
    return wkb


def check_shape(shape: BaseGeometry, fence: Fence) -> None:
    """Raise BadRequest for what is empty, crosses itself, is too large or lies outside the fence."""
    west, south, east, north = shape.bounds if not shape.is_empty else (float("nan"),) * 4
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        raise _unfit("lies nowhere on earth", "の座標が範囲外です", "degrees, longitude first")
    if shapely.get_num_coordinates(shape) > MAX_VERTICES:
        raise _unfit("has too many vertices", "の頂点が多すぎます", fence.words)
    if not shape.is_valid:
        raise _unfit("crosses itself", "の線が交差しています", "an outline that does not cross itself")
    dimensions = shapely.get_dimensions(shape)
    if dimensions == 2 and abs(_GEOD.geometry_area_perimeter(shape)[0]) > MAX_KM2 * 1e6:
        raise _unfit("is too large", f"が広すぎます({MAX_KM2}km²まで)", fence.words)
    if dimensions == 1 and _GEOD.geometry_length(shape) > MAX_LINE_KM * 1e3:
        raise _unfit("is too long", f"が長すぎます({MAX_LINE_KM}kmまで)", fence.words)
    if not fence.holds(shape):
        raise _unfit("lies outside your area", "が契約の区域の外にあります", fence.words)


def _unfit(english: str, japanese: str, allowed: str) -> BadRequest:
    return BadRequest(
        f"The geometry {english}",
        parameter="geometry",
        allowed=allowed,
        message_ja=f"図形{japanese}",
    )


def not_there() -> NotFound:
    """The one answer for what is hidden and what does not exist."""
    return NotFound("No such feature")
