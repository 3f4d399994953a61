"""Where compiled kernels are kept: in a folder named after the sources they were compiled from.

A compiled kernel holds the kernels it calls, but the compiler's own check looks at one file alone: a
change in a kernel that another one calls would go unnoticed, and old code would go on running.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from numba import config

_FOLDER = Path(__file__).parent


def use_own_cache() -> None:
    """Point the compiler to the folder of these sources, where there may be one.

    Where the package lies in a read-only place the compiler's own choice stands.
    """
    if getattr(config, "CACHE_DIR", "") or not os.access(_FOLDER, os.W_OK):
        return
    digest = hashlib.blake2b(digest_size=8)
    for path in sorted(_FOLDER.rglob("*.py")):
        digest.update(path.read_bytes())
    folder = _FOLDER / "__pycache__" / f"kernels-{digest.hexdigest()}"
    vars(config)["CACHE_DIR"] = str(folder)
