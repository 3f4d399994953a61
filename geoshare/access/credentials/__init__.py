"""Who is asking: keys and what is made of them, and people's browsers, each ending within a second."""

from geoshare.access.credentials.authenticator import Authenticator, KeyStore
from geoshare.access.credentials.keys import (
    DAY_US,
    MAX_LIFE_DAYS,
    Part,
    checksum,
    new_key,
    redacted,
    rotated,
    sub_key,
)
from geoshare.access.credentials.principal import ANONYMOUS, ROLES, Principal, Via
from geoshare.access.credentials.remembered import CACHED_FOR_US
from geoshare.access.credentials.sessions import Sessions
from geoshare.access.credentials.uses import Uses

__all__ = [
    "ANONYMOUS",
    "CACHED_FOR_US",
    "DAY_US",
    "MAX_LIFE_DAYS",
    "ROLES",
    "Authenticator",
    "KeyStore",
    "Part",
    "Principal",
    "Sessions",
    "Uses",
    "Via",
    "checksum",
    "new_key",
    "redacted",
    "rotated",
    "sub_key",
]
