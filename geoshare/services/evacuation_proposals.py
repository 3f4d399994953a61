"""From a warning to an evacuation area: proposed from what the officer sees, made when confirmed.

Nothing here runs by itself. A warning says how dangerous it is; who has to leave is decided by the
municipality, so level, area and words are a proposal, and drills, tests and what is over have none.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import orjson

from geoshare.access.credentials import Principal
from geoshare.errors import BadRequest, Conflict, NotFound
from geoshare.services.desk import About
from geoshare.services.desk_plan import Wish
from geoshare.services.desk_rules import LEVELS

if TYPE_CHECKING:
    from geoshare.services import Services

AREAS = "evacuation_areas"
WARNINGS = "warnings"
HAZARDS = {  # of a warning -> of evacuation information
    "heavy_rain": "inland_flood",
    "landslide": "landslide",
    "flood": "flood",
    "storm_surge": "storm_surge",
    "tsunami": "tsunami",
}
TSUNAMI_LEVEL = 4  # 避難指示 from a tsunami advisory on: the guideline knows no earlier step
_TSUNAMI = ("special", "warning", "advisory")
_JAPAN = timezone(timedelta(hours=9))


@dataclass(frozen=True, slots=True)
class Confirmed:
    """What an officer confirms: the proposal as it was seen, and what is to be otherwise."""

    version: str
    level: int | None = None
    area_codes: Sequence[str] | None = None
    notes: str | None = None
    reason: str = ""


def follows(warning: Mapping[str, Any]) -> dict[str, Any]:
    """Level, kind, hazard, name and words of the evacuation area that a warning suggests.

    Parameters
    ----------
    warning
        Properties of a feature of ``warnings``.

    Raises
    ------
    Conflict
        where none follows: a drill, a test, what is not in force, or no alert level of 3 or more.
    """
    if warning.get("state") != "in_force" or warning.get("status", "normal") != "normal":
        raise Conflict(
            "Only a warning in force can become an evacuation area; drills and tests never do",
            code="warning-not-in-force",
            message_ja="発表中の警報だけを避難情報にできます(訓練・試験・解除済みは対象外)",
        )
    hazard, level = warning.get("hazard"), warning.get("level")
    if hazard == "tsunami" and warning.get("severity") in _TSUNAMI:
        level = TSUNAMI_LEVEL
    if not isinstance(level, int) or level not in LEVELS:
        raise Conflict(
            "No evacuation level follows from this warning",
            code="warning-without-level",
            message_ja="この警報に対応する警戒レベル3以上の避難情報はありません",
        )
    return {
        "level": level,
        "kind": LEVELS[level],
        "hazard_type": HAZARDS.get(str(hazard)),
        "name": warning.get("area_name"),
        "notes": _words(warning),
    }


def _words(warning: Mapping[str, Any]) -> str:
    said = [warning.get("office"), warning.get("kind_name"), _clock(warning.get("reported_at"))]
    return " ".join(str(part) for part in said if part) + "発表"


def _clock(text: Any) -> str:
    """A time as it is read in Japan; empty for none."""
    try:
        moment = datetime.fromisoformat(str(text)).astimezone(_JAPAN)
    except ValueError:
        return ""
    return f"{moment.month}月{moment.day}日{moment.hour}時{moment.minute:02}分"


class Proposals:
    """Proposes, and makes what is confirmed."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def propose(self, who: Principal, warning: str) -> dict[str, Any]:
        """What would be made of a warning that the caller sees, and the version that is confirmed.

        ``areas`` are the municipalities of the warning inside the caller's area; none where the
        warning names none that are published.

        Raises
        ------
        NotFound
            for a warning that is hidden or does not exist.
        Unauthenticated, Denied
            for who does not edit evacuation areas.
        Conflict
            as :func:`follows` says.
        """
        rules = self._services.live.rules
        rules.check_collection(who, AREAS)
        properties = self._warning(who, warning)
        proposed = follows(properties)
        areas = self._areas(who, properties.get("municipality_codes") or [])
        proposed["area_codes"] = [area["code"] for area in areas]
        return {
            "warning": {"id": warning, **properties},
            "proposed": proposed,
            "areas": areas,
            "levels": sorted(LEVELS),
            "version": _version(properties),
        }

    def confirm(self, who: Principal, warning: str, said: Confirmed) -> dict[str, Any]:
        """Make the evacuation area; asked again for the same warning, no second one is made.

        Raises
        ------
        Conflict
            where the warning has changed since it was proposed, and as :func:`follows` says.
        NotFound, Unauthenticated, Denied, BadRequest
            as the desk does, for an area outside the caller's own above all.
        """
        found = self.propose(who, warning)
        if said.version != found["version"]:
            raise Conflict(
                "The warning has changed since; look at the proposal again",
                code="warning-changed",
                parameter="version",
                message_ja="警報の内容が変わりました。提案をもう一度確認してください",
            )
        values = dict(found["proposed"])
        if said.level is not None and said.level != values["level"]:
            values |= {"level": said.level, "kind": LEVELS.get(said.level)}
        if said.area_codes is not None:
            values["area_codes"] = list(said.area_codes)
        if said.notes is not None:
            values["notes"] = said.notes
        if not values["area_codes"]:
            raise BadRequest(
                "The warning names no area of yours; say which town blocks are meant",
                parameter="area_codes",
                allowed="codes of admin_areas inside your area",
                allowed_ja="自区域内の町丁目コード",
                message_ja="警報に対象区域がありません。町丁目を指定してください",
            )
        since = str(found["warning"].get("valid_from"))
        name = f"warning-{warning}-{hashlib.blake2b(since.encode(), digest_size=4).hexdigest()}"
        wish = Wish("create", AREAS, properties=values, name=name)
        about = About(said.reason, source=str(found["warning"].get("office") or "")[:200])
        return self._services.live.edit(who, [wish], about, "create")

    def _warning(self, who: Principal, warning: str) -> dict[str, Any]:
        view = self._services.view(who, WARNINGS)
        rows = view.lookup([warning])
        if len(rows) == 0:
            raise NotFound("No such warning")
        properties: dict[str, Any] = orjson.loads(view.geojson(rows))["properties"]
        return properties

    def _areas(self, who: Principal, codes: Sequence[str]) -> list[dict[str, str]]:
        """Those of the codes whose area the caller sees and may edit in."""
        rules = self._services.live.rules
        fence = rules.fence(who, AREAS)
        found = []
        for code in codes:
            try:
                shape = rules.blocks(who, [code])
            except (BadRequest, NotFound):
                continue
            if fence.holds(shape):
                found.append({"code": code})
        return found


def _version(properties: Mapping[str, Any]) -> str:
    text = orjson.dumps(properties, option=orjson.OPT_SORT_KEYS)
    return hashlib.blake2b(text, digest_size=12).hexdigest()
