"""Texts as masks: the letters, and the halo around them, in the font that the product ships."""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from geoshare.extracts.maps.fonts import BOLD, MEDIUM, font_file, spelled

MAX_LETTERS: Final = 80
MAX_LINES: Final = 4
_LINE_EMS: Final = 1.2
_OVERSIZE: Final = 3  # letters that are turned are drawn so many times larger first
_NOT_FIRST: Final = "、。，．：」』)）】・ー…"


class Lettered(NamedTuple):
    """Masks (h, w) of letters and halo, and where the text's middle lies in them."""

    letters: NDArray[np.uint8]
    halo: NDArray[np.uint8]
    middle: tuple[float, float]
    width: float  # of the text itself
    height: float


@lru_cache(maxsize=32)
def _font(name: str, size: float) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(font_file(name), size, layout_engine=ImageFont.Layout.BASIC)


def lines_of(text: str, most_ems: float) -> tuple[str, ...]:
    """A text in lines of at most so many ems; Japanese breaks anywhere, other words at blanks."""
    found: list[str] = []
    for said in spelled(text[:MAX_LETTERS]).split("\n"):
        line, wide = "", 0.0
        for word in _words(said):
            size = sum(0.55 if ord(letter) < 0x2E80 else 1.0 for letter in word)
            if line.strip() and wide + size > most_ems and word not in _NOT_FIRST:
                found.append(line.strip())
                line, wide = "", 0.0
            line, wide = line + word, wide + size
        if line.strip():
            found.append(line.strip())
    return tuple(found[:MAX_LINES])


def _words(text: str) -> list[str]:
    found: list[str] = []
    for letter in text:
        joined = found and ord(letter) < 0x2E80 and ord(found[-1][-1]) < 0x2E80
        if joined and found[-1][-1] != " ":
            found[-1] += letter
        else:
            found.append(letter)
    return found


@lru_cache(maxsize=1_024)
def lettered(lines: tuple[str, ...], size: float, halo: float, angle: float, *, bold: bool) -> Lettered:
    """A text of a size in pixels with a halo, turned by degrees against the clock."""
    scale = _OVERSIZE if angle else 1
    font = _font(BOLD if bold else MEDIUM, size * scale)
    reach = halo * scale
    step = size * scale * _LINE_EMS
    width = max(font.getlength(line) for line in lines)
    height = step * len(lines)
    edge = int(np.ceil(reach)) + scale + 1
    canvas = (int(np.ceil(width)) + 2 * edge, int(np.ceil(height)) + 2 * edge)
    masks = [_mask(canvas, lines, font, step, edge, stroke) for stroke in (0.0, reach)]
    if angle:
        masks = [_turned(mask, angle) for mask in masks]
    high, wide = np.asarray(masks[0]).shape
    return Lettered(
        np.ascontiguousarray(masks[0]),
        np.ascontiguousarray(masks[1]),
        (wide / 2, high / 2),
        width / scale,
        height / scale,
    )


def _mask(
    size: tuple[int, int],
    lines: tuple[str, ...],
    font: ImageFont.FreeTypeFont,
    step: float,
    edge: int,
    stroke: float,
) -> Image.Image:
    image = Image.new("L", size, 0)
    pen = ImageDraw.Draw(image)
    for number, line in enumerate(lines):
        place = (size[0] / 2, edge + step * (number + 0.5))
        pen.text(place, line, fill=255, font=font, anchor="mm", stroke_width=stroke)
    return image


def _turned(mask: Image.Image, angle: float) -> Image.Image:
    turned = mask.rotate(angle, Image.Resampling.BICUBIC, expand=True)
    width, height = (-(-side // _OVERSIZE) * _OVERSIZE for side in turned.size)
    even = Image.new("L", (width, height), 0)
    even.paste(turned, ((width - turned.width) // 2, (height - turned.height) // 2))
    return even.reduce(_OVERSIZE)
