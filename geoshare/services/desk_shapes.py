"""Shapes that are drawn at the desk: read, bounded, and held inside the area that somebody edits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson
import shapely
from pyproj import Geod
from shapely.geometry.base import BaseGeometry

from geoshare.errors import BadRequest, Denied
from geoshare.model.collections import Collection

MAX_VERTICES: Final = 20_000
MAX_KM2: Final = 5_000  # more than the largest municipality
MAX_LINE_KM: Final = 300
MARGIN_DEG: Final = 0.0005  # about 50 m: boundaries of different sources differ by as much
JAPAN: Final = (122.0, 20.0, 154.0, 46.0)  # west, south, east, north in degrees, islands included
TYPES: Final[Mapping[str, tuple[str, ...]]] = {
    "point": ("Point",),
    "polygon": ("Polygon", "MultiPolygon"),
    "any": ("Point", "LineString", "MultiLineString", "Polygon", "MultiPolygon"),
}
_TYPES_JA: Final = {"point": "点", "polygon": "範囲", "any": "点・線・範囲"}
_GEOD: Final = Geod(ellps="GRS80")


@dataclass(frozen=True, slots=True)
class Fence:
    """Where somebody edits; ``area`` is None where no agreement limits it.

    ``names`` says what its parts are called, with their codes, as far as codes name them; ``codes`` are
    those of all its parts, empty where some part has none.
    """

    area: BaseGeometry | None
    names: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()

    @property
    def box(self) -> list[float] | None:
        """West, south, east, north in degrees."""
        return None if self.area is None else [round(side, 5) for side in self.area.bounds]

    @property
    def words(self) -> str:
        """Where it is, for a refusal; empty where nothing limits it."""
        return f"inside {', '.join(self.names) or 'your area'}, {self.box}" if self.box else ""

    @property
    def words_ja(self) -> str:
        """The same in Japanese."""
        if self.box is None:
            return ""
        west, south, east, north = self.box
        return f"{self.called_ja}の中(経度{west}～{east}、緯度{south}～{north})"

    @property
    def called_ja(self) -> str:
        """What it is called in Japanese."""
        return f"契約の区域「{'、'.join(self.names)}」" if self.names else "契約の区域"

    def within(self, most: str, most_ja: str) -> tuple[str, str]:
        """A largest size, and where, in both languages."""
        english, japanese = (f"at most {most}", self.words), (f"{most_ja}まで", self.words_ja)
        return ", ".join(filter(None, english)), "、".join(filter(None, japanese))

    def holds(self, shape: BaseGeometry) -> bool:
        """Whether a geometry lies in it, but for the width of a road."""
        return self.area is None or bool(shapely.covers(shapely.buffer(self.area, MARGIN_DEG), shape))

    def meets(self, shape: BaseGeometry) -> bool:
        """Whether some of a geometry lies in it, but for the width of a road."""
        return self.area is None or bool(shapely.dwithin(self.area, shape, MARGIN_DEG))


def read_shape(said: Any, about: Collection, fence: Fence) -> bytes:
    """Read a GeoJSON geometry: plane, of a known type, of bounded size, inside the fence; as WKB.

    Raises
    ------
    BadRequest
        saying what is allowed and where.
    """
    allowed = TYPES[about.geometry]
    if not isinstance(said, dict) or said.get("type") not in allowed:
        raise _unfit(
            "is of another type",
            f"の種類が正しくありません({about.title_ja})",
            ", ".join(allowed),
            _TYPES_JA[about.geometry],
        )
    try:
        shape = shapely.force_2d(shapely.from_geojson(orjson.dumps(said)))
    except (shapely.GEOSException, TypeError, ValueError) as error:
        raise _unfit(
            "cannot be read",
            "を読み取れません",
            "GeoJSON in degrees, longitude first",
            "度を単位とするGeoJSON(経度、緯度の順)",
        ) from error
    check_shape(shape, fence)
    rounded = shapely.transform(shape, lambda points: points.round(7))
    shape = rounded if rounded.is_valid and not rounded.is_empty else shape
    wkb: bytes = shapely.to_wkb(shapely.orient_polygons(shape))
    return wkb


def check_shape(shape: BaseGeometry, fence: Fence) -> None:
    """Raise BadRequest for what is empty, crosses itself, is too large or lies outside the fence."""
    _check_axes(shape, fence)
    if shapely.get_num_coordinates(shape) > MAX_VERTICES:
        most = f"at most {MAX_VERTICES} vertices"
        raise _unfit("has too many vertices", "の頂点が多すぎます", most, f"頂点{MAX_VERTICES}個まで")
    if not shape.is_valid:
        raise _unfit(
            "crosses itself",
            "の線が交差しています",
            "an outline that does not cross itself",
            "自分自身と交わらない輪郭",
        )
    dimensions = shapely.get_dimensions(shape)
    if dimensions == 2 and abs(_GEOD.geometry_area_perimeter(shape)[0]) > MAX_KM2 * 1e6:
        raise _unfit("is too large", "が広すぎます", *fence.within(f"{MAX_KM2} km2", f"{MAX_KM2}km²"))
    if dimensions == 1 and _GEOD.geometry_length(shape) > MAX_LINE_KM * 1e3:
        raise _unfit(
            "is too long", "が長すぎます", *fence.within(f"{MAX_LINE_KM} km", f"{MAX_LINE_KM}km")
        )
    if not fence.holds(shape):
        raise _unfit(
            "lies outside your area",
            f"が{fence.called_ja}の外にあります",
            fence.words,
            fence.words_ja,
        )


def check_place(shape: BaseGeometry, fence: Fence) -> None:
    """Raise Denied for a feature of which nothing lies inside the fence."""
    if not fence.meets(shape):
        raise Denied(
            "The feature lies outside your area",
            parameter="id",
            allowed=fence.words,
            message_ja=f"{fence.called_ja}の外にあるため編集できません",
            allowed_ja=fence.words_ja,
        )


def _check_axes(shape: BaseGeometry, fence: Fence) -> None:
    """Raise BadRequest for what lies nowhere on earth, and for what lies right the other way round."""
    west, south, east, north = shape.bounds if not shape.is_empty else (float("nan"),) * 4
    on_earth = -180 <= west <= east <= 180 and -90 <= south <= north <= 90
    here = shapely.box(*JAPAN) if fence.area is None else shapely.envelope(fence.area)
    around = shapely.envelope(shape)  # a point, a line or a box: right, whatever the shape is
    turned = shapely.transform(around, lambda points: points[:, ::-1])
    right = on_earth and bool(shapely.intersects(here, around))
    if not right and not shape.is_empty and shapely.covers(here, turned):
        raise _unfit(
            "has latitude and longitude the wrong way round",
            "の緯度と経度が入れ替わっています",
            "longitude first, then latitude",
            "経度、緯度の順",
        )
    if not on_earth:
        raise _unfit(
            "lies nowhere on earth",
            "の座標が範囲外です",
            "degrees, longitude first",
            "度(経度、緯度の順)",
        )


def _unfit(english: str, japanese: str, allowed: str, allowed_ja: str) -> BadRequest:
    return BadRequest(
        f"The geometry {english}",
        parameter="geometry",
        allowed=allowed,
        message_ja=f"図形{japanese}",
        allowed_ja=allowed_ja,
    )
