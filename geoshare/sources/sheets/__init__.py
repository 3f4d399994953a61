"""Sheets of one collection that people edit and send back: columns, cells and both file formats."""

from geoshare.sources.sheets.columns import (
    ACTION,
    ID,
    KEPT,
    LATITUDE,
    LONGITUDE,
    SHAPE,
    SheetColumn,
    columns_of,
)
from geoshare.sources.sheets.reading import MAX_BYTES, MAX_ROWS, ReadSheet, SheetRow, read_sheet
from geoshare.sources.sheets.workbook import ALLOWED_JA
from geoshare.sources.sheets.writing import SheetInfo, write_csv, write_xlsx

__all__ = [
    "ACTION",
    "ALLOWED_JA",
    "ID",
    "KEPT",
    "LATITUDE",
    "LONGITUDE",
    "MAX_BYTES",
    "MAX_ROWS",
    "SHAPE",
    "ReadSheet",
    "SheetColumn",
    "SheetInfo",
    "SheetRow",
    "columns_of",
    "read_sheet",
    "write_csv",
    "write_xlsx",
]
