"""Spreadsheets and CSV files of the town office and the mobile carrier, with their usual dirt."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from pathlib import Path

import numpy as np
import openpyxl
from openpyxl.styles import Alignment, Font
from shapely.geometry import Point

from sample_data.formats.files import repack
from sample_data.town.facilities import FACILITIES, HAZARDS, Facility
from sample_data.town.frame import FILE_DATE, RAIN_DAY, TOWN_CODE, TOWN_NAME, to_lon_lat
from sample_data.town.people import MeshPeople
from sample_data.town.town import Town

FULL_WIDTH = str.maketrans("0123456789-", "０１２３４５６７８９－")
SITE_COLUMNS = [
    "全国地方公共団体コード",
    "ID",
    "地方公共団体名",
    "名称",
    "名称_カナ",
    "名称_英字",
    "所在地_連結表記",
    "緯度",
    "経度",
    "標高",
    "電話番号",
    *(f"災害種別_{hazard}" for hazard in HAZARDS),
    "指定避難所との重複",
    "想定収容人数",
    "対象となる町会・自治会",
    "URL",
    "備考",
]


def positions(town: Town) -> dict[str, tuple[float, float]]:
    """Local metres of each facility: the door of its building, or its stated place."""
    by_name = {item.name: item.footprint.representative_point() for item in town.buildings if item.name}
    return {
        item.name: (by_name[item.name].x, by_name[item.name].y) if item.name in by_name else item.xy
        for item in FACILITIES
    }


def _address(town: Town, xy: tuple[float, float], number: int) -> str:
    for area in town.areas:
        if area.level == "district" and area.geometry.covers(Point(xy)):
            return f"{TOWN_NAME}{area.name}{number % 17 + 1}-{number % 9 + 1}"
    return TOWN_NAME


def write_sites(town: Town, path: Path) -> None:
    """Designated evacuation sites in cp932: the municipal standard CSV after a round through Excel.

    The code has lost its zero, capacities carry commas and blanks, hazard cells are 1 or empty.
    """
    rows = []
    where = positions(town)
    for number, item in enumerate([item for item in FACILITIES if item.safe_from], 1):
        lon_lat = to_lon_lat(np.array([where[item.name]]))[0]
        height = town.terrain.height(np.array([where[item.name]]))[0]
        rows.append(
            [
                TOWN_CODE.lstrip("0"),
                f"{number:010d}",
                TOWN_NAME,
                item.name,
                item.kana,
                item.name_en,
                _address(town, where[item.name], number),
                f"{lon_lat[1]:.6f}",
                f"{lon_lat[0]:.6f}",
                f"{height:.1f}",
                _phone(number),
                *("1" if mark == "1" else "" for mark in item.safe_from),
                "1" if item.beds else "",
                _capacity(item.stand, number),
                ";".join(item.targets),
                "",
                item.note,
            ]
        )
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(SITE_COLUMNS)
    writer.writerows(rows)
    path.write_bytes(text.getvalue().encode("cp932"))


def _capacity(number: int, row: int) -> str:
    return f"{number:,} " if number >= 1000 else f" {number}" if row % 5 == 0 else str(number)


def _phone(number: int) -> str:
    phone = f"0299-00-{1000 + 37 * number % 9000:04d}"
    return phone.translate(FULL_WIDTH) if number % 6 == 0 else phone


def write_shelters(town: Town, path: Path) -> None:
    """Designated shelters as a workbook: title rows above the header, numbers as text in full width.

    One shelter has no coordinates yet; a reader has to refuse that row and keep the rest.
    """
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "指定避難所一覧"
    header = [
        "全国地方公共団体コード",
        "ID",
        "施設名",
        "施設名_カナ",
        "名称_英字",
        "所在地",
        "緯度",
        "経度",
        "標高",
        "収容人数",
        "電話番号",
        "対象地区",
        "開設状況",
        "備考",
        *(f"指定_{hazard}" for hazard in HAZARDS),
    ]
    sheet.append(["潮見町　指定避難所一覧（令和８年９月１日現在）"])
    sheet.append(["担当：総務課防災係"])
    sheet.append([])
    sheet.append(header)
    sheet.merge_cells(start_row=1, start_column=1, end_row=1, end_column=len(header))
    sheet["A1"].font = Font(bold=True, size=14)
    sheet["A1"].alignment = Alignment(horizontal="center")
    where = positions(town)
    shelters = [item for item in FACILITIES if item.beds]
    for number, item in enumerate(shelters, 1):
        sheet.append(_shelter_row(town, item, where[item.name], number))
    sheet.append(
        [
            int(TOWN_CODE),
            "S0099",
            "沢田集会所（建替中）",
            "サワダシュウカイジョ",
            None,
            "潮見町沢田3-2",
            None,
            None,
            None,
            60,
            None,
            "沢田",
            "未開設",
            "位置は確定後に追記",
        ]
    )
    for column, width in zip(
        "ABCDEFGHIJKLMN", (12, 8, 28, 34, 34, 24, 11, 11, 7, 9, 16, 30, 9, 24), strict=True
    ):
        sheet.column_dimensions[column].width = width
    book.properties.created = book.properties.modified = FILE_DATE
    book.save(path)
    core = _core_properties()
    repack(path, {"docProps/core.xml": core})


def _shelter_row(town: Town, item: Facility, xy: tuple[float, float], number: int) -> list[object]:
    lon_lat = to_lon_lat(np.array([xy]))[0]
    height = float(town.terrain.height(np.array([xy]))[0])
    beds: object = str(item.beds).translate(FULL_WIDTH) if number % 3 == 0 else item.beds
    opened = item.safe_from.startswith("1")
    return [
        int(TOWN_CODE),
        f"S{number:04d}",
        item.name,
        item.kana,
        item.name_en,
        _address(town, xy, number),
        round(float(lon_lat[1]), 6),
        round(float(lon_lat[0]), 6),
        round(height, 1),
        beds,
        _phone(number),
        ";".join(item.targets),
        "開設" if opened else "未開設",
        item.note or None,
        *("○" if mark == "1" else "×" for mark in item.safe_from),
    ]


def _core_properties() -> bytes:
    stamp = FILE_DATE.strftime("%Y-%m-%dT%H:%M:%SZ")
    return (
        '<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/'
        'core-properties" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><dc:creator>潮見町</dc:creator>'
        f'<dcterms:created xsi:type="dcterms:W3CDTF">{stamp}</dcterms:created>'
        f'<dcterms:modified xsi:type="dcterms:W3CDTF">{stamp}</dcterms:modified></cp:coreProperties>'
    ).encode()


def write_population(meshes: list[MeshPeople], path: Path) -> None:
    """Census figures on meshes; small meshes are withheld with an asterisk."""
    rows = [["KEY_CODE", "年", "人口（総数）", "65歳以上人口", "世帯総数"]]
    for mesh in meshes:
        figures = (
            ["*", "*", "*"]
            if mesh.withheld
            else [str(mesh.population), str(mesh.over_64), str(mesh.households)]
        )
        rows.append([mesh.code, "2025", *figures])
    _write_utf8(path, rows)


def write_flow(town: Town, path: Path) -> None:
    """Hourly presence per mesh with a byte order mark; an asterisk where fewer than ten were seen."""
    rows = [["メッシュコード", "開始日時", "終了日時", "滞在人口"]]
    for item in town.flow:
        start = RAIN_DAY + timedelta(hours=item.hour)
        end = start + timedelta(hours=1)
        count = "*" if item.count is None else str(item.count)
        rows.append(
            [
                item.code,
                start.strftime("%Y-%m-%dT%H:%M:%S+09:00"),
                end.strftime("%Y-%m-%dT%H:%M:%S+09:00"),
                count,
            ]
        )
    _write_utf8(path, rows, mark=True)


def _write_utf8(path: Path, rows: list[list[str]], mark: bool = False) -> None:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    path.write_bytes(text.getvalue().encode("utf-8-sig" if mark else "utf-8"))
