"""Typed columns from a collection's schema, and from the JSON the record keeps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.json

from geoshare.model.collections import RELEASE, Collection, Property
from geoshare.model.policy import OPEN_CLASS
from tiles.arrays import Kind

_KINDS = {"integer": Kind.INT, "number": Kind.FLOAT, "boolean": Kind.BOOL, "string": Kind.STRING}
_FORMATS = {"date-time": Kind.TIMESTAMP, "date": Kind.DATE}
_READ_AS = {Kind.INT: pa.int64(), Kind.FLOAT: pa.float64(), Kind.BOOL: pa.bool_()}
_TYPES = {Kind.TIMESTAMP: pa.timestamp("us", tz="UTC"), Kind.DATE: pa.date32()}


def kind_of(item: Property) -> Kind:
    """The kind of column a property becomes: arrays and objects are JSON."""
    if item.type == "string":
        return _FORMATS.get(item.format, Kind.STRING)
    return _KINDS.get(item.type, Kind.JSON)


def kinds_of(collection: Collection, *, classed: bool = False) -> dict[str, Kind]:
    """Kind of each property, in the schema's order, and of the column of release classes."""
    found = {item.name: kind_of(item) for item in collection.properties}
    return found | {RELEASE: Kind.STRING} if classed else found


def with_classes(table: pa.Table, classes: Sequence[str], kinds: Mapping[str, Kind]) -> pa.Table:
    """The table with the column that tells of what release class each row is, where packs have it.

    Rows of the open class have none, and so has every row where nothing else was contributed.
    """
    if RELEASE not in kinds:
        return table
    said = [None if name == OPEN_CLASS else name for name in classes] or [None] * len(table)
    return table.append_column(RELEASE, pa.array(said, pa.utf8()))


def properties_table(texts: Sequence[str], kinds: Mapping[str, Kind]) -> pa.Table:
    """Typed columns of JSON objects, one per row; what is not in ``kinds`` is left out.

    Arrow reads the lines where all values have the kinds' types; where a schema was widened later
    (a number that became text), rows are converted one by one.
    """
    plain = {name: kind for name, kind in kinds.items() if kind != Kind.JSON}
    lines = "\n".join(texts).encode()
    try:
        table = _read_lines(lines, len(texts), plain)
    except pa.ArrowInvalid:
        table = _read_rows(texts, plain)
    columns = {name: table.column(name) for name in plain}
    nested = [name for name, kind in kinds.items() if kind == Kind.JSON]
    columns |= _json_columns(texts, lines, nested)
    return pa.table({name: columns[name] for name in kinds})


def _read_lines(data: bytes, rows: int, kinds: Mapping[str, Kind]) -> pa.Table:
    if not rows or not kinds:
        return pa.table({name: pa.nulls(rows, _type(kind)) for name, kind in kinds.items()})
    schema = pa.schema([(name, _READ_AS.get(kind, pa.utf8())) for name, kind in kinds.items()])
    table = pyarrow.json.read_json(
        pa.BufferReader(data),
        read_options=pyarrow.json.ReadOptions(use_threads=False, block_size=len(data) + 1),
        parse_options=pyarrow.json.ParseOptions(
            explicit_schema=schema, unexpected_field_behavior="ignore"
        ),
    )
    if table.num_rows != rows:
        raise pa.ArrowInvalid("lines and rows differ in number")
    return pa.table({name: table.column(name).cast(_type(kind)) for name, kind in kinds.items()})


def _read_rows(texts: Sequence[str], kinds: Mapping[str, Kind]) -> pa.Table:
    rows = [orjson.loads(text) for text in texts]
    columns = {}
    for name, kind in kinds.items():
        values = [_fitted(row.get(name), kind) for row in rows]
        columns[name] = pa.array(values, _READ_AS.get(kind, pa.utf8())).cast(_type(kind))
    return pa.table(columns)


def _fitted(value: Any, kind: Kind) -> Any:
    if value is None or kind in _READ_AS:
        return float(value) if kind == Kind.FLOAT and value is not None else value
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _json_columns(texts: Sequence[str], lines: bytes, names: Sequence[str]) -> dict[str, pa.Array]:
    columns: dict[str, list[str | None]] = {name: [None] * len(texts) for name in names}
    marks = [f'"{name}":' for name in names]
    if any(mark.encode() in lines for mark in marks):
        for row, text in enumerate(texts):
            if any(mark in text for mark in marks):  # most rows have no nested value to parse
                found = orjson.loads(text)
                for name in names:
                    if found.get(name) is not None:
                        columns[name][row] = orjson.dumps(found[name]).decode()
    return {name: pa.array(values, pa.utf8()) for name, values in columns.items()}


def _type(kind: Kind) -> pa.DataType:
    return _TYPES.get(kind) or _READ_AS.get(kind, pa.utf8())
