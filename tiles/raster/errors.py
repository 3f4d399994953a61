"""What can go wrong with a raster file."""

from __future__ import annotations

from tiles.errors import TileError


class RasterError(TileError):
    """The file cannot be read as a raster, or not as far as was asked."""


class RasterTooLargeError(RasterError):
    """The answer would need more memory than one request may take."""
