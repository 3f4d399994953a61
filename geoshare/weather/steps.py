"""The time steps of a grid: which there are, and which one a request means."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable

from geoshare.model.rasters import RasterAsset
from geoshare.model.times import Interval, iso


class Steps:
    """Steps of one collection, one per instant, ascending.

    Where several runs of a forecast have a step for the same instant, the one with the latest
    ``reference_time`` counts: an older forecast must not hide a newer one.
    """

    def __init__(self, assets: Iterable[RasterAsset]) -> None:
        latest: dict[int, RasterAsset] = {}
        for asset in assets:
            known = latest.get(asset.datetime_us)
            if known is None or _run(asset) > _run(known):
                latest[asset.datetime_us] = asset
        self._times = sorted(latest)
        self._assets = [latest[moment] for moment in self._times]

    def __len__(self) -> int:
        return len(self._times)

    @property
    def assets(self) -> list[RasterAsset]:
        """The steps, ascending in time."""
        return list(self._assets)

    @property
    def times_us(self) -> list[int]:
        """The instants in UTC microseconds since 1970, ascending: a slider's positions."""
        return list(self._times)

    @property
    def times(self) -> list[str]:
        """The instants as RFC 3339 text."""
        return [iso(moment) for moment in self._times]

    def choose(self, when: Interval | None = None, *, nearest: bool = False) -> RasterAsset | None:
        """Choose the step to show.

        No time is the first step, the one nearest to the forecast's issue. An instant is the step of
        exactly that instant, or with ``nearest`` the nearest one (the earlier of two equally near). An
        interval, closed at both ends, is the last step in it. None if there is no such step: a step of
        another time is never passed off as the one asked for.
        """
        if not self._assets:
            return None
        if when is None:
            return self._assets[0]
        if nearest and when.is_instant and when.start_us is not None:
            return self._nearest(when.start_us)
        found = self.within(when)
        return found[-1] if found else None

    def within(self, when: Interval | None) -> list[RasterAsset]:
        """List the steps in a closed interval, ascending; all without one."""
        if when is None:
            return self.assets
        start = 0 if when.start_us is None else bisect_left(self._times, when.start_us)
        stop = len(self._times) if when.end_us is None else bisect_right(self._times, when.end_us)
        return self._assets[start:stop]

    def _nearest(self, wanted: int) -> RasterAsset:
        after = bisect_left(self._times, wanted)
        places = [place for place in (after - 1, after) if 0 <= place < len(self._times)]
        best = min(places, key=lambda place: (abs(self._times[place] - wanted), place))
        return self._assets[best]


def _run(asset: RasterAsset) -> tuple[str, str]:
    """Order of the runs that a step may come from; RFC 3339 text in UTC sorts by time."""
    return str(asset.properties.get("reference_time") or ""), asset.id
