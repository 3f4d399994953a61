"""Roads made of lanes alone: lanes that lie side by side and run the same way become one road."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from geoshare.extracts.lane_bounds import ASIDE_M
from geoshare.extracts.opendrive.askew import more_references, references
from geoshare.extracts.opendrive.borders import Ground
from geoshare.extracts.opendrive.fit import (
    Alongside,
    Ruler,
    apart,
    densified,
    fit_plan,
    heights,
    simplified,
    widths,
)
from geoshare.extracts.opendrive.model import Losses
from geoshare.extracts.road_rows import Row
from geoshare.model.roads import Cubics, Lane, Plan, Road, Section

Array = NDArray[np.float64]
MAX_LANES_ABREAST: Final = 24
_SINCE_1_8: Final = {"walking": "sidewalk", "shared": "sidewalk", "slipLane": "connectingRamp"}
_TILT_RAD: Final = 0.0005
_GOOD_M: Final = 0.02
_FAR_M: Final = 0.1
ELSEWHERE_M: Final = 3.0  # beside its lane, a road would lie on the next
_KINK_DEG: Final = 5.0  # that another reference line may have, unless the first has more
_JAPAN: Final = (122.0, 20.0, 154.0, 46.0)


@dataclass(frozen=True)
class Fitted:
    """A road fitted to lanes: the lanes from left to right, their ids, the lines between."""

    road: Road
    lanes: tuple[Row, ...]
    ids: tuple[int, ...]
    borders: tuple[Row | None, ...]  # one more than lanes, from left to right

    @property
    def middle(self) -> Row | None:
        """The boundary on the reference line."""
        return self.borders[-1 if self.road.left_hand else 0]

    def outer(self, place: int) -> Row | None:
        """The boundary on the far side of a lane."""
        return self.borders[place if self.road.left_hand else place + 1]


def abreast(lanes: Mapping[str, Row]) -> Iterator[tuple[Row, ...]]:
    """Lanes that neighbour each other, from left to right; each lane comes once."""
    taken: set[str] = set()
    for key in sorted(lanes):
        if key in taken:
            continue
        left = key
        for _ in range(MAX_LANES_ABREAST):
            beside = _beside_it(lanes, left, "left_lane_id", "right_lane_id")
            if beside is None or beside in taken:
                break
            left = beside
        found: list[str] = []
        place: str | None = left
        while place is not None and place not in taken and len(found) < MAX_LANES_ABREAST:
            found.append(place)
            taken.add(place)
            place = _beside_it(lanes, place, "right_lane_id", "left_lane_id")
        yield tuple(lanes[item] for item in found)


def _beside_it(lanes: Mapping[str, Row], key: str, side: str, back: str) -> str | None:
    """The lane on one side of another, where both say so."""
    other = lanes[key].text(side) or ""
    return other if other in lanes and lanes[other].text(back) == key else None


def keeps_left(lanes: Mapping[str, Row]) -> bool:
    """Whether traffic keeps left: oncoming lanes share their right boundaries then.

    Where no two lanes tell, the country does.
    """
    left: dict[str | None, int] = {}
    right: dict[str | None, int] = {}
    for row in lanes.values():
        for sides, name in ((left, "left_boundary_id"), (right, "right_boundary_id")):
            key = row.text(name)
            sides[key] = sides.get(key, 0) + 1
    for_left = sum(count > 1 for key, count in right.items() if key)
    for_right = sum(count > 1 for key, count in left.items() if key)
    if for_left != for_right:
        return for_left > for_right
    shapes = [row.geometry for row in lanes.values() if row.geometry is not None]
    west, south, east, north = shapely.total_bounds(shapes)
    return bool(_JAPAN[0] <= west and east <= _JAPAN[2] and _JAPAN[1] <= south and north <= _JAPAN[3])


def fit(lanes: tuple[Row, ...], ground: Ground, *, left_hand: bool, losses: Losses) -> Iterator[Fitted]:
    """A road through lanes that lie side by side, in their direction of travel; none without a line.

    The reference line is the left boundary of the leftmost lane, in left-hand traffic the right one
    of the rightmost: so lanes that run along it have the ids that the rule of traffic asks for. Where
    the lanes end askew, another line serves better (:mod:`geoshare.extracts.opendrive.askew`), and lane
    0 lies beside it. Lanes that say they lie side by side but do not begin and end so become roads of
    their own. What would still lie elsewhere is left out, and said.
    """
    borders = ground.borders(lanes)
    if borders is None:
        losses.dropped["lanes without a line"] += len(lanes)
        return
    ids = tuple(range(len(lanes), 0, -1)) if left_hand else tuple(range(-1, -len(lanes) - 1, -1))
    best = _best(borders.lines, lanes, ids, left_hand=left_hand)
    if len(lanes) > 1 and not (borders.fit and best.worst <= ASIDE_M):
        losses.approximated["lanes beside others that begin or end elsewhere"] += len(lanes)
        for lane in lanes:
            yield from fit((lane,), ground, left_hand=left_hand, losses=losses)
        return
    _tell(lanes, best, losses)
    if best.worst <= ELSEWHERE_M:
        yield Fitted(best.road, lanes, ids, borders.rows)


def _best(lines: list[Array], lanes: tuple[Row, ...], ids: tuple[int, ...], *, left_hand: bool) -> _Try:
    """The road along the reference line that keeps nearest to all lines."""
    best = _along(lines, lines[-1 if left_hand else 0], lanes, ids, left_hand=left_hand)
    for bound, more in ((_GOOD_M, references), (_FAR_M, more_references)):
        if best.worst <= bound:
            break
        others = (
            _along(lines, line, lanes, ids, left_hand=left_hand) for line in more(lines[0], lines[-1])
        )
        smooth = [one for one in others if one.kink_deg <= max(best.kink_deg, _KINK_DEG)]
        best = min((best, *smooth), key=lambda one: one.worst)
    return best


def _tell(lanes: tuple[Row, ...], best: _Try, losses: Losses) -> None:
    """Say how far a road lies from its lanes, or that it is left out."""
    keys = [lane.id for lane in lanes]
    if best.worst > ELSEWHERE_M:
        losses.dropped["lanes that no road fits"] += len(lanes)
        losses.place(keys, best.worst, _middle(lanes), left_out=True)
        return
    losses.kink_deg = max(losses.kink_deg, best.kink_deg)
    losses.place(keys, best.worst, _middle(lanes))
    for horizontal, vertical in best.errors:
        losses.note(horizontal, vertical)


def _middle(lanes: tuple[Row, ...]) -> tuple[float, float]:
    """Longitude and latitude of the middle vertex of the first of some lanes."""
    lon_lat = shapely.get_coordinates(lanes[0].geometry)
    lon, lat = lon_lat[len(lon_lat) // 2]
    return float(lon), float(lat)


@dataclass(frozen=True)
class _Try:
    """A road along one reference line; of each of its lines the largest errors in metres."""

    road: Road
    kink_deg: float
    errors: tuple[tuple[float, float], ...]  # on the ground, in height

    @property
    def worst(self) -> float:
        return max(horizontal for horizontal, _ in self.errors)


def _along(
    lines: list[Array], base: Array, lanes: tuple[Row, ...], ids: tuple[int, ...], *, left_hand: bool
) -> _Try:
    """The road whose reference line is ``base``, a line (n, 3) that may be one of ``lines``."""
    cuts = (lines[-1][0, :2] - lines[0][0, :2], lines[-1][-1, :2] - lines[0][-1, :2])
    plan, kink = fit_plan(base[:, :2], cuts)
    ruler = Ruler(plan)
    beside = [ruler.measure(densified(line)) for line in lines]
    on_base = [line is base for line in lines]
    road = _road(plan, beside, lanes, ids, left_hand=left_hand, inner_is_base=any(on_base))
    return _Try(road, kink, tuple(_errors(road, lines)))


def _road(
    plan: Plan,
    beside: list[Alongside],
    lanes: tuple[Row, ...],
    ids: tuple[int, ...],
    *,
    left_hand: bool,
    inner_is_base: bool,
) -> Road:
    order = beside[::-1] if left_hand else beside  # from the reference line outwards
    measured = [np.clip(line.s, 0.0, plan.end) for line in order]
    stations = np.unique(np.concatenate([*measured, [0.0, plan.end]]))
    across = [np.interp(stations, line.s, line.t) for line in order]
    if inner_is_base:
        across[0] = np.zeros(len(stations))
    known = all(np.isfinite(line.z).all() for line in order)
    tilt = np.zeros(len(stations))
    elevation = superelevation = Cubics.of([])
    if known:
        up = [np.interp(stations, line.s, line.z) for line in order]
        apart_m = across[-1] - across[0]
        wide = np.abs(apart_m) > 0.5
        tilt = np.arctan2((up[-1] - up[0]) * np.sign(apart_m), np.abs(apart_m)) * wide
        elevation = heights(stations, up[0] - across[0] * np.tan(tilt))
        superelevation = simplified(stations, tilt, _TILT_RAD)
    outwards = tuple(zip(lanes, ids, strict=True))
    made = []
    for place, (row, number) in enumerate(outwards[::-1] if left_hand else outwards):
        width = np.maximum(np.abs(across[place + 1] - across[place]), 0.0) / np.cos(tilt)
        made.append(Lane(number, lane_type(row), width=widths(stations, width)))
    left, right = (tuple(made), ()) if left_hand else ((), tuple(made))
    return Road(
        "",
        plan.end,
        plan,
        left_hand,
        elevation,
        superelevation,
        offset=Cubics.of([]) if inner_is_base else widths(stations, across[0] / np.cos(tilt)),
        sections=(Section(0, 0.0, left, right),),
    )


def lane_type(row: Row) -> str:
    """A lane's type in the words of OpenDRIVE 1.7; driving where nothing says otherwise."""
    said = row.text("type") or ("walking" if row.text("subtype") == "crosswalk" else "driving")
    return _SINCE_1_8.get(said, said)


def _errors(road: Road, lines: list[Array]) -> Iterator[tuple[float, float]]:
    """How far lines and what the road gives back for them lie apart, on the ground and in height.

    Both ways: what the road lacks at an end counts, and what it has beyond it.
    """
    [band] = road.bands()
    stations = np.linspace(0.0, road.length, max(int(road.length / 0.25), 2) + 1)
    made = road.lines(band, stations)
    for line, given in zip(lines, made, strict=True):
        dense = densified(line)
        away, over = apart(dense, given)
        beyond, _ = apart(given, dense)
        horizontal = max(float(away.max()), float(beyond.max()))
        yield horizontal, float(np.abs(np.nan_to_num(over)).max())
