"""What clients must know of tiles before they ask for one: TileJSON, and tile sets of OGC API Tiles.

Everything is read off the views: layers and fields are visible ones, bounds are those of what is shown,
and what is left out at which zoom follows from rules and visible columns.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

from geoshare.access.view import RasterView, View
from geoshare.model.box import Box
from geoshare.query.detail import describe, lowest_zoom
from geoshare.query.tiles import MAX_ZOOM, max_zoom
from tiles.arrays import Kind
from tiles.matrices import MatrixSet, definition

CRS84: Final = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
_DIMENSIONS: Final = {"point": 0, "line": 1, "polygon": 2}
_TYPES: Final = {
    Kind.INT: "Number",
    Kind.FLOAT: "Number",
    Kind.BOOL: "Boolean",
}


class Extended(Protocol):
    """What has an extent in degrees, or nothing to show."""

    extent: Box | None


def bounds(views: Sequence[Extended]) -> Box | None:
    """Degrees that hold all that the views show; all longitudes where one crosses the antimeridian."""
    boxes = [view.extent for view in views if view.extent is not None]
    if not boxes:
        return None
    south, north = min(box.south for box in boxes), max(box.north for box in boxes)
    if any(box.west > box.east for box in boxes):
        return Box(-180.0, south, 180.0, north)
    return Box(min(box.west for box in boxes), south, max(box.east for box in boxes), north)


def described(
    views: Sequence[View], attribution: str, zooms: tuple[int, int] = (0, MAX_ZOOM)
) -> dict[str, Any]:
    """What tiles say of themselves wherever they are: TileJSON, and the metadata of PMTiles.

    Parameters
    ----------
    views
        In the order of the tile's layers.
    attribution
        To be shown with the tiles; nothing where it is empty.
    zooms
        The first and the last there are tiles of.
    """
    said: dict[str, Any] = {
        "name": ", ".join(view.collection.name for view in views),
        "description": ", ".join(view.collection.title for view in views),
        "vector_layers": [_layer(view, zooms) for view in views],
    }
    return said | {"attribution": attribution} if attribution else said


def tilejson(views: Sequence[View], address: str, attribution: str) -> dict[str, Any]:
    """TileJSON 3 of vector tiles.

    Parameters
    ----------
    views
        In the order of the tile's layers.
    address
        Of a tile, with ``{z}``, ``{x}`` and ``{y}``.
    attribution
        To be shown with the tiles; nothing where it is empty.
    """
    about = described(views, attribution)
    lowest = min((layer["minzoom"] for layer in about["vector_layers"]), default=0)
    said = {
        "tilejson": "3.0.0",
        "scheme": "xyz",
        "tiles": [address],
        "minzoom": lowest,
        "maxzoom": MAX_ZOOM,
        **about,
    }
    box = bounds(views)
    if box is not None:
        said |= {"bounds": list(box), "center": centre(box, lowest)}
    return said


def _layer(view: View, zooms: tuple[int, int]) -> dict[str, Any]:
    return {
        "id": view.collection.name,
        "description": view.collection.title,
        "fields": {
            "id": "String",
            **{column.name: _TYPES.get(column.kind, "String") for column in view.columns},
        },
        "minzoom": min(max(lowest_zoom(view), zooms[0]), zooms[1]),
        "maxzoom": min(MAX_ZOOM, zooms[1]),
        "detail": describe(view),
    }


def centre(box: Box, lowest: int) -> list[float | int]:
    """Middle of a box, and the zoom at which it fills a map of two tiles or so."""
    side = max(box.east - box.west, (box.north - box.south) * 1.3, 1e-6)
    zoom = min(max(math.floor(math.log2(360.0 / side)) + 1, lowest), MAX_ZOOM)
    middle = round((box.west + box.east) / 2, 7), round((box.south + box.north) / 2, 7)
    return [*middle, zoom]


def limits(matrices: MatrixSet, box: Box | None, lowest: int, highest: int) -> list[dict[str, Any]]:
    """Rows and columns that hold a box in degrees, for each matrix from ``lowest`` to ``highest``."""
    found = []
    for z in range(lowest, highest + 1):
        spans = None if box is None else matrices.covering(z, box)
        if spans is not None:
            (first_column, last_column), (first_row, last_row) = spans
            found.append(
                {
                    "tileMatrix": str(z),
                    "minTileRow": first_row,
                    "maxTileRow": last_row,
                    "minTileCol": first_column,
                    "maxTileCol": last_column,
                }
            )
    return found


def tile_set(
    views: Sequence[View], matrices: MatrixSet, links: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Tile set metadata (OGC 17-083r4) of vector tiles."""
    lowest = max(0, min((lowest_zoom(view) for view in views), default=0) - matrices.mercator_zoom)
    said = tile_set_item([view.collection.title for view in views], "vector", matrices, links)
    said["layers"] = [_ogc_layer(view, matrices) for view in views]
    return said | _places(bounds(views), matrices, lowest, max_zoom(matrices))


