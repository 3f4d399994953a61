"""Where rows of a view lie."""

from __future__ import annotations

import numpy as np

from geoshare.access.facts import Facts, box_around
from geoshare.model.box import Box
from tiles.arrays import Rows


def extent_of(rows: Rows) -> Box | None:
    """Box in degrees around the rows, as far as they are shown; None where none has a place."""
    boxes = [table.boxes[numbers] for table, numbers in rows.pairs if table.boxes is not None]
    return Facts(box=box_around(np.concatenate([np.zeros((0, 4), np.int32), *boxes]))).extent
