"""Grants in words, in English and Japanese."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final

from geoshare.access.holdings import Area, Holding
from geoshare.model.policy import OPEN_CLASS, Action, Grant, Tier, Transform

ACTIONS: Final[dict[Action, tuple[str, str]]] = {
    "discover": ("know that it exists", "存在を知る"),
    "read": ("read features", "地物を読む"),
    "tile": ("draw it on a map", "地図に表示する"),
    "download": ("download it", "ダウンロードする"),
    "stream": ("follow changes", "更新を受け取る"),
    "aggregate": ("take statistics of it", "集計する"),
    "route": ("plan routes on it", "経路を求める"),
    "process": ("process it on the server", "サーバー上で処理する"),
    "explain": ("ask why it is so", "根拠を尋ねる"),
    "contribute": ("contribute to it", "データを提供する"),
}


def grant_words(tier: Tier, holding: Holding) -> Iterator[dict[str, Any]]:
    """Each grant of a tier as somebody holds it: its collections, and sentences about it."""
    for grant in tier.grants:
        yield {
            "collections": grant.collections if grant.collections == "all" else list(grant.collections),
            "actions": list(grant.actions),
            **words_of(grant, holding.area),
        }


def words_of(grant: Grant, fence: Area | None) -> dict[str, str]:
    """A grant in English and Japanese sentences, within the fence of the agreement that gives it."""
    pairs = list(_sentences(grant, fence))
    return {
        "en": " ".join(english for english, _ in pairs),
        "ja": "".join(japanese for _, japanese in pairs),
    }


def _sentences(grant: Grant, fence: Area | None) -> Iterator[tuple[str, str]]:
    english, japanese = zip(*(ACTIONS[action] for action in grant.actions), strict=True)
    yield f"You may {', '.join(english)}.", f"できること:{'、'.join(japanese)}。"
    if grant.columns:
        names = "all" if grant.columns == "all" else str(len(grant.columns))
        yield f"Properties: {names}.", f"属性:{'すべて' if names == 'all' else names + '項目'}。"
    for name, transform in grant.transforms.items():
        yield _transform(name, transform)
    yield from _classes(grant)
    if grant.rows is not None:
        yield "Only some of the rows.", "条件に合う行のみ。"
    for area in (grant.area, fence):
        if area is not None:
            yield _area(area, grant.area_mode)
    if grant.snap_m:
        yield f"Positions to {grant.snap_m:g} m.", f"位置の精度は{grant.snap_m:g} m。"
    if grant.finest_resolution_m:
        size = f"{grant.finest_resolution_m:g}"
        yield f"Pixels of {size} m or coarser.", f"画素は{size} m以上。"
    if grant.delay is not None:
        yield f"Delayed by {_span(grant.delay, 0)}.", f"{_span(grant.delay, 1)}遅れで表示。"
    if grant.window is not None:
        yield f"The last {_span(grant.window, 0)} only.", f"直近{_span(grant.window, 1)}のみ。"
    if grant.licence is not None:
        yield f"Licence: {grant.licence}.", f"ライセンス:{grant.licence}。"
    if grant.valid_until is not None:
        yield f"Until {grant.valid_until.isoformat()}.", f"{grant.valid_until.isoformat()}まで。"


def _classes(grant: Grant) -> Iterator[tuple[str, str]]:
    if grant.release_classes == "all":
        yield "Of every release class.", "すべての公開区分。"
    elif grant.release_classes != (OPEN_CLASS,):
        names = grant.release_classes
        yield f"Release classes: {', '.join(names)}.", f"公開区分:{'、'.join(names)}。"


def _transform(name: str, transform: Transform) -> tuple[str, str]:
    if transform.kind == "round":
        return f"{name} is rounded to {transform.step:g}.", f"{name}は{transform.step:g}単位に丸め。"
    words = {
        "keep": ("is as it is", "はそのまま"),
        "bucket": ("is given in classes", "は階級値"),
        "hash": ("is replaced by a code", "は符号に置換"),
        "null": ("is left empty", "は空欄"),
    }
    english, japanese = words[transform.kind]
    return f"{name} {english}.", f"{name}{japanese}。"


def _area(area: Area, mode: str) -> tuple[str, str]:
    if isinstance(area, str):
        return f"Within the area {area}.", f"区域{area}の中のみ。"
    if mode == "whole":
        return "Features that meet an area.", "指定区域にかかる地物のみ。"
    return "Within an area.", "指定区域の中のみ。"


def _span(span: timedelta, language: int) -> str:
    for size, words in ((86_400, ("days", "日")), (3_600, ("hours", "時間")), (60, ("minutes", "分"))):
        if span.total_seconds() % size == 0:
            gap = " " if language == 0 else ""
            return f"{span.total_seconds() // size:.0f}{gap}{words[language]}"
    return f"{span.total_seconds():g}" + (" s" if language == 0 else "秒")
