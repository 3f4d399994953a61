"""Pages of features: filtered, counted and ordered on what a view shows.

The order is that of the Hilbert curve through the visible geometry, ties by id, so that no row's place
depends on a row that is hidden, nor on when parts were folded together; or that of the properties to
sort by. Where counting all that a filter finds would cost too much, the page is found by asking the
rows in their order until it is full, and not counted.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np
import orjson
from numpy.typing import NDArray

from geoshare.access.order import Flat, Place, flatten, in_order, leading, place_of
from geoshare.access.view import View
from geoshare.errors import BadRequest, TooLarge
from geoshare.filter import CQL2_TEXT, Expression, Meter, check, evaluate, narrow, parse
from geoshare.filter.crs import CRS84
from geoshare.filter.spatial import extent
from geoshare.model.box import Box
from geoshare.model.times import Interval, parse_interval
from geoshare.query.cursors import Cursors
from geoshare.query.equal import has_value
from geoshare.query.projected import geojson_in
from geoshare.query.select import in_box, in_heights, in_interval
from geoshare.query.sorting import SortKey, parse_sortby, sorted_page
from tiles.arrays import FeatureTable, Kind, Rows
from tiles.grid import lon_lat_box_to_world

MAX_LIMIT: Final = 100_000
COUNTING: Final = 2_000_000_000  # units of cost that finding and counting every match may take
WALKING: Final = 3_000_000_000  # and that finding a page alone may take
_REMEMBERED_TEXT: Final = 2_000  # letters of a filter that is read once for many requests
_STRIDE: Final = 20_000  # rows that are asked at a time


@dataclass(frozen=True, slots=True)
class ItemsQuery:
    """Which features of a view, and how many of them at a time.

    ``datetime`` is RFC 3339 text; ``filter`` is CQL2 in the language ``filter_lang`` with geometries in
    ``filter_crs``; ``properties`` are those to return. ``area`` is a polygon in CRS84 as a GeoJSON
    geometry, where a box of another system has no ``bbox``; ``heights`` are metres from and to, ends
    included; ``sortby`` names properties, e.g. ``name,-width_m``; ``equal`` are names of properties
    and texts of the values that features must have.
    """

    bbox: Box | None = None
    datetime: str | None = None
    limit: int = 100
    cursor: str | None = None
    properties: tuple[str, ...] | None = None
    filter: str | None = None
    filter_lang: str = CQL2_TEXT
    filter_crs: str = CRS84
    area: dict[str, Any] | None = None
    heights: tuple[float, float] | None = None
    sortby: str | None = None
    equal: tuple[tuple[str, str], ...] = ()

    def digest(self, view: View) -> str:
        """Fingerprint of everything that decides which rows there are, and of the view."""
        said = [
            view.policy_hash,
            view.collection.name,
            self.bbox and list(self.bbox),
            self.datetime,
            self.filter and [self.filter, self.filter_lang, self.filter_crs],
            self.area,
            self.heights,
            self.sortby,
            *([self.equal] if self.equal else []),
        ]
        return hashlib.blake2b(orjson.dumps(said), digest_size=8).hexdigest()


@dataclass(frozen=True)
class ItemsPage:
    """Rows of one page, how many there are on all pages if that is known, where the next one starts."""

    view: View
    rows: Rows
    number_matched: int | None
    next_cursor: str | None
    columns: tuple[str, ...]

    def geojson(self, crs: str = CRS84) -> bytes:
        """Comma-joined GeoJSON features of the page, geometries in a system of ``model.crs``."""
        return geojson_in(self.view, self.rows, self.columns, crs)


def items(view: View, query: ItemsQuery, cursors: Cursors) -> ItemsPage:
    """Return one page.

    Raises
    ------
    BadRequest
        naming the parameter, for an unknown property, a filter that does not fit, a cursor of another
        request, or a time that cannot be read.
    """
    columns = chosen_columns(view, query.properties)
    keys = None if query.sortby is None else parse_sortby(view, query.sortby)
    expression = _expression(view, query)
    limit = max(1, min(query.limit, MAX_LIMIT))
    if keys is not None:
        return _sorted(view, query, keys, expression, limit, columns, cursors)
    after = None if query.cursor is None else _read_cursor(query.cursor, query.digest(view), cursors)
    try:
        found = _found(view, query, expression, Meter(COUNTING))
        page, matched = leading(found, limit + 1, after), len(found)
    except TooLarge:
        page, matched = _walked(view, query, expression, limit + 1, after), None
    following = None
    if len(page) > limit:
        page = page.first(limit)
        following = cursors.seal(query.digest(view), *place_of(page, limit - 1))
    return ItemsPage(view, page, matched, following, columns)


def _sorted(
    view: View,
    query: ItemsQuery,
    keys: tuple[SortKey, ...],
    expression: Expression | None,
    limit: int,
    columns: tuple[str, ...],
    cursors: Cursors,
) -> ItemsPage:
    """One page in the order of properties; every match is found for it."""
    digest = query.digest(view)
    found = _found(view, query, expression, Meter())
    try:
        after = None if query.cursor is None else cursors.open_values(digest, query.cursor)
        page, place = sorted_page(found, keys, limit, after)
    except ValueError as error:
        raise _wrong_cursor() from error
    following = None if place is None else cursors.seal_values(digest, place)
    return ItemsPage(view, page, len(found), following, columns)


def _expression(view: View, query: ItemsQuery) -> Expression | None:
    """The filter, with the area and the values to have as more conditions of it."""
    conditions = [has_value(view, name, text) for name, text in query.equal]
    if query.area is not None:
        conditions.append({"op": "s_intersects", "args": [{"property": "geometry"}, query.area]})
    if query.filter is None:
        return check(_all(conditions), view.fields) if conditions else None
    if not conditions:
        return parse_filter(view, query.filter, query.filter_lang, query.filter_crs)
    tree = parse(query.filter, query.filter_lang, query.filter_crs)
    check(tree, view.fields)  # alone, so that what is wrong with it is said of it
    return check(_all([*conditions, tree]), view.fields)


def _all(conditions: list[Any]) -> Any:
    return conditions[0] if len(conditions) == 1 else {"op": "and", "args": conditions}


def matching(
    view: View,
    bbox: Box | None = None,
    datetime: str | None = None,
    filter: Expression | str | None = None,
    *,
    ordered: bool = True,
) -> Rows:
    """All rows of a view that meet a box, a time and a filter (text: CQL2), in the order of its pages.

    ``ordered=False`` is for those who only count them: then they come part by part, and which part a
    row lies in tells of changes that the view does not show.

    Raises
    ------
    BadRequest
        for a filter or a time that does not fit.
    TooLarge
        for a filter that is too costly on the rows of the view that it is asked of.
    """
    expression = parse_filter(view, filter) if isinstance(filter, str) else filter
    found = _found(view, ItemsQuery(bbox, datetime), expression, Meter())
    return in_order(found) if ordered else found


def _found(view: View, query: ItemsQuery, expression: Expression | None, meter: Meter) -> Rows:
    interval = parse_interval(query.datetime) if query.datetime is not None else None
    rows = _candidates(view, query.bbox, expression)
    if query.bbox is None and interval is None and expression is None and query.heights is None:
        return rows
    chosen = [
        _choose(view, table, numbers, query, interval, expression, meter)
        for table, numbers in rows.pairs
    ]
    return Rows(rows.tables, tuple(chosen))


def _walked(
    view: View, query: ItemsQuery, expression: Expression | None, count: int, after: Place | None
) -> Rows:
    """The first ``count`` matches after a place, by asking rows in their order and no more than needed.

    Raises
    ------
    TooLarge
        where that costs too much as well.
    """
    interval = parse_interval(query.datetime) if query.datetime is not None else None
    flat, places = arrange(_candidates(view, query.bbox, expression))
    if after is not None:
        places = _beyond(flat, places, after)
    meter, pairs, left = Meter(WALKING), [], count
    for start in range(0, len(places), _STRIDE):
        for table, numbers in flat.rows(places[start : start + _STRIDE]).pairs:
            chosen = _choose(view, table, numbers, query, interval, expression, meter)[:left]
            left -= len(chosen)
            pairs.append((table, chosen))
        if left == 0:
            break
    pairs = [pair for pair in pairs if len(pair[1])]
    if not pairs:
        return Rows(flat.tables[:1], (np.zeros(0, np.int32),))
    return Rows(tuple(table for table, _ in pairs), tuple(numbers for _, numbers in pairs))


def _beyond(flat: Flat, places: NDArray[np.intp], after: Place) -> NDArray[np.intp]:
    """Those of the places, which are in order, that come after one."""
    keys, key = flat.key[places], np.uint64(after[0])
    first, last = np.searchsorted(keys, key, "left"), np.searchsorted(keys, key, "right")
    tied = places[first:last]
    later = np.array([name > after[1] for name in flat.ids(tied)], bool)
    return np.concatenate([tied[later], places[last:]])


def _candidates(view: View, bbox: Box | None, expression: Expression | None) -> Rows:
    """Rows near the box, or near what the filter says of place where that is smaller."""
    near = None if expression is None else expression.boxes
    if bbox is not None:
        boxes = lon_lat_box_to_world(*bbox)
        sides = tuple((int(w), int(s), int(e), int(n)) for w, s, e, n in boxes)
        if near is None or extent(sides) <= extent(near):
            return view.search(bbox, ordered=False)
    if near is None:
        return view.scan(ordered=False)
    return view.search(np.array(near, np.int64).reshape(-1, 4), ordered=False)


def arrange(rows: Rows) -> tuple[Flat, NDArray[np.intp]]:
    """Put rows of a view into the order of its pages: the rows, and their places in that order."""
    found = flatten(rows)
    return found, found.first(np.arange(len(found)), len(found))


def parse_filter(view: View, text: str, lang: str = CQL2_TEXT, crs: str = CRS84) -> Expression:
    """Read a filter over the visible columns; BadRequest for anything else."""
    if len(text) > _REMEMBERED_TEXT:
        return check(parse(text, lang, crs), view.fields)
    return _read_filter(text, lang, crs, tuple(view.fields.items()))


@lru_cache(maxsize=512)
def _read_filter(text: str, lang: str, crs: str, fields: tuple[tuple[str, Kind], ...]) -> Expression:
    """The same text over the same columns is the same expression, whoever asks."""
    return check(parse(text, lang, crs), dict(fields))


def _choose(
    view: View,
    table: FeatureTable,
    numbers: NDArray[np.int32],
    query: ItemsQuery,
    interval: Interval | None,
    expression: Expression | None,
    meter: Meter,
) -> NDArray[np.int32]:
    if expression is not None:
        numbers = narrow(expression, table, numbers, meter)
    if query.bbox is not None:
        numbers = in_box(table, numbers, query.bbox)
    if interval is not None:
        numbers = numbers[in_interval(view, table, numbers, interval)]
    if query.heights is not None:
        numbers = numbers[in_heights(table, numbers, *query.heights)]
    if expression is not None and expression.rest is not None:
        numbers = numbers[evaluate(expression.rest, table, numbers, meter)]
    return numbers


def chosen_columns(view: View, wanted: tuple[str, ...] | None) -> tuple[str, ...]:
    """The columns that are wanted, all where None are named. Raises BadRequest for others."""
    names = tuple(view.fields)
    if wanted is None:
        return names
    if any(name not in names for name in wanted):
        allowed = ", ".join(names)
        raise BadRequest("There is no such property.", parameter="properties", allowed=allowed)
    return tuple(name for name in names if name in wanted)


def _read_cursor(text: str, request: str, cursors: Cursors) -> Place:
    try:
        return cursors.open(request, text)
    except ValueError as error:
        raise _wrong_cursor() from error


def _wrong_cursor() -> BadRequest:
    return BadRequest(
        "The cursor is not of this request.",
        parameter="cursor",
        allowed="one taken from a next link",
    )
