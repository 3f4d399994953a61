"""Why a whole file is refused or skipped."""

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


def empty_file() -> Message:
    return Message("empty-file", "The file is empty.", "ファイルが空です。")


def no_file() -> Message:
    return Message("no-file", "There is no such file.", "ファイルがありません。")


def too_large(what: str, what_ja: str, limit: int) -> Message:
    return Message(
        "too-large",
        f"The file has more {what} than may be sent at once (limit {limit:,}).",
        f"{what_ja}が一度に送れる上限({limit:,})を超えています。",
    )


def feature_too_large(vertices: int) -> Message:
    return Message(
        "feature-too-large",
        f"A single feature of the file is too large (limit about {vertices:,} vertices); divide it.",
        f"一つの地物が大きすぎます(上限は約{vertices:,}頂点)。分割してください。",
    )


def archive_bomb(detail: str) -> Message:
    return Message(
        "archive-too-large",
        f"The archive unpacks to far more than it should ({detail}); it was not unpacked.",
        f"圧縮ファイルを展開すると大きくなりすぎるため({detail})、展開しませんでした。",
    )


def archive_broken() -> Message:
    return Message(
        "archive-broken",
        "The archive is damaged or incomplete.",
        "圧縮ファイルが壊れているか途中で切れています。",
    )


def archive_unsafe(name: str) -> Message:
    return Message(
        "archive-unsafe",
        f"The archive holds a name that leads out of its folder: {name!r}.",
        f"圧縮ファイルに不正なファイル名があります: {name!r}",
    )


def archive_nothing() -> Message:
    return Message(
        "archive-nothing",
        "The archive holds no file that can be read as map data.",
        "圧縮ファイルの中に読み込める地図データがありません。",
    )


FORMATS = (
    "Lanelet2 .osm, OpenDRIVE .xodr, GeoJSON, GeoPackage, FlatGeobuf, Shapefile (zipped), GeoParquet, "
    "CSV, .xlsx, GeoTIFF, NetCDF"
)


def format_unknown() -> Message:
    return Message(
        "format-unknown",
        f"The file is in no format that can be read ({FORMATS}).",
        f"読み込める形式ではありません({FORMATS})。",
    )


def broken(what: str, what_ja: str, detail: str = "") -> Message:
    # Libraries name the file by its whole path: where it lies on our machine is nobody's business.
    detail = _FOLDERS.sub("", detail)
    tail = f": {detail}" if detail else ""
    return Message(
        "file-broken",
        f"The file cannot be read as {what}; it is damaged or incomplete{tail}.",
        f"{what_ja}として読めません。壊れているか途中で切れています{tail}。",
    )


def truncated_xml(line: int) -> Message:
    return Message(
        "xml-broken",
        f"The XML ends or breaks off at line {line}.",
        f"XMLが{line}行目で途切れているか壊れています。",
    )


def xml_entities() -> Message:
    return Message(
        "xml-doctype",
        "The XML declares a document type; files with declarations of their own are not read.",
        "XMLにDOCTYPE宣言があるため読み込みません。",
    )


def no_rows() -> Message:
    return Message("no-rows", "The file holds no data rows.", "データ行がありません。")


def nothing_taken(reason: Message, refused: int) -> Message:
    """Every row was refused; the most frequent reason speaks for all."""
    return Message(
        reason.code,
        f"None of the {refused:,} rows could be taken. {reason.en}",
        f"{refused:,}件すべて取り込めませんでした。{reason.ja}",
    )


def no_header() -> Message:
    return Message(
        "no-header",
        "No row with column names was found in the first 30 rows.",
        "先頭30行に列名の行が見つかりません。",
    )


def columns_shifted(column: str, wanted: str, wanted_ja: str, example: str) -> Message:
    return Message(
        "columns-shifted",
        f"The values of column '{column}' are not {wanted} (for example '{example}'): "
        "are the columns in the order of their names?",
        f"列「{column}」の値が{wanted_ja}ではありません(例「{example}」)。列の順序が列名と合っていますか。",
    )


def no_place(columns: str) -> Message:
    return Message(
        "no-place",
        f"The table has no columns that say where its rows are (columns: {columns}).",
        f"位置を示す列(緯度・経度、メッシュコード、行政区域コード)がありません(列: {columns})。",
    )


def mapping_unknown(name: str, known: str) -> Message:
    return Message(
        "mapping-unknown",
        f"There is no mapping profile '{name}'; there are: {known}.",
        f"対応表「{name}」はありません。使えるもの: {known}",
    )


def encoding_unknown() -> Message:
    return Message(
        "encoding-unknown",
        "The text is neither UTF-8 nor Shift_JIS (cp932); state its encoding.",
        "文字コードがUTF-8でもShift_JIS(cp932)でもありません。文字コードを指定してください。",
    )


def no_crs(what: str, what_ja: str) -> Message:
    return Message(
        "no-crs",
        f"The {what} does not say in which coordinate reference system it is; state one (--crs).",
        f"{what_ja}に座標参照系がありません。指定してください(--crs)。",
    )


def no_georeference() -> Message:
    return Message(
        "no-georeference",
        "The raster does not say where it lies (no geotransform).",
        "ラスタに位置の情報(地理座標変換)がありません。",
    )


def local_without_origin() -> Message:
    return Message(
        "local-without-origin",
        "The map has local coordinates only and does not say where their origin is; "
        "state it (--crs MGRS:54SUE, or an EPSG code).",
        "局所座標だけで原点が分かりません。指定してください(--crs MGRS:54SUE、またはEPSGコード)。",
    )


def no_lanelets() -> Message:
    return Message(
        "no-lanelets",
        "The OSM file holds no lanelets, areas or regulatory elements.",
        "OSMファイルにレーンレット、領域、規制要素がありません。",
    )


def degrees_in_metres(crs: str) -> Message:
    return Message(
        "coordinates-outside",
        f"The coordinates look like degrees, but {crs} counts in metres.",
        f"座標が度のようですが、{crs}はメートル単位です。",
    )


def no_grid() -> Message:
    return Message(
        "no-grid",
        "No variable with time, latitude and longitude was found.",
        "時刻・緯度・経度を持つ変数が見つかりません。",
    )


def grid_irregular() -> Message:
    return Message(
        "grid-irregular",
        "The grid is not regular in latitude and longitude.",
        "格子の間隔が一定ではありません。",
    )


def points_elsewhere() -> Message:
    return Message(
        "points-elsewhere",
        "The file takes its data from other files or addresses; send the data itself.",
        "ほかのファイルやアドレスを参照するファイルです。データそのものを送ってください。",
    )
