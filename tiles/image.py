"""Arrays of colours to image bytes: PNG, WebP, JPEG."""

from __future__ import annotations

import io

import fpng
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tiles.palette import indexed_png

MEDIA_TYPES = {"png": "image/png", "webp": "image/webp", "jpg": "image/jpeg"}
_WEBP_QUALITY = 80
_JPEG_QUALITY = 82
_MOST_INDEXED = 1_100_000  # pixels: beyond, counting colours takes longer than anybody waits


def encode(rgba: NDArray[np.uint8], image_format: str = "png", *, is_map: bool = False) -> bytes | None:
    """Encode (height, width, 4) colours; None where every pixel is transparent.

    ``image_format`` is a key of :data:`MEDIA_TYPES`. JPEG has no transparency: such pixels are white.
    PNG is lossless and written by fpng, an order of magnitude faster than zlib for a few percent
    more bytes; the two others are lossy. A PNG of what is a drawn map has at most 256 colours, see
    :mod:`tiles.palette`: it is a quarter as large, and looks the same.

    Raises
    ------
    KeyError
        if the format is not known.
    """
    media_type = MEDIA_TYPES[image_format]
    alpha = rgba[..., 3]
    if not alpha.any():
        return None
    opaque = bool((alpha == 255).all())
    if media_type == "image/png":
        if is_map and alpha.size <= _MOST_INDEXED:
            return indexed_png(rgba)
        pixels = np.ascontiguousarray(rgba[..., :3] if opaque else rgba)
        height, width, channels = pixels.shape
        return bytes(fpng.from_bytes(pixels.tobytes(), width, height, channels))
    if media_type == "image/jpeg":
        return _save(_on_white(rgba), "JPEG", quality=_JPEG_QUALITY)
    pixels = np.ascontiguousarray(rgba[..., :3] if opaque else rgba)
    return _save(pixels, "WEBP", quality=_WEBP_QUALITY, method=0)


def _on_white(rgba: NDArray[np.uint8]) -> NDArray[np.uint8]:
    alpha = rgba[..., 3:].astype(np.uint16)
    mixed = (rgba[..., :3] * alpha + 255 * (255 - alpha) + 127) // 255
    return mixed.astype(np.uint8)


def _save(pixels: NDArray[np.uint8], name: str, **options: int) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, name, **options)
    return buffer.getvalue()
