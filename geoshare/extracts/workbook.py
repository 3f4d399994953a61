"""A workbook (.xlsx) of one collection, written row by row: codes stay texts, headings are Japanese.

Office Open XML (ECMA-376) with the few parts that Excel and LibreOffice need. Texts are written into
their cells (``inlineStr``) with the format ``@``: nothing becomes a number, a date or a formula.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from xml.sax.saxutils import escape, quoteattr

import pyarrow as pa

from geoshare.extracts.layer import Layer
from geoshare.extracts.tables import Columns
from geoshare.extracts.zips import stamp

MAX_ROWS: Final = 1_048_575  # of a sheet, beside its heading
MAX_TEXT: Final = 32_767  # letters (UTF-16 units) of a cell
MAX_EXACT: Final = 2**53  # cells hold floats: larger integers are written as texts
_MAIN: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_PACKAGE: Final = "http://schemas.openxmlformats.org/package/2006"
_OFFICE: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_DECLARATION: Final = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_UNLAWFUL: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_NO_SHEET: Final = re.compile(r"[\[\]:*?/\\']")
_STYLES: Final = (
    f'<styleSheet xmlns="{_MAIN}"><fonts count="2"><font><sz val="11"/></font>'
    '<font><b/><sz val="11"/></font></fonts><fills count="2"><fill><patternFill patternType="none"/>'
    '</fill><fill><patternFill patternType="gray125"/></fill></fills><borders count="1"><border/>'
    '</borders><cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="3"><xf numFmtId="0"/>'
    '<xf numFmtId="49" applyNumberFormat="1"/><xf numFmtId="49" fontId="1" applyFont="1"/></cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
)  # 0: as it is, 1: text, 2: heading


def write_xlsx(path: Path, layer: Layer, batches: Iterator[pa.RecordBatch]) -> None:
    """Write a workbook; a further sheet begins where one is full.

    Texts longer than a cell holds are cut, and the manifest says how many.
    """
    columns = Columns(layer, layer.style, "ja")
    title = _NO_SHEET.sub(" ", layer.about.title_ja)[:24] or layer.about.name[:24]
    shortened = [0]
    rows = _rows(columns, batches, shortened)
    sheets = 0
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as book:
        following = next(rows, None)
        while following is not None or not sheets:
            sheets += 1
            entry = stamp(f"xl/worksheets/sheet{sheets}.xml", layer.now_us)
            with book.open(entry, "w", force_zip64=True) as sheet:
                sheet.write(_sheet_head(columns.headings).encode())
                count = 0
                while following is not None and count + following[0] <= MAX_ROWS:
                    sheet.write(following[1].encode())
                    count += following[0]
                    following = next(rows, None)
                sheet.write(b"</sheetData></worksheet>")
        for name, text in _parts(title, sheets):
            book.writestr(stamp(name, layer.now_us), _DECLARATION + text)
    if shortened[0]:
        layer.said["texts_shortened"] = shortened[0]


def _rows(
    columns: Columns, batches: Iterator[pa.RecordBatch], shortened: list[int]
) -> Iterator[tuple[int, str]]:
    """Some rows at a time as XML, and how many they are."""
    for batch in batches:
        for first in range(0, batch.num_rows, 2_000):
            part = batch.slice(first, 2_000)
            values = [array.to_pylist() for array in columns.arrays(part)]
            lines = [
                "<row>" + "".join(_cell(value, shortened) for value in row) + "</row>"
                for row in zip(*values, strict=True)
            ]
            yield part.num_rows, "".join(lines)


def _cell(value: Any, shortened: list[int]) -> str:
    if value is None:
        return "<c/>"
    if isinstance(value, bool):
        return f'<c t="b"><v>{int(value)}</v></c>'
    if isinstance(value, float) and value - value == 0:
        return f"<c><v>{value!r}</v></c>"
    if isinstance(value, int) and abs(value) <= MAX_EXACT:
        return f"<c><v>{value}</v></c>"
    text = _UNLAWFUL.sub("\ufffd", str(value))
    if len(text) > MAX_TEXT or len(text.encode("utf-16-le", "replace")) > 2 * MAX_TEXT:
        shortened[0] += 1
        text = text.encode("utf-16-le", "replace")[: 2 * MAX_TEXT].decode("utf-16-le", "ignore")
    return _text(text, 1)


def _text(text: str, style: int) -> str:
    return f'<c s="{style}" t="inlineStr"><is><t xml:space="preserve">{escape(text)}</t></is></c>'


def _sheet_head(headings: list[str]) -> str:
    cells = "".join(_text(heading, 2) for heading in headings)
    return (
        f'{_DECLARATION}<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0">'
        '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView>'
        f'</sheetViews><cols><col min="1" max="{len(headings)}" width="18" customWidth="1"/></cols>'
        f"<sheetData><row>{cells}</row>"
    )


def _parts(title: str, sheets: int) -> Iterator[tuple[str, str]]:
    numbers = range(1, sheets + 1)
    names = [title if number == 1 else f"{title} ({number})" for number in numbers]
    listed = "".join(
        f'<sheet name={quoteattr(name)} sheetId="{number}" r:id="rId{number}"/>'
        for number, name in zip(numbers, names, strict=True)
    )
    yield (
        "xl/workbook.xml",
        f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>{listed}</sheets></workbook>',
    )
    related = "".join(
        f'<Relationship Id="rId{number}" Type="{_OFFICE}/worksheet" '
        f'Target="worksheets/sheet{number}.xml"/>'
        for number in numbers
    )
    styles = f'<Relationship Id="rId{sheets + 1}" Type="{_OFFICE}/styles" Target="styles.xml"/>'
    yield "xl/_rels/workbook.xml.rels", _relationships(related + styles)
    yield "xl/styles.xml", _STYLES
    first = f'<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/>'
    yield "_rels/.rels", _relationships(first)
    overrides = "".join(
        f'<Override PartName="/xl/worksheets/sheet{number}.xml" ContentType="{_TYPE}.worksheet+xml"/>'
        for number in numbers
    )
    yield (
        "[Content_Types].xml",
        f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>{overrides}'
        f'<Override PartName="/xl/styles.xml" ContentType="{_TYPE}.styles+xml"/></Types>',
    )


def _relationships(content: str) -> str:
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{content}</Relationships>'
