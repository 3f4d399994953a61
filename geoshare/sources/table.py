"""Tables without geometry: CSV and .xlsx whose rows say where they are in columns.

Column names are looked for in the first rows, since titles, dates and notes often stand above them.
"""

from __future__ import annotations

import csv
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import shapely
from numpy.typing import NDArray

from geoshare.errors import BadData
from geoshare.model.batch import FeatureBatch
from geoshare.model.collections import known
from geoshare.model.report import Message, Report
from geoshare.sources import encoding, mesh, messages, shape, text
from geoshare.sources.assemble import Assembler, refused_values
from geoshare.sources.plan import Plan, bind
from geoshare.sources.profiles import (
    AREA,
    LATITUDE,
    LONGITUDE,
    MESH,
    PLACE_WORDS,
    RECORD_ID,
    Profile,
    choose,
    profiles,
)
from geoshare.sources.request import BATCH_ROWS, ReadRequest
from geoshare.sources.transform import layer_transform, note_mapping

HEADER_ROWS = 30
MIN_HEADER_HITS = 2
WKT = ("wkt", "geometry", "geom", "the_geom")


class CsvReader:
    """Comma-, tab- or semicolon-separated text in UTF-8, UTF-16 or cp932."""

    name = "csv"

    def recognises(self, path: Path, head: bytes) -> bool:
        """By the file name, or text with separators."""
        if path.suffix.lower() in (".csv", ".tsv", ".txt"):
            return not head.lstrip().startswith((b"{", b"<"))
        return False

    def read(self, path: Path, request: ReadRequest, report: Report) -> Iterator[FeatureBatch]:
        """Feature batches of the rows."""
        codec = request.encoding or encoding.detect(path)
        if codec is None:
            raise messages.refuse_and_note(report, messages.encoding_unknown())
        report.format = f"CSV ({codec})"
        try:
            with path.open(encoding=codec, newline="") as file:
                sample = file.read(8_192)
                file.seek(0)
                rows = csv.reader(file, delimiter=_delimiter(sample))
                yield from read_rows(rows, path.stem, request, report)
        except (UnicodeDecodeError, LookupError) as error:
            raise messages.refuse_and_note(report, messages.encoding_unknown()) from error
        except csv.Error as error:
            message = messages.broken("a table", "表", str(error))
            raise messages.refuse_and_note(report, message) from error


def _delimiter(sample: str) -> str:
    first = sample[:4_000]
    return max((",", "\t", ";"), key=lambda mark: (first.count(mark), mark == ","))


def read_rows(
    rows: Iterable[Sequence[str]], name: str, request: ReadRequest, report: Report
) -> Iterator[FeatureBatch]:
    """Feature batches of a table given as rows of texts; used by CSV and .xlsx alike.

    Raises
    ------
    BadData
        ``no-header``, ``no-place``, ``columns-shifted``, ``no-rows``.
    """
    stream = iter(rows)
    top = list(itertools.islice(stream, HEADER_ROWS))
    at = find_header(top, request)
    if at is None:
        raise messages.refuse_and_note(report, messages.no_header() if top else messages.no_rows())
    columns = column_names(top[at])
    if len(columns) > request.bounds.columns:
        message = messages.too_large("columns", "列数", request.bounds.columns)
        raise messages.refuse_and_note(report, message)
    if at:
        report.repaired(messages.title_rows(at), " ".join(filter(None, top[0]))[:80], at)
    profile = choose(columns, collection=request.collection, mapping=request.mapping, layer=name)
    place = Place(profile, columns, request, report)
    plan = bind(profile, columns, report, place=place.columns)
    note_mapping(plan, report)
    report.layers.append(name)
    assembler = Assembler(plan, place.transform, report, request, prefix=request.part)
    numbered = enumerate(itertools.chain(top[at + 1 :], stream), start=at + 2)
    for chunk in _chunks(numbered, columns, request, report):
        numbers = np.array([number for number, _ in chunk], dtype=np.int64)
        batch = _batch(columns, [cells for _, cells in chunk])
        if numbers[0] <= at + 1 + BATCH_ROWS:
            _refuse_wrong_order(plan, batch, report)
        geometry, batch, numbers = place.geometry(batch, numbers)
        if batch.num_rows:
            yield from assembler.batches(batch, geometry, numbers)


def _refuse_wrong_order(plan: Plan, batch: pa.RecordBatch, report: Report) -> None:
    """Look at whole columns before rows are refused one by one: a shifted table fails in many ways."""
    scratch = Report(report.file)
    try:
        plan.properties(batch, scratch)
    except BadData:
        report.notes.extend(scratch.notes)
        raise


