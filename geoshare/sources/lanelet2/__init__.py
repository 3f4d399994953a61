"""Lanelet2 maps in OSM XML, in the dialects of Lanelet2 itself and of Autoware."""

from geoshare.sources.lanelet2.primitives import read_primitives
from geoshare.sources.lanelet2.reader import LaneletReader

__all__ = ["LaneletReader", "read_primitives"]
