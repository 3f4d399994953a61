"""What evaluating a filter may cost: counted in rows and vertices of what the reader sees.

The same filter on the same view costs the same each time, whatever the machine does besides: a refusal
tells nothing of rows that are hidden, nor of others who ask.
"""

from __future__ import annotations

from typing import Any, Final

from geoshare.errors import TooLarge

BUDGET: Final = 5_000_000_000  # units of one request, about a nanosecond each
_OPERATION: Final = 50  # of a row, for what is not named below
_WEIGHTS: Final = {
    "like": 200,
    "in": 100,
    "casei": 600,
    "accenti": 2_000,
    "lower": 400,
    "upper": 400,
    "char_length": 300,
    "geometry_type": 1_000,
    "length_m": 5_000,
    "area_m2": 20_000,
    **dict.fromkeys(("a_equals", "a_contains", "a_containedby", "a_overlaps"), 5_000),
}
PER_SHAPE: Final = 1_500  # a geometry read and put beside a literal
PER_VERTEX: Final = 100  # of the features' geometries
PER_NUMBER: Final = 20  # of the features' geometries, where numbers tell whether they meet an area
PER_PAIR: Final = 20  # a geometry and a vertex of the literal, where the two are related in full
PER_BOX: Final = 20  # a geometry told apart by its box


class Meter:
    """Counts down what a request may still cost."""

    def __init__(self, budget: int = BUDGET, parameter: str = "filter") -> None:
        self._left = budget
        self._parameter = parameter

    def charge(self, units: float) -> None:
        """Take units off before the work is done.

        Raises
        ------
        TooLarge
            where fewer are left.
        """
        self._left -= int(units)
        if self._left < 0:
            raise TooLarge(
                "The filter would take too long on so many features.",
                code="filter-cost",
                parameter=self._parameter,
                allowed="a bbox or a filter on a smaller area, fewer terms, simpler geometries",
            )


def weight(op: str) -> int:
    """Units that one operation costs for each row, geometries aside."""
    return _WEIGHTS.get(op, _OPERATION)


def weight_of(node: Any) -> int:
    """Units that a row costs at most, to ask what is cheap first; a geometry counts as its own cost."""
    if isinstance(node, list):
        return sum(map(weight_of, node))
    if not isinstance(node, dict):
        return 0
    if "op" in node:
        op = str(node["op"])
        own = PER_SHAPE if op.startswith("s_") else weight(op)
        return own + weight_of(node["args"])
    return weight_of(node["interval"]) if "interval" in node else 1
