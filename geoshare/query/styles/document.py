"""Style documents: which styles there are for what a caller is shown, and each as one JSON object."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from geoshare.errors import NotFound
from geoshare.model.appearance import BASE
from geoshare.model.collections import is_name
from geoshare.query.detail import lowest_zoom
from geoshare.query.styles.layers import SOURCE, style_layers
from geoshare.query.styles.parts import Shown
from geoshare.query.tiles import MAX_ZOOM
from geoshare.query.tilesets import bounds, centre

DEFAULT_MAP: Final = "default-map"
HAZARD_MAP: Final = "hazard-map"
SPECIFICATION: Final = "https://maplibre.org/maplibre-style-spec/"
_HAZARD_COLLECTIONS: Final = (
    *("admin_areas", "water", "places", "segments", "hazard_zones", "evacuation_areas", "warnings"),
    *("events", "evacuation_sites", "shelters", "water_points", "damage_reports"),
)
_COVERING: Final = ("statistics", "people_flow")  # which hide what lies under them
_RASTER_PX: Final = 256
_GEOMETRIES: Final = {"point": "points", "line": "lines", "polygon": "polygons"}


@dataclass(frozen=True)
class Style:
    """A style: what it is called, and which views it draws.

    ``hidden`` are collections whose layers are there to be switched on: pictures, and areas that would
    cover the rest.
    """

    id: str
    title: str
    title_ja: str
    description: str
    views: tuple[Shown, ...]
    hidden: frozenset[str] = frozenset()

    def title_in(self, language: str) -> str:
        """Title in a language."""
        return self.title_ja if language == "ja" else self.title


@dataclass(frozen=True)
class Addresses:
    """Where a client finds what a document names; all absolute.

    ``tiles`` gives the address of vector tiles of some collections, with ``{z}``, ``{x}`` and ``{y}``;
    ``raster`` that of a collection's TileJSON. ``most`` is how many collections one tile may hold.
    """

    tiles: Callable[[Sequence[str]], str]
    raster: Callable[[str], str]
    glyphs: str  # with {fontstack} and {range}
    sprite: str  # without its ending
    most: int


def every_style(views: Sequence[Shown]) -> list[Style]:
    """All styles for some views: the maps of many, then one for each collection."""
    drawable = _drawable(views)
    return [
        _default_map(drawable),
        _hazard_map(drawable),
        *(_of_collection(view) for view in drawable),
    ]


def style_of(name: str, views: Sequence[Shown]) -> Style:
    """The style of that name; NotFound where there is none for these views."""
    found = {style.id: style for style in every_style(views)}.get(name)
    if found is None:
        raise NotFound("No such style")
    return found


def is_collection_style(name: str) -> bool:
    """Whether a style of that name would be one of a collection: those of many have a hyphen."""
    return is_name(name)


def style_document(
    style: Style, addresses: Addresses, *, language: str = "ja", attribution: str = ""
) -> dict[str, Any]:
    """A MapLibre style document (style specification, version 8)."""
    vectors = [view for view in style.views if view.collection.kind == "vector"]
    rasters = [view for view in style.views if view.collection.kind != "vector"]
    sources: dict[str, Any] = {}
    of_collection: dict[str, str] = {}
    for first in range(0, len(vectors), addresses.most):
        name = f"{SOURCE}-{first // addresses.most + 1}" if first else SOURCE
        some = vectors[first : first + addresses.most]
        sources[name] = _vector_source(some, addresses, attribution)
        of_collection |= {view.collection.name: name for view in some}
    for view in rasters:
        about = view.collection.name
        sources[about] = {"type": "raster", "url": addresses.raster(about), "tileSize": _RASTER_PX}
    layers = style_layers(style.views, language=language, sources=of_collection)
    said: dict[str, Any] = {
        "version": 8,
        "name": style.title_in(language),
        "metadata": {"id": style.id, "title": style.title, "title_ja": style.title_ja},
        "sources": sources,
        "sprite": addresses.sprite,
        "glyphs": addresses.glyphs,
        "layers": [_ground(), *(_switched(layer, style.hidden) for layer in layers)],
    }
    box = bounds(style.views)
    if box is not None:
        lon, lat, zoom = centre(box, 0)
        said |= {"center": [lon, lat], "zoom": zoom}
    return said


def style_metadata(
    style: Style, links: Sequence[Mapping[str, Any]], sample: Callable[[str], Mapping[str, Any]]
) -> dict[str, Any]:
    """What the metadata of a style say (OGC 20-009, 7.4.6).

    Parameters
    ----------
    links
        Of the metadata; that of the stylesheet is among them.
    sample
        Gives the link to a collection's data.
    """
    sheets = [link for link in links if link["rel"] == "stylesheet"]
    return {
        "id": style.id,
        "title": style.title,
        "title_ja": style.title_ja,
        "description": style.description,
        "keywords": [view.collection.name for view in style.views],
        "scope": "style",
        "stylesheets": [
            {
                "title": "Mapbox Style",
                "version": "8",
                "specification": SPECIFICATION,
                "native": True,
                "link": link,
            }
            for link in sheets
        ],
        "layers": [_layer_metadata(view, sample) for view in style.views],
        "links": list(links),
    }


def _layer_metadata(view: Shown, sample: Callable[[str], Mapping[str, Any]]) -> dict[str, Any]:
    about = view.collection
    said: dict[str, Any] = {
        "id": about.name,
        "description": about.title,
        "dataType": "vector" if about.kind == "vector" else "map",
        "sampleData": dict(sample(about.name)),
    }
    if about.kind != "vector":
        return said
    used = _columns(style_layers([view]))
    schema = about.schema.get("properties", {})
    return said | {
        "geometryType": _GEOMETRIES.get(about.geometry, "any"),
        "propertiesSchema": {name: schema[name] for name in sorted(used) if name in schema},
    }


def _columns(value: Any) -> set[str]:
    """Columns that expressions name."""
    if isinstance(value, dict):
        return {name for part in value.values() for name in _columns(part)}
    if not isinstance(value, list):
        return set()
    named = value[:1] in (["get"], ["has"]) and len(value) > 1
    return ({value[1]} if named else set()) | {name for part in value for name in _columns(part)}


def _drawable(views: Sequence[Shown]) -> list[Shown]:
    """Vectors, and rasters that there is anything of."""
    return [view for view in views if view.collection.kind == "vector" or view.extent is not None]


def _default_map(views: Sequence[Shown]) -> Style:
    hidden = {
        view.collection.name
        for view in views
        if view.collection.kind != "vector" or view.collection.name in _COVERING
    }
    return Style(
        DEFAULT_MAP,
        "Map of everything",
        "すべての地図",
        "All collections you may see; pictures and figures by mesh are there to be switched on",
        tuple(views),
        frozenset(hidden),
    )


def _hazard_map(views: Sequence[Shown]) -> Style:
    return Style(
        HAZARD_MAP,
        "Hazard map",
        "ハザードマップ",
        "Hazards, warnings and evacuation in the official colours, above a quiet background",
        tuple(view for view in views if view.collection.name in _HAZARD_COLLECTIONS),
    )


def _of_collection(view: Shown) -> Style:
    about = view.collection
    return Style(about.name, about.title, about.title_ja, about.description or about.title, (view,))


def _vector_source(views: Sequence[Shown], addresses: Addresses, attribution: str) -> dict[str, Any]:
    said: dict[str, Any] = {
        "type": "vector",
        "tiles": [addresses.tiles([view.collection.name for view in views])],
        "minzoom": min((lowest_zoom(view) for view in views), default=0),
        "maxzoom": MAX_ZOOM,
    }
    if attribution:
        said["attribution"] = attribution
    box = bounds(views)
    return said if box is None else said | {"bounds": list(box)}


def _ground() -> dict[str, Any]:
    return {"id": "background", "type": "background", "paint": {"background-color": BASE["sea"]}}


def _switched(layer: dict[str, Any], hidden: frozenset[str]) -> dict[str, Any]:
    if layer.get("source-layer", layer["source"]) not in hidden:
        return layer
    return layer | {"layout": {**layer.get("layout", {}), "visibility": "none"}}
