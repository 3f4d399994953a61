"""Which views a map is drawn from."""

from __future__ import annotations

from collections.abc import Sequence

from geoshare.errors import BadRequest, NotFound
from geoshare.extracts.maps.draw import DESIGNED
from geoshare.model.policy import Policy
from geoshare.query import View, Views


def drawn_views(
    policy: Policy, views: Views, names: Sequence[str] | None = None, *, for_format: str | None = None
) -> dict[str, View]:
    """Return the views of the collections that are named, by name; of all with a design where none are.

    Parameters
    ----------
    policy, views
        Of whom the map is for, and what it is taken from.
    names
        Collections that must be drawn; None: what the map of the browser shows at first.
    for_format
        A format of files that the policy must grant; None: a picture of what may be seen as tiles.

    Raises
    ------
    NotFound
        for a named collection that is hidden or does not exist.
    BadRequest
        for a named collection of rasters, or one that may not be had in the format.
    Unavailable
        where the keeper has not built a view yet.
    """
    found = {}
    for name in DESIGNED if names is None else names:
        try:
            view = views.get(policy, name)
        except NotFound:
            if names is None:
                continue
            raise
        reason = _reason(view, policy, for_format)
        if reason is None and isinstance(view, View):
            found[name] = view
        elif names is not None:
            raise BadRequest(reason or "", parameter="collections", allowed="collections of features")
    return found


def _reason(view: object, policy: Policy, for_format: str | None) -> str | None:
    if not isinstance(view, View):
        return "Rasters cannot be drawn on a sheet."
    if for_format is not None and for_format not in policy.formats(view.collection.name):
        return f"{view.collection.name} may not be had as {for_format}."
    return None
