"""References as addresses or links, and coded values by their titles: rows with other words.

A reference of a view leads to a feature that the same policy shows, or it is not there at all
(``access.references``): so an address made of it leads to something, and says no more than the id does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, Literal
from weakref import WeakKeyDictionary

import numpy as np
import orjson
from numpy.typing import NDArray

from geoshare.access.view import View
from geoshare.filter.values import dictionary_words
from geoshare.model.collections import Property
from tiles.arrays import Column, FeatureTable, Kind, Rows

Form = Literal["key", "uri", "link"]
Word = Callable[[str], str]
Titles = Callable[[str, Sequence[str]], Mapping[str, str]]
Address = Callable[[str, str], str]
_KNOWN: WeakKeyDictionary[View, frozenset[str]] = WeakKeyDictionary()
_LISTED: Final = ("string", "array")  # types of properties whose values are ids of one collection


@dataclass(frozen=True)
class Wording:
    """How words of columns are written.

    ``address`` gives the address of a feature by its collection and id; ``titles`` the titles of
    features by those; ``language`` is that of titles of codes, none where codes stay.
    """

    form: Form
    address: Address
    titles: Titles
    language: Literal["ja", "en", ""] = ""


def refers(item: Property) -> str:
    """The one collection that a property's values are ids of; empty for every other property.

    References into several collections, and ids by role, have no place in the standard and stay ids.
    """
    names = item.references
    return names[0] if len(names) == 1 and item.type in _LISTED else ""


def references(view: View) -> frozenset[str]:
    """Names of the view's columns whose values lead to features of one collection."""
    found = _KNOWN.get(view)
    if found is None:
        found = frozenset(column.name for column in view.columns if refers(column.property))
        _KNOWN[view] = found
    return found


def reworded(view: View, rows: Rows, columns: Sequence[str], wording: Wording) -> Rows:
    """Return the rows with other words in the columns that refer, and in those that are coded.

    Parameters
    ----------
    view
        Whose columns the rows have.
    columns
        Those that are wanted; others stay as they are.

    Only words that the rows use are read, and the rows' tables leave with those alone.
    """
    changes: dict[str, tuple[Kind, Word]] = {}
    for column in view.columns:
        target = refers(column.property)
        if column.name not in columns:
            continue
        if target and wording.form != "key":
            link = _link(rows, column.name, target, wording)
            changes[column.name] = _kind(column.kind, wording.form), _linking(column.kind, link)
        elif wording.language and not target:
            titles = _titles(column.property, wording.language)
            if titles and column.kind is Kind.STRING:
                changes[column.name] = column.kind, partial(_titled, titles)
    return _changed(rows, changes) if changes else rows


def _kind(kind: Kind, form: Form) -> Kind:
    return Kind.JSON if form == "link" else kind


def _link(rows: Rows, name: str, target: str, wording: Wording) -> Callable[[str], object]:
    """What an id becomes: an address, or an object with an address and a title."""
    if wording.form == "uri":
        return lambda found: wording.address(target, found)
    words = {word for table, numbers in rows.pairs for word in _used(table.column(name), numbers)[0]}
    kind = rows.tables[0].column(name).kind
    ids = sorted({found for word in words for found in _ids(word, kind)})
    titles = wording.titles(target, ids) if ids else {}

    def link(found: str) -> dict[str, str]:
        said = {"href": wording.address(target, found)}
        return {**said, "title": titles[found]} if found in titles else said

    return link


def _linking(kind: Kind, link: Callable[[str], object]) -> Word:
    """How a word that is an id, or a JSON list of ids, is written."""

    def written(word: str) -> str:
        if kind is Kind.STRING:
            made = link(word)
            return made if isinstance(made, str) else orjson.dumps(made).decode()
        return orjson.dumps([link(found) for found in _ids(word, kind)]).decode()

    return written


def _ids(word: str, kind: Kind) -> list[str]:
    if kind is Kind.STRING:
        return [word]
    found = orjson.loads(word)
    return [item for item in found if isinstance(item, str)] if isinstance(found, list) else []


def _titled(titles: Mapping[str, str], code: str) -> str:
    return titles.get(code, code)


def _titles(item: Property, language: str) -> Mapping[str, str]:
    return item.titles_ja if language == "ja" and item.titles_ja else item.titles


def _changed(rows: Rows, changes: Mapping[str, tuple[Kind, Word]]) -> Rows:
    """The same rows of tables whose words are others; a table that comes often is made once."""
    numbers_of: dict[int, list[NDArray[np.int32]]] = {}
    for table, numbers in rows.pairs:
        numbers_of.setdefault(id(table), []).append(numbers)
    made: dict[int, FeatureTable] = {}
    for table in rows.tables:
        if id(table) not in made:
            every = np.concatenate(numbers_of[id(table)])
            made[id(table)] = _table(table, every, changes)
    return Rows(tuple(made[id(table)] for table in rows.tables), rows.numbers)


def _table(
    table: FeatureTable, numbers: NDArray[np.int32], changes: Mapping[str, tuple[Kind, Word]]
) -> FeatureTable:
    columns = tuple(
        _column(column, numbers, *changes[column.name]) if column.name in changes else column
        for column in table.columns
    )
    return replace(table, columns=columns)


def _column(column: Column, numbers: NDArray[np.int32], kind: Kind, word: Word) -> Column:
    """A column whose chosen rows have other words; the slots of other rows say nothing."""
    words, places = _used(column, numbers)
    new = np.zeros(len(column), np.int32)
    valid = np.zeros(len(column), np.uint8)
    known = places >= 0
    new[numbers[known]] = places[known]
    valid[numbers[known]] = 1
    offsets, texts = _dictionary(word(said) for said in words)
    return Column(column.name, kind, new, valid, offsets, texts)


def _used(column: Column, numbers: NDArray[np.int32]) -> tuple[list[str], NDArray[np.int32]]:
    """The words of chosen rows, and the place of each row's word among them; -1: null."""
    known = np.ones(len(numbers), bool) if column.valid is None else column.valid[numbers].astype(bool)
    places = np.full(len(numbers), -1, np.int32)
    if not known.any():
        return [], places
    used, inverse = np.unique(column.values[numbers[known]].astype(np.int64), return_inverse=True)
    places[known] = inverse
    return dictionary_words(column, used), places


def _dictionary(words: Iterable[str]) -> tuple[NDArray[np.int32], NDArray[np.uint8]]:
    encoded = [word.encode() for word in words]
    offsets = np.zeros(len(encoded) + 1, np.int32)
    np.cumsum([len(word) for word in encoded], out=offsets[1:])
    return offsets, np.frombuffer(b"".join(encoded), np.uint8)
