"""Why a feature is as it is: which claim each value comes from, as far as the caller's views tell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import orjson

from geoshare.access.credentials import Principal
from geoshare.access.view import View
from geoshare.errors import NotFound
from geoshare.ingest.claims import CLAIMS
from geoshare.merge import GEOMETRY
from geoshare.model.times import iso

if TYPE_CHECKING:
    from geoshare.services import Services

Words = dict[str, str]
UNTOLD: Final = {
    "en": "Nothing is told of several claims on this feature.",
    "ja": "この地物について、複数の主張があるという情報はありません。",
}
REASONS: Final[dict[str, tuple[str, str]]] = {
    "only": ("No other claim says anything of it.", "これについて述べている主張はほかにありません。"),
    "joined": (
        "It is what all claims say of it, put together.",
        "すべての主張が述べているものを合わせたものです。",
    ),
    "precedence": (
        "Its provider comes first by the rules of this collection.",
        "このコレクションの規則で、提供者の優先順位が上です。",
    ),
    "accuracy": ("It is the most accurate.", "精度が最も高い主張です。"),
    "recency": ("It is the most recent.", "最も新しい主張です。"),
    "name": (
        "Nothing sets the claims apart; the fixed order of their sources decides.",
        "主張に優劣がないため、情報源の決まった順序によります。",
    ),
}
BY_HAND: Final = ("It was set right by hand at a desk.", "担当者が入力画面で訂正した値です。")


def explain(services: Services, who: Principal, collection: str, feature: str) -> dict[str, Any]:
    """What the caller may know of the claims on a feature.

    Raises
    ------
    NotFound
        for a feature that the caller does not see, as where there is none.
    """
    view = services.view(who, collection)
    rows = view.lookup([feature])
    if len(rows) == 0:
        raise NotFound("No such feature")
    shown = _shown(view, feature)
    told = _told(services, who, collection, feature)
    found: dict[str, Any] = {"id": feature, "collection": collection}
    if not told.get("chosen"):
        return found | {"summary": UNTOLD, "claims": [], "geometry": None, "properties": {}}
    names = [GEOMETRY, *sorted(shown)]
    chosen = {name: told["chosen"][name] for name in names if name in told["chosen"]}
    return found | {
        "summary": _summary(told),
        "claims": _claims(told),
        "geometry": _aspect(told, GEOMETRY, chosen.pop(GEOMETRY, None), {}),
        "properties": {
            name: _aspect(told, name, said, {"value": shown[name]}) | _rivals(told, view, name, said)
            for name, said in chosen.items()
        },
        "supersedes": told.get("supersedes") or [],
    }


def _shown(view: View, feature: str) -> dict[str, Any]:
    """What the caller sees of a feature's properties, without those of which nothing is seen."""
    [said] = orjson.loads(b"[" + view.geojson(view.lookup([feature])) + b"]")
    return {name: value for name, value in said["properties"].items() if value is not None}


def _told(services: Services, who: Principal, collection: str, feature: str) -> dict[str, Any]:
    """The row of claims on a feature as the caller may see it; empty where there is none for them."""
    try:
        view = services.views.get(services.policy(who, "explain"), CLAIMS)
    except NotFound:
        return {}
    if not isinstance(view, View) or len(rows := view.lookup([feature])) == 0:
        return {}
    [said] = orjson.loads(b"[" + view.geojson(rows) + b"]")
    found: dict[str, Any] = said["properties"]
    return found if found.get("collection", collection) == collection else {}


def _summary(told: dict[str, Any]) -> Words:
    names = told.get("providers")
    if names:
        count = len(set(names))
        listed = ", ".join(sorted(set(names)))
        return {
            "en": f"{count} providers have a say in this feature: {listed}.",
            "ja": f"この地物には{count}者の主張があります: {listed}。",
        }
    return {
        "en": "Several providers have a say in this feature.",
        "ja": "この地物には複数の提供者の主張があります。",
    }


def _claims(told: dict[str, Any]) -> list[dict[str, Any]]:
    """Each claim as far as it is told of, the one whose geometry counts first."""
    found = []
    for place, said in enumerate(told.get("ranking") or ()):
        claim = {
            "claim": place + 1,
            "accuracy_m": said["accuracy_m"],
            "observed_at": None if said["observed_us"] is None else iso(said["observed_us"]),
            "received_at": iso(said["received_us"]),
            "by_hand": said["by_hand"],
        }
        for name, column in (
            ("provider", "providers"),
            ("licence", "licences"),
            ("record_id", "record_ids"),
        ):
            if told.get(column):
                claim[name] = told[column][place]
        found.append(claim)
    return found


def _aspect(
    told: dict[str, Any], name: str, said: dict[str, Any] | None, also: dict[str, Any]
) -> dict[str, Any]:
    """Which claim something comes from, and why, in words."""
    if said is None:
        return {}
    place, ranking = said["place"], told.get("ranking") or []
    english, japanese = REASONS[said["reason"]]
    if ranking and said["reason"] != "only" and ranking[place]["by_hand"]:
        english, japanese = BY_HAND
    elif ranking and said["reason"] == "accuracy":
        mine, other = (ranking[at]["accuracy_m"] for at in (place, said["rivals"][0]))
        against = ("not stated", "不明") if other is None else (f"{other:g} m", f"{other:g} m")
        english = f"It is the most accurate: {mine:g} m; the next is {against[0]}."
        japanese = f"精度が最も高い主張です({mine:g} m、次点は{against[1]})。"
    elif ranking and said["reason"] == "recency":
        day = iso(ranking[place]["observed_us"] or ranking[place]["received_us"])[:10]
        english = f"It is the most recent: {day} (UTC)."
        japanese = f"最も新しい主張です({day} UTC)。"
    return {
        **also,
        "claim": place + 1,
        "reason": said["reason"],
        "explanation": {"en": english, "ja": japanese},
    }


def _rivals(told: dict[str, Any], view: View, name: str, said: dict[str, Any]) -> dict[str, Any]:
    """What the other claims say of a property, where the caller sees its values as they are."""
    known = view.collection.property(name)
    if not told.get("claimed") or name not in view.unchanged or known is None or known.reference:
        return {}
    return {
        "others": [
            {"claim": place + 1, "value": told["claimed"][place].get(name)} for place in said["rivals"]
        ]
    }
