"""Policies as data: grants, the tiers that bundle them, and the policy one consumer ends up with.

A grant is a conjunction (these rows, these columns, this area, this precision); grants combine as a
disjunction. Everything is an allow-list: what no grant names does not exist for the consumer.
"""

from geoshare.model.policy.agreements import (
    Activation,
    Agreement,
    Emergency,
    Offer,
    Party,
    Term,
    Terms,
)
from geoshare.model.policy.canonical import canonical_json, sha256_of
from geoshare.model.policy.effective import Policy
from geoshare.model.policy.grants import (
    ACTIONS,
    FORMATS,
    RATES,
    READING,
    USUAL,
    Action,
    Duty,
    Format,
    Grant,
    Names,
    Rated,
)
from geoshare.model.policy.release import (
    DECLARED,
    EVERY_CLASS,
    MAX_CLASSES,
    OPEN_CLASS,
    ClassName,
    ReleaseClass,
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
    "DECLARED",
    "EVERY_CLASS",
    "FORMATS",
    "KEEP",
    "MAX_CLASSES",
    "NULL",
    "OPEN_CLASS",
    "RATES",
    "READING",
    "TRANSFORMS",
    "USUAL",
    "Action",
    "Activation",
    "Agreement",
    "Bucket",
    "ClassName",
    "Duty",
    "Emergency",
    "Format",
    "Grant",
    "Keep",
    "KeyedHash",
    "Names",
    "Null",
    "Offer",
    "Party",
    "Policy",
    "Rated",
    "ReleaseClass",
    "Role",
    "Round",
    "Term",
    "Terms",
    "Tier",
    "Transform",
    "canonical_json",
    "common",
    "finest",
    "gives",
    "sha256_of",
]
