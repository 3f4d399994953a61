"""Rows of a table or layer become feature batches: mapped, placed, mended, told apart by ids."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely
from numpy.typing import NDArray

from geoshare.model.batch import FeatureBatch
from geoshare.model.collections import known
from geoshare.model.datum import Transform
from geoshare.model.mesh import side_m
from geoshare.model.report import Report
from geoshare.sources import messages, shape
from geoshare.sources.coerce import constant_column, convert_column
from geoshare.sources.plan import Plan
from geoshare.sources.repeating import RecordIds
from geoshare.sources.request import ReadRequest

MESH_SIZE = "mesh_size_m"
MAX_REFUSED_VALUES = 60  # cells of a refused row kept for the .xlsx


class Assembler:
    """Turns row batches of one layer into feature batches, and refuses rows one by one."""

    def __init__(
        self,
        plan: Plan,
        transform: Transform | None,
        report: Report,
        request: ReadRequest,
        *,
        prefix: str,
    ) -> None:
        self._plan = plan
        self._transform = transform
        self._report = report
        self._prefix = prefix
        self._watch = request.watch
        self._ids = {
            item.collection: RecordIds(report, parts=item.profile.parts, guessed=item.guessed)
            for item in (plan, *plan.companions)
        }

    def batches(
        self,
        rows: pa.RecordBatch,
        geometry: NDArray[np.object_] | None,
        numbers: NDArray[np.int64],
        spoilt: NDArray[np.bool_] | None = None,
    ) -> Iterator[FeatureBatch]:
        """Feature batches of the rows; ``numbers`` are their 1-based numbers in the source.

        ``geometry`` None: rows of a table whose place is not known, which is no fault. ``spoilt`` are
        rows whose geometry is there and cannot be read.
        """
        self._report.rows_read += rows.num_rows
        if self._watch is not None:
            self._watch(rows)
        left = np.ones(rows.num_rows, dtype=bool)
        for plan in (self._plan, *self._plan.companions):
            chosen = np.flatnonzero(left & plan.takes(rows))
            left[chosen] = False
            if len(chosen):
                some = rows if len(chosen) == rows.num_rows else rows.take(pa.array(chosen))
                places = None if geometry is None else geometry[chosen]
                bad = np.zeros(len(chosen), dtype=bool) if spoilt is None else spoilt[chosen]
                yield from self._one_plan(plan, some, places, numbers[chosen], bad)

    def _one_plan(
        self,
        plan: Plan,
        rows: pa.RecordBatch,
        geometry: NDArray[np.object_] | None,
        numbers: NDArray[np.int64],
        spoilt: NDArray[np.bool_],
    ) -> Iterator[FeatureBatch]:
        properties = _with_mesh_size(plan.collection, plan.properties(rows, self._report))
        keep = np.arange(len(numbers))
        if geometry is None:
            geometry = np.full(len(numbers), None, dtype=object)
        else:
            geometry, keep = self._shapes(plan, rows, geometry, numbers, spoilt)
        if not len(keep):
            return
        ids = plan.record_ids(rows, numbers, self._prefix)
        if len(keep) < len(numbers):
            properties = properties.take(pa.array(keep))
            rows = rows.take(pa.array(keep))
            ids = [ids[index] for index in keep]
        if plan.melted:
            yield from self._melted(plan, rows, properties, geometry[keep], ids)
            return
        yield from self._batch(plan, ids, geometry[keep], properties, title=plan.profile.layer)

    def _batch(
        self,
        plan: Plan,
        ids: list[str],
        geometry: NDArray[np.object_],
        properties: pa.Table,
        title: str = "",
    ) -> Iterator[FeatureBatch]:
        """A batch of the rows that have an id of their own, if there are any."""
        names, kept = self._ids[plan.collection].apart(plan.collection, ids, geometry, properties)
        if len(kept) < len(ids):
            geometry, properties = geometry[kept], properties.take(pa.array(kept))
        if names:
            yield FeatureBatch(plan.collection, names, geometry, properties, title=title)

    def _shapes(
        self,
        plan: Plan,
        rows: pa.RecordBatch,
        geometry: NDArray[np.object_],
        numbers: NDArray[np.int64],
        spoilt: NDArray[np.bool_],
    ) -> tuple[NDArray[np.object_], NDArray[np.int64]]:
        """Placed and mended geometry, and the rows that stay."""
        faults: shape.Faults = {}
        if self._transform is not None:
            geometry, faults = shape.place(geometry, self._transform, self._report)
        schema = known().get(plan.collection)
        mended, more = shape.mend(geometry, schema.geometry if schema else "any", self._report)
        unread = dict.fromkeys(np.flatnonzero(spoilt).tolist(), messages.geometry_unusable())
        faults = more | faults | unread
        for row in sorted(faults):
            self._report.refuse(int(numbers[row]), faults[row], refused_values(rows, row))
        keep = np.array([row for row in range(len(numbers)) if row not in faults], dtype=np.int64)
        return mended, keep

    def _melted(
        self,
        plan: Plan,
        rows: pa.RecordBatch,
        properties: pa.Table,
        geometry: NDArray[np.object_],
        ids: list[str],
    ) -> Iterator[FeatureBatch]:
        """One batch per melted column: the column's cells are the value, its name the indicator."""
        melt = plan.profile.melt
        assert melt is not None
        schema = known()[plan.collection]
        by_heading = dict(melt.columns)
        for column in plan.melted:
            name = by_heading.get(column) or next(v for k, v in by_heading.items() if _same(k, column))
            table = properties
            for target in (melt.value, "suppressed"):
                item, rule = schema.property(target), plan.profile.rules.get(target)
                if item and rule:
                    values = convert_column(rows.column(column), item, rule, self._report, strict=True)
                    table = _with(table, target, values)
            extra: dict[str, Any] = {melt.name: name, **melt.constants.get(name, {})}
            for key, value in extra.items():
                item = schema.property(key)
                if item and key not in table.column_names:
                    table = _with(table, key, constant_column(item, value, len(ids)))
            years = (
                table.column("year").to_pylist() if "year" in table.column_names else [None] * len(ids)
            )
            own = [
                f"{i}/{name}" + (f"/{year}" if year else "") for i, year in zip(ids, years, strict=True)
            ]
            yield from self._batch(plan, own, geometry, table)


