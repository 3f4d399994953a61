"""Drawing: shapes in pixels to colours, with smooth edges."""

from tiles.drawing.canvas import Canvas, Colour
from tiles.drawing.cover import BUTT, ROUND_CAP, SQUARE

__all__ = ["BUTT", "ROUND_CAP", "SQUARE", "Canvas", "Colour"]
