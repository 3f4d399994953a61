"""The data dictionary (データ定義書) of an extract: every column, what it means and what it holds."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Final

from geoshare.extracts.tables import BOM
from geoshare.model.collections import Collection, Property
from geoshare.query import RasterView, View

FILE: Final = "data-dictionary.csv"
_HEAD: Final = (
    "データ / collection", "データ名 / title", "項目名 / name", "名称 / title (ja)", "title (en)",
    "型 / type", "単位 / unit", "値 / values", "説明 / description", "参照 / refers to",
)  # fmt: skip
_TYPES: Final = {
    "string": "文字列 / text", "integer": "整数 / integer", "number": "実数 / number",
    "boolean": "真偽 / true or false", "array": "配列(JSON) / list", "object": "構造(JSON) / object",
}  # fmt: skip
_FORMATS: Final = {
    "date-time": "日時(RFC 3339, UTC) / instant", "date": "日付 / date", "uri": "URI / address"
}  # fmt: skip


def data_dictionary(views: Sequence[View | RasterView], columns: dict[str, tuple[str, ...]]) -> bytes:
    """Make the table, in UTF-8 with a byte order mark; Excel opens it as it is.

    Parameters
    ----------
    views
        What is in the extract.
    columns
        The properties that are written, by collection; those of others are all told.
    """
    sink = io.StringIO(newline="")
    table = csv.writer(sink, lineterminator="\r\n")
    table.writerow(_HEAD)
    for view in views:
        about = view.collection
        table.writerow(_identifier(about))
        for column in view.columns:
            if column.name in columns.get(about.name, (column.name,)):
                table.writerow(_line(about, column.property))
        if about.kind == "vector":
            table.writerow(_geometry(about))
    return BOM + sink.getvalue().encode()


def _identifier(about: Collection) -> list[str]:
    text = "地物の恒久的な識別子 / stable identifier of the feature"
    return [about.name, about.title_ja, "id", "ID", "ID", _TYPES["string"], "", "", text, ""]


def _geometry(about: Collection) -> list[str]:
    kinds = {"point": "点 / points", "line": "線 / lines", "polygon": "面 / areas"}
    text = "形状。高さは楕円体高 / shape; heights are above the ellipsoid"
    kind = kinds.get(about.geometry, "点・線・面 / points, lines, areas")
    return [about.name, about.title_ja, "geometry", "形状", "Geometry", kind, "", "", text, ""]


def _line(about: Collection, said: Property) -> list[str]:
    schema = about.schema.get("properties", {}).get(said.name, {})
    described = [schema.get("x-description-ja", ""), said.description]
    values = [
        f"{value} = {said.titles_ja.get(str(value), said.titles.get(str(value), ''))}".rstrip(" =")
        for value in (said.enum or tuple(said.titles))
    ]
    return [
        about.name,
        about.title_ja,
        said.name,
        said.title_ja,
        said.title,
        _FORMATS.get(said.format) or _TYPES.get(said.type, said.type),
        said.unit,
        "\n".join(values),
        " / ".join(text for text in described if text),
        said.reference,
    ]