def _with_mesh_size(collection: str, table: pa.Table) -> pa.Table:
    """Say the size of each mesh square as its code has it, whatever the source claims.

    Tiers decide by this size what may be seen, so a fine square must not pass for a coarse one.
    """
    schema = known().get(collection)
    if schema is None or schema.property(MESH_SIZE) is None or "mesh_code" not in table.column_names:
        return table
    claimed = table.column(MESH_SIZE).to_pylist() if MESH_SIZE in table.column_names else []
    codes = table.column("mesh_code").to_pylist()
    found = [side_m(code) if code else None for code in codes]
    sizes = [
        size if code else claim
        for code, size, claim in zip(codes, found, claimed or [None] * len(codes), strict=True)
    ]
    return _with(table, MESH_SIZE, pa.array(sizes, pa.float64()))


def _same(left: str, right: str) -> bool:
    return left.casefold() == right.casefold()


def _with(table: pa.Table, name: str, values: pa.Array) -> pa.Table:
    if name in table.column_names:
        return table.set_column(table.column_names.index(name), name, values)
    return table.append_column(name, values)


def refused_values(rows: pa.RecordBatch, row: int) -> dict[str, Any]:
    """The cells of one row as they came."""
    names = rows.schema.names[:MAX_REFUSED_VALUES]
    return {name: rows.column(name)[row].as_py() for name in names if not _is_binary(rows, name)}


def _is_binary(rows: pa.RecordBatch, name: str) -> bool:
    kind = rows.schema.field(name).type
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def has_heights(geometry: NDArray[np.object_]) -> bool:
    """Whether any geometry has a third coordinate."""
    return bool(shapely.has_z(geometry).any())


def any_text(rows: pa.RecordBatch) -> bool:
    """Whether any cell of the rows is filled."""
    return any(
        bool(pc.any(pc.is_valid(rows.column(index))).as_py()) for index in range(rows.num_columns)
    )
