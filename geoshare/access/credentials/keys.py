"""API keys: made once, stored as an HMAC, replaced with an overlap, shared out in parts.

A key reads ``gs_<id>_<secret>_<checksum>``. The checksum lets scanners and typing errors be told from
keys without a look into the database; the secret has 256 random bits, so a plain HMAC-SHA256 under the
server's own secret is enough to store it.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from geoshare.access.credentials.principal import NO_LIMITS
from geoshare.errors import BadRequest
from geoshare.model.clock import Clock, Ids
from geoshare.model.policy import Rated
from geoshare.store.governance import ApiKey

PREFIX: Final = "gs"
DAY_US: Final = 86_400_000_000
MAX_LIFE_DAYS: Final = 3 * 366
MAX_OVERLAP_US: Final = 90 * DAY_US
_KEY: Final = re.compile(r"gs_([0-9a-z]{8,32})_([0-9a-f]{64})_([0-9a-f]{8})")


@dataclass(frozen=True, slots=True)
class Part:
    """What a key gives to one that it makes: None and nothing named are all it has itself."""

    tiers: tuple[str, ...] = ()
    collections: tuple[str, ...] | None = None
    rates: Rated = NO_LIMITS


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
    check_days(days)
    key_id, secret = ids.new(), secrets.token_hex(32)
    now = clock.now_us()
    stored = ApiKey(
        id=key_id,
        organisation=organisation,
        tier=",".join(tiers),
        label=label,
        hmac=mark(pepper, key_id, secret),
        created_us=now,
        expires_us=now + days * DAY_US,
    )
    return stored, join(key_id, secret)


def sub_key(
    parent: ApiKey, part: Part, *, label: str, days: int, pepper: bytes, clock: Clock, ids: Ids
) -> tuple[ApiKey, str]:
    """Make a key that has a part of another one and ends with it, never later.

    Raises
    ------
    BadRequest
        for a life that cannot be, or where the parent was made by a key itself.
    """
    if parent.parent is not None:
        raise BadRequest("A key that was made by a key makes none.", parameter="key")
    made, text = new_key(
        parent.organisation, part.tiers, label=label, days=days, pepper=pepper, clock=clock, ids=ids
    )
    stored = replace(
        made,
        expires_us=min(made.expires_us, parent.expires_us),
        parent=parent.id,
        collections=None if part.collections is None else ",".join(part.collections),
        per_minute=part.rates.requests_per_minute,
        cost_per_minute=part.rates.cost_per_minute,
        per_month=part.rates.requests_per_month,
        cost_per_month=part.rates.cost_per_month,
    )
    return stored, text


def rotated(
    key: ApiKey, *, overlap_us: int, days: int | None, pepper: bytes, clock: Clock
) -> tuple[ApiKey, str]:
    """Give a key a new secret; the one it has is valid for ``overlap_us`` more.

    ``days`` is its life from now on; None leaves its end as it is. Of two replaced secrets only the
    last one overlaps.

    Raises
    ------
    BadRequest
        for a key that has ended, a life or an overlap that cannot be.
    """
    now = clock.now_us()
    if key.revoked_us is not None or now >= key.expires_us:
        raise BadRequest("The key has ended; make a new one.", parameter="key")
    if not 0 <= overlap_us <= MAX_OVERLAP_US:
        raise BadRequest(
            "The overlap is not possible.",
            parameter="overlap",
            allowed=f"0 to {MAX_OVERLAP_US // DAY_US} days",
        )
    if days is not None:
        check_days(days)
    secret = secrets.token_hex(32)
    after = replace(
        key,
        hmac=mark(pepper, key.id, secret),
        old_hmac=key.hmac if overlap_us else None,
        old_until_us=now + overlap_us if overlap_us else None,
        expires_us=key.expires_us if days is None else now + days * DAY_US,
    )
    return after, join(key.id, secret)


def join(key_id: str, secret: str) -> str:
    """Return the text of a key of that id and secret."""
    text = f"{PREFIX}_{key_id}_{secret}"
    return f"{text}_{checksum(text)}"


def split(text: str) -> tuple[str, str] | None:
    """Return id and secret of a key; None for what has not the form of one."""
    match = _KEY.fullmatch(text)
    if match is None or checksum(text.rpartition("_")[0]) != match[3]:
        return None
    return match[1], match[2]


def redacted(text: str) -> str:
    """Return the part of a key that may stand in a log."""
    match = _KEY.fullmatch(text)
    return f"{PREFIX}_{match[1]}_..." if match else "(no key)"


def mark(pepper: bytes, key_id: str, secret: str) -> bytes:
    """HMAC-SHA256 of id and secret, so that a stored mark cannot be moved to another id."""
    return hmac.digest(pepper, f"{key_id}:{secret}".encode(), hashlib.sha256)


def checksum(text: str) -> str:
    """CRC-32 of what stands before it in a key."""
    return f"{zlib.crc32(text.encode()):08x}"


def listed(names: str | None) -> tuple[str, ...]:
    """Names that are stored with commas between them."""
    return tuple(name for name in (names or "").split(",") if name)


@lru_cache(maxsize=4_096)
def rates_of(
    per_minute: int | None,
    cost_per_minute: int | None,
    per_month: int | None,
    cost_per_month: int | None,
) -> Rated:
    """Rates of a key as they are stored; equal ones are one object."""
    return Rated(
        requests_per_minute=per_minute,
        cost_per_minute=cost_per_minute,
        requests_per_month=per_month,
        cost_per_month=cost_per_month,
    )


def check_days(days: int) -> None:
    """Refuse a life that is not 1 to ``MAX_LIFE_DAYS`` days."""
    if not 1 <= days <= MAX_LIFE_DAYS:
        raise BadRequest("A key must expire.", parameter="days", allowed=f"1 to {MAX_LIFE_DAYS}")
