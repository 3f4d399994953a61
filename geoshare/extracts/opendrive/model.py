"""A road map on its way into XML: roads and lanes that know their features."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Final, cast

from lxml import etree

from geoshare.model.roads import Road

START, END = 0, 1
ENDS = ("start", "end")
LINKS = ("predecessor", "successor")
TOLD_M: Final = 0.2  # an error from which on the report says where it is
MOST_TOLD: Final = 20


@dataclass
class OutLane:
    """One lane: its feature, its place in a road, and which way traffic runs along the road."""

    feature: str
    road: OutRoad
    section: int
    id: int
    travel: int
    element: etree._Element
    successors: list[str] = field(default_factory=list)
    predecessors: list[str] = field(default_factory=list)

    @property
    def exit(self) -> int:
        """The end of the road at which traffic leaves the lane."""
        return END if self.travel >= 0 else START

    @property
    def entry(self) -> int:
        """The end at which traffic comes in."""
        return 1 - self.exit


@dataclass
class OutRoad:
    """One road: its feature (empty for a fitted one), its element, the junction it runs through."""

    feature: str
    id: str
    element: etree._Element
    sections: list[int] = field(default_factory=list)  # numbers, in the order of their stations
    lanes: list[OutLane] = field(default_factory=list)
    connectors: tuple[str | None, str | None] = (None, None)
    junction: str | None = None  # its feature, or a name of ours
    fitted: Road | None = None  # its shape, where it was made here


@dataclass
class Losses:
    """What an export approximated and left out."""

    kept_roads: int = 0
    fitted_roads: int = 0
    horizontal_m: float = 0.0
    vertical_m: float = 0.0
    kink_deg: float = 0.0
    lines: list[float] = field(default_factory=list)  # largest error of each fitted line
    approximated: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)
    places: list[dict[str, object]] = field(default_factory=list)  # where errors are large

    def place(
        self, lanes: list[str], error_m: float, lon_lat: tuple[float, float], *, left_out: bool = False
    ) -> None:
        """Note where a fitted road lies far from its lanes, or was left out for that."""
        if error_m > TOLD_M:
            at = [round(value, 6) for value in lon_lat]
            said: dict[str, object] = {"lanes": lanes, "horizontal_m": round(error_m, 3), "at": at}
            self.places.append(said | ({"left_out": True} if left_out else {}))

    def moved(self, horizontal_m: float, vertical_m: float) -> None:
        """Note how far lines were led to meet those that follow them."""
        self.horizontal_m = max(self.horizontal_m, horizontal_m)
        self.vertical_m = max(self.vertical_m, vertical_m)

    def note(self, horizontal_m: float, vertical_m: float) -> None:
        """Note how far one fitted line lies from what it was fitted to."""
        self.lines.append(horizontal_m)
        self.horizontal_m = max(self.horizontal_m, horizontal_m)
        self.vertical_m = max(self.vertical_m, vertical_m)

    def _within(self, share: float) -> float:
        ordered = sorted(self.lines)
        return round(ordered[int(share * (len(ordered) - 1))], 4) if ordered else 0.0

    def said(self) -> dict[str, object]:
        """As the report says it."""
        return {
            "roads_kept_exactly": self.kept_roads,
            "roads_fitted": self.fitted_roads,
            "largest_error_m": {
                "horizontal": round(self.horizontal_m, 4),
                "vertical": round(self.vertical_m, 4),
            },
            "horizontal_error_m": {
                "median line": self._within(0.5),
                "95 percent": self._within(0.95),
            },
            "farthest": sorted(self.places, key=lambda one: -cast(float, one["horizontal_m"]))[
                :MOST_TOLD
            ],
            "largest_kink_deg": round(self.kink_deg, 2),
            "approximated": _some(self.approximated),
            "dropped": _some(self.dropped),
        }


def _error_m(place: dict[str, object]) -> float:
    return cast("float", place["horizontal_m"])


def _some(counts: Counter[str]) -> dict[str, int]:
    return {name: count for name, count in sorted(counts.items()) if count}


class Numbers:
    """Gives ids that nothing in the file has yet; a wished one where it is free."""

    def __init__(self) -> None:
        self._taken: set[str] = set()
        self._next = 1

    def give(self, wished: str = "") -> str:
        """The wished id, or the next free number."""
        if wished and wished not in self._taken:
            self._taken.add(wished)
            return wished
        while str(self._next) in self._taken:
            self._next += 1
        self._taken.add(str(self._next))
        return str(self._next)
