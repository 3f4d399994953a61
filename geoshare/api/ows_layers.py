"""Layers of WMS and WMTS: collections that the caller may see as tiles, and maps made of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from flask import g

from geoshare.access.view import RasterView, View
from geoshare.api.context import caller, services
from geoshare.api.drawn import DEFAULT, styled_views
from geoshare.errors import NotFound
from geoshare.model.box import Box
from geoshare.model.collections import is_name
from geoshare.query.styles import DEFAULT_MAP, HAZARD_MAP
from geoshare.query.tilesets import bounds

MAPS: Final = {
    DEFAULT_MAP: ("すべての地図", "Map of everything"),
    HAZARD_MAP: ("ハザードマップ", "Hazard map"),
}


@dataclass(frozen=True)
class OwsLayer:
    """A layer: what it is called, and what it is drawn from."""

    name: str
    title: str
    abstract: str
    views: tuple[View, ...] = ()
    raster: RasterView | None = None

    @property
    def sources(self) -> list[View | RasterView]:
        """What it is drawn from."""
        return [*self.views] if self.raster is None else [self.raster]

    @property
    def extent(self) -> Box | None:
        """Degrees that hold all of it; None where there is nothing."""
        return bounds(self.sources)

    @property
    def names(self) -> list[str]:
        """Of the collections that it is drawn from."""
        return [view.collection.name for view in self.sources]

    def styles(self) -> list[tuple[str, str]]:
        """Names and titles of its styles, the default one first."""
        if self.raster is None:
            return [(DEFAULT, "標準 / Default")]
        said = services().rasters.styles(self.raster)
        return [(style["name"], f"{style['title_ja']} / {style['title']}") for style in said]

    def times(self) -> list[str]:
        """Instants that a raster layer has, the last ones, ascending."""
        return [] if self.raster is None else services().rasters.times(self.raster)


def layers_for_caller() -> list[OwsLayer]:
    """All layers of the caller: maps of many collections, vectors, then rasters."""
    found = [_map(name, styled_views(name)) for name in MAPS]
    found = [layer for layer in found if layer.views]
    views = services().drawable(caller())
    g.named = ""
    return [
        *found,
        *(_single(view) for view in views if isinstance(view, View)),
        *(_single(view) for view in views if isinstance(view, RasterView) and view.assets),
    ]


def layer_of(name: str) -> OwsLayer:
    """The layer of that name.

    Raises
    ------
    NotFound
        where there is none, or the caller may not know of it.
    """
    if name in MAPS:
        found = _map(name, styled_views(name))
        if found.views:
            return found
        raise NotFound("No such layer")
    about = services().visible(caller()).get(name) if is_name(name) else None
    if about is None:
        raise NotFound("No such layer")
    if about.kind == "vector":
        return _single(services().view(caller(), name, "tile"))
    return _single(services().raster_view(caller(), name))


def note(layers: Sequence[OwsLayer]) -> None:
    """Leave the collections that an answer is made of for the audit log."""
    g.named = ",".join(dict.fromkeys(name for layer in layers for name in layer.names))


def _map(name: str, views: Sequence[View]) -> OwsLayer:
    title_ja, title = MAPS[name]
    abstract = ", ".join(view.collection.title_ja or view.collection.title for view in views)
    return OwsLayer(name, f"{title_ja} / {title}", abstract, tuple(views))


def _single(view: View | RasterView) -> OwsLayer:
    about = view.collection
    both = dict.fromkeys(part for part in (about.title_ja, about.title) if part)
    title = " / ".join(both) or about.name
    if isinstance(view, View):
        return OwsLayer(about.name, title, about.description, (view,))
    return OwsLayer(about.name, title, about.description, (), view)
