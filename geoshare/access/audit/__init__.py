"""The audit log: what was done, in a Merkle tree that anyone with its public files can check."""

from geoshare.access.audit.entries import Party
from geoshare.access.audit.trail import COMMAND_LINE, KEEPER, Audit, Receipt

__all__ = ["COMMAND_LINE", "KEEPER", "Audit", "Party", "Receipt"]
