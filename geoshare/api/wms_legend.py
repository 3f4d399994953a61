"""Legends of WMS layers as pictures."""

from __future__ import annotations

from geoshare.api.context import services
from geoshare.api.drawn import DEFAULT
from geoshare.api.ows import OwsError
from geoshare.api.ows_layers import OwsLayer
from geoshare.drawing.legend import Entry, entries, picture, plain_swatch
from geoshare.services.pictures import layers_of
from tiles import image


def legend(layer: OwsLayer, style: str, language: str) -> bytes:
    """A PNG. Raises OwsError for a style that the layer has not."""
    if style and style not in [DEFAULT, *(name for name, _ in layer.styles())]:
        raise OwsError("There is no such style of the layer", "StyleNotDefined", "STYLE")
    rows: list[Entry] = []
    if layer.raster is not None:
        chosen = None if style in ("", DEFAULT) else style
        for said in services().rasters.legend(layer.raster, chosen):
            text = said["label_ja"] if language == "ja" else said["label"]
            rows.append(Entry(plain_swatch(said["colour"]), text or str(said["value"])))
    for view in layer.views:
        rows += entries(view.collection, layers_of([view], language), language)
    return image.encode(picture(rows), "png") or b""
