"""Pictures of few colours: an indexed PNG of at most 256, which is a quarter of one of all colours.

Maps are areas of one colour, and lines and letters with soft edges. So the colours that most pixels
have stay as they are (what neighbouring tiles share meets without a seam), and those of edges become
the nearest of the rest. Distances are between colours as they are seen, multiplied by their opacity.
What is not seen at all stays so, and what lets nothing through lets nothing through.
"""

from __future__ import annotations

import struct
import zlib
from typing import Final

import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray

COLOURS: Final = 256
_KEPT: Final = 208  # of them are colours of the picture; the others are means of what is left
_FEW: Final = 600  # colours that are left are grouped where there are more
_FINE: Final = np.uint32(0x07070707)  # bits within a group
_MIDDLE: Final = np.uint32(0x04040404)
_OPAQUE: Final = np.uint32(0xFF000000)
_CUBES: Final = 1 << 11  # of three bits for each colour and two for opacity
_LEVEL: Final = 2  # of isal's three: 1 is no faster, 3 no smaller here
_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"


def indexed_png(rgba: NDArray[np.uint8]) -> bytes:
    """Encode (height, width, 4) colours as a PNG of at most 256, exact where there are no more.

    The format is that of W3C PNG (third edition): colour type 3 with the opacities in ``tRNS``, rows
    without filters, which suit numbers of colours best.
    """
    height, width = rgba.shape[:2]
    palette, index = _indexed(np.ascontiguousarray(rgba).reshape(-1, 4).view(np.uint32).ravel())
    colours = palette.view(np.uint8).reshape(-1, 4)
    rows = np.zeros((height, width + 1), np.uint8)  # a row begins with its filter: none
    rows[:, 1:] = index.reshape(height, width)
    parts = [_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0))]
    parts.append(_chunk(b"PLTE", colours[:, :3].tobytes()))
    if colours[:, 3].min() < 255:
        parts.append(_chunk(b"tRNS", colours[:, 3].tobytes()))
    parts.append(_chunk(b"IDAT", isal_zlib.compress(rows.tobytes(), _LEVEL)))
    return b"".join((_SIGNATURE, *parts, _chunk(b"IEND", b"")))


def _chunk(kind: bytes, content: bytes) -> bytes:
    return (
        struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
    )


def _indexed(pixels: NDArray[np.uint32]) -> tuple[NDArray[np.uint32], NDArray[np.uint8]]:
    """Colours of a palette, and the number of each pixel's. What is not seen has no colour."""
    pixels = np.where(pixels >> np.uint32(24), pixels, np.uint32(0))
    colours, inverse, counts = np.unique(pixels, return_inverse=True, return_counts=True)
    if len(colours) <= COLOURS:
        return colours, inverse.astype(np.uint8)
    if colours[0] == 0:  # nothing, which is no colour: however few pixels, none of them gets one
        counts[0] = len(pixels)
    order = np.argsort(-counts, kind="stable")
    kept, left = order[:_KEPT], order[_KEPT:]
    shift = _FINE if len(left) > _FEW else np.uint32(0)
    groups, group = np.unique(colours[left] & ~shift, return_inverse=True)
    rest = groups | (shift & _MIDDLE)
    rest[groups >= _OPAQUE & ~shift] |= _OPAQUE  # opacity is the highest byte: what is whole stays so
    palette = np.concatenate(
        [colours[kept], _means(rest, np.bincount(group, counts[left]).astype(np.float64))]
    )
    number = np.empty(len(colours), np.uint8)
    number[kept] = np.arange(_KEPT)
    number[left] = _nearest(rest, palette)[group]
    return palette, number[inverse]


def _means(colours: NDArray[np.uint32], weights: NDArray[np.float64]) -> NDArray[np.uint32]:
    """Mean colours of the cubes in which most pixels lie."""
    rgba = colours.view(np.uint8).reshape(-1, 4).astype(np.int64)
    cube = rgba[:, 0] >> 5 | (rgba[:, 1] >> 5) << 3 | (rgba[:, 2] >> 5) << 6 | (rgba[:, 3] >> 6) << 9
    total = np.bincount(cube, weights, _CUBES)
    most = np.argsort(-total, kind="stable")[: COLOURS - _KEPT]
    most = most[total[most] > 0]
    sums = [np.bincount(cube, weights * rgba[:, part], _CUBES)[most] for part in range(4)]
    means = np.stack(sums, axis=1) / total[most, None]
    return np.ascontiguousarray(means.round().astype(np.uint8)).view(np.uint32).ravel()


def _nearest(colours: NDArray[np.uint32], palette: NDArray[np.uint32]) -> NDArray[np.intp]:
    """The number of the palette's colour that looks most like each of ``colours``."""
    seen, offered = _seen(colours), _seen(palette)
    likeness = np.einsum("ik,jk->ij", seen, offered)  # not by BLAS, which would take all processors
    found: NDArray[np.intp] = ((offered * offered).sum(axis=1) - 2 * likeness).argmin(axis=1)
    return found


def _seen(colours: NDArray[np.uint32]) -> NDArray[np.float32]:
    rgba = colours.view(np.uint8).reshape(-1, 4).astype(np.float32)
    rgba[:, :3] *= rgba[:, 3:] / 255
    return rgba
