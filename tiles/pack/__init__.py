"""Packs: immutable, memory-mapped parts of features, and the only ways to read them.

``write_part`` and ``open_part`` make and open one file; a ``Pack`` is parts in order; ``search``,
``scan`` and ``lookup`` give rows, each under a ``Selection``; ``materialise`` copies rows out.
"""

from __future__ import annotations

from tiles.pack.materialise import materialise
from tiles.pack.model import Pack, Part, PartInfo, Selection
from tiles.pack.read import count, lookup, scan, search
from tiles.pack.reader import open_part, verify_part
from tiles.pack.writer import row_order, write_part

__all__ = [
    "Pack",
    "Part",
    "PartInfo",
    "Selection",
    "count",
    "lookup",
    "materialise",
    "open_part",
    "row_order",
    "scan",
    "search",
    "verify_part",
    "write_part",
]
