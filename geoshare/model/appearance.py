"""How things look wherever they are drawn: colours, widths, patterns and signs, kept as data.

``appearance.json`` is read by printed maps, by the style documents of ``/styles`` and by the browser's
map. Its colours of hazards are official ones; where each is from is said in
``web/src/map/layers/palettes.ts`` and in docs/styles.md.
"""

from __future__ import annotations

from importlib.resources import files
from typing import Any, Final

import orjson

STYLE: Final[dict[str, Any]] = orjson.loads((files("geoshare.model") / "appearance.json").read_bytes())
BASE: Final[dict[str, str]] = STYLE["base"]


def colour_of(name: str) -> str:
    """Return a steady colour for a collection that has no design of its own.

    >>> colour_of("parks")
    '#66ccee'
    """
    others: list[str] = STYLE["others"]
    number = 0
    for letter in name:
        number = (number * 31 + ord(letter)) & 0xFFFFFFFF
    return others[number % len(others)]
