"""Source columns as typed columns of the vocabulary, with every repair counted.

Text is converted once per distinct value, not once per row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from geoshare.model.collections import Collection, Property
from geoshare.model.report import Report
from geoshare.sources import messages, overture, text
from geoshare.sources.text import Cleaned

MIN_FOR_SHIFT = 3  # fewer values than this prove nothing about a column


@dataclass(frozen=True, slots=True)
class Rule:
    """How one property is filled from a source.

    ``columns`` are the names looked for, first found wins; ``values`` translates folded cell texts;
    ``constant`` fills without a source; ``empty`` is what an empty cell means; ``coalesce`` lets the
    later columns fill what the first one leaves empty.
    """

    columns: tuple[str, ...] = ()
    convert: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    constant: Any = None
    empty: Any = None
    coalesce: bool = False


def arrow_type(item: Property) -> pa.DataType:
    """The Arrow type of a property's column; lists and objects are JSON text."""
    if item.format == "date-time":
        return pa.timestamp("us", "UTC")
    if item.format == "date":
        return pa.date32()
    plain = {"integer": pa.int64(), "number": pa.float64(), "boolean": pa.bool_()}
    return plain.get(item.type, pa.string())


def table_of(collection: Collection, rows: list[dict[str, Any]]) -> pa.Table:
    """Rows of properties as typed columns; a property that no row has gets none."""
    present = {name for row in rows for name, value in row.items() if value is not None}
    columns = {
        item.name: pa.array([_stored(item, row.get(item.name)) for row in rows], arrow_type(item))
        for item in collection.properties
        if item.name in present
    }
    return pa.table(columns) if columns else pa.table({"": pa.nulls(len(rows))}).select([])


def constant_column(item: Property, value: Any, rows: int) -> pa.Array:
    """The same value in every row."""
    return pa.array([_stored(item, value)] * rows, arrow_type(item))


def convert_column(
    array: pa.Array, item: Property, rule: Rule, report: Report, *, strict: bool
) -> pa.Array:
    """Values of a source column as those of a property.

    Parameters
    ----------
    strict
        Refuse the file where most values of a column that is no text cannot be understood: then
        names and values do not belong together.

    Raises
    ------
    BadData
        ``columns-shifted``.
    """
    fast = _fast(array, item, rule)
    if fast is not None:
        return fast
    encoded = as_text(array).dictionary_encode()
    words = [word or "" for word in encoded.dictionary.to_pylist()]
    counts = np.bincount(
        encoded.indices.drop_null().to_numpy(zero_copy_only=False), minlength=len(words)
    )
    converter = _converter(item, rule)
    values: list[Any] = []
    failed: list[tuple[str, int]] = []
    for word, count in zip(words, counts, strict=True):
        try:
            cleaned = converter(word)
        except (ValueError, OverflowError):
            failed.append((word, int(count)))
            values.append(None)
            continue
        if cleaned.repair is not None:
            report.repaired(cleaned.repair, word.strip(), int(count))
        values.append(_stored(item, rule.empty if cleaned.value is None else cleaned.value))
    full = sum(int(count) for word, count in zip(words, counts, strict=True) if word.strip())
    _judge_failures(failed, full, item, rule, report, strict=strict)
    out = pa.array(values, arrow_type(item)).take(encoded.indices)
    if rule.empty is not None and out.null_count:
        broken = pc.is_in(as_text(array), pa.array([word for word, _ in failed], pa.string()))
        if item.name.startswith("hazard_"):
            report.note(messages.empty_not_designated())
        filled = pc.if_else(broken, pa.scalar(None, out.type), _stored(item, rule.empty))
        out = pc.coalesce(out, filled.cast(out.type))
    return out


def _judge_failures(
    failed: list[tuple[str, int]],
    full: int,
    item: Property,
    rule: Rule,
    report: Report,
    *,
    strict: bool,
) -> None:
    bad = sum(count for _, count in failed)
    if not bad:
        return
    if strict and full >= MIN_FOR_SHIFT and bad * 2 > full:
        wanted = {
            "integer": ("whole numbers", "整数"),
            "number": ("numbers", "数値"),
            "boolean": ("yes or no", "有無"),
        }.get(item.type, (f"values of '{item.title}'", f"「{item.title_ja}」"))
        column = next(iter(rule.columns), item.name)
        raise messages.refuse_and_note(
            report, messages.columns_shifted(column, *wanted, failed[0][0][:40])
        )
    for word, count in failed:
        report.repaired(messages.dropped_value(item.name, item.title_ja), word[:80], count)


def _fast(array: pa.Array, item: Property, rule: Rule) -> pa.Array | None:
    """A cast without looking at single values, where the types allow one."""
    if (
        rule.values
        or rule.empty is not None
        or (rule.convert and rule.convert not in ("number", "integer"))
    ):
        return None
    wanted = arrow_type(item)
    if array.type == wanted and not pa.types.is_string(wanted):
        return array
    if pa.types.is_integer(array.type) and pa.types.is_floating(wanted):
        return array.cast(wanted)
    if pa.types.is_floating(array.type) and pa.types.is_floating(wanted):
        wide = array.cast(wanted)
        return pc.if_else(pc.is_finite(wide), wide, pa.scalar(None, wanted))
    if pa.types.is_integer(array.type) and pa.types.is_integer(wanted):
        return array.cast(wanted)
    return None