def map_tile_set(
    view: RasterView,
    matrices: MatrixSet,
    zooms: tuple[int, int],
    links: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    """Tile set metadata of map tiles; ``zooms`` are the first and last of WebMercatorQuad."""
    said = tile_set_item([view.collection.title], "map", matrices, links)
    lowest, highest = (max(0, zoom - matrices.mercator_zoom) for zoom in zooms)
    return said | _places(bounds([view]), matrices, lowest, highest)


def drawn_tile_set(
    views: Sequence[View], matrices: MatrixSet, links: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Tile set metadata of map tiles that are drawn from vectors."""
    lowest = max(0, min((lowest_zoom(view) for view in views), default=0) - matrices.mercator_zoom)
    said = tile_set_item([view.collection.title for view in views], "map", matrices, links)
    return said | _places(bounds(views), matrices, lowest, max_zoom(matrices))


def tile_set_item(
    titles: Sequence[str], kind: str, matrices: MatrixSet, links: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """The short form of tile set metadata, as lists of tile sets have it."""
    known = definition(matrices)
    said: dict[str, Any] = {
        "title": f"{', '.join(titles)} ({matrices.id})",
        "dataType": kind,
        "crs": known["crs"],
        "links": list(links),
    }
    schemes = [link["href"] for link in links if link["rel"].endswith("tiling-scheme")]
    said["tileMatrixSetURI"] = known.get("uri", *schemes)  # clients look for the set's name in it
    return said


def _places(box: Box | None, matrices: MatrixSet, lowest: int, highest: int) -> dict[str, Any]:
    found: dict[str, Any] = {"tileMatrixSetLimits": limits(matrices, box, lowest, highest)}
    if box is not None:
        found["boundingBox"] = _corners(box)
        lon, lat, zoom = centre(box, lowest + matrices.mercator_zoom)
        matrix = str(min(max(int(zoom) - matrices.mercator_zoom, lowest), highest))
        found["centerPoint"] = {"coordinates": [lon, lat], "crs": CRS84, "tileMatrix": matrix}
    return found


def _corners(box: Box) -> dict[str, Any]:
    return {"lowerLeft": [box.west, box.south], "upperRight": [box.east, box.north], "crs": CRS84}


def _ogc_layer(view: View, matrices: MatrixSet) -> dict[str, Any]:
    lowest = max(0, lowest_zoom(view) - matrices.mercator_zoom)
    said: dict[str, Any] = {
        "id": view.collection.name,
        "title": view.collection.title,
        "dataType": "vector",
        "minTileMatrix": str(lowest),
        "maxTileMatrix": str(max_zoom(matrices)),
        "propertiesSchema": {"type": "object", "properties": view.schema()["properties"]},
    }
    if view.collection.geometry in _DIMENSIONS:
        said["geometryDimension"] = _DIMENSIONS[view.collection.geometry]
    box = bounds([view])
    if box is not None:
        said["boundingBox"] = _corners(box)
    return said
