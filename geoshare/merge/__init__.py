"""Many providers' contributions become one foundation: identity, conformity, resolution.

Pure functions: nothing here reads or writes the record.
"""

from geoshare.merge.conform import Conformed, Conformer
from geoshare.merge.identity import Identities
from geoshare.merge.match import Candidate, Matcher, anchor, cell_of, cells_around
from geoshare.merge.resolve import GEOMETRY, Chosen, Claimed, Ranked, Resolved, rank, resolve
from geoshare.merge.schema import inferred, widened

__all__ = [
    "GEOMETRY",
    "Candidate",
    "Chosen",
    "Claimed",
    "Conformed",
    "Conformer",
    "Identities",
    "Matcher",
    "Ranked",
    "Resolved",
    "anchor",
    "cell_of",
    "cells_around",
    "inferred",
    "rank",
    "resolve",
    "widened",
]
