"""Letters for clients of style documents: signed distance fields, 256 characters at a time.

The format is that of Mapbox's glyph service (``glyphs.proto`` of mapbox/node-fontnik): each glyph a
picture of 24-pixel letters with a border of 3, in which 192 is the outline and 32 less is a pixel
further out. Heights are told from the font's ascender.
"""

from __future__ import annotations

import threading
from functools import lru_cache
from importlib.resources import as_file, files
from typing import Final, NamedTuple

import numpy as np
from fontTools.ttLib import TTFont
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage

from geoshare.errors import NotFound
from geoshare.extracts.maps.fonts import BOLD, FILES, FOLDER, MEDIUM, check_font

FONTS: Final = {"Noto Sans JP Medium": MEDIUM, "Noto Sans JP Bold": BOLD}
RANGE: Final = 256
LAST: Final = 0xFFFF
SIZE_PX: Final = 24
BORDER_PX: Final = 3
_FINER: Final = 4  # times as large a letter is drawn to measure distances
_RADIUS_PX: Final = 8.0
_OUTLINE: Final = 0.25  # share of the values that lies outside of a letter
_drawing = threading.Lock()  # a font that is drawn with is not for two threads


class Face(NamedTuple):
    """A font at the size letters are drawn at, and the characters it has."""

    font: ImageFont.FreeTypeFont
    characters: frozenset[int]
    ascender_px: int


def font_of(stack: str) -> str:
    """The first font of a comma-separated list that is here; NotFound where none is."""
    for name in stack.split(","):
        if name.strip() in FONTS:
            return name.strip()
    raise NotFound("No such font")


def glyphs(font: str, first: int) -> bytes:
    """The letters of 256 characters from one on, as a protocol buffer.

    Parameters
    ----------
    font
        One of ``FONTS``.
    first
        A multiple of 256, at most 65,280. Characters that the font lacks are left out.

    Raises
    ------
    Unavailable
        where the web build has not laid the font there.
    """
    with _drawing:
        face = _face(font)
        made = b"".join(
            _field(3, _glyph(face, code))
            for code in range(first, first + RANGE)
            if code in face.characters
        )
    head = _field(1, font.encode()) + _field(2, f"{first}-{first + RANGE - 1}".encode())
    return _field(1, head + made)


@lru_cache(maxsize=len(FONTS))
def _face(name: str) -> Face:
    check_font(FONTS[name])
    with as_file(files("geoshare") / FOLDER / FILES[FONTS[name]]) as path:
        with TTFont(path, lazy=True) as said:
            characters = frozenset(said.getBestCmap())
            ascender = said["hhea"].ascender / said["head"].unitsPerEm * SIZE_PX
        font = ImageFont.truetype(str(path), SIZE_PX * _FINER, layout_engine=ImageFont.Layout.BASIC)
    return Face(font, characters, round(ascender))


def _glyph(face: Face, code: int) -> bytes:
    """One letter: its picture, its size without the border, where it stands and how far it goes."""
    letter = chr(code)
    advance = round(face.font.getlength(letter) / _FINER)
    # from the base line, y downwards
    left, top, right, bottom = (int(side) for side in face.font.getbbox(letter, anchor="ls"))
    said = _number(1, code)
    if right <= left or bottom <= top:
        sizes = (0, 0, 0, 0)
    else:
        west, north = left // _FINER, top // _FINER
        east, south = -(-right // _FINER), -(-bottom // _FINER)
        said += _field(2, _distances(face, letter, (west, north, east, south)))
        sizes = (east - west, south - north, west, -north - face.ascender_px)
    width, height, start, above = sizes
    said += _number(3, width) + _number(4, height) + _number(5, _zigzag(start))
    return said + _number(6, _zigzag(above)) + _number(7, advance)


def _distances(face: Face, letter: str, box: tuple[int, int, int, int]) -> bytes:
    """Distances from a letter's outline at the middles of pixels, border included, as bytes."""
    west, north, east, south = box
    width, height = east - west + 2 * BORDER_PX, south - north + 2 * BORDER_PX
    image = Image.new("L", (width * _FINER, height * _FINER))
    origin = ((BORDER_PX - west) * _FINER, (BORDER_PX - north) * _FINER)
    ImageDraw.Draw(image).text(origin, letter, fill=255, font=face.font, anchor="ls")
    inside = np.asarray(image) >= 128
    away = ndimage.distance_transform_edt(~inside) - ndimage.distance_transform_edt(inside)
    mean: NDArray[np.float64] = away.reshape(height, _FINER, width, _FINER).mean(axis=(1, 3))
    values = 255.0 * (1.0 - _OUTLINE - mean / _FINER / _RADIUS_PX)
    return np.clip(np.rint(values), 0, 255).astype(np.uint8).tobytes()


def _zigzag(value: int) -> int:
    return value * 2 if value >= 0 else -value * 2 - 1


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value)
    return bytes(found)


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _field(field: int, content: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(content)) + content
