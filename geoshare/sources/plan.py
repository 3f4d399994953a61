"""A profile bound to the columns that are really there, and applied batch by batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from geoshare.model.collections import Property, known
from geoshare.model.report import Report
from geoshare.sources.coerce import Rule, as_text, constant_column, convert_column
from geoshare.sources.profiles import RECORD_ID, Profile, profiles
from geoshare.sources.text import fold, heading

FILE_NUMBERS = frozenset(["fid", "ogc_fid", "objectid"])  # numbers that a file format gives its rows


@dataclass(frozen=True, slots=True)
class Plan:
    """What becomes of each column of one table or layer."""

    profile: Profile
    bound: tuple[tuple[Property, str | None, Rule], ...]  # property, source column, rule
    kept: tuple[str, ...]  # columns of no known property, kept under their names
    record_id: tuple[str, ...]  # columns that together are the provider's id; empty: row numbers
    melted: tuple[str, ...] = ()  # columns that become rows
    companions: tuple[Plan, ...] = ()
    guessed: bool = False  # the record ids come from a column that only looks like one of ids

    @property
    def collection(self) -> str:
        """The collection that the rows become."""
        return self.profile.collection

    def takes(self, batch: pa.RecordBatch) -> NDArray[np.bool_]:
        """Which rows are this plan's, by the profile's ``only``."""
        mask = np.ones(batch.num_rows, dtype=bool)
        for name in batch.schema.names:
            wanted = self.profile.only.get(heading(name))
            if wanted:
                mask &= np.array(
                    [value in wanted for value in batch.column(name).to_pylist()], dtype=bool
                )
        return mask

    def properties(self, batch: pa.RecordBatch, report: Report) -> pa.Table:
        """One typed column per property; raises BadData where names and values do not fit."""
        columns: dict[str, pa.Array] = {}
        for item, source, rule in self.bound:
            if source is None:
                columns[item.name] = constant_column(item, rule.constant, batch.num_rows)
            else:
                array = self._cells(batch, source, rule)
                named = replace(rule, columns=(source,))
                columns[item.name] = convert_column(
                    array, item, named, report, strict=self.profile.strict
                )
        for name in self.kept:
            columns[name] = _storable(batch.column(name))
        if not columns:
            return pa.table({"": pa.nulls(batch.num_rows)}).select([])
        return pa.table(columns)

    def _cells(self, batch: pa.RecordBatch, source: str, rule: Rule) -> pa.Array:
        if not rule.coalesce:
            return batch.column(source)
        wanted = {heading(column): place for place, column in enumerate(rule.columns)}
        names = [name for name in batch.schema.names if heading(name) in wanted]
        cells = [
            as_text(batch.column(name)) for name in sorted(names, key=lambda n: wanted[heading(n)])
        ]
        return pc.coalesce(
            *(pc.if_else(pc.equal(part, ""), pa.scalar(None, pa.string()), part) for part in cells)
        )

    def record_ids(self, batch: pa.RecordBatch, numbers: NDArray[np.int64], prefix: str) -> list[str]:
        """The provider's ids; ``#`` and the row number stand in where a row has none."""
        if not self.record_id:
            return [f"#{prefix}{number}" for number in numbers.tolist()]
        texts = [_texts(batch.column(name)) for name in self.record_id]
        mark = "#" + prefix if set(map(heading, self.record_id)) <= FILE_NUMBERS else ""
        joined = (
            mark + "/".join(fold(part) for part in row if part) for row in zip(*texts, strict=True)
        )
        return [
            found if found != mark else f"#{prefix}{number}"
            for found, number in zip(joined, numbers.tolist(), strict=True)
        ]


def bind(
    profile: Profile, columns: Sequence[str], report: Report, *, place: Mapping[str, str] | None = None
) -> Plan:
    """Find the profile's columns among those that are there; the report says which became what.

    ``place`` are columns that became the geometry, and as what.
    """
    place = place or {}
    by_heading: dict[str, str] = {}
    for column in columns:
        by_heading.setdefault(heading(column), column)
    schema = known().get(profile.collection)
    melt = profile.melt
    melted = tuple(
        by_heading[heading(name)]
        for name in (melt.columns if melt else ())
        if heading(name) in by_heading
    )
    bound: list[tuple[Property, str | None, Rule]] = []
    used: dict[str, str] = {}
    for name, rule in profile.rules.items():
        item = schema.property(name) if schema else None
        item = item or Property(name, "string")
        source = next((by_heading[heading(c)] for c in rule.columns if heading(c) in by_heading), None)
        if source is not None:
            bound.append((item, source, rule))
            used.setdefault(source, name)
        elif rule.constant is not None:
            bound.append((item, None, rule))
    taken = {item.name for item, _, _ in bound} | set(melted)
    kept = tuple(
        column
        for column in dict.fromkeys(columns)
        if column not in used
        and column not in taken
        and column not in place
        and heading(column) not in ("id", "fid", "ogc_fid")
        and heading(column) not in profile.drop
    )
    report.columns.update({column: used.get(column) for column in columns})
    report.columns.update(place)
    companions = tuple(bind(profiles()[name], columns, report) for name in profile.companions)
    report.columns.update(used)
    report.columns.update(dict.fromkeys(melted, melt.value if melt else None))
    record_id, guessed = _record_id(profile, by_heading, kept)
    return Plan(profile, tuple(bound), kept, record_id, melted, companions, guessed)


def _record_id(
    profile: Profile, by_heading: dict[str, str], kept: Sequence[str]
) -> tuple[tuple[str, ...], bool]:
    """Columns of the provider's id: the profile's, a usual name, else a spare one that ends in id.

    And whether it is the last, of which nobody has said that it is an id of each row.
    """
    spare = [heading(column) for column in kept if _ends_in_id(heading(column))]
    usual = [name for name in RECORD_ID if name not in FILE_NUMBERS]
    for group in (
        *profile.record_id,
        *((name,) for name in (*usual, *spare[:1], *sorted(FILE_NUMBERS))),
    ):
        found = tuple(by_heading[heading(name)] for name in group if heading(name) in by_heading)
        if len(found) == len(group):
            return found, group == tuple(spare[:1]) and group not in profile.record_id
    return (), False


def _ends_in_id(name: str) -> bool:
    return name.endswith("_id") or (name.endswith("id") and not name[:-2].isascii())


def _texts(array: pa.Array) -> list[str]:
    """Cells as text, none for null; also of nested and extension types."""
    return ["" if value is None else str(value) for value in array.to_pylist()]


def _storable(array: pa.Array) -> pa.Array:
    """A column as the vocabulary stores it: plain types stay, anything nested is JSON text."""
    kind = array.type
    if isinstance(array, pa.ExtensionArray):
        return _storable(array.storage)
    if pa.types.is_dictionary(kind):
        return _storable(array.dictionary_decode())
    if pa.types.is_integer(kind):
        return array.cast(pa.int64())
    if pa.types.is_floating(kind):
        return array.cast(pa.float64())
    if pa.types.is_boolean(kind) or pa.types.is_date32(kind) or kind == pa.timestamp("us", "UTC"):
        return array
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        plain = array.cast(pa.string())
        return pc.if_else(pc.equal(plain, ""), pa.scalar(None, pa.string()), plain)
    item = Property("kept", "string")
    return convert_column(array, item, Rule(), Report(""), strict=False)
