"""One wish of an editor becomes one change of the record, or a refusal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Literal

import orjson
import shapely
from shapely.geometry.base import BaseGeometry

from geoshare.access.credentials import Principal
from geoshare.errors import BadRequest, Denied, Unseen
from geoshare.ingest.edits import SERIES, Change, NewSaying, feature_id, version_token
from geoshare.merge.conform import moment_us
from geoshare.model.checking import checked_properties
from geoshare.model.collections import Collection
from geoshare.model.drills import MARKS, called, plain_name
from geoshare.model.times import clock_ja, iso
from geoshare.services.desk_rules import (
    AHEAD_US,
    BEGINS,
    CLOSED,
    DEFAULTS,
    LEVELS,
    REQUIRED,
    STATE,
    Rules,
    not_there,
)
from geoshare.services.desk_shapes import Fence, check_place, check_shape, read_shape
from geoshare.services.releasing import contributing_of
from geoshare.store.edit_rows import OwnClaim, has_photo
from geoshare.store.rows import DESK
from tiles.geometry.convert import to_shapely

if TYPE_CHECKING:
    from geoshare.services import Services

Action = Literal["create", "update", "replace", "delete"]
UNSAID: Final = object()  # a geometry that a wish says nothing of


@dataclass(frozen=True, slots=True)
class Wish:
    """What an editor wants of one feature.

    ``version`` is the tag of what the editor has seen. ``geometry`` is a GeoJSON geometry, or UNSAID.
    ``name`` is the editor's own name for a feature that is to be made, so that asking twice makes one.
    """

    action: Action
    collection: str
    id: str = ""
    version: str | None = None
    properties: Mapping[str, Any] | None = None
    geometry: Any = UNSAID
    name: str = ""


@dataclass(frozen=True, slots=True)
class Planned:
    """A wish against what stands: the change it makes; None where nothing has to be done."""

    wish: Wish
    feature: str
    standing: tuple[OwnClaim, ...]
    change: Change | None
    stale: bool = False

    @property
    def place(self) -> tuple[str, str]:
        """Collection and id."""
        return self.wish.collection, self.feature


class Planner:
    """Plans the wishes of one caller at one moment."""

    def __init__(self, services: Services, rules: Rules, who: Principal) -> None:
        self._services, self._rules, self._who = services, rules, who
        self._now_us = services.clock.now_us()

    def feature(self, wish: Wish) -> str:
        """The id that a wish speaks of; a new one's comes from its name."""
        if wish.action != "create":
            return wish.id
        return feature_id(
            self._services.record,
            wish.collection,
            self._who.organisation,
            wish.name,
            self.release_class,
        )

    @cached_property
    def release_class(self) -> str:
        """The class of what the caller makes. Raises BadRequest where the agreements differ."""
        return contributing_of(self._services, self._who).choose(None)

    def plan(self, wish: Wish, feature: str, standing: Sequence[OwnClaim]) -> Planned:
        """Plan one wish.

        Raises
        ------
        NotFound
            for a feature that is hidden or does not exist.
        Denied
            for one outside the caller's area, and for one that others alone speak of.
        BadRequest
            for values that do not fit.
        Unseen
            where the wish does not say what it rests on.
        """
        about = self._rules.check_collection(self._who, wish.collection)
        fence = self._rules.fence(self._who, wish.collection)
        if wish.action == "create":
            if standing:
                return Planned(wish, feature, tuple(standing), None)  # asked before, and done
            saying = self._created(wish, feature, about, fence)
            change = Change(wish.collection, feature, (), (), (saying,), self.release_class)
            return Planned(wish, feature, (), change)
        self._check_place(wish, feature, standing, fence)
        if wish.version is None:
            raise Unseen(
                "Say in If-Match which version you have seen",
                parameter="If-Match",
                allowed="the version that /desk gives",
                allowed_ja="/desk が返した版",
                message_ja="表示中の版(If-Match)を指定してください",
            )
        known = version_token(self._services.record, self._who.organisation, standing, feature)
        if wish.version != known:
            return Planned(wish, feature, tuple(standing), None, stale=True)
        return Planned(
            wish, feature, tuple(standing), self._changed(wish, feature, standing, about, fence)
        )

    def _created(self, wish: Wish, feature: str, about: Collection, fence: Fence) -> NewSaying:
        said = checked_properties(about, wish.properties or {}, CLOSED)
        said = {name: value for name, value in said.items() if value is not None}
        begins = BEGINS.get(about.name)
        usual = dict(DEFAULTS[about.name])
        ends = moment_us(said.get("valid_to"))
        if begins and (ends is None or ends >= self._now_us):  # what is over began at some other time
            usual[begins] = iso(self._now_us)
        said = self._completed(about, usual | said, said, fence)
        self._call_drill(about, said, feature)
        for name in REQUIRED[about.name]:
            needed = about.property(name)
            if needed is not None and said.get(name) is None:
                raise BadRequest(
                    f"{name} is missing",
                    parameter=name,
                    allowed=", ".join(REQUIRED[about.name]),
                    allowed_ja="空欄以外",
                    message_ja=f"「{needed.title_ja}」を入力してください",
                )
        geometry = self._geometry(wish, about, said, fence)
        if geometry is None:
            raise BadRequest(
                "The geometry is missing",
                parameter="geometry",
                allowed="a GeoJSON geometry, or area_codes of an evacuation area",
                allowed_ja="地図上の位置・図形、または対象町丁目コード(避難情報)",
                message_ja="場所を指定してください",
            )
        return NewSaying(DESK, f"{SERIES}{wish.name}", geometry, said)

    def _changed(
        self,
        wish: Wish,
        feature: str,
        standing: Sequence[OwnClaim],
        about: Collection,
        fence: Fence,
    ) -> Change:
        seen = tuple(claim.version for claim in standing)
        if wish.action == "delete":
            if not standing:
                raise Denied(
                    "Others say this, not you",
                    parameter="id",
                    allowed="features that your organisation has stated",
                    allowed_ja="自組織が登録したもの",
                    message_ja="他の組織が登録したもののため削除できません",
                )
            return Change(wish.collection, feature, seen, seen, ())
        desk = next((claim for claim in standing if claim.property == DESK), None)
        said = checked_properties(about, wish.properties or {}, CLOSED)
        before = orjson.loads(desk.properties) if desk is not None and wish.action == "update" else {}
        values = self._completed(about, before | said, said, fence)
        self._call_drill(about, values, feature)
        geometry = self._geometry(wish, about, values, fence)
        drawn = wish.geometry is not UNSAID and wish.geometry is not None
        if geometry is not None and drawn and "area_codes" in values:
            values["area_codes"] = None  # drawn by hand now
        if geometry is None and desk is not None:
            geometry = desk.geometry
        ends = (desk.version,) if desk is not None else ()
        record_id = desk.record_id if desk is not None else SERIES
        return Change(
            wish.collection, feature, seen, ends, (NewSaying(DESK, record_id, geometry, values),)
        )

    def _completed(
        self, about: Collection, values: dict[str, Any], said: Mapping[str, Any], fence: Fence
    ) -> dict[str, Any]:
        """Values with what follows from them, checked against each other."""
        found = dict(values)
        timed = about.property("status_updated_at") is not None
        if timed and any(name in said for name in STATE) and said.get("status_updated_at") is None:
            found["status_updated_at"] = iso(self._now_us // 1_000_000 * 1_000_000)
        if about.name == "evacuation_areas":
            _check_level(found, said)
        _check_times(found, said)
        for name in ("status_updated_at", "observed_at"):
            self._check_clock(name, found.get(name))
        photo = said.get("photo")
        if photo is not None:
            self._check_photo(str(photo))
        if said.get("segment_ids"):
            self._check_segments(said["segment_ids"], fence)
        return found

    def _call_drill(self, about: Collection, values: dict[str, Any], feature: str) -> None:
        """Say in the name that something is a drill or a test, and that it is none any more."""
        status = about.property("status")
        if status is None or not set(MARKS) & set(status.enum) or about.property("name") is None:
            return
        name = values.get("name")
        if values.get("status") in MARKS:
            values["name"] = called(name or self._name_seen(about, feature), values["status"])
        elif name and plain_name(name) != name:
            values["name"] = plain_name(name) or None

    def _name_seen(self, about: Collection, feature: str) -> str | None:
        """What a feature is called in the caller's view."""
        view = self._services.view(self._who, about.name)
        rows = view.lookup([feature])
        if not len(rows) or not view.has_column("name"):
            return None
        name: str | None = view.materialise(rows, ["name"], None).column("name")[0].as_py()
        return name

    def _check_clock(self, name: str, text: Any) -> None:
        moment = moment_us(text)
        if moment is not None and moment > self._now_us + AHEAD_US:
            raise BadRequest(
                f"{name} lies in the future",
                parameter=name,
                allowed=f"up to {iso(self._now_us + AHEAD_US)}",
                message_ja="時刻が未来になっています。端末の時計を確認してください",
                allowed_ja=f"{clock_ja(self._now_us + AHEAD_US)}まで",
            )

    def _check_photo(self, sha256: str) -> None:
        with self._services.record.snapshot() as connection:
            if has_photo(connection, self._who.organisation, sha256):
                return
        raise BadRequest(
            "You have sent no such photo",
            parameter="photo",
            allowed="the photo that POST /desk/photos gave",
            allowed_ja="送信済みの写真",
            message_ja="写真を先に送信してください",
        )

    def _check_segments(self, ids: Sequence[str], fence: Fence) -> None:
        view = self._services.view(self._who, "segments")
        rows = view.lookup(list(dict.fromkeys(ids)))
        if len(rows) != len(set(ids)):
            raise BadRequest(
                "There is no such road segment",
                parameter="segment_ids",
                allowed="ids of segments",
                message_ja="道路区間が見つかりません",
                allowed_ja="道路区間(segments)のID",
            )
        shapes = [
            shape for table, numbers in rows.pairs for shape in to_shapely(table.geometries, numbers)
        ]
        if not all(shape is None or fence.meets(shape) for shape in shapes):
            raise BadRequest(
                "A road segment lies outside your area",
                parameter="segment_ids",
                allowed=fence.words,
                message_ja=f"{fence.called_ja}の外の道路区間があります",
                allowed_ja=fence.words_ja,
            )

    def _geometry(
        self, wish: Wish, about: Collection, values: Mapping[str, Any], fence: Fence
    ) -> bytes | None:
        """The geometry that a wish gives, drawn or by town blocks; None where it gives none."""
        codes = (wish.properties or {}).get("area_codes")
        named = bool(codes) and wish.geometry is None  # GeoJSON asks for the member, if only as null
        if wish.geometry is not UNSAID and not named:
            if codes:
                raise BadRequest(
                    "The area is drawn and named at once",
                    parameter="area_codes",
                    allowed="geometry or area_codes",
                    allowed_ja="図形か対象町丁目コードの一方",
                    message_ja="町丁目の指定と描画はどちらか一方にしてください",
                )
            return read_shape(wish.geometry, about, fence)
        if not codes:
            return None
        joined = self._rules.blocks(self._who, values["area_codes"])
        check_shape(joined, fence)
        wkb: bytes = shapely.to_wkb(shapely.force_2d(joined))
        return wkb

    def _check_place(
        self, wish: Wish, feature: str, standing: Sequence[OwnClaim], fence: Fence
    ) -> None:
        """A feature that the caller sees, or speaks of, and that lies in the caller's area."""
        shape = self._shape(wish, feature, standing)
        if shape is not None:
            check_place(shape, fence)

    def _shape(self, wish: Wish, feature: str, standing: Sequence[OwnClaim]) -> BaseGeometry | None:
        own = next((claim.geometry for claim in reversed(standing) if claim.geometry is not None), None)
        if own is not None:
            return shapely.from_wkb(own)
        rows = self._services.view(self._who, wish.collection).lookup([feature])
        if len(rows) == 0:
            if not standing:
                raise not_there()
            return None
        table, numbers = rows.pairs[0]
        return next(iter(to_shapely(table.geometries, numbers)), None)


def _check_times(values: Mapping[str, Any], said: Mapping[str, Any]) -> None:
    """What ends begins before that."""
    if not {"valid_from", "valid_to"} & set(said):
        return
    begins, ends = moment_us(values.get("valid_from")), moment_us(values.get("valid_to"))
    if begins is not None and ends is not None and ends < begins:
        raise BadRequest(
            "It ends before it begins",
            parameter="valid_to",
            allowed=f"after {iso(begins)}",
            allowed_ja=f"{clock_ja(begins)}より後",
            message_ja="終了日時が開始日時より前になっています",
        )


def _check_level(values: dict[str, Any], said: Mapping[str, Any]) -> None:
    """A level that is issued, and the kind of call that it is."""
    level = said.get("level")
    if level is not None and level not in LEVELS:
        raise BadRequest(
            "level is none that is issued",
            parameter="level",
            allowed="3, 4, 5",
            allowed_ja="3、4、5",
            message_ja="警戒レベルは3、4、5のいずれかです",
        )
    if level is not None and said.get("kind") is None:
        values["kind"] = LEVELS[level]
    if not {"level", "kind"} & set(said):
        return
    usual, kind = LEVELS.get(values.get("level") or 0), values.get("kind")
    if usual is not None and kind in LEVELS.values() and kind != usual:
        raise BadRequest(
            "The kind is another than the level's",
            parameter="kind",
            allowed=f"{usual}, or lifted",
            allowed_ja="警戒レベルに合う種類、または解除",
            message_ja="種類が警戒レベルと合っていません",
        )
