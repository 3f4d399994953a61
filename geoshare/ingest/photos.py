"""Photos of damage: looked at before they are decoded, written anew without what the camera added."""

from __future__ import annotations

import hashlib
import io
import threading
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from PIL import ExifTags, Image, ImageOps

from geoshare.errors import BadData, TooLarge

MAX_BYTES: Final = 12_000_000
MAX_PIXELS: Final = 40_000_000
LONGEST_PX: Final = 2_048
QUALITY: Final = 85
MEDIA_TYPE: Final = "image/jpeg"
FORMATS: Final = ("JPEG", "PNG", "WEBP")
_ALLOWED: Final = "JPEG, PNG or WebP"
_ONE_AT_A_TIME = threading.Lock()  # a decoded photo takes 160 MB at most


@dataclass(frozen=True, slots=True)
class Photo:
    """A photo as it is kept, and what the camera said beside it.

    ``lon_lat`` is in degrees (WGS 84); ``taken`` has no offset, as cameras give none.
    """

    content: bytes
    sha256: str
    width: int
    height: int
    lon_lat: tuple[float, float] | None
    taken: str | None


def read_photo(content: bytes) -> Photo:
    """Write a photo anew: upright, at most 2,048 pixels long, JPEG, with nothing but its pixels.

    Raises
    ------
    TooLarge
        for more bytes or pixels than are taken. Pixels are counted in the header, before anything is
        decoded, so that a small file of a huge picture costs nothing.
    BadData
        for what is no picture of a known format.
    """
    if len(content) > MAX_BYTES:
        raise TooLarge(
            "The photo is too large",
            parameter="body",
            allowed=f"{MAX_BYTES} bytes",
            message_ja="写真が大きすぎます",
            allowed_ja=f"{MAX_BYTES // 1_000_000}MBまで",
        )
    try:
        image = Image.open(io.BytesIO(content), formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_many() from error
    except (OSError, ValueError, SyntaxError) as error:
        raise _unreadable() from error
    with image:
        if image.width * image.height > MAX_PIXELS:
            raise _too_many()
        with _ONE_AT_A_TIME:
            return _written(image)


def _written(image: Image.Image) -> Photo:
    try:
        said = _camera(image)
        image.draft("RGB", (LONGEST_PX, LONGEST_PX))  # a JPEG is decoded no larger than needed
        upright = ImageOps.exif_transpose(image)
        upright.thumbnail((LONGEST_PX, LONGEST_PX))
        plain = _on_white(upright)
    except (OSError, ValueError, SyntaxError, TypeError, KeyError, IndexError) as error:
        raise _unreadable() from error
    out = io.BytesIO()
    plain.save(out, "JPEG", quality=QUALITY, optimize=True)
    written = out.getvalue()
    return Photo(written, hashlib.sha256(written).hexdigest(), plain.width, plain.height, *said)


def _on_white(image: Image.Image) -> Image.Image:
    """Pixels alone: a new image, so that nothing else is taken along."""
    rgba = image.convert("RGBA")
    found = Image.new("RGB", rgba.size, "white")
    found.paste(rgba, mask=rgba.getchannel("A"))
    return found


def _camera(image: Image.Image) -> tuple[tuple[float, float] | None, str | None]:
    """Place and time that the camera noted; None where it did not or they make no sense."""
    try:
        exif = image.getexif()
        return _place(exif.get_ifd(ExifTags.IFD.GPSInfo)), _taken(exif.get_ifd(ExifTags.IFD.Exif))
    except (OSError, ValueError, SyntaxError, TypeError, KeyError, IndexError, ZeroDivisionError):
        return None, None


def _place(gps: dict[int, Any]) -> tuple[float, float] | None:
    tags = ExifTags.GPS
    if tags.GPSLatitude not in gps or tags.GPSLongitude not in gps:
        return None
    lat, lon = _degrees(gps[tags.GPSLatitude]), _degrees(gps[tags.GPSLongitude])
    lat = -lat if gps.get(tags.GPSLatitudeRef) == "S" else lat
    lon = -lon if gps.get(tags.GPSLongitudeRef) == "W" else lon
    sensible = -90 <= lat <= 90 and -180 <= lon <= 180 and (lon, lat) != (0, 0)
    return (round(lon, 7), round(lat, 7)) if sensible else None


def _degrees(parts: Any) -> float:
    degrees, minutes, seconds = (float(part) for part in parts)
    return degrees + minutes / 60 + seconds / 3600


def _taken(exif: dict[int, Any]) -> str | None:
    text = exif.get(ExifTags.Base.DateTimeOriginal)
    if not isinstance(text, str):
        return None
    try:
        return datetime.strptime(text.strip(), "%Y:%m:%d %H:%M:%S").isoformat()
    except ValueError:
        return None


def _too_many() -> TooLarge:
    return TooLarge(
        "The photo has too many pixels",
        parameter="body",
        allowed=f"{MAX_PIXELS} pixels",
        message_ja="写真の画素数が多すぎます",
        allowed_ja=f"{MAX_PIXELS // 10_000}万画素まで",
    )


def _unreadable() -> BadData:
    return BadData(
        "The photo cannot be read",
        parameter="body",
        allowed=_ALLOWED,
        message_ja="写真を読み取れません",
        allowed_ja="JPEG、PNG、WebPのいずれか",
    )