def find_header(rows: Sequence[Sequence[str]], request: ReadRequest) -> int | None:
    """Index of the row that holds column names: the one that names most of what is known."""
    words = header_words()
    if isinstance(request.mapping, Mapping):
        words = words | {text.heading(column) for column in request.mapping}
    if request.collection in known():
        items = known()[request.collection].properties
        words = words | {
            text.heading(name) for item in items for name in (item.name, item.title, item.title_ja)
        }
    hits = [len({text.heading(cell) for cell in row} & words) for row in rows]
    if not hits or max(hits) < MIN_HEADER_HITS:
        return None
    return hits.index(max(hits))


def header_words() -> set[str]:
    """Every column name that some profile knows, folded."""
    found = {text.heading(name) for name in (*LATITUDE, *LONGITUDE, *MESH, *AREA, *RECORD_ID, *WKT)}
    for profile in profiles().values():
        found |= {text.heading(column) for rule in profile.rules.values() for column in rule.columns}
        found |= {text.heading(column) for column in (profile.melt.columns if profile.melt else ())}
    return found - {""}


def column_names(cells: Sequence[str]) -> list[str]:
    """Names of the columns; empty and repeated ones get a name of their own."""
    out: list[str] = []
    last = max((index for index, cell in enumerate(cells) if cell.strip()), default=-1)
    for index, cell in enumerate(cells[: last + 1]):
        name = cell.strip().replace("\n", "") or f"column_{index + 1}"
        count, fresh = 1, name
        while fresh in out:
            count += 1
            fresh = f"{name}_{count}"
        out.append(fresh)
    return out


def _chunks(
    numbered: Iterator[tuple[int, Sequence[str]]],
    columns: list[str],
    request: ReadRequest,
    report: Report,
) -> Iterator[list[tuple[int, Sequence[str]]]]:
    """Rows with their numbers, a few thousand at a time; empty ones dropped, too long ones refused."""
    waiting: list[tuple[int, Sequence[str]]] = []
    for number, cells in numbered:
        if not any(cell.strip() for cell in cells):
            continue
        if number > request.bounds.table_rows:
            message = messages.too_large("rows", "行数", request.bounds.table_rows)
            raise messages.refuse_and_note(report, message)
        if any(cell.strip() for cell in cells[len(columns) :]):
            report.rows_read += 1
            report.refuse(number, messages.row_too_long(), dict(zip(columns, cells, strict=False)))
            continue
        waiting.append((number, cells))
        if len(waiting) == BATCH_ROWS:
            yield waiting
            waiting = []
    if waiting:
        yield waiting


def _batch(columns: list[str], rows: list[Sequence[str]]) -> pa.RecordBatch:
    width = len(columns)
    padded = [[*cells[:width], *[""] * (width - len(cells))] for cells in rows]
    arrays = [
        pa.array([cells[index] or None for cells in padded], pa.string()) for index in range(width)
    ]
    return pa.record_batch(arrays, names=columns)


