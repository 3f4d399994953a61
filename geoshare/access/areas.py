"""Areas given by administrative code, looked up in the published administrative areas."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final, Protocol

import numpy as np
import orjson
import shapely
from shapely.geometry.base import BaseGeometry

from geoshare.access.draft import Source
from geoshare.access.released import released
from geoshare.errors import BadRequest
from geoshare.filter import check, evaluate, fields_of
from geoshare.filter.literals import read_geometry
from geoshare.model.collections import known
from geoshare.model.policy import OPEN_CLASS, Grant
from tiles.geometry.convert import to_shapely

ADMIN_AREAS: Final = "admin_areas"
CODE: Final = "code"
POLYGONS: Final = ("Polygon", "MultiPolygon")


class Published(Protocol):
    """What is published."""

    def source(self, collection: str) -> Source | None:
        """Return the current pack; None where nothing is published."""
        ...


def coded_area(published: Published, code: str) -> BaseGeometry:
    """The area of an administrative code: all published features of that code together, made valid.

    Of what was contributed openly alone: a fence that moved by what its holder may not know of would
    tell of it.

    Raises
    ------
    BadRequest
        for a code that no published area has: never the whole world.
    """
    source = published.source(ADMIN_AREAS)
    shapes = []
    if source is not None:
        rule = check({"op": "=", "args": [{"property": CODE}, code]}, fields_of(known()[ADMIN_AREAS]))
        for part, bits in zip(source.pack.parts, source.pack.alive, strict=True):
            rows = np.arange(len(part), dtype=np.int32)
            alive = np.ones(len(part), bool)
            if len(bits):
                alive = np.unpackbits(bits, count=len(part), bitorder="little").astype(bool)
            found = rows[
                evaluate(rule, part.table, rows) & alive & released((OPEN_CLASS,), part.table, rows)
            ]
            shapes += [shape for shape in to_shapely(part.table.geometries, found) if shape is not None]
    area = _areal(shapely.union_all([shapely.make_valid(shape) for shape in shapes]))
    if area is None:
        raise BadRequest(
            f"There is no published administrative area {code!r}.",
            code="unknown-area",
            parameter="area",
            allowed=f"a code of the collection {ADMIN_AREAS}",
            message_ja=f"行政区域コード{code}の区域がありません",
            allowed_ja="公開されている行政区域のコード",
        )
    return area


def looked_up(grants: Iterable[Grant], find: Callable[[str], BaseGeometry]) -> tuple[Grant, ...]:
    """The grants with every area as a polygon; without those whose fences have nothing in common.

    ``find`` gives the area of a code, as :func:`coded_area` does.

    Raises
    ------
    BadRequest
        for a code that no published area has.
    """
    found = []
    for grant in grants:
        if grant.area is None or (isinstance(grant.area, dict) and "all_of" not in grant.area):
            found.append(grant)
            continue
        area = _area(grant.area, find)
        if area is not None:
            polygon: dict[str, Any] = orjson.loads(shapely.to_geojson(area))
            found.append(grant.model_copy(update={"area": polygon}))
    return tuple(found)


def names_codes(grants: Iterable[Grant]) -> bool:
    """Whether some grant's area depends on the published administrative areas."""
    return any(
        isinstance(part, str)
        for grant in grants
        for part in ([grant.area] if not isinstance(grant.area, dict) else _parts(grant.area))
    )


def _parts(area: dict[str, Any]) -> list[Any]:
    parts: list[Any] = area.get("all_of", [])
    return parts


def _area(area: Any, find: Callable[[str], BaseGeometry]) -> BaseGeometry | None:
    if isinstance(area, str):
        return find(area)
    if "all_of" not in area:
        return read_geometry(area)
    pieces = [_area(part, find) for part in area["all_of"]]
    if any(piece is None for piece in pieces):
        return None
    return _areal(shapely.intersection_all(pieces))


def _areal(shape: BaseGeometry) -> BaseGeometry | None:
    """The polygons of a geometry; None where it has none."""
    parts = [part for part in shapely.get_parts(shape) if part.geom_type in POLYGONS]
    if shape.geom_type == "GeometryCollection":
        parts = [piece for part in parts for piece in shapely.get_parts(part)]
    joined = shapely.union_all(parts) if parts else None
    return joined if joined is not None and not joined.is_empty else None
