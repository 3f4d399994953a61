"""Colours on a canvas: covers, discs, masks and pictures laid over what is there.

A canvas is (height, width, 4) float32 red, green, blue and alpha, 0 to 1, colours multiplied by alpha
(W3C Compositing and Blending Level 1, "source over"). Colours given are not multiplied.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

Doubles = NDArray[np.float64]
Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]
Numbers = NDArray[np.int64]


@njit(nogil=True, cache=True)
def _over(canvas: Floats, y: int, x: int, colour: Doubles, alpha: float) -> None:
    left = np.float32(1.0 - alpha)
    for band in range(3):
        canvas[y, x, band] = canvas[y, x, band] * left + np.float32(colour[band] * alpha)
    canvas[y, x, 3] = canvas[y, x, 3] * left + np.float32(alpha)


@njit(nogil=True, cache=True)
def fill_cover(canvas: Floats, cover: Floats, span: Numbers, colour: Doubles) -> None:
    """Lay a colour (4,) where a cover says; the cover is clean again afterwards."""
    width = canvas.shape[1]
    for y in range(span[0], span[1]):
        total = 0.0
        for x in range(width):
            change = cover[y, x]
            if change != 0.0:
                total += change
                cover[y, x] = 0.0
            share = min(abs(total), 1.0)
            if share > 1e-4:
                _over(canvas, y, x, colour, share * colour[3])
        cover[y, width] = 0.0
        cover[y, width + 1] = 0.0
    span[0], span[1] = cover.shape[0], 0


@njit(nogil=True, cache=True)
def lay_discs(
    canvas: Floats, xy: Doubles, radius: float, edge: float, colour: Doubles, edge_colour: Doubles
) -> None:
    """Lay discs with an edge around them, the later ones over the earlier; lengths in pixels."""
    height, width = canvas.shape[0], canvas.shape[1]
    reach = radius + edge + 1.0
    mixed = np.empty(3, np.float64)
    for i in range(len(xy)):
        cx, cy = xy[i, 0], xy[i, 1]
        if not (-reach < cx < width + reach and -reach < cy < height + reach):
            continue
        for y in range(max(0, int(cy - reach)), min(height, int(cy + reach) + 1)):
            for x in range(max(0, int(cx - reach)), min(width, int(cx + reach) + 1)):
                away = math.hypot(x + 0.5 - cx, y + 0.5 - cy)
                inner = min(max(radius + 0.5 - away, 0.0), 1.0)
                outer = min(max(radius + edge + 0.5 - away, 0.0), 1.0)
                if edge <= 0.0:
                    outer = inner
                one, other = inner * colour[3], (outer - inner) * edge_colour[3]
                alpha = one + other
                if alpha > 0.0:
                    for band in range(3):
                        mixed[band] = (one * colour[band] + other * edge_colour[band]) / alpha
                    _over(canvas, y, x, mixed, alpha)


@njit(nogil=True, cache=True)
def lay_mask(canvas: Floats, mask: Bytes, left: int, top: int, colour: Doubles) -> None:
    """Lay a colour through a mask (h, w), its upper left corner at a pixel."""
    height, width = canvas.shape[0], canvas.shape[1]
    for y in range(max(0, top), min(height, top + mask.shape[0])):
        for x in range(max(0, left), min(width, left + mask.shape[1])):
            share = mask[y - top, x - left]
            if share:
                _over(canvas, y, x, colour, share / 255.0 * colour[3])


@njit(nogil=True, cache=True)
def lay_picture(canvas: Floats, picture: Bytes, left: int, top: int, opacity: float) -> None:
    """Lay a picture (h, w, 4) of colours that are not multiplied by alpha."""
    height, width = canvas.shape[0], canvas.shape[1]
    colour = np.empty(4, np.float64)
    for y in range(max(0, top), min(height, top + picture.shape[0])):
        for x in range(max(0, left), min(width, left + picture.shape[1])):
            alpha = picture[y - top, x - left, 3]
            if alpha:
                for band in range(3):
                    colour[band] = picture[y - top, x - left, band] / 255.0
                _over(canvas, y, x, colour, alpha / 255.0 * opacity)


@njit(nogil=True, cache=True)
def settle(canvas: Floats, out: Bytes) -> None:
    """Write the canvas as (h, w, 4) bytes, colours no longer multiplied by alpha."""
    for y in range(canvas.shape[0]):
        for x in range(canvas.shape[1]):
            alpha = canvas[y, x, 3]
            if alpha <= 0.0:
                continue
            for band in range(3):
                value = canvas[y, x, band] / alpha
                out[y, x, band] = np.uint8(min(max(value * 255.0 + 0.5, 0.0), 255.0))
            out[y, x, 3] = np.uint8(min(alpha * 255.0 + 0.5, 255.0))
