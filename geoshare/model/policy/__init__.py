"""Policies as data: grants, the tiers that bundle them, and the policy one consumer ends up with.

A grant is a conjunction (these rows, these columns, this area, this precision); grants combine as a
disjunction. Everything is an allow-list: what no grant names does not exist for the consumer.
"""

from geoshare.model.policy.canonical import canonical_json, sha256_of
from geoshare.model.policy.effective import Policy
from geoshare.model.policy.grants import (
    ACTIONS,
    FORMATS,
    READING,
    USUAL,
    Action,
    Duty,
    Format,
    Grant,
    Names,
    Rated,
)
from geoshare.model.policy.tiers import Role, Tier
from geoshare.model.policy.transforms import (
    KEEP,
    NULL,
    TRANSFORMS,
    Bucket,
    Keep,
    KeyedHash,
    Null,
    Round,
    Transform,
    common,
    finest,
    gives,
)

__all__ = [
    "ACTIONS",
    "FORMATS",
    "KEEP",
    "NULL",
    "READING",
    "TRANSFORMS",
    "USUAL",
    "Action",
    "Bucket",
    "Duty",
    "Format",
    "Grant",
    "Keep",
    "KeyedHash",
    "Names",
    "Null",
    "Policy",
    "Rated",
    "Role",
    "Round",
    "Tier",
    "Transform",
    "canonical_json",
    "common",
    "finest",
    "gives",
    "sha256_of",
]
