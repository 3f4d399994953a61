"""Tells whose credential it is, by what is stored now."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import replace
from typing import Final, NoReturn, Protocol

from geoshare.access.credentials.keys import listed, mark, rates_of, split
from geoshare.access.credentials.principal import ANONYMOUS, Principal, Via
from geoshare.access.credentials.remembered import Remembered
from geoshare.errors import Unauthenticated
from geoshare.model.clock import Clock
from geoshare.store.governance import ApiKey

_NOBODY: Final = b"\0" * 32

Standing = Callable[[str, tuple[str, ...] | None], tuple[tuple[str, ...], str]]


class KeyStore(Protocol):
    """Where keys are kept."""

    def key(self, key_id: str) -> ApiKey | None:
        """Return the key of that id, also when it is revoked or has expired."""
        ...


class Authenticator:
    """Tells who a key belongs to. Keys are remembered for half a second, so that revocation counts.

    ``standing`` says which tiers an organisation holds by its agreements, as far as the key is for
    them (for all where it names none), and the strongest role among them. ``used`` is told of each
    use and must not wait.
    """

    def __init__(
        self,
        store: KeyStore,
        pepper: bytes,
        clock: Clock,
        standing: Standing,
        used: Callable[[str, int], None] = lambda key_id, now_us: None,
    ) -> None:
        self._pepper = pepper
        self._clock = clock
        self._standing = standing
        self._used = used
        self._remembered: Remembered[ApiKey] = Remembered(store.key)

    def authenticate(self, text: str | None) -> Principal:
        """Return the holder of a key; nobody in particular without one.

        Raises
        ------
        Unauthenticated
            the same for a key that is malformed, unknown, wrong, revoked or expired, or made by a
            key that is revoked or expired.
        """
        if text is None:
            return ANONYMOUS
        parts = split(text)
        if parts is None:
            refuse()
        key_id, secret = parts
        now = self._clock.now_us()
        stored = self._remembered.find(key_id, now)
        given = mark(self._pepper, key_id, secret)
        # An unknown id costs the same comparisons as a wrong secret.
        right = hmac.compare_digest(stored.hmac if stored is not None else _NOBODY, given)
        old = hmac.compare_digest(_old(stored, now), given)
        if stored is None or not (right or old):
            refuse()
        who = self._principal(stored, now, "key")
        return replace(who, replaced=not right, secret=given)

    def valid_secrets(self, key_id: str) -> tuple[Principal, tuple[bytes, ...]] | None:
        """Return the holder of a key that is valid now, and the marks of its secrets, newest first."""
        now = self._clock.now_us()
        stored = self._remembered.find(key_id, now)
        if stored is None:
            return None
        old = _old(stored, now)
        marks = (stored.hmac,) if old == _NOBODY else (stored.hmac, old)
        return self._principal(stored, now, "key"), marks

    def forget(self) -> None:
        """Drop what is remembered, so that the next request reads every key again."""
        self._remembered.forget()

    def _principal(self, stored: ApiKey, now: int, via: Via) -> Principal:
        """The holder of a key whose secret is right; refused where it or its maker has ended."""
        if stored.revoked_us is not None or now >= stored.expires_us:
            refuse()
        narrowed = listed(stored.tier) or None
        above = None
        if stored.parent is not None:
            above, narrowed = self._above(stored.parent, narrowed, now)
        tiers, role = self._standing(stored.organisation, narrowed)
        self._used(stored.id, now)
        return Principal(
            stored.organisation,
            tiers,
            stored.id,
            role if above is None else "consumer",
            listed(stored.collections) if stored.collections is not None else None,
            rates_of(
                stored.per_minute, stored.cost_per_minute, stored.per_month, stored.cost_per_month
            ),
            above,
            via,
        )

    def _above(
        self, parent: str, narrowed: tuple[str, ...] | None, now: int
    ) -> tuple[Principal, tuple[str, ...] | None]:
        """The key that made one, and what both are for."""
        maker = self._remembered.find(parent, now)
        if maker is None or maker.parent is not None:
            refuse()
        above = self._principal(maker, now, "key")
        limit = listed(maker.tier)
        if not limit:
            return above, narrowed
        if narrowed is None:
            return above, limit
        both = tuple(name for name in narrowed if name in limit)
        if not both:  # nothing would stand for everything
            refuse()
        return above, both


def refuse() -> NoReturn:
    """Raise the one answer to every credential that is not valid."""
    raise Unauthenticated("The credential is not valid.")


def _old(stored: ApiKey | None, now: int) -> bytes:
    """The mark of the secret before, while it is valid; one that no secret has otherwise."""
    if stored is None or stored.old_hmac is None or stored.old_until_us is None:
        return _NOBODY
    return stored.old_hmac if now < stored.old_until_us else _NOBODY
