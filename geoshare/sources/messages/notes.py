"""What is said once about a file that was taken."""

from __future__ import annotations

from geoshare.model.report import Message


def time_zone_assumed() -> Message:
    return Message(
        "time-zone-assumed",
        "Times without a zone were read as Japan time (UTC+9).",
        "時間帯のない日時は日本時間(UTC+9)として読みました。",
    )


def moved(grid: str, count: int, east: float, north: float, up: float) -> Message:
    return Message(
        f"epoch-moved:{grid}",
        f"{count} places were brought to the reference epoch by {grid}: on average {east:+.3f} m east, "
        f"{north:+.3f} m north, {up:+.3f} m up.",
        f"{grid}により{count}点を元期に補正しました(平均: 東{east:+.3f} m、北{north:+.3f} m、"
        f"上{up:+.3f} m)。",
    )


def epoch_kept(epoch: float) -> Message:
    return Message(
        "epoch-kept",
        f"The coordinates are of {epoch:g} and were kept as they are: no correction grid covers them.",
        f"座標は{epoch:g}年のもので、補正の格子がないため、そのまま登録しました。",
    )


def crs_assumed(crs: str) -> Message:
    return Message(
        "crs-assumed",
        f"The file does not state its datum; {crs} was assumed.",
        f"測地系が書かれていないため、{crs}とみなしました。",
    )


def vertical_unknown() -> Message:
    return Message(
        "vertical-unknown",
        "The file does not say what its heights refer to; they are kept as they are, datum unknown.",
        "高さの基準が書かれていないため、値をそのまま残し「基準不明」とします。",
    )


def accuracy(metres: float, crs: str) -> Message:
    return Message(
        "transformation-accuracy",
        f"Coordinates were transformed from {crs}; the transformation is accurate to {metres:g} m.",
        f"座標を{crs}から変換しました。変換の精度は{metres:g} mです。",
    )


def datum_from_profile(crs: str) -> Message:
    return Message(
        "crs-from-profile",
        f"The datum {crs} is the one this kind of data is published in.",
        f"測地系はこの種のデータの公表基準である{crs}としました。",
    )


def relations_kept(count: int, kinds: str) -> Message:
    return Message(
        "relations-unknown",
        f"{count} relation(s) of other kinds were kept among the regulatory elements: {kinds}.",
        f"その他の種類のリレーション{count}件は規制要素として取り込みました: {kinds}",
    )


def values_mixed(column: str, found: str, found_ja: str) -> Message:
    return Message(
        f"values-mixed:{column}",
        f"Column {column} holds {found}; all of it was kept as text.",
        f"列「{column}」には{found_ja}があるため、すべて文字列として登録しました。",
    )


def layer_skipped(layer: str) -> Message:
    return Message(
        "layer-skipped",
        f"Layer '{layer}' has no geometry and no key to a place; it was skipped.",
        f"レイヤ「{layer}」には図形も位置のキーもないため、飛ばしました。",
    )


def time_assumed() -> Message:
    return Message(
        "scene-time-assumed",
        "The raster does not say when it was observed; the time of contribution stands in.",
        "観測日時が書かれていないため、登録日時を入れました。",
    )


def year_only(year: str) -> Message:
    return Message(
        "scene-year-only",
        f"Only the year of observation is known; {year}-01-01 stands for it.",
        f"観測日時は年しか分からないため、{year}年1月1日としました。",
    )
