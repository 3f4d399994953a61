"""Files that an organisation sends, held inside the area in which its agreement lets it contribute."""

from __future__ import annotations

import numpy as np
import shapely

from geoshare.errors import Denied
from geoshare.model.batch import FeatureBatch
from geoshare.services.desk_shapes import MARGIN_DEG, Fence


def check_batch(batch: FeatureBatch, fence: Fence) -> None:
    """Raise Denied for features of which nothing lies inside the fence; names the first one.

    What reaches across a boundary is let in, as at the desk: rivers and roads do.
    """
    if fence.area is None:
        return
    here = shapely.dwithin(fence.area, batch.geometry, MARGIN_DEG)
    beyond = np.flatnonzero(~here & ~shapely.is_missing(batch.geometry))
    if len(beyond) == 0:
        return
    name = batch.record_ids[int(beyond[0])][:80]
    raise Denied(
        f"{len(beyond)} features of {batch.collection} lie outside your area, the first is {name!r}",
        code="outside-area",
        parameter="file",
        allowed=fence.words,
        message_ja=f"{fence.called_ja}の外の地物が{len(beyond)}件あります(最初は「{name}」)",
        allowed_ja=fence.words_ja,
    )
