"""Tokens: opaque texts that tell versions of what a view shows apart, and say nothing else.

The token of a view of features is made of its schema and of sums over hashes of its visible values
(``tiles.pack.sums``, added up in ``geoshare.access.facts``): whatever is hidden adds nothing to it, so
that it can tell nothing of it, and changes only with what is shown.
"""

from __future__ import annotations

import hashlib


def token(*parts: object) -> str:
    """Return an opaque text that differs where any of the parts differs."""
    return hashlib.blake2b(repr(parts).encode(), digest_size=12).hexdigest()
