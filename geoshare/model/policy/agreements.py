"""Offers and agreements: under which terms an organisation holds tiers."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue, model_validator

from geoshare.model.policy.canonical import sha256_of
from geoshare.model.policy.grants import AreaCode, Duty
from geoshare.model.policy.release import MAX_CLASSES, OPEN_CLASS, ClassName

Contract = Literal["provision", "creation", "shared-use"]
"""Data provision, data creation, data sharing platform (提供型, 創出型, 共用型)."""
Identifier = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
TierName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]
Text = Annotated[str, Field(max_length=2_000)]
Word = Annotated[str, Field(min_length=1, max_length=200)]
MAX_LIST = 100


class _Document(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Terms(_Document):
    """What may be done with what is received. Everything not stated is not allowed.

    ``onward``: who receives a copy (nobody, others under the same terms, anybody).
    ``derivatives``: what is made of the data (nothing, for own use, passed on where the data cannot be
    recovered from it, passed on freely). ``training``: of models, and whether they may be passed on.
    """

    purposes: tuple[Word, ...] = Field(default=(), max_length=MAX_LIST)  # names or IRIs
    recipients: tuple[Word, ...] = Field(default=(), max_length=MAX_LIST)  # beside the party itself
    onward: Literal["none", "same-terms", "free"] = "none"
    derivatives: Literal["none", "internal", "irreversible", "free"] = "none"
    training: Literal["none", "internal", "free"] = "none"
    duties: tuple[Duty, ...] = Field(default=(), max_length=MAX_LIST)
    text: Text = ""
    text_ja: Text = ""
    text_sha256: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")  # of the signed paper


class Offer(_Document):
    """What the operator offers to anybody it may concern: tiers, terms, price."""

    title: Word
    title_ja: Word
    contract: Contract = "provision"
    tiers: tuple[TierName, ...] = Field(min_length=1, max_length=MAX_LIST)
    terms: Terms = Terms()
    days: int = Field(365, ge=1, le=36_525)
    price: Text = ""
    price_ja: Text = ""


class Party(_Document):
    """One side of an agreement."""

    organisation: Word
    part: Literal["provider", "consumer"]


class Term(_Document):
    """From when until when; the end itself is past."""

    starts: AwareDatetime
    ends: AwareDatetime

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.starts >= self.ends:
            raise ValueError("starts must be before ends")
        return self

    def holds(self, now: datetime) -> bool:
        """Whether a moment lies in the term."""
        return self.starts <= now < self.ends


class Agreement(_Document):
    """What two parties sign: which tiers the consumer holds, how long, and under which terms.

    ``area`` fences every grant of its tiers: a CRS84 GeoJSON polygon or an administrative code.
    ``contribute_area`` fences those by which the consumer contributes and edits, and these alone: a
    municipality sees its neighbours' roads, and closes its own.
    ``release_classes`` are those under which the consumer contributes; the first counts where it says
    none. What its tiers show is not theirs to decide.
    A document never changes: what is to be different is a new version, signed again.
    """

    id: Identifier
    version: int = Field(1, ge=1, le=100_000)
    contract: Contract = "provision"
    offer: Identifier | None = None
    parties: tuple[Party, ...] = Field(min_length=2, max_length=2)
    tiers: tuple[TierName, ...] = Field(min_length=1, max_length=MAX_LIST)
    area: dict[str, JsonValue] | AreaCode | None = None
    contribute_area: dict[str, JsonValue] | AreaCode | None = None
    release_classes: tuple[ClassName, ...] = Field((OPEN_CLASS,), min_length=1, max_length=MAX_CLASSES)
    term: Term
    terms: Terms = Terms()

    @model_validator(mode="after")
    def _two_sides(self) -> Self:
        if {party.part for party in self.parties} != {"provider", "consumer"}:
            raise ValueError("parties must be one provider and one consumer")
        if len(set(self.tiers)) != len(self.tiers):
            raise ValueError("tiers must be named once each")
        if len(set(self.release_classes)) != len(self.release_classes):
            raise ValueError("release_classes must be named once each")
        return self

    @property
    def consumer(self) -> str:
        """The organisation that comes to hold the tiers."""
        return next(party.organisation for party in self.parties if party.part == "consumer")

    @property
    def provider(self) -> str:
        """The organisation that gives them."""
        return next(party.organisation for party in self.parties if party.part == "provider")

    def document(self) -> dict[str, Any]:
        """Return what is signed, as JSON values.

        A fence of contributions that is not there is left out, and so are release classes where
        there is none but the open one: documents that were signed before keep their hashes.
        """
        found: dict[str, Any] = self.model_dump(mode="json")
        if found["contribute_area"] is None:
            del found["contribute_area"]
        if self.release_classes == (OPEN_CLASS,):
            del found["release_classes"]
        return found

    @property
    def sha256(self) -> str:
        """SHA-256 of the canonical JSON of the document."""
        return sha256_of(self.document())


class Emergency(_Document):
    """What makes a tier an emergency tier: who gets it while it is switched on, and how long at most.

    ``beneficiaries`` are tiers: who holds one of them holds the emergency tier, too.
    """

    beneficiaries: tuple[TierName, ...] = Field(min_length=1, max_length=MAX_LIST)
    longest_hours: int = Field(72, ge=1, le=24 * 90)


class Activation(_Document):
    """An emergency tier switched on: where, how long, and why."""

    id: Identifier
    tier: TierName
    area: dict[str, JsonValue] | AreaCode
    hours: int = Field(ge=1, le=24 * 90)
    reason: Word
    reason_ja: Annotated[str, Field(max_length=200)] = ""
