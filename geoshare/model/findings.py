"""What a check of a contribution found: which rule, how grave, where, and in words.

Findings are data beside the report's repairs and refusals. A repair was made, a refused row was left
out; a finding says that the map breaks a rule, whether or not it could be taken all the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

Severity = Literal["error", "warning", "info"]
Refusing = Literal["error", "warning", "info", "none"]
"""Findings as grave as this, or graver, refuse a contribution; ``none``: no finding does."""
SEVERITIES: Final[tuple[Severity, ...]] = ("error", "warning", "info")
MAX_FINDINGS: Final = 2_000


@dataclass(frozen=True, slots=True)
class Finding:
    """One breach of one rule.

    ``rule`` is the id under which those who made the rule publish it; our own begin with ``geoshare:``.
    ``feature`` names the element in the file (``road/12/lane/-1``, ``relation/81``), ``lon_lat`` is
    where it is, in degrees; None where the file or the element has no place.
    """

    rule: str
    severity: Severity
    feature: str
    en: str
    ja: str
    lon_lat: tuple[float, float] | None = None


def worst(findings: Iterable[Finding]) -> Severity | None:
    """The gravest severity among findings; None where there are none."""
    present = {finding.severity for finding in findings}
    return next((severity for severity in SEVERITIES if severity in present), None)


def refusing(own: Refusing | None, usual: Refusing | None) -> Severity | None:
    """What refuses a contribution: what was said with it, else what its provider has decided."""
    found = own or usual
    return None if found is None or found == "none" else found
