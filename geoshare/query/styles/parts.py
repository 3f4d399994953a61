"""The few expressions and layer parts that style documents are put together from."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Protocol

from geoshare.model.box import Box
from geoshare.model.collections import Collection

Expression = list[Any]
LETTERING: Final = ("Noto Sans JP Medium",)
"""The one font of all layers; ``/fonts`` serves it."""
ROUND: Final = {"line-cap": "round", "line-join": "round"}
HALO: Final = {"text-halo-color": "#ffffff", "text-halo-width": 1.6}
_EQUATOR_M: Final = 40_075_016.686
_TILE_PX: Final = 512  # of MapLibre's zoom: pixels to a tile


class Shown(Protocol):
    """What a style must know of a view: its name, extent and visible columns."""

    collection: Collection
    extent: Box | None

    def has_column(self, name: str) -> bool:
        """Whether a column is visible."""
        ...


@dataclass(frozen=True)
class Context:
    """One collection as it is to be drawn."""

    shown: Shown
    source: str
    language: str
    names: frozenset[str]  # of all collections of the document, for layers that make room for others

    @property
    def latitude(self) -> float:
        """Of the middle of the data, in tenths of a degree: turns metres into pixels."""
        box = self.shown.extent
        return 35.7 if box is None else round((box.south + box.north) / 2, 1)


class Drawn(NamedTuple):
    """A MapLibre layer, and its height in the stack: what is higher is drawn later."""

    height: int
    layer: dict[str, Any]


Draw = Callable[[Context], Sequence[Drawn]]


def drawn(context: Context, part: str, kind: str, height: int, **said: Any) -> Drawn:
    """Return one layer of a collection; its id is ``collection:part``.

    Parameters
    ----------
    kind
        ``fill``, ``line``, ``circle``, ``symbol`` or ``raster``.
    said
        ``minzoom``, ``filter``, ``layout`` and ``paint``.
    """
    name = context.shown.collection.name
    layer: dict[str, Any] = {"id": f"{name}:{part}", "type": kind, "source": context.source}
    if kind != "raster":
        layer["source-layer"] = name
    layer |= {key: value for key, value in said.items() if value is not None}
    return Drawn(height, layer)


def get(name: str, otherwise: Any = None) -> Expression:
    """Return the value of a column, or another one where there is none.

    Nothing equals and matches nothing, so that most need no other: some clients know no ``coalesce``.
    """
    return ["get", name] if otherwise is None else ["coalesce", ["get", name], otherwise]


def among(name: str, *values: Any) -> Expression:
    """Whether a column has one of the values; a ``match``, which QGIS knows and ``in`` it does not."""
    return ["match", ["get", name], list(values), True, False]


def geometry(*types: str) -> Expression:
    """Whether a feature is of one of the types, or of several of them."""
    every = [f"{many}{kind}" for kind in types for many in ("", "Multi")]
    return ["in", ["geometry-type"], ["literal", every]]


def by_zoom(*stops: tuple[float, Any]) -> Expression:
    """A value that grows with the zoom between stops."""
    return [
        "interpolate",
        ["exponential", 1.5],
        ["zoom"],
        *(value for stop in stops for value in stop),
    ]


def metres(width: Any, latitude: float) -> Expression:
    """A width on the ground in metres as pixels, at one latitude."""

    def pixel_m(zoom: int) -> float:
        return _EQUATOR_M * math.cos(math.radians(latitude)) / (_TILE_PX << zoom)

    stops = [value for zoom in (10, 24) for value in (zoom, ["/", width, round(pixel_m(zoom), 9)])]
    return ["interpolate", ["exponential", 2], ["zoom"], *stops]


def name_of(context: Context, label: str = "name") -> Expression:
    """What a feature is called in the document's language."""
    names = (["get", label], ["get", "name_en"])
    return ["coalesce", *(names[::-1] if context.language == "en" else names), ""]


def lettered(text: Expression, size: Any, **more: Any) -> dict[str, Any]:
    """Layout of a text."""
    return {"text-field": text, "text-font": list(LETTERING), "text-size": size, **more}
