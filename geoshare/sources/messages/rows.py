"""Why a row is refused, and what was repaired."""

from __future__ import annotations

from geoshare.model.report import Message


def coordinates_outside(crs: str) -> Message:
    return Message(
        "coordinates-outside",
        f"The coordinates lie outside the area where {crs} is used.",
        f"座標が{crs}の使用範囲の外にあります。",
    )


def coordinates_unreadable() -> Message:
    return Message(
        "coordinates-unreadable",
        "Latitude or longitude is missing or not a number.",
        "緯度または経度がないか、数値ではありません。",
    )


def geometry_missing() -> Message:
    return Message("geometry-missing", "The row has no geometry.", "図形がありません。")


def geometry_unusable() -> Message:
    return Message(
        "geometry-unusable",
        "The geometry is broken and cannot be repaired.",
        "図形が壊れていて直せません。",
    )


def geometry_kind(found: str, wanted: str) -> Message:
    return Message(
        "geometry-kind",
        f"The geometry is a {found}; this collection holds {wanted} geometries.",
        f"図形の種類が{found}です。このコレクションは{wanted}です。",
    )


def mesh_unknown() -> Message:
    return Message(
        "mesh-unknown",
        "The mesh code is not one of JIS X 0410.",
        "地域メッシュコードが正しくありません。",
    )


def row_too_long() -> Message:
    return Message(
        "row-columns",
        "The row has more cells than the table has columns.",
        "列数が列名の数より多い行です。",
    )


def member_missing(kind: str, kind_ja: str) -> Message:
    return Message(
        "member-missing",
        f"The {kind} refers to elements that are not in the file.",
        f"{kind_ja}が参照する要素がファイルにありません。",
    )


def repaired_swap() -> Message:
    return Message(
        "coordinates-swapped",
        "Latitude and longitude stood in each other's place and were swapped back.",
        "緯度と経度が入れ替わっていたため、元に戻しました。",
    )


def repaired_polygon() -> Message:
    return Message(
        "polygon-repaired", "An invalid polygon was made valid.", "不正な多角形を修正しました。"
    )


def repaired_ring() -> Message:
    return Message(
        "ring-closed",
        "A ring did not end where it began and was closed.",
        "始点と終点が一致しない輪郭線を閉じました。",
    )


def split_at_antimeridian() -> Message:
    return Message(
        "antimeridian-split",
        "A shape that crosses the antimeridian (180 degrees) was cut there.",
        "経度180度線をまたぐ図形を、そこで分割しました。",
    )


def repaired_point_count() -> Message:
    return Message(
        "geometry-parts-dropped",
        "Parts without extent were left out of the geometry.",
        "大きさのない部分を図形から除きました。",
    )


def repaired_number() -> Message:
    return Message(
        "number-cleaned",
        "A number was freed of commas, blanks or units.",
        "数値から桁区切り・空白・単位を取り除きました。",
    )


def repaired_width() -> Message:
    return Message(
        "width-folded",
        "Full-width letters or digits were made ordinary ones.",
        "全角の英数字を半角にしました。",
    )


def repaired_code() -> Message:
    return Message(
        "code-zero-restored",
        "A lost leading zero of a municipal code was restored; the check digit agrees.",
        "全国地方公共団体コードの先頭の0を補いました(検査数字が一致)。",
    )


def repaired_check_digit() -> Message:
    return Message(
        "code-check-digit-added",
        "The check digit was added to a five-digit municipal code.",
        "5桁の行政区域コードに検査数字を補いました。",
    )


def dropped_value(property_name: str, title_ja: str) -> Message:
    return Message(
        f"value-dropped:{property_name}",
        f"A value of {property_name} could not be understood and was left empty.",
        f"{title_ja}の値が分からないため、空にしました。",
    )


def empty_not_designated() -> Message:
    return Message(
        "empty-not-designated",
        "Empty hazard cells mean: not designated for that hazard.",
        "災害種別の空欄は「指定なし」として読みました。",
    )


def duplicate_id() -> Message:
    return Message(
        "record-id-repeated",
        "A record id occurred more than once; later ones got a number behind it.",
        "同じIDが複数あるため、2件目以降に番号を付けました。",
    )


def same_row() -> Message:
    return Message(
        "record-said-again",
        "A row says the same as one before it under the same id, and was left out.",
        "同じIDで同じ内容の行は、1件として取り込みました。",
    )


def title_rows(count: int) -> Message:
    return Message(
        "title-rows",
        f"{count} row(s) above the column names were left out.",
        f"列名より上の{count}行を読み飛ばしました。",
    )


def suppressed_value() -> Message:
    return Message(
        "value-suppressed",
        "A withheld number is kept as withheld, not as zero.",
        "秘匿された値は0ではなく「秘匿」として扱います。",
    )