def as_text(array: pa.Array) -> pa.Array:
    """A column of any type as strings; lists and objects as JSON text."""
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    if isinstance(array, pa.ExtensionArray):
        return as_text(array.storage)
    kind = array.type
    if pa.types.is_string(kind):
        return array
    if pa.types.is_large_string(kind) or pa.types.is_integer(kind):
        return array.cast(pa.string())
    if pa.types.is_dictionary(kind):
        return as_text(array.dictionary_decode())
    if pa.types.is_floating(kind):
        return pa.array(
            [None if v is None or v != v else f"{v:.15g}" for v in array.to_pylist()], pa.string()
        )
    if pa.types.is_boolean(kind):
        return pa.array([None if v is None else str(v).lower() for v in array.to_pylist()], pa.string())
    return pa.array([None if v is None else _dump(v) for v in array.to_pylist()], pa.string())


def _dump(value: Any) -> str:
    if hasattr(value, "isoformat"):
        return str(value.isoformat())
    if isinstance(value, bytes):
        return value.hex()
    return orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS).decode()


def _stored(item: Property, value: Any) -> Any:
    if value is None:
        return None
    if item.type in ("array", "object"):
        return orjson.dumps(value).decode()
    return str(value) if item.type == "string" and not item.format.startswith("date") else value


def _listing(word: str) -> Cleaned:
    if word.lstrip().startswith("["):
        return Cleaned(orjson.loads(word))
    return text.parts(word)


def _object(word: str) -> Cleaned:
    return Cleaned(orjson.loads(word) if word.strip() else None)


def _lower(word: str) -> Cleaned:
    return Cleaned(text.fold(word).lower().replace(" ", "_") or None)


def _folded(word: str) -> Cleaned:
    folded = text.fold(word).removesuffix(".0")
    changed = folded != word.strip().removesuffix(".0")
    return Cleaned(folded or None, messages.repaired_width() if changed else None)


def _code_without_check(word: str) -> Cleaned:
    five = text.fold(word).removesuffix(".0")
    if len(five) == 6 and text.code_is_sound(five):
        return Cleaned(five)
    if not five:
        return Cleaned(None)
    if not five.isdigit() or len(five) not in (4, 5):
        raise ValueError(word)
    five = five.rjust(5, "0")
    return Cleaned(five + text.check_digit(five))


def is_withheld(word: str) -> bool:
    """Whether a cell says that its number is kept back: an asterisk, the word, or an upper bound."""
    folded = text.fold(word).lower()
    return folded in text.SUPPRESSED_WORDS or folded[:1] in ("<", "＜")


def _count_or_withheld(word: str) -> Cleaned:
    return Cleaned(None, messages.suppressed_value()) if is_withheld(word) else text.number(word)


def _whole_or_withheld(word: str) -> Cleaned:
    return Cleaned(None, messages.suppressed_value()) if is_withheld(word) else text.integer(word)


def _withheld(word: str) -> Cleaned:
    return Cleaned(is_withheld(word) or text.fold(word).lower() in text.TRUE_WORDS - {"1", "1.0"})


CONVERTERS: dict[str, Callable[[str], Cleaned]] = {
    "plain": text.plain,
    "folded": _folded,
    "lower": _lower,
    "number": text.number,
    "integer": text.integer,
    "truth": text.truth,
    "moment": text.moment,
    "day": text.day,
    "list": _listing,
    "object": _object,
    "government_code": text.government_code,
    "code_without_check": _code_without_check,
    "code_of_common_id": text.code_of_common_id,
    "depth_class": text.depth_class,
    "depth_low": text.depth_low,
    "depth_high": text.depth_high,
    "number_or_withheld": _count_or_withheld,
    "integer_or_withheld": _whole_or_withheld,
    "withheld": _withheld,
} | overture.CONVERTERS
_BY_TYPE = {
    "integer": "integer",
    "number": "number",
    "boolean": "truth",
    "array": "list",
    "object": "object",
}
_BY_FORMAT = {"date-time": "moment", "date": "day"}


def _converter(item: Property, rule: Rule) -> Callable[[str], Cleaned]:
    """Translate by the rule's values, then by the schema's titles, then by type."""
    base = CONVERTERS[rule.convert or _BY_FORMAT.get(item.format) or _BY_TYPE.get(item.type, "plain")]
    titles = titled_values(item)
    if not rule.values and not titles:
        return base
    translated = {text.fold(key).lower(): value for key, value in rule.values.items()}

    def convert(word: str) -> Cleaned:
        folded = text.fold(word).lower().removesuffix(".0")
        if folded in translated:
            found = translated[folded]
            return Cleaned(None if found == "" else found)
        cleaned = base(word)
        if item.type == "string" and isinstance(cleaned.value, str):
            value = titles.get(squashed(cleaned.value), cleaned.value)
            if item.enum and value not in item.enum:
                raise ValueError(word)
            return Cleaned(value, cleaned.repair)
        return cleaned

    return convert


def squashed(word: str) -> str:
    """A word as values are compared: ``streetLamp``, ``street_lamp`` and ``Street lamp`` are one."""
    return text.fold(word).lower().replace("_", "").replace(" ", "")


def titled_values(item: Property) -> dict[str, Any]:
    """Values of an enumeration by their folded titles in both languages and by themselves."""
    found: dict[str, Any] = {}
    for titles in (item.titles, item.titles_ja):
        for value, title in titles.items():
            found.setdefault(squashed(title), value)
            found.setdefault(squashed(value), value)
    return found
