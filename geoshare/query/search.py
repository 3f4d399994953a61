"""Search by name over views: Japanese in any width or kana, Latin in any case."""

from __future__ import annotations

import threading
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from weakref import WeakKeyDictionary

import numpy as np
import shapely
from numpy.typing import NDArray

from geoshare.access.view import View
from geoshare.filter.text import without_accents
from geoshare.filter.values import Words, read_column
from tiles.arrays import FeatureTable, Kind, Rows
from tiles.geometry.convert import to_shapely

NAMES: Final = ("name", "name_kana", "name_en")
STANDS: Final = ("state", "status")  # where a drill says that it is one
UNREAL: Final = ("drill", "test")
FIRST: Final = ("places", "admin_areas", "evacuation_sites", "shelters")
MAX_QUERY: Final = 100  # letters
_KATAKANA: Final = {code: code - 0x60 for code in range(0x30A1, 0x30F7)}  # to hiragana


@dataclass(frozen=True)
class Entry:
    """One spelling of a name, and the rows of one table that have it."""

    folded: str
    text: str
    table: int
    rows: NDArray[np.int32]


_index: WeakKeyDictionary[View, tuple[Rows, list[Entry]]] = WeakKeyDictionary()
_lock = threading.Lock()


def search_names(views: Sequence[View], text: str, limit: int = 10) -> list[dict[str, Any]]:
    """Features whose names hold a text: whole names first, then beginnings, then parts.

    Returns
    -------
    At most ``limit`` of ``{id, collection, name, name_en, lon_lat, bbox}``, degrees; what is a drill
    or a test has ``drill``, which says which. A line that is many features of one name (a street)
    is found once.
    """
    wanted = fold(text[:MAX_QUERY])
    if not wanted:
        return []
    hits = []
    for view in views:
        rows, entries = _entries(view)
        for entry in entries:
            if wanted in entry.folded:
                hits.append((_rank(wanted, entry, view), view, rows, entry))
    hits.sort(key=lambda hit: hit[0])
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for _, view, rows, entry in hits:
        once = view.collection.geometry == "line"
        for row in entry.rows[:1] if once else entry.rows[:limit]:
            hit = _describe(view, rows.tables[entry.table], row)
            key = (view.collection.name, str(hit["name"] if once else hit["id"]))
            found.setdefault(key, hit)
            if len(found) >= limit:
                return list(found.values())
    return list(found.values())


def fold(text: str) -> str:
    """Fold width, case, accents, kana and blanks, so that spellings of a name meet."""
    plain = without_accents(unicodedata.normalize("NFKC", text).casefold())
    return "".join(plain.translate(_KATAKANA).split())


def _rank(wanted: str, entry: Entry, view: View) -> tuple[int, int, int, str]:
    name = view.collection.name
    order = FIRST.index(name) if name in FIRST else len(FIRST)
    how = 0 if entry.folded == wanted else 1 if entry.folded.startswith(wanted) else 2
    return how, order, len(entry.folded), f"{name} {entry.text}"


def _entries(view: View) -> tuple[Rows, list[Entry]]:
    """Names a view shows, read once for as long as it is open."""
    with _lock:
        known = _index.get(view)
    if known is not None:
        return known
    rows = view.scan()
    entries = []
    for at, (table, numbers) in enumerate(rows.pairs):
        for name in dict.fromkeys((view.collection.label, *NAMES)):
            if view.fields.get(name) is Kind.STRING:
                entries += _of_column(read_column(table.column(name), numbers), numbers, at)
    with _lock:
        _index[view] = (rows, entries)
    return rows, entries


def _of_column(words: Any, numbers: NDArray[np.int32], table: int) -> list[Entry]:
    if not isinstance(words, Words) or not len(words.words):
        return []
    known, codes = numbers[words.valid], words.codes[words.valid]
    order = np.argsort(codes, kind="stable")
    cuts = np.searchsorted(codes[order], np.arange(1, len(words.words)))
    groups = np.split(known[order], cuts)
    return [
        Entry(fold(text), text, table, group)
        for text, group in zip(words.words, groups, strict=True)
        if len(group) and text
    ]


def _describe(view: View, table: FeatureTable, row: np.int32) -> dict[str, Any]:
    one = Rows((table,), (np.array([row], np.int32),))
    names = [
        name
        for name in dict.fromkeys((view.collection.label, "name", "name_en", *STANDS))
        if view.has_column(name)
    ]
    said = view.materialise(one, names, None).to_pylist()[0]
    hit = {
        "id": said["id"],
        "collection": view.collection.name,
        "name": said.get(view.collection.label) or said.get("name") or said.get("name_en"),
        "name_en": said.get("name_en"),
    }
    unreal = next((said[name] for name in STANDS if said.get(name) in UNREAL), None)
    if unreal is not None:
        hit["drill"] = unreal
    shape = to_shapely(table.geometries, one.numbers[0])[0]
    if shape is not None:
        point = shapely.point_on_surface(shape)
        digits = view.collection.decimals
        hit["lon_lat"] = [round(point.x, digits), round(point.y, digits)]
        hit["bbox"] = [round(side, digits) for side in shape.bounds]
    return hit
