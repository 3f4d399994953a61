"""Transforms as data: what a grant leaves of the values of one column."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

MAX_EDGES = 1_000
Edge = Annotated[float, Field(allow_inf_nan=False)]


class _Transform(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Keep(_Transform):
    """The value as it is."""

    kind: Literal["keep"] = "keep"


class Round(_Transform):
    """The nearest multiple of ``step``; for times the multiple before (seconds, dates: days)."""

    kind: Literal["round"] = "round"
    step: float = Field(gt=0, le=1e15)


class Bucket(_Transform):
    """The largest edge that is not above the value; null below the first edge."""

    kind: Literal["bucket"] = "bucket"
    edges: tuple[Edge, ...] = Field(min_length=1, max_length=MAX_EDGES)

    @model_validator(mode="after")
    def _rising(self) -> Self:
        if any(low >= high for low, high in zip(self.edges, self.edges[1:], strict=False)):
            raise ValueError("edges must rise")
        return self


class KeyedHash(_Transform):
    """A text that is the same for the same value under one agreement, and tells nothing else."""

    kind: Literal["hash"] = "hash"


class Null(_Transform):
    """Nothing: the column is there, its values are not."""

    kind: Literal["null"] = "null"


Transform = Annotated[Keep | Round | Bucket | KeyedHash | Null, Field(discriminator="kind")]
KEEP, NULL = Keep(), Null()
TRANSFORMS = ("keep", "round", "bucket", "hash", "null")


def gives(fine: Transform, coarse: Transform) -> bool:
    """Whether who has the first value can compute the second, so that nothing is lost with it.

    >>> gives(Round(step=5), Round(step=10)), gives(Round(step=4), Round(step=10))
    (False, False)
    """
    # multiples of 5 do not give multiples of 10: 7.4 becomes 5 and then 10, but 10 itself gives 10
    if fine == coarse or fine.kind == "keep" or coarse.kind == "null":
        return True
    if isinstance(fine, Bucket) and isinstance(coarse, Bucket):
        return set(coarse.edges) <= set(fine.edges) and coarse.edges[0] == fine.edges[0]
    return False


def finest(offered: Iterable[Transform]) -> Transform:
    """What is shown where each of these may be: one that gives all others, else the most telling.

    Where none gives the others (a rounded and a hashed value) the first in the order keep, round by
    step, bucket by number of edges, hash, null is taken: a column of a row has one value.
    """
    return min(offered, key=_order)


def common(offered: Iterable[Transform]) -> Transform:
    """What every one of these gives; null where they have nothing in common."""
    found = list(offered)
    for candidate in sorted(found, key=_order, reverse=True):
        if all(gives(other, candidate) for other in found):
            return candidate
    return NULL


def _order(transform: Transform) -> tuple[int, float]:
    detail = 0.0
    if isinstance(transform, Round):
        detail = transform.step
    elif isinstance(transform, Bucket):
        detail = -math.fsum(1.0 for _ in transform.edges)
    return TRANSFORMS.index(transform.kind), detail
