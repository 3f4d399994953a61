"""Colours as style documents write them: hexadecimal, rgb(), hsl() and the few names in use."""

from __future__ import annotations

import colorsys
import re
from functools import lru_cache
from typing import Final

from tiles.drawing import Colour

TRANSPARENT: Final = Colour(0.0, 0.0, 0.0, 0.0)
_NAMES: Final = {
    "black": "#000000",
    "white": "#ffffff",
    "red": "#ff0000",
    "green": "#008000",
    "blue": "#0000ff",
    "yellow": "#ffff00",
    "orange": "#ffa500",
    "purple": "#800080",
    "gray": "#808080",
    "grey": "#808080",
}
_HEX: Final = re.compile(r"#([0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8})")
_CALL: Final = re.compile(r"(rgb|hsl)a?\(([^()]{1,80})\)")
_PARTS: Final = (3, 4)


@lru_cache(maxsize=1_024)
def parse_colour(text: str) -> Colour:
    """The colour that CSS means by a text. Raises ValueError for what is none."""
    said = text.strip().lower()
    if said == "transparent":
        return TRANSPARENT
    said = _NAMES.get(said, said)
    if found := _HEX.fullmatch(said):
        digits = found[1]
        if len(digits) in _PARTS:
            digits = "".join(digit * 2 for digit in digits)
        return Colour(*(int(digits[at : at + 2], 16) / 255 for at in range(0, len(digits), 2)))
    if found := _CALL.fullmatch(said):
        parts = re.split(r"[\s,/]+", found[2].strip())
        if len(parts) in _PARTS:
            alpha = _share(parts[3]) if len(parts) == _PARTS[1] else 1.0
            return _called(found[1], parts, alpha)
    raise ValueError(f"{text[:40]!r} is no colour")


def _called(kind: str, parts: list[str], alpha: float) -> Colour:
    if kind == "rgb":
        red, green, blue = (
            _share(part) if part.endswith("%") else float(part) / 255 for part in parts[:3]
        )
    else:
        hue = float(parts[0].removesuffix("deg")) / 360 % 1
        red, green, blue = colorsys.hls_to_rgb(hue, _share(parts[2]), _share(parts[1]))
    red, green, blue = (min(max(value, 0.0), 1.0) for value in (red, green, blue))
    return Colour(red, green, blue, alpha)


def _share(text: str) -> float:
    return float(text.removesuffix("%")) / 100 if text.endswith("%") else float(text)
