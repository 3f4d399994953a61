"""Parametric roads: reference lines, cross sections and the lines that follow from them.

The geometry of ASAM OpenDRIVE (1.4 to 1.8) as arrays, without its XML: what a reader makes of a file
and a writer measures its result by.
"""

from geoshare.model.roads.cubics import Cubics
from geoshare.model.roads.plan import ARC, LINE, PARAM_POLY3, POLY3, SPIRAL, Piece, Plan
from geoshare.model.roads.road import Band, Lane, Road, Section
from geoshare.model.roads.sampling import CHORD_M, Sampled, sample

__all__ = [
    "ARC",
    "CHORD_M",
    "LINE",
    "PARAM_POLY3",
    "POLY3",
    "SPIRAL",
    "Band",
    "Cubics",
    "Lane",
    "Piece",
    "Plan",
    "Road",
    "Sampled",
    "Section",
    "sample",
]
