"""What the tables of policies hold, a row each, and what every change of them says of itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

Witness = Callable[[Connection, "Change"], None]


@dataclass(frozen=True, slots=True)
class Act:
    """Who does something, when and why: the head of every change set.

    ``witness`` is told of it in the same transaction, so that an act and its entry in the audit log
    are kept both or neither.
    """

    at_us: int
    author: str
    reason: str
    witness: Witness | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """One change set, as it stands for ever."""

    number: int
    at_us: int
    kind: str
    act: str
    subject: str
    author: str
    reason: str
    source: str
    sha256: str | None
    document: str | None = None


@dataclass(frozen=True, slots=True)
class OfferRow:
    """An offer as it was made."""

    id: str
    version: int
    document: str
    sha256: str
    made_us: int
    withdrawn_us: int | None


@dataclass(frozen=True, slots=True)
class AgreementRow:
    """One version of an agreement, and how it stands."""

    id: str
    version: int
    organisation: str
    document: str
    sha256: str
    offered_us: int
    signatures: tuple[dict[str, Any], ...]
    signed_us: int | None
    ended_us: int | None
    end_reason: str


@dataclass(frozen=True, slots=True)
class EmergencyRow:
    """An emergency tier that somebody wants on, or that was switched on."""

    id: str
    document: str
    sha256: str
    proposed_us: int
    proposed_by: str
    activated_us: int | None
    activated_by: str | None
    until_us: int | None
    ended_us: int | None
