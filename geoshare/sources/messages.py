"""Everything readers say to people, once in English and once in Japanese, under stable codes."""

from __future__ import annotations

import re

from geoshare.errors import BadData
from geoshare.model.report import Message, Report

_FOLDERS = re.compile(r"(?:/vsi\w+)?/(?:[^\s/'\"]+/)+")


def refuse_file(
    message: Message, *, parameter: str | None = None, allowed: str | None = None
) -> BadData:
    """The error that refuses a whole file with that message."""
    return BadData(
        message.en, code=message.code, parameter=parameter, allowed=allowed, message_ja=message.ja
    )


def refuse_and_note(report: Report, message: Message) -> BadData:
    """The same, and the message stands in the report as well."""
    report.note(message)
    return refuse_file(message)


# whole files


def empty_file() -> Message:  # noqa: D103
    return Message("empty-file", "The file is empty.", "ファイルが空です。")


def no_file() -> Message:  # noqa: D103
    return Message("no-file", "There is no such file.", "ファイルがありません。")


def too_large(what: str, what_ja: str, limit: int) -> Message:  # noqa: D103
    return Message(
        "too-large",
        f"The file has more {what} than may be sent at once (limit {limit:,}).",
        f"{what_ja}が一度に送れる上限({limit:,})を超えています。",
    )


def archive_bomb(detail: str) -> Message:  # noqa: D103
    return Message(
        "archive-too-large",
        f"The archive unpacks to far more than it should ({detail}); it was not unpacked.",
        f"圧縮ファイルを展開すると大きくなりすぎるため({detail})、展開しませんでした。",
    )


def archive_broken() -> Message:  # noqa: D103
    return Message(
        "archive-broken",
        "The archive is damaged or incomplete.",
        "圧縮ファイルが壊れているか途中で切れています。",
    )


def archive_unsafe(name: str) -> Message:  # noqa: D103
    return Message(
        "archive-unsafe",
        f"The archive holds a name that leads out of its folder: {name!r}.",
        f"圧縮ファイルに不正なファイル名があります: {name!r}",
    )


def archive_nothing() -> Message:  # noqa: D103
    return Message(
        "archive-nothing",
        "The archive holds no file that can be read as map data.",
        "圧縮ファイルの中に読み込める地図データがありません。",
    )


FORMATS = (
    "Lanelet2 .osm, GeoJSON, GeoPackage, FlatGeobuf, Shapefile (zipped), GeoParquet, CSV, .xlsx, "
    "GeoTIFF, NetCDF"
)


def format_unknown() -> Message:  # noqa: D103
    return Message(
        "format-unknown",
        f"The file is in no format that can be read ({FORMATS}).",
        f"読み込める形式ではありません({FORMATS})。",
    )


def broken(what: str, what_ja: str, detail: str = "") -> Message:  # noqa: D103
    # Libraries name the file by its whole path: where it lies on our machine is nobody's business.
    detail = _FOLDERS.sub("", detail)
    tail = f": {detail}" if detail else ""
    return Message(
        "file-broken",
        f"The file cannot be read as {what}; it is damaged or incomplete{tail}.",
        f"{what_ja}として読めません。壊れているか途中で切れています{tail}。",
    )


def truncated_xml(line: int) -> Message:  # noqa: D103
    return Message(
        "xml-broken",
        f"The XML ends or breaks off at line {line}.",
        f"XMLが{line}行目で途切れているか壊れています。",
    )


def xml_entities() -> Message:  # noqa: D103
    return Message(
        "xml-doctype",
        "The XML declares a document type; files with declarations of their own are not read.",
        "XMLにDOCTYPE宣言があるため読み込みません。",
    )


def no_rows() -> Message:  # noqa: D103
    return Message("no-rows", "The file holds no data rows.", "データ行がありません。")


def nothing_taken(reason: Message, refused: int) -> Message:
    """Every row was refused; the most frequent reason speaks for all."""
    return Message(
        reason.code,
        f"None of the {refused:,} rows could be taken. {reason.en}",
        f"{refused:,}件すべて取り込めませんでした。{reason.ja}",
    )


def no_header() -> Message:  # noqa: D103
    return Message(
        "no-header",
        "No row with column names was found in the first 30 rows.",
        "先頭30行に列名の行が見つかりません。",
    )


def columns_shifted(column: str, wanted: str, wanted_ja: str, example: str) -> Message:  # noqa: D103
    return Message(
        "columns-shifted",
        f"The values of column '{column}' are not {wanted} (for example '{example}'): "
        "are the columns in the order of their names?",
        f"列「{column}」の値が{wanted_ja}ではありません(例「{example}」)。列の順序が列名と合っていますか。",
    )


