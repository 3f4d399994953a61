"""API keys: made once, stored as an HMAC, checked in constant time.

A key reads ``gs_<id>_<secret>_<checksum>``. The checksum lets scanners and typing errors be told from
keys without a look into the database; the secret has 256 random bits, so a plain HMAC-SHA256 under the
server's own secret is enough to store it.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import threading
import zlib
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, Protocol

from geoshare.errors import BadRequest, Unauthenticated
from geoshare.model.clock import Clock, Ids
from geoshare.store.governance import ApiKey

PREFIX: Final = "gs"
DAY_US: Final = 86_400_000_000
MAX_LIFE_DAYS: Final = 3 * 366
CACHED_FOR_US: Final = 500_000  # a revocation is seen by every worker within this time
CACHED_KEYS: Final = 4_096
_KEY: Final = re.compile(r"gs_([0-9a-z]{8,32})_([0-9a-f]{64})_([0-9a-f]{8})")
_NOBODY: Final = b"\0" * 32


class KeyStore(Protocol):
    """Where keys are kept."""

    def key(self, key_id: str) -> ApiKey | None:
        """Return the key of that id, also when it is revoked or has expired."""
        ...


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks. ``key_id`` is empty for somebody without a key."""

    organisation: str
    tiers: tuple[str, ...]
    key_id: str = ""
    role: str = "consumer"  # consumer, provider or operator

    @property
    def anonymous(self) -> bool:
        """Whether nobody in particular asks, under the open agreement."""
        return not self.key_id


ANONYMOUS: Final = Principal("", ("open",))


def new_key(
    organisation: str,
    tiers: Iterable[str],
    *,
    label: str = "",
    days: int,
    pepper: bytes,
    clock: Clock,
    ids: Ids,
) -> tuple[ApiKey, str]:
    """Make a key: what is to be stored, and the text that is shown once.

    Raises
    ------
    BadRequest
        for a life that is not 1 to ``MAX_LIFE_DAYS`` days.
    """
    if not 1 <= days <= MAX_LIFE_DAYS:
        raise BadRequest("A key must expire.", parameter="days", allowed=f"1 to {MAX_LIFE_DAYS}")
    key_id, secret = ids.new(), secrets.token_hex(32)
    now = clock.now_us()
    stored = ApiKey(
        id=key_id,
        organisation=organisation,
        tier=",".join(tiers),
        label=label,
        hmac=_mark(pepper, key_id, secret),
        created_us=now,
        expires_us=now + days * DAY_US,
    )
    text = f"{PREFIX}_{key_id}_{secret}"
    return stored, f"{text}_{_checksum(text)}"


class Authenticator:
    """Tells who a key belongs to. Keys are remembered for half a second, so that revocation counts.

    ``standing`` says which tiers an organisation holds by its agreements, as far as the key is for
    them (for all where it names none), and the strongest role among them.
    """

    def __init__(
        self,
        store: KeyStore,
        pepper: bytes,
        clock: Clock,
        standing: Callable[[str, tuple[str, ...] | None], tuple[tuple[str, ...], str]],
    ) -> None:
        self._store = store
        self._pepper = pepper
        self._clock = clock
        self._standing = standing
        self._cache: OrderedDict[str, tuple[ApiKey, int]] = OrderedDict()
        self._lock = threading.Lock()

    def authenticate(self, text: str | None) -> Principal:
        """Return the holder of a key; nobody in particular without one.

        Raises
        ------
        Unauthenticated
            the same for a key that is malformed, unknown, wrong, revoked or expired.
        """
        if text is None:
            return ANONYMOUS
        match = _KEY.fullmatch(text)
        if match is None or _checksum(text.rpartition("_")[0]) != match[3]:
            raise _refused()
        key_id, secret = match[1], match[2]
        now = self._clock.now_us()
        stored = self._find(key_id, now)
        # An unknown id costs the same comparison as a wrong secret.
        right = hmac.compare_digest(
            stored.hmac if stored is not None else _NOBODY, _mark(self._pepper, key_id, secret)
        )
        if stored is None or not right or stored.revoked_us is not None or now >= stored.expires_us:
            raise _refused()
        narrowed = tuple(name for name in stored.tier.split(",") if name)
        tiers, role = self._standing(stored.organisation, narrowed or None)
        return Principal(stored.organisation, tiers, stored.id, role)

    def forget(self) -> None:
        """Drop what is remembered, so that the next request reads every key again."""
        with self._lock:
            self._cache.clear()

    def _find(self, key_id: str, now: int) -> ApiKey | None:
        with self._lock:
            found = self._cache.get(key_id)
            if found is not None and 0 <= now - found[1] < CACHED_FOR_US:
                return found[0]
        stored = self._store.key(key_id)
        with self._lock:
            if stored is None:  # unknown ids are not kept: anybody can make them up
                self._cache.pop(key_id, None)
            else:
                self._cache[key_id] = (stored, now)
                self._cache.move_to_end(key_id)
                if len(self._cache) > CACHED_KEYS:
                    self._cache.popitem(last=False)
        return stored


def redacted(text: str) -> str:
    """Return the part of a key that may stand in a log."""
    match = _KEY.fullmatch(text)
    return f"{PREFIX}_{match[1]}_..." if match else "(no key)"


def _mark(pepper: bytes, key_id: str, secret: str) -> bytes:
    """HMAC-SHA256 of id and secret, so that a stored mark cannot be moved to another id."""
    return hmac.digest(pepper, f"{key_id}:{secret}".encode(), hashlib.sha256)


def _checksum(text: str) -> str:
    return f"{zlib.crc32(text.encode()):08x}"


def _refused() -> Unauthenticated:
    return Unauthenticated("The key is not valid.")
