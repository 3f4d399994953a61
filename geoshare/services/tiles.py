"""Tiles that are kept, and shared by all whose views agree inside them.

A tile is kept under the digest of what its views show in it, and each view's digests are remembered.
So two consumers with different terms have one entry and one making wherever their terms make no
difference, and a change of a view costs only the tiles in which it shows.

Who meets a tile for the first time waits as long as its making took, also where it was made for others:
an answer that came sooner would tell that somebody's view agrees with the caller's, hence that nothing
is hidden there.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Sequence
from typing import Any, Generic

import numpy as np
from numpy.typing import NDArray

from geoshare.access.content import NOTHING, content_digest
from geoshare.access.view import View
from geoshare.model.times import Interval
from geoshare.query.tiles import Place, layer, rows_shown, search_boxes
from geoshare.services.bodies import Bodies, Kept
from geoshare.services.contents import Contents, Tile
from tiles.arrays import Rows

MEMORY_SHARE = 8  # of the budget, one part in so many is for digests
MAX_WAIT_S = 0.25

Finish = Callable[[bytes], Kept]


class KeptTiles(ABC, Generic[Tile]):
    """Tiles of one kind and one process; what they are made of is said by a subclass."""

    def __init__(
        self,
        budget_bytes: int,
        *,
        timer: Callable[[], float] = time.perf_counter,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        memory = budget_bytes // MEMORY_SHARE
        self.bodies = Bodies(budget_bytes - memory)
        self._contents: Contents[Tile] = Contents(memory, self.boxes)
        self._keeps = budget_bytes > 0
        self._timer, self._sleep = timer, sleep

    @abstractmethod
    def boxes(self, place: Tile) -> NDArray[np.int64]:
        """World boxes (k, 4), outside of which nothing has anything to do with a tile."""

    @abstractmethod
    def shown(self, view: View, place: Tile, interval: Interval | None = None) -> Any:
        """The rows of a view that decide on a tile's content, of a time where one is given."""

    @abstractmethod
    def digest(self, view: View, shown: Any) -> bytes:
        """A name for what these rows say; ``NOTHING`` where there are none."""

    @abstractmethod
    def content(self, views: Sequence[View], shown: Sequence[Any], place: Tile) -> bytes:
        """The tile of these rows."""

    def known(self, views: Sequence[View], place: Tile, coding: str) -> Kept | None:
        """The answer, where it is kept and every view is known to show it."""
        digests = []
        for view in views:
            digest = self._contents.get(view, place)
            if digest is None:
                return None
            digests.append(digest)
        return self.bodies.get(_key(digests, place, coding))

    def answer(
        self,
        views: Sequence[View],
        place: Tile,
        coding: str,
        finish: Finish,
        interval: Interval | None = None,
    ) -> Kept:
        """The kept answer, or a new one.

        Parameters
        ----------
        views
            In the order of the tile's layers.
        place
            Which tile.
        coding
            The content coding that ``finish`` gives.
        finish
            Encodes and tags the bytes of a tile.
        interval
            The time it is of; nothing of such tiles is kept, there are too many times.
        """
        if interval is not None or not self._keeps:
            return finish(
                self.content(views, [self.shown(view, place, interval) for view in views], place)
            )
        digests, rows, is_news = [], {}, False
        for view in views:
            digest = self._contents.get(view, place)
            if digest is None:
                found = rows[view] = self.shown(view, place)
                digest = self.digest(view, found)
                is_news |= self._contents.put(view, place, digest) and digest != NOTHING
            digests.append(digest)
        made, searched = False, self._timer()

        def make() -> Kept:
            nonlocal made
            made, begun = True, self._timer()
            found = [rows[view] if view in rows else self.shown(view, place) for view in views]
            kept = finish(self.content(views, found, place))
            return kept._replace(cost_s=self._timer() - begun)

        kept = self.bodies.get_or_make(_key(digests, place, coding), make)
        if is_news and not made:
            wait = kept.cost_s - (self._timer() - searched)
            if wait > 0:
                self._sleep(min(wait, MAX_WAIT_S))
        return kept


class Tiles(KeptTiles[Place]):
    """The vector tiles of one process."""

    def boxes(self, place: Place) -> NDArray[np.int64]:
        """World boxes (k, 4) of the tile and its buffer."""
        return search_boxes(place)

    def shown(self, view: View, place: Place, interval: Interval | None = None) -> Rows:
        """The rows that may leave something in the tile."""
        return rows_shown(view, place, interval)

    def digest(self, view: View, shown: Rows) -> bytes:
        """A name for the rows' content."""
        return content_digest(view, shown)

    def content(self, views: Sequence[View], shown: Sequence[Rows], place: Place) -> bytes:
        """One layer for each view."""
        return b"".join(layer(view, rows, place) for view, rows in zip(views, shown, strict=True))


def _key(digests: Sequence[bytes], place: Hashable, coding: str) -> tuple[object, ...]:
    """Name of an answer: its layers' contents, and where nothing is the same everywhere, no more."""
    layers = tuple(digest for digest in digests if digest != NOTHING)
    return (layers, place, coding) if layers else ((),)
