"""What changed between two versions of a view, as boxes on the world of tiles.

A view's manifest keeps the last steps that led to what it shows. Each step names the token before it
and holds the boxes of the visible rows that were added, changed or removed, computed from what the view
showed before and shows after; a change of hidden rows or columns, and parts that are folded together,
make no step. Whoever remembers an answer together with its token asks ``View.changes_since(token)``
which places to forget.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tiles.index.hilbert import box_keys

MAX_STEPS: Final = 16  # so many tokens back it can be told what changed since
MAX_BOXES: Final = 256  # of a step; neighbours are put together where there are more

Boxes = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a view: the token before it and the boxes that it touched (None: everywhere).

    Boxes are little-endian int32 west, south, east, north in world units, as base64 text.
    """

    token: str
    boxes: str | None

    @classmethod
    def of(cls, token: str, boxes: Boxes | None) -> Step:
        """Make a step that touched these boxes (n, 4); neighbours are merged where they are many."""
        if boxes is None:
            return cls(token, None)
        return cls(token, base64.b64encode(merged(boxes).astype("<i4").tobytes()).decode())

    @property
    def touched(self) -> Boxes | None:
        """The boxes (n, 4)."""
        if self.boxes is None:
            return None
        return np.frombuffer(base64.b64decode(self.boxes), "<i4").reshape(-1, 4).astype(np.int32)


def merged(boxes: Boxes, most: int = MAX_BOXES) -> Boxes:
    """Boxes that cover these, at most so many: neighbours along the Hilbert curve become one.

    Empty boxes (west > east) are left out.
    """
    boxes = np.unique(boxes[boxes[:, 0] <= boxes[:, 2]], axis=0)
    if len(boxes) <= most:
        return boxes
    boxes = boxes[np.argsort(box_keys(np.ascontiguousarray(boxes)), kind="stable")]
    starts = np.arange(most) * len(boxes) // most
    low = np.minimum.reduceat(boxes[:, :2], starts, axis=0)
    high = np.maximum.reduceat(boxes[:, 2:], starts, axis=0)
    return np.concatenate([low, high], axis=1)


def touched_since(steps: Sequence[Step], current: str, token: str) -> Boxes | None:
    """World boxes (n, 4) of what changed between a token and the current one.

    Returns
    -------
    No boxes where the token is the current one; None (everything may have changed) where it is none of
    the last ones or a step on the way touched everything.
    """
    if token == current:
        return np.zeros((0, 4), np.int32)
    at = next((i for i in reversed(range(len(steps))) if steps[i].token == token), None)
    if at is None:
        return None
    found = []
    for step in steps[at:]:
        boxes = step.touched
        if boxes is None:
            return None
        found.append(boxes)
    return np.concatenate(found)
