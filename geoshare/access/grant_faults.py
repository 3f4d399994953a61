"""What is wrong with a written grant, beyond what its model can tell: names, kinds, rows, areas."""

from __future__ import annotations

from collections.abc import Collection as Several
from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np
import orjson
import shapely
from numpy.typing import NDArray

from geoshare.access.transforms import fits
from geoshare.errors import GeoshareError
from geoshare.filter import check, fields_of
from geoshare.filter.literals import read_area
from geoshare.model.collections import Collection
from geoshare.model.policy import TRANSFORMS, Grant

HALF_WORLD: Final = 180.0  # degrees of longitude
Fault = tuple[str, str, str]  # key, message, what may stand there


def grant_faults(
    grant: Grant, collections: Mapping[str, Collection], classes: Several[str]
) -> Iterator[Fault]:
    """Say what is wrong, with the key it is about and what is allowed there.

    ``classes`` are the release classes there are.
    """
    for name in () if grant.release_classes == "all" else grant.release_classes:
        if name not in classes:
            yield "release_classes", f"there is no release class {name!r}", ", ".join(classes)
    if grant.collections != "all":
        if not grant.collections:
            yield "collections", "no collection is named", "names"
        for name in grant.collections:
            if name not in collections:
                yield (
                    "collections",
                    f"there is no collection {name!r}",
                    ", ".join(sorted(collections)),
                )
                return
    if isinstance(grant.area, dict):
        yield from area_faults(grant.area)
    for name in collections if grant.collections == "all" else grant.collections:
        yield from _faults_for(grant, collections[name])


def _faults_for(grant: Grant, collection: Collection) -> Iterator[Fault]:
    properties = [item.name for item in collection.properties]
    for column in grant.columns if grant.columns != "all" else ():
        if column not in properties:
            yield "columns", f"{collection.name} has no property {column!r}", ", ".join(properties)
    yield from _transform_faults(grant, collection)
    if (grant.delay or grant.window) and not collection.observed and grant.collections != "all":
        yield (
            "delay" if grant.delay else "window",
            f"{collection.name} has no time of observation",
            "collections with a time",
        )
    if grant.rows is not None:
        try:
            check(grant.rows, fields_of(collection))
        except GeoshareError as error:
            yield "rows", error.message, error.allowed or ""


def _transform_faults(grant: Grant, collection: Collection) -> Iterator[Fault]:
    kinds = fields_of(collection)
    for column, transform in grant.transforms.items():
        item = collection.property(column)
        if item is None or transform.kind in ("keep", "null"):
            continue
        key = f"transforms.{column}"
        if collection.kind != "vector":
            yield key, f"{collection.name} is no vector collection", "keep, null"
        elif item.reference:
            yield key, f"{column!r} refers to {item.reference}", "keep, null"
        elif transform.kind == "hash" and column in collection.time:
            yield key, f"{column!r} is the time of {collection.name}", "keep, round, null"
        elif not fits(transform, kinds[column]):
            allowed = [name for name in TRANSFORMS if _suits(name, str(kinds[column]))]
            message = f"{column!r} holds {kinds[column]} values, which {transform.kind} does not suit"
            yield key, message, ", ".join(allowed)


def _suits(transform: str, kind: str) -> bool:
    if transform == "round":
        return kind in ("int", "float", "timestamp", "date")
    return transform != "bucket" or kind in ("int", "float")


def area_faults(area: Mapping[str, object]) -> Iterator[Fault]:
    """Say why a GeoJSON object is no area."""
    try:
        read_area(dict(area))
    except ValueError as error:
        yield "area", str(error), "a GeoJSON Polygon or MultiPolygon, or an administrative code"
        return
    if _leaps(area):
        yield (
            "area",
            "an edge leads more than half around the world; what is meant may lie on its other side",
            "an area across 180 degrees goes on beyond 180, or is cut there into two polygons",
        )


def _leaps(area: Mapping[str, object]) -> bool:
    """Whether some edge is longer than 180 degrees, but for those of a whole belt of the world."""
    shape = shapely.from_geojson(orjson.dumps(area))
    lon, ring = shapely.get_coordinates(shape)[:, 0], _rings(shape)
    far = (np.abs(np.diff(lon)) > HALF_WORLD) & (np.diff(ring) == 0)
    belt = (np.abs(lon[:-1]) == HALF_WORLD) & (np.abs(lon[1:]) == HALF_WORLD)
    return bool((far & ~belt).any())


def _rings(shape: shapely.Geometry) -> NDArray[np.int64]:
    """Which ring each vertex belongs to."""
    rings = shapely.get_rings(shapely.get_parts(shape))
    return np.repeat(np.arange(len(rings)), shapely.get_num_coordinates(rings))
