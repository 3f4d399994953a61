"""Makes a batch's properties what its collection's schema says, row by row as canonical JSON.

A column of another type is converted where no value changes its meaning; a row with a value that
cannot be converted is refused. Columns the schema does not know go into ``extra`` where the
collection has it. References by the provider's own ids become ids of the foundation.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from geoshare.merge.changed import Changed
from geoshare.merge.identity import Identities
from geoshare.model.batch import FeatureBatch
from geoshare.model.collections import Collection, Property
from geoshare.model.report import Message, Report

EXTRA = "extra"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_SMALLEST, _LARGEST = -(2**63), 2**63 - 1


@dataclass(frozen=True, slots=True)
class Conformed:
    """Rows of a batch that conform: their numbers in the batch, and their properties."""

    rows: list[int]
    properties: list[bytes]  # canonical JSON objects without nulls
    identity: list[str | None]  # value of the identifying property
    valid_from_us: list[int | None]
    valid_to_us: list[int | None]


class UnfitError(ValueError):
    """A value that cannot become what the schema says."""


class Conformer:
    """Conforms batches of one collection and one provider."""

    def __init__(self, collection: Collection, identities: Identities, provider: str) -> None:
        self.collection = collection
        self._identities = identities
        self._provider = provider

    def conform(self, batch: FeatureBatch, report: Report) -> Conformed:
        """Convert a batch; rows that do not fit are refused in the report."""
        count = len(batch.record_ids)
        unfit: dict[int, tuple[str, Any]] = {}
        columns: dict[str, list[Any]] = {}
        extra: dict[str, list[Any]] = {}
        for name in batch.properties.column_names:
            known = self.collection.property(name)
            column = batch.properties.column(name)
            if known is None:
                extra[name] = [_plain(value) for value in column.to_pylist()]
            else:
                columns[name] = self._column(known, column, unfit, report)
        if extra:
            columns[EXTRA] = _joined(columns.get(EXTRA), extra, count)
        for row, (name, value) in sorted(unfit.items()):
            report.refuse(batch.record_ids[row], _wrong_type(name, self.collection), {name: value})
        rows = [row for row in range(count) if row not in unfit]
        names = sorted(columns)
        lists = [columns[name] for name in names]
        return Conformed(
            rows=rows,
            properties=[_dumped(names, lists, row) for row in rows],
            identity=self._picked(columns, self.collection.identity, rows),
            valid_from_us=self._moments(columns, 0, rows),
            valid_to_us=self._moments(columns, -1, rows),
        )

    def _column(
        self,
        known: Property,
        column: pa.ChunkedArray,
        unfit: dict[int, tuple[str, Any]],
        report: Report,
    ) -> list[Any]:
        values = _fast(known, column)
        if values is None:
            values = column.to_pylist()
            convert, changed = _CONVERTERS[_kind(known)], Changed(known.name)
            for row, value in enumerate(values):
                if value is not None:
                    try:
                        values[row] = convert(value)
                        changed.note(value, values[row])
                    except (UnfitError, ValueError, OverflowError):
                        values[row] = None
                        unfit[row] = (known.name, value)
            changed.tell(report)
        return self._referred(known, values) if known.reference else values

    def _referred(self, known: Property, values: list[Any]) -> list[Any]:
        def ids(names: Sequence[str]) -> list[str]:
            if len(known.references) > 1:
                return self._of_several(known.references, names)
            return self._identities.of_reference(known.reference, self._provider, names)

        if known.type == "array":
            return [None if value is None else ids([str(item) for item in value]) for value in values]
        if known.type == "object":
            return [_by_role(value, ids) for value in values]
        present = [row for row, value in enumerate(values) if value is not None]
        made = dict(zip(present, ids([values[row] for row in present]), strict=True))
        return [made.get(row) for row in range(len(values))]

    def _of_several(self, collections: Sequence[str], names: Sequence[str]) -> list[str]:
        """Ids of what is named as ``collection/record``; a name that says no collection is left out."""
        found = []
        for name in names:
            collection, _, record = name.partition("/")
            if collection in collections and record:
                found += self._identities.of_reference(collection, self._provider, [record])
        return found

    @staticmethod
    def _picked(columns: dict[str, list[Any]], name: str, rows: list[int]) -> list[Any]:
        column = columns.get(name)
        return [None] * len(rows) if column is None else [column[row] for row in rows]

    def _moments(self, columns: dict[str, list[Any]], end: int, rows: list[int]) -> list[int | None]:
        if not self.collection.time:
            return [None] * len(rows)
        texts = self._picked(columns, self.collection.time[end], rows)
        return [moment_us(text) for text in texts]


def _by_role(value: Any, ids: Callable[[Sequence[str]], list[str]]) -> dict[str, list[str]] | None:
    """Ids in an object of lists of names; None where there are none."""
    if not isinstance(value, dict):
        return None
    lists = {role: names for role, names in value.items() if isinstance(names, list)}
    made = {str(role): ids([str(name) for name in names]) for role, names in lists.items()}
    return {role: names for role, names in made.items() if names} or None


def moment_us(text: Any) -> int | None:
    """Microseconds since 1970 of the text of a date-time, as conforming writes it; else None."""
    if not isinstance(text, str):
        return None
    try:
        return (datetime.fromisoformat(text) - _EPOCH) // _MICROSECOND
    except (ValueError, TypeError):
        return None


def _kind(known: Property) -> str:
    if known.type == "string":
        return known.format if known.format in ("date-time", "date") else "string"
    return known.type if known.type in _CONVERTERS else "object"


def _fast(known: Property, column: pa.ChunkedArray) -> list[Any] | None:
    """The whole column at once, where its type is already the right one; else None."""
    kind, types = _kind(known), pa.types
    if types.is_null(column.type):
        return [None] * len(column)
    if kind == "date-time" and types.is_timestamp(column.type):
        return _iso_texts(column)
    if kind == "number" and types.is_floating(column.type):
        finite = pc.if_else(pc.is_finite(column), column, pa.scalar(None, column.type))
        column = finite.cast(pa.float64())
    elif not (
        (kind == "string" and (types.is_string(column.type) or types.is_large_string(column.type)))
        or (kind == "integer" and types.is_signed_integer(column.type))
        or (kind == "boolean" and types.is_boolean(column.type))
    ):
        return None
    values: list[Any] = column.to_pylist()
    return values


def _iso_texts(column: pa.ChunkedArray) -> list[Any]:
    moments = column.cast(pa.timestamp("us", tz=column.type.tz), safe=False)
    numbers = moments.cast(pa.int64())
    whole = not pc.any(pc.not_equal(pc.subtract(numbers, _floored(numbers)), 0)).as_py()
    unit = "s" if whole else "us"
    plain = numbers.cast(pa.timestamp("us")).cast(pa.timestamp(unit), safe=False)
    texts: list[Any] = pc.strftime(plain, format="%Y-%m-%dT%H:%M:%SZ").to_pylist()
    return texts


def _floored(numbers: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.multiply(pc.divide(numbers, 1_000_000), 1_000_000)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))  # a code that a spreadsheet kept as a number
    if isinstance(value, bytes | list | dict):
        raise UnfitError
    return _iso(value) if isinstance(value, datetime) else str(value)


def _integer(value: Any) -> int:
    if isinstance(value, float) and not value.is_integer():
        raise UnfitError
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        number = int(value)
        if _SMALLEST <= number <= _LARGEST:
            return number
    raise UnfitError


def _number(value: Any) -> float | None:
    if isinstance(value, bool | bytes | list | dict):
        raise UnfitError
    number = float(value)
    return number if math.isfinite(number) else None


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if value in (0, 1):
        return bool(value)
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    raise UnfitError


def _date_time(value: Any) -> str:
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day, tzinfo=UTC)
    if not isinstance(value, datetime):
        raise UnfitError
    return _iso(value)


def _iso(value: datetime) -> str:
    moment = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    return moment.isoformat().removesuffix("+00:00") + "Z"


def _date(value: Any) -> str:
    if isinstance(value, str):
        return date.fromisoformat(value).isoformat()
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    raise UnfitError


def _json(value: Any) -> Any:
    return orjson.loads(value) if isinstance(value, str | bytes) else _plain(value)


def _array(value: Any) -> list[Any]:
    found = _json(value)
    if not isinstance(found, list):
        raise UnfitError
    return found


_CONVERTERS: dict[str, Callable[[Any], Any]] = {
    "string": _text,
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "date-time": _date_time,
    "date": _date,
    "array": _array,
    "object": _json,
}


def _plain(value: Any) -> Any:
    """A value of an unknown column as JSON can hold it."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, datetime):
        return _iso(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, list | tuple | np.ndarray):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, str | int | float | bool | None):
        return value
    return str(value)


def _joined(known: list[Any] | None, extra: dict[str, list[Any]], count: int) -> list[Any]:
    rows = []
    for row in range(count):
        before = known[row] if known is not None else None
        found = dict(before) if isinstance(before, dict) else {}
        if before is not None and not isinstance(before, dict):
            found["value"] = before
        found.update({name: values[row] for name, values in extra.items() if values[row] is not None})
        rows.append(found or None)
    return rows


def _dumped(names: list[str], lists: list[list[Any]], row: int) -> bytes:
    found = {
        name: values[row] for name, values in zip(names, lists, strict=True) if values[row] is not None
    }
    return orjson.dumps(found, option=orjson.OPT_SORT_KEYS)


def _wrong_type(name: str, collection: Collection) -> Message:
    known = collection.property(name)
    kind = known.format or known.type if known is not None else ""
    title = known.title_ja if known is not None else name
    return Message(
        "wrong-type",
        f"{name} is not of type {kind}",
        f"「{title}」({name})の値が型 {kind} ではありません",
    )
