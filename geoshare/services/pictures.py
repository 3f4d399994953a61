"""Pictures drawn from views: tiles, kept as vector tiles are, and maps of any box, which are not."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Final

import numpy as np
import orjson
from numpy.typing import NDArray
from PIL import Image

from geoshare.access.content import NOTHING, content_digest
from geoshare.access.view import View
from geoshare.drawing import Frame, Layer, Shown, draw, rows_shown, understood
from geoshare.drawing.labels import ACROSS_PX, DOWN_PX
from geoshare.model.box import Box
from geoshare.model.collections import Collection
from geoshare.model.times import Interval
from geoshare.query.styles import style_layers
from geoshare.services.tiles import KeptTiles
from tiles import image

MAX_STYLES: Final = 512
STRIP_PX: Final = 2**20  # drawn at a time, at 20 bytes each


@dataclass(frozen=True)
class Picture:
    """What is to be drawn: a frame, the layers of a style, and the format."""

    frame: Frame
    image_format: str
    style: str  # digest of the layers
    layers: tuple[Layer, ...] = field(default=(), compare=False, repr=False)


def picture_of(
    frame: Frame,
    *groups: Sequence[View],
    image_format: str = "png",
    language: str = "ja",
) -> Picture:
    """The picture of views in their own style; each group of them lies on top of those before it."""
    styles = [_style(tuple(_Drawn.of(view) for view in views), language) for views in groups]
    layers = tuple(layer for _, some in styles for layer in some)
    return Picture(frame, image_format, " ".join(digest for digest, _ in styles), layers)


def layers_of(views: Sequence[View], language: str) -> tuple[Layer, ...]:
    """The layers that draw views in their own style."""
    return _style(tuple(_Drawn.of(view) for view in views), language)[1]


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

    def shown(self, view: View, place: Picture, interval: Interval | None = None) -> Shown:
        """The rows that may leave something in the picture."""
        return rows_shown(view, place.frame, place.layers, interval)

    def digest(self, view: View, shown: Shown) -> bytes:
        """A name for the rows' content."""
        parts = [content_digest(view, rows) for rows in shown if rows is not None]
        if all(part == NOTHING for part in parts):
            return NOTHING
        return hashlib.blake2b(repr(parts).encode(), digest_size=16).digest()

    def content(self, views: Sequence[View], shown: Sequence[Shown], place: Picture) -> bytes:
        """The picture as a file; empty where nothing is drawn."""
        drawn = self.drawn(views, shown, place)
        return image.encode(drawn, place.image_format, is_map=True) or b""

    def map(
        self, views: Sequence[View], wanted: Picture, interval: Interval | None = None
    ) -> NDArray[np.uint8]:
        """A map of any size (height, width, 4), drawn in strips so that memory stays small."""
        frame = wanted.frame
        west, south, east, north = frame.box
        out = np.zeros((frame.height, frame.width, 4), np.uint8)
        step = max(STRIP_PX // frame.width, 1)
        for top in range(0, frame.height, step):
            rows = min(step, frame.height - top)
            high = north - (north - south) * top / frame.height
            low = north - (north - south) * (top + rows) / frame.height
            strip = replace(wanted, frame=replace(frame, box=(west, low, east, high), height=rows))
            shown = [self.shown(view, strip, interval) for view in views]
            out[top : top + rows] = self.drawn(views, shown, strip)
        return out

    def drawn(self, views: Sequence[View], shown: Sequence[Shown], place: Picture) -> NDArray[np.uint8]:
        """The picture (height, width, 4)."""
        found: Mapping[str, tuple[View, Shown]] = {
            view.collection.name: (view, rows) for view, rows in zip(views, shown, strict=True)
        }
        return draw(place.frame, place.layers, found)


@lru_cache(maxsize=16)
def blank(width: int, height: int, image_format: str) -> bytes:
    """A picture of nothing, for clients that must be given one: transparent, white as JPEG."""
    mode, colour = ("RGB", "white") if image_format == "jpg" else ("RGBA", (0, 0, 0, 0))
    out = io.BytesIO()
    kind = {"png": "PNG", "webp": "WEBP", "jpg": "JPEG"}[image_format]
    Image.new(mode, (width, height), colour).save(out, kind)
    return out.getvalue()
