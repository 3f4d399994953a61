"""Lanelet2 maps and Autoware's map packages out of views."""

from geoshare.extracts.lanelet2.package import MAP, write_autoware, write_lanelet2

__all__ = ["MAP", "write_autoware", "write_lanelet2"]
