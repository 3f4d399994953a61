"""The engine: arrays and byte ranges in, bytes and arrays out.

Knows nothing of HTTP, SQL, the names of collections, or who is asking.
"""

from tiles.compiled import use_own_cache

use_own_cache()
