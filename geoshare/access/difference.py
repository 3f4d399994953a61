"""Where two versions of one view differ, found from the parts that they do not share."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from geoshare.access.changes import Boxes
from geoshare.access.view import View
from tiles.arrays import FeatureTable
from tiles.pack.model import to_mask
from tiles.pack.sums import row_hashes

MAX_ROWS = 50_000  # that may differ; beyond it everything counts as changed

_Shown = tuple[FeatureTable, int, NDArray[np.uint8], NDArray[np.uint8]]


def difference(before: View, after: View) -> Boxes | None:
    """World boxes (n, 4) of the rows that one of the two views shows and the other one does not.

    A row that was changed counts with its old and its new geometry. Rows that moved to another part
    and still say the same do not count. None where the columns differ or too many rows do.
    """
    if [column.kind for column in before.columns] != [column.kind for column in after.columns]:
        return None
    if [column.name for column in before.columns] != [column.name for column in after.columns]:
        return None
    old, new = dict(_parts(before)), dict(_parts(after))
    gone = [_rows(old[key], new.get(key)) for key in old]
    come = [_rows(new[key], old.get(key)) for key in new]
    if any(rows is None for rows in (*gone, *come)):
        return None
    was = [(old[key][0], rows) for key, rows in zip(old, gone, strict=True) if rows is not None]
    now = [(new[key][0], rows) for key, rows in zip(new, come, strict=True) if rows is not None]
    if sum(len(rows) for _, rows in (*was, *now)) > MAX_ROWS:
        return None
    return _apart(*_said(was), *_said(now))


def _parts(view: View) -> Iterator[tuple[tuple[str, ...], _Shown]]:
    for layer in view.layers:
        bitmaps = layer.selection.bits(layer.pack)
        for at, part in enumerate(layer.pack.parts):
            shown = layer.shown[id(part.table)]
            # a part whose columns come out as null in one version and not in the other is another one
            key = (layer.checksums[at], *layer.nulled)
            yield key, (shown, len(part), layer.pack.alive[at], bitmaps[at])


def _rows(here: _Shown, there: _Shown | None) -> NDArray[np.int32] | None:
    """Rows of a part that are shown here and not there; None where they are too many."""
    _, rows, alive, bits = here
    if there is not None and alive is there[2] and bits is there[3]:
        return np.zeros(0, np.int32)
    mask = to_mask(alive, rows) & to_mask(bits, rows)
    if there is not None:
        mask &= ~(to_mask(there[2], rows) & to_mask(there[3], rows))
    found = np.flatnonzero(mask).astype(np.int32)
    return found if len(found) <= MAX_ROWS else None


def _said(pairs: list[tuple[FeatureTable, NDArray[np.int32]]]) -> tuple[NDArray[np.uint64], Boxes]:
    """Hash and box of each row."""
    hashes, boxes = [np.zeros(0, np.uint64)], [np.zeros((0, 4), np.int32)]
    for table, rows in pairs:
        if len(rows) and table.boxes is not None:
            hashes.append(row_hashes(table, [column.name for column in table.columns], rows))
            boxes.append(table.boxes[rows])
    return np.concatenate(hashes), np.concatenate(boxes)


def _apart(
    was: NDArray[np.uint64], boxes_was: Boxes, now: NDArray[np.uint64], boxes_now: Boxes
) -> Boxes:
    """Boxes of rows that are not on both sides."""
    gone, come = ~np.isin(was, now), ~np.isin(now, was)
    return np.concatenate([boxes_was[gone], boxes_now[come]])
