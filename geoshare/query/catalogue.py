"""The catalogue: one record of each collection that a caller may know, and how records are found.

A record is a summary of a view, in the core profile of OGC API - Records - Part 1 (OGC 20-004r1). It
says what the view's own metadata say and nothing more.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, Literal

from geoshare.access.outline import Outline
from geoshare.access.view import RasterView, View
from geoshare.model.box import Box
from geoshare.model.times import Interval, iso
from geoshare.query.search import fold

Access = Literal["open", "restricted"]
DATASET: Final = "dataset"  # the only type of record; of Dublin Core's vocabulary of types
MAX_TERMS: Final = 20


@dataclass(frozen=True, slots=True)
class Entry:
    """What the catalogue says of one collection.

    ``box`` is in degrees; ``interval`` is the time its features or pictures are of, None where they
    have none. ``licences`` are SPDX identifiers or ``LicenseRef-agreement``.
    """

    id: str
    title: str
    title_ja: str
    description: str
    description_ja: str
    keywords: tuple[str, ...]
    kind: str
    box: Box | None
    interval: tuple[int | None, int | None] | None
    licences: tuple[str, ...]
    access: Access

    def texts(self) -> Iterable[str]:
        """What ``q`` looks through."""
        yield from (self.id, self.title, self.title_ja, self.description, self.description_ja)
        yield from self.keywords


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which records are asked for; what is None or empty asks for nothing.

    ``q`` holds terms parted by commas, of which one must be found; blanks within a term are part of it
    (OGC 20-004r1, 8.4). ``ids`` are names of collections.
    """

    q: str = ""
    box: Box | None = None
    interval: Interval | None = None
    types: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()


def entry(view: View | RasterView | Outline, licences: Iterable[str], access: Access) -> Entry:
    """The record of what one caller sees of a collection."""
    about = view.collection
    shown = [item for item in about.properties if view.has_column(item.name)]
    words = (word for item in shown for word in (item.title_ja, item.title))
    return Entry(
        id=about.name,
        title=about.title,
        title_ja=about.title_ja,
        description=about.description or about.title,
        description_ja=about.schema.get("x-description-ja", ""),
        keywords=tuple(dict.fromkeys(word for word in words if word)),
        kind=about.kind,
        box=view.extent,
        interval=view.time_extent,
        licences=tuple(licences),
        access=access,
    )


def matching(entries: Iterable[Entry], wanted: Wanted) -> list[Entry]:
    """The records that are asked for, by the names of their collections.

    A record without an extent is in no box; one without a time is of all times (OGC 17-069r4, 7.15.3
    and 7.15.4).
    """
    terms = [fold(term) for term in wanted.q.split(",")[:MAX_TERMS]]
    found = (item for item in entries if _is_wanted(item, wanted, [term for term in terms if term]))
    return sorted(found, key=lambda item: item.id)


def _is_wanted(item: Entry, wanted: Wanted, terms: list[str]) -> bool:
    if wanted.ids and item.id not in wanted.ids:
        return False
    if wanted.types and DATASET not in wanted.types:
        return False
    if wanted.box is not None and (item.box is None or not _meet(item.box, wanted.box)):
        return False
    if wanted.interval is not None and not _in_time(item.interval, wanted.interval):
        return False
    if not wanted.q.strip():
        return True
    texts = [fold(text) for text in item.texts()]
    return any(term in text for term in terms for text in texts)


def _meet(one: Box, other: Box) -> bool:
    if one.south > other.north or other.south > one.north:
        return False
    return any(a <= d and c <= b for a, b in _spans(one) for c, d in _spans(other))


def _spans(box: Box) -> list[tuple[float, float]]:
    """West and east of the parts of a box on either side of the antimeridian."""
    if box.west <= box.east:
        return [(box.west, box.east)]
    return [(box.west, 180.0), (-180.0, box.east)]


def _in_time(span: tuple[int | None, int | None] | None, wanted: Interval) -> bool:
    if span is None:
        return True
    start, end = span
    late = wanted.end_us is not None and start is not None and start > wanted.end_us
    early = wanted.start_us is not None and end is not None and end < wanted.start_us
    return not late and not early


def record(item: Entry, links: list[dict[str, Any]]) -> dict[str, Any]:
    """The record as a GeoJSON feature; coordinates are longitude, latitude in degrees (CRS84)."""
    said: dict[str, Any] = {
        "type": DATASET,
        "title": item.title,
        "title_ja": item.title_ja,
        "description": item.description,
        "keywords": list(item.keywords),
        "language": {"code": "en", "name": "English"},
        "languages": [{"code": "en", "name": "English"}, {"code": "ja", "name": "日本語"}],
        "license": _expression(item.licences),
        "rights": item.access,
        "kind": item.kind,
    }
    if item.description_ja:
        said["description_ja"] = item.description_ja
    return {
        "id": item.id,
        "type": "Feature",
        "conformsTo": ["http://www.opengis.net/spec/ogcapi-records-1/1.0/conf/record-core"],
        "geometry": None if item.box is None else _polygon(item.box),
        "time": _time(item.interval),
        "properties": said,
        "links": links,
    }


def _expression(licences: tuple[str, ...]) -> str:
    """All licences that the caller holds the collection under, as one SPDX expression."""
    return " OR ".join(licences)


def _polygon(box: Box) -> dict[str, Any]:
    parts = [
        [
            [
                [west, box.south],
                [east, box.south],
                [east, box.north],
                [west, box.north],
                [west, box.south],
            ]
        ]
        for west, east in _spans(box)
    ]
    if len(parts) == 1:
        return {"type": "Polygon", "coordinates": parts[0]}
    return {"type": "MultiPolygon", "coordinates": parts}


def _time(interval: tuple[int | None, int | None] | None) -> dict[str, Any] | None:
    if interval is None or interval == (None, None):
        return None
    return {"interval": [".." if moment is None else iso(moment) for moment in interval]}
