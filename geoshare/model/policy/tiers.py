"""Tiers: named, reusable bundles of grants."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import Field, model_validator

from geoshare.model.policy.agreements import Emergency
from geoshare.model.policy.grants import READING, Action, Duty, Grant, Rated

Role = Literal["consumer", "provider", "operator"]
PASSED_ON = ("licence", "actions")


class Tier(Rated):
    """A named, reusable bundle of grants.

    ``withheld`` names collections that the tier deliberately does not hold, and ``as_open`` those of
    which it holds what the open tier holds, so that a reader of the file sees every one decided.
    """

    title: str = Field(max_length=200)
    title_ja: str = Field(max_length=200)
    description: str = Field("", max_length=2_000)
    role: Role = "consumer"
    licence: str | None = Field(None, max_length=200)  # of grants that state none
    actions: tuple[Action, ...] | None = None  # of grants that state none
    duties: tuple[Duty, ...] = ()
    emergency: Emergency | None = None  # None: an ordinary tier, held by agreement
    withheld: tuple[str, ...] = ()
    as_open: tuple[str, ...] = ()
    grants: tuple[Grant, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _pass_on(cls, said: Any) -> Any:
        if not isinstance(said, dict):
            return said
        common = {key: said[key] for key in PASSED_ON if said.get(key) is not None}
        grants = said.get("grants")
        if not isinstance(grants, list | tuple) or not all(isinstance(item, dict) for item in grants):
            return said
        return said | {"grants": [common | grant for grant in grants]}

    @model_validator(mode="after")
    def _all_is_for_operators(self) -> Self:
        for grant in self.grants:
            reads = set(grant.actions) & set(READING)
            every = (grant.collections, grant.columns, grant.release_classes)
            if self.role != "operator" and reads and "all" in every:
                raise ValueError('"all" to read is for tiers with role "operator" alone')
        return self

    @model_validator(mode="after")
    def _emergencies_only_show(self) -> Self:
        if self.emergency is not None and self.role != "consumer":
            raise ValueError('an emergency tier has the role "consumer"')
        return self

    @model_validator(mode="after")
    def _withheld_is_withheld(self) -> Self:
        for name in self.withheld:
            if any(grant.covers(name) and set(grant.actions) & set(READING) for grant in self.grants):
                raise ValueError(f"{name} is both granted and withheld")
        return self
