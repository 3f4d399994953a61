"""Which tiles and layers a request means, checked the same way whatever its address looks like."""

from __future__ import annotations

from geoshare.access.view import View
from geoshare.api.context import caller, services
from geoshare.api.quick import layer_names
from geoshare.errors import BadRequest, NotFound
from geoshare.query.tiles import MAX_ZOOM, Place
from tiles.matrices import MATRIX_SETS, MatrixSet


def views_of(collections: str) -> list[View]:
    """What the caller sees of comma-separated collections.

    Raises
    ------
    BadRequest
        for too many or repeated names.
    NotFound
        where one of them is hidden or does not exist.
    """
    return [services().view(caller(), name, "tile") for name in layer_names(collections)]


def matrix_set(name: str) -> MatrixSet:
    """The tile matrix set of that name; NotFound where there is none."""
    if name not in MATRIX_SETS:
        raise NotFound("No such tile matrix set")
    return MATRIX_SETS[name]


def check_place(
    place: Place, deepest: int = MAX_ZOOM, names: tuple[str, str, str] = ("z", "x", "y")
) -> Place:
    """The place, if it is a tile of its matrix set.

    Parameters
    ----------
    place
        As it was asked for.
    deepest
        The deepest zoom of WebMercatorQuad that is offered; other sets end at the same scale.
    names
        What matrix, column and row are called in the request.
    """
    matrices = place.matrices
    last = deepest - matrices.mercator_zoom
    if place.z > last:
        raise BadRequest("The zoom is too deep", parameter=names[0], allowed=f"0 to {last}")
    for name, value, count in (
        (names[1], place.x, matrices.columns(place.z)),
        (names[2], place.y, matrices.rows(place.z)),
    ):
        if value >= count:
            raise BadRequest(
                "The tile is outside the matrix", parameter=name, allowed=f"0 to {count - 1}"
            )
    return place
