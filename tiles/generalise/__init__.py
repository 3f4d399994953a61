"""Level of detail: which features appear from which zoom.

Whether a feature appears depends on the feature, the zoom and the rule alone: never on other rows,
on the tile, or on a column that is not given. So neighbouring tiles agree, and a hidden row or
column changes nothing.
"""

from __future__ import annotations

from tiles.generalise.appearance import Appearance, appearance, visible_at
from tiles.generalise.rule import DetailRule, Value
from tiles.generalise.zooms import NEVER, first_zooms

__all__ = [
    "NEVER",
    "Appearance",
    "DetailRule",
    "Value",
    "appearance",
    "first_zooms",
    "visible_at",
]