def no_place(columns: str) -> Message:  # noqa: D103
    return Message(
        "no-place",
        f"The table has no columns that say where its rows are (columns: {columns}).",
        f"位置を示す列(緯度・経度、メッシュコード、行政区域コード)がありません(列: {columns})。",
    )


def mapping_unknown(name: str, known: str) -> Message:  # noqa: D103
    return Message(
        "mapping-unknown",
        f"There is no mapping profile '{name}'; there are: {known}.",
        f"対応表「{name}」はありません。使えるもの: {known}",
    )


def encoding_unknown() -> Message:  # noqa: D103
    return Message(
        "encoding-unknown",
        "The text is neither UTF-8 nor Shift_JIS (cp932); state its encoding.",
        "文字コードがUTF-8でもShift_JIS(cp932)でもありません。文字コードを指定してください。",
    )


def no_crs(what: str, what_ja: str) -> Message:  # noqa: D103
    return Message(
        "no-crs",
        f"The {what} does not say in which coordinate reference system it is; state one (--crs).",
        f"{what_ja}に座標参照系がありません。指定してください(--crs)。",
    )


def no_georeference() -> Message:  # noqa: D103
    return Message(
        "no-georeference",
        "The raster does not say where it lies (no geotransform).",
        "ラスタに位置の情報(地理座標変換)がありません。",
    )


def local_without_origin() -> Message:  # noqa: D103
    return Message(
        "local-without-origin",
        "The map has local coordinates only and does not say where their origin is; "
        "state it (--crs MGRS:54SUE, or an EPSG code).",
        "局所座標だけで原点が分かりません。指定してください(--crs MGRS:54SUE、またはEPSGコード)。",
    )


def no_lanelets() -> Message:  # noqa: D103
    return Message(
        "no-lanelets",
        "The OSM file holds no lanelets, areas or regulatory elements.",
        "OSMファイルにレーンレット、領域、規制要素がありません。",
    )


def degrees_in_metres(crs: str) -> Message:  # noqa: D103
    return Message(
        "coordinates-outside",
        f"The coordinates look like degrees, but {crs} counts in metres.",
        f"座標が度のようですが、{crs}はメートル単位です。",
    )


def later_format(name: str) -> Message:  # noqa: D103
    return Message(
        "format-later",
        f"{name}: OpenDRIVE is not read yet; the file was skipped. It comes later.",
        f"{name}: OpenDRIVEはまだ読み込めないため、飛ばしました。後日対応します。",
    )


# rows


def coordinates_outside(crs: str) -> Message:  # noqa: D103
    return Message(
        "coordinates-outside",
        f"The coordinates lie outside the area where {crs} is used.",
        f"座標が{crs}の使用範囲の外にあります。",
    )


def coordinates_unreadable() -> Message:  # noqa: D103
    return Message(
        "coordinates-unreadable",
        "Latitude or longitude is missing or not a number.",
        "緯度または経度がないか、数値ではありません。",
    )


def geometry_missing() -> Message:  # noqa: D103
    return Message("geometry-missing", "The row has no geometry.", "図形がありません。")


def geometry_unusable() -> Message:  # noqa: D103
    return Message(
        "geometry-unusable",
        "The geometry is broken and cannot be repaired.",
        "図形が壊れていて直せません。",
    )


def geometry_kind(found: str, wanted: str) -> Message:  # noqa: D103
    return Message(
        "geometry-kind",
        f"The geometry is a {found}; this collection holds {wanted} geometries.",
        f"図形の種類が{found}です。このコレクションは{wanted}です。",
    )


def mesh_unknown() -> Message:  # noqa: D103
    return Message(
        "mesh-unknown",
        "The mesh code is not one of JIS X 0410.",
        "地域メッシュコードが正しくありません。",
    )


def row_too_long() -> Message:  # noqa: D103
    return Message(
        "row-columns",
        "The row has more cells than the table has columns.",
        "列数が列名の数より多い行です。",
    )


def member_missing(kind: str, kind_ja: str) -> Message:  # noqa: D103
    return Message(
        "member-missing",
        f"The {kind} refers to elements that are not in the file.",
        f"{kind_ja}が参照する要素がファイルにありません。",
    )


# repairs


def repaired_swap() -> Message:  # noqa: D103
    return Message(
        "coordinates-swapped",
        "Latitude and longitude stood in each other's place and were swapped back.",
        "緯度と経度が入れ替わっていたため、元に戻しました。",
    )


def repaired_polygon() -> Message:  # noqa: D103
    return Message(
        "polygon-repaired", "An invalid polygon was made valid.", "不正な多角形を修正しました。"
    )


def repaired_point_count() -> Message:  # noqa: D103
    return Message(
        "geometry-parts-dropped",
        "Parts without extent were left out of the geometry.",
        "大きさのない部分を図形から除きました。",
    )


