"""The signs of the map, as the sprite that clients get has them, at any size and turn."""

from __future__ import annotations

import io
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from geoshare.extracts.maps.sprite import sprite

MOST_RATIO = 2  # pixels to a CSS pixel of the finest sprite


@lru_cache(maxsize=1)
def _sheet() -> tuple[dict[str, dict[str, int]], Image.Image]:
    found = sprite(MOST_RATIO)
    return found.places, Image.open(io.BytesIO(found.picture)).convert("RGBA")


@lru_cache(maxsize=1_024)
def sign(name: str, scale: float, angle: float = 0.0) -> NDArray[np.uint8] | None:
    """A sign (h, w, 4), ``scale`` pixels to a CSS pixel, turned by degrees with the clock.

    None where there is none of that name, or nothing is left of it.
    """
    places, sheet = _sheet()
    place = places.get(name)
    if place is None:
        return None
    left, top, width, height = (place[key] for key in ("x", "y", "width", "height"))
    cut = sheet.crop((left, top, left + width, top + height))
    if angle:
        cut = _blended(cut).rotate(-angle, Image.Resampling.BICUBIC, expand=True)
    else:
        cut = _blended(cut)
    share = scale / MOST_RATIO
    size = (round(cut.width * share), round(cut.height * share))
    if min(size) < 1:
        return None
    if size != cut.size:
        cut = cut.resize(size, Image.Resampling.LANCZOS)
    return np.asarray(cut.convert("RGBA"))


def _blended(cut: Image.Image) -> Image.Image:
    """With colours multiplied by alpha, so that what is transparent lends none when it is resized."""
    return cut.convert("RGBa")
