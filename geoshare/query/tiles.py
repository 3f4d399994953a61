"""Vector tiles from views: what a scale shows, and nothing a view does not hold."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from geoshare.access.view import View
from geoshare.model.times import Interval
from geoshare.query.detail import EXTENT, detail_rule
from geoshare.query.select import of_time
from tiles.arrays import Rows
from tiles.matrices import MATRIX_SETS, WEB_MERCATOR_QUAD, MatrixSet, in_matrix_set
from tiles.mvt import encode_layer

MAX_ZOOM = 20
"""Of WebMercatorQuad; other sets end at the same scale."""
BUFFER = 64
Whole = Callable[[str, int], bool]
"""Of a collection and a zoom: whether its tiles leave nothing out, whatever the scale."""


def never_whole(collection: str, zoom: int) -> bool:
    """Every tile shows what its scale shows."""
    return False


class Place(NamedTuple):
    """A tile of one of the tile matrix sets."""

    matrix_set: str
    z: int
    x: int  # column, from the west
    y: int  # row, from the north

    @property
    def matrices(self) -> MatrixSet:
        """The set; KeyError where there is none of that name."""
        return MATRIX_SETS[self.matrix_set]

    @property
    def zoom(self) -> int:
        """The zoom of WebMercatorQuad that has the same scale: it alone decides on what is shown."""
        return self.z + self.matrices.mercator_zoom


def max_zoom(matrices: MatrixSet) -> int:
    """The deepest matrix of a set of which there are vector tiles."""
    return MAX_ZOOM - matrices.mercator_zoom


def search_boxes(place: Place) -> NDArray[np.int64]:
    """World boxes (k, 4), outside of which nothing has anything to do with a tile; buffer included."""
    return place.matrices.search_boxes(place.z, place.x, place.y, BUFFER / EXTENT)


def rows_shown(
    view: View, place: Place, interval: Interval | None = None, *, whole: bool = False
) -> Rows:
    """The rows that may leave something in a tile, in order; they decide on its content.

    Of those of a time, where one is given: what a scale leaves out is the same at all times.
    ``whole``: all of the view's rows there, whatever the scale.
    """
    detail = None if whole else (detail_rule(view.collection.name), place.zoom)
    return of_time(view, view.search(search_boxes(place), detail=detail), interval)


def layer(view: View, rows: Rows, place: Place) -> bytes:
    """The layer of these rows of a view, named as its collection; empty where there are none."""
    if not len(rows):
        return b""
    names = ["id", *(column.name for column in view.columns)]
    written: bytes = encode_layer(
        view.collection.name,
        in_matrix_set(rows, place.matrices),
        place.matrices.tile(place.z, place.x, place.y),
        columns=names,
        extent=EXTENT,
        buffer=BUFFER,
    )
    return written


def vector_tile(
    views: Sequence[View],
    z: int,
    x: int,
    y: int,
    matrices: MatrixSet = WEB_MERCATOR_QUAD,
    whole: Whole = never_whole,
) -> bytes:
    """One layer for each view that has anything there.

    Parameters
    ----------
    views
        In the order of the tile's layers.
    z, x, y
        Matrix, column and row.
    matrices
        The tile matrix set.
    whole
        Told a collection and the zoom: whether the tile leaves out nothing of it for its scale.
    """
    place = Place(matrices.id, z, x, y)
    return b"".join(
        layer(view, rows_shown(view, place, whole=whole(view.collection.name, place.zoom)), place)
        for view in views
    )
