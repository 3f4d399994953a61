"""What is stored of people: departments, persons, invites and sessions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection

Also = Callable[[Connection], object]  # what is done in the same transaction: an entry in the log


@dataclass(frozen=True, slots=True)
class Department:
    """A part of an organisation."""

    id: str
    organisation: str
    name: str
    created_us: int


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of an organisation; without a name once erased."""

    id: str
    organisation: str
    department: str | None
    name: str
    email: str | None
    roles: str
    language: str
    created_us: int
    disabled_us: int | None = None
    erased_us: int | None = None

    @property
    def active(self) -> bool:
        """Whether sessions of this person count."""
        return self.disabled_us is None and self.erased_us is None


@dataclass(frozen=True, slots=True)
class Invite:
    """What lets a person in once: without its secret."""

    id: str
    person: str
    hmac: bytes
    created_us: int
    expires_us: int
    made_by: str | None = None
    used_us: int | None = None
    revoked_us: int | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """A browser that a person is logged in with: without its secret."""

    id: str
    person: str
    hmac: bytes
    how: str
    created_us: int
    expires_us: int
    last_used_us: int
    invited_by: str | None = None
    revoked_us: int | None = None
