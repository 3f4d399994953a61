"""Who asks, whatever credential tells it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Via = Literal["nothing", "key", "link"]


@dataclass(frozen=True, slots=True)
class Link:
    """What a signed link goes on with: its key, and its end in seconds since 1970."""

    key_id: str
    expires_s: int


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks. ``key_id`` is empty for somebody without a key.

    ``collections`` are the only ones that the credential is for (None: all that its tiers allow),
    ``per_minute`` its own share of requests. ``above`` is the key that made this one: what is asked
    counts against both.
    """

    organisation: str
    tiers: tuple[str, ...]
    key_id: str = ""
    role: str = "consumer"  # consumer, provider or operator
    collections: tuple[str, ...] | None = None
    per_minute: int | None = None
    above: Principal | None = None
    via: Via = "nothing"
    link: Link | None = None

    @property
    def whole(self) -> bool:
        """Whether it speaks for the organisation itself, not for who was given a part of its data."""
        return bool(self.key_id) and self.above is None and self.link is None

    @property
    def anonymous(self) -> bool:
        """Whether nobody in particular asks, under the open agreement."""
        return not self.key_id


ANONYMOUS: Final = Principal("", ("open",))
