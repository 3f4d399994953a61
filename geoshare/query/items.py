"""Pages of features: filtered, counted and ordered on what a view shows.

The order is that of the Hilbert curve through the visible geometry, ties by id, so that no row's place
depends on a row that is hidden, nor on when parts were folded together.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import orjson
from numpy.typing import NDArray

from geoshare.access.order import Flat, Place, flatten, leading, place_of
from geoshare.access.view import View
from geoshare.errors import BadRequest
from geoshare.filter import CQL2_TEXT, Expression, Meter, check, evaluate, parse
from geoshare.filter.crs import CRS84
from geoshare.filter.spatial import extent
from geoshare.model.box import Box
from geoshare.model.times import Interval, parse_interval
from geoshare.query.cursors import Cursors
from geoshare.query.select import in_box, in_interval
from tiles.arrays import FeatureTable, Rows
from tiles.grid import lon_lat_box_to_world

MAX_LIMIT = 100_000


@dataclass(frozen=True, slots=True)
class ItemsQuery:
    """Which features of a view, and how many of them at a time.

    ``datetime`` is RFC 3339 text; ``filter`` is CQL2 in the language ``filter_lang`` with geometries in
    ``filter_crs``; ``properties`` are those to return.
    """

    bbox: Box | None = None
    datetime: str | None = None
    limit: int = 100
    cursor: str | None = None
    properties: tuple[str, ...] | None = None
    filter: str | None = None
    filter_lang: str = CQL2_TEXT
    filter_crs: str = CRS84

    def digest(self, view: View) -> str:
        """Fingerprint of everything that decides which rows there are, and of the view."""
        said = [
            view.policy_hash,
            view.collection.name,
            self.bbox and list(self.bbox),
            self.datetime,
            self.filter and [self.filter, self.filter_lang, self.filter_crs],
        ]
        return hashlib.blake2b(orjson.dumps(said), digest_size=8).hexdigest()


@dataclass(frozen=True)
class ItemsPage:
    """Rows of one page, how many rows there are on all pages, and where the next one starts."""

    view: View
    rows: Rows
    number_matched: int
    next_cursor: str | None
    columns: tuple[str, ...]

    def geojson(self) -> bytes:
        """Comma-joined GeoJSON features of the page."""
        return self.view.geojson(self.rows, self.columns)


def items(view: View, query: ItemsQuery, cursors: Cursors) -> ItemsPage:
    """Return one page.

    Raises
    ------
    BadRequest
        naming the parameter, for an unknown property, a filter that does not fit, a cursor of another
        request, or a time that cannot be read.
    """
    columns = _columns(view, query.properties)
    after = None if query.cursor is None else _read_cursor(query.cursor, query.digest(view), cursors)
    expression = None
    if query.filter is not None:
        expression = parse_filter(view, query.filter, query.filter_lang, query.filter_crs)
    found = matching(view, query.bbox, query.datetime, expression)
    limit = max(1, min(query.limit, MAX_LIMIT))
    page = leading(found, limit + 1, after)
    following = None
    if len(page) > limit:
        page = page.first(limit)
        following = cursors.seal(query.digest(view), *place_of(page, limit - 1))
    return ItemsPage(view, page, len(found), following, columns)


def matching(
    view: View,
    bbox: Box | None = None,
    datetime: str | None = None,
    filter: Expression | str | None = None,
) -> Rows:
    """All rows of a view that meet a box, a time and a filter (text: CQL2), in no particular order.

    Raises
    ------
    BadRequest
        for a filter or a time that does not fit.
    TooLarge
        for a filter that is too costly on the rows of the view that it is asked of.
    """
    expression = parse_filter(view, filter) if isinstance(filter, str) else filter
    interval = parse_interval(datetime) if datetime is not None else None
    rows = _candidates(view, bbox, expression)
    if bbox is None and interval is None and expression is None:
        return rows
    meter = Meter()
    chosen = [
        _choose(view, table, numbers, bbox, interval, expression, meter)
        for table, numbers in rows.pairs
    ]
    return Rows(rows.tables, tuple(chosen))


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
    return check(parse(text, lang, crs), view.fields)


def _choose(
    view: View,
    table: FeatureTable,
    numbers: NDArray[np.int32],
    bbox: Box | None,
    interval: Interval | None,
    expression: Expression | None,
    meter: Meter,
) -> NDArray[np.int32]:
    if bbox is not None:
        numbers = in_box(table, numbers, bbox)
    if interval is not None:
        numbers = numbers[in_interval(view, table, numbers, interval)]
    if expression is not None:
        numbers = numbers[evaluate(expression, table, numbers, meter)]
    return numbers


def _columns(view: View, wanted: tuple[str, ...] | None) -> tuple[str, ...]:
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
        raise BadRequest(
            "The cursor is not of this request.",
            parameter="cursor",
            allowed="one taken from a next link",
        ) from error
