"""Satellite scenes and other rasters as pictures: tiles, styles, legends, values at a point."""

from geoshare.imagery.pixels import MAX_ZOOM, SIZES, Pixels

__all__ = ["MAX_ZOOM", "SIZES", "Pixels"]
