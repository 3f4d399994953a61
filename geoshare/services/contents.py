"""Which content each view shows in each tile, as far as that has been found out.

What is known outlives a change of the view wherever the change does not reach: the view says which
boxes it touched, and only tiles that meet one of them are looked at again.
"""

from __future__ import annotations

import itertools
import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Generic, TypeVar
from weakref import ReferenceType, WeakSet, ref

import numpy as np
from numpy.typing import NDArray

from geoshare.access.view import View
from geoshare.query.tiles import search_boxes

ENTRY_BYTES = 600  # of one remembered tile, keys and all
MAX_VIEWS = 4_000
MAX_CHANGES = 64  # of one view; who has not been asked for since is looked at again
Boxes = NDArray[np.int32]
Tile = TypeVar("Tile", bound=Hashable)


@dataclass(eq=False)
class _Standing:
    """One collection under one policy: the newest view of it, and its changes."""

    newest: ReferenceType[View]
    token: str
    version: int
    floor: int  # what was found out before cannot be trusted
    changes: deque[tuple[int, Boxes]] = field(default_factory=deque)
    superseded: WeakSet[View] = field(default_factory=WeakSet)

    def touched_since(self, version: int, boxes_of: Callable[[], NDArray[np.int64]]) -> bool:
        """Whether a change after that version meets what a tile is made of."""
        later = [boxes for at, boxes in self.changes if at > version]
        return bool(later) and _meet(np.concatenate(later).astype(np.int64), boxes_of())


@dataclass(slots=True, eq=False)
class _Entry:
    digest: bytes
    version: int


class Contents(Generic[Tile]):
    """Digests by view and tile. Safe to use from several threads.

    ``boxes`` says outside of which world boxes (k, 4) nothing has anything to do with a tile.
    """

    def __init__(
        self, budget_bytes: int, boxes: Callable[[Any], NDArray[np.int64]] = search_boxes
    ) -> None:
        self._most = budget_bytes // ENTRY_BYTES
        self._boxes = boxes
        self._entries: OrderedDict[tuple[str, str, Tile], _Entry] = OrderedDict()
        self._standings: OrderedDict[tuple[str, str], _Standing] = OrderedDict()
        self._versions = itertools.count(1)  # never starts again: nothing old can look new
        self._lock = threading.Lock()

    def get(self, view: View, place: Tile) -> bytes | None:
        """What a view shows in a tile; None where that is not known."""
        key = (view.policy_hash, view.collection.name, place)
        with self._lock:
            standing = self._standing(view)
            entry = self._entries.get(key)
            if standing is None or entry is None or entry.version < standing.floor:
                return None
            if entry.version < standing.version:
                if standing.touched_since(entry.version, partial(self._boxes, place)):
                    return None
                entry.version = standing.version
            self._entries.move_to_end(key)
            return entry.digest

    def put(self, view: View, place: Tile, digest: bytes) -> bool:
        """Remember what a view shows; tell whether its policy was not known to show it there."""
        key = (view.policy_hash, view.collection.name, place)
        with self._lock:
            standing = self._standing(view)
            before = self._entries.get(key)
            if standing is not None:
                self._entries[key] = _Entry(digest, standing.version)
                self._entries.move_to_end(key)
                while len(self._entries) > self._most:
                    self._entries.popitem(last=False)
            return before is None or before.digest != digest

    def _standing(self, view: View) -> _Standing | None:
        """How things stand with this view the newest one; None for one that has been replaced."""
        key = (view.policy_hash, view.collection.name)
        found = self._standings.get(key)
        if found is None:
            version = next(self._versions)
            found = self._standings[key] = _Standing(ref(view), view.token, version, version)
            while len(self._standings) > MAX_VIEWS:
                self._standings.popitem(last=False)
            return found
        newest = found.newest()
        if newest is view:
            return found
        if view.token != found.token:
            if view in found.superseded:
                return None
            self._advance(found, view)
        if newest is not None:
            found.superseded.add(newest)
        found.newest = ref(view)
        return found

    def _advance(self, standing: _Standing, view: View) -> None:
        boxes = view.changes_since(standing.token)
        standing.token, standing.version = view.token, next(self._versions)
        if boxes is None:
            standing.floor = standing.version
            standing.changes.clear()
            return
        standing.changes.append((standing.version, boxes))
        if len(standing.changes) > MAX_CHANGES:
            standing.floor, _ = standing.changes.popleft()


def _meet(some: NDArray[np.int64], others: NDArray[np.int64]) -> bool:
    """Whether one of (n, 4) boxes has anything in common with one of (k, 4), sides included."""
    low = np.maximum(some[:, None, :2], others[None, :, :2])
    high = np.minimum(some[:, None, 2:], others[None, :, 2:])
    return bool((low <= high).all(axis=2).any())
