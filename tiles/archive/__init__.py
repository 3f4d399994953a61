"""PMTiles archives: all tiles of a map in one file that is read by ranges."""

from tiles.archive.curve import first_id, tile_ids, tiles_at
from tiles.archive.writer import ArchiveWriter, Summary, compressed

__all__ = ["ArchiveWriter", "Summary", "compressed", "first_id", "tile_ids", "tiles_at"]
