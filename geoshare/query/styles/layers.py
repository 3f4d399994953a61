"""Which layers draw which collections, in the order in which they lie on the ground."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from geoshare.query.styles.any import any_raster, any_vector
from geoshare.query.styles.base import BASE_LAYERS
from geoshare.query.styles.disaster import DISASTER_LAYERS
from geoshare.query.styles.parts import Context, Draw, Drawn, Shown
from geoshare.query.styles.roads import ROAD_LAYERS
from geoshare.query.styles.things import THING_LAYERS
from geoshare.query.styles.values import VALUE_LAYERS

_KNOWN: Final[dict[str, Draw]] = {
    **BASE_LAYERS,
    **ROAD_LAYERS,
    **THING_LAYERS,
    **DISASTER_LAYERS,
    **VALUE_LAYERS,
}
SOURCE: Final = "geoshare"


def style_layers(
    views: Sequence[Shown],
    *,
    language: str = "ja",
    sources: Mapping[str, str] | None = None,
) -> list[dict[str, Any]]:
    """MapLibre layers (style specification, version 8) that draw some views, lowest first.

    What they say depends on the collection, its visible columns and, for widths in metres, on the
    latitude of the view's extent; never on rows.

    Parameters
    ----------
    views
        Views (or what is known of them) of one caller: ``collection``, ``extent`` (degrees) and
        ``has_column`` are read. Their order does not matter.
    language
        ``ja`` or ``en``: of names on the map.
    sources
        Source of each collection by its name; ``geoshare`` for one of vectors and the collection's
        own name for one of rasters where it is not said.

    Returns
    -------
    Layers with ``id`` (``collection:part``), ``type``, ``source``, ``source-layer`` (the collection),
    and where they apply ``minzoom`` (a layer draws at zooms at or above it), ``filter``, ``layout`` and
    ``paint``. ``maxzoom`` and ``visibility`` are not used. Zooms are MapLibre's, of 512 pixels a tile:
    one less than those of 256-pixel tiles of the same scale. Widths, radii, sizes and offsets are in
    CSS pixels; dashes in widths of the line; ``text-offset`` in ems.

    They use this much of the specification, and nothing else of it:

    ========  =================================================================================
    type      properties (those with * may hold expressions)
    ========  =================================================================================
    fill      fill-color*, fill-opacity, fill-pattern (the image ``hatch``), fill-sort-key*
    line      line-color*, line-width*, line-opacity, line-dasharray, line-cap, line-join,
              line-sort-key*
    circle    circle-color*, circle-radius*, circle-stroke-color, circle-stroke-width
    symbol    icon-image*, icon-size*, icon-anchor (top), icon-offset*, icon-rotate,
              icon-rotation-alignment, icon-allow-overlap, icon-padding, symbol-placement
              (point, line, line-center), symbol-spacing, symbol-sort-key*, text-field*,
              text-font, text-size*, text-anchor, text-offset, text-max-width, text-padding,
              text-optional, text-color*, text-halo-color, text-halo-width
    raster    raster-opacity, raster-fade-duration
    ========  =================================================================================

    Expressions: ``get``, ``has``, ``coalesce``, ``literal``, ``case``, ``match`` (labels are numbers,
    strings or lists of strings), ``step``, ``interpolate`` (``exponential`` with a base of 1.5 or 2),
    ``zoom`` (only as the input of an outermost ``step`` or ``interpolate``), ``geometry-type``, ``==``,
    ``<``, ``!``, ``all``, ``any``, ``in`` (in a literal list), ``concat``, ``to-string``, ``max``,
    ``*``, ``/`` and ``-`` (of two numbers). Colours are ``#rrggbb``.
    """
    names = frozenset(view.collection.name for view in views)
    found: list[Drawn] = []
    for view in sorted(views, key=lambda shown: shown.collection.name):
        about = view.collection
        is_vector = about.kind == "vector"
        source = (sources or {}).get(about.name, SOURCE if is_vector else about.name)
        draw = _KNOWN.get(about.name, any_vector) if is_vector else any_raster
        found += draw(Context(view, source, language, names))
    return [item.layer for item in sorted(found, key=lambda item: item.height)]
