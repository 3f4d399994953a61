"""Styles: how collections are drawn, as MapLibre style documents made from what a caller is shown.

One place says what everything looks like: ``style_layers``. Style documents, pictures and clients take
their layers from it; colours and widths are in ``geoshare/model/appearance.json``.
"""

from geoshare.query.styles.disaster import EVENT_STATES, SHELTER_STATES
from geoshare.query.styles.document import (
    DEFAULT_MAP,
    HAZARD_MAP,
    Addresses,
    Style,
    every_style,
    is_collection_style,
    style_document,
    style_metadata,
    style_of,
)
from geoshare.query.styles.layers import style_layers
from geoshare.query.styles.parts import LETTERING, Shown
from geoshare.query.styles.things import SIGNS

__all__ = [
    "DEFAULT_MAP",
    "EVENT_STATES",
    "HAZARD_MAP",
    "LETTERING",
    "SHELTER_STATES",
    "SIGNS",
    "Addresses",
    "Shown",
    "Style",
    "every_style",
    "is_collection_style",
    "style_document",
    "style_layers",
    "style_metadata",
    "style_of",
]
