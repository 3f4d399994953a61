"""Many providers' contributions become one foundation: identity, conformity, resolution.

Pure functions: nothing here reads or writes the record.
"""

from geoshare.merge.conform import Conformed, Conformer
from geoshare.merge.identity import Identities
from geoshare.merge.resolve import Claimed, Ranked, Resolved, rank, resolve
from geoshare.merge.schema import inferred, widened

__all__ = [
    "Claimed",
    "Conformed",
    "Conformer",
    "Identities",
    "Ranked",
    "Resolved",
    "inferred",
    "rank",
    "resolve",
    "widened",
]
