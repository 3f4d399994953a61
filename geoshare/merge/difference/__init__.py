"""What really changed between two maps, or between two times of one.

A pure function compares things: what came, what went, what was moved by more than a stated accuracy,
whose height, attributes or topology changed. Other digits of a coordinate and another order of elements
are no change.
"""

from geoshare.merge.difference.changes import Change, Changes, Height, as_geojson
from geoshare.merge.difference.compare import ACCURACY_M, compare

__all__ = ["ACCURACY_M", "Change", "Changes", "Height", "as_geojson", "compare"]
