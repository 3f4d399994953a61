"""Piecewise cubics: heights, widths, offsets and tilts along a road."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Cubics:
    """Records of ``a + b ds + c ds^2 + d ds^3``, ``ds`` counted from each record's own start.

    ``starts`` (n,) ascend; ``coefficients`` (n, 4) are a, b, c, d. Before the first record, and where
    there is none, the value is zero; the last one runs on.
    """

    starts: Array
    coefficients: Array

    @classmethod
    def of(cls, records: Sequence[Sequence[float]]) -> Cubics:
        """From (start, a, b, c, d); of records with the same start the last one counts."""
        rows = np.array(sorted(records, key=lambda row: row[0]), np.float64).reshape(-1, 5)
        last = np.append(rows[1:, 0] != rows[:-1, 0], True) if len(rows) else np.zeros(0, bool)
        return cls(rows[last, 0], rows[last, 1:])

    @classmethod
    def constant(cls, value: float) -> Cubics:
        """The same value everywhere from zero on."""
        return cls.of([(0.0, value, 0.0, 0.0, 0.0)])

    @classmethod
    def through(cls, s: Array, values: Array) -> Cubics:
        """Straight from value to value (n,) between stations (n,)."""
        slopes = np.append(np.diff(values) / np.diff(s), 0.0) if len(s) > 1 else np.zeros(1)
        zero = np.zeros(len(s))
        return cls(s, np.column_stack([values, slopes, zero, zero]))

    def __len__(self) -> int:
        return len(self.starts)

    def at(self, s: Array) -> Array:
        """Values (m,) at stations (m,)."""
        if not len(self.starts):
            return np.zeros(len(s))
        place = np.searchsorted(self.starts, s, side="right") - 1
        row = self.coefficients[np.maximum(place, 0)]
        ds = s - self.starts[np.maximum(place, 0)]
        value: Array = row[:, 0] + ds * (row[:, 1] + ds * (row[:, 2] + ds * row[:, 3]))
        return np.where(place >= 0, value, 0.0)
