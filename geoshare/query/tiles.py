"""Vector tiles from views: what a zoom shows, and nothing a view does not hold."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from geoshare.access.view import View
from geoshare.query.detail import EXTENT, detail_rule
from tiles.grid import Tile
from tiles.mvt import encode_layer

MAX_ZOOM = 20
BUFFER = 64


def vector_tile(views: Sequence[View], z: int, x: int, y: int) -> bytes:
    """One layer for each view that has anything there, named as its collection.

    Parameters
    ----------
    views
        In the order of the tile's layers.
    z, x, y
        A tile of WebMercatorQuad.
    """
    tile = Tile(z, x, y)
    box = _buffered(tile)
    layers = []
    for view in views:
        rows = view.search(box, detail=(detail_rule(view.collection.name), z))
        if len(rows):
            names = ["id", *(column.name for column in view.columns)]
            layers.append(
                encode_layer(
                    view.collection.name, rows, tile, columns=names, extent=EXTENT, buffer=BUFFER
                )
            )
    return b"".join(layers)


def _buffered(tile: Tile) -> NDArray[np.int64]:
    west, south, east, north = tile.world_box()
    margin = (east - west) * BUFFER // EXTENT + 1
    return np.array([west - margin, south - margin, east + margin, north + margin], np.int64)