class Place:
    """How the rows of a table find their place: two columns, a mesh code, WKT, a code, or none."""

    def __init__(
        self, profile: Profile, columns: list[str], request: ReadRequest, report: Report
    ) -> None:
        self._report = report
        by_heading = {text.heading(column): column for column in columns}
        said = _said(request)
        self._lat = said.get("latitude") or _first(by_heading, LATITUDE)
        self._lon = said.get("longitude") or _first(by_heading, LONGITUDE)
        self._mesh = _first(by_heading, MESH)
        self._wkt = _first(by_heading, WKT)
        self.kind = self._choose(profile, by_heading, columns)
        self.columns: dict[str, str] = {}  # columns that became the geometry -> as what
        if self.kind == "point" and self._lat and self._lon:
            self.columns = {self._lat: "latitude", self._lon: "longitude"}
        elif self.kind == "wkt" and self._wkt:
            self.columns = {self._wkt: "geometry"}
        self.transform = None
        if self.kind in ("point", "mesh", "wkt"):
            self.transform = layer_transform(
                request,
                report,
                found="",
                published=profile.crs or "EPSG:6668",
                has_height=False,
                assumed=not profile.crs,
            )

    def _choose(self, profile: Profile, by_heading: dict[str, str], columns: list[str]) -> str:
        if self._lat and self._lon:
            return "point"
        if self._mesh and profile.place in ("mesh", ""):
            return "mesh"
        if self._wkt:
            return "wkt"
        if profile.place == "none" or (profile.collection == "statistics" and _first(by_heading, AREA)):
            return "none"
        message = messages.no_place(", ".join(columns)[:200])
        raise messages.refuse_and_note(self._report, message)

    def geometry(
        self, batch: pa.RecordBatch, numbers: NDArray[np.int64]
    ) -> tuple[NDArray[np.object_] | None, pa.RecordBatch, NDArray[np.int64]]:
        """Geometry of the rows, and the rows that have one."""
        if self.kind == "none":
            return None, batch, numbers
        if self.kind == "point":
            assert self._lat is not None
            assert self._lon is not None
            shapes, bad = _points(batch.column(self._lon), batch.column(self._lat))
            message = messages.coordinates_unreadable()
            self._refuse_shift(shapes, batch)
        elif self.kind == "mesh":
            codes = [
                text.fold(code or "").removesuffix(".0")
                for code in batch.column(self._mesh).to_pylist()
            ]
            shapes = mesh.squares(list(codes))
            bad, message = shapely.is_missing(shapes), messages.mesh_unknown()
        else:
            values = np.array(batch.column(self._wkt).to_pylist(), dtype=object)
            shapes, bad = shape.closed(values, shapely.from_wkt, self._report)
            message = messages.geometry_unusable()  # empty cells are told of like everybody's
        return self._without(shapes, bad, message, batch, numbers)

    def _refuse_shift(self, shapes: NDArray[np.object_], batch: pa.RecordBatch) -> None:
        """A latitude column full of words means that names and values do not belong together."""
        assert self._lat
        filled = [cell for cell in batch.column(self._lat).to_pylist() if cell and cell.strip()]
        words = [cell for cell in filled if not _is_number(cell)]
        if len(filled) >= 3 and len(words) * 2 > len(filled):
            message = messages.columns_shifted(self._lat, "numbers", "数値", words[0][:40])
            raise messages.refuse_and_note(self._report, message)

    def _without(
        self,
        shapes: NDArray[np.object_],
        bad: NDArray[np.bool_],
        message: Message,
        batch: pa.RecordBatch,
        numbers: NDArray[np.int64],
    ) -> tuple[NDArray[np.object_], pa.RecordBatch, NDArray[np.int64]]:
        if not bad.any():
            return shapes, batch, numbers
        for row in np.flatnonzero(bad).tolist():
            self._report.rows_read += 1
            self._report.refuse(int(numbers[row]), message, refused_values(batch, row))
        keep = np.flatnonzero(~bad)
        return shapes[keep], batch.take(pa.array(keep)), numbers[keep]


def _said(request: ReadRequest) -> dict[str, str]:
    """Columns that the caller names as latitude and longitude."""
    if not isinstance(request.mapping, Mapping):
        return {}
    return {target: column for column, target in request.mapping.items() if target in PLACE_WORDS}


def _first(by_heading: dict[str, str], names: Iterable[str]) -> str | None:
    return next(
        (by_heading[text.heading(name)] for name in names if text.heading(name) in by_heading), None
    )


def _is_number(cell: str) -> bool:
    try:
        return degrees(cell) is not None
    except ValueError:
        return False


def degrees(cell: str) -> float | None:
    """Degrees from decimal text or degrees, minutes, seconds (``35度41分22.4秒``, ``35°41'22.4"``)."""
    folded = text.fold(cell).lstrip("NEne").strip()
    for mark in ("度", "分", "秒", "°", "′", "″", "'", '"'):
        folded = folded.replace(mark, " ")
    parts = folded.split()
    if len(parts) in (2, 3) and all(part.replace(".", "", 1).isdigit() for part in parts):
        return float(sum(float(part) / 60.0**power for power, part in enumerate(parts)))
    return float(folded.replace("−", "-")) if folded else None


def _points(lon: pa.Array, lat: pa.Array) -> tuple[NDArray[np.object_], NDArray[np.bool_]]:
    values = np.full((len(lon), 2), np.nan)
    for axis, column in enumerate((lon, lat)):
        for row, cell in enumerate(column.to_pylist()):
            try:
                found = degrees(cell) if cell else None
            except ValueError:
                found = None
            values[row, axis] = np.nan if found is None else found
    bad = ~np.isfinite(values).all(axis=1) | (values == 0.0).all(axis=1)
    shapes = np.full(len(values), None, dtype=object)
    shapes[~bad] = shapely.points(values[~bad])
    return shapes, bad
