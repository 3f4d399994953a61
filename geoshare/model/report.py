"""What became of a contribution: rows read, repaired and refused, said in Japanese and English."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geoshare.model.batch import Datum
from geoshare.model.findings import MAX_FINDINGS, SEVERITIES, Finding

MAX_EXAMPLES = 5
MAX_REFUSALS = 10_000


@dataclass(frozen=True, slots=True)
class Message:
    """One sentence in both languages under a stable code."""

    code: str
    en: str
    ja: str


@dataclass(slots=True)
class Repair:
    """A kind of repair, how often it was made, and a few examples."""

    message: Message
    count: int = 0
    examples: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A row that was not taken, why, and its values as they came (for the .xlsx of refused rows)."""

    row: int | str  # 1-based row or element id in the source
    message: Message
    values: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Report:
    """Filled by the reader while it reads; kept with the contribution."""

    file: str
    format: str = ""
    mapping: str = ""
    datum: Datum = field(default_factory=Datum)
    rows_read: int = 0
    taken: dict[str, int] = field(default_factory=dict)  # collection -> features or rasters
    withdrawn: dict[str, int] = field(default_factory=dict)  # collection -> features not in it any more
    repairs: dict[str, Repair] = field(default_factory=dict)
    refusals: list[Refusal] = field(default_factory=list)
    refused: int = 0  # all of them, also those past MAX_REFUSALS
    notes: list[Message] = field(default_factory=list)
    layers: list[str] = field(default_factory=list)
    columns: dict[str, str | None] = field(default_factory=dict)  # source column -> property
    moved: dict[str, list[float]] = field(default_factory=dict)  # see moved_by
    findings: list[Finding] = field(default_factory=list)
    found: dict[str, int] = field(default_factory=dict)  # severity -> all, also past MAX_FINDINGS

    def repaired(self, message: Message, example: str = "", count: int = 1) -> None:
        """Count a repair."""
        repair = self.repairs.setdefault(message.code, Repair(message))
        repair.count += count
        if example and len(repair.examples) < MAX_EXAMPLES:
            repair.examples.append(example)

    def refuse(self, row: int | str, message: Message, values: dict[str, Any] | None = None) -> None:
        """Note a row that is not taken."""
        self.refused += 1
        if len(self.refusals) < MAX_REFUSALS:
            self.refusals.append(Refusal(row, message, values or {}))

    def find(self, findings: Iterable[Finding]) -> None:
        """Add what checks found; of many, errors are kept before warnings."""
        added = list(findings)
        for finding in added:
            self.found[finding.severity] = self.found.get(finding.severity, 0) + 1
        every = sorted([*self.findings, *added], key=lambda item: SEVERITIES.index(item.severity))
        self.findings = every[:MAX_FINDINGS]

    def moved_by(self, grid: str, metres: NDArray[np.float64]) -> None:
        """Count places that a grid moved, by metres (n, 3) east, north and up.

        ``moved`` holds the number of places, the mean of the three, and the longest way, by grid.
        """
        count, *mean, longest = self.moved.get(grid, [0.0, 0.0, 0.0, 0.0, 0.0])
        every = count + len(metres)
        means = (np.array(mean) * count + metres.sum(axis=0)) / every
        longest = max(longest, float(np.sqrt((metres**2).sum(axis=1)).max()))
        self.moved[grid] = [every, *(round(value, 6) for value in means.tolist()), round(longest, 6)]

    def note(self, message: Message) -> None:
        """Say something about the file as a whole, once."""
        if message not in self.notes:
            self.notes.append(message)

    def took(self, collection: str, count: int) -> None:
        """Count features or rasters handed over."""
        self.taken[collection] = self.taken.get(collection, 0) + count
