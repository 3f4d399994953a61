"""Record ids that come twice in a file: said again, or of two things that differ.

A row that says the same as an earlier one of its id is left out, so that nothing is there twice. Where
rows of one id differ nobody knows which one is meant: each is kept, the later ones with a number behind
their id and known in this file alone, and both are told with their places, so that nothing is lost and
nothing happens in silence.
"""

from __future__ import annotations

from array import array
from typing import Final

import numpy as np
import pyarrow as pa
import shapely
from numpy.typing import NDArray

from geoshare.model.findings import Finding, Severity
from geoshare.model.report import Report
from geoshare.sources import messages

CONTRADICTS: Final = "geoshare:id.contradicts"
REPEATS: Final = "geoshare:id.repeats"
_COMPARED: Final = 16  # rows of one id that a later one is compared with
_MIX: Final = 1_000_003  # of two hashes: odd, so that nothing of the first is lost


class RecordIds:
    """Keeps record ids of one collection apart.

    Parameters
    ----------
    report
        Is told what repeats.
    parts
        The format repeats an id for the parts of one thing: they are numbered without a word.
    guessed
        Whether the column of the ids is one by its name alone: then rows of one id may well be several
        things, none is left out, and that they differ is a warning.
    """

    def __init__(self, report: Report, *, parts: bool = False, guessed: bool = False) -> None:
        self._report = report
        self._parts = parts
        self._severity: Severity = "warning" if guessed else "error"
        self._keeps_all = parts or guessed
        self._rows: dict[int, int] = {}  # hash of an id -> the row that has it
        self._counts: dict[int, int] = {}  # hash of an id that repeats -> its last number
        self._prints, self._lon, self._lat = array("q"), array("d"), array("d")  # by row

    def apart(
        self, collection: str, ids: list[str], geometry: NDArray[np.object_], table: pa.Table
    ) -> tuple[list[str], NDArray[np.intp]]:
        """The rows that stay, by their place in the batch, and the id of each.

        Parameters
        ----------
        ids, geometry, table
            Of the rows of one batch: record ids, shapes in longitude and latitude or None, properties.
        """
        base = len(self._prints)
        self._remember(ids, geometry, table)
        names: list[str] = []
        kept: list[int] = []
        found: list[Finding] = []
        for row, name in enumerate(ids):
            fresh = name
            if self._rows.setdefault(hash(name), base + row) != base + row:
                again = self._again(collection, name, base + row, found)
                if again is None:
                    continue
                fresh = again
            names.append(fresh)
            kept.append(row)
        if found:
            self._report.find(found)
        return names, np.array(kept, dtype=np.intp)

    def _again(self, collection: str, name: str, row: int, found: list[Finding]) -> str | None:
        """The id of a row whose own is taken; None where it only says what another has said."""
        first = self._rows[hash(name)]
        last = self._counts.get(hash(name), 1)
        if not self._keeps_all:
            numbers = range(1, min(last, _COMPARED) + 1)
            rows = (self._rows[hash(self._numbered(name, number))] for number in numbers)
            if any(self._prints[one] == self._prints[row] for one in rows):
                self._report.repaired(messages.same_row(), name)
                found.append(_said_again(collection, name, self._place(row)))
                return None
        number = last + 1
        while hash(self._numbered(name, number)) in self._rows:  # another row is called so
            number += 1
        fresh = self._numbered(name, number)
        self._rows[hash(fresh)] = row
        self._counts[hash(name)] = number
        if not self._parts:
            self._report.repaired(messages.duplicate_id(), name)
            places = self._place(first), self._place(row)
            if last == 1:
                found.append(self._differs(collection, name, fresh, places, second=False))
            found.append(self._differs(collection, name, fresh, places, second=True))
        return fresh

    def _differs(
        self,
        collection: str,
        name: str,
        fresh: str,
        places: tuple[tuple[float, float] | None, tuple[float, float] | None],
        *,
        second: bool,
    ) -> Finding:
        """One of two things of the same id, with the place of the other."""
        here, there = places[::-1] if second else places
        en, ja = _where(here, there)
        return Finding(
            CONTRADICTS,
            self._severity,
            f"{collection}/{fresh if second else name}",
            f"The id {name!r} stands for two things that differ: this one and one {en}. "
            f"The first is known by it, the other in this file alone, as {fresh!r}: "
            "give each an id of its own.",
            f"ID「{name}」が内容の異なる2つの地物に付いています(もう一方は{ja})。"
            f"1件目を「{name}」、もう一方を「{fresh}」(このファイル内のみの名前)として扱います。別々のIDを付けてください。",
            here,
        )

    def _remember(self, ids: list[str], geometry: NDArray[np.object_], table: pa.Table) -> None:
        """What is needed of each row to compare it with later ones: 24 bytes."""
        shapes = geometry.copy()
        shapes[shapely.is_empty(shapes)] = None
        places = np.full((len(ids), 2), np.nan)
        there = np.flatnonzero(~shapely.is_missing(shapes))
        coordinates, of_shape = shapely.get_coordinates(shapes[there], return_index=True)
        _, firsts = np.unique(of_shape, return_index=True)
        places[there] = coordinates[firsts]
        made_up = all(name.startswith("#") for name in ids)  # places in the file: nothing repeats
        prints = (
            np.zeros(len(ids), np.int64) if made_up or self._keeps_all else _prints(geometry, table)
        )
        self._prints.frombytes(prints.tobytes())
        self._lon.frombytes(np.ascontiguousarray(places[:, 0]).tobytes())
        self._lat.frombytes(np.ascontiguousarray(places[:, 1]).tobytes())

    def _numbered(self, name: str, number: int) -> str:
        """The id of a row whose own is taken.

        A mark before it ties it to files of this name: an id that the provider gave to something else,
        in this file or another, is never taken for it.
        """
        if number == 1:
            return name
        mark = "" if self._keeps_all or name.startswith("#") else "#"
        return f"{mark}{name}~{number}"

    def _place(self, row: int) -> tuple[float, float] | None:
        lon, lat = self._lon[row], self._lat[row]
        return None if lon != lon else (round(lon, 7), round(lat, 7))