def repaired_number() -> Message:  # noqa: D103
    return Message(
        "number-cleaned",
        "A number was freed of commas, blanks or units.",
        "数値から桁区切り・空白・単位を取り除きました。",
    )


def repaired_width() -> Message:  # noqa: D103
    return Message(
        "width-folded",
        "Full-width letters or digits were made ordinary ones.",
        "全角の英数字を半角にしました。",
    )


def repaired_code() -> Message:  # noqa: D103
    return Message(
        "code-zero-restored",
        "A lost leading zero of a municipal code was restored; the check digit agrees.",
        "全国地方公共団体コードの先頭の0を補いました(検査数字が一致)。",
    )


def repaired_check_digit() -> Message:  # noqa: D103
    return Message(
        "code-check-digit-added",
        "The check digit was added to a five-digit municipal code.",
        "5桁の行政区域コードに検査数字を補いました。",
    )


def dropped_value(property_name: str, title_ja: str) -> Message:  # noqa: D103
    return Message(
        f"value-dropped:{property_name}",
        f"A value of {property_name} could not be understood and was left empty.",
        f"{title_ja}の値が分からないため、空にしました。",
    )


def empty_not_designated() -> Message:  # noqa: D103
    return Message(
        "empty-not-designated",
        "Empty hazard cells mean: not designated for that hazard.",
        "災害種別の空欄は「指定なし」として読みました。",
    )


def duplicate_id() -> Message:  # noqa: D103
    return Message(
        "record-id-repeated",
        "A record id occurred more than once; later ones got a number behind it.",
        "同じIDが複数あるため、2件目以降に番号を付けました。",
    )


def title_rows(count: int) -> Message:  # noqa: D103
    return Message(
        "title-rows",
        f"{count} row(s) above the column names were left out.",
        f"列名より上の{count}行を読み飛ばしました。",
    )


def suppressed_value() -> Message:  # noqa: D103
    return Message(
        "value-suppressed",
        "A withheld number is kept as withheld, not as zero.",
        "秘匿された値は0ではなく「秘匿」として扱います。",
    )


# notes on the file


def time_zone_assumed() -> Message:  # noqa: D103
    return Message(
        "time-zone-assumed",
        "Times without a zone were read as Japan time (UTC+9).",
        "時間帯のない日時は日本時間(UTC+9)として読みました。",
    )


def crs_assumed(crs: str) -> Message:  # noqa: D103
    return Message(
        "crs-assumed",
        f"The file does not state its datum; {crs} was assumed.",
        f"測地系が書かれていないため、{crs}とみなしました。",
    )


def vertical_unknown() -> Message:  # noqa: D103
    return Message(
        "vertical-unknown",
        "The file does not say what its heights refer to; they are kept as they are, datum unknown.",
        "高さの基準が書かれていないため、値をそのまま残し「基準不明」とします。",
    )


def accuracy(metres: float, crs: str) -> Message:  # noqa: D103
    return Message(
        "transformation-accuracy",
        f"Coordinates were transformed from {crs}; the transformation is accurate to {metres:g} m.",
        f"座標を{crs}から変換しました。変換の精度は{metres:g} mです。",
    )


def datum_from_profile(crs: str) -> Message:  # noqa: D103
    return Message(
        "crs-from-profile",
        f"The datum {crs} is the one this kind of data is published in.",
        f"測地系はこの種のデータの公表基準である{crs}としました。",
    )


def relations_kept(count: int, kinds: str) -> Message:  # noqa: D103
    return Message(
        "relations-unknown",
        f"{count} relation(s) of other kinds were not taken: {kinds}.",
        f"その他の種類のリレーション{count}件は取り込みませんでした: {kinds}",
    )


def layer_skipped(layer: str) -> Message:  # noqa: D103
    return Message(
        "layer-skipped",
        f"Layer '{layer}' has no geometry and no key to a place; it was skipped.",
        f"レイヤ「{layer}」には図形も位置のキーもないため、飛ばしました。",
    )


def time_assumed() -> Message:  # noqa: D103
    return Message(
        "scene-time-assumed",
        "The raster does not say when it was observed; the time of contribution stands in.",
        "観測日時が書かれていないため、登録日時を入れました。",
    )


def year_only(year: str) -> Message:  # noqa: D103
    return Message(
        "scene-year-only",
        f"Only the year of observation is known; {year}-01-01 stands for it.",
        f"観測日時は年しか分からないため、{year}年1月1日としました。",
    )


def no_grid() -> Message:  # noqa: D103
    return Message(
        "no-grid",
        "No variable with time, latitude and longitude was found.",
        "時刻・緯度・経度を持つ変数が見つかりません。",
    )


def grid_irregular() -> Message:  # noqa: D103
    return Message(
        "grid-irregular",
        "The grid is not regular in latitude and longitude.",
        "格子の間隔が一定ではありません。",
    )
