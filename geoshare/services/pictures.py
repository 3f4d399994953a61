"""Pictures drawn from views: tiles, kept as vector tiles are, and maps of any box, which are not."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

import numpy as np
import orjson
from numpy.typing import NDArray

from geoshare.access.content import NOTHING, content_digest
from geoshare.access.view import View
from geoshare.drawing import Frame, Layer, Shown, draw, rows_shown, understood
from geoshare.drawing.labels import ACROSS_PX, DOWN_PX
from geoshare.model.box import Box
from geoshare.model.collections import Collection
from geoshare.model.times import Interval
from geoshare.query.select import in_interval
from geoshare.query.styles import style_layers
from geoshare.services.tiles import KeptTiles
from tiles import image
from tiles.arrays import Rows

MAX_STYLES: Final = 512


@dataclass(frozen=True)
class Picture:
    """What is to be drawn: a frame, the layers of a style, the format, and of which time."""

    frame: Frame
    image_format: str
    style: str  # digest of the layers
    interval: Interval | None = None
    layers: tuple[Layer, ...] = field(default=(), compare=False, repr=False)


def picture_of(
    frame: Frame,
    views: Sequence[View],
    *,
    image_format: str = "png",
    language: str = "ja",
    interval: Interval | None = None,
) -> Picture:
    """The picture of views in their own style."""
    digest, layers = _style(tuple(_Drawn.of(view) for view in views), language)
    return Picture(frame, image_format, digest, interval, layers)


@dataclass(unsafe_hash=True)  # not frozen: what styles read may be set, as they say
class _Drawn:
    """What a view's style depends on, and nothing else of it."""

    collection: Collection = field(compare=False)
    about: tuple[str, ...]
    columns: frozenset[str]
    extent: Box | None

    @staticmethod
    def of(view: View) -> _Drawn:
        about = view.collection
        said = (about.name, about.kind, about.geometry, about.label or "")
        return _Drawn(about, said, frozenset(view.fields), view.extent)

    def has_column(self, name: str) -> bool:
        return name in self.columns


@lru_cache(maxsize=MAX_STYLES)
def _style(views: tuple[_Drawn, ...], language: str) -> tuple[str, tuple[Layer, ...]]:
    """Digest and layers of a style."""
    layers = style_layers(views, language=language)
    digest = hashlib.blake2b(orjson.dumps(layers), digest_size=16).hexdigest()
    return digest, understood(layers)


class Pictures(KeptTiles[Picture]):
    """The drawn tiles of one process."""

    def boxes(self, place: Picture) -> NDArray[np.int64]:
        """World boxes (k, 4) of the picture and of what reaches into it from beyond its edge."""
        return place.frame.search_boxes(ACROSS_PX, DOWN_PX)

    def shown(self, view: View, place: Picture) -> Shown:
        """The rows that may leave something in the picture."""
        found = rows_shown(view, place.frame, place.layers)
        if place.interval is None:
            return found
        names = None if found.names is None else _of_time(view, found.names, place.interval)
        return Shown(_of_time(view, found.shapes, place.interval), names)

    def digest(self, view: View, shown: Shown) -> bytes:
        """A name for the rows' content."""
        parts = [content_digest(view, rows) for rows in shown if rows is not None]
        if all(part == NOTHING for part in parts):
            return NOTHING
        return hashlib.blake2b(repr(parts).encode(), digest_size=16).digest()

    def made(self, views: Sequence[View], shown: Sequence[Shown], place: Picture) -> bytes:
        """The picture as a file; empty where nothing is drawn."""
        return image.encode(self.drawn(views, shown, place), place.image_format) or b""

    def drawn(self, views: Sequence[View], shown: Sequence[Shown], place: Picture) -> NDArray[np.uint8]:
        """The picture (height, width, 4)."""
        found: Mapping[str, tuple[View, Shown]] = {
            view.collection.name: (view, rows) for view, rows in zip(views, shown, strict=True)
        }
        return draw(place.frame, place.layers, found)


def _of_time(view: View, rows: Rows, interval: Interval) -> Rows:
    """Those of the rows that are of a time."""
    pairs = rows.pairs
    numbers = [numbers[in_interval(view, table, numbers, interval)] for table, numbers in pairs]
    return Rows(rows.tables, tuple(numbers))
