"""What each collection shows from which zoom: the level-of-detail rules of the foundation.

A rule reads columns of the view it is applied to, and geometry where the view has none of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Protocol

from geoshare.access.view import View
from geoshare.model.collections import Collection
from tiles.generalise import DetailRule, Value
from tiles.geometry.simplify import TOLERANCE
from tiles.mvt.junctions import FROM_ZOOM

EXTENT: Final = 4096
"""Units of a tile, in which sizes are told."""

_ROADS: Final[Mapping[Value, int]] = {
    "motorway": 5,
    "trunk": 6,
    "primary": 8,
    "secondary": 10,
    "tertiary": 11,
    "standard_gauge": 8,
    "narrow_gauge": 8,
    "unclassified": 12,
    "residential": 13,
    "living_street": 13,
    "pedestrian": 13,
    "service": 14,
    "footway": 14,
    "path": 14,
    "steps": 15,
    "cycleway": 14,
    "track": 14,
}

_RULES: Final = {
    "segments": DetailRule({"class": _ROADS}, min_zoom_default=12),
    "connectors": DetailRule(thin_points_below=15),
    "lanes": DetailRule(min_units=24),
    "lane_boundaries": DetailRule(min_units=48),
    "regulatory_elements": DetailRule(thin_points_below=16),
    "roadside_features": DetailRule(thin_points_below=15),
    "structures": DetailRule(min_units=8),
    "buildings": DetailRule(min_units=6),
    "admin_areas": DetailRule(
        {"level": {"country": 0, "prefecture": 3, "county": 6, "city": 6, "ward": 8, "district": 11}}
    ),
    "places": DetailRule({"rank": {1: 6, 2: 8, 3: 10, 4: 12}}, min_zoom_default=11),
    "evacuation_sites": DetailRule(thin_points_below=9),
    "shelters": DetailRule(thin_points_below=9),
}
_OTHERS: Final = DetailRule()


def detail_rule(collection: str) -> DetailRule:
    """The rule of a collection; by size alone for those that have none of their own."""
    return _RULES.get(collection, _OTHERS)


def describe(view: View) -> list[dict[str, Any]]:
    """What tiles of a view leave out at which zoom, as data for clients.

    Read from the rule and from which columns are visible, never from rows: two views with the same
    columns say the same.

    Returns
    -------
    Plain values. Each has ``by``; a feature appears where all of them let it:

    - ``value``: ``property``, its ``values`` with the ``minzoom`` from which each appears, and the
      ``minzoom`` of all other values and of null. With several of these, one that lets it is enough.
    - ``size``: lines and polygons appear once the longer side of their box has ``min_units`` of a
      tile's ``extent`` units, and ``simplified_units`` is how far simplified lines may move. From
      ``junctions_minzoom`` on vertices that lines share stay.
    - ``share``: each zoom below ``zoom`` shows ``share`` of the points of the next.
    """
    rule = detail_rule(view.collection.name)
    said: list[dict[str, Any]] = [
        {
            "by": "value",
            "property": name,
            "values": [{"value": value, "minzoom": zoom} for value, zoom in zooms.items()],
            "minzoom": rule.min_zoom_default,
        }
        for name, zooms in rule.min_zoom_by_value.items()
        if view.has_column(name)
    ]
    if view.collection.geometry != "point" and rule.by_size:
        said.append(
            {
                "by": "size",
                "min_units": rule.min_units,
                "extent": EXTENT,
                "simplified_units": TOLERANCE,
                "junctions_minzoom": FROM_ZOOM,
            }
        )
    if view.collection.geometry in ("point", "any") and rule.thin_points_below is not None:
        said.append({"by": "share", "zoom": rule.thin_points_below, "share": 0.25})
    return said


class Described(Protocol):
    """What a collection is called, and which of its columns are visible."""

    collection: Collection

    def has_column(self, name: str) -> bool:
        """Whether a column is visible."""
        ...


def lowest_zoom(view: Described) -> int:
    """Lowest zoom at which the rule lets anything of a view appear: TileJSON's ``minzoom``."""
    rule = detail_rule(view.collection.name)
    zooms = [
        min(rule.min_zoom_default, *zoom_of.values())
        for name, zoom_of in rule.min_zoom_by_value.items()
        if view.has_column(name)
    ]
    return min(zooms, default=0)