def _prints(geometry: NDArray[np.object_], table: pa.Table) -> NDArray[np.int64]:
    """A hash of all that each row says; equal rows have equal ones."""
    found = np.array([hash(shape) for shape in shapely.to_wkb(geometry).tolist()], np.int64)
    for column in table.columns:
        values = column.combine_chunks()
        if isinstance(values, pa.ChunkedArray):
            values = pa.concat_arrays(values.chunks) if values.num_chunks else pa.nulls(0)
        found = found * np.int64(_MIX) ^ _hashed(values)
    return found


def _hashed(values: pa.Array) -> NDArray[np.int64]:
    """A hash of each value; of each distinct one it is made once."""
    if pa.types.is_nested(values.type) or isinstance(values, pa.ExtensionArray):
        return np.array([hash(str(value)) for value in values.to_pylist()], np.int64)
    if pa.types.is_null(values.type):
        return np.zeros(len(values), np.int64)
    coded = values if pa.types.is_dictionary(values.type) else values.dictionary_encode()
    distinct = [0, *(hash(str(value)) for value in coded.dictionary.to_pylist())]
    places = coded.indices.fill_null(-1).to_numpy(zero_copy_only=False) + 1
    found: NDArray[np.int64] = np.array(distinct, np.int64)[places]
    return found


def _said_again(collection: str, name: str, place: tuple[float, float] | None) -> Finding:
    return Finding(
        REPEATS,
        "warning",
        f"{collection}/{name}",
        f"The id {name!r} comes more than once, and says the same each time: it was taken once.",
        f"ID「{name}」の同じ内容が複数回あるため、1件として取り込みます。",
        place,
    )


def _where(here: tuple[float, float] | None, there: tuple[float, float] | None) -> tuple[str, str]:
    """Where the other one is, in English and Japanese."""
    if there is None:
        return "without a place", "位置なし"
    if here == there:
        return "at the same place", "同じ位置"
    lon, lat = there
    return f"at {lon:g}, {lat:g}", f"経度{lon:g}、緯度{lat:g}"
