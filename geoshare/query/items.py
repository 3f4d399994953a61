"""Pages of features: filtered, counted and ordered on what a view shows.

The order is that of the Hilbert curve through the visible geometry, ties by id, so that no row's place
depends on a row that is hidden, nor on when parts were folded together.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import orjson
from itsdangerous import BadData
from numpy.typing import NDArray

from geoshare.access.order import Flat, flatten
from geoshare.access.view import View
from geoshare.errors import BadRequest
from geoshare.filter import Expression, check, evaluate, parse_text
from geoshare.model.box import Box
from geoshare.model.times import Interval, parse_interval
from geoshare.query.select import in_box, in_interval
from tiles.arrays import FeatureTable, Rows

Mask = NDArray[np.bool_]
MAX_LIMIT = 100_000


class Signer(Protocol):
    """Signs cursors, so that they come back as they were given; itsdangerous has it."""

    def dumps(self, obj: Any) -> str | bytes:
        """Sign a value."""
        ...

    def loads(self, s: str | bytes) -> Any:
        """Return a signed value; itsdangerous.BadData for any other text."""
        ...


@dataclass(frozen=True, slots=True)
class ItemsQuery:
    """Which features of a view, and how many of them at a time.

    ``datetime`` is RFC 3339 text; ``filter`` is CQL2 text; ``properties`` are those to return.
    """

    bbox: Box | None = None
    datetime: str | None = None
    limit: int = 100
    cursor: str | None = None
    properties: tuple[str, ...] | None = None
    filter: str | None = None

    def digest(self, view: View) -> str:
        """Fingerprint of everything that decides which rows there are, and of the view."""
        said = [
            view.policy_hash,
            view.collection.name,
            self.bbox and list(self.bbox),
            self.datetime,
            self.filter,
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


def items(view: View, query: ItemsQuery, signer: Signer) -> ItemsPage:
    """Return one page.

    Raises
    ------
    BadRequest
        naming the parameter, for an unknown property, a filter that does not fit, a cursor of another
        request, or a time that cannot be read.
    """
    columns = _columns(view, query.properties)
    found = flatten(matching(view, query.bbox, query.datetime, query.filter))
    limit = max(1, min(query.limit, MAX_LIMIT))
    later = np.arange(len(found))
    if query.cursor is not None:
        key, last_id = _read_cursor(query.cursor, query.digest(view), signer)
        later = _after(found, key, last_id)
    order = found.first(later, limit + 1)
    page, more = order[:limit], len(order) > limit
    cursor = None
    if more:
        last = page[-1:]
        said = [query.digest(view), int(found.key[last][0]), found.ids(last)[0]]
        signed = signer.dumps(said)
        cursor = signed if isinstance(signed, str) else signed.decode()
    return ItemsPage(view, found.rows(page), len(found), cursor, columns)


def matching(
    view: View, bbox: Box | None = None, datetime: str | None = None, filter: str | None = None
) -> Rows:
    """All rows of a view that meet a box, a time and a CQL2 text, in no particular order."""
    expression = parse_filter(view, filter) if filter is not None else None
    interval = parse_interval(datetime) if datetime is not None else None
    rows = view.scan() if bbox is None else view.search(bbox)
    if bbox is None and interval is None and expression is None:
        return rows
    chosen = [
        _choose(view, table, numbers, bbox, interval, expression) for table, numbers in rows.pairs
    ]
    return Rows(rows.tables, tuple(chosen))


def arrange(rows: Rows) -> tuple[Flat, NDArray[np.intp]]:
    """Put rows of a view into the order of its pages: the rows, and their places in that order."""
    found = flatten(rows)
    return found, found.first(np.arange(len(found)), len(found))


def parse_filter(view: View, text: str) -> Expression:
    """Read a CQL2 text over the visible columns; BadRequest for anything else."""
    return check(parse_text(text), view.fields)


def _choose(
    view: View,
    table: FeatureTable,
    numbers: NDArray[np.int32],
    bbox: Box | None,
    interval: Interval | None,
    expression: Expression | None,
) -> NDArray[np.int32]:
    if bbox is not None:
        numbers = numbers[in_box(table, numbers, bbox)]
    if interval is not None:
        numbers = numbers[in_interval(view, table, numbers, interval)]
    if expression is not None:
        numbers = numbers[evaluate(expression, table, numbers)]
    return numbers


def _columns(view: View, wanted: tuple[str, ...] | None) -> tuple[str, ...]:
    names = tuple(column.name for column in view.columns)
    if wanted is None:
        return names
    if any(name not in names for name in wanted):
        allowed = ", ".join(names)
        raise BadRequest("There is no such property.", parameter="properties", allowed=allowed)
    return tuple(name for name in names if name in wanted)


def _after(found: Flat, key: int, last_id: str) -> NDArray[np.intp]:
    """Places that come after (key, id)."""
    same = np.flatnonzero(found.key == np.uint64(key))
    later = np.array([name > last_id for name in found.ids(same)], bool)
    return np.concatenate([np.flatnonzero(found.key > np.uint64(key)), same[later]])


def _read_cursor(cursor: str, digest: str, signer: Signer) -> tuple[int, str]:
    wrong = BadRequest(
        "The cursor is not of this request.", parameter="cursor", allowed="one taken from a next link"
    )
    try:
        said = signer.loads(cursor)
    except BadData as error:
        raise wrong from error
    if not (isinstance(said, list) and len(said) == 3 and said[0] == digest):
        raise wrong
    return int(said[1]), str(said[2])
