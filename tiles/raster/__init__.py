"""Rasters: a window of a file on the ground as an array, whatever the file's CRS and resolution.

``read`` warps to a target grid, ``sample`` reads at points, ``write_cog`` prepares a file,
``statistics`` says what numbers it holds. A :class:`Pool` is shared by all threads of a process.
"""

from tiles.raster.cog import write_cog
from tiles.raster.errors import RasterError, RasterTooLargeError
from tiles.raster.fence import Fence
from tiles.raster.frame import Frame
from tiles.raster.grid import TargetGrid, box_grid, tile_grid
from tiles.raster.measure import BandStatistics, band_statistics, statistics
from tiles.raster.points import sample
from tiles.raster.pool import Pool
from tiles.raster.warp import NOTHING, Warped, Withheld, read

__all__ = [
    "NOTHING",
    "BandStatistics",
    "Fence",
    "Frame",
    "Pool",
    "RasterError",
    "RasterTooLargeError",
    "TargetGrid",
    "Warped",
    "Withheld",
    "band_statistics",
    "box_grid",
    "read",
    "sample",
    "statistics",
    "tile_grid",
    "write_cog",
]
