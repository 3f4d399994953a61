"""Functions of our own that a filter may call besides those of CQL2 (requirements class Functions).

Each is total: what has no answer is null. Geometries are those that the reader sees, so that the length
of a road that is cut at a fence is the length of what is left of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray

from geoshare.filter.values import Numbers, Shapes, Spans, Value, Words

_GEOD: Final = pyproj.Geod(ellps="GRS80")
_YEAR_0: Final = 1970
_MONTHS: Final = 12


@dataclass(frozen=True)
class Argument:
    """One operand of a function: its name, and the types it may have."""

    title: str
    types: tuple[str, ...]


@dataclass(frozen=True)
class Function:
    """A function as it is listed at ``/functions``; types are those of the checker."""

    description: str
    description_ja: str
    arguments: tuple[Argument, ...]
    returns: str
    compute: Callable[..., Value]


def _lower(text: Words) -> Words:
    return text.map(str.lower)


def _upper(text: Words) -> Words:
    return text.map(str.upper)


def _char_length(text: Words) -> Numbers:
    return text.measure(len)


def _of_numbers(function: Callable[[Any], Any]) -> Callable[[Numbers], Numbers]:
    return lambda number: Numbers(function(number.values), number.valid)


def _half_up(values: NDArray[Any]) -> NDArray[Any]:
    """Round half away from zero, as people do and SQL does; NumPy rounds half to even."""
    whole: NDArray[Any] = np.sign(values) * np.floor(np.abs(values.astype(np.float64)) + 0.5)
    return whole


def _date_part(unit: str) -> Callable[[Value], Numbers]:
    def part(value: Value) -> Numbers:
        if not isinstance(value, Numbers | Spans):
            raise TypeError("the expression was not checked")
        moments = value.start if isinstance(value, Spans) else value.values
        days = np.asarray(moments, np.int64).astype("datetime64[us]")
        months = days.astype("datetime64[M]").astype(np.int64)
        if unit == "year":
            found = days.astype("datetime64[Y]").astype(np.int64) + _YEAR_0
        elif unit == "month":
            found = months % _MONTHS + 1
        else:
            first = days.astype("datetime64[M]").astype("datetime64[D]")
            found = (days.astype("datetime64[D]") - first).astype(np.int64) + 1
        return Numbers(found, value.valid)

    return part


def _geometry_type(geometry: Shapes) -> Words:
    names = ("Point", "LineString", "LinearRing", "Polygon", "MultiPoint", "MultiLineString")
    words = np.array([*names, "MultiPolygon", "GeometryCollection"], object)
    codes = shapely.get_type_id(geometry.values).astype(np.int64)
    return Words(np.maximum(codes, 0), words, geometry.valid)


def _length_m(geometry: Shapes) -> Numbers:
    """Geodesic length of lines; of areas that of their edges; 0 of points."""
    n = len(geometry.values)
    parts, owners = shapely.get_parts(geometry.values, return_index=True)
    rings, ring_owners = parts, owners
    areas = shapely.get_type_id(parts) == shapely.GeometryType.POLYGON
    if areas.any():
        edges, edge_owners = shapely.get_rings(parts[areas], return_index=True)
        rings = np.concatenate([parts[~areas], edges])
        ring_owners = np.concatenate([owners[~areas], owners[areas][edge_owners]])
    positions, at = shapely.get_coordinates(rings, return_index=True)
    if len(positions) < 2:
        return Numbers(np.zeros(n), geometry.valid)
    _, _, steps_m = _GEOD.inv(positions[:-1, 0], positions[:-1, 1], positions[1:, 0], positions[1:, 1])
    same = at[:-1] == at[1:]
    lengths = np.bincount(ring_owners[at[:-1]][same], np.asarray(steps_m)[same], n)
    return Numbers(np.where(np.isfinite(lengths), lengths, 0.0), geometry.valid & np.isfinite(lengths))


def _area_m2(geometry: Shapes) -> Numbers:
    """Geodesic area; 0 of points and lines."""
    found = np.zeros(len(geometry.values))
    areal = np.flatnonzero(shapely.get_dimensions(geometry.values) == 2)
    for row in areal:
        shape = shapely.orient_polygons(geometry.values[row])
        found[row] = abs(_GEOD.geometry_area_perimeter(shape)[0])
    return Numbers(np.where(np.isfinite(found), found, 0.0), geometry.valid & np.isfinite(found))


_TEXT, _NUMBER = Argument("text", ("text",)), Argument("number", ("number",))
_TIME, _GEOMETRY = Argument("time", ("time",)), Argument("geometry", ("geometry",))
FUNCTIONS: Final[Mapping[str, Function]] = {
    "lower": Function("The text in lower case", "小文字にした文字列", (_TEXT,), "text", _lower),
    "upper": Function("The text in upper case", "大文字にした文字列", (_TEXT,), "text", _upper),
    "char_length": Function("How many characters", "文字数", (_TEXT,), "number", _char_length),
    "abs": Function("The absolute value", "絶対値", (_NUMBER,), "number", _of_numbers(np.abs)),
    "floor": Function("Rounded down", "切り捨て", (_NUMBER,), "number", _of_numbers(np.floor)),
    "ceiling": Function("Rounded up", "切り上げ", (_NUMBER,), "number", _of_numbers(np.ceil)),
    "round": Function("Rounded, halves away from zero", "四捨五入", (_NUMBER,), "number",
                      _of_numbers(_half_up)),
    "year": Function("The year, UTC", "年(UTC)", (_TIME,), "number", _date_part("year")),
    "month": Function("The month, 1 to 12, UTC", "月(UTC)", (_TIME,), "number", _date_part("month")),
    "day": Function("The day of the month, UTC", "日(UTC)", (_TIME,), "number", _date_part("day")),
    "geometry_type": Function("Point, LineString, MultiPolygon ...", "図形の種類", (_GEOMETRY,), "text",
                              _geometry_type),
    "length_m": Function("Length of lines and of the edges of areas in metres, on the ellipsoid",
                         "線と面の縁の長さ(m、楕円体上)", (_GEOMETRY,), "number", _length_m),
    "area_m2": Function("Area in square metres, on the ellipsoid", "面積(m²、楕円体上)", (_GEOMETRY,),
                        "number", _area_m2),
}  # fmt: skip
