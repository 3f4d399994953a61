"""Pictures drawn from views by the layers of a style document, in any reference system on offer.

The layers are MapLibre's; what they look like is said there, and drawn here as far as the product's own
styles go: fills, lines, circles and names.
"""

from geoshare.drawing.frame import TILE_PX, Frame, tile_frame
from geoshare.drawing.layers import Layer, understood
from geoshare.drawing.picture import Shown, draw, rows_shown

__all__ = ["TILE_PX", "Frame", "Layer", "Shown", "draw", "rows_shown", "tile_frame", "understood"]
