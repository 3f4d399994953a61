"""What in a sheet is allowed and yet looks wrong: said beside the row, for people to judge."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pyproj import Geod

from geoshare.model.box import Box
from geoshare.services.sheet_diff import Standing, Told
from geoshare.sources.sheets import LATITUDE, LONGITUDE

FAR_M: Final = 300.0  # less than the shift between the old Tokyo datum and today's, about 450 m
BEYOND_M: Final = 20_000.0  # of a new place from all that is known
SHELTERS: Final = "shelters"
SHUT: Final = {"not_open": ("not open", "未開設"), "closed": ("closed", "閉鎖")}
_GEOD: Final = Geod(ellps="GRS80")


def doubts(collection: str, row: Told, now: Standing, known: Box | None) -> list[Told]:
    """Return all that looks wrong with what a row says; parameters as those of :func:`doubt`."""
    place = doubt(row, now, known)
    crowd = _crowd(row, now) if collection == SHELTERS else []
    return crowd if place is None else [place, *crowd]


def _crowd(row: Told, now: Standing) -> list[Told]:
    """People in a shelter that has no room for them, or is not open; the desk's form says the same."""
    said = {cell["property"]: cell["yours"] for cell in row["cells"]}
    if not said.keys() & {"people_count", "max_capacity", "status"}:
        return []
    values = {**now.values, **said}
    people, room = values.get("people_count"), values.get("max_capacity")
    if not isinstance(people, int) or people <= 0:
        return []
    found = []
    if isinstance(room, int) and people > room:
        found.append(
            {
                "en": f"{people:,} people are more than the {room:,} there is room for",
                "ja": f"避難者{people:,}人が定員{room:,}人を超えています",
            }
        )
    shut = SHUT.get(str(values.get("status")))
    if shut is not None:
        english, japanese = shut
        words = {"en": f"{people:,} people, although it is {english}"}
        found.append(words | {"ja": f"{japanese}なのに避難者が{people:,}人います"})
    return found


def doubt(row: Told, now: Standing, known: Box | None) -> Told | None:
    """Return what looks wrong with where a row puts its feature; None where nothing does.

    Parameters
    ----------
    now
        What stands of the feature; without a place for a new one.
    known
        Extent of what the caller sees of the collection, in degrees; None where there is nothing.
    """
    said = {cell["property"]: cell["yours"] for cell in row["cells"]}
    if LATITUDE not in said and LONGITUDE not in said:
        return None
    before = _place(now.values)
    at = _place({**now.values, **said})
    if at is None:
        return None
    if before is not None:
        metres = _metres(before, at)
        english = "The place moves by {}; check degrees and datum"
        japanese = "位置が{}移動します。緯度・経度と測地系を確認してください"
        return None if metres <= FAR_M else _said(english, japanese, metres)
    if known is None:
        return None
    inside = min(max(at[0], known.west), known.east), min(max(at[1], known.south), known.north)
    metres = _metres(inside, at)
    english = "The place is {} away from all others of the list; check degrees"
    japanese = "一覧のほかの地点から{}離れています。緯度・経度を確認してください"
    return None if metres <= BEYOND_M else _said(english, japanese, metres)


def _place(values: Mapping[str, Any]) -> tuple[float, float] | None:
    """Longitude and latitude, where both are numbers."""
    longitude, latitude = values.get(LONGITUDE), values.get(LATITUDE)
    if isinstance(longitude, int | float) and isinstance(latitude, int | float):
        return float(longitude), float(latitude)
    return None


def _metres(start: tuple[float, float], end: tuple[float, float]) -> float:
    """Geodesic length between two places (longitude, latitude) on GRS80."""
    return float(_GEOD.inv(*start, *end)[2])


def _said(english: str, japanese: str, metres: float) -> Told:
    far = f"{metres:.0f} m" if metres < 1_000 else f"{metres / 1e3:,.1f} km"
    return {"en": english.format(far), "ja": japanese.format(f"約{far.replace(' ', '')}")}
